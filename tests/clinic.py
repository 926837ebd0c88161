"""A clinic on a real store and a real registry, with one clock, and a wearer who walks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gaitmon.model import MetricValue, Waveform
from gaitmon.review import Reviewer
from gaitmon.store.registry import Alert, Registry, Role
from gaitmon.store.series import BoutRow, Row, SegmentRow
from gaitmon.store.sqlite import SqliteSeriesStore
from tests.trends.wearers import usual

ZONE = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 6, 15)
STEP, STANCE = "step_time_ln_pct", "stance_time_ln_pct"
METRICS = (STEP, STANCE)
USUAL = [usual(5.0, 1.0, seed=i) for i in range(2)]


class Clinic:
    """now: its clock.  published: the alerts that were told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = datetime.combine(TODAY, time(12), ZONE).astimezone(UTC)
        self.store = SqliteSeriesStore(folder / "series.db")
        self.registry = Registry(f"sqlite:///{folder / 'registry.db'}", now=lambda: self.now)
        self.registry.add_wearer("W One", "Europe/Berlin", wearer_id="w1")
        self.published: list[Alert] = []
        self.reviewer = Reviewer(self.store, self.registry, self.published.append)

    def close(self) -> None:
        self.store.close()
        self.registry.close()

    def walk(
        self,
        day: date,
        values: Sequence[float],
        *,
        wearer: str = "w1",
        at: time = time(9),
        n_strides: int = 200,
        stratum: str = "straight",
        others: dict[str, float] | None = None,
        revision: int = 0,
        simulated: bool = False,
        waveforms: tuple[Waveform, ...] = (),
    ) -> None:
        start = int(datetime.combine(day, at, ZONE).timestamp() * 1e6)
        named = {**dict(zip(METRICS, values, strict=True)), **(others or {})}
        metrics = tuple(MetricValue(m, v, 0.4, n_strides // 2, n_strides // 2) for m, v in named.items())
        rows: list[Row] = [
            SegmentRow(wearer, str(start), revision, start, "ntp", "live", simulated, "g", "test", 0, 1),
            BoutRow(
                wearer, str(start), revision, 0, start, start + 60_000_000, 0.0, 60.0, stratum,
                n_strides + 2, n_strides // 2, n_strides // 2, (), metrics, (), simulated, waveforms,
            ),
        ]  # fmt: skip
        self.store.write(rows)

    def history(self, changes: Sequence[float], until: date = TODAY - timedelta(1)) -> None:
        """Fourteen usual days, then one per change (in SDs, both metrics), the last on ``until``."""
        values = [*zip(*USUAL, strict=True), *((5.0 + c, 5.0 + c) for c in changes)]
        for i, pair in enumerate(values):
            self.walk(until - timedelta(days=len(values) - 1 - i), pair)

    def review(self) -> list[Alert]:
        before = len(self.published)
        returned = self.reviewer.review(self.now)
        assert [a.id for a in returned] == [a.id for a in self.published[before:]]
        return returned

    def next_day(self, change: float, days: int = 1) -> list[Alert]:
        """Walk with this change today, and review on the morning after."""
        for _ in range(days):
            self.walk(self.now.astimezone(ZONE).date(), (5.0 + change, 5.0 + change))
            self.now += timedelta(days=1)
        return self.review()

    def acknowledge(self, alert: Alert) -> None:
        user = self.registry.add_user("therapist", Role.THERAPIST)
        self.registry.grant(user, alert.wearer)
        self.registry.acknowledge(alert.id, user, "seen")

    def alert(self) -> Alert:
        alerts = self.registry.alerts("w1")
        assert len(alerts) == 1
        return alerts[0]
