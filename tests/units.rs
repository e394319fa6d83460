//! Software modules as an ACS meets them: ChangeDUState with the package managers of OpenWrt, and what others change (CONFORMANCE ).
//!
//! The package managers are stand-ins that keep the same databases and complain in the same words as the real ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::io::Read;
use std::time::Duration;

use common::acs::{Acs, Session, acs_fault, codes, wait_for};
use common::agent::{Agent, again};
use common::http_server::{Act, Received, Server, reply};
use common::root::RouterRoot;
use cwmpd::auth::digest;
use cwmpd::soap::rpc::{DuOperation, DuResult, Message};
use nix::sys::signal::Signal;

const UNIT: &str = "Device.SoftwareModules.DeploymentUnit.";
const GIVEN: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const OTHER: &str = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";
const THIRD: &str = "6ba7b812-9dad-11d1-80b4-00c04fd430c8";
const NO_UUID: &str = "00000000-0000-0000-0000-000000000000";
const USER: &str = "shelf-user";
const SECRET: &str = "shelf-secret-0815";
const AUTONOMOUS: &str = "12 AUTONOMOUS DU STATE CHANGE COMPLETE";
const COMPLETE: [&str; 2] = ["11 DU STATE CHANGE COMPLETE", "M ChangeDUState"];

const STATUS: &str = "/usr/lib/opkg/status";
const INSTALLED: &str = "/lib/apk/db/installed";

