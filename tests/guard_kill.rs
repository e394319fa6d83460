//! The power goes at any moment of a change that cuts the router off, and of its undoing: the router comes back to its ACS as it was, the ACS
//! hears of it, and never of a BOOTSTRAP.
//!
//! `CWMPD_GUARD_KILLS` says how often (8 times unless it is set), `CWMPD_SEED` when. Both are printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::{Duration, Instant};

use common::acs::{Acs, codes, set_values, told};
use common::agent::Agent;
use cwmpd::soap::rpc::{Inform, Message};

const UNDONE: &str = "X CWMPD-ORG CHANGE UNDONE";
const KEY: &str = "Device.ManagementServer.ParameterKey";

/// A small generator of our own, so that a seed means the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Half of them soon, when much happens.
    fn moment(&mut self) -> Duration {
        let limit = if self.below(2) == 0 { 150_000 } else { 1_800_000 };
        Duration::from_micros(self.below(limit))
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Answers what comes on connections after this one until a session is over; gives its Inform.
fn serve_after(acs: &Acs, connection: usize) -> Inform {
    let mut inform = None;
    loop {
        let exchange = acs.next();
        if exchange.request.connection <= connection {
            continue;
        }
        if exchange.is_empty() {
            exchange.no_content();
            return inform.expect("an Inform before anything else");
        }
        inform = Some(exchange.inform().clone());
        exchange.reply_message(Message::InformResponse { max_envelopes: 1 });
    }
}

#[test]
fn whatever_the_moment_of_a_power_cut_the_router_comes_back() {
    let kills = number("CWMPD_GUARD_KILLS", 8);
    let seed = number("CWMPD_SEED", u64::from(std::process::id()));
    println!("{kills} power cuts with seed {seed}");
    let mut random = Random(seed);
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.option("cpe", "rollback_timeout", "1");
    agent.start();
    acs.serve();
    agent.wait_idle();
    let files = ["/etc/config/network", "/etc/config/cwmpd"].map(|file| (file, agent.root.read(file)));
    let change = [
        ("Device.IP.Interface.2.MaxMTUSize", "xsd:unsignedInt", "1400"),
        ("Device.ManagementServer.URL", "xsd:string", "http://127.0.0.1:9/"),
    ];
    for round in 0..kills {
        let (cut, second) = (random.moment(), (random.below(2) == 0).then(|| random.moment()));
        println!("round {round}: power cut after {cut:?}, then {second:?}");
        agent.ask("6 CONNECTION REQUEST");
        let mut session = acs.session();
        session.inform_ok();
        let request = session.envelope(set_values(&change, "cut"));
        let sent = Instant::now();
        session.take().reply(&request);
        let answer = acs.next_within(cut);
        let answered = answer.is_some();
        if let Some(exchange) = answer {
            exchange.no_content();
        }
        std::thread::sleep(cut.saturating_sub(sent.elapsed()));
        let mut connections = acs.connections();
        agent.reboot();
        if let Some(second) = second {
            std::thread::sleep(second);
            connections = acs.connections();
            agent.reboot();
        }
        let inform = serve_after(&acs, connections);
        let events = codes(&inform);
        assert!(events.contains(&"1 BOOT") && !events.contains(&"0 BOOTSTRAP"), "{events:?}");
        assert!(events.contains(&UNDONE) || !answered, "{events:?}");
        assert_eq!(told(&inform, KEY), Some(""));
        agent.wait_idle();
        for (file, content) in &files {
            assert_eq!(&agent.root.read(file), content, "{file}");
        }
        while agent.root.at("/etc/cwmpd/guard").exists() {
            assert!(!answered, "the guard is still there");
            acs.serve();
            agent.wait_idle();
        }
    }
}
