import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade():
    countries = sa.table("countries", sa.column("code", sa.String), sa.column("name", sa.String))
    op.bulk_insert(countries, [{"code": "DE", "name": "Germany"}, {"code": "FR", "name": "France"}])
