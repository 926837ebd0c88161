"""wearers, users, grants, login links, sessions, alerts, notes, audit"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _access()
    _alerts()
    _trail()


def _people() -> None:
    op.create_table(
        "wearers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("created_utc", sa.DateTime, nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_utc", sa.DateTime, nullable=False),
    )


def _access() -> None:
    op.create_table(
        "grants",
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "wearer_id", sa.String(64), sa.ForeignKey("wearers.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("granted_utc", sa.DateTime, nullable=False),
    )
    op.create_index("ix_grants_wearer_id", "grants", ["wearer_id"])
    for name in ("login_links", "sessions"):
        used = [sa.Column("used_utc", sa.DateTime)] if name == "login_links" else []
        op.create_table(
            name,
            sa.Column("token_sha256", sa.String(64), primary_key=True),
            sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
            sa.Column("expires_utc", sa.DateTime, nullable=False),
            *used,
        )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "wearer_id", sa.String(64), sa.ForeignKey("wearers.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("topic", sa.String(100), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("since_day", sa.String(10), nullable=False),
        sa.Column("opened_utc", sa.DateTime, nullable=False),
        sa.Column("updated_utc", sa.DateTime, nullable=False),
        sa.Column("closed_utc", sa.DateTime),
        sa.Column("acknowledged_by", sa.String(100)),
        sa.Column("acknowledged_utc", sa.DateTime),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("times_notified", sa.Integer, nullable=False),
        sa.Column("last_notified_utc", sa.DateTime),
    )
    op.create_index("ix_alerts_wearer_id", "alerts", ["wearer_id"])
    not_closed = sa.text("state != 'closed'")
    op.create_index(
        "one_open_alert",
        "alerts",
        ["wearer_id", "topic"],
        unique=True,
        sqlite_where=not_closed,
        postgresql_where=not_closed,
    )


def _trail() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "wearer_id", sa.String(64), sa.ForeignKey("wearers.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("written_utc", sa.DateTime, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_notes_wearer_id", "notes", ["wearer_id"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at_utc", sa.DateTime, nullable=False),
        sa.Column("last_utc", sa.DateTime, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("user_name", sa.String(100), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("wearer_id", sa.String(64)),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("audit_recent", "audit", ["user_name", "action", "wearer_id", "last_utc"])


def downgrade() -> None:
    for table in ("audit", "notes", "alerts", "sessions", "login_links", "grants", "users", "wearers"):
        op.drop_table(table)
