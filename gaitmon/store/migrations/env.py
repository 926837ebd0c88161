"""Alembic's entry.  Registry hands over an open connection; there is no alembic.ini."""

from __future__ import annotations

from alembic import context

from gaitmon.store.registry_tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
