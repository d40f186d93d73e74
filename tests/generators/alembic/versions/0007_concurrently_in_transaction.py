import sqlalchemy as sa
from alembic import op
from alembic import context

revision = "0007"
down_revision = "0006"


def upgrade():
    # What Alembic then really does is for the server to refuse; this is never run for real.
    if context.is_offline_mode():
        op.create_index("orders_note", "orders", ["count"], postgresql_concurrently=True)
