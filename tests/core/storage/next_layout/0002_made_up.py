"""A made-up step after today's layout, with which tests try upgrades (`tests.databases.use_next_layout`)."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make two tables, the first with a row per raffle."""
    op.execute("CREATE TABLE made_up AS SELECT id, name FROM raffles")
    op.execute("CREATE TABLE made_up_too (id BIGINT PRIMARY KEY)")
