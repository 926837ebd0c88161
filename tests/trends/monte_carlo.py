"""How often the rule alerts for nothing, and how soon it finds a change.

    python -m tests.trends.monte_carlo            all tables, a few minutes
    python -m tests.trends.monte_carlo --wearers 200

The rule that is run is gaitmon.trends.evaluate itself, every branch of it.  Days are Gaussian with unit
SD and lag-1 autocorrelation φ; the metrics of one wearer share a correlation ρ; every wearer has an
estimated baseline.  A model of days, not evidence about people.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import sqrt
from statistics import NormalDist

import numpy as np

from gaitmon.model import Floats
from gaitmon.trends import (
    CORE_METRICS,
    DEFAULT_PARAMS,
    BaselineParams,
    DayValue,
    State,
    TrendParams,
    evaluate,
)

FIRST_DAY = date(2026, 1, 1)
HORIZONS = (30, 90, 180)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of wearer; units of a day's SD.

    mdc: how large the fixed MDC is beside the wearer's day-to-day SD.  mean: of the baseline; above the
    MDC the rule is one-sided.  missing: share of days without a value.
    """

    rho: float = 0.0
    phi: float = 0.3
    mdc: float = 1.5
    mean: float = 10.0
    n_metrics: int = 5
    missing: float = 0.0
    baseline_days: int = 14


def params_for(scenario: Scenario, base: TrendParams = DEFAULT_PARAMS) -> TrendParams:
    """The default rule on metrics whose MDC is the scenario's."""
    metrics = tuple(replace(rule, mdc=scenario.mdc) for rule in CORE_METRICS[: scenario.n_metrics])
    days = scenario.baseline_days
    # Missing days must not end the window before the baseline is full: that is another question.
    window = BaselineParams(days=days, window_days=4 * days)
    return replace(base, metrics=metrics, baseline=window)


def noise(scenario: Scenario, n_days: int, rng: np.random.Generator) -> Floats:
    """Shape (n_days, n_metrics): stationary AR(1) with unit SD and correlation rho between metrics."""
    shape = (n_days, scenario.n_metrics)
    own = rng.standard_normal(shape)
    shared = rng.standard_normal((n_days, 1))
    e = sqrt(1 - scenario.rho) * own + sqrt(scenario.rho) * shared
    x = np.empty(shape)
    x[0] = e[0]
    for t in range(1, n_days):
        x[t] = scenario.phi * x[t - 1] + sqrt(1 - scenario.phi**2) * e[t]
    return x


def first_alert(
    scenario: Scenario, change: Floats, rng: np.random.Generator, params: TrendParams
) -> int | None:
    """Days after the baseline (1 is the first) until the rule alerts; change: (n_days, n_metrics),
    in the harmful direction."""
    n_days = scenario.baseline_days + len(change)
    x = scenario.mean + noise(scenario, n_days, rng)
    harm = np.array([-1.0 if rule.harm == "lower" else 1.0 for rule in params.metrics])
    x[scenario.baseline_days :] += change * harm
    present = rng.random(n_days) >= scenario.missing
    names = [(FIRST_DAY + timedelta(days=i)).isoformat() for i in range(n_days)]
    days = {
        rule.metric: [
            DayValue(names[i], "straight", rule.metric, float(x[i, m]), None, 300, 3, True, True)
            for i in range(n_days)
            if present[i]
        ]
        for m, rule in enumerate(params.metrics)
    }
    result = evaluate(days, params)
    alert = next((v.day for v in result.verdicts if v.state is State.ALERT), None)
    if alert is None:
        return None
    return (date.fromisoformat(alert) - FIRST_DAY).days - scenario.baseline_days + 1


def alerts(
    scenario: Scenario, change: Floats, n_wearers: int, seed: int, params: TrendParams | None = None
) -> list[int | None]:
    """first_alert of many wearers."""
    rng = np.random.default_rng(seed)
    rule = params_for(scenario) if params is None else params
    return [first_alert(scenario, change, rng, rule) for _ in range(n_wearers)]


def no_change(scenario: Scenario, n_days: int) -> Floats:
    return np.zeros((n_days, scenario.n_metrics))


def step(scenario: Scenario, sd: float, n_days: int = 90, n_shifted: int | None = None) -> Floats:
    change = no_change(scenario, n_days)
    change[:, : scenario.n_metrics if n_shifted is None else n_shifted] = sd
    return change


