"""The recordings of GAITMON_DATA as tests want them: read once, references beside them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.io import loadmat

from gaitmon.imu.orientation import up_in_sensor
from gaitmon.model import Contact, ContactKind, Floats, Placement, Side
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.recording import Recording
from tests.needs import recording

FOOT_REFERENCE_HZ = 204.8
# ../shared/data/README.md says who wore what.
MTW_PLACEMENTS = {
    "..2d": Placement.PELVIS,
    "..2c": Placement.LEFT_THIGH,
    "..2b": Placement.RIGHT_THIGH,
    "..31": Placement.LEFT_FOOT,
    "..24": Placement.RIGHT_FOOT,
}
STROKE_SUBJECTS = ("pp02", "pp03", "pp08", "pp09")
MOBGAP_HZ = 100.0
MOBGAP_TRIALS = ("Test5/Trial1", "Test5/Trial2", "Test11/Trial1")
FOOT = {Side.LEFT: Placement.LEFT_FOOT, Side.RIGHT: Placement.RIGHT_FOOT}


@dataclass(frozen=True, slots=True, eq=False)
class FootReference:
    """One foot IMU with motion-capture events, all on the IMU's clock.

    ic_s: also the initial contact that opens the first stride.
    """

    side: Side
    t_s: Floats
    acc_m_s2: Floats
    gyr_rad_s: Floats
    ic_s: Floats
    fc_s: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceBout:
    """A walking bout of mobgap_lab as one of its two references sees it, times on the sensor's clock.

    contacts: initial and final, in order of time.  What the reference missed, in turns above all, is
    missing here too.
    strides_s: (start, end) of what the reference itself calls a stride with a duration.
    """

    trial: str
    start_s: float
    end_s: float
    contacts: tuple[Contact, ...]
    strides_s: tuple[tuple[float, float], ...]


@cache
def foot_reference() -> dict[Side, FootReference]:
    table = np.loadtxt(recording("foot_reference", "imu_sample.csv"), delimiter=",", skiprows=2)
    with recording("foot_reference", "stride_events_sample.csv").open(newline="") as file:
        events = list(csv.DictReader(file))

    def times(side: Side, *columns: str) -> Floats:
        samples = {float(row[c]) for row in events if row["foot"] == side for c in columns}
        return np.array(sorted(samples)) / FOOT_REFERENCE_HZ

    return {
        side: FootReference(
            side,
            t_s=table[:, 0] / FOOT_REFERENCE_HZ,
            acc_m_s2=table[:, first : first + 6 : 2],  # left and right columns alternate
            gyr_rad_s=np.radians(table[:, first + 6 : first + 12 : 2]),
            ic_s=times(side, "ic", "pre_ic"),
            fc_s=times(side, "tc"),
        )
        for side, first in ((Side.LEFT, 1), (Side.RIGHT, 2))
    }


@cache
def qmt() -> Recording:
    return open_recording(recording("qmt_full_body", "full_body_example_data.mat"))


@cache
def mtw() -> Recording:
    return open_recording(recording("mtw_pelvis_thighs"), MTW_PLACEMENTS)


@cache
def stroke(subject: str) -> Recording:
    return open_recording(recording("stroke_treadmill", f"{subject}_1Reg.npz"))


def foot_samples(of: Recording, side: Side) -> tuple[Floats, Floats, Floats]:
    """t_s, acc_m_s2, gyr_rad_s of a recording's foot sensor."""
    t_s, acc, gyr = of.streams[FOOT[side]].arrays()
    assert gyr is not None
    return t_s, acc, gyr


@cache
def mobgap(trial: str) -> Recording:
    return open_recording(recording("mobgap_lab", "data.mat"), select=trial)


@cache
def mobgap_bouts(trial: str, system: str = "INDIP") -> tuple[ReferenceBout, ...]:
    """Bouts of one trial.  system: "INDIP" (feet, 81 initial contacts in all) or "Stereophoto" (77)."""
    content = loadmat(recording("mobgap_lab", "data.mat"), squeeze_me=True, struct_as_record=False)
    standards = content["data"].TimeMeasure1
    for name in (*trial.split("/"), "Standards", system):
        standards = getattr(standards, name)
    bouts = []
    for bout in np.atleast_1d(standards.MicroWB):
        contacts = [
            Contact(kind, Side(str(side).lower()), float(t_s))
            for kind, times_s, sides in (
                (ContactKind.IC, bout.InitialContact_Event, bout.InitialContact_LeftRight),
                (ContactKind.FC, bout.FinalContact_Event, bout.FinalContact_LeftRight),
            )
            for t_s, side in zip(np.atleast_1d(times_s), np.atleast_1d(sides), strict=True)
            if np.isfinite(t_s)
        ]
        contacts.sort(key=lambda c: c.t_s)
        # INDIP counts samples there, the optical system seconds.
        ends = np.atleast_2d(np.asarray(bout.Stride_InitialContacts, dtype=np.float64))
        ends_s = ends / MOBGAP_HZ if system == "INDIP" else ends
        valid = np.isfinite(np.atleast_1d(bout.Stride_Duration)) & np.isfinite(ends).all(axis=1)
        strides = tuple((float(a), float(b)) for a, b in ends_s[valid])
        bouts.append(ReferenceBout(trial, float(bout.Start), float(bout.End), tuple(contacts), strides))
    return tuple(bouts)


# Per sensor: times, the vertical (n, 3) as its own filter with a magnetometer has it, and whether that is in
# the segment's frame (x forward, y left, z up), else in the sensor's.
Verticals = dict[Placement, tuple[Floats, Floats, bool]]


@cache
def qmt_up() -> Verticals:
    """From the quaternions of the body segments, whose own axes are x forward, y up, z right."""
    content = loadmat(
        recording("qmt_full_body", "full_body_example_data.mat"), squeeze_me=True, struct_as_record=False
    )
    segments = {
        Placement.PELVIS: "hip",
        Placement.LEFT_THIGH: "upper_leg_left",
        Placement.RIGHT_THIGH: "upper_leg_right",
    }
    out: Verticals = {}
    for placement, name in segments.items():
        forward, up, right = up_in_sensor(np.asarray(content[name].quat, dtype=np.float64)).T
        out[placement] = np.asarray(content["t"]), np.column_stack([forward, -right, up]), True
    return out


@cache
def mtw_up() -> Verticals:
    out: Verticals = {}
    for suffix, placement in MTW_PLACEMENTS.items():
        if placement.is_reference:
            continue
        path = recording("mtw_pelvis_thighs", f"example_calibration_xsens_00b45c{suffix[2:]}.csv")
        lines = [x for x in path.read_text().splitlines() if not x.startswith("/")]
        rows = csv.DictReader(lines, delimiter=";")
        quat = np.array([[float(row[f"Quat_q{k}"]) for k in range(4)] for row in rows])
        t_s = mtw().streams[placement].arrays()[0]
        assert len(t_s) == len(quat)
        out[placement] = t_s, up_in_sensor(quat), False
    return out
