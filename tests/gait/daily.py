"""Days of accelerometer-only sensors: detector and contacts without the rest of the pipeline, and scores."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gaitmon.gait.acc_contacts import AccLimbContacts, AccSignals
from gaitmon.gait.detector import WalkingDetector
from gaitmon.gait.sequences import TICK, WINDOW, GaitSequence, SequenceParams, SequenceTracker
from gaitmon.imu.chain import SensorChain
from gaitmon.model import Bools, Contact, Floats, ImuBlock, Placement, Side
from gaitmon.sensors.formats import open_recording
from tests.needs import recording

DAILY = (("adults", "S023"), ("adults", "S033"), ("seniors", "501"), ("seniors", "514"))
PHONE_WALKS = tuple(f"A_pixel_{pocket}Pocket_{n}" for pocket in ("Back", "Front") for n in (1, 2))
NOT_SCORED = ("stairs", "shuffling")  # walking to some, not to others: out of both sides


def chain_of(placement: Placement, t_s: Floats, acc_m_s2: Floats) -> SensorChain:
    """An accelerometer's whole recording on the grid."""
    chain = SensorChain(placement)
    chain.push(ImuBlock(placement, t_s, acc_m_s2, None))
    chain.close_run()
    return chain


def sequences_of(
    chains: Mapping[Placement, SensorChain],
    params: SequenceParams | None = None,
    ticks_at_once: Iterable[int] = (),
) -> list[GaitSequence]:
    """Gait sequences of one recording, its ticks given to the detector a few at a time."""
    first = min(c.smooth.first for c in chains.values()) // TICK + WINDOW // TICK
    end = min(c.smooth.end for c in chains.values()) // TICK + 1
    detector, tracker = WalkingDetector(params), SequenceTracker()
    sizes = iter(ticks_at_once)
    out: list[GaitSequence] = []
    tick = first
    while tick < end:
        n = min(next(sizes, 1000), end - tick)
        a, b = tick * TICK - WINDOW, (tick + n - 1) * TICK
        worn = {p: bool(c.has_gyroscope) for p, c in chains.items()}
        raw = {p: c.raw.samples(a, b) for p, c in chains.items()}
        for verdict in detector.push(worn, raw.__getitem__, lambda p: chains[p].smooth.view(a, b), n):  # noqa: B023
            closed = tracker.push(
                tick, verdict.walking, verdict.period_s, verdict.lead, verdict.rest, heard=verdict.heard
            )
            out += [closed] if closed else []
            tick += 1
    last = tracker.close()
    return [*out, last] if last else out


def own_contacts(
    chain: SensorChain,
    sequences: Sequence[GaitSequence],
    side: Side | None = None,
    steps: Iterable[int] = (),
) -> list[Contact]:
    """Contacts of one accelerometer in these sequences, looking no further back than it says it will."""
    out: list[Contact] = []
    sizes = iter(steps)
    for g in sequences:
        limb, upto = AccLimbContacts(side, g.start), g.start
        while upto < g.end:
            upto = min(upto + next(sizes, TICK), g.end)
            first = limb.needs_from()
            signals = AccSignals(first, chain.smooth.view(first, upto)[:, :3])
            out += limb.advance(signals, upto, g.period_s, final=upto == g.end)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """second_s: when each labelled second begins, on the sensors' clock."""

    chains: dict[Placement, SensorChain]
    second_s: Floats
    label: NDArray[np.str_]


@cache
def day(group: str, subject: str) -> Day:
    import pyarrow.parquet as pq

    recorded = open_recording(recording("thigh_back_daily", group, "thigh", f"{subject}.parquet"))
    origin = np.datetime64(recorded.notes["local start"], "ns").astype(np.int64)
    table = pq.read_table(recording("thigh_back_daily", group, "ground_truth", f"{subject}.parquet"))
    stamps = table.column("datetime").to_numpy().astype("datetime64[ns]").astype(np.int64)
    chains = {p: chain_of(p, s.arrays()[0], s.arrays()[1]) for p, s in recorded.streams.items()}
    return Day(chains, (stamps - origin) / 1e9, np.array(table.column("ground_truth").to_pylist()))


