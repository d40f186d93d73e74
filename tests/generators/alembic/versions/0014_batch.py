import sqlalchemy as sa
from alembic import op

COUNTRIES = sa.Table(
    "countries",
    sa.MetaData(),
    sa.Column("code", sa.String(2), primary_key=True),
    sa.Column("name", sa.String(50)),
)

revision = "0014"
down_revision = "0013"


def upgrade():
    # Elsewhere these are three statements; SQLite needs a new table.
    with op.batch_alter_table("countries", copy_from=COUNTRIES) as countries:
        countries.alter_column("name", existing_type=sa.String(50), nullable=False)
        countries.add_column(sa.Column("region", sa.String(20)))
        countries.create_unique_constraint("countries_name", ["name"])
