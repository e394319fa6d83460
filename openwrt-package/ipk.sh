#!/bin/sh
# ipk.sh BINARY ARCH VERSION [DIRECTORY]: packs a program and files/ into DIRECTORY/cwmpd_VERSION_ARCH.ipk, without the SDK, and prints its name. The same
# input gives the same bytes. ARCH is OpenWrt's, such as mipsel_24kc: `opkg print-architecture` names those that a router takes.
#
#   PACKAGE=cwmpd-mini     another name, for a program without TLS and optional features
#   LEVEL=1                another level of gzip
#   SOURCE_DATE_EPOCH=...  the time of all files in it; otherwise that of the last commit
set -eu

if [ $# -lt 3 ] || [ $# -gt 4 ]; then
	echo "Usage: $0 BINARY ARCH VERSION [DIRECTORY]" >&2
	exit 2
fi
program=$1
arch=$2
version=$3
out=${4:-.}
package=${PACKAGE:-cwmpd}
here=$(cd "$(dirname "$0")/.." && pwd)
time=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 0)}
# opkg takes no other characters; they would also be part of file names here.
case $package$arch$version in
*[!A-Za-z0-9._+~-]*)
	echo "$0: a name, architecture or version of letters, digits and ._+~- is needed" >&2
	exit 2
	;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/data/usr/sbin" "$work/control"

cp -R "$here/files/." "$work/data"
cp "$program" "$work/data/usr/sbin/cwmpd"
find "$work/data" -type d -exec chmod 755 {} +
find "$work/data" -type f -exec chmod 644 {} +
for script in usr/sbin/cwmpd $(cd "$here/files" && find . -type f -perm -100); do
	chmod 755 "$work/data/$script"
done
chmod 600 "$work/data/etc/config/cwmpd"
if [ "$package" != cwmpd ]; then
	# Of no use to a program without the features.
	(cd "$work/data" && rm -rf etc/uci-defaults/96-cwmpd-dhcp etc/udhcpc.user.d etc/odhcp6c.user.d usr/lib/cwmpd)
fi

# The program of cross/build.sh brings its own C library. What its scripts run is in every image, but for the certificates of authorities.
depends='uci, ubus'
provides=cwmp-agent
conflicts=
if [ "$package" = cwmpd ]; then
	depends="$depends, ca-bundle"
else
	provides="cwmpd, $provides"
	conflicts=cwmpd
fi
size=$(find "$work/data" -type f -exec wc -c {} + | awk '$2 != "total" { sum += $1 } END { print sum }')
{
	printf 'Package: %s\nVersion: %s\nDepends: %s\nProvides: %s\n' "$package" "$version" "$depends" "$provides"
	[ -z "$conflicts" ] || printf 'Conflicts: %s\n' "$conflicts"
	printf 'License: MIT\nSection: net\nArchitecture: %s\nInstalled-Size: %s\n' "$arch" "$size"
	printf 'Description: TR-069 (CWMP) agent\n Lets an auto configuration server manage the router.\n'
} >"$work/control/control"
printf '/etc/config/cwmpd\n' >"$work/control/conffiles"
# As the SDK writes them: functions.sh runs uci-defaults, enables and starts the service, and the other way round. With IPKG_INSTROOT, when an image is
# made, it does only what concerns that directory.
# shellcheck disable=SC2016 # for the router's shell
printf '#!/bin/sh\n[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n. ${IPKG_INSTROOT}/lib/functions.sh\ndefault_postinst $0 $@\n' \
	>"$work/control/postinst"
# shellcheck disable=SC2016
printf '#!/bin/sh\n. ${IPKG_INSTROOT}/lib/functions.sh\ndefault_prerm $0 $@\n' >"$work/control/prerm"
chmod 755 "$work/control/postinst" "$work/control/prerm"
chmod 644 "$work/control/control" "$work/control/conffiles"
printf '2.0\n' >"$work/debian-binary"

# pack DIRECTORY NAME...: a tar whose bytes depend on nothing but what is in it.
pack() {
	tar -C "$1" --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner --format=gnu -cf - "$2" ${3:+"$3"} ${4:+"$4"} | gzip "-${LEVEL:-9}n"
}

pack "$work/data" . >"$work/data.tar.gz"
pack "$work/control" . >"$work/control.tar.gz"
mkdir -p "$out"
pack "$work" ./debian-binary ./control.tar.gz ./data.tar.gz >"$out/${package}_${version}_$arch.ipk"
echo "$out/${package}_${version}_$arch.ipk"
