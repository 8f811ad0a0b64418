"""Open the provider to more services.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from citizen_account.storage import base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_proofs",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", base.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_proofs")),
    )
    with op.batch_alter_table("used_proofs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_used_proofs_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "pushed_requests",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", base.Instant(timezone=True), nullable=False),
        sa.Column("used_at", base.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_pushed_requests_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pushed_requests")),
    )
    with op.batch_alter_table("pushed_requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_pushed_requests_expires_at"), ["expires_at"], unique=False
        )

    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("resources", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("confirmation", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("interactions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pushed", sa.LargeBinary(length=32), nullable=True))

    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("resource", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("confirmation", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.drop_column("confirmation")
        batch_op.drop_column("resource")

    with op.batch_alter_table("interactions", schema=None) as batch_op:
        batch_op.drop_column("pushed")

    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.drop_column("confirmation")
        batch_op.drop_column("resources")

    with op.batch_alter_table("pushed_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pushed_requests_expires_at"))

    op.drop_table("pushed_requests")
    with op.batch_alter_table("used_proofs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_used_proofs_expires_at"))

    op.drop_table("used_proofs")
