import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.alter_column(
            "orders",
            "number",
            existing_type=sa.String(20),
            existing_nullable=False,
            type_=sa.Integer,
            nullable=False,
            postgresql_using="number::integer",
        )
