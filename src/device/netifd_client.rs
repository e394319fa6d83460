//! Clients of netifd that TR-181 has as rows with an `Interface`: the protocol of a logical interface, with the options that belong to it.
//!
//! A client in effect is a `config interface` with its protocol. One that is switched off, or has no interface yet, waits as a section of a type of
//! the agent's own beside it, with the same options; netifd overlooks it. A row keeps its number on its way from one to the other.

use serde_json::Value as Json;

use crate::device::sections::{move_options, name, refused};
use crate::device::{ip, layers, net};
use crate::error::{Fault, Result};
use crate::model::access::uci_truth;
use crate::model::context::{Context, Row};
use crate::model::schema::Text;
use crate::platform::uci::{Section, SectionId};

/// The UCI package.
pub const PACKAGE: &str = "network";
/// The table of logical interfaces.
const INTERFACE: &str = "Device.IP.Interface.";

/// A kind of client.
pub struct Client {
    /// The table of the rows.
    pub table: &'static str,
    /// The protocol, as netifd calls it.
    pub proto: &'static str,
    /// The type of the sections that wait.
    pub waiting: &'static str,
    /// The options that belong to the client.
    pub options: &'static [&'static str],
}

impl Client {
    /// The sections of the rows.
    ///
    /// # Errors
    /// When the configuration of the network cannot be read.
    pub fn sections(&self, cx: &mut Context) -> Result<Vec<SectionId>> {
        let package = cx.package(PACKAGE)?;
        let active = |section: &Section<'_>| section.kind() == "interface" && section.get("proto") == Some(self.proto);
        let mut ids: Vec<SectionId> = package.sections().filter(active).map(Section::id).collect();
        ids.extend(package.sections().filter(|section| section.kind() == self.waiting).map(Section::id));
        Ok(ids)
    }

    /// Whether the client of a row is in effect: its section is that of the interface.
    ///
    /// # Errors
    /// When the section is gone.
    pub fn is_active(&self, cx: &mut Context, row: &Row) -> Result<bool> {
        Ok(cx.section(row)?.kind() != self.waiting)
    }

    /// What netifd says of the interface of a row; null while the client is not in effect.
    ///
    /// # Errors
    /// When the section is gone.
    pub fn state(&self, cx: &mut Context, row: &Row) -> Result<Json> {
        if !self.is_active(cx, row)? {
            return Ok(Json::Null);
        }
        let key = cx.key(row)?;
        let interfaces = net::interfaces(cx)?;
        let state = interfaces.get(&key);
        // Before the reload the interface may still be what it was.
        Ok(if net::text(state, "proto") == Some(self.proto) { state.clone() } else { Json::Null })
    }

    /// `Enable`
    ///
    /// # Errors
    /// When the section is gone.
    pub fn enabled(&self, cx: &mut Context, row: &Row) -> Result<bool> {
        Ok(self.is_active(cx, row)? || cx.option(row, "enable")?.as_deref().and_then(uci_truth) == Some(true))
    }

    /// Writes `Enable`. What it takes to come into effect is done by [`Self::settle`].
    ///
    /// # Errors
    /// When UCI cannot be written.
    pub fn set_enable(&self, cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
        let on = value == "true";
        match (self.is_active(cx, row)?, on) {
            (true, true) => Ok(()),
            (true, false) => self.park(cx, row, false, None),
            (false, on) => cx.set_option(row, "enable", on.then_some("1")),
        }
    }

    /// The UCI name of the interface; `None` where there is none yet.
    ///
    /// # Errors
    /// When the section is gone.
    pub fn interface_name(&self, cx: &mut Context, row: &Row) -> Result<Option<String>> {
        if self.is_active(cx, row)? { cx.key(row).map(Some) } else { cx.option(row, "interface") }
    }

    /// `Interface`
    ///
    /// # Errors
    /// When the section is gone.
    pub fn interface(&self, cx: &mut Context, row: &Row) -> Result<Text> {
        let name = self.interface_name(cx, row)?;
        let path = name.and_then(|name| cx.path_of_key(INTERFACE, &name));
        Ok(path.map_or(Text::Borrowed(""), Text::Owned))
    }

    /// Writes `Interface`. What it takes to come into effect is done by [`Self::settle`].
    ///
    /// # Errors
    /// 9007 for an interface that is not there; 9001 where that takes the client from the interface through which the ACS is reached.
    pub fn set_interface(&self, cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
        if self.interface(cx, row)? == value {
            return Ok(());
        }
        let name = cx.section_of_path(INTERFACE, value)?;
        if self.is_active(cx, row)? {
            let key = cx.key(row)?;
            layers::keep_way(cx, &key)?;
            return self.park(cx, row, true, Some(name.as_deref()));
        }
        cx.set_option(row, "interface", name.as_deref())
    }

    /// `Status`: a client without an interface cannot work, whatever its Enable says.
    ///
    /// # Errors
    /// When the section is gone.
    pub fn status(&self, cx: &mut Context, row: &Row) -> Result<Text> {
        Ok(Text::Borrowed(match (self.enabled(cx, row)?, self.is_active(cx, row)?) {
            (false, _) => "Disabled",
            (true, true) => "Enabled",
            (true, false) => "Error_Misconfigured",
        }))
    }

    /// `Renew`: asks netifd after the session, for the address may be the one to the ACS.
    ///
    /// # Errors
    /// When the section is gone.
    pub fn renew(&self, cx: &mut Context, row: &Row) -> Result<(), Fault> {
        if self.is_active(cx, row)? {
            let object = format!("network.interface.{}", cx.key(row)?);
            cx.after(&["/bin/ubus", "call", &object, "renew"]);
        }
        Ok(())
    }

