"""The registry on a real SQLite database on disk."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gaitmon.errors import ConfigError, NotFoundError, StoreError
from gaitmon.store.registry import AlertDraft, AlertState, Registry, Role, User
from gaitmon.store.registry_tables import Base


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def registry(path: Path, clock: Clock) -> Iterator[Registry]:
    registry = Registry(f"sqlite:///{path}", now=clock)
    yield registry
    registry.close()


@pytest.fixture
def therapist(registry: Registry) -> User:
    return registry.add_user("Dr. Amal Haddad", Role.THERAPIST)


def draft(wearer: str, topic: str = "asymmetry", headline: str = "Stance time shifted") -> AlertDraft:
    return AlertDraft(wearer, topic, "2026-11-14", headline, {"rule": "ewma", "days": ["2026-11-14"]})


def test_the_file_is_readable_by_its_owner_only(registry: Registry, path: Path) -> None:
    registry.add_wearer("Ada", "Europe/Berlin")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_migrations_make_the_tables_the_code_declares(registry: Registry, path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        indexes = {index["name"]: index for index in sa.inspect(connection).get_indexes("alerts")}
    engine.dispose()
    assert indexes["one_open_alert"]["unique"]


def test_opening_again_keeps_everything(registry: Registry, path: Path) -> None:
    wearer = registry.add_wearer("Ada", "Europe/Berlin", simulated=True, wearer_id="w-ada")
    again = Registry(f"sqlite:///{path}")
    assert again.every_wearer() == [wearer]
    again.close()


def test_a_therapist_sees_only_whom_she_was_given(registry: Registry, therapist: User) -> None:
    ada = registry.add_wearer("Ada", "Europe/Berlin")
    ben = registry.add_wearer("Ben", "Europe/Berlin")
    registry.grant(therapist, ada.id)
    registry.grant(therapist, ada.id)
    assert registry.wearers_for(therapist) == [ada]
    assert registry.wearer(therapist, ada.id) == ada
    alert, _ = registry.open_alert(draft(ben.id))
    for forbidden in (
        lambda: registry.wearer(therapist, ben.id),
        lambda: registry.notes(therapist, ben.id),
        lambda: registry.add_note(therapist, ben.id, "x"),
        lambda: registry.alert(therapist, alert.id),
        lambda: registry.acknowledge(alert.id, therapist, ""),
    ):
        with pytest.raises(NotFoundError):
            forbidden()
    registry.revoke(therapist, ada.id)
    assert registry.wearers_for(therapist) == []


def test_not_given_and_not_there_sound_the_same(registry: Registry, therapist: User) -> None:
    registry.add_wearer("Ben", "Europe/Berlin", wearer_id="w-ben")
    with pytest.raises(NotFoundError) as hidden:
        registry.wearer(therapist, "w-ben")
    with pytest.raises(NotFoundError) as absent:
        registry.wearer(therapist, "w-bem")
    assert str(hidden.value).replace("w-ben", "?") == str(absent.value).replace("w-bem", "?")


def test_an_operator_too_sees_only_whom_he_was_given(registry: Registry) -> None:
    operator = registry.add_user("op", Role.OPERATOR)
    registry.add_wearer("Ada", "Europe/Berlin")
    assert registry.wearers_for(operator) == []


def test_one_open_alert_per_wearer_and_topic(registry: Registry) -> None:
    ada = registry.add_wearer("Ada", "Europe/Berlin")
    first, created = registry.open_alert(draft(ada.id))
    second, created_again = registry.open_alert(draft(ada.id, headline="worse"))
    other, other_created = registry.open_alert(draft(ada.id, topic="technical"))
    assert (created, created_again, other_created) == (True, False, True)
    assert second == first
    assert other.id != first.id
    registry.update_alert(first.id, state=AlertState.CLOSED)
    third, created_after_close = registry.open_alert(draft(ada.id))
    assert created_after_close
    assert third.id != first.id
    assert [a.id for a in registry.alerts(ada.id, include_closed=False)] == [third.id, other.id]


def test_two_that_open_the_same_alert_at_once_get_one(path: Path) -> None:
    registries = [Registry(f"sqlite:///{path}") for _ in range(4)]
    ada = registries[0].add_wearer("Ada", "Europe/Berlin")
    barrier = threading.Barrier(len(registries))
    outcomes: list[tuple[int, bool]] = []

    def run(registry: Registry) -> None:
        barrier.wait()
        alert, created = registry.open_alert(draft(ada.id))
        outcomes.append((alert.id, created))

    threads = [threading.Thread(target=run, args=(registry,)) for registry in registries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for registry in registries:
        registry.close()
    assert len({alert_id for alert_id, _ in outcomes}) == 1
    assert sum(created for _, created in outcomes) == 1


def test_acknowledging_names_the_person_and_stays(registry: Registry, therapist: User, clock: Clock) -> None:
    ada = registry.add_wearer("Ada", "Europe/Berlin")
    registry.grant(therapist, ada.id)
    other = registry.add_user("Someone else", Role.THERAPIST)
    registry.grant(other, ada.id)
    opened, _ = registry.open_alert(draft(ada.id))
    clock.advance(timedelta(hours=1))
    done = registry.acknowledge(opened.id, therapist, "  Called her: new shoes.  ")
    assert done.state is AlertState.ACKNOWLEDGED
    assert (done.acknowledged_by, done.note) == ("Dr. Amal Haddad", "Called her: new shoes.")
    assert done.acknowledged_utc == clock.now
    assert registry.acknowledge(opened.id, other, "me too") == done
    trail = [(e.user, e.action, e.wearer) for e in registry.audit_trail(ada.id)]
    assert trail == [("Dr. Amal Haddad", "alert.acknowledge", ada.id)]


def test_worse_again_asks_for_a_new_acknowledgement(registry: Registry, therapist: User) -> None:
    ada = registry.add_wearer("Ada", "Europe/Berlin")
    registry.grant(therapist, ada.id)
    alert, _ = registry.open_alert(draft(ada.id))
    registry.acknowledge(alert.id, therapist, "seen")
    worse = registry.update_alert(alert.id, state=AlertState.OPEN, headline="worse", notified=True)
    assert (worse.state, worse.acknowledged_by, worse.times_notified) == (AlertState.OPEN, None, 1)
    assert registry.acknowledge(alert.id, therapist, "again").state is AlertState.ACKNOWLEDGED


def test_nobody_is_made_to_have_acknowledged(registry: Registry, therapist: User) -> None:
    ada = registry.add_wearer("Ada", "Europe/Berlin")
    registry.grant(therapist, ada.id)
    alert, _ = registry.open_alert(draft(ada.id))
    with pytest.raises(StoreError):
        registry.update_alert(alert.id, state=AlertState.ACKNOWLEDGED)
    recovering = registry.update_alert(alert.id, state=AlertState.RECOVERING)
    assert recovering.acknowledged_by is None
    assert registry.acknowledge(alert.id, therapist, "").state is AlertState.RECOVERING
    closed = registry.update_alert(alert.id, state=AlertState.CLOSED)
    assert closed.closed_utc is not None
    with pytest.raises(StoreError, match="closed"):
        registry.update_alert(alert.id, headline="too late")


def test_a_login_link_works_once_and_expires(registry: Registry, therapist: User, clock: Clock) -> None:
    link = registry.create_login_link(therapist)
    session = registry.redeem(link)
    assert session is not None
    assert registry.user_of(session) == therapist
    assert registry.redeem(link) is None
    late = registry.create_login_link(therapist, valid=timedelta(minutes=5))
    clock.advance(timedelta(minutes=5))
    assert registry.redeem(late) is None
    clock.advance(timedelta(hours=12))
    assert registry.user_of(session) is None
    assert [e.action for e in registry.audit_trail()] == ["login", "login.refused", "login.refused"]


def test_of_two_who_redeem_at_once_one_comes_in(path: Path) -> None:
    registries = [Registry(f"sqlite:///{path}") for _ in range(4)]
    user = registries[0].add_user("T", Role.THERAPIST)
    link = registries[0].create_login_link(user)
    barrier = threading.Barrier(len(registries))
    sessions: list[str | None] = []

    def run(registry: Registry) -> None:
        barrier.wait()
        sessions.append(registry.redeem(link))

    threads = [threading.Thread(target=run, args=(registry,)) for registry in registries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for registry in registries:
        registry.close()
    assert sum(session is not None for session in sessions) == 1


def test_signing_out_ends_the_session(registry: Registry, therapist: User) -> None:
    session = registry.redeem(registry.create_login_link(therapist))
    assert session is not None
    registry.end_session(session)
    assert registry.user_of(session) is None


def test_no_secret_is_on_disk(registry: Registry, therapist: User, path: Path) -> None:
    link = registry.create_login_link(therapist)
    session = registry.redeem(link)
    assert session is not None
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert therapist.name.encode() in everything  # the bytes do hold what was stored
    assert link.encode() not in everything
    assert session.encode() not in everything


def test_polling_is_one_entry_of_the_trail(registry: Registry, therapist: User, clock: Clock) -> None:
    for _ in range(30):
        registry.audit(therapist, "cohort.read", within=timedelta(minutes=15))
        clock.advance(timedelta(minutes=1))
    registry.audit(therapist, "wearer.read", None)
    trail = registry.audit_trail()
    assert [(e.action, e.times) for e in trail] == [
        ("cohort.read", 15),
        ("cohort.read", 15),
        ("wearer.read", 1),
    ]
    assert trail[0].last_utc - trail[0].at_utc == timedelta(minutes=14)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_wrong_time_zone_is_refused(registry: Registry, zone: str) -> None:
    with pytest.raises(ConfigError, match="IANA"):
        registry.add_wearer("Ada", zone)


@pytest.mark.parametrize("identity", ["A", "a/b", "a b", "#", "-a", "a" * 65])
def test_a_wearer_id_must_be_fit_for_urls_and_topics(registry: Registry, identity: str) -> None:
    with pytest.raises(ConfigError, match="wearer id"):
        registry.add_wearer("Ada", "Europe/Berlin", wearer_id=identity)


def test_the_same_twice_is_refused(registry: Registry, therapist: User) -> None:
    registry.add_wearer("Ada", "Europe/Berlin", wearer_id="w-1")
    with pytest.raises(StoreError, match="already"):
        registry.add_wearer("Ben", "Europe/Berlin", wearer_id="w-1")
    with pytest.raises(StoreError, match="already"):
        registry.add_user(therapist.name, Role.OPERATOR)
    with pytest.raises(NotFoundError):
        registry.grant(therapist, "w-2")
    with pytest.raises(NotFoundError):
        registry.open_alert(draft("w-2"))


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_a_wrong_url_is_refused_with_a_remedy(url: str) -> None:
    with pytest.raises(ConfigError, match="Use sqlite:///PATH"):
        Registry(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    path.write_bytes(b"this is not a database, " * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        Registry(f"sqlite:///{path}")
