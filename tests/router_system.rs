//! A whole router: OpenWrt's scripts, the package and the agent in namespaces (`tests/router/`), with an ACS on its WAN side and a host in its LAN.
//!
//! The agent is the one of this build; `CWMPD_PROGRAM` names another, as in `tests/cross_smoke.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::SystemTime;

use common::acs::{Acs, PATIENCE, codes, set_values, told, wait_for};
use common::agent::{PROGRAM, status_of, words};
use common::netns::Netns;
use common::openwrt::OpenWrt;
use common::peers::installed;
use cwmpd::soap::rpc::{Inform, Message};
use cwmpd::time::UtcTime;
use digest_auth::AuthContext;

const GATEWAY: &str = "198.51.100.1";
const WAN: &str = "198.51.100.2";
const LAN: &str = "192.168.1.1";
const URL: &str = "Device.ManagementServer.ConnectionRequestURL";
const INTERVAL: &str = "Device.ManagementServer.PeriodicInformInterval";

/// The networks around a router, and its own.
struct World {
    internet: Netns,
    home: Netns,
    router: Netns,
}

impl World {
    fn new() -> Option<Self> {
        let (internet, home, router) = (Netns::new()?, Netns::new()?, Netns::new()?);
        router.connect("wan", &internet, "isp");
        internet.ip(&format!("address add {GATEWAY}/24 dev isp"));
        router.connect("br-lan", &home, "eth0");
        home.ip("address add 192.168.1.2/24 dev eth0");
        Some(Self { internet, home, router })
    }

    /// An ACS on the internet.
    fn acs(&self) -> Acs {
        self.internet.enter(|| Acs::start_at(format!("{GATEWAY}:7547").parse().unwrap()))
    }

    /// An image of OpenWrt with the package in its root directory.
    fn image() -> Option<(OpenWrt, String)> {
        let root = OpenWrt::new(&words())?;
        let mut pack = Command::new(OpenWrt::source("openwrt-package/ipk.sh"));
        pack.arg(root.at("/cwmpd.program")).args(["all", env!("CARGO_PKG_VERSION")]).arg(root.path()).env("LEVEL", "1");
        let packed = pack.output().unwrap();
        assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
        let package = PathBuf::from(String::from_utf8(packed.stdout).unwrap().trim());
        let package = format!("/{}", package.file_name().unwrap().to_str().unwrap());
        Some((root, package))
    }

    /// Power on.
    fn boot(&self, root: OpenWrt) -> Router {
        let console = File::create(root.at("/console")).unwrap();
        // Of the boot before.
        let _ = fs::remove_file(root.at("/tmp/booted"));
        let init = self.router.enter(|| {
            let mut unshare = Command::new("unshare");
            unshare.args(["--mount", "--pid", "--fork", "--kill-child"]).arg(OpenWrt::source("tests/router/boot.sh"));
            unshare.arg(root.path()).stdin(Stdio::null()).stdout(console.try_clone().unwrap()).stderr(console);
            unshare.spawn().unwrap()
        });
        let mut router = Router { root: Some(root), init, first: String::new() };
        wait_for("the end of the boot", || router.root().at("/tmp/booted").exists().then_some(()));
        let number = router.init.id();
        let children = fs::read_to_string(format!("/proc/{number}/task/{number}/children")).unwrap();
        router.first = children.split_whitespace().next().unwrap().to_owned();
        router
    }
}

/// A router that is on; it goes off with this value.
struct Router {
    root: Option<OpenWrt>,
    init: Child,
    /// The number of its first process.
    first: String,
}

impl Router {
    fn root(&self) -> &OpenWrt {
        self.root.as_ref().unwrap()
    }

