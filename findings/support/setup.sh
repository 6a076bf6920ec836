# Sourced by each finding: a temporary folder that goes at the end, packages put
# into it, and a broker with an empty virtual host. It runs nothing of rmqplay
# but the script that makes test brokers, and that only without AMQP_URL.
#
# A finding ends with 0 when the behaviour is as its head says, with 1 and a
# line "CHANGED: ..." when it is not, with 2 when it could not be tried.
# shellcheck shell=bash

set -euo pipefail

SUPPORT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BROKERS=$SUPPORT/../../tests/brokers/brokers
TEMPORARY=$(mktemp -d)
CLUSTER=$SUPPORT/../../tests/brokers/cluster
MADE=  # the version that this run made a broker of
NODES= # set when this run made a cluster
VHOST= # the virtual host that this run made

changed() {
  echo "CHANGED: $1" >&2
  exit 1
}
cannot() {
  echo "not tried: $1" >&2
  exit 2
}

# What was made is taken down whatever happened, and never hides the outcome. Below
# a broker's folder lies the machine's /dev while it is mounted: if the broker could
# not be removed by its own script, nothing is.
finish() {
  local code=$?
  trap - EXIT
  [[ -z $VHOST ]] || management DELETE "/vhosts/$VHOST" >/dev/null || true
  [[ -z $NODES ]] || RMQPLAY_BROKERS_DIR="$TEMPORARY/brokers" "$CLUSTER" down || code=1
  if [[ -z $MADE ]] || make_brokers purge "$MADE"; then
    rm -rf --one-file-system -- "$TEMPORARY"
  else
    echo "left behind: $TEMPORARY" >&2
  fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

make_brokers() { env -u RMQPLAY_TEST_BROKERS RMQPLAY_BROKERS_DIR="$TEMPORARY/brokers" "$BROKERS" "$@"; }

management() { # METHOD PATH [BODY]
  curl --noproxy '*' -fsS -m 20 -u "$LOGIN" -X "$1" -H 'content-type: application/json' \
    ${3:+--data "$3"} "$MANAGEMENT_URL/api$2"
}

# Sets AMQP_URL (with a virtual host of this run), MANAGEMENT_URL, VHOST and
# VERSION. PLUGINS, names with commas between, are enabled in a broker that is made. The arguments are the versions that show the behaviour; without
# AMQP_URL a broker of the first one is made.
broker() {
  if [[ -z ${AMQP_URL:-} ]]; then
    local line
    MADE=$1
    line=$(RMQPLAY_BROKERS_PLUGINS=${PLUGINS:-} make_brokers up "$1") || cannot "no broker: set AMQP_URL, or see tests/brokers/README.md"
    AMQP_URL=${line#RMQPLAY_TEST_BROKERS=}
  fi
  [[ $AMQP_URL =~ ^amqp://(([^:@/]+:[^@/]+)@)?([^:@/]+)(:([0-9]+))?(/|$) ]] ||
    cannot "AMQP_URL is not of the form amqp://USER:PASSWORD@HOST:PORT"
  local host=${BASH_REMATCH[3]} port=${BASH_REMATCH[5]:-5672} minor
  LOGIN=${BASH_REMATCH[2]:-guest:guest}
  export MANAGEMENT_URL=${MANAGEMENT_URL:-http://$host:$((port + 10000))}
  VERSION=$(management GET /overview | sed -En 's/.*"rabbitmq_version":"([^"]+)".*/\1/p') || cannot "no answer from $MANAGEMENT_URL"
  for minor in "$@"; do
    [[ $VERSION != "$minor".* ]] || break
  done
  [[ $VERSION == "$minor".* ]] || cannot "this is about RabbitMQ $*, and the broker is $VERSION"
  local name=finding-$$-$RANDOM
  management PUT "/vhosts/$name" '{}' || cannot "no virtual host could be made"
  VHOST=$name
  export AMQP_URL=amqp://$LOGIN@$host:$port/$name VHOST LOGIN VERSION
  echo "on RabbitMQ $VERSION"
}

# As `broker`, for a cluster of three nodes of 4.3; RMQPLAY_TEST_CLUSTER and RMQPLAY_NODE, which stops and starts a node,
# name one that is there.
cluster() {
  if [[ -z ${RMQPLAY_TEST_CLUSTER:-} ]]; then
    local line
    MADE=4.3 NODES=made
    line=$(RMQPLAY_BROKERS_DIR="$TEMPORARY/brokers" "$CLUSTER" up) || cannot "no cluster: see tests/brokers/README.md"
    RMQPLAY_TEST_CLUSTER=${line#RMQPLAY_TEST_CLUSTER=}
    RMQPLAY_TEST_CLUSTER=${RMQPLAY_TEST_CLUSTER%% *}
    export RMQPLAY_NODE="env RMQPLAY_BROKERS_DIR=$TEMPORARY/brokers $CLUSTER"
  fi
  AMQP_URL=$RMQPLAY_TEST_CLUSTER
  broker 4.3
}

# Sets PYTHON to an interpreter that has the packages, and finding.py.
python_with() { # PACKAGE==VERSION...
  python3 -m venv "$TEMPORARY/python" || cannot 'python3 with venv is needed'
  PYTHON=$TEMPORARY/python/bin/python
  "$PYTHON" -m pip install --quiet --disable-pip-version-check "$@" || cannot "pip could not install $*"
  export PYTHONPATH=$SUPPORT PYTHONDONTWRITEBYTECODE=1
  echo "with $*"
}

# Sets PROGRAM to what cargo builds of a main.rs, which is read from standard
# input, with lapin and what it runs on. CARGO names another cargo.
lapin_program() { # VERSION OF LAPIN
  local target=${CARGO_TARGET_DIR:-$TEMPORARY/target}
  mkdir -p "$TEMPORARY/program/src"
  cat >"$TEMPORARY/program/src/main.rs"
  cat >"$TEMPORARY/program/Cargo.toml" <<TOML
[package]
name = "finding"
version = "0.0.0"
edition = "2024"
[dependencies]
lapin = { version = "=$1", default-features = false, features = ["tokio"] }
tokio = { version = "=1.54.1", features = ["rt-multi-thread", "macros", "time"] }
futures-util = { version = "=0.3.34", default-features = false }
[workspace]
TOML
  "${CARGO:-cargo}" build --quiet --manifest-path "$TEMPORARY/program/Cargo.toml" --target-dir "$target" ||
    cannot 'cargo could not build the program'
  PROGRAM=$TEMPORARY/finding
  cp "$target/debug/finding" "$PROGRAM"
  echo "with lapin $1"
}
