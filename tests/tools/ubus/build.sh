#!/bin/sh
# build.sh OUTDIR: makes OUTDIR/blobmsg, a program around the real blobmsg of libubox, from the sources that the crate libubox-sys carries.
# Needs cargo and gcc, and once the crates of Cargo.lock (from cargo's cache or the registry). Does nothing when it is already there.
# Safe against several callers at once: one builds, the others wait for it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)

# Bump with the recipe below or with blobmsg.c, so that an old program is built again.
recipe=1
program=$out/blobmsg-$recipe

exec 9>"$out/.lock"
flock 9
if [ ! -x "$program" ]; then
    work=$(mktemp -d "$out/build.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    # A copy of the manifest: cargo writes beside it, and the sources may be read-only.
    cp "$here/Cargo.toml" "$here/Cargo.lock" "$here/empty.rs" "$work/"
    vendor() { cargo vendor --quiet --locked "$@" --manifest-path "$work/Cargo.toml" "$work/vendor" >"$work/vendor.log" 2>&1; }
    vendor --offline || vendor || { cat "$work/vendor.log" >&2; exit 1; }
    source=$work/vendor/libubox-sys/vendor/libubox
    gcc -O1 -std=gnu99 -w -D_GNU_SOURCE -I"$here" -I"$source" -o "$work/blobmsg" \
        "$here/blobmsg.c" "$source/blob.c" "$source/blobmsg.c" "$source/blobmsg_json.c"
    mv "$work/blobmsg" "$program"
fi
ln -sf "blobmsg-$recipe" "$out/.blobmsg.new"
mv -f "$out/.blobmsg.new" "$out/blobmsg"
