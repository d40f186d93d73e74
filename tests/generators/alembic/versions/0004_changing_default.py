import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade():
    now = (
        sa.func.clock_timestamp()
        if op.get_context().dialect.name == "postgresql"
        else sa.func.now()
    )
    default = None if op.get_context().dialect.name == "sqlite" else now
    op.add_column("orders", sa.Column("placed", sa.DateTime, server_default=default))
