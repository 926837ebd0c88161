from __future__ import annotations

from gaitmon.symmetry.metrics import CORE, METRICS
from gaitmon.trends import CORE_METRICS


def test_the_rules_agree_with_the_table_of_metrics() -> None:
    """trends imports nothing but the model, so its five rules repeat what the table says of them."""
    rules = {rule.metric: rule for rule in CORE_METRICS}
    assert set(CORE) <= set(rules)
    for name in set(rules) & set(METRICS):
        assert (rules[name].unit, rules[name].mdc) == (METRICS[name].unit, METRICS[name].mdc)
        assert METRICS[name].core


def test_five_metrics_each_once() -> None:
    assert len({rule.metric for rule in CORE_METRICS}) == len(CORE_METRICS) == 5
