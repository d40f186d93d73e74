import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.create_table_comment("orders", "what was ordered")
