#!/bin/sh
# build.sh OUTDIR: makes OUTDIR/blobmsg, a program around the real blobmsg of libubox, from the sources that the crate libubox-sys carries.
# See ../once.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tools/once.sh
. "$here/../once.sh"

compile() {
    source=$1/vendor/libubox-sys/vendor/libubox
    gcc -O1 -std=gnu99 -w -D_GNU_SOURCE -I"$here" -I"$source" -o "$1/blobmsg" \
        "$here/blobmsg.c" "$source/blob.c" "$source/blobmsg.c" "$source/blobmsg_json.c"
}

# Bump with the recipe above or with blobmsg.c, so that an old program is built again.
once "$here" "$1" blobmsg 1
