//! A board with two places for firmware, `a`, which runs, and `b`, and the program that knows them (docs/firmware.md).

use super::root::RouterRoot;

/// The program, as the integrator of such a board would write it. The places are files of `/images` with the version that is in them. An image says its
/// version in a line `version ...`, as that of the other tests; one that says CORRUPT or UNSIGNED is refused, and one that says STUCK cannot be written.
const PROGRAM: &str = r#"
cd @ROOT@/images || exit 1
is() { [ "$1" = "$2" ] && echo true || echo false; }
case $1 in
list)
	comma='['
	for place in a b; do
		version=$(cat $place 2>/dev/null)
		[ -n "$version" ] && there=true || there=false
		printf '%s{"name":"%s","version":"%s","available":%s,"active":%s,"boot":%s,"failure":"%s"}' "$comma" \
			$place "$version" $there "$(is $place "$(cat active)")" "$(is $place "$(cat boot)")" "$(cat $place.failure 2>/dev/null)"
		comma=,
	done
	echo ']' ;;
activate)
	[ -e locked ] && { echo 'the environment of the boot loader is locked' >&2; exit 1; }
	printf %s "$2" >boot ;;
store)
	grep -q CORRUPT "@ROOT@$2" && { echo 'not for this board' >&2; exit 2; }
	grep -q UNSIGNED "@ROOT@$2" && { echo 'no signature' >&2; exit 3; }
	grep -q STUCK "@ROOT@$2" && { echo; echo 'bad block' >&2; exit 1; }
	sed -n 's/^version //p' "@ROOT@$2" >b ;;
*) exit 1 ;;
esac
"#;

pub const HOOK: &str = "/usr/libexec/cwmpd/firmware-images";

/// Makes a router such a board, with 24.10.4 in `a` and 24.10.2 in `b`.
pub fn install(root: &RouterRoot) {
    for (file, text) in [("a", "24.10.4"), ("b", "24.10.2"), ("active", "a"), ("boot", "a")] {
        root.write(&format!("/images/{file}"), text);
    }
    root.write_recorder(HOOK, PROGRAM);
}

/// How often the program was called, and how.
pub fn calls(root: &RouterRoot) -> Vec<String> {
    let calls = root.calls();
    calls.iter().filter_map(|call| call.strip_prefix(HOOK)).map(|call| call.trim_start().to_owned()).collect()
}
