#!/bin/sh
# `make secrets`: random passwords for docker-compose.yml, made once; what is there is never changed.
#   .secrets/   one file per secret.  The folder is its owner's alone; the files in it are readable to
#               the containers' users, to whom they are mounted one by one.
#   .env        tells compose where they are.  Holds no secret itself.
set -eu
cd "${1:-.}"

umask 077
mkdir -p .secrets
chmod 700 .secrets
for name in mqtt_server mqtt_gateway influx_password influx_token grafana_password; do
  [ -s ".secrets/$name" ] && continue
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' > ".secrets/$name"
done
# Until the operator puts a read-only token in its place (docs/deployment.md).
[ -s .secrets/influx_grafana_token ] || cat .secrets/influx_token > .secrets/influx_grafana_token
chmod 644 .secrets/*

[ -f .env ] || : > .env
grep -q '^GAITMON_SECRETS=' .env || echo 'GAITMON_SECRETS=./.secrets' >> .env
grep -q '^GAITMON_GATEWAY=' .env || echo 'GAITMON_GATEWAY=gw1' >> .env
