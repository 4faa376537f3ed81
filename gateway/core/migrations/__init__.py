"""The one Alembic environment, and what runs the plugins' histories through it."""
