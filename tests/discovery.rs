//! The ACS by DHCP (CONFORMANCE D-01 to D-11, SECURITY S18), and devices that an ACS manages by themselves (Z-01, N-12): dnsmasq and busybox's udhcpc
//! as on a router and at its provider, each in a network of its own, with the files that the package brings.
#![cfg(all(feature = "discovery", feature = "manageable-devices"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::acs::{Acs, Session, codes, told, wait_for};
use common::agent::Agent;
use common::netns::Netns;
use common::peers::{Peer, installed};
use common::root::RouterRoot;
use common::uci_tool::real_uci;
use nix::sys::signal::Signal;

const URL: &str = "Device.ManagementServer.URL";
const CODE: &str = "Device.DeviceInfo.ProvisioningCode";
const DEVICES: &str = "Device.ManagementServer.ManageableDeviceNumberOfEntries";
const LIMIT: &str = "Device.ManagementServer.ManageableDeviceNotificationLimit";

/// The address of the provider.
const ISP: &str = "198.51.100.1";

fn start(net: &Netns, command: &mut Command) -> Peer {
    Peer(net.enter(|| command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()))
}

/// The files of the package on a router, as if the router were the machine.
fn install(root: &RouterRoot) {
    for file in [
        "/etc/udhcpc.user.d/cwmpd",
        "/etc/odhcp6c.user.d/cwmpd",
        "/usr/lib/cwmpd/dhcp-offer",
        "/usr/lib/cwmpd/dhcp-request",
        "/usr/lib/cwmpd/lan-device",
    ] {
        let text = fs::read_to_string(format!("{}/files{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let text = text.replace("/var/run/", "@ROOT@/tmp/run/").replace("| /usr/lib/", "| @ROOT@/usr/lib/");
        root.write_program(file, &text.replace("#!/bin/sh", "#!/usr/bin/busybox sh"));
    }
}

/// Runs a hook as the script of netifd does.
fn hook(root: &RouterRoot, file: &str, arguments: &[&str], environment: &[(&str, &str)]) {
    let mut command = Command::new("busybox");
    command.args(["sh", "-c", r#"(. "$0" "$@")"#]).arg(root.at(file)).args(arguments);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sub-options from this code on.
fn block(first: u8, values: &[&str]) -> Vec<u8> {
    let sub = |(code, value): (u8, &&str)| [&[code, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    (first..).zip(values).flat_map(sub).collect()
}

/// A lease of the router's, with these sub-options of option 43.
fn lease(root: &RouterRoot, values: &[&str]) {
    let option = hex(&block(1, values));
    hook(root, "/etc/udhcpc.user.d/cwmpd", &["bound"], &[("INTERFACE", "wan"), ("opt43", &option)]);
}

/// An agent that knows no ACS and has nothing else preset, on a router with the files of the package.
fn newcomer() -> Agent {
    let agent = Agent::with_url("");
    install(&agent.root);
    for preset in ["\toption retry_min_wait '1'\n", "\toption retry_multiplier '1000'\n", "\toption url ''\n"] {
        agent.root.replace("/etc/config/cwmpd", preset, "");
    }
    agent
}

fn wait_value(agent: &Agent, name: &str, value: &str) {
    wait_for(&format!("{name} = {value}"), || (agent.value(name) == value).then_some(()));
}

/// What the real `uci` says of the router's configuration.
fn uci(root: &RouterRoot, name: &str) -> String {
    let mut command = Command::new(real_uci().unwrap());
    command.arg("-q").arg("-c").arg(root.at("/etc/config")).args(["-d", "\n", "get", name]);
    String::from_utf8(command.output().unwrap().stdout).unwrap().trim_end().to_owned()
}

/// The init script's part: lets the settings of the network say what is to be asked for.
fn dhcp_request(root: &RouterRoot) {
    let tools = root.at("/tools");
    let wrapper =
        format!("#!/bin/sh\nexec {} -c {}/etc/config \"$@\"\n", real_uci().unwrap().display(), root.path().display());
    root.write_program("/tools/uci", &wrapper);
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let output = Command::new(root.at("/usr/lib/cwmpd/dhcp-request")).env("PATH", path).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

/// A router at a provider that has dnsmasq.
struct World {
    provider: Netns,
    router: Netns,
    agent: Agent,
    dnsmasq: Option<Peer>,
    udhcpc: Option<Peer>,
}

impl World {
    fn new() -> Option<Self> {
        if !installed("dnsmasq") || !installed("busybox") || real_uci().is_none() {
            return None;
        }
        let (provider, router) = (Netns::new()?, Netns::new()?);
        provider.connect("isp", &router, "wan");
        provider.ip(&format!("address add {ISP}/24 dev isp"));
        Some(Self { provider, router, agent: newcomer(), dnsmasq: None, udhcpc: None })
    }

    fn acs(&self, port: u16) -> Acs {
        self.provider.enter(|| Acs::start_at(format!("{ISP}:{port}").parse().unwrap()))
    }

    /// From now on the provider gives out leases with these options.
    fn offer(&mut self, options: &[String]) {
        self.dnsmasq = None;
        let at = |name: &str| self.agent.root.at(name).display().to_string();
        let mut command = Command::new("dnsmasq");
        command.args(["--keep-in-foreground", "--user=root", "--conf-file=/dev/null", "--port=0", "--no-ping"]);
        command.args(["--interface=isp", "--bind-interfaces", "--dhcp-range=198.51.100.20,198.51.100.30,1h"]);
        command.args(["--dhcp-authoritative", "--log-dhcp"]).arg(format!("--log-facility={}", at("/dnsmasq.log")));
        command.arg(format!("--pid-file={}", at("/dnsmasq.pid"))).arg(format!("--dhcp-leasefile={}", at("/leases")));
        command.args(options.iter().map(|option| format!("--dhcp-option={option}")));
        let before = self.log().matches("sockets bound").count();
        self.dnsmasq = Some(start(&self.provider, &mut command));
        wait_for("dnsmasq", || (self.log().matches("sockets bound").count() > before).then_some(()));
    }

    /// What dnsmasq has seen.
    fn log(&self) -> String {
        fs::read_to_string(self.agent.root.at("/dnsmasq.log")).unwrap_or_default()
    }

    /// The router's interface comes up: udhcpc runs as netifd runs it, with what the configuration says.
    fn up(&mut self) {
        let Self { router, agent, .. } = self;
        router.enter(|| agent.start());
        let root = &self.agent.root;
        dhcp_request(root);
        root.write_program(
            "/netifd.script",
            "#!/usr/bin/busybox sh\ncase \"$1\" in\ndeconfig) ip address flush dev wan ;;\n\
             bound | renew) ip address replace \"$ip/24\" dev wan ;;\nesac\n\
             for f in @ROOT@/etc/udhcpc.user.d/*; do [ -f \"$f\" ] && (. \"$f\" \"$@\"); done\nexit 0\n",
        );
        let mut command = Command::new("busybox");
        command.args(["udhcpc", "-f", "-t", "0", "-T", "1", "-i", "wan", "-s"]).arg(root.at("/netifd.script"));
        for option in uci(root, "network.wan.reqopts").split_ascii_whitespace() {
            command.args(["-O", option]);
        }
        command.args(["-C", "-V", &uci(root, "network.wan.vendorid")]).env("INTERFACE", "wan").stderr(Stdio::null());
        self.udhcpc = Some(start(&self.router, &mut command));
    }

    /// What netifd does when it is asked to renew.
    fn renew(&self) {
        self.udhcpc.as_ref().unwrap().signal(Signal::SIGUSR1);
    }
}

/// The first session with an ACS; gives the values of these parameters.
fn first_session(acs: &Acs, events: &[&str], names: &[&str]) -> Vec<String> {
    let mut session = acs.session();
    assert_eq!(session.events(), events);
    session.inform_ok();
    let values = names.iter().map(|name| session.value(name)).collect();
    session.end();
    values
}

/// D-01, D-02, D-03, D-10, D-11: from a request that says who asks to a session with the ACS that the answer names; another name in the renewed
/// lease; and D-09: an ACS that is out of reach, until DHCP has another one.
#[test]
fn d01_d02_d03_d09_d10_d11_the_acs_comes_by_option_43_and_changes_with_the_lease() {
    let Some(mut world) = World::new() else { return };
    let (first, second) = (world.acs(7547), world.acs(7548));
    world.agent.root.replace("/etc/config/network", "\toption hostname 'OpenWrt'\n", "\toption vendorid 'MSFT 5.0'\n");
    world.agent.option("acs", "rediscovery_wait", "1");
    // A number would become one in binary; so here are the digits of 01 and 1000.
    let vendor = |code: u8, value: &str| format!("vendor:dslforum.org,{code},{value}");
    let others = [vendor(2, "sales.7"), vendor(3, "30:31"), vendor(4, "31:30:30:30")];
    let named = |url: &str| [&[vendor(1, url)][..], &others].concat();
    world.offer(&named(&first.url()));
    world.up();
    let retry =
        ["Device.ManagementServer.CWMPRetryMinimumWaitInterval", "Device.ManagementServer.CWMPRetryIntervalMultiplier"];
    let values = first_session(&first, &["0 BOOTSTRAP", "1 BOOT"], &[URL, CODE, retry[0], retry[1]]);
    assert_eq!(values, [first.url().as_str(), "sales.7", "1", "1000"]);
    let log = world.log();
    assert!(log.contains("vendor class: MSFT 5.0 dslforum.org"), "{log}");
    assert!(log.contains("43:vendor-encap") && log.contains(", 125"), "{log}");
    let status = world.agent.wait_idle();
    assert_eq!(status["acs_url_from"], "DHCP");
    assert!(world.agent.ok(&["status"]).contains("ACS is named by:     DHCP\n"));

    world.offer(&named(&second.url()));
    world.renew();
    first_session(&second, &["0 BOOTSTRAP"], &[]);
    world.agent.wait_idle();
    assert_eq!(first.informs().len(), 1);
    assert_eq!(world.agent.value(URL), second.url());

    // The retry policy goes on while DHCP is asked, and asked again.
    drop(second);
    let renewals = |world: &World| {
        let calls = world.agent.root.calls();
        calls.iter().filter(|call| call.contains("call network.interface.wan renew")).count()
    };
    assert_eq!(renewals(&world), 0);
    world.agent.ask("2 PERIODIC");
    wait_for("a second renewal", || (renewals(&world) >= 2).then_some(()));
    assert!(world.agent.status()["retry_count"].as_u64().unwrap() >= 1);
    world.offer(&named(&first.url()));
    world.renew();
    first_session(&first, &["0 BOOTSTRAP"], &[]);
    world.agent.wait_idle();
    assert_eq!(world.agent.status()["retry_count"], 0);
}

#[test]
fn d04_d07_the_acs_comes_by_option_125_or_as_a_bare_url() {
    let Some(mut world) = World::new() else { return };
    let (first, second) = (world.acs(7547), world.acs(7548));
    let vendor = |code: u8, value: &str| format!("vi-encap:3561,{code},{value}");
    world.offer(&[vendor(11, &first.url()), vendor(12, "by.125")]);
    world.up();
    let values = first_session(&first, &["0 BOOTSTRAP", "1 BOOT"], &[URL, CODE]);
    assert_eq!(values, [first.url().as_str(), "by.125"]);
    world.agent.wait_idle();
    // The whole of option 43, to whoever asks.
    world.offer(&[format!("43,{}", second.url())]);
    world.renew();
    let values = first_session(&second, &["0 BOOTSTRAP"], &[URL, CODE]);
    assert_eq!(values, [second.url().as_str(), "by.125"]);
}

/// D-08: DHCP never has the last word against the person at the router and the ACS.
#[test]
fn d06_d08_what_is_preset_or_set_by_the_acs_is_not_overwritten() {
    if !installed("busybox") {
        return;
    }
    let (preset, other) = (Acs::start(), Acs::start());
    let mut agent = Agent::new(&preset);
    install(&agent.root);
    agent.option("cpe", "provisioning_code", "mine");
    agent.start();
    preset.serve();
    agent.wait_idle();
    lease(&agent.root, &[&other.url(), "theirs", "9"]);
    wait_value(&agent, "Device.ManagementServer.CWMPRetryMinimumWaitInterval", "1");
    // Nothing of it is taken; what is not set is, with the next lease, which shows that this one was looked at.
    agent.root.replace("/etc/config/cwmpd", "\toption provisioning_code 'mine'\n", "");
    wait_value(&agent, CODE, "theirs");
    assert_eq!(agent.value(URL), preset.url());
    assert_eq!(agent.status()["acs_url_from"], "the configuration");
    assert_eq!(other.connections(), 0);
    drop(agent);

    let (first, second) = (Acs::start(), Acs::start());
    let mut agent = newcomer();
    lease(&agent.root, &[&format!("{}\0", first.url()), "one\0"]);
    agent.start();
    let mut session = first.session();
    session.inform_ok();
    assert_eq!(session.value(CODE), "one", "D-06");
    session.set(&[(URL, "xsd:string", &second.url())]);
    session.end();
    first_session(&second, &["0 BOOTSTRAP"], &[]);
    agent.wait_idle();
    lease(&agent.root, &[&other.url(), "two"]);
    wait_value(&agent, CODE, "two");
    assert_eq!(agent.value(URL), second.url());
    assert_eq!(agent.status()["acs_url_from"], "the configuration");

    // Even what DHCP says is the ACS's own once the ACS has said it.
    let ran = agent.run(&["set", &format!("{CODE}=two")]);
    assert_eq!(ran.status, 0);
    lease(&agent.root, &[&other.url(), "three", "77"]);
    wait_value(&agent, "Device.ManagementServer.CWMPRetryMinimumWaitInterval", "77");
    assert_eq!(agent.value(CODE), "two");
    assert_eq!(other.connections(), 0);
}

/// The agent was killed when it had written the configuration, and had not noted yet that it had.
#[test]
fn d08_a_power_cut_does_not_make_the_url_of_dhcp_one_that_is_preset() {
    if !installed("busybox") {
        return;
    }
    let (first, second) = (Acs::start(), Acs::start());
    let mut agent = newcomer();
    lease(&agent.root, &[&first.url()]);
    agent.start();
    first_session(&first, &["0 BOOTSTRAP", "1 BOOT"], &[]);
    agent.wait_idle();
    agent.kill();
    agent.root.replace("/etc/cwmpd/state.json", "\"discovered\":{\"url\"", "\"discovered\":{\"url next\"");
    lease(&agent.root, &[&second.url()]);
    agent.start();
    wait_value(&agent, URL, &second.url());
    assert_eq!(agent.status()["acs_url_from"], "DHCP");
}

/// An agent whose ACS came by DHCP and has made a change that is on trial; meanwhile DHCP has named another one, where nothing is listening.
fn led_astray(acs: &Acs, rollback_timeout: &str) -> Agent {
    const NOWHERE: &str = "http://127.0.0.1:9/";
    let mut agent = newcomer();
    agent.options("acs", &[("retry_min_wait", "1"), ("retry_multiplier", "1000")]);
    agent.option("cpe", "rollback_timeout", rollback_timeout);
    lease(&agent.root, &[&acs.url()]);
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    session.set(&[("Device.ManagementServer.Password", "xsd:string", "another")]);
    lease(&agent.root, &[NOWHERE]);
    wait_value(&agent, URL, NOWHERE);
    session.end();
    agent
}

/// DHCP names another ACS while a change is on trial. What comes back with the undone change is not preset: DHCP may go on naming the ACS.
#[test]
fn d08_an_undone_change_does_not_make_the_url_of_dhcp_one_that_is_preset() {
    if !installed("busybox") {
        return;
    }
    let (first, second) = (Acs::start(), Acs::start());
    let agent = led_astray(&first, "4");
    agent.wait_log("undone: cwmpd");
    lease(&agent.root, &[&second.url()]);
    wait_value(&agent, URL, &second.url());
    assert_eq!(agent.status()["acs_url_from"], "DHCP");
    assert_eq!(codes(&second.serve())[0], "0 BOOTSTRAP");
    agent.wait_idle();
    let state = agent.root.read("/etc/cwmpd/state.json");
    assert!(!state.contains("url former"), "{state}");
}

/// CONFORMANCE D-08: what DHCP had said before a change that is kept without having been tried is nothing that a later one could bring back.
#[test]
fn d08_a_change_that_is_kept_untried_leaves_no_former_offer() {
    if !installed("busybox") {
        return;
    }
    let acs = Acs::start();
    let agent = led_astray(&acs, "240");
    let state = || agent.root.read("/etc/cwmpd/state.json");
    wait_for("the offer to be noted", || state().contains("url former").then_some(()));
    agent.option("cpe", "rollback_timeout", "0");
    agent.wait_log("the change of the ACS is kept: cwmpd.cpe.rollback_timeout is 0 now");
    wait_for("the former offer to be forgotten", || (!state().contains("url former")).then_some(()));
}

#[test]
fn d05_the_acs_comes_by_dhcpv6() {
    if !installed("busybox") {
        return;
    }
    let (first, second) = (Acs::start(), Acs::start());
    let mut agent = newcomer();
    agent.start();
    let option = |values: &[&str]| {
        let sub = |(code, value): (u16, &&str)| {
            [&code.to_be_bytes()[..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value.as_bytes()].concat()
        };
        let block: Vec<u8> = (1..).zip(values).flat_map(sub).collect();
        [&3561u32.to_be_bytes()[..], &block].concat()
    };
    let value = hex(&option(&[&first.url(), "six", "3", "1500"]));
    hook(
        &agent.root,
        "/etc/odhcp6c.user.d/cwmpd",
        &["wan", "informed"],
        &[("INTERFACE", "wan6"), ("OPTION_17", &value), ("PASSTHRU", "")],
    );
    let values = first_session(&first, &["0 BOOTSTRAP", "1 BOOT"], &[URL, CODE]);
    assert_eq!(values, [first.url().as_str(), "six"]);
    agent.wait_idle();

    // Another interface than the agent's has nothing to say.
    let rogue = hex(&block(1, &["http://127.0.0.1:9/rogue", "rogue"]));
    hook(&agent.root, "/etc/udhcpc.user.d/cwmpd", &["bound"], &[("INTERFACE", "guest"), ("opt43", &rogue)]);

    // Where the hook did not run, netifd has the options too.
    let value = option(&[&second.url(), "seven"]);
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    let passthru = hex(&[&[0, 17], &length[..], &value].concat());
    agent.root.remove("/tmp/run/cwmpd/dhcp.wan6");
    agent.root.replace(
        "/ubus/network.interface.dump.json",
        "\"passthru\":\"00170010\"",
        &format!("\"passthru\":\"{passthru}\""),
    );
    agent.signal(Signal::SIGHUP);
    let values = first_session(&second, &["0 BOOTSTRAP"], &[URL, CODE]);
    assert_eq!(values, [second.url().as_str(), "seven"]);
}

/// S18: an operator can have DHCP name only an ACS that can be told from another one, and can switch it off.
#[test]
fn s18_an_offer_that_is_not_to_be_trusted_is_not_taken() {
    if !installed("busybox") {
        return;
    }
    let acs = Acs::start();
    let mut agent = newcomer();
    agent.option("acs", "discovery_https_only", "1");
    agent.option("acs", "discovery_ca_file", "/etc/only-this.pem");
    agent.start();
    lease(&agent.root, &[&acs.url(), "one"]);
    wait_value(&agent, CODE, "one");
    assert_eq!(agent.value(URL), "");
    agent.wait_log("which is not taken: cwmpd.acs.discovery_https_only is 1");
    lease(&agent.root, &["https://me:hush-hush@acs.example/", "three"]);
    wait_value(&agent, CODE, "three");
    agent.wait_log("which is not taken: it is not the URL of an ACS");
    assert!(!agent.log().contains("hush"), "{}", agent.log());
    // Somebody who can be reached, so that it comes to the roots.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let secure = format!("https://{}/", listener.local_addr().unwrap());
    lease(&agent.root, &[&secure, "two"]);
    wait_value(&agent, CODE, "two");
    assert_eq!(agent.value(URL), secure);
    #[cfg(feature = "tls")]
    agent.wait_log("only-this.pem");

    agent.option("acs", "dhcp_discovery", "0");
    lease(&agent.root, &["https://127.0.0.1:10/", "three"]);
    // Whether it was looked at shows in what comes after it.
    agent.ok(&["set", "Device.ManagementServer.PeriodicInformInterval=4711"]);
    wait_value(&agent, "Device.ManagementServer.PeriodicInformInterval", "4711");
    assert_eq!(agent.value(CODE), "two");

    for junk in ["zz", "0", "0100ff", "01ff41", &"41".repeat(255), ""] {
        hook(
            &agent.root,
            "/etc/udhcpc.user.d/cwmpd",
            &["renew"],
            &[("INTERFACE", "wan"), ("opt43", junk), ("opt125", junk)],
        );
    }
    agent.option("acs", "dhcp_discovery", "1");
    lease(&agent.root, &["https://127.0.0.1:11/", "four"]);
    wait_value(&agent, URL, "https://127.0.0.1:11/");
}

#[test]
fn d02_the_vendor_class_comes_and_goes() {
    if !installed("busybox") || real_uci().is_none() {
        return;
    }
    let agent = newcomer();
    let root = &agent.root;
    let before = root.read("/etc/config/network");
    dhcp_request(root);
    assert_eq!(uci(root, "network.wan.vendorid"), "dslforum.org");
    assert_eq!(uci(root, "network.wan.reqopts"), "43 125");
    assert_eq!(uci(root, "network.wan6.vendorclass"), format!("00000de9000c{}", hex(b"dslforum.org")));
    assert_eq!(uci(root, "network.wan6.reqopts"), "17");
    assert_eq!(uci(root, "network.lan.vendorid") + &uci(root, "network.guest.reqopts"), "");
    let once = root.read("/etc/config/network");
    dhcp_request(root);
    assert_eq!(root.read("/etc/config/network"), once, "again changes nothing");
    agent.option("acs", "dhcp_vendor_class", "0");
    dhcp_request(root);
    assert_eq!(uci(root, "network.wan.vendorid") + &uci(root, "network.wan6.vendorclass"), "");

    root.write("/etc/config/network", &before);
    root.replace(
        "/etc/config/network",
        "\toption hostname 'OpenWrt'\n",
        "\toption vendorid 'x y'\n\tlist reqopts '66'\n\tlist reqopts '43'\n",
    );
    root.replace("/etc/config/network", "\toption reqaddress 'try'\n", "\toption vendorclass '0000000a'\n");
    let own = root.read("/etc/config/network");
    dhcp_request(root);
    assert_eq!(root.read("/etc/config/network"), own, "switched off, nothing of it is touched");
    agent.option("acs", "dhcp_vendor_class", "1");
    dhcp_request(root);
    assert_eq!(uci(root, "network.wan.vendorid"), "x y dslforum.org");
    assert_eq!(uci(root, "network.wan.reqopts"), "66 43 125");
    assert_eq!(uci(root, "network.wan6.vendorclass"), "0000000a");
    agent.option("acs", "dhcp_vendor_class", "0");
    dhcp_request(root);
    assert_eq!(uci(root, "network.wan.vendorid"), "x y");
}

/// Z-01 with dnsmasq as the agent has set it up: who the device is, and who the gateway.
#[test]
fn z01_a_device_and_the_gateway_know_each_other() {
    if !installed("dnsmasq") || !installed("busybox") || real_uci().is_none() {
        return;
    }
    let (Some(router), Some(lan)) = (Netns::new(), Netns::new()) else { return };
    router.connect("br-lan", &lan, "eth0");
    router.ip("address add 192.168.1.1/24 dev br-lan");
    lan.ip("link set eth0 address 02:00:5e:00:53:77");
    let mut agent = newcomer();
    let root = &agent.root;
    fs::create_dir_all(root.at("/tmp/run/dnsmasq")).unwrap();
    root.write("/tmp/dhcp.leases", "");
    agent.option("cpe", "manageable_devices", "1");
    agent
        .options("device", &[("manufacturer_oui", "00005E"), ("serial_number", "gw 1,\"2\""), ("product_class", "42")]);
    agent.start();
    agent.wait_call("/sbin/reload_config");

    let root = &agent.root;
    let script = uci(root, "dhcp.@dnsmasq[0].dhcpscript");
    // As OpenWrt's script for dnsmasq does.
    root.write_program("/lease.script", &format!("#!/usr/bin/busybox sh\n. @ROOT@{script} \"$@\"\n"));
    let at = |name: &str| root.at(name).display().to_string();
    let mut text = format!(
        "interface=br-lan\nbind-interfaces\nport=0\nno-ping\ndhcp-range=192.168.1.100,192.168.1.110,1h\ndhcp-authoritative\nuser=root\n\
         dhcp-leasefile={}\ndhcp-script={}\npid-file={}\nlog-facility={}\n",
        at("/tmp/dhcp.leases"),
        at("/lease.script"),
        at("/dnsmasq.pid"),
        at("/dnsmasq.log"),
    );
    for option in uci(root, "dhcp.@dnsmasq[0].dhcp_option").lines() {
        text += &format!("dhcp-option={option}\n");
    }
    root.write("/dnsmasq.conf", text);
    let mut command = Command::new("dnsmasq");
    command.args(["--keep-in-foreground", &format!("--conf-file={}", at("/dnsmasq.conf"))]);
    let _dnsmasq = start(&router, &mut command);
    let log = root.at("/dnsmasq.log");
    wait_for("dnsmasq", || fs::read_to_string(&log).ok().filter(|log| log.contains("sockets bound")));

    root.write_program("/client.script", "#!/bin/sh\n[ \"$1\" != bound ] || ip address add \"$ip/24\" dev eth0\n[ \"$1\" != bound ] || echo \"$opt125\" >@ROOT@/received.new\n[ \"$1\" != bound ] || mv @ROOT@/received.new @ROOT@/received\n");
    let identity = block(1, &["00A0DE", "dev/77", "Phone"]);
    let option = [&3561u32.to_be_bytes()[..], &[u8::try_from(identity.len()).unwrap()], &identity].concat();
    let mut command = Command::new("busybox");
    command
        .args(["udhcpc", "-f", "-R", "-t", "0", "-T", "1", "-i", "eth0", "-O", "125", "-s"])
        .arg(root.at("/client.script"));
    command.args(["-x", &format!("125:{}", hex(&option))]).stderr(Stdio::null());
    let udhcpc = start(&lan, &mut command);
    let received = wait_for("a lease", || fs::read_to_string(root.at("/received")).ok());
    for (code, value) in [(4, "00005E"), (5, "gw 1,\"2\""), (6, "42")] {
        let sub = hex(&block(code, &[value]));
        assert!(received.contains(&sub), "{sub} in {received}");
    }

    wait_value(&agent, DEVICES, "1");
    let row = "Device.ManagementServer.ManageableDevice.1.";
    let value = |name: &str| agent.value(&format!("{row}{name}"));
    assert_eq!([value("ManufacturerOUI"), value("SerialNumber"), value("ProductClass")], ["00A0DE", "dev/77", "Phone"]);
    let host = value("Host");
    assert_eq!(agent.value(&format!("{host}.PhysAddress")), "02:00:5e:00:53:77");

    // Gone with the lease.
    udhcpc.signal(Signal::SIGUSR2);
    wait_value(&agent, DEVICES, "0");

    // What dnsmasq was told goes with the option.
    agent.option("cpe", "manageable_devices", "0");
    wait_for("the options to go", || uci(&agent.root, "dhcp.@dnsmasq[0].dhcpscript").is_empty().then_some(()));
    assert_eq!(uci(&agent.root, "dhcp.@dnsmasq[0].dhcp_option"), "");
}

/// A device on the LAN.
fn device(root: &RouterRoot, number: u8) {
    let (mac, address) = (format!("02:00:5e:00:53:{number:02x}"), format!("192.168.1.{number}"));
    let text = format!("mac={mac}\noui=00A0DE\nserial=dev{number}\nclass=\n");
    root.write(&format!("/tmp/run/dnsmasq/cwmpd-device.{address}"), text);
    root.append("/tmp/dhcp.leases", &format!("4102444800 {mac} {address} * *\n"));
}

#[test]
fn n12_sessions_because_of_devices_keep_their_distance() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    fs::create_dir_all(agent.root.at("/tmp/run/dnsmasq")).unwrap();
    let mut session: Session<'_> = {
        agent.ask("6 CONNECTION REQUEST");
        acs.session()
    };
    session.inform_ok();
    session.notify(&[DEVICES], 2);
    session.set(&[(LIMIT, "xsd:unsignedInt", "3600")]);
    session.end();
    agent.wait_idle();

    device(&agent.root, 201);
    let inform = acs.serve();
    assert_eq!((codes(&inform), told(&inform, DEVICES)), (vec!["4 VALUE CHANGE"], Some("1")));
    let number = agent.wait_idle()["last_session"]["number"].clone();

    // Too soon: no session of its own, but the next one tells it.
    device(&agent.root, 202);
    wait_value(&agent, DEVICES, "2");
    agent.signal(Signal::SIGUSR1);
    agent.ask("6 CONNECTION REQUEST");
    let mut session = acs.session();
    assert_eq!(session.events(), ["4 VALUE CHANGE", "6 CONNECTION REQUEST"]);
    assert_eq!(told(&session.inform, DEVICES), Some("2"));
    let told_at = Instant::now();
    session.inform_ok();
    session.set(&[(LIMIT, "xsd:unsignedInt", "2")]);
    session.end();
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["number"].as_u64(), number.as_u64().map(|number| number + 1));

    // With time it is told by itself.
    device(&agent.root, 203);
    let inform = acs.serve();
    assert!(told_at.elapsed() >= Duration::from_secs(2), "{:?}", told_at.elapsed());
    assert_eq!((codes(&inform), told(&inform, DEVICES)), (vec!["4 VALUE CHANGE"], Some("3")));
}