    /// A new row, which waits for its interface.
    ///
    /// # Errors
    /// When UCI cannot be written.
    pub fn add(&self, cx: &mut Context) -> Result<String, Fault> {
        Ok(cx.add_section(PACKAGE, self.waiting, &[])?.1)
    }

    /// Takes a row away; the interface stays, without a protocol.
    ///
    /// # Errors
    /// 9001 for the client of the interface through which the ACS is reached: nothing could put that right again.
    pub fn delete(&self, cx: &mut Context, row: &Row) -> Result<(), Fault> {
        let id = cx.section(row)?.id();
        if !self.is_active(cx, row)? {
            cx.package_mut(PACKAGE)?.remove_section(id);
            return Ok(());
        }
        let key = cx.key(row)?;
        layers::keep_way(cx, &key)?;
        layers::switch_of_interface(cx, id, key, self.proto).set(cx, layers::IPV6, true)?;
        let package = cx.package_mut(PACKAGE)?;
        package.set(id, "proto", "none").map_err(refused)?;
        for option in self.options {
            package.remove(id, option);
        }
        Ok(())
    }

    /// Takes a client out of effect, to wait for the same interface or, with `elsewhere`, for another one or none.
    fn park(&self, cx: &mut Context, row: &Row, enabled: bool, elsewhere: Option<Option<&str>>) -> Result<(), Fault> {
        let from = cx.section(row)?.id();
        let interface = name(cx, PACKAGE, from)?;
        // What an interface without this client is for has nothing to do with IPv6 any more.
        layers::switch_of_interface(cx, from, interface.clone(), self.proto).set(cx, layers::IPV6, true)?;
        let (to, waiting) = cx.add_section(PACKAGE, self.waiting, &[])?;
        let package = cx.package_mut(PACKAGE)?;
        let interface = elsewhere.unwrap_or(Some(&interface)).unwrap_or_default();
        package.set(to, "interface", interface).map_err(refused)?;
        package.set(to, "enable", if enabled { "1" } else { "" }).map_err(refused)?;
        package.set(from, "proto", "none").map_err(refused)?;
        move_options(cx, PACKAGE, from, to, self.options)?;
        cx.move_row(row, &waiting);
        Ok(())
    }

    /// Lets go of an interface that gets its addresses in another way from now on: the row stays, and waits until the interface is free again.
    ///
    /// # Errors
    /// When UCI cannot be written.
    pub fn yield_to_another(&self, cx: &mut Context, interface: &str) -> Result<(), Fault> {
        let path = cx.path_of_key(self.table, interface);
        match path.and_then(|path| cx.row_of_path(self.table, &path)) {
            Some(row) if self.is_active(cx, &row)? => self.park(cx, &row, true, None),
            _ => Ok(()),
        }
    }

    /// The interface is free again: a client that is enabled has waited for this.
    ///
    /// # Errors
    /// When UCI cannot be written.
    pub fn come_back(&self, cx: &mut Context, interface: &str) -> Result<(), Fault> {
        let package = cx.package(PACKAGE)?;
        let is_free =
            package.find(interface).is_some_and(|section| matches!(section.get("proto"), None | Some("none")));
        let waits = |section: &Section<'_>| {
            section.kind() == self.waiting
                && section.get("interface") == Some(interface)
                && section.get("enable").and_then(uci_truth) == Some(true)
        };
        let Some(id) = package.sections().find(waits).map(|section| section.id()).filter(|_| is_free) else {
            return Ok(());
        };
        let key = cx.section_name(PACKAGE, id)?;
        let path = cx.path_of_key(self.table, &key);
        match path.and_then(|path| cx.row_of_path(self.table, &path)) {
            Some(row) => self.settle(cx, &row).map_err(|(_, fault)| fault),
            None => Ok(()),
        }
    }

    /// Brings a client that waits into effect when its end state has an interface for it.
    ///
    /// # Errors
    /// 9007 for an interface that has its address in another way.
    pub fn settle(&self, cx: &mut Context, row: &Row) -> Result<(), (&'static str, Fault)> {
        let broken = |error: crate::error::Error| ("Interface", Fault::from(error));
        if self.is_active(cx, row).map_err(broken)? || !self.enabled(cx, row).map_err(broken)? {
            return Ok(());
        }
        let Some(interface) = cx.option(row, "interface").map_err(broken)? else { return Ok(()) };
        let section = cx.package(PACKAGE).map_err(broken)?.find(&interface);
        let Some(section) = section.filter(|section| section.kind() == "interface") else { return Ok(()) };
        let (to, proto) = (section.id(), section.get("proto").unwrap_or("none"));
        let refuse = |text: String| Err(("Interface", Fault::value(text)));
        if proto == self.proto {
            return refuse(String::from("the interface has such a client already"));
        }
        let addressed = proto == "static" && section.value("ipaddr").is_some();
        if addressed || !matches!(proto, "none" | "static") {
            return refuse(format!("the interface has its addresses by {proto}"));
        }
        let id = cx.section(row).map_err(broken)?.id();
        let activate = |cx: &mut Context| {
            move_options(cx, PACKAGE, id, to, self.options)?;
            let package = cx.package_mut(PACKAGE)?;
            package.set(to, "proto", self.proto).map_err(refused)?;
            package.remove_section(id);
            if ip::interface::is_ipv6(self.proto) && ip::ipv6_switched_off(cx) {
                layers::switch_of_interface(cx, to, interface.clone(), self.proto).set(cx, layers::IPV6, false)?;
            }
            cx.move_row(row, &interface);
            Ok(())
        };
        activate(cx).map_err(|fault: Fault| ("Interface", fault))
    }
}