def walking_seconds(sequences: Sequence[GaitSequence], second_s: Floats) -> Bools:
    """Whether more than half of each second lies in gait sequences."""
    inside = np.zeros(len(second_s))
    for g in sequences:
        start, end = g.start / 100.0, g.end / 100.0
        inside += np.clip(np.minimum(second_s + 1.0, end) - np.maximum(second_s, start), 0.0, 1.0)
    return np.asarray(inside > 0.5)


@dataclass(frozen=True, slots=True)
class Score:
    """Seconds of walking found against labelled ones."""

    true_positive: int
    false_positive: int
    false_negative: int

    @property
    def f1(self) -> float:
        wrong = self.false_positive + self.false_negative
        return 2 * self.true_positive / (2 * self.true_positive + wrong)

    @property
    def precision(self) -> float:
        return self.true_positive / (self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        return self.true_positive / (self.true_positive + self.false_negative)


def score(found: Bools, label: NDArray[np.str_]) -> Score:
    scored = ~np.array([name.startswith(NOT_SCORED) for name in label])
    walking = label == "walking"
    return Score(
        int((found & walking & scored).sum()),
        int((found & ~walking & scored).sum()),
        int((~found & walking & scored).sum()),
    )


@cache
def phone_walk(name: str) -> SensorChain:
    t_s, acc, _ = (
        open_recording(recording("phone_pocket", name, "accelerometer.csv.gz"))
        .streams[Placement.PHONE]
        .arrays()
    )
    return chain_of(Placement.PHONE, t_s, acc)


def switch_steps(name: str) -> int:
    """Steps of both feet from the two foot switches (sampled every 0.09 s).  A foot that is pressed again
    within 0.4 s of its last step has not stepped: the switches chatter."""
    with gzip.open(recording("phone_pocket", name, "stepcounter.csv.gz"), "rt") as file:
        rows = np.loadtxt(file, delimiter=",")
    steps = 0
    for pressed in rows[:, 1:].T:
        at_s = rows[1:, 0][np.diff(pressed) > 0] / 1e9
        kept: list[float] = []
        for t in at_s.tolist():
            if not kept or t - kept[-1] > 0.4:
                kept.append(t)
        steps += len(kept)
    return steps


def turned(rows: Floats, rotation: Floats) -> Floats:
    """The same samples from a sensor that sits differently."""
    return np.asarray(rows @ rotation.T)


def pedalling(rpm: float, seconds: float, road_m_s2: float, seed: int) -> tuple[Floats, Floats]:
    """t_s, acc_m_s2 of a thigh sensor 30 cm from the hip on a bicycle: crank 17 cm, thigh 43 cm, shank and
    foot to the pedal 50 cm, bottom bracket 22 cm ahead of and 68 cm below the hip; noise of the road."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * 100)) / 100.0
    knots = np.arange(0.0, seconds + 4.0, 2.0)
    hz = rpm / 60.0 * (1.0 + 0.03 * np.interp(t, knots, rng.standard_normal(len(knots))))
    crank = 2.0 * np.pi * np.cumsum(hz) / 100.0
    x, down = 0.22 + 0.17 * np.sin(crank), 0.68 - 0.17 * np.cos(crank)
    reach = np.hypot(x, down)
    thigh = np.arctan2(x, down) + np.arccos((0.43**2 + reach**2 - 0.50**2) / (2 * 0.43 * reach))
    place = 0.3 * np.column_stack([np.sin(thigh), -np.cos(thigh)])
    force = np.gradient(np.gradient(place, 0.01, axis=0), 0.01, axis=0) + np.array([0.0, 9.81])
    forward = force[:, 0] * np.cos(thigh) + force[:, 1] * np.sin(thigh)
    along_thigh = -force[:, 0] * np.sin(thigh) + force[:, 1] * np.cos(thigh)
    acc = np.column_stack([forward, np.zeros(len(t)), along_thigh])
    return t, acc + road_m_s2 * rng.standard_normal(acc.shape)


def stride_times(contacts: Sequence[Contact]) -> Floats:
    return np.array([b.t_s - a.t_s for a, b in pairwise(contacts)])
