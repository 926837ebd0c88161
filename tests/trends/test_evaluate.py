from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaitmon.trends import CORE_METRICS, DEFAULT_PARAMS, DayValue, Evaluation, State, evaluate
from tests.trends.wearers import iso, series, usual

STEP, STANCE, ROM, DROP, IHR = (rule.metric for rule in CORE_METRICS)
Days = dict[str, list[DayValue]]


def wearer(
    change: Mapping[str, Sequence[float | None]], mean: float = 5.0, metrics: Sequence[str] = (STEP, STANCE)
) -> Days:
    """Fourteen usual days (SD 1), then the given changes in SDs, all days valid."""
    days: Days = {}
    for i, metric in enumerate(metrics):
        later = [None if c is None else mean + c for c in change.get(metric, [])]
        days[metric] = series(metric, [*usual(mean, 1.0, seed=i), *later])
    return days


def states(result: Evaluation) -> dict[str, State]:
    return {verdict.day: verdict.state for verdict in result.verdicts}


def test_no_days_at_all() -> None:
    result = evaluate({})
    assert (result.state, result.since_day, result.evidence) == (State.LEARNING, None, None)
    assert result.newest_valid_day is None


def test_learning_until_the_baseline_then_stable() -> None:
    result = evaluate(wearer({STEP: [0.0] * 3, STANCE: [0.0] * 3}))
    assert set(list(states(result).values())[:13]) == {State.LEARNING}
    assert set(list(states(result).values())[13:]) == {State.STABLE}
    assert (result.state, result.since_day) == (State.STABLE, iso(13))
    assert result.evidence is not None
    assert result.evidence["text"].startswith("No walking change to review.")


def test_two_metrics_that_worsen_are_an_alert_one_is_watched() -> None:
    both = evaluate(wearer({STEP: [2.5] * 12, STANCE: [2.5] * 12}))
    assert both.state is State.ALERT
    assert both.verdicts[-1].moving == (STEP, STANCE)
    one = evaluate(wearer({STEP: [2.5] * 12, STANCE: [0.0] * 12}))
    assert one.state is State.WATCH
    assert one.verdicts[-1].moving == (STEP,)
    assert State.ALERT not in states(one).values()


def test_candidate_only_from_the_second_day_over_the_limit() -> None:
    days = wearer({STEP: [2.5] * 12, STANCE: [2.5] * 12})
    trend = evaluate(days).metrics[0]
    over = [c.z > c.limit for c in trend.checks]
    assert [c.candidate for c in trend.checks] == [
        a and b for a, b in zip([False, *over], over, strict=False)
    ]
    assert any(over)


def test_the_practical_floor_holds_back_a_small_change() -> None:
    """With 28 days of baseline the limit is below 1.5 SD, and then the floor decides."""
    params = replace(DEFAULT_PARAMS, baseline=replace(DEFAULT_PARAMS.baseline, days=28))
    seesaw = [5.0 + (-1.0) ** i for i in range(28)]  # no autocorrelation above its floor
    for change, candidate in ((1.47, False), (1.60, True)):
        days = {STEP: series(STEP, [*seesaw, *[5.0 + change * 1.0184] * 40])}
        trend = evaluate(days, params).metrics[0]
        assert trend.baseline is not None
        assert trend.baseline.limit_sd < 1.47 < trend.baseline.floor / trend.baseline.sd < 1.60
        assert trend.checks[-1].z > trend.checks[-1].limit
        assert trend.checks[-1].candidate is candidate


def test_one_metric_alone_alerts_when_far_over_on_three_days() -> None:
    far = 7.0  # more than two MDCs of 3
    two = evaluate(wearer({STEP: [far, far, 0, far, far], STANCE: [0.0] * 5}))
    assert not any(c.severe for t in two.metrics for c in t.checks)
    three = evaluate(wearer({STEP: [0.0, far, far, far], STANCE: [0.0] * 4}))
    assert states(three)[iso(17)] is State.ALERT
    assert states(three)[iso(16)] is not State.ALERT


def test_improvement_is_never_an_alert() -> None:
    result = evaluate(wearer({STEP: [-4.0] * 30, STANCE: [-4.0] * 30}))
    assert set(list(states(result).values())[13:]) == {State.STABLE}


def test_overshooting_to_the_other_side_is_worse_again() -> None:
    result = evaluate(wearer({STEP: [-13.0] * 30, STANCE: [-13.0] * 30}))
    assert result.state is State.ALERT


