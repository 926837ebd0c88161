"""Which contact the error of an injected asymmetry comes from, and what the simulated signal allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaitmon.gait.initial_contact import InitialContactParams
from gaitmon.model import ContactKind, Side
from tests.validation.sections.simulated_score import Score
from tests.validation.sections.simulated_tables import FC, IC, signed_ms
from tests.validation.tables import table

P = InitialContactParams()


@dataclass(frozen=True, slots=True)
class Cause:
    """Of one person and one metric.  from_ic, from_fc: what either adds to a slope of 1.

    bend_s: where the bend that dates the initial contact lies, after that contact, with nothing injected.
    stretched: what from_ic would be of a bend there whose stance, or swing, is stretched as a whole; NaN
    where not the limb's own rotation alone is read, or the metric leaves stance and swing as they are.
    """

    speed_m_s: float
    stride_s: float
    bend_s: float
    from_ic: float
    from_fc: float
    stretched: float


def _right_less_left_s(seen: Score, kind: ContactKind) -> float:
    return float(seen.events[kind, Side.RIGHT].errors_s.mean() - seen.events[kind, Side.LEFT].errors_s.mean())


def cause(metric: str, levels_pct: Sequence[float], scores: Sequence[Score]) -> Cause:
    """scores: of one person's walks at these levels of one metric, 0 among them."""
    plain = scores[list(levels_pct).index(0.0)]
    stride, stance = float(plain.stride_times_s.mean()), plain.stance_s
    per_pct = {
        kind: 100.0 * float(np.polyfit(levels_pct, [_right_less_left_s(s, kind) for s in scores], 1)[0])
        for kind in (IC, FC)
    }
    slow = min(max((stride - P.brisk_s) / (P.slow_s - P.brisk_s), 0.0), 1.0)
    error = float(np.mean([plain.events[IC, side].errors_s.mean() for side in Side]))
    bend = error + (1.0 - slow) * P.lag_s + slow * P.lag * stride
    speed = plain.case.walker.speed_m_s
    if metric == "step_time":  # IC right later: that step is longer, the other shorter by as much
        return Cause(speed, stride, bend, 4.0 * per_pct[IC] / stride, 0.0, np.nan)
    stretched = -bend / stance if bend > 0.0 else bend / (stride - stance)
    return Cause(
        speed, stride, bend, -per_pct[IC] / stance, per_pct[FC] / stance, np.nan if slow > 0.0 else stretched
    )


def causes(by_metric: dict[str, list[Cause]]) -> str:
    """Markdown: the table, and what it says."""
    rows = [
        [
            metric.replace("_", " "), f"{c.speed_m_s:g}", f"{c.stride_s:.2f}", signed_ms(c.bend_s),
            f"{c.from_ic:+.3f}", f"{c.from_fc:+.3f}" if metric == "stance_time" else "",
            "" if np.isnan(c.stretched) else f"{c.stretched:+.3f}",
        ]
        for metric, each in by_metric.items()
        for c in sorted(each, key=lambda c: c.speed_m_s)
    ]  # fmt: skip
    head = [
        "asymmetry", "speed (m/s)", "stride (s)", "bend after the contact (ms)",
        "slope less 1: from IC", "from FC", "a bend there, stretched",
    ]  # fmt: skip
    brisk = [c for c in by_metric["stance_time"] if not np.isnan(c.stretched)]
    steps = [abs(c.from_ic) for c in by_metric["step_time"] if c.stride_s <= P.brisk_s]
    slow = [abs(c.from_ic) for c in by_metric["step_time"] if c.stride_s > P.brisk_s]
    text = (
        "Which event it comes from, and what the signal allows. The initial contact is dated by a bend of "
        "the thigh's motion near it, less a constant lag. In the simulator a limb's whole curve is stretched "
        "with its stance, and so is the way from the contact to that bend: last column, what a bend at this "
        "place, found without any error, would do to the slope. "
    )
    if brisk:
        expected, found = (np.mean([getattr(c, name) for c in brisk]) for name in ("stretched", "from_ic"))
        text += (
            f"Brisk persons, stance: {expected:+.3f} expected on average, {found:+.3f} found. No feature of "
            "the limb's own motion does better but one that lies at the contact itself; whether a real "
            "landing is stretched so, simulation cannot say. "
        )
    if steps and slow:
        text += (
            f"Step times, which leave stance and swing as they are, are off by at most {max(steps):.3f} in "
            f"brisk walking, by up to {max(slow):.3f} above {P.brisk_s:.2f} s a stride: there the upward "
            "acceleration is read, which is the trunk's as much as the leg's and so changes with the step "
            "that follows."
        )
    return "\n\n".join([text.strip(), table(head, rows)])
