"""From what a file says to a stream that keeps its promises: order, duplicates, NaN, units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gaitmon.errors import EmptyRecordingError, RecordingError
from gaitmon.model import Bools, Floats, Placement
from gaitmon.sensors.recording import SampleStream

STANDARD_GRAVITY_M_S2 = 9.80665
# Late packets may put samples in the wrong order; a step back of more than this is another recording.
REORDER_LIMIT_S = 1.0
# Above this share of samples that share a time stamp, what is left is no signal.
COARSE = 0.6
# Full scale of the usual gyroscopes is 2000 deg/s = 35 rad/s: one sample in a thousand beyond it is no rad/s.
GYR_PLAUSIBLE_RAD_S = 35.0


@dataclass(frozen=True, slots=True, eq=False)
class RawSamples:
    """One sensor's samples as read, before any check.

    where: row number -> how a person finds it, e.g. "pelvis.csv, line 17".
    rate_hz, device: as the file states them.
    """

    placement: Placement
    t_s: Floats
    acc_m_s2: Floats
    gyr_rad_s: Floats | None
    where: Callable[[int], str]
    rate_hz: float | None = None
    device: str = ""


def checked_stream(raw: RawSamples) -> tuple[SampleStream, dict[str, str]]:
    """The stream, and what was done to it.

    Exact duplicates are dropped, samples out of order by up to REORDER_LIMIT_S are sorted, of several
    different samples with one time stamp the first is kept; all are counted in the notes, and so are
    samples with NaN.  Raises RecordingError for time stamps that are not numbers or jump back, and for
    values that are plainly in other units; EmptyRecordingError when there is no sample.
    """
    if len(raw.t_s) == 0:
        raise EmptyRecordingError(
            f"{raw.where(0)}: there is no sample in it.", "Record again or leave it out."
        )
    notes: dict[str, str] = {}
    raw = _without_duplicates(_in_order(raw, notes), notes)
    columns = [raw.acc_m_s2] if raw.gyr_rad_s is None else [raw.acc_m_s2, raw.gyr_rad_s]
    bad: Bools = np.asarray(~np.isfinite(np.hstack(columns)).all(axis=1))
    if bad.all():
        raise EmptyRecordingError(f"{raw.where(0)}: not one sample has all its values.", "Record again.")
    if bad.any():
        notes[f"{raw.placement}: NaN"] = f"{int(bad.sum())} of {len(bad)} samples are not numbers"
    _check_units(raw)
    stream = SampleStream.from_arrays(
        raw.placement,
        raw.t_s,
        raw.acc_m_s2,
        raw.gyr_rad_s,
        nominal_rate_hz=raw.rate_hz,
        device=raw.device,
    )
    return stream, notes


def checked_streams(raws: Sequence[RawSamples]) -> tuple[list[SampleStream], dict[str, str]]:
    streams, notes = [], {}
    for raw in raws:
        stream, remarks = checked_stream(raw)
        streams.append(stream)
        notes.update(remarks)
    return streams, notes


def _rows(raw: RawSamples, rows: Bools | NDArray[np.int64]) -> RawSamples:
    gyr = raw.gyr_rad_s
    return replace(
        raw, t_s=raw.t_s[rows], acc_m_s2=raw.acc_m_s2[rows], gyr_rad_s=None if gyr is None else gyr[rows]
    )


def _in_order(raw: RawSamples, notes: dict[str, str]) -> RawSamples:
    bad = np.flatnonzero(~np.isfinite(raw.t_s))
    if len(bad):
        raise RecordingError(
            f"{raw.where(int(bad[0]))}: the time stamp is not a number.", "Correct or remove it."
        )
    behind_s = np.maximum.accumulate(raw.t_s) - raw.t_s
    jumps = np.flatnonzero(behind_s > REORDER_LIMIT_S)
    if len(jumps):
        row = int(jumps[0])
        raise RecordingError(
            f"{raw.where(row)}: the time stamps go back by {behind_s[row]:.3f} s.",
            "It looks like two recordings in one file, or a clock set back: split it there.",
        )
    late = int((behind_s > 0).sum())
    if late == 0:
        return raw
    notes[f"{raw.placement}: order"] = f"{late} samples were out of order and have been sorted by time"
    return _rows(raw, np.argsort(raw.t_s, kind="stable"))


def _without_duplicates(raw: RawSamples, notes: dict[str, str]) -> RawSamples:
    repeated = np.concatenate([[False], np.diff(raw.t_s) == 0])
    if not repeated.any():
        return raw
    columns = [raw.acc_m_s2] if raw.gyr_rad_s is None else [raw.acc_m_s2, raw.gyr_rad_s]
    values = np.hstack(columns)
    first = np.maximum.accumulate(np.where(repeated, 0, np.arange(len(repeated))))
    same = ((values == values[first]) | (np.isnan(values) & np.isnan(values[first]))).all(axis=1)
    exact, different = int((repeated & same).sum()), int((repeated & ~same).sum())
    if exact:
        notes[f"{raw.placement}: duplicates"] = f"{exact} samples came twice and were dropped"
    if different > COARSE * len(repeated):
        raise RecordingError(
            f"{raw.where(1)}: {different} of {len(repeated)} samples have the time stamp of another one.",
            "Write the times with more digits, or number the samples and divide by the sensor's rate.",
        )
    if different:
        notes[f"{raw.placement}: same time"] = (
            f"{different} samples had the time stamp of another one with other values; the first was kept"
        )
    return _rows(raw, ~repeated)


def _check_units(raw: RawSamples) -> None:
    """Refuse what is plainly not SI.  A wearer moves little enough that the median of |acc| is near 1 g."""
    norm = np.linalg.norm(raw.acc_m_s2, axis=1)
    if np.isfinite(norm).any():
        median = float(np.nanmedian(norm))
        for unit, one_g in (("g", 1.0), ("mg", 1000.0)):
            if 0.7 * one_g < median < 1.4 * one_g:
                raise RecordingError(
                    f"{raw.where(0)}: the acceleration looks like {unit} (median {median:.3g}), not m/s².",
                    f"Multiply it by {STANDARD_GRAVITY_M_S2 / one_g:.6g}.",
                )
    if raw.gyr_rad_s is not None and np.isfinite(raw.gyr_rad_s).any():
        high = float(np.nanpercentile(np.abs(raw.gyr_rad_s), 99.9))
        if high > GYR_PLAUSIBLE_RAD_S:
            raise RecordingError(
                f"{raw.where(0)}: the angular rate looks like deg/s (up to {high:.0f}), not rad/s.",
                "Multiply it by 0.0174533 (pi / 180).",
            )
