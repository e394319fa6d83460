//! `Device.Firewall.` (TR-181 2.17): the zones, rules and redirects of fw4.
//!
//! What the words of `Config` mean here (see `state` for how they come about):
//!
//! | Config | what the firewall does |
//! | --- | --- |
//! | `Low` | what the configuration says: all ways out are open, the ways in are those of rules, pinholes and port mappings |
//! | `High` | the same, and TCP and UDP get out to the ports of common services only |
//! | `Off` | all ways in are open too, NAT apart; so does `Enable` false |
//! | `Advanced` | the policy and the rules of the level that `AdvancedLevel` names |
//!
//! None of them can cut the agent off: fw4 takes packets of established connections before anything else, the rule that lets connection requests in
//! comes from procd and is put before all rules of the configuration, and no rule of the ACS is ever one for packets that the router itself sends.

mod chain;
pub(super) mod description;
mod dmz;
mod keep;
mod level;
mod matching;
mod pinhole;
mod rule;
mod state;
#[cfg(feature = "speed-tests")]
mod udp_echo;

use crate::error::{Error, Fault};
use crate::model::context::Context;
use crate::model::schema::{Object, Text, constant, count, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, Format, STRING, UNKNOWN_TIME, UNSIGNED_INT};
use crate::platform::uci::EditError;
use crate::time::UtcTime;

pub(super) use dmz::is_of_dmz;
pub(super) use keep::keep_connection_requests;
pub(super) use pinhole::settle as settle_pinhole;
pub(super) use rule::expiring;
pub(super) use state::port_mappings_suspended;
#[cfg(feature = "speed-tests")]
pub(super) use udp_echo::{EchoHole, let_udp_echo_in};

/// The UCI package.
const PACKAGE: &str = "firewall";
/// The table of logical interfaces.
const INTERFACE: &str = "Device.IP.Interface.";
/// The table of levels.
const LEVEL: &str = "Device.Firewall.Level.";
/// The table of chains.
const CHAIN: &str = "Device.Firewall.Chain.";

/// The rule of the UDP echo server: it comes and goes with it, and is no row of a chain.
const UDP_ECHO: &str = "cwmpd_udp_echo";

/// A text for the option `name`, which fw4 puts into a comment.
const LINE: Format = Format { name: "one line of text", check: |text| !text.chars().any(char::is_control) };

/// TR-181 2.17 Device.Firewall.
static FIREWALL: Object = Object::single(
    "Device.Firewall.",
    &[
        rw("Enable", BOOLEAN, get_set(state::enable, state::set_enable)),
        rw(
            "Config",
            STRING.values(&["High", "Low", "Off", "Advanced", "Policy"]),
            get_set(|cx, _| Ok(Text::Borrowed(state::config(cx)?)), state::set_config),
        ),
        rw("AdvancedLevel", STRING.strong(&[LEVEL]), get_set(state::advanced_level, state::set_advanced_level)),
        ro("Type", STRING.values(&["Stateless", "Stateful"]), constant("Stateful")),
        // The settings have no version.
        ro("Version", STRING.lengths(&[(0, 16)]), constant("")),
        ro("LastChange", DATE_TIME, get(|cx, _| Ok(last_change(cx)))),
        ro("LevelNumberOfEntries", UNSIGNED_INT, count("Level")),
        ro("ChainNumberOfEntries", UNSIGNED_INT, count("Chain")),
        ro("DMZNumberOfEntries", UNSIGNED_INT, count("DMZ")),
        ro("PinholeNumberOfEntries", UNSIGNED_INT, count("Pinhole")),
    ],
);

/// The objects of the firewall, tables before what lies in them.
pub static OBJECTS: &[&Object] =
    &[&FIREWALL, &level::LEVEL_TABLE, &chain::CHAIN_TABLE, &rule::RULE, &dmz::DMZ, &pinhole::PINHOLE];

/// When the file of the configuration was written last.
fn last_change(cx: &mut Context) -> Text {
    match cx.system().file_info("/etc/config/firewall") {
        Ok(info) => Text::Owned(UtcTime::from(info.modified).whole_seconds().to_string()),
        Err(_) => Text::Borrowed(UNKNOWN_TIME),
    }
}

fn refused(error: EditError) -> Fault {
    Fault::value(error.to_string())
}

/// The section of this name in the firewall's configuration is not there any more.
fn gone() -> Error {
    Error::other("the section of the firewall is gone")
}
