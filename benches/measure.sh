#!/bin/sh
# Prints, as a table, what the program takes: its size, memory in and out of a session that reads the whole tree, the programs it starts, and
# the memory of a long download.
set -eu
cd "$(dirname "$0")/.."
cargo bench --quiet --bench session
exec cargo bench --quiet --bench transfer
