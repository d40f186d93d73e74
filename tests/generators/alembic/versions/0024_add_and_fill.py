import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade():
    op.add_column("orders", sa.Column("tax", sa.Numeric(10, 2)))
    op.execute("UPDATE orders SET tax = total * 0.19")
