import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.alter_column(
            "orders", "remark", existing_type=sa.String(100), nullable=False, server_default=""
        )
