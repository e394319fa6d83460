#!/bin/sh
# malta.sh PROGRAM URL: boots Debian's kernel for MIPS Malta, little endian, in qemu-system-mipsel, as a 24Kc with 64 MB, and starts PROGRAM on it with the
# ACS at URL; 10.0.2.2 is this computer. Prints what the console says, with the state of the agent and the memory that it takes, 20 s after its start.
# It begins in the year 2000, as without a battery; after those 20 s its clock is set to the present, and the agent is told as by ntpd.
#
#   apt-get install qemu-system-mips busybox-static
#   tests/router/malta.sh target/cross/mipsel/cwmpd http://10.0.2.2:7547/
#
# The kernel and a busybox for it come from Debian 12 by apt, with lists of packages of their own in target/malta: nothing is installed.
set -eu
program=$(realpath "$1")
url=$2
qemu=${QEMU_SYSTEM:-qemu-system-mipsel}
work=$(cd "$(dirname "$0")/../.." && pwd)/target/malta

apt() {
	apt-get -qq -o APT::Architecture=mipsel -o APT::Architectures::=mipsel -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
		-o Dir::State::status="$work/status" -o APT::Sandbox::User=root "$@"
}

mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
cd "$work"
if [ ! -d unpacked ]; then
	: >status
	apt update
	# What the meta package stands for.
	kernel=$(apt-cache -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Dir::State::status="$work/status" -o APT::Architecture=mipsel \
		-o APT::Architectures::=mipsel depends linux-image-4kc-malta | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p')
	apt download "$kernel" busybox-static
	for package in ./*.deb; do dpkg -x "$package" unpacked.new; done
	mv unpacked.new unpacked
fi

rm -rf root
mkdir -p root/bin root/lib root/usr/sbin root/etc/config root/etc/cwmpd root/proc root/sys root/dev root/tmp
ln -s tmp root/var
cp unpacked/bin/busybox root/bin/busybox
for applet in sh mount insmod ip mkdir sleep grep uname kill poweroff cat date; do ln -s busybox "root/bin/$applet"; done
find unpacked/lib/modules -name mii.ko -exec cp {} root/lib/ \; -o -name pcnet32.ko -exec cp {} root/lib/ \;
cp "$program" root/usr/sbin/cwmpd
printf "config acs 'acs'\n\toption url '%s'\n\nconfig cpe 'cpe'\n\toption listen_address '10.0.2.15'\n" "$url" >root/etc/config/cwmpd
printf "config interface 'wan'\n\toption device 'eth0'\n\toption proto 'static'\n\toption ipaddr '10.0.2.15'\n\toption netmask '255.255.255.0'\n" \
	>root/etc/config/network
# Later than all files in /etc, or the agent does not believe it.
echo $(($(date +%s) + 60)) >root/etc/present
cat >root/init <<'INIT'
#!/bin/sh
export PATH=/usr/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /tmp/run
insmod /lib/mii.ko
insmod /lib/pcnet32.ko
ip link set lo up
ip link set eth0 up
ip address add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
uname -a
cwmpd --stderr run &
agent=$!
sleep 20
cwmpd status --last
cwmpd status
grep -E '^(VmRSS|VmHWM|Threads)' /proc/$agent/status
date -u -s "@$(cat /etc/present)"
kill -USR1 $agent
sleep 5
cwmpd status --last
cwmpd status
kill $agent
sleep 1
poweroff -f
INIT
chmod 755 root/init
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >initrd.gz

# LD_LIBRARY_PATH and more for a qemu that lies elsewhere are its caller's.
exec $qemu -M malta -cpu 24Kc -m 64 -vga none -kernel unpacked/boot/vmlinuz-* -initrd initrd.gz -append 'console=ttyS0 panic=1 quiet' \
	-nographic -no-reboot -rtc base=2000-01-01T00:00:00 -nic none -netdev user,id=wan -device pcnet,netdev=wan,romfile= </dev/null
