import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade():
    if op.get_context().dialect.name != "sqlite":
        op.alter_column(
            "customers",
            "name",
            existing_type=sa.String(100),
            existing_nullable=False,
            type_=sa.String(200),
        )
