"""The registry's tables.  Nothing outside gaitmon.store sees these classes: registry.py hands out values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, String, Text, TypeDecorator, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from gaitmon.store.registry_model import Alert, AlertDraft, AlertState, Note, Role, User, Wearer

CLOSED = "closed"
_NOT_CLOSED = text(f"state != '{CLOSED}'")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime.  SQLite has no time zone, so the naive UTC value is what is stored."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the registry stores aware datetimes only")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON}  # noqa: RUF012  SQLAlchemy's own hook


class WearerRow(Base):
    __tablename__ = "wearers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    display_name: Mapped[str] = mapped_column(String(200))
    time_zone: Mapped[str] = mapped_column(String(64))
    simulated: Mapped[bool]
    created_utc: Mapped[datetime]


class UserRow(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    created_utc: Mapped[datetime]


class GrantRow(Base):
    """This user may read this wearer."""

    __tablename__ = "grants"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    wearer_id: Mapped[str] = mapped_column(
        ForeignKey("wearers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    granted_utc: Mapped[datetime]


class LoginLinkRow(Base):
    """A one-time link; only the token's sha256 is kept."""

    __tablename__ = "login_links"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_utc: Mapped[datetime]
    used_utc: Mapped[datetime | None]


class SessionRow(Base):
    __tablename__ = "sessions"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_utc: Mapped[datetime]
    user: Mapped[UserRow] = relationship(lazy="joined")


class AlertRow(Base):
    """At most one that is not closed per wearer and topic: the database itself says so."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "one_open_alert",
            "wearer_id",
            "topic",
            unique=True,
            sqlite_where=_NOT_CLOSED,
            postgresql_where=_NOT_CLOSED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    wearer_id: Mapped[str] = mapped_column(ForeignKey("wearers.id", ondelete="CASCADE"), index=True)
    topic: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(16))
    headline: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]]
    since_day: Mapped[str] = mapped_column(String(10))
    opened_utc: Mapped[datetime]
    updated_utc: Mapped[datetime]
    closed_utc: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(100))
    acknowledged_utc: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text)
    times_notified: Mapped[int]
    last_notified_utc: Mapped[datetime | None]


class NoteRow(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    wearer_id: Mapped[str] = mapped_column(ForeignKey("wearers.id", ondelete="CASCADE"), index=True)
    author: Mapped[str] = mapped_column(String(100))
    written_utc: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)


class AuditRow(Base):
    """Who did what to whose data, when.  The name is copied, so that it outlives the user."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_recent", "user_name", "action", "wearer_id", "last_utc"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at_utc: Mapped[datetime]
    last_utc: Mapped[datetime]
    times: Mapped[int]
    user_name: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(64))
    wearer_id: Mapped[str | None] = mapped_column(String(64))  # no foreign key: the trail outlives the wearer
    detail: Mapped[str] = mapped_column(Text)


def as_wearer(row: WearerRow) -> Wearer:
    return Wearer(row.id, row.display_name, row.time_zone, row.simulated, row.created_utc)


def as_user(row: UserRow) -> User:
    return User(row.id, row.name, Role(row.role))


def as_note(row: NoteRow) -> Note:
    return Note(row.id, row.wearer_id, row.author, row.written_utc, row.text)


def as_alert(row: AlertRow) -> Alert:
    return Alert(
        id=row.id,
        wearer=row.wearer_id,
        topic=row.topic,
        state=AlertState(row.state),
        headline=row.headline,
        evidence=row.evidence,
        since_day=row.since_day,
        opened_utc=row.opened_utc,
        updated_utc=row.updated_utc,
        closed_utc=row.closed_utc,
        acknowledged_by=row.acknowledged_by,
        acknowledged_utc=row.acknowledged_utc,
        note=row.note,
        times_notified=row.times_notified,
        last_notified_utc=row.last_notified_utc,
    )


def new_alert(draft: AlertDraft, now: datetime) -> AlertRow:
    return AlertRow(
        wearer_id=draft.wearer,
        topic=draft.topic,
        state=AlertState.OPEN.value,
        headline=draft.headline,
        evidence=dict(draft.evidence),
        since_day=draft.since_day,
        opened_utc=now,
        updated_utc=now,
        note="",
        times_notified=0,
    )


def new_entry(user_name: str, action: str, wearer_id: str | None, detail: str, now: datetime) -> AuditRow:
    return AuditRow(
        at_utc=now,
        last_utc=now,
        times=1,
        user_name=user_name,
        action=action,
        wearer_id=wearer_id,
        detail=detail,
    )
