import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.drop_constraint("orders_payer", "orders", type_="foreignkey")
