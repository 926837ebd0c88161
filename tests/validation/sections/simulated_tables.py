"""Tables of contacts, strides and turns of the simulated grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gaitmon.model import ContactKind, Floats, Side
from tests.validation.sections.simulated_cases import SPEEDS_M_S, Limbs
from tests.validation.sections.simulated_score import Events, Score
from tests.validation.tables import held, share, table

IC, FC = ContactKind.IC, ContactKind.FC
F1_BAR = 0.995
SD_BAR_S = {IC: 0.008, FC: 0.012}
STRIDE_BAR_S = 0.006
DIFFERENCE_BAR_S = 0.0015
TURN_BAR = 0.95


def of_limbs(scores: Iterable[Score], limbs: Limbs) -> list[Score]:
    return [s for s in scores if s.case.limbs is limbs]


def events(scores: Iterable[Score], kind: ContactKind) -> list[Events]:
    return [s.events[kind, side] for s in scores for side in Side]


def f1(many: Sequence[Events], *, tight: bool = False, everything: bool = False) -> float:
    """Over all of them; tight: within 50 ms, a pair further apart counting as one miss and one extra."""
    if everything:
        tp, wrong = sum(e.tp_all for e in many), sum(e.fp_all + e.fn_all for e in many)
    else:
        tp, wrong = sum(len(e.errors_s) for e in many), sum(e.fp + e.fn for e in many)
    if tight:
        far = tp - sum(e.tight for e in many)
        tp, wrong = tp - far, wrong + 2 * far
    return 2 * tp / (2 * tp + wrong)


def within_sd(many: Sequence[Events]) -> float:
    """SD of single contacts about the mean of their own limb in their own walk, pooled, s."""
    own = [e.errors_s for e in many if len(e.errors_s) > 1]
    squares = sum(float(((e - e.mean()) ** 2).sum()) for e in own)
    return float(np.sqrt(squares / (sum(map(len, own)) - len(own))))


def all_errors(many: Sequence[Events]) -> Floats:
    return np.concatenate([e.errors_s for e in many])


def differences_s(scores: Iterable[Score], kind: ContactKind) -> Floats:
    """Per walk: mean error of the left limb's contacts less that of the right limb's."""
    both = [(s.events[kind, Side.LEFT].errors_s, s.events[kind, Side.RIGHT].errors_s) for s in scores]
    return np.array([left.mean() - right.mean() for left, right in both if len(left) and len(right)])


def ms(seconds: float, digits: int = 1) -> str:
    return f"{1000.0 * seconds:.{digits}f}"


def signed_ms(seconds: float) -> str:
    return f"{1000.0 * seconds:+.1f}"


def contact_table(scores: Sequence[Score]) -> str:
    rows = []
    for kind in (IC, FC):
        for limbs in Limbs:
            many = events(of_limbs(scores, limbs), kind)
            errors = all_errors(many)
            good, sd = f1(many), within_sd(many)
            ok = good >= F1_BAR and sd <= SD_BAR_S[kind]
            rows.append(
                [
                    kind.upper(), limbs, len(errors), f"{good:.4f}", f"{f1(many, tight=True):.3f}",
                    f"{f1(many, everything=True):.3f}", signed_ms(float(errors.mean())), ms(sd),
                    ms(float(errors.std(ddof=1))), held(ok),
                ]
            )  # fmt: skip
    head = [
        "contact", "limbs", "n", "F1 ±150 ms", "F1 ±50 ms, bias left in",
        "F1 ±150 ms with turns, starts, stops",
        "bias (ms)", "SD within limb and walk (ms)", "SD over everybody (ms)", "bar held",
    ]  # fmt: skip
    return table(head, rows)


def speed_table(scores: Sequence[Score], kind: ContactKind) -> str:
    """Bias ± SD within limb and walk, and F1, per speed and class."""
    rows = []
    for speed in SPEEDS_M_S:
        row = [f"{speed:g}"]
        for limbs in Limbs:
            many = events([s for s in of_limbs(scores, limbs) if s.case.walker.speed_m_s == speed], kind)
            if not many:
                row.append("")
                continue
            bias = float(all_errors(many).mean())
            row.append(f"{signed_ms(bias)} ± {ms(within_sd(many))} ({f1(many):.4f})")
        rows.append(row)
    return table(["speed (m/s)", *(f"limbs {limbs}" for limbs in Limbs)], rows)


def rate_table(scores: Sequence[Score]) -> str:
    rows = []
    for rate in sorted({s.case.sensors.rate_hz for s in scores}):
        some = [s for s in of_limbs(scores, Limbs.ALIKE) if s.case.sensors.rate_hz == rate]
        cells = [f"{rate:.0f}"]
        for kind in (IC, FC):
            many = events(some, kind)
            cells += [f"{f1(many):.4f}", ms(within_sd(many))]
        rows.append(cells)
    return table(["samples per second", "IC F1", "IC SD (ms)", "FC F1", "FC SD (ms)"], rows)


def stride_mae_s(scores: Sequence[Score]) -> float:
    return float(np.abs(np.concatenate([s.stride_errors_s for s in scores])).mean())


def stride_table(scores: Sequence[Score]) -> str:
    rows = []
    for limbs in Limbs:
        some = of_limbs(scores, limbs)
        errors = np.concatenate([s.stride_errors_s for s in some])
        worst = max(float(np.abs(s.stride_errors_s).mean()) for s in some if len(s.stride_errors_s))
        mae = float(np.abs(errors).mean())
        none = sum(len(s.stride_errors_s) == 0 for s in some)
        rows.append(
            [
                limbs, f"{len(some)} ({none})", len(errors), ms(mae), signed_ms(float(errors.mean())),
                ms(float(np.percentile(np.abs(errors), 95.0))), ms(worst), held(mae <= STRIDE_BAR_S),
            ]
        )  # fmt: skip
    head = [
        "limbs", "walks (without any stride)", "strides", "MAE (ms)", "bias (ms)", "p95 (ms)",
        "worst walker's MAE (ms)", "bar held",
    ]  # fmt: skip
    return table(head, rows)


def interval(values: Floats) -> tuple[float, float, float]:
    """Mean and its 95 % interval, normal approximation."""
    mean, half = float(values.mean()), 1.96 * float(values.std(ddof=1)) / float(np.sqrt(len(values)))
    return mean, mean - half, mean + half


def difference_table(scores: Sequence[Score]) -> str:
    rows = []
    for kind in (IC, FC):
        for limbs in Limbs:
            d = differences_s(of_limbs(scores, limbs), kind)
            mean, low, high = interval(d)
            worst = float(np.abs(d).max())
            bar = ""
            if limbs is Limbs.ALIKE and kind is IC:
                bar = f"mean {held(abs(mean) <= DIFFERENCE_BAR_S)}, worst {held(worst <= DIFFERENCE_BAR_S)}"
            rows.append(
                [
                    kind.upper(), limbs, len(d), f"{signed_ms(mean)} [{signed_ms(low)}, {signed_ms(high)}]",
                    ms(float(np.abs(d).mean())), ms(float(np.percentile(np.abs(d), 95.0))), ms(worst), bar,
                ]
            )  # fmt: skip
    head = [
        "contact", "limbs", "walks", "left - right, mean [95 %] (ms)", "mean size (ms)", "p95 (ms)",
        "worst (ms)",         "bar 1.5 ms held",
    ]  # fmt: skip
    return table(head, rows)


def same_limb_correlation(scores: Sequence[Score], kind: ContactKind) -> float:
    """Of the left limb's mean error between walks whose right limb alone differs (alike, unlike)."""
    means = {
        limbs: {
            s.case.number: float(e.mean())
            for s in of_limbs(scores, limbs)
            if len(e := s.events[kind, Side.LEFT].errors_s)
        }
        for limbs in (Limbs.ALIKE, Limbs.UNLIKE)
    }
    both = sorted(set(means[Limbs.ALIKE]) & set(means[Limbs.UNLIKE]))
    a, b = ([means[limbs][n] for n in both] for limbs in (Limbs.ALIKE, Limbs.UNLIKE))
    return float(np.corrcoef(a, b)[0, 1])


