//! What odhcpd does on an interface: router advertisements and DHCPv6, each a row of a table of its own, all in one `config dhcp` section with the pool of
//! DHCPv4.
//!
//! A section has a service when it has the option that says how it is run (`ra`, `dhcpv6`). Services come and go without the others: a section in which
//! only odhcpd has something to do ignores DHCPv4, and is no pool of `Device.DHCPv4.Server.`.

use std::rc::Rc;

use crate::device::net;
use crate::device::sections::{move_options, name, refused};
use crate::error::{Fault, Result};
use crate::model::access::{read, uci_truth};
use crate::model::context::{Context, Row, RowId};
use crate::model::schema::Text;
use crate::platform::uci::{Section, SectionId};

/// The UCI package.
pub const PACKAGE: &str = "dhcp";
/// The type of the sections.
pub const KIND: &str = "dhcp";
/// The table of logical interfaces.
const INTERFACE: &str = "Device.IP.Interface.";

/// A service.
pub struct Service {
    /// The table of its rows.
    pub table: &'static str,
    /// The option that says how it is run: `server`, `relay`, `hybrid` or `disabled`.
    pub mode: &'static str,
    /// The option that keeps how it was run while it is off, where that was not as a server; odhcpd and dnsmasq do not look at it.
    pub was: &'static str,
    /// All options that belong to it, with those two.
    pub options: &'static [&'static str],
    /// Where the agent keeps which rows come back when the whole service is switched on again.
    pub off: &'static str,
}

/// Router advertisements.
pub static ADVERTISEMENTS: Service = Service {
    table: "Device.RouterAdvertisement.InterfaceSetting.",
    mode: "ra",
    was: "cwmpd_ra",
    options: &[
        "ra",
        "cwmpd_ra",
        "ra_flags",
        "ra_management",
        "ra_default",
        "ra_slaac",
        "ra_offlink",
        "ra_preference",
        "ra_maxinterval",
        "ra_mininterval",
        "ra_lifetime",
        "ra_useleasetime",
        "ra_reachabletime",
        "ra_retranstime",
        "ra_hoplimit",
        "ra_mtu",
        "ra_dns",
        "ra_pref64",
    ],
    off: "dhcp.ra_off",
};

/// DHCPv6.
pub static DHCPV6: Service = Service {
    table: "Device.DHCPv6.Server.Pool.",
    mode: "dhcpv6",
    was: "cwmpd_dhcpv6",
    options: &[
        "dhcpv6",
        "cwmpd_dhcpv6",
        "dhcpv6_na",
        "dhcpv6_pd",
        "dhcpv6_pd_min_len",
        "dhcpv6_assignall",
        "dhcpv6_hostidlength",
    ],
    off: "dhcp.dhcpv6_off",
};

/// What services share: these go along where nothing else is left behind.
const SHARED: [&str; 4] = ["dns", "domain", "ntp", "captive_portal_uri"];

static SERVICES: [&Service; 2] = [&ADVERTISEMENTS, &DHCPV6];

/// Whether a section is a pool of DHCPv4: any but one in which only odhcpd has something to do.
#[must_use]
pub fn is_pool(section: &Section<'_>) -> bool {
    let ignored = section.get("ignore").and_then(uci_truth) == Some(true);
    let ranged = ["start", "limit", "leasetime"].iter().any(|option| section.value(option).is_some());
    let served = SERVICES.iter().any(|service| section.value(service.mode).is_some());
    !ignored || ranged || !served
}

impl Service {
    fn is_on(&self, section: &Section<'_>) -> bool {
        matches!(section.get(self.mode), Some("server" | "relay" | "hybrid"))
    }

