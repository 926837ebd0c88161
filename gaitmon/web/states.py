"""One wearer in one line: state, last data, newest alert.  What the cohort list and the page's head show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from gaitmon.store.registry import Alert, AlertState, Registry, User, Wearer
from gaitmon.store.series import HealthRow, SeriesStore
from gaitmon.trends import DEFAULT_PARAMS, State
from gaitmon.web.definitions import core_metrics
from gaitmon.web.formats import utc_of
from gaitmon.web.sensor_view import SensorView, flags, sensor_views
from gaitmon.web.sparkline import Sparkline, sparkline
from gaitmon.web.trend_view import Trends, wearer_trends


class WearerState(StrEnum):
    """In the order in which they need attention."""

    ALERT = "alert open"
    WATCH = "watch"
    NO_DATA = "no data"
    ACKNOWLEDGED = "acknowledged"
    RECOVERING = "recovering"
    LEARNING = "learning"
    STABLE = "stable"

    @property
    def rank(self) -> int:
        return list(WearerState).index(self)

    @property
    def key(self) -> str:
        return self.name.lower()

    @property
    def symbol(self) -> str:
        """A shape beside the word, so that the state is never told by colour alone."""
        return _SYMBOLS[self]

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_SYMBOLS = {
    WearerState.ALERT: "▲",
    WearerState.WATCH: "◆",
    WearerState.NO_DATA: "○",
    WearerState.ACKNOWLEDGED: "✓",
    WearerState.RECOVERING: "↘",
    WearerState.LEARNING: "◔",
    WearerState.STABLE: "●",
}
_MEANINGS = {
    WearerState.ALERT: "A walking change waits for review.",
    WearerState.WATCH: "One metric moves; too little agrees for an alert.",
    WearerState.NO_DATA: "Nothing has arrived for 48 hours. This says nothing about walking.",
    WearerState.ACKNOWLEDGED: "The change was reviewed and is still there.",
    WearerState.RECOVERING: "The change is going back; not yet calm for 3 valid days.",
    WearerState.LEARNING: f"Fewer than {DEFAULT_PARAMS.baseline.days} valid days: no baseline yet.",
    WearerState.STABLE: "Within the usual day-to-day variation.",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """last_data_utc: end of the newest bout; where only days are stored, None and last_day says it.

    n_days: days with any value; n_valid: days valid in at least one watched metric.
    simulated: anything of it is.  alert: the newest that is not closed.
    sensors: what they need, "" for nothing.
    """

    wearer: Wearer
    state: WearerState
    line: str
    since_day: str | None
    last_data_utc: datetime | None
    last_day: str | None
    stale: bool
    n_days: int
    n_valid: int
    simulated: bool
    alert: Alert | None
    spark: Sparkline | None
    sensors: str

    @property
    def attention(self) -> tuple[int, float, str]:
        newest = -self.alert.opened_utc.timestamp() if self.alert else 0.0
        return self.state.rank, newest, self.wearer.display_name.casefold()


def cohort(
    registry: Registry, store: SeriesStore, user: User, now: datetime, stale_after: timedelta
) -> list[Summary]:
    """The wearers this user was given, who needs attention first."""
    open_alerts = registry.alerts(None, include_closed=False)
    health: dict[str, list[HealthRow]] = {}
    for row in store.health():
        health.setdefault(row.wearer, []).append(row)
    summaries = [
        summary(
            wearer,
            store,
            [alert for alert in open_alerts if alert.wearer == wearer.id],
            now,
            stale_after,
            sensors=sensor_views(health.get(wearer.id, ()), now, stale_after),
        )
        for wearer in registry.wearers_for(user)
    ]
    return sorted(summaries, key=lambda s: s.attention)


def summary(
    wearer: Wearer,
    store: SeriesStore,
    open_alerts: Sequence[Alert],
    now: datetime,
    stale_after: timedelta,
    *,
    sensors: Sequence[SensorView],
    trends: Trends | None = None,
) -> Summary:
    if trends is None:
        # The watched metrics only: a list of fifty wearers is asked for every few seconds.
        trends = wearer_trends([row for metric in core_metrics() for row in store.days(wearer.id, metric)])
    bout = store.latest_bout(wearer.id)
    last_utc = utc_of(bout.end_utc_us) if bout else None
    last_day = trends.last_day
    stale = _stale(last_utc, last_day, wearer, now, stale_after)
    alert = max(open_alerts, key=_urgency, default=None)
    state = _state(alert, trends, stale)
    return Summary(
        wearer=wearer,
        state=state,
        line=_line(state, alert, trends),
        since_day=alert.since_day if alert else None,
        last_data_utc=last_utc,
        last_day=last_day,
        stale=stale,
        n_days=trends.n_days,
        n_valid=trends.n_valid,
        simulated=wearer.simulated or trends.simulated or bool(bout and bout.simulated),
        alert=alert,
        spark=sparkline(trends, alert),
        sensors=flags(sensors),
    )


def _urgency(alert: Alert) -> tuple[bool, bool, datetime]:
    return alert.state is AlertState.OPEN, alert.state is AlertState.ACKNOWLEDGED, alert.opened_utc


def _stale(
    last_utc: datetime | None, last_day: str | None, wearer: Wearer, now: datetime, after: timedelta
) -> bool:
    newest = [last_utc] if last_utc else []
    if last_day:  # all that a day says is that there were data until its end at the latest
        end = date.fromisoformat(last_day) + timedelta(days=1)
        newest.append(datetime(end.year, end.month, end.day, tzinfo=wearer.zone))
    return not newest or now - max(newest) > after


def _state(alert: Alert | None, trends: Trends, stale: bool) -> WearerState:
    if alert is not None:
        return {
            AlertState.OPEN: WearerState.ALERT,
            AlertState.ACKNOWLEDGED: WearerState.ACKNOWLEDGED,
            AlertState.RECOVERING: WearerState.RECOVERING,
        }[alert.state]
    if stale:
        return WearerState.NO_DATA
    return {
        State.LEARNING: WearerState.LEARNING,
        State.STABLE: WearerState.STABLE,
        State.WATCH: WearerState.WATCH,
        # The rule says alert, but no alert is open: it was closed by a person, or is about to be opened.
        State.ALERT: WearerState.WATCH,
        State.RECOVERING: WearerState.RECOVERING,
    }[trends.evaluation.state]


def _line(state: WearerState, alert: Alert | None, trends: Trends) -> str:
    if alert is not None:
        return alert.headline
    if state is WearerState.NO_DATA and trends.last_day is None:
        return "No data yet."
    if state is WearerState.LEARNING:
        return f"Learning what is usual: {trends.n_valid} of {DEFAULT_PARAMS.baseline.days} valid days."
    if state is WearerState.WATCH:
        names = ", ".join(trends.moving_names)
        return f"Moving: {names}." if names else state.meaning
    return state.meaning