    /// Runs a line of its shell.
    fn sh(&self, line: &str) -> Output {
        let mut enter = Command::new("nsenter");
        enter.args(["--target", &self.first, "--mount", "--net", "--pid", "chroot"]).arg(self.root().path());
        enter.args(["/bin/sh", "-c", line]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        enter.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a line that has to succeed; gives what it prints.
    fn ok(&self, line: &str) -> String {
        let output = self.sh(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {errors}\n{}", self.root().read("/tmp/log/messages"));
        String::from_utf8(output.stdout).unwrap()
    }

    fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.ok("cwmpd --json status")).unwrap()
    }

    /// Waits until no session runs.
    fn idle(&self) {
        wait_for("the end of the session", || {
            let status = self.status();
            let over = status["last_session"]["ended"].as_str().is_some_and(|at| !at.is_empty());
            (over && status["in_session"] == false).then_some(())
        });
    }

    /// Power off, at once; gives what is on its flash.
    fn off(mut self) -> OpenWrt {
        self.cut();
        self.root.take().unwrap()
    }

    fn cut(&mut self) {
        let _ = self.init.kill();
        let _ = self.init.wait();
        // The processes in it end a little after the one that has made it.
        let first = format!("/proc/{}/root", self.first);
        wait_for("the end of the router", || fs::read_link(&first).is_err().then_some(()));
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        if let Some(root) = &self.root {
            if std::thread::panicking() {
                eprintln!("-- log of the router\n{}{}", root.read("/tmp/log/messages"), root.read("/console"));
                // Its processes go with it.
                let _ = self.init.kill();
                let _ = self.init.wait();
                return;
            }
            self.cut();
        }
    }
}

/// A GET of a connection request, from this network.
fn get(from: &Netns, host: &str, path: &str, more: &str) -> Option<String> {
    from.enter(|| {
        let mut stream = TcpStream::connect((host, 7547)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}:7547\r\n{more}Connection: close\r\n\r\n").ok()?;
        let mut response = String::new();
        stream.read_to_string(&mut response).ok()?;
        Some(response).filter(|response| !response.is_empty())
    })
}

/// A connection request to the URL that was told, with the credentials of the router; gives the status.
fn connection_request(from: &Netns, router: &Router, url: &str) -> u16 {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once(":7547").unwrap();
    let credential = |name: &str| router.ok(&format!("uci get cwmpd.cpe.{name}")).trim().to_owned();
    let challenged = wait_for("the port of connection requests", || get(from, host, path, ""));
    assert_eq!(status_of(&challenged), 401, "{challenged}");
    let challenge = challenged.lines().find_map(|line| line.strip_prefix("WWW-Authenticate: ")).unwrap();
    let mut challenge = digest_auth::parse(challenge).unwrap();
    let answer = challenge.respond(&AuthContext::new(credential("username"), credential("password"), path)).unwrap();
    status_of(&get(from, host, path, &format!("Authorization: {}\r\n", answer.to_header_string())).unwrap())
}

fn has(inform: &Inform, code: &str) -> bool {
    codes(inform).contains(&code)
}

/// The lines of the README that name the ACS and start the agent.
fn readme() -> String {
    let text = fs::read_to_string(OpenWrt::source("README.md")).unwrap();
    let block = text
        .split("```")
        .find(|block| block.starts_with("sh\nuci set cwmpd.acs.url="))
        .expect("the lines of the README");
    block.strip_prefix("sh\n").unwrap().to_owned()
}

/// As a new user: the package, the lines of the README, and the device is registered. And then the package is removed again.
#[test]
fn following_the_readme_a_router_is_registered() {
    let Some(world) = World::new() else { return };
    let Some((root, package)) = World::image() else { return };
    let acs = world.acs();
    let router = world.boot(root);
    router.ok(&format!("opkg install {package}"));
    let lines = readme().replace("https://acs.example.com/", &acs.url());
    let (before, last) = lines.trim().rsplit_once('\n').unwrap();
    assert_eq!(last, "cwmpd status --last");
    router.ok(before);
    let inform = acs.serve();
    assert!(has(&inform, "0 BOOTSTRAP") && has(&inform, "1 BOOT"), "{:?}", codes(&inform));
    assert!(told(&inform, URL).unwrap().starts_with(&format!("http://{WAN}:7547/")), "{:?}", told(&inform, URL));
    assert!(!inform.device_id.serial_number.is_empty() && inform.device_id.oui.len() == 6);
    router.idle();
    let said = router.ok(last);
    assert!(said.contains("it ended well"), "{said}");
    // The firewall is open, and what is secret is seen by root alone.
    assert!(router.root().read("/tmp/procd.log").contains("json_add_string dest_port 7547"));
    assert_eq!(router.ok("stat -c %a /etc/config/cwmpd /etc/cwmpd"), "600\n700\n");
    assert!(!router.ok("ps").contains("secret"));

    router.ok("opkg remove cwmpd");
    assert!(!router.ok("ps").contains("cwmpd run"));
    assert!(!router.root().at("/usr/sbin/cwmpd").exists());
}

/// The package in an image, with the URL of the ACS, before the first boot.
fn set_up(root: &OpenWrt, package: &str, acs: &Acs) {
    root.ok(&format!(
        "PROCD_RECORDS_ONLY=1 opkg install {package}
        uci set cwmpd.acs.url={}; uci set cwmpd.acs.retry_min_wait=1; uci set cwmpd.acs.retry_multiplier=1000; uci commit cwmpd",
        acs.url()
    ));
}

/// From the first boot to a new image.
#[test]
fn a_router_lives_through_its_days() {
    let Some(world) = World::new() else { return };
    let Some((root, package)) = World::image() else { return };
    let acs = world.acs();
    set_up(&root, &package, &acs);
    let router = world.boot(root);

    // The first contact, in which the ACS provisions the router.
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(codes(&session.inform), ["0 BOOTSTRAP", "1 BOOT"]);
    let url = told(&session.inform, URL).unwrap().to_owned();
    let values = [(INTERVAL, "xsd:unsignedInt", "1234"), ("Device.DeviceInfo.ProvisioningCode", "xsd:string", "days")];
    let answer = session.request(set_values(&values, "first"));
    assert!(matches!(answer, Message::SetParameterValuesResponse { .. }), "{answer:?}");
    session.end();
    router.idle();
    assert_eq!(router.ok("uci get cwmpd.acs.periodic_interval; uci get cwmpd.cpe.provisioning_code"), "1234\ndays\n");

    // It is reached from the internet, and answers nobody in the LAN.
    assert_eq!(connection_request(&world.internet, &router, &url), 200);
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    router.idle();
    let path = url.split(":7547").nth(1).unwrap();
    assert_eq!(get(&world.home, LAN, path, ""), None);

    // procd starts it again, and nobody notices.
    let pid = router.ok("cat /tmp/procd/cwmpd.pid");
    router.ok(&format!("kill -9 {pid}"));
    wait_for("another agent", || {
        (router.sh("cwmpd status").status.success() && router.ok("cat /tmp/procd/cwmpd.pid") != pid).then_some(())
    });
    assert_eq!(connection_request(&world.internet, &router, &url), 200);
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    router.idle();

    // The interface goes down, and comes up with another address.
    router.ok("ip -4 address flush dev wan");
    wait_for("the loss of the interface", || (router.status()["interface_up"] == false).then_some(()));
    router.ok("uci set network.wan.ipaddr=198.51.100.77; uci commit network; reload_config");
    let inform = acs.serve_until(|inform| has(inform, "4 VALUE CHANGE"));
    let url = told(&inform, URL).unwrap().to_owned();
    assert!(url.starts_with("http://198.51.100.77:7547/") && url.ends_with(path), "{url}");
    router.idle();
    assert_eq!(connection_request(&world.internet, &router, &url), 200);
    acs.serve();
    router.idle();

    // ntpd has something to say of the clock.
    router.ok("ACTION=stratum sh /etc/hotplug.d/ntp/95-cwmpd; ACTION=step sh /etc/hotplug.d/ntp/95-cwmpd");
    assert!(router.root().read("/tmp/procd.log").contains("procd_send_signal cwmpd * USR1"));

    // The ACS reboots it.
    router.ok("cwmpd inform '2 PERIODIC' >/dev/null 2>&1 &");
    let mut session = acs.session();
    session.inform_ok();
    let answer = session.request(Message::Reboot { command_key: "again".into() });
    assert!(matches!(answer, Message::RebootResponse), "{answer:?}");
    session.end();
    wait_for("the reboot", || router.root().calls().iter().any(|call| call == "/sbin/reboot").then_some(()));
    let router = world.boot(router.off());
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["1 BOOT", "M Reboot"]);
    assert_eq!(told(&inform, URL), Some(url.as_str()));
    router.idle();

