"""What was announced of a raffle stays, and nothing that is final can be replaced by an INSERT."""

from alembic import op

from rafflekit.core.storage import rules

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the triggers."""
    bind = op.get_bind()
    for statement in rules.statements(bind.dialect.name, since=revision):
        bind.exec_driver_sql(statement)
