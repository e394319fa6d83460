//! The guard against a real loss of the path to the ACS: the router is a network namespace, the internet another one, and what stands for netifd
//! does to the router's interface what `/etc/config/network` says, a little later, as netifd does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::process::Command;

use common::acs::{Acs, Session, codes, set_values, told, wait_for};
use common::agent::Agent;
use common::netns::Netns;
use cwmpd::soap::rpc::{Inform, Message};

const CHECK: &str = "X CWMPD-ORG CHANGE CHECK";
const UNDONE: &str = "X CWMPD-ORG CHANGE UNDONE";
const KEY: &str = "Device.ManagementServer.ParameterKey";
const URL: &str = "Device.ManagementServer.URL";
const NETWORK: &str = "/etc/config/network";

/// The router's address, its gateway, the ACS behind it, and an address behind it where nobody answers.
const WAN: &str = "198.51.100.2";
const GATEWAY: &str = "198.51.100.1";
const ACS: &str = "203.0.113.1";
const SILENCE: &str = "203.0.113.99";

const NETIFD: &str = r#"
option() {
	sed -n "/^config interface 'wan'/,/^config /s/^	option $1 '\(.*\)'/\1/p" "$root/etc/config/network"
}
(
	sleep 0.3
	ip address flush dev wan
	ip address add "$(option ipaddr)/24" dev wan
	ip route replace default via "$(option gateway)"
) >/dev/null 2>&1 &
"#;

/// A router on the internet, with an agent that has had its first session.
struct World<'a> {
    internet: &'a Netns,
    router: &'a Netns,
    acs: &'a Acs,
    agent: Agent,
}

