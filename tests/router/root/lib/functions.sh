# shellcheck shell=sh disable=SC3043,SC2013
# Stands for OpenWrt's functions.sh: reading of UCI, on the program `uci`.

config_load() {
	CONFIG_PACKAGE=$1
}

# config_get VARIABLE SECTION OPTION [DEFAULT]
config_get() {
	local value

	value=$(uci -q get "$CONFIG_PACKAGE.$2.$3")
	value=${value:-$4}
	export "$1=$value"
}

config_get_bool() {
	config_get "$@"
	eval "case \$$1 in
	1 | on | true | yes | enabled) $1=1 ;;
	0 | off | false | no | disabled) $1=0 ;;
	*) $1=\$4 ;;
	esac"
}

# config_foreach FUNCTION TYPE [ARGUMENT...]
config_foreach() {
	local function type section

	function=$1
	type=$2
	shift 2
	for section in $(uci -q -X show "$CONFIG_PACKAGE" | sed -n "s/^$CONFIG_PACKAGE\.\([^.=]*\)=$type\$/\1/p"); do
		"$function" "$section" "$@"
	done
}

# What maintainer scripts of packages call: postinst runs uci-defaults, and enables and starts services; prerm is the way back.
default_postinst() {
	local root package path

	root=$IPKG_INSTROOT
	package=${1##*/}
	package=${package%.*}
	for path in $(sed -n '/^\/etc\/uci-defaults\//p' "$root/usr/lib/opkg/info/$package.list"); do
		# shellcheck disable=SC1090
		[ -n "$root" ] || { ( [ -f "$path" ] && cd "${path%/*}" && . "$path" ) && rm -f "$path"; }
	done
	for path in $(sed -n '/^\/etc\/init.d\//p' "$root/usr/lib/opkg/info/$package.list"); do
		if [ -n "$root" ]; then
			sh "$root/etc/rc.common" "$root$path" enable
		else
			[ "$PKG_UPGRADE" = 1 ] || "$path" enable
			"$path" start
		fi
	done
}

default_prerm() {
	local root package path

	root=$IPKG_INSTROOT
	package=${1##*/}
	package=${package%.*}
	for path in $(sed -n '/^\/etc\/init.d\//p' "$root/usr/lib/opkg/info/$package.list"); do
		if [ -n "$root" ]; then
			sh "$root/etc/rc.common" "$root$path" disable
		else
			[ "$PKG_UPGRADE" = 1 ] || "$path" disable
			"$path" stop
		fi
	done
}
