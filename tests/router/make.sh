#!/bin/sh
# make.sh ROOT UCI [[EMULATOR [OPTION]...] PROGRAM]: makes a router beneath ROOT to run scripts in, and the agent: busybox, the real `uci`, stand-ins for procd and the
# programs of OpenWrt, and a small configuration. ROOT is meant for chroot. Of PROGRAM it has the libraries, or the emulator that runs it
# (qemu-mipsel-static -cpu 24Kc PROGRAM), so that ROOT/cwmpd.program is what a package for this router has to bring.
set -eu
root=$1
uci=$(realpath "$2")
shift 2
emulator=
options=
if [ $# -gt 1 ]; then
	emulator=$(realpath "$(command -v "$1")")
	shift
	while [ $# -gt 1 ]; do
		options="$options $1"
		shift
	done
fi
program=${1:+$(realpath "$1")}
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$root"
cp -R "$here/root/." "$root"
cd "$root"
mkdir -p bin sbin usr/bin usr/sbin usr/lib/opkg/info etc/init.d etc/rc.d etc/uci-defaults lib tmp/run tmp/lock proc sys dev root www overlay
chmod 1777 tmp
[ -e dev/null ] || mknod -m 666 dev/null c 1 3
[ -e dev/urandom ] || mknod -m 666 dev/urandom c 1 9
[ -L var ] || ln -s tmp var

cp "$(command -v busybox)" bin/busybox
chroot . /bin/busybox --install -s /bin
for name in reboot firstboot jffs2reset wifi ifup ifdown logger; do
	# Not those of busybox, which would do it.
	rm -f "bin/$name" "sbin/$name"
	ln -sf recorder "sbin/$name"
done

# libraries FILE: copies what a program of this machine is linked with.
libraries() {
	for library in $(ldd "$1" 2>/dev/null | sed -n 's/.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p'); do
		[ -e ".$library" ] || { mkdir -p ".${library%/*}" && cp "$library" ".$library"; }
	done
}

cp "$uci" sbin/uci
libraries "$uci"
if [ -n "$emulator" ]; then
	mkdir -p usr/lib/foreign
	cp "$program" usr/lib/foreign/cwmpd
	cp "$emulator" usr/bin/emulator
	libraries "$emulator"
	printf '#!/bin/sh\nexec /usr/bin/emulator%s /usr/lib/foreign/cwmpd "$@"\n' "$options" >cwmpd.program
elif [ -n "$program" ]; then
	strip -o cwmpd.program "$program"
	libraries "$program"
fi

printf 'root:x:0:0:root:/root:/bin/ash\n' >etc/passwd
printf 'root:*:20000:0:99999:7:::\n' >etc/shadow
chmod 600 etc/shadow
printf 'nameserver 127.0.0.1\n' >etc/resolv.conf
printf 'hosts: files dns\n' >etc/nsswitch.conf
printf '127.0.0.1 localhost\n' >etc/hosts
