//! Devices on the LAN that an ACS manages by themselves (TR-069a6 Annex F): how often their number is told (CONFORMANCE N-12), and what dnsmasq has
//! to do for the gateway and a device to know each other (Z-01).
//!
//! dnsmasq hands what a device says of itself to its script, and marks such a device with a tag of its own, so that the options with the identity of
//! the gateway go to it alone.

use std::fmt::Write;
use std::time::Duration;

use super::{Agent, other};
use crate::cwmp::answers::text_of;
use crate::cwmp::notify::Notification;
use crate::daemon::standalone;
use crate::error::Result;
use crate::model::context::{Context, Effects};
use crate::platform::System;
use crate::platform::uci::{OptionValue, Package};
use crate::soap::rpc::ParameterValue;

const NUMBER: &str = "Device.ManagementServer.ManageableDeviceNumberOfEntries";
const LIMIT: &str = "Device.ManagementServer.ManageableDeviceNotificationLimit";

/// The script to which dnsmasq tells its leases.
const SCRIPT: &str = "/usr/lib/cwmpd/lan-device";
/// How the options with the identity of the gateway begin: for whom, and which (RFC 3925; the enterprise number is that of the Broadband Forum).
const OPTION: &str = "tag:cpewan-id,vi-encap:3561,";

/// What lives as long as the process.
#[derive(Default)]
pub(super) struct Devices {
    /// When the ACS was last told how many there are.
    told_at: Option<Duration>,
    /// When what has changed since is to be told.
    due: Option<Duration>,
}

impl Devices {
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// These parameters have changed, and until then it is too soon for a session because of the devices.
    pub(super) fn look_again(&mut self, quiet_until: Option<Duration>, changed: &[String]) {
        self.due = quiet_until.filter(|_| changed.iter().any(|name| name == NUMBER));
    }
}

/// What a Notification attribute comes to as long as there may be no session because of the devices: the next one tells it anyway.
pub(super) fn limited(name: &str, notification: Notification, quiet_until: Option<Duration>) -> Notification {
    match notification {
        Notification::Active if quiet_until.is_some() && name == NUMBER => Notification::Passive,
        as_it_is => as_it_is,
    }
}

impl Agent {
    /// Until when there may be no session because of the devices; `None` where that time is over.
    pub(super) fn devices_quiet_until(&self, context: &mut Context) -> Option<Duration> {
        let told_at = self.devices.told_at?;
        let limit = text_of(context, LIMIT)?.parse().ok()?;
        let until = told_at.saturating_add(Duration::from_secs(limit));
        (until > self.live.monotonic()).then_some(until)
    }

    /// The ACS has been told these values.
    pub(super) fn devices_told(&mut self, sent: &[ParameterValue]) {
        if sent.iter().any(|parameter| parameter.name == NUMBER) {
            self.devices.told_at = Some(self.live.monotonic());
        }
    }

    /// Looks whether it is time to tell.
    pub(super) fn poll_devices(&mut self, now: Duration) {
        if self.devices.due.is_some_and(|due| due <= now) {
            self.devices.due = None;
            self.look_at_values();
        }
    }

    /// Lets dnsmasq tell devices who the gateway is, and the agent who they are; or not any more, if it was this that did.
    pub(super) fn announce_gateway(&mut self) {
        let Ok(before) = self.live.load_package("dhcp") else { return };
        let wanted = if self.config.cpe.manageable_devices { self.identity_options() } else { Vec::new() };
        let script = self.config.cpe.manageable_devices;
        let mut wish = before.original();
        if arrange(&mut wish, &wanted, script).is_err() || !wish.is_changed() {
            return;
        }
        let edited = standalone::edit(self.live.as_ref(), "dhcp", &mut |package| arrange(package, &wanted, script));
        match edited {
            Ok(()) => {
                log::info!(
                    "dnsmasq is told {} about devices that are managed",
                    if script { "to ask" } else { "nothing" }
                );
                let packages = [String::from("dhcp")].into_iter().collect();
                self.promise_effects(Effects { packages, ..Effects::default() });
                self.save();
            }
            Err(error) => log::error!("devices on the LAN do not hear who the gateway is: {error}"),
        }
    }

    /// Sub-options 4 to 6: who the gateway is.
    fn identity_options(&self) -> Vec<String> {
        let id = self.device_id();
        let values = [(4, id.oui), (5, id.serial_number), (6, id.product_class)];
        values.iter().filter_map(|(code, value)| Some(format!("{OPTION}{code},{}", octets(value)?))).collect()
    }
}

