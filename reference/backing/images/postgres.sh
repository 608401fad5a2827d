#!/bin/sh
# Speaks the part of the public image's contract that is needed: POSTGRES_USER, POSTGRES_PASSWORD and the server's flags.
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
data=/var/lib/postgresql/data
if [ ! -e "$data/PG_VERSION" ]; then
	password=$(mktemp)
	printf '%s\n' "$POSTGRES_PASSWORD" >"$password"
	initdb -D "$data" -U "$POSTGRES_USER" --pwfile "$password" --auth scram-sha-256 \
		--no-sync --encoding UTF8 --no-locale --no-instructions >/dev/null
	rm "$password"
	echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
fi
unset POSTGRES_PASSWORD
exec "$@" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