    // A new image, with what sysupgrade keeps.
    let kept = router.ok("sysupgrade -l");
    for file in ["/etc/config/cwmpd", "/etc/config/network", "/etc/cwmpd/state.json"] {
        assert!(kept.lines().any(|line| line == file), "{file} is not in {kept}");
    }
    router.ok("tar -czf /kept.tgz $(sysupgrade -l)");
    let old = router.off();
    let Some((image, package)) = World::image() else { return };
    image.ok(&format!("PROCD_RECORDS_ONLY=1 opkg install {package}"));
    fs::copy(old.at("/kept.tgz"), image.at("/kept.tgz")).unwrap();
    image.ok("tar -xzf /kept.tgz -C /");
    put_back_defaults(&image);
    let router = world.boot(image);
    let inform = acs.serve();
    assert!(has(&inform, "1 BOOT") && !has(&inform, "0 BOOTSTRAP"), "{:?}", codes(&inform));
    assert_eq!(told(&inform, URL), Some(url.as_str()), "the same path, and the same address");
    assert_eq!(router.ok("uci get cwmpd.cpe.provisioning_code"), "days\n");
}

/// In an image, what is to be run once has not been run yet.
fn put_back_defaults(image: &OpenWrt) {
    let from: &Path = &OpenWrt::source("files/etc/uci-defaults");
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = Path::new("/etc/uci-defaults").join(entry.file_name());
        fs::copy(entry.path(), image.at(to.to_str().unwrap())).unwrap();
    }
}

