//! The ACS by DHCP (TR-069a6 3.1; CONFORMANCE D-08 to D-11, SECURITY S18): what is offered, which of it is taken, and when DHCP is asked again.
//!
//! The hooks of the DHCP clients (`files/`) leave the options as they came beneath [`DIRECTORY`]; where netifd itself shows them, they are read
//! from there too. What is taken stands in the configuration like anything else, so that the ACS and the person at the router can see and change
//! it; the state remembers what came from DHCP. DHCP may change an option that is empty, and one that still is as DHCP has left it.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{Agent, other};
use crate::config::{PACKAGE, is_url};
use crate::cwmp::discovery::{Offer, Place, Rediscovery};
use crate::daemon::standalone;
use crate::device::option_rows;
use crate::error::Error;
use crate::platform::System;
use crate::platform::live::Live;
use crate::platform::uci::Package;

/// Where the hooks of the DHCP clients leave what they have received: a file `dhcp.INTERFACE` for each logical interface, with lines such as
/// `opt43=` and hexadecimal digits.
pub const DIRECTORY: &str = "/var/run/cwmpd";
/// Is written after each of these files.
pub const CHANGED: &str = "/var/run/cwmpd/dhcp-changed";

/// Options are 255 bytes long with DHCPv4; a message of DHCPv6 has all of its 64 KiB at most.
const LIMIT: usize = 1 << 18;

/// The names of values in the files and in netifd's data, best first: what is marked as meant for this comes before what may mean anything.
const NAMES: [(&str, Place); 4] = [
    ("opt125", Place::Option125),
    ("opt43", Place::Option43),
    ("opt17", Place::Option17),
    ("passthru", Place::Options6),
];

/// Where the values of an [`Offer`] go: section, option, and the parameter by that name.
const TARGETS: [(&str, &str, &str); 4] = [
    ("acs", "url", "Device.ManagementServer.URL"),
    ("cpe", "provisioning_code", "Device.DeviceInfo.ProvisioningCode"),
    ("acs", "retry_min_wait", "Device.ManagementServer.CWMPRetryMinimumWaitInterval"),
    ("acs", "retry_multiplier", "Device.ManagementServer.CWMPRetryIntervalMultiplier"),
];
const URL: &str = "url";

/// What lives as long as the process.
#[derive(Default)]
pub(super) struct Discovery {
    again: Rediscovery,
    /// The logical interfaces on which something was offered.
    interfaces: Vec<String>,
    /// What was last refused, so that it is told once.
    refused: String,
}

impl Discovery {
    /// Makes the place where the hooks leave what they have received, so that it can be watched.
    pub(super) fn open(live: &Live) -> Self {
        let made =
            live.host_path(DIRECTORY).and_then(|path| DirBuilder::new().recursive(true).mode(0o700).create(path));
        if let Err(error) = made {
            log::warn!("what DHCP offers later on goes unnoticed: {}", Error::io(format!("make {DIRECTORY}"))(error));
        }
        Self::default()
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.again.due()
    }
}

impl Agent {
    /// Takes what DHCP offers, as far as it may.
    pub fn discover(&mut self) {
        self.discovery.interfaces.clear();
        if !self.config.acs.dhcp_discovery {
            self.discovery.again.end();
            return;
        }
        let mut offer = Offer::default();
        for (interface, data) in self.interfaces_to_ask() {
            let received = self.received(&interface, &data);
            if received.is_empty() {
                continue;
            }
            for (place, value) in &received {
                offer.add(*place, value);
            }
            self.discovery.interfaces.push(interface);
        }
        if offer == Offer::default() {
            return;
        }
        let Ok(package) = self.live.load_package(PACKAGE) else { return };
        // Somebody is writing the settings, or has taken them away: they are read first.
        let unread = configured(&package, "acs", URL).is_empty() && !self.config.acs.url.is_empty();
        if unread || self.transfers.queue.is_applying() {
            return;
        }
        let mut taken: Vec<(usize, String)> = Vec::new();
        for (index, value) in offer.values.into_iter().enumerate() {
            if let Some(value) = value.filter(|value| self.may_take(&package, index, value)) {
                taken.push((index, value));
            }
        }
        if !taken.is_empty() {
            self.take(&taken);
        }
    }

