"""The review against the real SQLite store and the real registry."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest

from gaitmon.errors import StoreError
from gaitmon.model import Angle, Side, Waveform
from gaitmon.review import NOTIFIED, Reviewer
from gaitmon.store.registry import Alert, AlertState
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.symmetry.cycle import POINTS
from gaitmon.symmetry.loading import LIMP_PARTS
from tests.clinic import METRICS, STEP, TODAY, USUAL, ZONE, Clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    clinic = Clinic(tmp_path)
    yield clinic
    clinic.close()


WORSE = [3.0] * 8


def test_days_are_written_and_no_alert_without_a_change(clinic: Clinic) -> None:
    clinic.history([0.0] * 10)
    assert clinic.review() == []
    days = clinic.store.days("w1", STEP)
    assert len(days) == 24
    assert days[-1].value == pytest.approx(5.0)
    assert all(d.valid and d.n_strides == 200 and not d.simulated for d in days)
    assert clinic.store.touched() == []


def test_deterioration_opens_one_alert_with_its_evidence(clinic: Clinic) -> None:
    clinic.history(WORSE)
    (alert,) = clinic.review()
    assert (alert.wearer, alert.topic, alert.state) == ("w1", "asymmetry", AlertState.OPEN)
    assert alert.times_notified == 1
    assert alert.headline == "Walking change to review (low priority): step time, stance time"
    assert TODAY - timedelta(8) <= date.fromisoformat(alert.since_day) < TODAY
    text = str(alert.evidence["text"])
    assert text.startswith("Walking change to review (low priority).")
    assert "not a diagnosis" in text
    assert clinic.alert() == alert
    assert clinic.review() == []


def test_many_bouts_at_once_are_one_evaluation_of_their_wearer(clinic: Clinic) -> None:
    clinic.history(WORSE)
    for minute in range(60):
        clinic.walk(TODAY - timedelta(1), (8.0, 8.0), at=time(10, minute))
    assert len(clinic.review()) == 1
    assert clinic.store.days("w1", STEP)[-1].n_bouts == 61


def test_every_wearer_on_his_own(clinic: Clinic) -> None:
    clinic.registry.add_wearer("W Two", "Europe/Berlin", wearer_id="w2")
    clinic.history(WORSE)
    for i, pair in enumerate(zip(*USUAL, strict=True)):
        clinic.walk(TODAY - timedelta(days=20 - i), pair, wearer="w2")
    (alert,) = clinic.review()
    assert alert.wearer == "w1"
    assert clinic.registry.alerts("w2") == []


def test_missing_days_raise_nothing(clinic: Clinic) -> None:
    clinic.history([0.0] * 5, until=TODAY - timedelta(40))
    assert clinic.review() == []
    clinic.now += timedelta(days=60)
    assert clinic.review() == []
    assert clinic.registry.alerts(None) == []


def test_too_few_strides_raise_nothing(clinic: Clinic) -> None:
    clinic.history([0.0])
    for i in range(8):
        clinic.walk(TODAY + timedelta(days=i), (30.0, 30.0), n_strides=10)
    clinic.now += timedelta(days=9)
    assert clinic.review() == []


def test_history_raises_nothing(clinic: Clinic) -> None:
    clinic.history(WORSE, until=TODAY - timedelta(8))
    assert clinic.review() == []
    assert clinic.registry.alerts(None) == []
    clinic.walk(TODAY - timedelta(1), (8.0, 8.0))  # and now it is news
    assert len(clinic.review()) == 1


def test_an_episode_that_is_over_raises_nothing(clinic: Clinic) -> None:
    clinic.history(WORSE + [0.0] * 25)
    assert clinic.review() == []


def test_speed_alone_raises_nothing(clinic: Clinic) -> None:
    """Twenty per cent slower, all at once, with the same symmetry; turns and stairs far off."""
    for i, pair in enumerate(zip(*USUAL, *USUAL, strict=True)):
        clinic.walk(TODAY - timedelta(days=30 - i), pair[:2], others={"cadence_steps_min": 110.0})
    for i in range(14):
        day = TODAY - timedelta(days=16 - i)
        clinic.walk(day, (5.0, 5.0), others={"cadence_steps_min": 88.0, "walking_speed_m_s": 0.8})
        clinic.walk(day, (40.0, 40.0), at=time(11), stratum="excluded:stairs")
    assert clinic.review() == []
    assert clinic.store.days("w1", "cadence_steps_min")[-1].value == pytest.approx(88.0)


def test_half_a_day_decides_nothing(clinic: Clinic) -> None:
    clinic.history(WORSE[:2])
    assert clinic.review() == []
    for minute in range(0, 50, 10):
        clinic.walk(TODAY, (25.0, 25.0), at=time(8, minute))
        assert clinic.review() == []
    assert clinic.store.days("w1", STEP)[-1].value == pytest.approx(25.0)  # shown, not yet judged
    assert clinic.reviewer.evaluation("w1", TODAY.isoformat()).newest_valid_day == str(TODAY - timedelta(1))
    clinic.now += timedelta(days=1)
    clinic.review()
    evaluation = clinic.reviewer.evaluation("w1", (TODAY + timedelta(1)).isoformat())
    assert evaluation.newest_valid_day == TODAY.isoformat()


def test_the_first_call_after_midnight_decides_without_another_bout(clinic: Clinic) -> None:
    clinic.history([3.0] * 4)
    assert clinic.review() == []
    clinic.walk(TODAY, (8.0, 8.0))
    assert clinic.review() == []
    clinic.now = datetime.combine(TODAY, time(23, 59, 55), ZONE).astimezone(UTC)
    assert clinic.review() == []
    clinic.now += timedelta(seconds=10)
    (alert,) = clinic.review()
    assert alert.since_day == TODAY.isoformat()
    assert clinic.store.touched() == []


def test_a_restart_forgets_nothing(clinic: Clinic) -> None:
    clinic.history(WORSE)
    again = Reviewer(clinic.store, clinic.registry, clinic.published.append)
    assert len(again.review(clinic.now)) == 1
    assert Reviewer(clinic.store, clinic.registry, clinic.published.append).review(clinic.now) == []


def test_an_alert_that_could_not_be_published_is_published_later(clinic: Clinic) -> None:
    clinic.history(WORSE)

    def no_broker(alert: Alert) -> None:
        raise StoreError("no broker")

    with pytest.raises(StoreError):
        Reviewer(clinic.store, clinic.registry, no_broker).review(clinic.now)
    assert clinic.alert().times_notified == 0
    clinic.review()
    assert clinic.alert().times_notified == 1
    assert len(clinic.published) == 1


def test_not_told_twice_until_it_is_worse_by_an_mdc(clinic: Clinic) -> None:
    clinic.history(WORSE)
    (alert,) = clinic.review()
    clinic.acknowledge(alert)
    assert clinic.next_day(3.2, days=5) == []  # the EWMA still creeps up, by less than an MDC
    assert clinic.alert().state is AlertState.ACKNOWLEDGED
    assert clinic.alert().evidence["days"] != alert.evidence["days"]
    told = clinic.next_day(12.0, days=5)
    assert [a.state for a in told] == [AlertState.OPEN]
    assert clinic.alert().times_notified == 2
    assert clinic.alert().evidence[NOTIFIED] != alert.evidence[NOTIFIED]


def test_a_slow_decline_is_told_again_once_it_adds_up(clinic: Clinic) -> None:
    clinic.history(WORSE)
    (alert,) = clinic.review()
    clinic.acknowledge(alert)
    told = [(i, a) for i in range(18) for a in clinic.next_day(3.0 + i / 4)]
    ((day, again),) = told
    assert (again.id, again.state) == (alert.id, AlertState.OPEN)
    assert day > 8  # no single day was worse by an MDC


def test_old_days_that_turn_out_worse_are_not_news(clinic: Clinic) -> None:
    clinic.history(WORSE)
    (alert,) = clinic.review()
    clinic.acknowledge(alert)
    clinic.now += timedelta(days=20)
    for i in range(1, 8):
        clinic.walk(TODAY - timedelta(i), (40.0, 40.0), at=time(15), n_strides=2000)
    assert clinic.review() == []
    assert clinic.alert().state is AlertState.ACKNOWLEDGED


def test_reminded_after_a_week_without_acknowledgement(clinic: Clinic) -> None:
    clinic.history(WORSE)
    (alert,) = clinic.review()
    clinic.now += timedelta(days=6, hours=23)
    assert clinic.review() == []
    clinic.now += timedelta(hours=1)
    assert [a.id for a in clinic.review()] == [alert.id]
    assert clinic.review() == []
    clinic.acknowledge(alert)
    clinic.now += timedelta(days=30)
    assert clinic.review() == []


def test_recovers_closes_and_may_come_back_as_another(clinic: Clinic) -> None:
    clinic.history(WORSE)
    (first,) = clinic.review()
    seen = [a.state for _ in range(20) for a in clinic.next_day(0.0)]
    assert seen == [AlertState.RECOVERING, AlertState.CLOSED]
    assert clinic.alert().headline == first.headline
    assert clinic.next_day(3.0, days=10)[0].state is AlertState.OPEN
    second, closed = clinic.registry.alerts("w1")
    assert closed.id == first.id
    assert second.since_day > closed.since_day


def test_a_relapse_is_the_same_alert(clinic: Clinic) -> None:
    clinic.history(WORSE)
    (alert,) = clinic.review()
    clinic.acknowledge(alert)
    assert [a.state for a in clinic.next_day(-0.5, days=3)] == [AlertState.RECOVERING]
    published = [a for _ in range(6) for a in clinic.next_day(3.0)]
    assert [(a.id, a.state) for a in published] == [(alert.id, AlertState.ACKNOWLEDGED)]
    assert clinic.alert().times_notified == 1  # moved back, not told again


def test_closed_by_a_person_stays_closed(clinic: Clinic) -> None:
    clinic.history(WORSE)
    (alert,) = clinic.review()
    clinic.registry.update_alert(alert.id, state=AlertState.CLOSED)
    assert clinic.next_day(3.0, days=5) == []
    assert clinic.alert().state is AlertState.CLOSED


def test_a_wearer_nobody_registered_is_stored_and_waits(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    clinic.walk(TODAY - timedelta(1), (1.0, 1.0), wearer="stranger")
    with caplog.at_level(logging.WARNING, "gaitmon.review"):
        clinic.review()
        clinic.review()
    assert len(caplog.records) == 1
    assert clinic.store.days("stranger") == []
    clinic.registry.add_wearer("S", "UTC", wearer_id="stranger")
    clinic.review()
    straight = [row for row in clinic.store.days("stranger") if row.stratum == "straight"]
    assert {row.metric for row in straight} == set(METRICS)


def test_the_wearers_own_zone_says_which_day_it_is(clinic: Clinic) -> None:
    clinic.registry.add_wearer("Far", "Pacific/Auckland", wearer_id="w-far")
    clinic.walk(TODAY - timedelta(3), (1.0, 1.0), wearer="w-far", at=time(20))
    clinic.review()
    assert {d.day for d in clinic.store.days("w-far")} == {str(TODAY - timedelta(2))}


def test_values_whose_bouts_are_gone_go_too(clinic: Clinic) -> None:
    """A re-analysis calls the same bout a staircase."""
    day = TODAY - timedelta(1)
    clinic.walk(day, (5.0, 5.0))
    clinic.review()
    clinic.walk(day, (5.0, 5.0), stratum="excluded:stairs", revision=1)
    clinic.review()
    by_stratum = {d.stratum: d for d in clinic.store.days("w1", STEP)}
    assert by_stratum["straight"].value is None
    assert not by_stratum["straight"].valid
    assert by_stratum["excluded:stairs"].value == pytest.approx(5.0)


def test_simulated_bouts_make_simulated_days(clinic: Clinic) -> None:
    clinic.walk(TODAY - timedelta(1), (5.0, 5.0), simulated=True)
    clinic.review()
    assert all(d.simulated for d in clinic.store.days("w1"))


def test_a_mirror_gets_the_days_and_is_caught_up_when_it_was_away(clinic: Clinic, tmp_path: Path) -> None:
    mirror = SqliteSeriesStore(tmp_path / "mirror.db")
    clinic.reviewer = Reviewer(clinic.store, clinic.registry, clinic.published.append, mirrors=[mirror])
    clinic.history(WORSE)
    mirror.close()
    with pytest.raises(Exception, match="closed"):
        clinic.review()
    assert clinic.alert().times_notified == 1  # the alert did not wait for the mirror
    mirror = SqliteSeriesStore(tmp_path / "mirror.db")
    clinic.reviewer = Reviewer(clinic.store, clinic.registry, clinic.published.append, mirrors=[mirror])
    assert clinic.review() == []
    assert mirror.days("w1") == clinic.store.days("w1")
    mirror.close()


# ---- against the wearer's own usual

WHOLE, LIMP = "waveform_deviation_deg", "limp_index"
PHASE = 2.0 * np.pi * np.arange(POINTS) / (POINTS - 1)


def waves(off_deg: float = 0.0) -> tuple[Waveform, ...]:
    """off_deg: RMS by which the right thigh's curve is another."""
    out = []
    for angle in Angle:
        for side in Side:
            mean = 20.0 * np.cos(PHASE)
            if (angle, side) == (Angle.THIGH_FLEXION, Side.RIGHT):
                mean = mean + np.sqrt(2.0) * off_deg * np.sin(PHASE)
            out.append(Waveform.of(angle, side, 100, mean, np.ones(POINTS)))
    return tuple(out)


