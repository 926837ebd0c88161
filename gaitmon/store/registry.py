"""Who is who: wearers, users, who may read whom, alerts, notes and the audit trail.

``Registry`` is the only door.  It takes and gives plain values; no database object leaves it.  It is
safe to call from several threads.  SQLite by default (the file is readable by its owner only),
PostgreSQL by URL (docs/adr/0007-web.md).  Times are aware UTC datetimes.

Errors: NotFoundError where a name does not exist *or was not given to the user who asks*, in the same
words, so that nobody learns whom others treat; StoreError where the database refuses.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from gaitmon.errors import ConfigError, NotFoundError, StoreError
from gaitmon.store.registry_database import connect, migrate
from gaitmon.store.registry_model import (
    Alert,
    AlertDraft,
    AlertState,
    AuditEntry,
    Note,
    Role,
    User,
    Wearer,
)
from gaitmon.store.registry_tables import (
    AlertRow,
    AuditRow,
    GrantRow,
    LoginLinkRow,
    NoteRow,
    SessionRow,
    UserRow,
    WearerRow,
    as_alert,
    as_note,
    as_user,
    as_wearer,
    new_alert,
    new_entry,
)

__all__ = [
    "Alert",
    "AlertDraft",
    "AlertState",
    "AuditEntry",
    "Note",
    "Registry",
    "Role",
    "User",
    "Wearer",
]

_WEARER_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # goes into URLs and MQTT topics as it is


class Registry:
    """url: SQLAlchemy's, e.g. "sqlite:////var/lib/gaitmon/registry.db".  now: the clock, for tests."""

    def __init__(self, url: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._engine = connect(url)
        self._sessions = sessionmaker(self._engine)
        try:
            migrate(self._engine)
        except sa.exc.DBAPIError as error:
            self.close()
            raise StoreError(
                f"The registry cannot be opened: {error.orig}.", "Check its path or URL."
            ) from error

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        try:
            with self._sessions.begin() as session:
                yield session
        except sa.exc.OperationalError as error:
            raise StoreError(f"The registry is out of reach: {error.orig}.", "Is its database up?") from error

    # -- people -----------------------------------------------------------------------------------

    def add_wearer(
        self, display_name: str, time_zone: str, *, simulated: bool = False, wearer_id: str | None = None
    ) -> Wearer:
        """A new wearer; without wearer_id a random pseudonym is drawn."""
        if time_zone not in available_timezones():
            raise ConfigError(
                f"{time_zone!r} is not a time zone.", 'Use an IANA name such as "Europe/Berlin".'
            )
        identity = wearer_id or f"w-{secrets.token_hex(4)}"
        if not _WEARER_ID.fullmatch(identity):
            raise ConfigError(f"{identity!r} is not a wearer id.", "Use a-z, 0-9, - and _, at most 64.")
        with self._transaction() as session:
            if session.get(WearerRow, identity):
                raise StoreError(f"There is a wearer {identity} already.")
            row = WearerRow(
                id=identity,
                display_name=display_name.strip() or identity,
                time_zone=time_zone,
                simulated=simulated,
                created_utc=self._now(),
            )
            session.add(row)
            return as_wearer(row)

    def add_user(self, name: str, role: Role) -> User:
        with self._transaction() as session:
            if session.scalar(sa.select(UserRow).where(UserRow.name == name)):
                raise StoreError(f"There is a user {name!r} already.")
            row = UserRow(name=name, role=role.value, created_utc=self._now())
            session.add(row)
            session.flush()
            return as_user(row)

    def user_named(self, name: str) -> User | None:
        with self._transaction() as session:
            row = session.scalar(sa.select(UserRow).where(UserRow.name == name))
            return None if row is None else as_user(row)

    def grant(self, user: User, wearer_id: str) -> None:
        """From now on user may read this wearer.  Again is no error."""
        with self._transaction() as session:
            if session.get(WearerRow, wearer_id) is None:
                raise NotFoundError(f"There is no wearer {wearer_id!r}.")
            if session.get(GrantRow, (user.id, wearer_id)) is None:
                session.add(GrantRow(user_id=user.id, wearer_id=wearer_id, granted_utc=self._now()))

    def revoke(self, user: User, wearer_id: str) -> None:
        with self._transaction() as session:
            session.execute(
                sa.delete(GrantRow).where(GrantRow.user_id == user.id, GrantRow.wearer_id == wearer_id)
            )

    def every_wearer(self) -> list[Wearer]:
        """For the service itself (days, alerts), never for a page: it asks no one's permission."""
        with self._transaction() as session:
            return [as_wearer(row) for row in session.scalars(sa.select(WearerRow).order_by(WearerRow.id))]

    def wearers_for(self, user: User) -> list[Wearer]:
        """Those the user was given, by name.  An operator, too, sees only these."""
        with self._transaction() as session:
            rows = session.scalars(
                sa.select(WearerRow)
                .join(GrantRow, GrantRow.wearer_id == WearerRow.id)
                .where(GrantRow.user_id == user.id)
                .order_by(WearerRow.display_name, WearerRow.id)
            )
            return [as_wearer(row) for row in rows]

    def wearer(self, user: User, wearer_id: str) -> Wearer:
        """Raises NotFoundError, also where the wearer exists but was not given to this user."""
        with self._transaction() as session:
            return as_wearer(_granted(session, user, wearer_id))

    # -- alerts -----------------------------------------------------------------------------------

    def open_alert(self, draft: AlertDraft) -> tuple[Alert, bool]:
        """The open alert of this wearer and topic, and whether it is new.

        An alert that is already there (open, acknowledged or recovering) is returned as it is:
        ``update_alert`` changes it.
        """
        with self._transaction() as session:
            if session.get(WearerRow, draft.wearer) is None:
                raise NotFoundError(f"There is no wearer {draft.wearer!r}.")
        try:
            with self._transaction() as session:
                if row := session.scalar(_open_alert(draft)):
                    return as_alert(row), False
                row = new_alert(draft, self._now())
                session.add(row)
                session.flush()
                return as_alert(row), True
        except sa.exc.IntegrityError:  # another process opened it between our look and our write
            with self._transaction() as session:
                return as_alert(session.scalars(_open_alert(draft)).one()), False

    def update_alert(
        self,
        alert_id: int,
        *,
        state: AlertState | None = None,
        headline: str | None = None,
        evidence: Mapping[str, object] | None = None,
        notified: bool = False,
    ) -> Alert:
        """Change what is given.  Back to OPEN (it got worse) asks for a new acknowledgement."""
        with self._transaction() as session:
            row = _existing(session, alert_id)
            if row.state == AlertState.CLOSED:
                raise StoreError(f"Alert {alert_id} is closed.", "Open a new one.")
            if state is not None:
                _move(row, state, self._now())
            if headline is not None:
                row.headline = headline
            if evidence is not None:
                row.evidence = dict(evidence)
            if notified:
                row.times_notified += 1
                row.last_notified_utc = self._now()
            row.updated_utc = self._now()
            return as_alert(row)

    def acknowledge(self, alert_id: int, user: User, note: str) -> Alert:
        """The first acknowledgement stands; again changes nothing.  Audited in the same transaction."""
        with self._transaction() as session:
            row = _existing(session, alert_id)
            _granted(session, user, row.wearer_id)
            if row.acknowledged_utc is None and row.state != AlertState.CLOSED:
                row.acknowledged_by = user.name
                row.acknowledged_utc = row.updated_utc = self._now()
                row.note = note.strip()
                if row.state == AlertState.OPEN:
                    row.state = AlertState.ACKNOWLEDGED.value
                session.add(
                    new_entry(user.name, "alert.acknowledge", row.wearer_id, f"alert {row.id}", self._now())
                )
            return as_alert(row)

    def alert(self, user: User, alert_id: int) -> Alert:
        with self._transaction() as session:
            row = _existing(session, alert_id)
            _granted(session, user, row.wearer_id)
            return as_alert(row)

    def alerts(self, wearer_id: str | None, *, include_closed: bool = True) -> list[Alert]:
        """Newest first; None: of every wearer.  The caller says who may see them."""
        query = sa.select(AlertRow).order_by(AlertRow.opened_utc.desc(), AlertRow.id.desc())
        if wearer_id is not None:
            query = query.where(AlertRow.wearer_id == wearer_id)
        if not include_closed:
            query = query.where(AlertRow.state != AlertState.CLOSED)
        with self._transaction() as session:
            return [as_alert(row) for row in session.scalars(query)]

    # -- notes ------------------------------------------------------------------------------------

    def add_note(self, user: User, wearer_id: str, text: str) -> Note:
        with self._transaction() as session:
            _granted(session, user, wearer_id)
            row = NoteRow(wearer_id=wearer_id, author=user.name, written_utc=self._now(), text=text.strip())
            session.add(row)
            session.add(new_entry(user.name, "note.write", wearer_id, "", self._now()))
            session.flush()
            return as_note(row)

    def notes(self, user: User, wearer_id: str) -> list[Note]:
        """Newest first."""
        with self._transaction() as session:
            _granted(session, user, wearer_id)
            query = sa.select(NoteRow).where(NoteRow.wearer_id == wearer_id).order_by(NoteRow.id.desc())
            return [as_note(row) for row in session.scalars(query)]

    # -- coming in --------------------------------------------------------------------------------

    def create_login_link(self, user: User, valid: timedelta = timedelta(minutes=15)) -> str:
        """A secret that opens one session, once.  It is not stored; only its hash is."""
        token = secrets.token_urlsafe(32)
        with self._transaction() as session:
            session.add(
                LoginLinkRow(token_sha256=_hash(token), user_id=user.id, expires_utc=self._now() + valid)
            )
        return token

    def redeem(self, token: str, valid: timedelta = timedelta(hours=12)) -> str | None:
        """The login link's session token; None when it was used, has expired or never was."""
        now = self._now()
        with self._transaction() as session:
            session.execute(sa.delete(SessionRow).where(SessionRow.expires_utc <= now))
            user_id = session.scalar(
                sa.update(LoginLinkRow)  # one statement: of two who come at once, one wins
                .where(
                    LoginLinkRow.token_sha256 == _hash(token),
                    LoginLinkRow.used_utc.is_(None),
                    LoginLinkRow.expires_utc > now,
                )
                .values(used_utc=now)
                .returning(LoginLinkRow.user_id)
            )
            if user_id is None:
                session.add(new_entry("-", "login.refused", None, "", now))
                return None
            secret = secrets.token_urlsafe(32)
            session.add(SessionRow(token_sha256=_hash(secret), user_id=user_id, expires_utc=now + valid))
            name = session.get_one(UserRow, user_id).name
            session.add(new_entry(name, "login", None, "", now))
            return secret

    def user_of(self, session_token: str) -> User | None:
        with self._transaction() as session:
            row = session.get(SessionRow, _hash(session_token))
            return None if row is None or row.expires_utc <= self._now() else as_user(row.user)

    def end_session(self, session_token: str) -> None:
        with self._transaction() as session:
            session.execute(sa.delete(SessionRow).where(SessionRow.token_sha256 == _hash(session_token)))

    # -- audit ------------------------------------------------------------------------------------

    def audit(
        self,
        user: User,
        action: str,
        wearer_id: str | None = None,
        detail: str = "",
        *,
        within: timedelta = timedelta(0),
    ) -> None:
        """Record who did what.  The same again inside ``within`` counts up the entry that is there."""
        now = self._now()
        with self._transaction() as session:
            if within > timedelta(0):
                row = session.scalar(
                    sa.select(AuditRow)
                    .where(
                        AuditRow.user_name == user.name,
                        AuditRow.action == action,
                        AuditRow.wearer_id.is_(None)
                        if wearer_id is None
                        else AuditRow.wearer_id == wearer_id,
                        AuditRow.detail == detail,
                        AuditRow.at_utc > now - within,
                    )
                    .order_by(AuditRow.id.desc())
                )
                if row is not None:
                    row.times += 1
                    row.last_utc = now
                    return
            session.add(new_entry(user.name, action, wearer_id, detail, now))

    def audit_trail(self, wearer_id: str | None = None) -> list[AuditEntry]:
        """Oldest first; None: everything."""
        query = sa.select(AuditRow).order_by(AuditRow.id)
        if wearer_id is not None:
            query = query.where(AuditRow.wearer_id == wearer_id)
        with self._transaction() as session:
            return [
                AuditEntry(r.at_utc, r.last_utc, r.times, r.user_name, r.action, r.wearer_id, r.detail)
                for r in session.scalars(query)
            ]


def _hash(token: str) -> str:
    # Plain sha256 is enough for 256 random bits: there is nothing to guess.
    return hashlib.sha256(token.encode()).hexdigest()


def _granted(session: Session, user: User, wearer_id: str) -> WearerRow:
    row = session.get(WearerRow, wearer_id)
    if row is None or session.get(GrantRow, (user.id, wearer_id)) is None:
        raise NotFoundError(f"There is no wearer {wearer_id!r}.")
    return row


def _existing(session: Session, alert_id: int) -> AlertRow:
    row = session.get(AlertRow, alert_id)
    if row is None:
        raise NotFoundError(f"There is no alert {alert_id}.")
    return row


def _open_alert(draft: AlertDraft) -> sa.Select[AlertRow]:
    return sa.select(AlertRow).where(
        AlertRow.wearer_id == draft.wearer,
        AlertRow.topic == draft.topic,
        AlertRow.state != AlertState.CLOSED.value,
    )


def _move(row: AlertRow, state: AlertState, now: datetime) -> None:
    if state is AlertState.ACKNOWLEDGED and row.acknowledged_utc is None:
        raise StoreError("An alert is acknowledged by a person.", "Use Registry.acknowledge.")
    if state is AlertState.OPEN:
        row.acknowledged_by = row.acknowledged_utc = None
        row.note = ""  # who had acknowledged what before stays in the audit trail
    if state is AlertState.CLOSED:
        row.closed_utc = now
    row.state = state.value