    /// The agent's interface, and those of DHCPv6 on the same device, each with the data that netifd has of it.
    fn interfaces_to_ask(&self) -> Vec<(String, Json)> {
        let own = &self.config.cpe.interface;
        let dump = self.live.ubus_call("network.interface", "dump", &json!({})).unwrap_or_default();
        let all: &[Json] = dump.get("interface").and_then(Json::as_array).map_or(&[], Vec::as_slice);
        let text = |entry: &Json, name: &str| entry.get(name).and_then(Json::as_str).map(String::from);
        let data = |entry: &Json| entry.get("data").cloned().unwrap_or_default();
        let named = |entry: &&Json| text(entry, "interface").as_ref() == Some(own);
        let Some(first) = all.iter().find(named) else {
            // Without netifd the names that are usual have to do; the second is the one that netifd gives to what it makes for PPP.
            return [own.clone(), format!("{own}6"), format!("{own}_6")].map(|name| (name, Json::Null)).into();
        };
        let devices = [text(first, "device"), text(first, "l3_device")];
        let beside = |entry: &&Json| {
            let device = text(entry, "device");
            !named(entry)
                && text(entry, "proto").as_deref() == Some("dhcpv6")
                && device.is_some()
                && devices.contains(&device)
        };
        let others = all.iter().filter(beside).filter_map(|entry| Some((text(entry, "interface")?, data(entry))));
        std::iter::once((own.clone(), data(first))).chain(others).collect()
    }

    /// The values that were received on a logical interface.
    fn received(&self, interface: &str, data: &Json) -> Vec<(Place, Vec<u8>)> {
        let file = self.live.read_file(&format!("{DIRECTORY}/dhcp.{interface}"), LIMIT);
        let file = file.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let mut received = Vec::new();
        for (name, place) in NAMES {
            let in_file = file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            let in_netifd = || data.get(name).and_then(Json::as_str);
            let digits = in_file.filter(|digits| !digits.is_empty()).or_else(in_netifd).unwrap_or_default();
            match option_rows::bytes(digits) {
                Some(bytes) if !bytes.is_empty() => received.push((place, bytes)),
                Some(_) => {}
                None => log::warn!("what DHCP has sent on {interface} as {name} is not readable"),
            }
        }
        received
    }

