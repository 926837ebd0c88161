"""A session's results, and the comparison of two, on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from gaitmon.model import Side
from gaitmon.sessions.compare import Comparison, Difference, Verdict
from gaitmon.sessions.kinds import NOT_A_DIAGNOSIS
from gaitmon.sessions.results import SessionResults
from gaitmon.sessions.values import Outcome, Value
from gaitmon.symmetry.metrics import METRICS

# Of the many metrics of walking, those shown here; --json has every one.
WALKING = (
    *("walking_speed_m_s", "stride_length_m", "cadence_steps_min", "step_time_ln_pct", "stance_time_ln_pct"),
    *("swing_time_ln_pct", "thigh_rom_ln_pct", "drop_asym_deg", "drop_left_deg", "drop_right_deg", "pci_pct"),
)


def show_results(r: SessionResults, console: Console) -> None:
    s = r.session
    simulated = "SIMULATED  " if r.analysis.recording.simulated else ""
    console.print(f"{simulated}Session {s.id}, wearer {s.wearer}: {s.purpose}", highlight=False)
    told = [f"{k.replace('_', ' ')} {v}" for k, v in s.conditions if v is not None]
    console.print(f"Conditions: {', '.join(told) or 'none told'}", highlight=False)
    for result in r.results:
        console.print()
        _test(result, console)
    if r.together:
        console.print()
        console.print(_table("10-metre walks together", _shown(r.together)))
        if r.calibration is None:
            console.print(f"No calibration of stride length: {r.why_not}", highlight=False)
        else:
            text = "The wearer's own stride length was found; --save-calibration FILE.json keeps it."
            console.print(text, highlight=False)
    for n in r.notices:
        console.print(f"! {n.text}", highlight=False)
    console.print(f"\n{NOT_A_DIAGNOSIS}\n{r.produced_by}", highlight=False)


def _test(result: Outcome, console: Console) -> None:
    span = "not found" if result.found_s is None else f"{result.found_s[0]:.1f} to {result.found_s[1]:.1f} s"
    console.print(_table(f"{result.test.title} ({span})", _shown(result.values)))
    for flag in result.flags:
        console.print(f"! {flag}", highlight=False)


def _shown(values: tuple[Value, ...]) -> list[Value]:
    return [v for v in values if v.metric.startswith("test_") or v.metric in WALKING]


def _table(title: str, values: list[Value]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name, right in (
        ("", False),
        ("value", True),
        ("95 %", True),
        ("unit", False),
        ("n", True),
        ("", False),
    ):
        table.add_column(name, justify="right" if right else "left")
    for v in values:
        shown = "-" if v.value is None else figure(v.value)
        table.add_row(METRICS[v.metric].name, shown, _ends(v.interval), v.unit, str(v.n), v.note)
    return table


def figure(x: float) -> str:
    """Two decimals below 10, one below 100."""
    return f"{x:.2f}" if abs(x) < 10.0 else f"{x:.1f}" if abs(x) < 1000.0 else f"{x:.0f}"


def _ends(interval: tuple[float, float] | None) -> str:
    """Nothing for what was counted: it is as it is."""
    if interval is None or interval[0] == interval[1]:
        return ""
    decimals = len(figure(max(interval, key=abs)).partition(".")[2])
    return f"{interval[0]:.{decimals}f} to {interval[1]:.{decimals}f}"


def show_comparison(c: Comparison, console: Console) -> None:
    console.print(f"{c.later_id} against {c.earlier_id}", highlight=False)
    for name, a, b in c.conditions:
        console.print(
            f"! not under the same conditions: {name.replace('_', ' ')}: {a}, then {b}", highlight=False
        )
    for kind, side in dict.fromkeys((d.kind, d.side) for d in c.differences):
        own = [d for d in c.differences if (d.kind, d.side) == (kind, side)]
        console.print()
        console.print(_differences(f"{kind}{f', {side} leg stands' if isinstance(side, Side) else ''}", own))
    if c.not_in_both:
        console.print(f"\nOnly in one of them: {', '.join(c.not_in_both)}", highlight=False)
    console.print(f"\n{NOT_A_DIAGNOSIS}", highlight=False)


def _differences(title: str, own: list[Difference]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("", "earlier", "later", "difference", "95 %", "MDC", "unit", ""):
        table.add_column(name, justify="left" if name in ("", "unit") else "right")
    for d in own:
        if not d.metric.startswith("test_") and d.metric not in WALKING and d.verdict is not Verdict.CHANGED:
            continue
        shown = ["-" if x is None else figure(x) for x in (d.earlier, d.later, d.difference, d.mdc)]
        shown.insert(3, _ends(d.interval) or "-")
        verdict = d.verdict + (f": {d.note}" if d.note else "")
        table.add_row(METRICS[d.metric].name, *shown, METRICS[d.metric].unit, verdict)
    return table