/// Gives the agent in this root a clock of its own, for [`set_clock`]; `false` where there can be none. The time since boot stays the real one.
fn put_in_a_clock(root: &OpenWrt) -> bool {
    let library = format!("/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH);
    if words() != [PROGRAM] {
        eprintln!("skipped: only the program of this build can be given a clock of its own");
        return false;
    }
    if !installed(&library) {
        return false;
    }
    let copy = format!("cp --parents --no-clobber {library} $(ldd {library} | grep -o ' /[^ ]*') .");
    assert!(Command::new("sh").args(["-c", &copy]).current_dir(root.path()).status().unwrap().success());
    root.ok("mv /usr/sbin/cwmpd /usr/sbin/cwmpd.real");
    let settings = "FAKETIME_TIMESTAMP_FILE=/clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1";
    let start = format!("#!/bin/sh\nLD_PRELOAD={library} {settings} exec /usr/sbin/cwmpd.real \"$@\"\n");
    root.write("/usr/sbin/cwmpd", &start);
    root.ok("chmod 755 /usr/sbin/cwmpd");
    true
}

/// Sets it to so many seconds after the clock of this computer.
fn set_clock(root: &OpenWrt, ahead: i64) {
    root.write("/clock.new", &format!("{ahead:+}\n"));
    fs::rename(root.at("/clock.new"), root.at("/clock")).unwrap();
}

/// What it shows then.
fn clock(ahead: i64) -> UtcTime {
    UtcTime::new(UtcTime::from(SystemTime::now()).seconds() + ahead, 0)
}

/// In how many seconds the agent has its next periodic session.
fn next_periodic(router: &Router) -> u64 {
    let status = router.status();
    let next = status["next_session"].as_str().unwrap();
    let seconds = next.strip_prefix("in ").and_then(|rest| rest.strip_suffix(" s, periodic"));
    seconds.unwrap_or_else(|| panic!("{status}")).parse().unwrap()
}

/// Without a battery the router begins decades ago, until ntpd sets its clock; and then somebody sets it back.
#[test]
fn a_router_whose_clock_is_set_keeps_its_appointments() {
    const HOUR: i64 = 3600;
    const THEN: i64 = -27 * 365 * 24 * HOUR;
    // Later than the files that were put into its /etc just now.
    const NOW: i64 = 400 * 24 * HOUR;
    const STATUS: &str = "Device.Time.Status";

    let Some(world) = World::new() else { return };
    let Some((root, package)) = World::image() else { return };
    let acs = world.acs();
    set_up(&root, &package, &acs);
    if !put_in_a_clock(&root) {
        return;
    }
    set_clock(&root, THEN);
    let router = world.boot(root);

    // The ACS is found without the time, and makes appointments.
    let mut session = acs.session();
    assert_eq!(session.inform.current_time, "0001-01-01T00:00:00Z");
    assert_eq!(session.events(), ["0 BOOTSTRAP", "1 BOOT"]);
    session.inform_ok();
    assert_eq!(session.value(STATUS), "Unsynchronized");
    session.notify(&[STATUS], 2);
    let noon = clock(NOW + 12 * HOUR);
    let phase = ("Device.ManagementServer.PeriodicInformTime", "xsd:dateTime", &*noon.to_string());
    assert_eq!(session.set(&[(INTERVAL, "xsd:unsignedInt", "86400"), phase]), 0);
    let answer = session.request(Message::ScheduleInform { delay_seconds: 86_400, command_key: "tomorrow".into() });
    assert!(matches!(answer, Message::ScheduleInformResponse), "{answer:?}");
    session.end();
    router.idle();
    assert_eq!(router.status()["clock_known"], false);
    // What it has written it looks at once more, when it lets go of the files from before; later on nothing but ntpd makes it look.
    wait_for("the end of the writing", || {
        // It fails where a file is closed just while it looks.
        let open = router.sh("ls -l /proc/$(cat /tmp/procd/cwmpd.pid)/fd");
        (open.status.success() && !String::from_utf8_lossy(&open.stdout).contains("(deleted)")).then_some(())
    });
    router.idle();

    // ntpd has the time. Nothing but that is told: no appointment was in all those years.
    set_clock(router.root(), NOW);
    let before = clock(NOW);
    router.ok("ACTION=step sh /etc/hotplug.d/ntp/95-cwmpd");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, STATUS), Some("Synchronized"));
    assert!((before..=clock(NOW)).contains(&UtcTime::parse(&inform.current_time).unwrap()), "{}", inform.current_time);
    router.idle();
    let most = noon.since(clock(NOW)).as_secs();
    let next = next_periodic(&router);
    let least = noon.since(clock(NOW)).as_secs() - 1;
    assert!((least..=most).contains(&next), "{next} is not within {least} and {most}");

    // An hour back: the time of day is what counts.
    set_clock(router.root(), NOW - HOUR);
    let before = clock(NOW - HOUR);
    router.ok("ACTION=step sh /etc/hotplug.d/ntp/95-cwmpd");
    router.ok("cwmpd inform '6 CONNECTION REQUEST' >/dev/null 2>&1 &");
    let mut session = acs.session();
    assert_eq!(session.events(), ["6 CONNECTION REQUEST"]);
    let time = UtcTime::parse(&session.inform.current_time).unwrap();
    assert!((before..=clock(NOW - HOUR)).contains(&time), "{time}");
    let most = noon.since(clock(NOW - HOUR)).as_secs();
    session.inform_ok();
    session.end();
    router.idle();
    let next = next_periodic(&router);
    let least = noon.since(clock(NOW - HOUR)).as_secs() - 1;
    assert!((least..=most).contains(&next), "{next} is not within {least} and {most}");

    // Another hour back while it reports each second, of which nobody tells it.
    router.ok("uci set cwmpd.acs.periodic_interval=1; uci commit cwmpd");
    for _ in 0..2 {
        assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
    }
    set_clock(router.root(), NOW - 2 * HOUR);
    let inform = acs.serve_until(|inform| UtcTime::parse(&inform.current_time).unwrap() <= clock(NOW - 2 * HOUR));
    assert_eq!(codes(&inform), ["2 PERIODIC"]);
    for _ in 0..2 {
        assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
    }
}