    /// Whether a value that is offered is to come in the place of the present one (CONFORMANCE D-08).
    fn may_take(&mut self, package: &Package, index: usize, value: &str) -> bool {
        let Some((section, option, _)) = TARGETS.get(index) else { return false };
        let present = configured(package, section, option);
        let from_dhcp = self.is_from_dhcp(option, present);
        if present == value || (!present.is_empty() && !from_dhcp) {
            return false;
        }
        if *option != URL {
            return true;
        }
        let secure = value.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case("https://"));
        let reason = if self.config.acs.discovery_https_only && !secure {
            "cwmpd.acs.discovery_https_only is 1"
        } else if !is_url(value) {
            "it is not the URL of an ACS"
        } else {
            return true;
        };
        if self.discovery.refused != value {
            // It may have a password in it.
            let shown = if value.contains('@') { "with a user name" } else { value };
            log::warn!("DHCP offers the ACS {shown}, which is not taken: {reason}");
            self.discovery.refused = value.into();
        }
        false
    }

    /// Whether this value of an option came from DHCP; also where the agent was killed before it could note that it had written it.
    fn is_from_dhcp(&self, option: &str, present: &str) -> bool {
        let known = |name: &str| self.saved.discovered.get(name).is_some_and(|known| known == present);
        known(option) || known(&next(option))
    }

    fn take(&mut self, taken: &[(usize, String)]) {
        let options = |(index, value): &(usize, String)| Some((TARGETS.get(*index)?.1, value.clone()));
        // Noted before it is written: what a power cut leaves behind would else be taken for somebody's own, and stay for ever.
        for (option, value) in taken.iter().filter_map(options) {
            self.saved.discovered.insert(next(option), value);
        }
        self.save();
        let written = standalone::edit(self.live.as_ref(), PACKAGE, &mut |package| {
            for (index, value) in taken {
                let Some((section, option, _)) = TARGETS.get(*index) else { continue };
                let id = match package.find(section) {
                    Some(section) => section.id(),
                    None => package.add_section(section, Some(section)).map_err(other)?,
                };
                package.set(id, option, value).map_err(other)?;
            }
            Ok(())
        });
        for (option, _) in taken.iter().filter_map(options) {
            self.saved.discovered.remove(&next(option));
        }
        if let Err(error) = written {
            log::error!("what DHCP offers is not taken: {error}");
            return;
        }
        let on_trial = self.guard.lock().trial().is_some();
        for (index, value) in taken {
            if let Some((_, option, parameter)) = TARGETS.get(*index) {
                log::info!("{parameter} is {value} from now on: DHCP says so");
                let before = self.saved.discovered.insert((*option).into(), value.clone());
                // It may come back with the change on trial, and is DHCP's then as it was.
                if let Some(before) = before.filter(|_| on_trial) {
                    self.saved.discovered.get_or_insert_with(former(option), || before);
                }
            }
        }
        if !on_trial {
            self.forget_former_offer();
        }
        self.discovery.again.end();
        self.save();
        // The settings, and a BOOTSTRAP where the ACS is another one (CONFORMANCE D-10).
        self.reload();
    }

    /// Whether DHCP has named the ACS.
    pub(super) fn acs_is_discovered(&self) -> bool {
        let url = &self.config.acs.url;
        !url.is_empty() && self.is_from_dhcp(URL, url)
    }

    /// The roots that are trusted for an ACS that DHCP has named (SECURITY S18); `None` for those of any other.
    pub(super) fn discovered_ca_file(&self) -> Option<&String> {
        let file = &self.config.acs.discovery_ca_file;
        (!file.is_empty() && self.acs_is_discovered()).then_some(file)
    }

    /// The ACS, or somebody at the router, has written: what they have set is theirs, even if it is what DHCP says. A value that differs from DHCP's
    /// shows that by itself, and is DHCP's again if the change is undone.
    pub(super) fn set_by_others(&mut self, names: &[String]) {
        for (section, option, parameter) in TARGETS {
            if !names.iter().any(|name| name == parameter) {
                continue;
            }
            let Ok(package) = self.live.load_package(PACKAGE) else { return };
            if self.is_from_dhcp(option, configured(&package, section, option)) {
                self.saved.discovered.remove(option);
                self.saved.discovered.remove(&next(option));
            }
        }
    }

    /// A change of the ACS is undone, and with it what DHCP has said since: what came from DHCP before that still does, so that DHCP may change it.
    pub(super) fn take_back_offer(&mut self) {
        let Ok(package) = self.live.load_package(PACKAGE) else { return };
        for (section, option, _) in TARGETS {
            let before = self.saved.discovered.get(&former(option)).cloned();
            if let Some(before) = before.filter(|before| configured(&package, section, option) == before) {
                self.saved.discovered.insert(option.into(), before);
            }
        }
        self.forget_former_offer();
    }

    /// Nothing is on trial any more.
    pub(super) fn forget_former_offer(&mut self) {
        for (_, option, _) in TARGETS {
            self.saved.discovered.remove(&former(option));
        }
    }

    /// A session is over.
    pub(super) fn session_shows_acs(&mut self, complete: bool) {
        if complete || !self.acs_is_discovered() {
            self.discovery.again.end();
        } else {
            self.discovery.again.failed(self.live.monotonic(), self.rediscovery_wait());
        }
    }

    fn rediscovery_wait(&self) -> Duration {
        Duration::from_secs(self.config.acs.rediscovery_wait.into())
    }

    /// Asks DHCP again when the ACS that it has named could not be reached for long (CONFORMANCE D-09). The answer comes as any other lease does.
    pub(super) fn poll_discovery(&mut self, now: Duration) {
        let wait = self.rediscovery_wait();
        if !self.discovery.again.poll(now, wait) {
            return;
        }
        if !self.acs_is_discovered() {
            self.discovery.again.end();
            return;
        }
        let mut interfaces = self.discovery.interfaces.clone();
        if interfaces.is_empty() {
            interfaces.push(self.config.cpe.interface.clone());
        }
        for interface in interfaces {
            log::info!("the ACS that DHCP has named is out of reach: asking DHCP on {interface} again");
            if let Err(error) = self.live.ubus_call(&format!("network.interface.{interface}"), "renew", &json!({})) {
                log::warn!("DHCP on {interface} is not asked again: {error}");
            }
        }
    }
}

/// The name under which that is noted which is about to be written into an option.
fn next(option: &str) -> String {
    format!("{option} next")
}

/// The name under which that is noted which DHCP had said when a change went on trial.
fn former(option: &str) -> String {
    format!("{option} former")
}

/// An option as it stands in the configuration; empty for none.
fn configured<'a>(package: &'a Package, section: &str, option: &str) -> &'a str {
    package.find(section).and_then(|section| section.get(option)).unwrap_or_default()
}
