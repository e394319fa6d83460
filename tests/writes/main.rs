//! Every writable parameter: set over CWMP, read back, and found by the real `uci`; then set with `uci` from outside and read over CWMP.
//!
//! A group is a router as it has to be, and the writes that are tried on it, in this order, in one session. The last test sees to it
//! that no writable parameter of the model is left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "../common/mod.rs"]
mod common;

use std::collections::BTreeSet;
use std::process::Command;

use common::acs::{Acs, Session, set_values};
use common::agent::Agent;
use common::root::RouterRoot;
use common::uci_tool::real_uci;
use cwmpd::soap::rpc::Message;

/// Writes that share a router.
pub struct Group {
    /// Makes the sample router fit: sections, devices, replies of ubus.
    pub prepare: fn(&RouterRoot),
    /// Tables that get a row in the beginning, in this order.
    pub add: &'static [&'static str],
    /// In this order.
    pub writes: &'static [Write],
}

/// One parameter.
#[derive(Clone, Copy)]
pub struct Write {
    /// Its full name; what is written by a person goes into [`Write::outside`].
    pub name: &'static str,
    /// What is written.
    pub value: &'static str,
    /// What it reads afterwards.
    pub reads: &'static str,
    /// Written in the same request, before it.
    pub with: &'static [(&'static str, &'static str)],
    /// What `uci get` prints then; an empty text: the option is not there. Nothing, where the agent keeps the value itself.
    pub uci: &'static [(&'static str, &'static str)],
    /// What somebody sets with `uci` after that (an empty text deletes the option), and what the parameter reads then.
    pub outside: Option<(&'static [(&'static str, &'static str)], &'static str)>,
}

/// A write that reads as what was written.
pub const fn write(name: &'static str, value: &'static str, uci: &'static [(&'static str, &'static str)]) -> Write {
    Write { name, value, reads: value, with: &[], uci, outside: None }
}

impl Write {
    /// What it reads where that is not what was written: secrets, commands.
    pub const fn reads(mut self, value: &'static str) -> Self {
        self.reads = value;
        self
    }

    /// What goes along.
    pub const fn with(mut self, values: &'static [(&'static str, &'static str)]) -> Self {
        self.with = values;
        self
    }

    /// The way back.
    pub const fn outside(mut self, options: &'static [(&'static str, &'static str)], reads: &'static str) -> Self {
        self.outside = Some((options, reads));
        self
    }
}

/// What the router's configuration says, by the real `uci`.
fn uci(agent: &Agent, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(real_uci()?);
    command.arg("-q").arg("-c").arg(agent.root.at("/etc/config"));
    command.arg("-t").arg(agent.root.at("/tmp/.uci-of-the-test"));
    let output = command.args(arguments).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned())
}

fn outside(agent: &Agent, options: &[(&str, &str)]) -> Option<()> {
    for (option, value) in options {
        match *value {
            "" => uci(agent, &["delete", option])?,
            value => uci(agent, &["set", &format!("{option}={value}")])?,
        };
    }
    for (option, _) in options {
        uci(agent, &["commit", option.split('.').next().unwrap()])?;
    }
    Some(())
}

fn try_write(agent: &Agent, session: &mut Session<'_>, write: &Write) -> Result<(), String> {
    let mut values: Vec<(&str, &str, &str)> =
        write.with.iter().map(|(name, value)| (*name, "xsd:string", *value)).collect();
    values.push((write.name, "xsd:string", write.value));
    match session.request(set_values(&values, "")) {
        Message::SetParameterValuesResponse { .. } => {}
        answer => return Err(format!("{}={}: {answer:?}", write.name, write.value)),
    }
    let read = session.value(write.name);
    if read != write.reads {
        return Err(format!("{}={} reads {read:?}", write.name, write.value));
    }
    for (option, value) in write.uci {
        match uci(agent, &["get", option]) {
            Some(found) if found != *value => {
                return Err(format!("{}={}: {option} is {found:?}, not {value:?}", write.name, write.value));
            }
            _ => {}
        }
    }
    if let Some((options, reads)) = write.outside {
        if outside(agent, options).is_some() {
            let read = session.value(write.name);
            if read != reads {
                return Err(format!("{}: after {options:?} it reads {read:?}, not {reads:?}", write.name));
            }
        }
    }
    Ok(())
}

fn try_group(group: &Group) {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    (group.prepare)(&agent.root);
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    for table in group.add {
        session.add(table);
    }
    let wrong: Vec<String> =
        group.writes.iter().filter_map(|write| try_write(&agent, &mut session, write).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    session.end();
}

/// A file of this directory each, with its `GROUP`.
macro_rules! groups {
    ($($name:ident),* $(,)?) => {
        $(
            mod $name;

            #[test]
            fn $name() {
                try_group(&$name::GROUP);
            }
        )*

        const GROUPS: &[&Group] = &[$(&$name::GROUP),*];
    };
}

groups! {
    bridging,
    bulk_data,
    cellular,
    diagnostics,
    ethernet,
    firmware,
    dhcpv4,
    dhcpv6,
    dns,
    firewall,
    hardware,
    ip,
    management,
    ppp,
    neighbor_discovery,
    router_advertisement,
    routing,
    nat,
    services,
    software,
    speed,
    time,
    timed,
    users,
    transfers,
    wifi,
    xmpp,
}

/// `Device.WiFi.SSID.2.Enable` is `Device.WiFi.SSID.{i}.Enable`.
fn in_table(name: &str) -> String {
    let part =
        |part: &str| if part.bytes().all(|byte| byte.is_ascii_digit()) { "{i}".into() } else { String::from(part) };
    name.split('.').map(part).collect::<Vec<_>>().join(".")
}

/// Tables that never have a row: what they need is no part of OpenWrt.
const EMPTY: &[&str] = &["Device.Routing.RIP.InterfaceSetting.{i}."];

/// Aliases are all the same, and tested with the engine.
#[test]
fn no_writable_parameter_is_left_out() {
    let tried: BTreeSet<String> =
        GROUPS.iter().flat_map(|group| group.writes).map(|write| in_table(write.name)).collect();
    let mut all = BTreeSet::new();
    for object in cwmpd::device::objects().filter(|object| !EMPTY.contains(&object.path)) {
        for parameter in object.parameters.iter().filter(|parameter| parameter.writable && parameter.name != "Alias") {
            all.insert(format!("{}{}", object.path, parameter.name));
        }
    }
    let unknown: Vec<_> = tried.difference(&all).collect();
    assert!(unknown.is_empty(), "there is no such writable parameter: {unknown:#?}");
    let missing: Vec<_> = all.difference(&tried).collect();
    println!("{} of {} writable parameters are tried", tried.len(), all.len());
    assert!(missing.is_empty(), "not tried: {missing:#?}");
}
