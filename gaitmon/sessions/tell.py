"""Results and comparisons as JSON for programs; docs/sessions.md describes the keys."""

from __future__ import annotations

from dataclasses import asdict

from gaitmon.sessions.compare import Comparison
from gaitmon.sessions.kinds import NOT_A_DIAGNOSIS
from gaitmon.sessions.results import SessionResults
from gaitmon.sessions.values import Value
from gaitmon.symmetry.metrics import METRICS


def results_json(r: SessionResults) -> dict[str, object]:
    return {
        "schema": "gaitmon.session-results/1",
        "produced_by": r.produced_by,
        "statement": NOT_A_DIAGNOSIS,
        "simulated": r.analysis.recording.simulated,
        "session": r.session.model_dump(mode="json", exclude={"tests"}),
        "tests": [
            {
                **x.test.model_dump(mode="json"),
                "found_start_s": None if x.found_s is None else x.found_s[0],
                "found_stop_s": None if x.found_s is None else x.found_s[1],
                "flags": list(x.flags),
                "values": {v.metric: _value(v) for v in x.values},
            }
            for x in r.results
        ],
        "ten_metre_walks_together": {v.metric: _value(v) for v in r.together},
        "calibration": None if r.calibration is None else asdict(r.calibration),
        "no_calibration": r.why_not,
        "notices": [n.text for n in r.notices],
    }


def _value(v: Value) -> dict[str, object]:
    return {
        "value": v.value,
        "unit": v.unit,
        "standard_error": v.standard_error,
        "interval_95": v.interval,
        "n": v.n,
        "note": v.note,
    }


def comparison_json(c: Comparison) -> dict[str, object]:
    return {
        "schema": "gaitmon.session-comparison/1",
        "statement": NOT_A_DIAGNOSIS,
        "earlier": c.earlier_id,
        "later": c.later_id,
        "conditions_that_differ": [{"condition": n, "earlier": a, "later": b} for n, a, b in c.conditions],
        "differences": [{**asdict(d), "unit": METRICS[d.metric].unit} for d in c.differences],
        "not_in_both": list(c.not_in_both),
    }
