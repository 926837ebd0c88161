from __future__ import annotations

from gaitmon.symmetry.metrics import CORE, METRICS
from gaitmon.trends import CORE_METRICS


def test_the_core_metrics_of_the_table_are_those_that_are_watched() -> None:
    assert {rule.metric for rule in CORE_METRICS} == set(CORE)
    assert all(METRICS[name].stored for name in CORE)


def test_five_metrics_each_once() -> None:
    assert len({rule.metric for rule in CORE_METRICS}) == len(CORE_METRICS) == 5
