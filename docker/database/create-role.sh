#!/bin/sh
# Run once, by the PostgreSQL image, in an empty database: the account gets a role that owns its
# own database and nothing else. Afterwards the superuser has no password: it is reached from
# inside the container only.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE citizen LOGIN PASSWORD :'password';
CREATE DATABASE citizen OWNER citizen;
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
