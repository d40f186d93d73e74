import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.create_check_constraint("orders_total_positive", "orders", "total >= 0")
