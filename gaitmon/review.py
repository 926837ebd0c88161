"""After results are stored: the days they touch, the wearer's state, and the alerts that follow.

The decisions are gaitmon.trends'; this is their memory and their voice.  What is to be looked at is in
the store (``SeriesStore.touched``), written with the bouts themselves, so that nothing is forgotten
over a restart, and a thousand bouts that arrive at once are one evaluation of their wearer.

A day's value is written as soon as there is one, and decides only when the wearer's day is over: half a
day is not yet what the evening will say, and an alert that the afternoon takes back helps nobody.
Alert rules in plain words: docs/alerts.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from gaitmon.review_days import STRATUM, DayWriter
from gaitmon.store.registry import Alert, AlertDraft, AlertState, Registry, Wearer
from gaitmon.store.series import DayRow, SeriesSink, SeriesStore, Touched
from gaitmon.trends import (
    DEFAULT_PARAMS,
    Evaluation,
    State,
    TrendParams,
    evaluate,
    local_day,
)

TOPIC = "asymmetry"  # one alert per wearer and topic is open at a time
FRESH = timedelta(days=7)  # older days are history and alert nobody
REMIND_AFTER = timedelta(days=7)
NOTIFIED = "notified_harm"  # in the evidence: how much worse each metric was when last told

_log = logging.getLogger(__name__)


class Reviewer:
    """Call ``review`` every few seconds; when nothing was stored since, it does next to nothing.

    publish_alert: gets every alert that is new or moved to another state or is to be told again, in
    its stored form; it must be safe to call twice with the same alert (a retained message is).  Until
    it has returned once for an alert, the alert counts as not yet told and is handed over again.
    mirrors: further places that day values are written to, e.g. InfluxDB.
    """

    def __init__(
        self,
        store: SeriesStore,
        registry: Registry,
        publish_alert: Callable[[Alert], None],
        *,
        mirrors: Sequence[SeriesSink] = (),
        params: TrendParams = DEFAULT_PARAMS,
    ) -> None:
        self._store = store
        self._registry = registry
        self._publish = publish_alert
        self._mirrors = mirrors
        self._params = params
        self._days = DayWriter(store, params)
        self._unknown: set[str] = set()
        self._done: dict[str, tuple[str, frozenset[Touched]]] = {}  # wearer: today, the marks of today

    def review(self, now_utc: datetime) -> list[Alert]:
        """Look at every wearer with news, then remind of what nobody acknowledged.

        Returns the alerts that were published.  Raises StoreError when store, registry or a mirror is
        out of reach; what was not finished is then done by the next call.
        """
        published: list[Alert] = []
        touched = _by_wearer(self._store.touched())
        known = {wearer.id: wearer for wearer in self._registry.every_wearer()} if touched else {}
        for wearer_id, marks in touched.items():
            wearer = known.get(wearer_id)
            if wearer is None:
                self._warn_once(wearer_id)
                continue
            today = local_day(_utc_us(now_utc), wearer.zone)
            if self._done.get(wearer_id) == (today, frozenset(marks)):
                continue
            rows = self._days.write(wearer, marks)
            published += self._decide(wearer, today)
            for mirror in self._mirrors:
                mirror.write(rows)
            # Marks of a day that is not over stay, so that the first call after midnight decides on it.
            unfinished = frozenset(m for m in marks if local_day(m.start_utc_us, wearer.zone) >= today)
            self._store.clear_touched([m for m in marks if m not in unfinished])
            self._done[wearer_id] = today, unfinished
        return published + self._remind(now_utc)

    def evaluation(self, wearer_id: str, today: str) -> Evaluation:
        """The wearer's stored days before ``today``, judged."""
        days: dict[str, list[DayRow]] = {}
        for row in self._store.days(wearer_id):
            if row.stratum == STRATUM and row.day < today:
                days.setdefault(row.metric, []).append(row)
        return evaluate(days, self._params)

    def _warn_once(self, wearer_id: str) -> None:
        if wearer_id not in self._unknown:
            self._unknown.add(wearer_id)
            _log.warning(
                "Results of %s are stored but not reviewed: no such wearer is registered.", wearer_id
            )

    # -- alerts

    def _decide(self, wearer: Wearer, today: str) -> list[Alert]:
        evaluation = self.evaluation(wearer.id, today)
        alerts = [a for a in self._registry.alerts(wearer.id) if a.topic == TOPIC]
        standing = next((a for a in alerts if a.state is not AlertState.CLOSED), None)
        fresh = _is_fresh(evaluation, today)
        match evaluation.state:
            case State.ALERT if fresh and standing is not None:
                return self._continue(standing, evaluation)
            # Closed by a person before: the same change does not come back as a new alert.
            case State.ALERT if fresh and all(a.since_day != evaluation.since_day for a in alerts):
                return self._open(wearer, evaluation)
            case State.RECOVERING if standing is not None:
                return self._move(standing, evaluation, AlertState.RECOVERING)
            case State.STABLE | State.WATCH if standing is not None:
                return self._move(standing, evaluation, AlertState.CLOSED)
        return []

    def _open(self, wearer: Wearer, evaluation: Evaluation) -> list[Alert]:
        draft = AlertDraft(
            wearer=wearer.id,
            topic=TOPIC,
            since_day=evaluation.since_day or "",
            headline=_headline(evaluation),
            evidence=_evidence(evaluation, _harm(evaluation)),
        )
        alert, _ = self._registry.open_alert(draft)
        return [self._tell(alert)]

    def _continue(self, alert: Alert, evaluation: Evaluation) -> list[Alert]:
        """The same alert with newer evidence; told again only if it is worse by more than an MDC."""
        told, harm = _told_harm(alert), _harm(evaluation)
        worse = any(
            harm[rule.metric] - told.get(rule.metric, 0.0) > rule.mdc
            for rule in self._params.metrics
            if rule.metric in evaluation.verdicts[-1].moving
        )
        state = AlertState.OPEN if worse else None
        if alert.state is AlertState.RECOVERING and not worse:
            state = AlertState.OPEN if alert.acknowledged_utc is None else AlertState.ACKNOWLEDGED
        updated = self._registry.update_alert(
            alert.id,
            state=state,
            headline=_headline(evaluation),
            evidence=_evidence(evaluation, harm if worse else told),
        )
        if worse:
            return [self._tell(updated)]
        if updated.state is not alert.state:
            self._publish(updated)
            return [updated]
        return []

    def _move(self, alert: Alert, evaluation: Evaluation, state: AlertState) -> list[Alert]:
        if alert.state is state:
            return []
        # The headline stays: it says what the alert was about.
        evidence = _evidence(evaluation, _told_harm(alert))
        updated = self._registry.update_alert(alert.id, state=state, evidence=evidence)
        self._publish(updated)
        return [updated]

    def _remind(self, now_utc: datetime) -> list[Alert]:
        return [
            self._tell(alert)
            for alert in self._registry.alerts(None, include_closed=False)
            if alert.state is AlertState.OPEN
            and (alert.last_notified_utc is None or now_utc - alert.last_notified_utc >= REMIND_AFTER)
        ]

    def _tell(self, alert: Alert) -> Alert:
        self._publish(alert)
        return self._registry.update_alert(alert.id, notified=True)