def test_a_symmetric_wearer_is_watched_on_both_sides() -> None:
    for sign in (1, -1):
        result = evaluate(wearer({STEP: [3.0 * sign] * 10, STANCE: [3.0 * sign] * 10}, mean=0.0))
        assert result.state is State.ALERT


def test_ihr_is_worse_when_lower() -> None:
    for change, state in ((-3.0, State.WATCH), (3.0, State.STABLE)):
        assert evaluate(wearer({IHR: [change] * 10}, mean=90.0, metrics=(IHR,))).state is state


def test_one_bad_day_is_no_alert_however_bad() -> None:
    for bad in (10.0, 1000.0):
        result = evaluate(wearer({STEP: [bad, *[0.0] * 20], STANCE: [bad, *[0.0] * 20]}))
        assert set(list(states(result).values())[13:]) == {State.STABLE}


def test_missing_and_invalid_days_change_nothing() -> None:
    change = [2.5] * 12
    without = evaluate(wearer({STEP: change, STANCE: change}))
    sparse = [v for c in change for v in (None, c)]
    with_gaps = evaluate(wearer({STEP: sparse, STANCE: sparse}))
    assert [v.state for v in without.verdicts] == [v.state for v in with_gaps.verdicts]
    days = wearer({STEP: change, STANCE: change})
    for metric in (STEP, STANCE):
        days[metric] += series(metric, [99.0] * 5, first=40, valid=False)
    assert evaluate(days).verdicts == without.verdicts


def test_silence_is_not_agreement() -> None:
    """A metric that stopped weeks ago cannot be the second one."""
    old = [2.5] * 8
    gap: list[float | None] = [None] * 20
    recent = evaluate(wearer({STEP: old, STANCE: [*[0.0] * 4, *[2.5] * 8]}))
    assert recent.state is State.ALERT
    stale = evaluate(wearer({STEP: old, STANCE: [*gap, *[2.5] * 8]}))
    assert stale.state is State.WATCH


def test_an_alert_is_left_only_after_three_calm_days_of_all_its_metrics() -> None:
    back = [2.5] * 12 + [0.0] * 20
    result = evaluate(wearer({STEP: back, STANCE: back}))
    seen = [v.state for v in result.verdicts if v.day >= iso(14)]
    order = [s for i, s in enumerate(seen) if i == 0 or s is not seen[i - 1]]
    assert order == [State.STABLE, State.ALERT, State.RECOVERING, State.STABLE]
    calm = [c.day for c in result.metrics[0].checks if c.calm and c.day > iso(26)]
    left = next(v.day for v in result.verdicts if v.state is State.STABLE and v.day > iso(26))
    assert left == max(calm[2], [c.day for c in result.metrics[1].checks if c.calm and c.day > iso(26)][2])
    stuck = evaluate(wearer({STEP: [2.5] * 12 + [1.0] * 40, STANCE: [2.5] * 12 + [1.0] * 40}))
    assert stuck.state is State.RECOVERING
    silent = evaluate(wearer({STEP: back, STANCE: [2.5] * 12}))
    assert silent.state is State.RECOVERING  # one metric stopped: nothing says it is well again


def test_an_alert_keeps_its_first_day_through_a_relapse() -> None:
    wave = [2.5] * 12 + [0.0] * 4 + [3.0] * 10
    result = evaluate(wearer({STEP: wave, STANCE: wave}))
    episode = [v for v in result.verdicts if v.state in (State.ALERT, State.RECOVERING)]
    assert State.RECOVERING in {v.state for v in episode}
    assert {v.since_day for v in episode} == {episode[0].day}


@pytest.mark.parametrize("metrics", [(STEP,), (STEP, STANCE), (STEP, DROP, IHR)])
def test_works_with_the_metrics_there_are(metrics: tuple[str, ...]) -> None:
    days = wearer({m: [-9.0 if m == IHR else 9.0] * 8 for m in metrics}, metrics=metrics)
    assert evaluate(days).state is State.ALERT


def test_a_metric_without_a_rule_counts_for_nothing() -> None:
    days = wearer({STEP: [0.0] * 9, "cadence_steps_min": [50.0] * 9}, metrics=(STEP, "cadence_steps_min"))
    assert evaluate(days).state is State.STABLE


def test_a_new_baseline_ends_an_old_alert() -> None:
    days = wearer({STEP: [4.0] * 30, STANCE: [4.0] * 30})
    assert evaluate(days).state is State.ALERT
    anew = replace(DEFAULT_PARAMS, baseline=replace(DEFAULT_PARAMS.baseline, from_day=iso(20)))
    result = evaluate(days, anew)
    assert result.state is State.STABLE
    assert result.verdicts[0].day == iso(20)


