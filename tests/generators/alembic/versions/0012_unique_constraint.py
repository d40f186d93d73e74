import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.create_unique_constraint(
            "orders_number_once", "orders", ["number"], postgresql_nulls_not_distinct=True
        )
