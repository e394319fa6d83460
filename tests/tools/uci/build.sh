#!/bin/sh
# build.sh OUTDIR: makes OUTDIR/uci, the real `uci` program, from the sources that the crate libuci-sys carries. See ../once.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tools/once.sh
. "$here/../once.sh"

compile() {
    source=$1/vendor/libuci-sys/uci
    # cmake would make this of uci_config.h.in; both of its switches are for debugging and off.
    : >"$1/uci_config.h"
    # blob.c is left out: it is the bridge to libubox, and the program does without it.
    gcc -O1 -std=gnu99 -w -I"$1" -I"$source" -o "$1/uci" \
        "$source/cli.c" "$source/libuci.c" "$source/file.c" "$source/util.c" "$source/delta.c" "$source/parse.c"
}

# Bump with the recipe above, so that an old program is built again.
once "$here" "$1" uci 1