/// What both have in common. A package is a text with its fields; the feed has one under each name.
const COMMON: &str = "for argument; do printf '[%s]' \"$argument\"; done >>\"$root/arguments.log\"
echo >>\"$root/arguments.log\"
field() { sed -n \"s/^$1: //p\" \"$2\" | head -n 1; }
is_older() { [ \"$1\" != \"$2\" ] && [ \"$(printf '%s\\n%s\\n' \"$1\" \"$2\" | sort -V | head -n 1)\" = \"$1\" ]; }
";

const OPKG: &str = "db=$root/usr/lib/opkg/status
fail() {
	echo 'Collected errors:' >&2
	for line; do printf ' * %s\\n' \"$line\" >&2; done
	exit 255
}
installed() { sed -n \"/^Package: $1\\$/,/^\\$/s/^Version: //p\" \"$db\"; }
drop() { awk -v name=\"$1\" 'BEGIN { RS=\"\"; ORS=\"\\n\\n\" } $2 != name' \"$db\" >\"$db.new\"; mv \"$db.new\" \"$db\"; }
mkdir \"$root/lock\" 2>/dev/null ||
	fail 'opkg_conf_load: Could not lock /var/lock/opkg.lock: Resource temporarily unavailable.'
trap 'rmdir \"$root/lock\"' EXIT
case $1 in
update)
	echo 'Downloading http://feed.example.com/Packages.gz'
	exit 0 ;;
install | upgrade)
	file=$root/feed/$2
	case $2 in *.ipk) file=$root$2 ;; esac
	[ -e \"$file\" ] || { echo \"Unknown package '$2'.\"; fail \"opkg_install_cmd: Cannot install package $2.\"; }
	name=$(field Package \"$file\")
	version=$(field Version \"$file\")
	[ -n \"$name\" ] || fail \"pkg_init_from_file: Malformed package file $2.\"
	last=\"opkg_install_cmd: Cannot install package $name.\"
	old=$(installed \"$name\")
	grep -q '^Architecture: other' \"$file\" && {
		echo \"Unknown package '$name'.\"
		fail \"pkg_hash_fetch_best_installation_candidate: Packages for $name found, but incompatible with the architectures configured\" \"$last\"
	}
	[ \"$old\" = \"$version\" ] && { echo \"Package $name ($old) installed in root is up to date.\"; exit 0; }
	[ -n \"$old\" ] && is_older \"$version\" \"$old\" && {
		echo \"Not downgrading package $name on root from $old to $version.\"
		exit 0
	}
	echo \"Installing $name ($version) to root...\"
	grep -q '^Slow:' \"$file\" && sleep \"$(field Slow \"$file\")\"
	grep -q '^Large:' \"$file\" &&
		fail \"verify_pkg_installable: Only have 344kb available on filesystem /overlay, pkg $name needs 9000\" \"$last\"
	grep -q '^Depends:' \"$file\" &&
		fail \"satisfy_dependencies_for: Cannot satisfy the following dependencies for $name:\" \"	libmissing *\" \"$last\"
	grep -q '^Gone:' \"$file\" &&
		fail \"opkg_download: Failed to download http://me:hidden@feed.example.com/$name.ipk, wget returned 8.\" \
			\"opkg_install_pkg: Failed to download $name. Perhaps you need to run 'opkg update'?\" \"$last\"
	echo \"Configuring $name.\"
	drop \"$name\"
	needed=$(field Brings \"$file\")
	[ -n \"$needed\" ] && drop \"$needed\" && printf 'Package: %s\\nVersion: %s\\nStatus: install user installed\\nAuto-Installed: yes\\n\\n' \
		\"$needed\" \"$version\" >>\"$db\"
	printf 'Package: %s\\nVersion: %s\\nStatus: install user installed\\nInstalled-Time: 1719000000\\n\\n' \"$name\" \"$version\" >>\"$db\"
	mkdir -p \"$root/usr/lib/opkg/info\"
	echo \"/etc/init.d/$name\" >\"$root/usr/lib/opkg/info/$name.list\"
	;;
remove)
	[ -n \"$(installed \"$2\")\" ] || { echo 'No packages removed.'; exit 0; }
	[ \"$2\" = libneeded ] && fail \"print_dependents_warning: Package $2 is depended upon by packages:\" \
		'print_dependents_warning: 	dnsmasq' \"print_dependents_warning: These might cease to work if package $2 is removed.\" ''
	echo \"Removing package $2 from root...\"
	drop \"$2\"
	;;
*) exit 1 ;;
esac
";

const APK: &str = "db=$root/lib/apk/db/installed
world=$root/etc/apk/world
fail() { for line; do printf '%s\\n' \"$line\" >&2; done; exit 1; }
installed() { sed -n \"/^P:$1\\$/,/^\\$/s/^V://p\" \"$db\"; }
drop() {
	awk -v name=\"P:$1\" 'BEGIN { RS=\"\"; FS=\"\\n\"; ORS=\"\\n\\n\" } $1 != name && $2 != name' \"$db\" >\"$db.new\"
	mv \"$db.new\" \"$db\"
}
case $1 in
update)
	fail 'WARNING: updating and opening https://feed.example.com/packages.adb: DNS: transient error (try again later)' ;;
add)
	for last; do :; done
	file=$root/feed/$last
	case $last in *.apk) file=$root$last ;; esac
	[ -e \"$file\" ] || fail 'ERROR: unable to select packages:' \"  $last (no such package):\" \"    required by: world[$last]\"
	grep -q '^Unsigned:' \"$file\" && fail \"ERROR: $last: UNTRUSTED signature\"
	name=$(field Package \"$file\")
	version=$(field Version \"$file\")
	[ -n \"$name\" ] || fail \"ERROR: $last: v2 package format error\"
	grep -q '^Architecture: other' \"$file\" && fail 'ERROR: unable to select packages:' \"  $name-$version:\" \
		'    error: uninstallable' '    arch: mips_other' \"    satisfies: world[$name]\"
	grep -q '^Depends:' \"$file\" && fail 'ERROR: unable to select packages:' '  libmissing (no such package):' \
		\"    required by: $name-$version[libmissing]\"
	grep -q '^Large:' \"$file\" && fail \"(1/1) Installing $name ($version)\" \"ERROR: $name-$version: No space left on device\" '1 error; 12 MiB in 40 packages'
	old=$(installed \"$name\")
	# Without --upgrade what is there is good enough, unless it is a file.
	case $last in *.apk) ;; *) [ -n \"$old\" ] && [ \"$2\" != --upgrade ] && version=$old ;; esac
	drop \"$name\"
	printf 'C:Q1\\nP:%s\\nV:%s\\nT:a package\\nF:etc/init.d\\nR:%s\\n\\n' \"$name\" \"$version\" \"$name\" >>\"$db\"
	grep -qx \"$name\" \"$world\" || echo \"$name\" >>\"$world\"
	echo 'OK: 12 MiB in 41 packages' ;;
del)
	sed -i \"/^$2\\$/d\" \"$world\"
	if [ \"$2\" = libneeded ]; then
		echo 'World updated, but the following packages are not removed due to:'
		echo '  libneeded: dnsmasq'
	else
		drop \"$2\"
	fi
	echo 'OK: 12 MiB in 40 packages' ;;
*) exit 1 ;;
esac
";

fn with_opkg(root: &RouterRoot) {
    let package = |name: &str| {
        format!("Package: {name}\nVersion: 1.2-r4\nStatus: install user installed\nInstalled-Time: 1719000000\n\n")
    };
    root.write(STATUS, ["libc", "libneeded", "dnsmasq", "cwmpd"].map(package).concat());
    root.write_recorder("/bin/opkg", &format!("{COMMON}{OPKG}"));
}

fn with_apk(root: &RouterRoot) {
    root.write(INSTALLED, "P:libc\nV:1.2\n\nP:libneeded\nV:1.2\n\nP:dnsmasq\nV:2.9\n\n");
    root.write("/etc/apk/world", "dnsmasq\nlibneeded\n");
    root.write_recorder("/usr/bin/apk", &format!("{COMMON}{APK}"));
}

/// What the package manager was called with, an argument in each pair of brackets.
fn arguments(root: &RouterRoot) -> String {
    std::fs::read_to_string(root.at("/arguments.log")).unwrap_or_default()
}

/// A package as the stand-ins have it.
fn package(name: &str, version: &str, more: &str) -> String {
    format!("Package: {name}\nVersion: {version}\n{more}")
}

fn feed(root: &RouterRoot, name: &str, version: &str, more: &str) {
    root.write(&format!("/feed/{name}"), package(name, version, more));
}

fn install(url: &str, uuid: &str) -> DuOperation {
    let empty = String::new;
    DuOperation::Install { url: url.into(), uuid: uuid.into(), username: empty(), password: empty(), exec_env: empty() }
}

fn with_login(url: &str, uuid: &str) -> DuOperation {
    DuOperation::Install {
        url: url.into(),
        uuid: uuid.into(),
        username: USER.into(),
        password: SECRET.into(),
        exec_env: "Device.SoftwareModules.ExecEnv.1".into(),
    }
}

fn update(uuid: &str, url: &str, version: &str) -> DuOperation {
    let empty = String::new;
    DuOperation::Update {
        uuid: uuid.into(),
        version: version.into(),
        url: url.into(),
        username: empty(),
        password: empty(),
    }
}

fn uninstall(uuid: &str) -> DuOperation {
    DuOperation::Uninstall { uuid: uuid.into(), version: String::new(), exec_env: String::new() }
}

fn change(key: &str, operations: Vec<DuOperation>) -> Message {
    Message::ChangeDuState { operations, command_key: key.into() }
}

fn order(agent: &Agent, acs: &Acs, key: &str, operations: Vec<DuOperation>) {
    let mut session = again(agent, acs);
    let answer = session.request(change(key, operations));
    assert!(matches!(answer, Message::ChangeDuStateResponse), "{answer:?}");
    session.end();
}

/// Takes the DUStateChangeComplete at the beginning of a session.
fn take_results(session: &mut Session<'_>) -> (String, Vec<DuResult>) {
    let Message::DuStateChangeComplete { results, command_key } = session.pending().message().clone() else {
        panic!("{:?}", session.pending().message())
    };
    session.take().reply_message(Message::DuStateChangeCompleteResponse);
    session.next();
    (command_key, results)
}

/// The next session has to tell the end of this ChangeDUState.
fn told(acs: &Acs, key: &str) -> Vec<DuResult> {
    let mut session = acs.session();
    session.inform_ok();
    let (command_key, results) = take_results(&mut session);
    assert_eq!(command_key, key);
    assert!(session.pending().is_empty());
    assert_eq!(codes(&session.end()), COMPLETE);
    for result in &results {
        assert!(result.start_time.starts_with("20") && result.complete_time >= result.start_time, "{result:?}");
        assert_eq!(
            (result.state == "Failed", result.fault_string.is_empty()),
            (result.fault_code != 0, result.fault_code == 0)
        );
    }
    results
}

fn fault_codes(results: &[DuResult]) -> Vec<u16> {
    results.iter().map(|result| result.fault_code).collect()
}

/// The path of the row of a package.
fn row(agent: &Agent, name: &str) -> String {
    let all = agent.ok(&["get", UNIT]);
    let line = all.lines().find(|line| line.ends_with(&format!(".Name={name}")));
    line.unwrap_or_else(|| panic!("no {name}: {all}")).split_once(".Name=").unwrap().0.to_owned()
}

fn uuid_of(agent: &Agent, name: &str) -> String {
    agent.value(&format!("{}.UUID", row(agent, name)))
}

fn status(agent: &Agent) -> Vec<serde_json::Value> {
    agent.status()["transfers"].as_array().unwrap().clone()
}

/// Nothing more is told.
fn nothing_more(agent: &Agent, acs: &Acs) {
    agent.wait_idle();
    nothing_after_start(agent, acs);
}

/// The same for an agent that has had no session yet.
fn nothing_after_start(agent: &Agent, acs: &Acs) {
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    assert_eq!(session.events(), ["2 PERIODIC"]);
    assert!(session.inform_ok().is_empty());
    session.end();
    assert_eq!(status(agent).len(), 0);
}

const BASIC: &str = "WWW-Authenticate: Basic realm=\"shelf\"";
const DIGEST: &str = "Digest realm=\"shelf\", nonce=\"abc\", qop=\"auth\", algorithm=MD5";

/// A server that has packages: `/NAME_VERSION.ipk`, at times with a login before it, and with a line of its own after `?`.
fn shelf() -> Server {
    Server::start(|request| {
        let target = request.target();
        let (path, more) = target.split_once('?').unwrap_or((target, ""));
        let file = path.rsplit('/').next().unwrap();
        if path.starts_with("/missing") {
            return close(reply("404 Not Found", &[], b""));
        }
        if path.starts_with("/basic") && request.header("Authorization").is_none_or(|given| !is_basic(given)) {
            return close(reply("401 Unauthorized", &[BASIC], b""));
        }
        if path.starts_with("/digest") && !is_digest(request) {
            return close(reply("401 Unauthorized", &[&format!("WWW-Authenticate: {DIGEST}")], b""));
        }
        if path.starts_with("/broken") {
            return close(reply("200 OK", &[], b"no package"));
        }
        let stem = file.trim_end_matches(".ipk").trim_end_matches(".apk");
        let (name, version) = stem.split_once('_').unwrap();
        close(reply("200 OK", &[], package(name, version, &more.replace('=', ": ")).as_bytes()))
    })
}

fn close(act: Act) -> Act {
    match act {
        Act::Send(bytes) => Act::SendAndClose(bytes),
        other => other,
    }
}

fn is_basic(given: &str) -> bool {
    // shelf-user:shelf-secret-0815
    given == "Basic c2hlbGYtdXNlcjpzaGVsZi1zZWNyZXQtMDgxNQ=="
}

fn is_digest(request: &Received) -> bool {
    let Some(given) = request.header("Authorization").and_then(|header| digest::parse_authorization(header).ok())
    else {
        return false;
    };
    let challenge = digest::parse_challenges(DIGEST).remove(0);
    let wanted = digest::answer(&challenge, (USER, SECRET), ("GET", request.target()), given.nc, &given.cnonce);
    given.response == wanted.response
}

/// CONFORMANCE, E-03: each operation in its order and by itself, all of them in one DUStateChangeComplete; and no word of credentials.
#[test]
fn q07_q08_e03_install_update_uninstall_with_opkg() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    with_opkg(&agent.root);
    let server = shelf();
    feed(&agent.root, "sqm-scripts", "1.6-2", "");
    let mut trace = agent.run_in_background(&["trace"]);
    let basic = server.url("/basic/shaper_1.0.ipk");
    let digest = server.url("/digest/meter_2.0.ipk");
    order(
        &agent,
        &acs,
        "first",
        vec![
            with_login(&basic, GIVEN),
            install(&server.url("/missing/none_1.0.ipk"), ""),
            with_login(&digest, ""),
            install("sqm-scripts", OTHER),
        ],
    );
    let results = told(&acs, "first");
    assert_eq!(fault_codes(&results), [0, 9016, 0, 0]);
    let shown: Vec<_> = results.iter().map(|it| (it.version.as_str(), it.state.as_str(), it.resolved)).collect();
    let good = |version| (version, "Installed", true);
    assert_eq!(shown, [good("1.0"), ("", "Failed", false), good("2.0"), good("1.6-2")]);
    assert_eq!([&results[0].uuid, &results[1].uuid, &results[3].uuid], [GIVEN, NO_UUID, OTHER]);
    assert_eq!(results[2].uuid.as_bytes()[14], b'3', "made of the name: {}", results[2].uuid);
    agent.wait_idle();
    let unit = row(&agent, "shaper");
    assert_eq!(results[0].deployment_unit, unit);
    assert_eq!(
        (agent.value(&format!("{unit}.UUID")), agent.value(&format!("{unit}.URL"))),
        (GIVEN.into(), basic.clone())
    );
    assert!(agent.value(&format!("{unit}.Installed")).starts_with("20"));
    assert_eq!(uuid_of(&agent, "meter"), results[2].uuid);
    let called = arguments(&agent.root);
    let installs = "[install][/tmp/cwmpd/unit.ipk]\n";
    assert_eq!(called, format!("{installs}{installs}[update]\n[install][sqm-scripts]\n"));
    assert!(!agent.root.at("/tmp/cwmpd/unit.ipk").exists());

    // Update by UUID from the feed, by URL, and by UUID with another URL; then all, of which one fails.
    feed(&agent.root, "sqm-scripts", "1.7-1", "");
    order(
        &agent,
        &acs,
        "second",
        vec![
            update(&OTHER.to_uppercase(), "", "1.6-2"),
            update(GIVEN, &server.url("/shaper_1.1.ipk"), ""),
            update("", &server.url("/shaper_1.1.ipk"), ""),
            update("", "", ""),
            uninstall(GIVEN),
            uninstall(GIVEN),
        ],
    );
    let results = told(&acs, "second");
    // The Update of everything has a result for each unit that the ACS has installed.
    assert_eq!(fault_codes(&results), [0, 0, 9032, 0, 9012, 0, 0, 9028]);
    assert_eq!((results[0].version.as_str(), results[1].version.as_str()), ("1.7-1", "1.1"));
    assert_eq!(results[4].deployment_unit, row(&agent, "meter"));
    let gone = &results[6];
    assert_eq!((gone.state.as_str(), gone.uuid.as_str(), gone.version.as_str()), ("Uninstalled", GIVEN, "1.1"));
    agent.wait_idle();
    assert!(!agent.ok(&["get", UNIT]).contains("=shaper"));
    order(&agent, &acs, "third", vec![install(&server.url("/shaper_1.2.ipk"), "")]);
    let results = told(&acs, "third");
    assert_eq!(results[0].uuid.as_bytes()[14], b'3', "not that of the one before: {}", results[0].uuid);
    nothing_more(&agent, &acs);

    trace.kill().unwrap();
    let mut traced = String::new();
    trace.stdout.take().unwrap().read_to_string(&mut traced).unwrap();
    trace.wait().unwrap();
    assert!(traced.contains("ChangeDUState"), "{traced}");
    let saved = agent.root.read("/etc/cwmpd/transfers.json");
    for (what, text) in [("the log", agent.log()), ("the trace", traced), ("what is saved", saved)] {
        assert!(!text.contains(SECRET), "{what}");
        assert!(!text.contains("c2hlbGYtdXNlcjpzaGVsZi1zZWNyZXQtMDgxNQ"), "{what}");
    }
}

/// CONFORMANCE Q-07, 9.9: each fault of an operation, with opkg. Nothing of it changes what is installed, and nothing reaches a shell.
#[test]
fn q07_faults_of_operations_with_opkg() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    with_opkg(&agent.root);
    let root = &agent.root;
    let server = shelf();
    let at = |path: &str| server.url(path);
    feed(root, "huge", "1", "Large: yes\n");
    feed(root, "foreign", "1", "Architecture: other\n");
    feed(root, "needy", "1", "Depends: libmissing\n");
    feed(root, "gone", "1", "Gone: yes\n");
    feed(root, "dnsmasq", "1.2-r4", "");
    feed(root, "libneeded", "1.1", "");
    let unknown_environment = DuOperation::Install {
        url: "dnsmasq".into(),
        uuid: String::new(),
        username: String::new(),
        password: String::new(),
        exec_env: "Device.SoftwareModules.ExecEnv.7".into(),
    };
    let too_long_a_password = DuOperation::Install {
        url: at("/a_1.ipk"),
        uuid: String::new(),
        username: USER.into(),
        password: "p".repeat(257),
        exec_env: String::new(),
    };
    let long = format!("{}/{}", at(""), "x".repeat(1025 - at("").len() - 1));
    assert_eq!(long.len(), 1025);
    let before = root.read(STATUS);
    let needed = uuid_of(&agent, "libneeded");
    let (dnsmasq, libc, own) = (uuid_of(&agent, "dnsmasq"), uuid_of(&agent, "libc"), uuid_of(&agent, "cwmpd"));
    let rounds = [
        vec![
            (9022, install("dnsmasq", "not-a-uuid")),
            (9022, uninstall("g0000000-0000-0000-0000-000000000000")),
            (9022, uninstall(&"0".repeat(40))),
            (9023, unknown_environment),
            (9003, install("", GIVEN)),
            (9003, install(&long, "")),
            (9003, install("x;reboot", "")),
            (9003, install("--force-depends", "")),
            (9003, install("two words", "")),
            (9003, install("../../etc/passwd", "")),
            (9003, install("http://me:hidden@127.0.0.1/a_1.ipk", "")),
            (9003, too_long_a_password),
            (9013, install("ftp://127.0.0.1/a_1.ipk", "")),
            (9013, install("file:///etc/shadow", "")),
            (9016, install(&at("/missing/a_1.ipk"), "")),
            (9015, install("http://127.0.0.1:1/a_1.ipk", "")),
        ],
        vec![
            (9012, install(&at("/basic/a_1.ipk"), "")),
            (9018, install(&at("/broken/a_1.ipk"), "")),
            (9025, install(&at("/a_1.ipk?Architecture=other"), "")),
            (9025, install("needy", "")),
            (9016, install("unheard-of", "")),
            (9016, install("gone", "")),
            (9027, install("huge", "")),
            (9026, install("dnsmasq", "")),
            (9026, install(&at("/dnsmasq_1.1.ipk"), "")),
            (9028, update(GIVEN, "", "")),
            (9028, update("", &at("/dnsmasq_1.1.ipk"), "")),
            (9028, update(&dnsmasq, "", "0.9")),
            (9032, update(&dnsmasq, "", "")),
            (9030, update(&needed, &at("/libneeded_1.0.ipk"), "")),
            (9025, update(&needed, &at("/other_1.0.ipk"), "")),
            (9025, update(&needed, "dnsmasq", "")),
        ],
        vec![
            (9028, update("", "", "")),
            (9029, uninstall(&needed)),
            (9001, uninstall(&libc)),
            (9001, uninstall(&own)),
            (9028, uninstall(GIVEN)),
        ],
    ];
    for (number, round) in rounds.into_iter().enumerate() {
        let (expected, operations): (Vec<u16>, Vec<DuOperation>) = round.into_iter().unzip();
        let key = number.to_string();
        order(&agent, &acs, &key, operations);
        let results = told(&acs, &key);
        assert_eq!(fault_codes(&results), expected, "{results:#?}");
        for result in results {
            assert_eq!((result.state.as_str(), result.resolved, result.operation.as_str()), ("Failed", false, ""));
        }
    }
    assert_eq!(root.read(STATUS), before);
    for secret in ["hidden", "etc/passwd", "reboot]", "--force"] {
        let called = arguments(root);
        assert!(!called.contains(secret), "{called}");
    }
    assert!(!agent.log().contains("hidden"));
    nothing_more(&agent, &acs);
}

/// CONFORMANCE: the same with apk, which says it in other words and with other exit statuses.
/// A URL need not say what it leads to, and what a package needs comes with it.
#[test]
fn q07_q08_what_a_package_brings_along_is_not_taken_for_it() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    with_opkg(&agent.root);
    let server = Server::start(|request| {
        let version = if request.target().ends_with('1') { "1.0" } else { "2.0" };
        close(reply("200 OK", &[], package("shaper", version, "Brings: a-library\n").as_bytes()))
    });
    order(&agent, &acs, "first", vec![install(&server.url("/get?version=1"), GIVEN)]);
    let results = told(&acs, "first");
    assert_eq!(fault_codes(&results), [0]);
    assert_eq!(results[0].deployment_unit, row(&agent, "shaper"));
    assert_eq!(uuid_of(&agent, "shaper"), GIVEN);
    assert_ne!(uuid_of(&agent, "a-library"), GIVEN);
    agent.wait_idle();
    order(&agent, &acs, "second", vec![update(GIVEN, &server.url("/get?version=2"), ""), uninstall(GIVEN)]);
    let results = told(&acs, "second");
    assert_eq!(fault_codes(&results), [0, 0]);
    assert_eq!(results[0].version, "2.0");
    let calls = arguments(&agent.root);
    assert!(calls.contains("[remove][shaper]") && !calls.contains("[remove][a-library]"), "{calls}");
}

#[test]
fn q07_q08_install_update_uninstall_with_apk() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    with_apk(&agent.root);
    let root = &agent.root;
    let server = shelf();
    let at = |path: &str| server.url(path);
    feed(root, "sqm-scripts", "1.6", "");
    feed(root, "foreign", "1", "Architecture: other\n");
    feed(root, "needy", "1", "Depends: libmissing\n");
    feed(root, "huge", "1", "Large: yes\n");
    let world = root.read("/etc/apk/world");
    let needed = uuid_of(&agent, "libneeded");
    let operations = vec![
        install(&at("/shaper_1.0.apk"), GIVEN),
        install("sqm-scripts", OTHER),
        install(&at("/unsigned_1.0.apk?Unsigned=yes"), ""),
        install(&at("/broken/odd_1.0.apk"), ""),
        install("unheard-of", ""),
        install("foreign", ""),
        install("needy", ""),
        install("huge", ""),
        install("sqm-scripts", THIRD),
        uninstall(&needed),
    ];
    order(&agent, &acs, "one", operations);
    let results = told(&acs, "one");
    assert_eq!(fault_codes(&results), [0, 0, 9018, 9018, 9016, 9025, 9025, 9027, 9026, 9029], "{results:#?}");
    assert_eq!(root.read("/etc/apk/world"), format!("{world}shaper\nsqm-scripts\n"), "what stays is still wanted");
    feed(root, "sqm-scripts", "1.7", "");
    let operations =
        vec![update(OTHER, "", ""), update(OTHER, "", ""), update(GIVEN, &at("/shaper_1.1.apk"), ""), uninstall(OTHER)];
    order(&agent, &acs, "two", operations);
    let results = told(&acs, "two");
    assert_eq!(fault_codes(&results), [0, 9032, 0, 0], "{results:#?}");
    let versions: Vec<_> = results.iter().map(|result| result.version.as_str()).collect();
    assert_eq!(versions, ["1.7", "", "1.1", "1.7"]);
    assert!(!root.read(INSTALLED).contains("sqm-scripts"));
    assert_eq!(agent.value(&format!("{}.URL", row(&agent, "shaper"))), at("/shaper_1.1.apk"));
    nothing_more(&agent, &acs);
}

/// CONFORMANCE Q-07, E-02, L-14: kill -9 while the package manager works, and after the ACS has heard. The package manager goes on; each request is told once.
#[test]
fn q07_l14_a_kill_in_the_middle_of_an_operation() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    with_opkg(&agent.root);
    feed(&agent.root, "slow", "1.0", "Slow: 1.5\n");
    feed(&agent.root, "quick", "1.0", "");
    let operations = vec![install("slow", GIVEN), install("quick", ""), install("unheard-of", "")];
    order(&agent, &acs, "killed", operations);
    wait_for("the package manager", || arguments(&agent.root).contains("[install][slow]").then_some(()));
    agent.kill();
    assert!(!agent.root.read(STATUS).contains("slow"));
    agent.start();
    let results = told(&acs, "killed");
    assert_eq!(fault_codes(&results), [0, 0, 9016], "{results:#?}");
    assert_eq!((results[0].uuid.as_str(), results[0].version.as_str()), (GIVEN, "1.0"));
    agent.wait_idle();
    agent.kill();
    agent.start();
    nothing_after_start(&agent, &acs);
    let status = agent.root.read(STATUS);
    assert_eq!(status.matches("Package: slow\n").count(), 1, "{status}");

    // A kill after the ACS has the results and before the agent has the answer: they are told again, the work is not done again.
    order(&agent, &acs, "again", vec![uninstall(GIVEN)]);
    let mut session = acs.session();
    session.inform_ok();
    assert!(matches!(session.pending().message(), Message::DuStateChangeComplete { .. }));
    agent.kill();
    drop(session);
    agent.start();
    assert_eq!(fault_codes(&told(&acs, "again")), [0]);
    let called = arguments(&agent.root);
    assert_eq!(called.matches("[remove][slow]").count(), 1, "{called}");
    nothing_more(&agent, &acs);
}

/// CONFORMANCE B-05: what the former ACS asked for is neither done nor told when there is another one.
#[test]
fn b05_another_acs_hears_nothing_of_the_former_ones_software() {
    let (former, other) = (Acs::start(), Acs::start());
    let agent = Agent::settled(&former);
    with_opkg(&agent.root);
    agent.option("acs", "http_timeout", "60");
    let server = Server::start(|_| Act::Hold);
    order(&agent, &former, "never", vec![install(&server.url("/a_1.ipk"), ""), install("b", "")]);
    wait_for("the download", || (!server.received().is_empty()).then_some(()));
    agent.option("acs", "url", &other.url());
    let inform = other.serve_until(|inform| codes(inform).contains(&"0 BOOTSTRAP"));
    assert!(!codes(&inform).contains(&COMPLETE[0]), "{:?}", codes(&inform));
    nothing_more(&agent, &other);
    assert!(!agent.root.at("/arguments.log").exists());
}

/// CONFORMANCE Q-07: 9004 when there is no room, and progress in `cwmpd status` meanwhile.
#[test]
fn q07_no_more_than_there_is_room_for_and_progress_is_shown() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    with_opkg(&agent.root);
    let server = Server::start(|_| {
        let mut head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".to_vec();
        head.extend_from_slice(&[b'x'; 5000]);
        Act::Drip(head)
    });
    let url = server.url("/a_1.ipk");
    order(&agent, &acs, "first", vec![install(&url, ""), install("b", "")]);
    let shown = wait_for("progress", || status(&agent).into_iter().find(|it| it["done"].as_u64() > Some(4000)));
    assert_eq!(
        (shown["method"].as_str(), shown["command_key"].as_str(), shown["total"].as_u64()),
        (Some("ChangeDUState"), Some("first"), Some(100_000))
    );
    assert_eq!(shown["state"], "Install under way, 0 of 2 operations done");
    let mut session = again(&agent, &acs);
    assert_eq!(session.refused(change("many", vec![install(&url, ""); 17])).code.0, 9004);
    assert_eq!(session.refused(change("none", Vec::new())).code.0, 9003);
    assert_eq!(session.refused(change(&"k".repeat(33), vec![install(&url, "")])).code.0, 9003);
    for number in 2..=16 {
        let answer = session.request(change(&number.to_string(), vec![install(&url, ""); 16]));
        assert!(matches!(answer, Message::ChangeDuStateResponse), "{answer:?}");
    }
    assert_eq!(session.refused(change("17", vec![install(&url, "")])).code.0, 9004);
    session.end();
    assert_eq!(status(&agent).len(), 16);
}

#[test]
fn q07_no_package_manager_no_software() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.root.remove("/bin/opkg");
    let mut session = again(&agent, &acs);
    assert_eq!(session.refused(change("", vec![install("a", "")])).code.0, 9001);
    session.end();
}

/// The schema of the result knows neither 9002 nor 9010.
#[test]
fn q07_without_a_place_for_files_the_result_has_a_code_of_its_own() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    with_opkg(&agent.root);
    let place = agent.root.at("/tmp/cwmpd");
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(&place, "in the way").unwrap();
    order(&agent, &acs, "nowhere", vec![install("http://127.0.0.1:1/a_1.ipk", ""), install("a", "")]);
    assert_eq!(fault_codes(&told(&acs, "nowhere")), [9017, 9017]);
}

/// TR-069a6 A.4.2.4: what others install is told as the policy says, and only to an ACS that lists the method; what the ACS asked for itself is no news.
#[test]
fn g03_software_of_others_is_told_by_policy() {
    for lists in [true, false] {
        let acs = Acs::start();
        let agent = Agent::settled(&acs);
        with_opkg(&agent.root);
        let someone_installs = |name: &str| {
            let package = format!("Package: {name}\nVersion: 3\nStatus: install user installed\n\n");
            agent.root.append(STATUS, &package);
            agent.signal(Signal::SIGUSR1);
        };
        someone_installs("before-the-policy");
        let mut session = again(&agent, &acs);
        let policy = "Device.ManagementServer.DUStateChangeComplPolicy.";
        session.set(&[
            (&format!("{policy}Enable"), "xsd:boolean", "1"),
            (&format!("{policy}OperationTypeFilter"), "xsd:string", "Install,Uninstall"),
        ]);
        session.end();
        agent.wait_idle();
        feed(&agent.root, "asked-for", "1", "");
        order(&agent, &acs, "own", vec![install("asked-for", "")]);
        assert_eq!(fault_codes(&told(&acs, "own")), [0]);
        agent.wait_idle();
        someone_installs("by-hand");
        let mut session = acs.session();
        assert_eq!(session.events(), [AUTONOMOUS]);
        session.inform_ok();
        assert!(matches!(session.pending().message(), Message::GetRpcMethods), "{:?}", session.pending().message());
        if !lists {
            session.take().reply_message(acs_fault(8000));
            session.next();
            assert!(session.pending().is_empty());
            session.end();
            agent.wait_idle();
            someone_installs("one-more");
            assert!(acs.next_within(Duration::from_millis(1500)).is_none(), "it has said that it does not take them");
            nothing_more(&agent, &acs);
            continue;
        }
        let methods = ["Inform", "AutonomousDUStateChangeComplete"].map(String::from).to_vec();
        session.take().reply_message(Message::GetRpcMethodsResponse(methods));
        session.next();
        let Message::AutonomousDuStateChangeComplete { results } = session.pending().message().clone() else {
            panic!("{:?}", session.pending().message())
        };
        session.take().reply_message(Message::AutonomousDuStateChangeCompleteResponse);
        assert!(session.next().is_empty());
        session.end();
        assert_eq!(results.len(), 1, "{results:?}");
        let it = &results[0];
        assert_eq!((it.operation.as_str(), it.version.as_str(), it.state.as_str()), ("Install", "3", "Installed"));
        assert_eq!(it.uuid, uuid_of(&agent, "by-hand"));
        // An update is filtered out.
        agent.wait_idle();
        agent.root.replace(STATUS, "Package: by-hand\nVersion: 3", "Package: by-hand\nVersion: 4");
        agent.signal(Signal::SIGUSR1);
        assert!(acs.next_within(Duration::from_millis(1500)).is_none());
        nothing_more(&agent, &acs);
    }
}
