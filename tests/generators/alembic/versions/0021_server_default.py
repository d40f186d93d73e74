import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.alter_column(
            "orders",
            "priority",
            existing_type=sa.Integer,
            existing_nullable=False,
            server_default="5",
        )
