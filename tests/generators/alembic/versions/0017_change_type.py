import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.alter_column("orders", "count", existing_type=sa.Integer, type_=sa.BigInteger)
