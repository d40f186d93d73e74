import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade():
    with op.get_context().autocommit_block():
        op.drop_index("orders_total", "orders", postgresql_concurrently=True)
