import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade():
    with op.batch_alter_table("orders", recreate="never") as orders:
        orders.add_column(sa.Column("payer_id", sa.BigInteger))
        if op.get_context().dialect.name != "sqlite":
            orders.create_foreign_key(
                "orders_payer", "customers", ["payer_id"], ["id"], ondelete="SET NULL"
            )
