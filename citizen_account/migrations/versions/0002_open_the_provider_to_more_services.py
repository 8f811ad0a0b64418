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
        "initial_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("created_at", base.Instant(timezone=True), nullable=False),
        sa.Column("expires_at", base.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initial_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_initial_tokens_digest")),
    )
    with op.batch_alter_table("initial_tokens", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_initial_tokens_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "used_proofs",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", base.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_proofs")),
    )
    with op.batch_alter_table("used_proofs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_used_proofs_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "client_registrations",
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("initial_token_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", base.Instant(timezone=True), nullable=False),
        sa.Column("decided_at", base.Instant(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_client_registrations_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_registrations")),
    )
    with op.batch_alter_table("client_registrations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_client_registrations_asked_at"), ["asked_at"], unique=False
        )

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

    op.create_table(
        "resource_servers",
        sa.Column("id", sa.String(length=2048), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column(
            "token_format",
            sa.Enum("opaque", "jwt", name="tokenformat", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("signing_algorithm", sa.String(length=16), nullable=False),
        sa.Column("token_lifetime_seconds", sa.Integer(), nullable=False),
        sa.Column(
            "required_level",
            sa.Enum("low", "substantial", "high", name="level", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("max_age_seconds", sa.Integer(), nullable=True),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", base.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_resource_servers_client_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_servers")),
    )
    with op.batch_alter_table("resource_servers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_resource_servers_client_id"), ["client_id"], unique=False
        )

    with op.batch_alter_table("clients", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("userinfo_signed_response_alg", sa.String(length=16), nullable=True)
        )
        batch_op.add_column(sa.Column("jwks_tried_at", base.Instant(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column(
                "approval",
                sa.Enum(
                    "not_needed",
                    "pending",
                    "approved",
                    "refused",
                    "left",
                    name="approval",
                    native_enum=False,
                    length=32,
                ),
                nullable=True,
            )
        )
        batch_op.create_index(batch_op.f("ix_clients_approval"), ["approval"], unique=False)

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

    with op.batch_alter_table("clients", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clients_approval"))
        batch_op.drop_column("approval")
        batch_op.drop_column("jwks_tried_at")
        batch_op.drop_column("userinfo_signed_response_alg")

    with op.batch_alter_table("resource_servers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resource_servers_client_id"))

    op.drop_table("resource_servers")
    with op.batch_alter_table("pushed_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pushed_requests_expires_at"))

    op.drop_table("pushed_requests")
    with op.batch_alter_table("client_registrations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_client_registrations_asked_at"))

    op.drop_table("client_registrations")
    with op.batch_alter_table("used_proofs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_used_proofs_expires_at"))

    op.drop_table("used_proofs")
    with op.batch_alter_table("initial_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_initial_tokens_expires_at"))

    op.drop_table("initial_tokens")
