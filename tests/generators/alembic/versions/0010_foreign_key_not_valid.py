import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.add_column("orders", sa.Column("country", sa.String(2)))
        op.create_foreign_key(
            "orders_country",
            "orders",
            "countries",
            ["country"],
            ["code"],
            postgresql_not_valid=True,
        )