def turn_counts(scores: Iterable[Score]) -> tuple[int, int, int, Floats]:
    """True turns, found turns, pairs, and rows (true, found) of all, rad."""
    rows = np.vstack([s.turns for s in scores])
    true, found = np.isfinite(rows).sum(axis=0)
    return int(true), int(found), int(np.isfinite(rows).all(axis=1).sum()), rows


def turn_table(scores: Sequence[Score]) -> str:
    _, found, paired, every = turn_counts(scores)
    rows = []
    for low, high in ((45, 90), (90, 180), (180, 270), (270, 360), (45, 360)):
        size = np.degrees(np.abs(every[:, 0]))
        some = np.degrees(every[(size >= low) & (size <= high)])
        error = (some[:, 1] - some[:, 0]) * np.sign(some[:, 0])
        error = error[np.isfinite(error)]
        rows.append(
            [
                f"{low}-{high}", share(len(error), len(some)),
                share(paired, found) if (low, high) == (45, 360) else "",
                f"{error.mean():+.1f} ± {error.std(ddof=1):.1f}", f"{np.abs(error).mean():.1f}",
                f"{np.abs(error).max():.1f}",
            ]
        )  # fmt: skip
    head = ["true angle (deg)", "sensitivity", "precision", "angle error (deg)", "MAE (deg)", "largest (deg)"]
    return table(head, rows)