    /// Switches a row on, as it was run before, or off. What relays has no prefix of its own, and may be the uplink: a server there would give addresses
    /// to the provider's network.
    fn switch(&self, cx: &mut Context, row: &Row, on: bool) -> Result<(), Fault> {
        let relays = |mode: &String| matches!(mode.as_str(), "relay" | "hybrid");
        if on {
            let was = cx.option(row, self.was)?.filter(relays);
            cx.set_option(row, self.mode, Some(was.as_deref().unwrap_or("server")))?;
            return cx.set_option(row, self.was, None);
        }
        if let Some(mode) = cx.option(row, self.mode)?.filter(|mode| mode != "disabled") {
            // Somebody may have made a server of what once relayed.
            cx.set_option(row, self.was, relays(&mode).then_some(mode.as_str()))?;
        }
        cx.set_option(row, self.mode, Some("disabled"))
    }

    /// The rows that come back with the whole service; `None` while it is on.
    fn coming_back(&self, cx: &Context) -> Option<Vec<String>> {
        cx.own(self.off).map(|names| names.split(',').filter(|name| !name.is_empty()).map(String::from).collect())
    }

    /// `Enable` of the whole service, for which odhcpd has no switch: all rows are off then.
    #[must_use]
    pub fn all_enabled(&self, cx: &Context) -> bool {
        cx.own(self.off).is_none()
    }

    /// Switches the whole service on or off.
    ///
    /// # Errors
    /// When UCI cannot be written.
    pub fn set_all(&self, cx: &mut Context, value: &str) -> Result<(), Fault> {
        let on = value == "true";
        if self.all_enabled(cx) == on {
            return Ok(());
        }
        let back = self.coming_back(cx).unwrap_or_default();
        let mut went = Vec::new();
        let Some(node) = cx.schema().find(self.table) else { return Ok(()) };
        let root = cx.root();
        for entry in cx.rows(node, &root)?.iter() {
            let row = Row::new(node, &root, entry);
            let key = cx.key(&row)?;
            if on && back.contains(&key) {
                self.switch(cx, &row, true)?;
            } else if !on && self.is_on(&cx.section(&row)?) {
                self.switch(cx, &row, false)?;
                went.push(key);
            }
        }
        cx.set_own(self.off, (!on).then(|| went.join(",")).as_deref());
        Ok(())
    }

    /// `Enable` of a row.
    ///
    /// # Errors
    /// When its section is gone.
    pub fn enabled(&self, cx: &mut Context, row: &Row) -> Result<bool> {
        if self.is_on(&cx.section(row)?) {
            return Ok(true);
        }
        let key = cx.key(row)?;
        Ok(self.coming_back(cx).is_some_and(|names| names.contains(&key)))
    }

    /// Writes `Enable` of a row.
    ///
    /// # Errors
    /// When UCI cannot be written.
    pub fn set_enable(&self, cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
        let on = value == "true";
        if self.enabled(cx, row)? == on {
            return Ok(());
        }
        let Some(mut back) = self.coming_back(cx) else {
            return self.switch(cx, row, on);
        };
        let key = cx.key(row)?;
        back.retain(|name| *name != key);
        if on {
            back.push(key);
        } else {
            self.switch(cx, row, false)?;
        }
        cx.set_own(self.off, Some(&back.join(",")));
        Ok(())
    }

    /// `Status` of a row.
    ///
    /// # Errors
    /// When its section is gone.
    pub fn status(&self, cx: &mut Context, row: &Row) -> Result<Text> {
        Ok(Text::Borrowed(if !self.is_on(&cx.section(row)?) {
            "Disabled"
        } else if interface(cx, row)?.is_empty() {
            "Error_Misconfigured"
        } else {
            "Enabled"
        }))
    }

