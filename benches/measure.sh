#!/bin/sh
# Prints, as a table, what the program takes: its size, memory in and out of a session that reads the whole tree, and the programs it starts.
set -eu
cd "$(dirname "$0")/.."
exec cargo bench --quiet --bench session