def ramp(scenario: Scenario, sd: float, over_days: int = 28, n_days: int = 90) -> Floats:
    """Reaches sd on day ``over_days`` and stays."""
    rise = np.minimum(np.arange(1, n_days + 1) / over_days, 1.0) * sd
    return np.repeat(rise[:, None], scenario.n_metrics, axis=1)


def share_alerted(days: list[int | None], horizon: int) -> float:
    return sum(d is not None and d <= horizon for d in days) / len(days)


def median_delay(days: list[int | None]) -> float:
    """Median day of the alert; infinite when fewer than half were found."""
    return float(np.median([np.inf if d is None else d for d in days]))


def wilson(share: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a share, after Wilson 1927."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def false_alert_rows(n_wearers: int) -> Iterator[str]:
    yield "| wearer | baseline days | ρ | FA 30 d | FA 90 d (95 % interval) | FA 180 d |"
    yield "|---|---|---|---|---|---|"
    for mean, name in ((10.0, "asymmetric (one-sided)"), (0.0, "symmetric (two-sided)")):
        for baseline_days in (14, 28):
            for rho in (0.0, 0.3, 0.6, 0.8):
                scenario = Scenario(rho=rho, mean=mean, baseline_days=baseline_days)
                yield _false_alert_row(name, scenario, n_wearers)


def sweep_rows(n_wearers: int) -> Iterator[str]:
    yield "| one-sided, but | baseline days | ρ | FA 30 d | FA 90 d (95 % interval) | FA 180 d |"
    yield "|---|---|---|---|---|---|"
    for name, scenario in (
        ("MDC = 0.25 SD (a noisy wearer)", Scenario(rho=0.6, mdc=0.25)),
        ("MDC = 0.75 SD", Scenario(rho=0.6, mdc=0.75)),
        ("MDC = 3 SD (a steady wearer)", Scenario(rho=0.6, mdc=3.0)),
        ("MDC = 9 SD (SD below its floor)", Scenario(rho=0.6, mdc=9.0)),
        ("φ = 0", Scenario(rho=0.6, phi=0.0)),
        ("φ = 0.5", Scenario(rho=0.6, phi=0.5)),
        ("φ = 0.7", Scenario(rho=0.6, phi=0.7)),
        ("half of the days missing", Scenario(rho=0.6, missing=0.5)),
        ("two metrics only", Scenario(rho=0.6, n_metrics=2)),
    ):
        yield _false_alert_row(name, scenario, n_wearers)


def _false_alert_row(name: str, scenario: Scenario, n_wearers: int) -> str:
    days = alerts(scenario, no_change(scenario, max(HORIZONS)), n_wearers, seed=1)
    fa30, fa90, fa180 = (share_alerted(days, horizon) for horizon in HORIZONS)
    low, high = wilson(fa90, n_wearers)
    return (
        f"| {name} | {scenario.baseline_days} | {scenario.rho:g} "
        f"| {fa30:.3f} | {fa90:.3f} ({low:.3f} to {high:.3f}) | {fa180:.3f} |"
    )


def detection_rows(n_wearers: int) -> Iterator[str]:
    yield "| wearer | 2 SD, all | 3 SD, all | 2 SD, two of 5 | 28-day ramp to 3 SD | 2 SD found by day 90 |"
    yield "|---|---|---|---|---|---|"
    for mean, name in ((10.0, "one-sided"), (0.0, "two-sided")):
        for rho in (0.0, 0.6):
            s = Scenario(rho=rho, mean=mean)
            runs = [
                alerts(s, change, n_wearers, seed=2)
                for change in (step(s, 2), step(s, 3), step(s, 2, n_shifted=2), ramp(s, 3))
            ]
            cells = " | ".join(f"{median_delay(days):g}" for days in runs)
            yield f"| {name}, ρ = {rho:g} | {cells} | {share_alerted(runs[0], 90):.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wearers", type=int, default=1000, help="simulated wearers in a row")
    n_wearers = parser.parse_args().wearers
    head = f"{n_wearers} simulated wearers in each row; φ = 0.3, MDC = 1.5 SD unless said otherwise."
    tables = (
        ("Share of unchanged wearers with at least one alert:", false_alert_rows),
        ("The same under other conditions:", sweep_rows),
        ("Median days from the change to the alert:", detection_rows),
    )
    sys.stdout.write(f"{head}\n")
    for title, rows in tables:
        sys.stdout.write(f"\n{title}\n\n")
        for row in rows(n_wearers):
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