    /// Writes `Interface` of a row: the service goes to the section of that interface, or to a new one.
    ///
    /// # Errors
    /// 9007 for an interface that is not there, or that has the service already.
    pub fn set_interface(&self, cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
        if interface(cx, row)? == value {
            return Ok(());
        }
        let wanted = cx.section_of_path(INTERFACE, value)?;
        let &RowId::Section(from) = row.id() else { return Ok(()) };
        let there = match &wanted {
            Some(name) => section_of(cx, name, |_| true)?,
            None => None,
        };
        if let Some(there) = there {
            let package = cx.package(PACKAGE)?;
            if package.section(there).is_some_and(|section| section.value(self.mode).is_some()) {
                return Err(Fault::value("the interface has an instance of its own already"));
            }
            return self.go(cx, row, from, there);
        }
        if self.alone(cx, from)? {
            return cx.set_option(row, "interface", wanted.as_deref());
        }
        let (to, _) = cx.add_section(PACKAGE, KIND, &[("ignore", "1")])?;
        cx.package_mut(PACKAGE)?.set(to, "interface", wanted.as_deref().unwrap_or_default()).map_err(refused)?;
        self.go(cx, row, from, to)
    }

    /// Takes a row away; what else its section is for stays.
    ///
    /// # Errors
    /// When UCI cannot be written.
    pub fn delete(&self, cx: &mut Context, row: &Row) -> Result<(), Fault> {
        let &RowId::Section(id) = row.id() else { return Ok(()) };
        self.rename_mark(cx, row, None)?;
        if self.alone(cx, id)? {
            cx.package_mut(PACKAGE)?.remove_section(id);
            return Ok(());
        }
        let package = cx.package_mut(PACKAGE)?;
        for option in self.options {
            package.remove(id, option);
        }
        Ok(())
    }

    /// Whether a section is there for this service alone.
    fn alone(&self, cx: &mut Context, id: SectionId) -> Result<bool> {
        let section = cx.package(PACKAGE)?.section(id);
        let other = |section: &Section<'_>| {
            SERVICES.iter().any(|service| service.mode != self.mode && section.value(service.mode).is_some())
        };
        Ok(section.is_some_and(|section| !is_pool(&section) && !other(&section)))
    }

    /// Moves the service, with its row, to another section.
    fn go(&self, cx: &mut Context, row: &Row, from: SectionId, to: SectionId) -> Result<(), Fault> {
        let alone = self.alone(cx, from)?;
        move_options(cx, PACKAGE, from, to, self.options)?;
        if alone {
            for option in SHARED {
                if says(cx, from, option) {
                    move_options(cx, PACKAGE, from, to, &[option])?;
                }
            }
        }
        let key = name(cx, PACKAGE, to)?;
        self.rename_mark(cx, row, Some(&key))?;
        if alone {
            cx.package_mut(PACKAGE)?.remove_section(from);
        }
        cx.move_row(row, &key);
        Ok(())
    }

    /// Keeps the list of rows that come back in line with a row that has gone elsewhere.
    fn rename_mark(&self, cx: &mut Context, row: &Row, to: Option<&str>) -> Result<()> {
        let key = cx.key(row)?;
        let Some(names) = self.coming_back(cx).filter(|names| names.contains(&key)) else { return Ok(()) };
        let names: Vec<&str> =
            names.iter().filter_map(|name| if *name == key { to } else { Some(name.as_str()) }).collect();
        cx.set_own(self.off, Some(&names.join(",")));
        Ok(())
    }

    /// The row of the service in a section.
    fn row_in(&self, cx: &mut Context, id: SectionId) -> Result<Option<Rc<Row>>> {
        let Some(node) = cx.schema().find(self.table) else { return Ok(None) };
        let root = cx.root();
        let rows = cx.rows(node, &root)?;
        Ok(rows.iter().find(|entry| entry.id == RowId::Section(id)).map(|entry| Row::new(node, &root, entry)))
    }
}

/// Whether a section has an option.
fn says(cx: &mut Context, id: SectionId, option: &str) -> bool {
    cx.package(PACKAGE).is_ok_and(|package| package.section(id).is_some_and(|section| section.value(option).is_some()))
}