def own_walks(clinic: Clinic, off_deg: Sequence[float], limp_sd: float = 0.0, revision: int = 0) -> None:
    """Fourteen usual days, then one per change of the right thigh's curve, the last yesterday."""
    n = 14 + len(off_deg)
    for i in range(n):
        sd = USUAL[0][i] - 5.0 if i < 14 else limp_sd
        others = dict.fromkeys(LIMP_PARTS, 5.0 + 2.0 * sd) | {"walking_speed_m_s": 1.25}
        clinic.walk(
            TODAY - timedelta(n - i), (5.0 + 2.0 * sd,) * 2, others=others, revision=revision,
            waveforms=waves(off_deg[i - 14] if i >= 14 else 0.0),
        )  # fmt: skip


def own_values(clinic: Clinic, metric: str) -> list[tuple[str, float]]:
    return [(d.day, round(d.value, 2)) for d in clinic.store.days("w1", metric) if d.value is not None]


def test_own_values_begin_after_the_baseline_and_alert_nobody(clinic: Clinic) -> None:
    own_walks(clinic, [5.0, 0.0], limp_sd=0.5)
    assert clinic.review() == []
    days = [(TODAY - timedelta(k)).isoformat() for k in (2, 1)]
    assert own_values(clinic, WHOLE) == [(days[0], 2.24), (days[1], 0.0)]
    assert own_values(clinic, "right_thigh_flexion_deviation_deg")[0] == (days[0], 5.0)
    assert [day for day, _ in own_values(clinic, LIMP)] == days
    for metric in (WHOLE, LIMP):
        assert all(d.valid and d.n_strides == 200 for d in clinic.store.days("w1", metric))
    assert clinic.store.days("w1", "day_bouts_n")[-1].value == 1.0


