#!/bin/sh
# run.sh [EMULATOR [OPTION]...] PROGRAM: a router to look at, with the agent on it, until the shell on it ends. Run it as root, from the clone. The internet is the network
# namespace `cwmpd-internet` with 198.51.100.1, so an ACS for it is started with `ip netns exec cwmpd-internet ...`; a host in the LAN is `cwmpd-lan` with
# 192.168.1.2. The port of connection requests is 198.51.100.2:7547.
#
#   cargo build && tests/router/run.sh target/debug/cwmpd
#   tests/router/run.sh qemu-mipsel-static -cpu 24Kc target/cross/mipsel/cwmpd
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
init=

clean() {
	[ -z "$init" ] || kill -KILL "$init" 2>/dev/null || :
	for name in internet router lan; do ip netns del "cwmpd-$name" 2>/dev/null || :; done
	rm -rf "$root"
}
trap clean EXIT
trap 'exit 1' INT TERM

"$here/../tools/uci/build.sh" "$root/tools"
"$here/make.sh" "$root" "$root/tools/uci" "$@"
package=$(LEVEL=1 "$here/../../openwrt-package/ipk.sh" "$root/cwmpd.program" all 0.1.0 "$root")
PROCD_RECORDS_ONLY=1 chroot "$root" /bin/opkg install "/${package##*/}"

for name in internet router lan; do
	ip netns add "cwmpd-$name"
	ip -n "cwmpd-$name" link set lo up
done
ip -n cwmpd-router link add wan type veth peer name isp netns cwmpd-internet
ip -n cwmpd-router link add br-lan type veth peer name eth0 netns cwmpd-lan
ip -n cwmpd-internet address add 198.51.100.1/24 dev isp
ip -n cwmpd-internet link set isp up
ip -n cwmpd-lan address add 192.168.1.2/24 dev eth0
ip -n cwmpd-lan link set eth0 up

ip netns exec cwmpd-router unshare --mount --pid --fork --kill-child "$here/boot.sh" "$root" </dev/null >"$root/console" 2>&1 &
init=$!
until [ -e "$root/tmp/booted" ]; do sleep 0.1; done
first=$(cat "/proc/$init/task/$init/children")
echo 'The router is up: cwmpd status, uci set cwmpd.acs.url=http://198.51.100.1:7547/ ... exit ends it.'
nsenter --target "${first%% *}" --mount --net --pid chroot "$root" /bin/sh || :
