#!/bin/sh
# Run by the Postgres image when it makes its database: the user that invitewatch runs as, which owns nothing.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --set password="$POSTGRES_APP_PASSWORD" <<'SQL'
CREATE ROLE invitewatch LOGIN PASSWORD :'password';
SQL
