"""Contacts and strides of the pipeline on real walks, against the wearer's own foot sensors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from gaitmon.analysis import Analysis, analyse
from gaitmon.model import Contact, ContactKind, Floats, Side
from gaitmon.sensors.recording import Recording
from tests.loaders import foot_samples, mtw, qmt
from tests.validation.figures import bland_altman
from tests.validation.foot_rule import (
    FAST_HZ,
    FootStride,
    Matching,
    _low_pass,
    _toe_up_rate,
    foot_contacts,
    foot_strides,
    match,
    step_time_asymmetry_pct,
)
from tests.validation.strides import StridePairs, pair_strides
from tests.validation.tables import held, milliseconds, share, table

TOLERANCE_S = 0.25
TOE_UP_RAD_S, TOE_UP_WITHIN_S = 1.0, 0.15  # after its contact: the foot had touched with the forefoot
STRIDE_TOLERANCE_S = 0.15
# name, part of it that is compared (s), and what it is
WALKS = {
    "qmt": (95.0, 140.0, "healthy adult, 100 Hz, 45 s of walking with turns"),
    "mtw": (0.0, 1e9, "healthy adult, 60 Hz, walk, turn, walk back: 11 s"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """One recording: what the pipeline found and what the foot sensors say, of the compared part."""

    analysis: Analysis
    low_s: float
    high_s: float
    feet: dict[Side, list[Contact]]

    def found_s(self, side: Side, kind: ContactKind) -> list[float]:
        return self._inside(self.analysis.contacts, side, kind)

    def wanted_s(self, side: Side, kind: ContactKind) -> list[float]:
        return self._inside(self.feet[side], side, kind)

    def _inside(
        self, contacts: tuple[Contact, ...] | list[Contact], side: Side, kind: ContactKind
    ) -> list[float]:
        return [
            c.t_s
            for c in contacts
            if c.side is side and c.kind is kind and self.low_s <= c.t_s <= self.high_s
        ]

    def contacts(self, side: Side, kind: ContactKind) -> Matching:
        return match(self.found_s(side, kind), self.wanted_s(side, kind), TOLERANCE_S)

    def strides(self, side: Side) -> tuple[StridePairs, Floats, Floats]:
        """Pairs, and both kinds' strides as rows of (start_s, fc_s, end_s); fc_s NaN where unknown."""
        found = [
            (s.start_s, np.nan if s.fc_s is None else s.fc_s, s.end_s)
            for s in self.analysis.strides
            if s.side is side and self.low_s <= s.start_s and s.end_s <= self.high_s
        ]
        wanted: list[FootStride] = [
            s for s in foot_strides(self.feet[side]) if self.low_s <= s.start_s and s.end_s <= self.high_s
        ]
        pairs = pair_strides(
            [(s[0], s[2]) for s in found], [(s.start_s, s.end_s) for s in wanted], STRIDE_TOLERANCE_S
        )
        return (
            pairs,
            np.array(found).reshape(-1, 3)[pairs.found],
            np.array(wanted).reshape(-1, 3)[pairs.reference],
        )


def _recording(name: str) -> Recording:
    return qmt() if name == "qmt" else mtw()


@cache
def walked(name: str) -> Walked:
    recording = _recording(name)
    low, high, _ = WALKS[name]
    feet = {side: foot_contacts(*foot_samples(recording, side), side) for side in Side}
    return Walked(analyse(recording), low, high, feet)


def _contact_rows() -> list[list[str]]:
    rows = []
    for name in WALKS:
        w = walked(name)
        for kind in ContactKind:
            for side in Side:
                m = w.contacts(side, kind)
                rows.append(
                    [
                        name, kind.upper(), side, share(m.tp, m.tp + m.fp), share(m.tp, m.tp + m.fn),
                        f"{m.f1:.3f}", milliseconds(m.errors_s),
                    ]
                )  # fmt: skip
    return rows


def _toe_up_after(name: str, side: Side, contacts_s: list[float]) -> list[float]:
    """How fast the foot turns toe-up soon after each of its initial contacts, at most, rad/s."""
    t_s, acc, gyr = foot_samples(_recording(name), side)
    rate_hz = float(1.0 / np.median(np.diff(t_s)))
    slow = _toe_up_rate(acc, gyr, rate_hz)
    assert slow is not None
    rate = _low_pass(gyr, FAST_HZ, rate_hz) @ slow[0]
    return [float(rate[(t_s > c) & (t_s < c + TOE_UP_WITHIN_S)].max()) for c in contacts_s]


def _forefoot_rows() -> list[list[str]]:
    """Initial contacts with the forefoot, and the errors of the others."""
    rows = []
    for name in WALKS:
        for side in Side:
            w = walked(name)
            wanted = w.wanted_s(side, ContactKind.IC)
            turning = dict(zip(wanted, _toe_up_after(name, side, wanted), strict=True))
            forefoot = [t for t, rate in turning.items() if rate > TOE_UP_RAD_S]
            others = [t for t in wanted if t not in forefoot]
            m = match(w.found_s(side, ContactKind.IC), others, TOLERANCE_S)
            rows.append(
                [
                    name, side, f"{len(forefoot)} of {len(wanted)}",
                    ", ".join(f"{t:.1f} s" for t in forefoot) or "–",
                    f"{max(turning[t] for t in others):.1f}", milliseconds(m.errors_s),
                ]
            )  # fmt: skip
    return rows


