#!/bin/sh
# boot.sh ROOT: boots a router that make.sh has made, as the first process of mount and PID namespaces of its own, in the network that it is started in:
#
#   unshare --mount --pid --fork --kill-child tests/router/boot.sh ROOT
#
# When that ends, so do all of its processes: power off. The network has devices `wan` and `br-lan`. Each boot has an empty /tmp and an id of its own.
set -eu
root=$1

mount --make-rprivate /
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
find "$root/tmp" -mindepth 1 -delete
cp /proc/sys/kernel/random/uuid "$root/tmp/boot_id"
mount --bind "$root/tmp/boot_id" "$root/proc/sys/kernel/random/boot_id"
exec chroot "$root" /sbin/init