def test_evidence_says_what_moved_and_never_a_diagnosis() -> None:
    result = evaluate(wearer({STEP: [2.5] * 12, STANCE: [2.5] * 12}))
    evidence = result.evidence
    assert evidence is not None
    assert evidence["text"].startswith("Walking change to review (low priority). Over the last ")
    assert "step time has shifted toward the right leg: left/right ratio 0.93" in evidence["text"]
    assert "against a baseline of 0.95 (usual day-to-day ±0.01)" in evidence["text"]
    assert "This is not a diagnosis." in evidence["text"]
    assert f"({evidence['n_strides']:,} straight strides)" in evidence["text"]
    assert evidence["days"][-1] == iso(25)
    assert set(evidence["days"]).isdisjoint(iso(i) for i in range(14))
    assert not evidence["simulated"]
    step = evidence["metrics"][0]
    assert (step["metric"], step["unit"], step["baseline_days"], step["candidate"]) == (STEP, "%", 14, True)
    assert step["latest"] == 7.5
    base = result.metrics[0].baseline
    assert base is not None
    assert step["limit"] == base.half_width == pytest.approx(result.metrics[0].checks[0].limit * base.sd)
    assert [d["day"] for d in step["days"]] == [iso(i) for i in range(26)]


def test_degrees_are_told_as_degrees() -> None:
    result = evaluate(wearer({STEP: [0.0] * 9, DROP: [5.0] * 9}, mean=2.5, metrics=(STEP, DROP)))
    assert result.evidence is not None
    assert (
        "contralateral pelvic drop has shifted by 5.0° toward the right: right minus left +7.5° "
        "against a baseline of +2.5° (usual day-to-day ±1.0°)"
    ) in result.evidence["text"]


def test_simulated_days_are_said_to_be() -> None:
    days = wearer({STEP: [0.0]})
    days[STEP][3] = replace(days[STEP][3], simulated=True)
    evidence = evaluate(days).evidence
    assert evidence is not None
    assert evidence["simulated"]


values = st.floats(-15, 15).map(lambda x: round(x, 2))
day = st.tuples(st.booleans(), st.one_of(st.none(), values))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(day, day, day), min_size=20, max_size=50),
    st.sampled_from([0.0, 6.0, -6.0]),
    st.sampled_from([1.0, 0.3]),
)
def test_a_decision_about_a_day_never_changes(
    rows: list[tuple[tuple[bool, float | None], ...]], mean: float, scale: float
) -> None:
    """Every prefix of the days gives the verdicts, checks and baselines of the whole."""
    metrics = (STEP, ROM, IHR)
    days: Days = {m: [] for m in metrics}
    for i, row in enumerate(rows):
        for metric, (valid, value) in zip(metrics, row, strict=True):
            # Mostly valid, so that baselines come about; half of the doubt is left to the strategy.
            x = None if value is None else mean + value * (scale if i < 20 else 1.0)
            days[metric].append(
                DayValue(iso(i), "straight", metric, x, 0.3, 400, 3, valid or i % 3 > 0, False)
            )
    whole = evaluate(days)
    for k in range(len(rows) + 1):
        part = evaluate({m: [d for d in series_ if d.day < iso(k)] for m, series_ in days.items()})
        assert part.verdicts == whole.verdicts[: len(part.verdicts)]
        assert len(part.verdicts) == sum(v.day < iso(k) for v in whole.verdicts)
        for mine, all_of_it in zip(part.metrics, whole.metrics, strict=True):
            assert mine.checks == all_of_it.checks[: len(mine.checks)]
            assert mine.baseline in (None, all_of_it.baseline)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(30)), st.integers(0, 2**32 - 1))
def test_the_order_of_arrival_does_not_matter(order: list[int], seed: int) -> None:
    days = {m: series(m, usual(0.0, 3.0, 30, seed + i)) for i, m in enumerate((STEP, STANCE))}
    shuffled = {m: [s[i] for i in order] for m, s in days.items()}
    assert evaluate(shuffled) == evaluate(days)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-6, 6), min_size=5, max_size=25), st.sampled_from([0.0, 5.0]))
def test_left_and_right_are_treated_alike(change: list[float], mean: float) -> None:
    """The mirrored wearer (signs swapped) gets the mirrored verdict."""
    days = wearer({STEP: change, STANCE: change}, mean=mean)
    mirrored = {m: [replace(d, value=-(d.value or 0.0)) for d in s] for m, s in days.items()}
    ours, theirs = evaluate(days), evaluate(mirrored)
    assert ours.verdicts == theirs.verdicts