def test_own_values_are_the_same_whether_days_come_one_by_one_or_at_once(clinic: Clinic) -> None:
    own_walks(clinic, [5.0, 2.0, 1.0])
    clinic.review()
    at_once = {m: clinic.store.days("w1", m) for m in (WHOLE, LIMP)}
    folder = clinic.folder / "again"
    folder.mkdir()
    again = Clinic(folder)
    again.now -= timedelta(days=17)
    for _ in range(18):
        for b in clinic.store.bouts("w1", 0, int(again.now.timestamp() * 1e6)):
            again.store.write([b, *filter(None, [clinic.store.segment("w1", b.segment)])])
        again.review()
        again.now += timedelta(days=1)
    assert {m: again.store.days("w1", m) for m in (WHOLE, LIMP)} == at_once
    again.close()


def test_another_baseline_changes_what_was_held_against_it(clinic: Clinic) -> None:
    """A re-analysis of the first day, with another curve: all that came after is worked out again."""
    own_walks(clinic, [5.0])
    clinic.review()
    before = own_values(clinic, WHOLE)
    others = dict.fromkeys(LIMP_PARTS, 5.0) | {"walking_speed_m_s": 1.25}
    clinic.walk(TODAY - timedelta(15), (5.0, 5.0), others=others, revision=1, waveforms=waves(14.0))
    clinic.review()
    ((day, value),) = own_values(clinic, WHOLE)
    assert (day, value) != before[0]
    assert value == pytest.approx((5.0 - 1.0) / np.sqrt(5.0), abs=0.01)
