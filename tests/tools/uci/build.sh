#!/bin/sh
# build.sh OUTDIR: makes OUTDIR/uci, the real `uci` program, from the sources that the crate libuci-sys carries.
# Needs cargo and gcc, and once the crates of Cargo.lock (from cargo's cache or the registry). Does nothing when it is already there.
# Safe against several callers at once: one builds, the others wait for it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)

# Bump with the recipe below, so that an old program is built again.
recipe=1
program=$out/uci-$recipe

exec 9>"$out/.lock"
flock 9
if [ ! -x "$program" ]; then
    work=$(mktemp -d "$out/build.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    # A copy of the manifest: cargo writes beside it, and the sources may be read-only.
    cp "$here/Cargo.toml" "$here/Cargo.lock" "$here/empty.rs" "$work/"
    vendor() { cargo vendor --quiet --locked "$@" --manifest-path "$work/Cargo.toml" "$work/vendor" >"$work/vendor.log" 2>&1; }
    vendor --offline || vendor || { cat "$work/vendor.log" >&2; exit 1; }
    source=$work/vendor/libuci-sys/uci
    # cmake would make this of uci_config.h.in; both of its switches are for debugging and off.
    : >"$work/uci_config.h"
    # blob.c is left out: it is the bridge to libubox, and the program does without it.
    gcc -O1 -std=gnu99 -w -I"$work" -I"$source" -o "$work/uci" \
        "$source/cli.c" "$source/libuci.c" "$source/file.c" "$source/util.c" "$source/delta.c" "$source/parse.c"
    mv "$work/uci" "$program"
fi
ln -sf "uci-$recipe" "$out/.uci.new"
mv -f "$out/.uci.new" "$out/uci"