/// A text as octets: the only form that dnsmasq takes for nothing else, whatever is in it. It knows one by the colons, so that there must be two.
fn octets(text: &str) -> Option<String> {
    let mut octets = String::new();
    for byte in text.bytes() {
        let colon = if octets.is_empty() { "" } else { ":" };
        // Writing to a String never fails.
        let _ = write!(octets, "{colon}{byte:02x}");
    }
    (text.len() > 1).then_some(octets)
}

/// Makes the first dnsmasq as it is to be. A script of somebody else stays; it has to call the agent's.
fn arrange(package: &mut Package, options: &[String], script: bool) -> Result<()> {
    let Some(section) = package.sections().find(|section| section.kind() == "dnsmasq") else { return Ok(()) };
    let id = section.id();
    let present: Vec<&str> = match section.value("dhcp_option") {
        // OpenWrt still takes several in one text, with blanks between them.
        Some(OptionValue::Text(text)) => text.split_ascii_whitespace().collect(),
        Some(OptionValue::List(list)) => list,
        None => Vec::new(),
    };
    let mut list: Vec<String> =
        present.iter().filter(|option| !option.starts_with(OPTION)).map(|&option| option.into()).collect();
    list.extend_from_slice(options);
    let same = list == present;
    let scripted = section.get("dhcpscript").map(String::from);
    if !same {
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        package.set_list(id, "dhcp_option", &list).map_err(other)?;
    }
    match (script, scripted.as_deref()) {
        (true, None | Some("")) => package.set(id, "dhcpscript", SCRIPT).map(drop).map_err(other)?,
        (false, Some(SCRIPT)) => drop(package.remove(id, "dhcpscript")),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DHCP: &str =
        "config dnsmasq\n\toption domain 'lan'\n\tlist dhcp_option '44,192.0.2.1'\n\nconfig dhcp 'lan'\n";

    fn arranged(text: &str, options: &[&str], script: bool) -> String {
        let mut package = Package::parse("dhcp", text.as_bytes());
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        arrange(&mut package, &options, script).unwrap();
        String::from_utf8(package.to_bytes()).unwrap()
    }

    #[test]
    fn z01_the_identity_of_the_gateway_comes_and_goes_and_leaves_the_rest() {
        let option = format!("{OPTION}4,{}", octets("00005E").unwrap());
        assert_eq!(option, "tag:cpewan-id,vi-encap:3561,4,30:30:30:30:35:45");
        let on = arranged(DHCP, &[&option], true);
        assert!(on.contains("\tlist dhcp_option '44,192.0.2.1'\n"), "{on}");
        assert!(on.contains(&format!("\tlist dhcp_option '{option}'\n")), "{on}");
        assert!(on.contains("\toption dhcpscript '/usr/lib/cwmpd/lan-device'\n"), "{on}");
        assert_eq!(arranged(&on, &[&option], true), on, "again changes nothing");
        assert_eq!(arranged(&on, &[], false), DHCP);
        let old = DHCP.replace("list dhcp_option '44,192.0.2.1'", "option dhcp_option '44,192.0.2.1 45,192.0.2.1'");
        assert_eq!(arranged(&old, &[], false), old);
        let on = arranged(&old, &[&option], true);
        assert!(on.contains("\tlist dhcp_option '44,192.0.2.1'\n\tlist dhcp_option '45,192.0.2.1'\n"), "{on}");
        let own = DHCP.replace("\toption domain", "\toption dhcpscript '/etc/mine'\n\toption domain");
        assert!(arranged(&own, &[&option], true).contains("'/etc/mine'"));
        assert_eq!(arranged(&own, &[], false), own);
    }

    #[test]
    fn one_octet_would_be_a_number_to_dnsmasq() {
        assert_eq!(octets("1"), None);
        assert_eq!(octets("12").unwrap(), "31:32");
        assert_eq!(octets("a,\"").unwrap(), "61:2c:22");
    }

    #[test]
    fn n12_too_soon_is_told_with_the_next_session() {
        let soon = Some(Duration::from_secs(5));
        assert_eq!(limited(NUMBER, Notification::Active, soon), Notification::Passive);
        assert_eq!(limited(NUMBER, Notification::Active, None), Notification::Active);
        assert_eq!(limited(LIMIT, Notification::Active, soon), Notification::Active);
    }
}
