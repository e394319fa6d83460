# shellcheck shell=sh disable=SC3043
# Stands for OpenWrt's procd.sh and for procd: each call is a line in /tmp/procd.log, and the service runs under /sbin/procd.

procd_say() {
	printf '%s\n' "$*" >>/tmp/procd.log
}

procd_begin() {
	procd_service=$1
	procd_command=
	procd_signal=
	procd_watched=
	procd_say "service $1"
}

procd_begin_triggers() {
	procd_say triggers
}

procd_open_instance() { procd_say "procd_open_instance $*"; }
procd_close_instance() { procd_say procd_close_instance; }
procd_add_jail() { procd_say "procd_add_jail $*"; }
procd_open_data() { procd_say procd_open_data; }
procd_close_data() { procd_say procd_close_data; }
procd_add_reload_trigger() { procd_say "procd_add_reload_trigger $*"; }
procd_add_interface_trigger() { procd_say "procd_add_interface_trigger $*"; }
procd_set_config_changed() { procd_say "procd_set_config_changed $*"; }
json_add_array() { procd_say "json_add_array $*"; }
json_close_array() { procd_say json_close_array; }
json_add_object() { procd_say "json_add_object $*"; }
json_close_object() { procd_say json_close_object; }
json_add_string() { procd_say "json_add_string $*"; }

procd_set_param() {
	procd_say "procd_set_param $*"
	case $1 in
	command)
		shift
		procd_command=$*
		;;
	reload_signal) procd_signal=$2 ;;
	file)
		shift
		procd_watched=$*
		;;
	esac
}

# procd_send_signal SERVICE INSTANCE SIGNAL
procd_send_signal() {
	procd_say "procd_send_signal $*"
	[ ! -f "/tmp/procd/$1.pid" ] || kill "-$3" "$(cat "/tmp/procd/$1.pid")"
}

# Starts what is not running. What runs with the same command gets its signal where a file of it has changed, and is started again otherwise.
procd_end() {
	local before now

	mkdir -p /tmp/procd
	# shellcheck disable=SC2086 # they are words
	now=$(md5sum $procd_watched 2>/dev/null)
	before=$(cat "/tmp/procd/$procd_service.files" 2>/dev/null)
	printf '%s\n' "$now" >"/tmp/procd/$procd_service.files"
	[ -n "$procd_command" ] || return 0
	if [ "$(cat "/tmp/procd/$procd_service.command" 2>/dev/null)" = "$procd_command" ]; then
		[ "$now" = "$before" ] || procd_send_signal "$procd_service" '*' "${procd_signal:-TERM}"
		return 0
	fi
	procd_kill "$procd_service"
	printf '%s\n' "$procd_command" >"/tmp/procd/$procd_service.command"
	[ -n "$PROCD_RECORDS_ONLY" ] || setsid /sbin/procd "$procd_service" </dev/null >/dev/null 2>&1 &
}

procd_kill() {
	local pid

	procd_say "procd_kill $1"
	rm -f "/tmp/procd/$1.command" "/tmp/procd/$1.procd"
	[ -f "/tmp/procd/$1.pid" ] || return 0
	pid=$(cat "/tmp/procd/$1.pid")
	kill -TERM "$pid" 2>/dev/null
	while kill -0 "$pid" 2>/dev/null; do usleep 20000; done
	rm -f "/tmp/procd/$1.pid"
}