/// The first section of an interface that a function lets through.
fn section_of(cx: &mut Context, interface: &str, wanted: fn(&Section<'_>) -> bool) -> Result<Option<SectionId>> {
    let mut sections = cx.package(PACKAGE)?.sections().filter(|section| section.kind() == KIND);
    let found = sections.find(|section| section.get("interface") == Some(interface) && wanted(section));
    Ok(found.map(Section::id))
}

/// Lets the services of a section stay with its interface, in a section of their own, before its pool goes elsewhere.
///
/// # Errors
/// When UCI cannot be written.
pub fn leave(cx: &mut Context, id: SectionId) -> Result<(), Fault> {
    let Some(section) = cx.package(PACKAGE)?.section(id) else { return Ok(()) };
    let Some(interface) = section.get("interface").map(String::from) else { return Ok(()) };
    let mut new = None;
    for service in SERVICES {
        let Some(row) = service.row_in(cx, id)? else { continue };
        let to = match new {
            Some(to) => to,
            None => cx.add_section(PACKAGE, KIND, &[("interface", &interface), ("ignore", "1")])?.0,
        };
        new = Some(to);
        service.go(cx, &row, id, to)?;
    }
    let Some(to) = new else { return Ok(()) };
    for option in SHARED {
        if says(cx, id, option) {
            move_options(cx, PACKAGE, id, to, &[option])?;
        }
    }
    Ok(())
}

/// Takes the services of an interface into the section of its pool, so that there is one section for each interface: dnsmasq takes `ignore` for the
/// interface, not for the section.
///
/// # Errors
/// When UCI cannot be written.
pub fn gather(cx: &mut Context, pool: SectionId, interface: &str) -> Result<(), Fault> {
    while let Some(from) = section_of(cx, interface, |section| !is_pool(section))?.filter(|from| *from != pool) {
        for service in SERVICES {
            let Some(row) = service.row_in(cx, from)? else { continue };
            service.go(cx, &row, from, pool)?;
        }
        cx.package_mut(PACKAGE)?.remove_section(from);
    }
    Ok(())
}

/// `Interface` of a row of the `config dhcp` sections.
///
/// # Errors
/// When its section is gone.
pub fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(name) = cx.option(row, "interface")? else { return Ok(Text::Borrowed("")) };
    Ok(cx.path_of_key(INTERFACE, &name).map_or(Text::Borrowed(""), Text::Owned))
}

/// The device of the interface of a row, now.
///
/// # Errors
/// When its section is gone.
pub fn device(cx: &mut Context, row: &Row) -> Result<Option<String>> {
    let Some(name) = cx.option(row, "interface")? else { return Ok(None) };
    let interfaces = net::interfaces(cx)?;
    Ok(net::text(interfaces.get(&name), "l3_device").map(String::from))
}

/// The rows of `IPv6Prefix` of the interface of a row, without that of the link itself.
///
/// # Errors
/// When its section is gone.
pub fn prefixes(cx: &mut Context, row: &Row) -> Result<Text> {
    let path = interface(cx, row)?;
    let schema = cx.schema().clone();
    let table = schema.find(INTERFACE).and_then(|node| schema.child(node, "IPv6Prefix"));
    let (Some(table), Some(around)) = (table, cx.row_of_path(INTERFACE, &path)) else { return Ok(Text::Borrowed("")) };
    let mut paths = Vec::new();
    for entry in cx.rows(table, &around)?.iter() {
        let prefix = Row::new(table, &around, entry);
        let value = match schema.node(table).parameter("Prefix") {
            Some(parameter) => read(cx, table, &prefix, parameter).unwrap_or_default(),
            None => Text::Borrowed(""),
        };
        if !value.is_empty() && !value.starts_with("fe80:") && paths.len() < 8 {
            paths.push(String::from(schema.path(table, &prefix).trim_end_matches('.')));
        }
    }
    Ok(Text::Owned(paths.join(",")))
}
