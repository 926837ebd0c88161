#!/bin/sh
# `make test`: the real servers and the real browser that some tests run against, from Debian's packages.
# Only as root and where apt-get is; else it says what is missing, and those tests skip with their reason.
# Debian starts a server when it is installed: not here, where tests start their own on free ports.
set -eu

missing=
for pair in dbus-daemon:dbus-daemon mosquitto:mosquitto influxd:influxdb chromium:chromium chromedriver:chromium-driver; do
  PATH="$PATH:/usr/sbin:/usr/local/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "NOT INSTALLED:$missing.  Tests that need them will be skipped." >&2
  echo "To run them too:  sudo apt-get install --no-install-recommends$missing" >&2
  exit 0
fi

echo "installing for the tests:$missing"
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT INT TERM
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq </dev/null || true
for package in $missing; do # one by one: a package that a release does not have must not keep the others away
  apt-get install -y -qq --no-install-recommends "$package" </dev/null >/dev/null 2>&1 ||
    echo "NOT INSTALLED: $package could not be installed with apt-get.  Tests that need it will be skipped." >&2
  systemctl disable --now "$package" >/dev/null 2>&1 || true
done
