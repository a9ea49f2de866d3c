"""A counter goes forward, to the last ticket and no further: tickets are counted by the group."""

from alembic import op

from rafflekit.core.storage import rules

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the trigger."""
    bind = op.get_bind()
    for statement in rules.statements(bind.dialect.name, since=revision):
        bind.exec_driver_sql(statement)
