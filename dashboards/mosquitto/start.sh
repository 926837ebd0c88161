#!/bin/sh
# Writes the hashed passwords of the server and the first gateway, then runs the broker.  Users that
# were added later (mosquitto_passwd, docs/deployment.md) stay.  No password is ever an argument:
# printf is a builtin, and mosquitto_passwd -U hashes a file in place.
set -eu
umask 077
passwd=${GAITMON_PASSWD:-/mosquitto/data/passwd}
secrets=${GAITMON_SECRETS_DIR:-/run/secrets}
gateway=${GAITMON_GATEWAY:?names the first gateway}

case $gateway in
  server | *[!A-Za-z0-9_.-]*) echo "GAITMON_GATEWAY: not a gateway id: $gateway" >&2; exit 2 ;;
esac

fresh=$(mktemp "$passwd.XXXXXX")
for user in server "$gateway"; do
  secret=mqtt_gateway
  [ "$user" = server ] && secret=mqtt_server
  password=$(cat "$secrets/$secret")
  [ "${#password}" -ge 20 ] || { echo "$secret: empty or too short, run 'make secrets'" >&2; exit 2; }
  printf '%s:%s\n' "$user" "$password" >> "$fresh"
done
mosquitto_passwd -U "$fresh"
if [ -f "$passwd" ]; then
  awk -F: -v gateway="$gateway" '$1 != "server" && $1 != gateway' "$passwd" >> "$fresh"
fi
mv "$fresh" "$passwd"
exec "$@"
