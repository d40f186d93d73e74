import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade():
    if op.get_context().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.execute("ALTER TYPE order_state ADD VALUE 'sent'")
    elif op.get_context().dialect.name in ("mysql", "mariadb"):
        op.alter_column(
            "orders",
            "state",
            existing_nullable=False,
            type_=sa.Enum("new", "paid", "sent", name="order_state"),
            existing_type=sa.Enum("new", "paid", name="order_state"),
        )