def _stride_rows() -> list[list[str]]:
    rows = []
    for name in WALKS:
        for side in Side:
            pairs, found, wanted = walked(name).strides(side)
            time_s = (found[:, 2] - found[:, 0]) - (wanted[:, 2] - wanted[:, 0])
            stance_s = (found[:, 1] - found[:, 0]) - (wanted[:, 1] - wanted[:, 0])
            if name == "qmt":
                good = pairs.n >= 0.97 * (pairs.n + pairs.fp) and pairs.n >= 0.97 * (pairs.n + pairs.fn)
            else:
                good = pairs.fp <= 1 and pairs.fn <= 1
            rows.append(
                [
                    name, side, share(pairs.n, pairs.n + pairs.fp), share(pairs.n, pairs.n + pairs.fn),
                    held(good), f"{1000 * np.mean(np.abs(time_s)):.0f}",
                    milliseconds(stance_s[np.isfinite(stance_s)]),
                ]
            )  # fmt: skip
    return rows


def _side_rows() -> list[list[str]]:
    """What the two sides together say: means, and how far the sides' errors differ."""
    rows = []
    for name in WALKS:
        w = walked(name)
        bias = {k: [float(np.mean(w.contacts(s, k).errors_s)) for s in Side] for k in ContactKind}
        ours = step_time_asymmetry_pct(*(w.found_s(s, ContactKind.IC) for s in Side))
        feet = step_time_asymmetry_pct(*(w.wanted_s(s, ContactKind.IC) for s in Side))
        strides = [w.strides(s) for s in Side]
        mean = [
            np.concatenate([rows[:, 2] - rows[:, 0] for rows in kind]).mean()
            for kind in ([found for _, found, _ in strides], [wanted for _, _, wanted in strides])
        ]
        rows.append(
            [
                name, f"{mean[0]:.3f} / {mean[1]:.3f}", f"{ours:+.1f} / {feet:+.1f}",
                *(f"{1000 * (left - right):+.0f}" for left, right in bias.values()),
            ]
        )  # fmt: skip
    return rows


def _stride_times(name: str) -> dict[str, tuple[Floats, Floats]]:
    out = {}
    for side in Side:
        _, found, wanted = walked(name).strides(side)
        out[side.value] = (1000 * (found[:, 2] - found[:, 0]), 1000 * (wanted[:, 2] - wanted[:, 0]))
    return out


def section() -> str:
    sets = "; ".join(f"{name}: {what}" for name, (_, _, what) in WALKS.items())
    return "\n".join(
        [
            "## Contacts and strides on real walks",
            "",
            "Pelvis and both thighs through the whole pipeline, compared with the same person's foot "
            "sensors read by "
            f"the frozen rule above; the foot sensors never enter the pipeline. {sets}.",
            "",
            f"### Contacts, ±{TOLERANCE_S} s",
            "",
            table(
                ["walk", "contact", "side", "precision", "recall", "F1", "bias ± SD (ms)"], _contact_rows()
            ),
            "",
            "A foot that touches with the forefoot turns toe-up, by more than "
            f"{TOE_UP_RAD_S:.0f} rad/s, until its heel is down: on the inside of a turn, and where the feet "
            "close in turning. The rule dates the touch; the thigh shows the weight, which comes with the "
            "heel.",
            "",
            table(
                [
                    "walk", "side", "touched with the forefoot", "when",
                    "others turn toe-up by at most (rad/s)", "IC of the others, bias ± SD (ms)",
                ],
                _forefoot_rows(),
            ),
            "",
            f"### Strides, both ends within ±{STRIDE_TOLERANCE_S} s",
            "",
            "Bars: qmt precision and recall at least 0.97; mtw at most one miss and one extra per foot.",
            "",
            table(
                [
                    "walk", "side", "precision", "recall", "bar held", "stride-time MAE (ms)",
                    "stance bias ± SD (ms)",
                ],
                _stride_rows(),
            ),
            "",
            "### Left against right",
            "",
            "Own-limb features on both sides: an error that is the same on both cancels in every "
            "asymmetry, one that "
            "differs does not.",
            "",
            table(
                [
                    "walk", "mean stride time, gaitmon / feet (s)", "step-time asymmetry, gaitmon / feet (%)",
                    "IC bias left - right (ms)", "FC bias left - right (ms)",
                ],
                _side_rows(),
            ),
            "",
            bland_altman("stride_time_qmt", "Stride time, qmt", "ms", _stride_times("qmt"), "foot sensors"),
        ]
    )  # fmt: skip
