"""The first layout: today's, as `schema` and `rules` make it.

Before you add a second step, write out here what this one makes. Otherwise this step already makes what the second one
adds, and the tests of migrations fail.
"""

from alembic import op

from rafflekit.core.storage import rules

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and the triggers that hold their rules."""
    rules.make_tables(op.get_bind())
