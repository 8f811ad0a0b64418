"""Remember at a client when all that it was granted ended: some of its tokens have no row.

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from citizen_account.storage import base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("clients", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("grants_ended_at", base.Instant(timezone=True), nullable=True)
        )


def downgrade() -> None:
    with op.batch_alter_table("clients", schema=None) as batch_op:
        batch_op.drop_column("grants_ended_at")