def _by_wearer(touched: Iterable[Touched]) -> dict[str, list[Touched]]:
    marks: dict[str, list[Touched]] = {}
    for mark in touched:
        marks.setdefault(mark.wearer, []).append(mark)
    return marks


def _utc_us(now_utc: datetime) -> int:
    return int(now_utc.timestamp() * 1_000_000)


def _is_fresh(evaluation: Evaluation, today: str) -> bool:
    newest = evaluation.newest_valid_day
    return newest is not None and date.fromisoformat(today) - date.fromisoformat(newest) <= FRESH


def _headline(evaluation: Evaluation) -> str:
    moving = evaluation.verdicts[-1].moving
    phrases = [t.rule.phrase for t in evaluation.metrics if t.rule.metric in moving]
    return f"Walking change to review (low priority): {', '.join(phrases)}"


def _harm(evaluation: Evaluation) -> dict[str, float]:
    """How much worse than baseline each metric is by its EWMA, in its own unit."""
    return {
        t.rule.metric: t.checks[-1].z * t.baseline.sd
        for t in evaluation.metrics
        if t.baseline is not None and t.checks
    }


def _evidence(evaluation: Evaluation, told: Mapping[str, float]) -> dict[str, object]:
    return {**(evaluation.evidence or {}), NOTIFIED: dict(told)}


def _told_harm(alert: Alert) -> dict[str, float]:
    told = alert.evidence.get(NOTIFIED)
    if not isinstance(told, Mapping):
        return {}
    return {str(metric): float(value) for metric, value in told.items()}