/// Makes the world and lives in it, on the side of the internet. `seconds` is the time of the guard.
fn live(seconds: u32, test: impl FnOnce(&mut World<'_>) + Send) {
    let (Some(internet), Some(router)) = (Netns::new(), Netns::new()) else { return };
    internet.connect("isp", &router, "wan");
    internet.ip(&format!("address add {GATEWAY}/24 dev isp"));
    internet.ip(&format!("address add {ACS}/32 dev lo"));
    internet.ip(&format!("route add blackhole {SILENCE}/32"));
    internet.enter(|| {
        let acs = Acs::start_at(format!("{ACS}:7547").parse().unwrap());
        let agent = Agent::new(&acs);
        agent.options("cpe", &[("rollback_timeout", &seconds.to_string())]);
        agent.options("acs", &[("http_timeout", "2")]);
        let wan = format!(
            "\toption proto 'static'\n\toption ipaddr '{WAN}'\n\toption netmask '255.255.255.0'\n\toption gateway '{GATEWAY}'\n"
        );
        agent.root.replace(NETWORK, "\toption proto 'dhcp'\n\toption hostname 'OpenWrt'\n", &wan);
        agent.root.write_recorder("/sbin/reload_config", NETIFD);
        // netifd also sees links come back.
        agent.root.write_recorder("/sbin/ip", &format!("ip \"$@\"\n{NETIFD}"));
        let mut world = World { internet: &internet, router: &router, acs: &acs, agent };
        world.boot();
        world.agent.wait_idle();
        test(&mut world);
    });
}

impl<'a> World<'a> {
    /// The kernel has started anew: the interface is as the configuration says, and the agent starts.
    fn start_router(&mut self) {
        let agent = &mut self.agent;
        self.router.ip("address flush dev wan");
        self.router.ip("link set wan up");
        self.router.enter(|| {
            let status = Command::new(agent.root.at("/sbin/reload_config")).status().unwrap();
            assert!(status.success());
        });
        wait_for("an address of the router", || (self.address().contains("inet ")).then_some(()));
        self.router.enter(|| self.agent.start());
    }

    fn boot(&mut self) {
        self.start_router();
        self.acs.serve();
    }

    /// The power goes and comes back.
    fn power_cut(&mut self) {
        self.agent.kill();
        self.agent.root.reboot();
        self.start_router();
    }

    fn address(&self) -> String {
        self.router.ip("-4 address show dev wan")
    }

    /// A session of the ACS, after the Inform.
    fn session(&self) -> Session<'a> {
        self.agent.ask("6 CONNECTION REQUEST");
        let mut session = self.acs.session();
        session.inform_ok();
        session
    }

    /// The ACS sets a value, and has nothing else to say.
    fn set(&self, find: &dyn Fn(&mut Session<'_>) -> String, kind: &str, value: &str) {
        let mut session = self.session();
        let name = find(&mut session);
        let answer = session.request(set_values(&[(&name, kind, value)], "changed"));
        assert!(matches!(answer, Message::SetParameterValuesResponse { .. }), "{answer:?}");
        session.end();
    }

    /// The ACS gives the router another address.
    fn set_address(&self, address: &str) {
        self.set(&|session| find(session, "Device.IP.Interface.", ".IPAddress", WAN), "xsd:string", address);
    }

    /// The next Inform reaches the ACS: it says that the change was undone.
    fn told_of_undoing(&self) -> Inform {
        let inform = self.acs.serve();
        assert!(codes(&inform).contains(&UNDONE), "{:?}", codes(&inform));
        assert!(!codes(&inform).contains(&"0 BOOTSTRAP"), "{:?}", codes(&inform));
        assert_eq!(told(&inform, KEY), Some(""));
        inform
    }
}

/// The parameter below an object whose name ends so and that has this value.
fn find(session: &mut Session<'_>, object: &str, end: &str, value: &str) -> String {
    let values = session.get(&[object]);
    let found = values.iter().find(|found| found.name.ends_with(end) && found.value.text == value);
    found.unwrap_or_else(|| panic!("no {end} below {object} is {value}")).name.clone()
}

#[test]
fn a_change_that_cuts_the_router_off_is_undone() {
    live(6, |world| {
        let network = world.agent.root.read(NETWORK);
        world.set_address("192.0.2.7");
        wait_for("the new address", || world.address().contains("192.0.2.7").then_some(()));
        assert!(!world.internet.ip("neighbour show dev isp").contains("192.0.2.7"));
        world.told_of_undoing();
        assert_eq!(world.agent.root.read(NETWORK), network);
        assert!(world.address().contains(WAN), "{}", world.address());
        assert!(world.agent.log().contains("failed"), "no session was tried in between");
    });
}

/// netifd is slower than the agent: a session over the former address would prove nothing.
#[test]
fn a_change_that_does_not_cut_it_off_is_kept() {
    live(20, |world| {
        world.agent.root.write_recorder("/sbin/reload_config", &NETIFD.replace("sleep 0.3", "sleep 1.5"));
        world.set_address("198.51.100.77");
        let inform = world.acs.serve();
        assert!(codes(&inform).contains(&CHECK), "{:?}", codes(&inform));
        assert!(world.address().contains("198.51.100.77"), "{}", world.address());
        assert!(world.agent.wait_idle()["undone_in"].is_null());
        assert!(world.agent.root.read(NETWORK).contains("198.51.100.77"));
        assert!(!world.agent.root.at("/etc/cwmpd/guard").exists());
    });
}

#[test]
fn it_is_undone_after_a_power_cut_as_well() {
    live(6, |world| {
        let network = world.agent.root.read(NETWORK);
        world.set_address("192.0.2.7");
        wait_for("half of the time", || (world.agent.status()["undone_in"].as_u64()? <= 3).then_some(()));
        world.power_cut();
        assert!(world.address().contains("192.0.2.7"), "the router has booted with the change");
        let inform = world.told_of_undoing();
        assert!(codes(&inform).contains(&"1 BOOT"), "{:?}", codes(&inform));
        assert_eq!(world.agent.root.read(NETWORK), network);
        assert!(world.address().contains(WAN), "{}", world.address());
    });
}

#[test]
fn a_good_change_is_kept_after_a_power_cut() {
    live(20, |world| {
        world.set_address("198.51.100.77");
        world.agent.kill();
        world.agent.root.reboot();
        world.start_router();
        let inform = world.acs.serve();
        assert!(codes(&inform).contains(&"1 BOOT"), "{:?}", codes(&inform));
        assert!(world.agent.wait_idle()["undone_in"].is_null());
        assert!(world.address().contains("198.51.100.77"), "{}", world.address());
    });
}

/// A cable that is not plugged in any more, as far as the router knows; no file of UCI says so.
#[test]
fn a_port_that_was_switched_off_comes_back() {
    live(6, |world| {
        let enable =
            |session: &mut Session<'_>| find(session, "Device.Ethernet.", ".Name", "wan").replace(".Name", ".Enable");
        world.set(&enable, "xsd:boolean", "0");
        let is_up = || world.router.ip("link show dev wan").contains("state UP");
        wait_for("the end of the link", || (!is_up()).then_some(()));
        world.told_of_undoing();
        assert!(is_up());
    });
}

/// An ACS that never answers: the time that a session waits for it counts too.
#[test]
fn an_acs_that_does_not_answer_is_left_for_the_former_one() {
    live(8, |world| {
        world.set(&|_| URL.into(), "xsd:string", &format!("http://{SILENCE}/"));
        let inform = world.told_of_undoing();
        assert!(told(&inform, "Device.ManagementServer.X_CWMPD-ORG_LastRollback").is_some());
        assert_eq!(world.agent.value(URL), world.acs.url());
    });
}
