"""Alembic's entry: runs the revisions on the connection that db.engine hands over, inside its transaction."""

from alembic import context

from db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
