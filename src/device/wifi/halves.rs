//! A `wifi-iface` section as two rows: its SSID and its access point.
//!
//! * Either half may be there without the other, because the ACS makes and deletes them one by one. Which half is missing is a mark in the agent's
//!   own state; the section stays until both are gone. A section with one half is disabled.
//! * Each half has an Enable of its own, UCI has one `disabled`. The section is on when both halves, and a radio, are there and enabled. While it
//!   is off, marks say which half is enabled all the same, and which keeps it off. A section that somebody else switches on has both halves enabled;
//!   one that somebody else has switched off, so that there are no marks, comes back as a whole.
//! * An access point goes to another SSID with all its options ([`bind`]), and keeps its instance number.

use super::PACKAGE;
use crate::error::{Fault, Result};
use crate::model::access::uci_truth;
use crate::model::context::{Context, Row, RowId};
use crate::platform::uci::{OptionValue, Section, SectionId};

/// One of the two rows of a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Half {
    Ssid,
    AccessPoint,
}

use Half::{AccessPoint, Ssid};

impl Half {
    fn other(self) -> Self {
        match self {
            Ssid => AccessPoint,
            AccessPoint => Ssid,
        }
    }
}

/// The options of a section that belong to the SSID; all others belong to the access point.
const SSID_OPTIONS: &[&str] = &["mode", "device", "ssid", "network", "ifname", "macaddr", "disabled"];

/// What a mark says of a half.
#[derive(Clone, Copy)]
enum Mark {
    /// It is not there.
    Missing,
    /// It is enabled although the section is not.
    Enabled,
    /// The ACS has it disabled.
    Disabled,
}

fn mark(name: &str, half: Half, mark: Mark) -> String {
    let half = if half == Ssid { "ssid" } else { "access_point" };
    let mark = match mark {
        Mark::Missing => "missing",
        Mark::Enabled => "enabled",
        Mark::Disabled => "disabled",
    };
    format!("{PACKAGE}.{name}.{half}_{mark}")
}

fn set_mark(cx: &mut Context, name: &str, half: Half, what: Mark, value: bool) {
    let mark = mark(name, half, what);
    if cx.own(&mark).is_some() != value {
        cx.set_own(&mark, value.then_some("1"));
    }
}

fn has_mark(cx: &Context, name: &str, half: Half, what: Mark) -> bool {
    cx.own(&mark(name, half, what)).is_some()
}

fn is_access_point(section: &Section) -> bool {
    section.kind() == "wifi-iface" && matches!(section.get("mode"), None | Some("ap"))
}

/// A section with what it is known by.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Interface {
    id: SectionId,
    name: String,
}

impl Interface {
    fn of(cx: &mut Context, row: &Row) -> Result<Self> {
        let name = cx.key(row)?;
        match row.id() {
            &RowId::Section(id) => Ok(Self { id, name }),
            _ => Err(crate::error::Error::other("the row has no section")),
        }
    }

    fn option(&self, cx: &mut Context, option: &str) -> Result<Option<String>> {
        let section = cx.package(PACKAGE)?.section(self.id);
        Ok(section.and_then(|section| section.get(option)).map(String::from))
    }

    /// The radios that it is on: a network with multi-link operation is on several.
    fn radios(&self, cx: &mut Context) -> Result<Vec<String>> {
        let section = cx.package(PACKAGE)?.section(self.id);
        let names = section.map(|section| section.list("device")).unwrap_or_default();
        Ok(names.into_iter().flat_map(str::split_ascii_whitespace).map(String::from).collect())
    }

    fn has(&self, cx: &Context, half: Half) -> bool {
        !has_mark(cx, &self.name, half, Mark::Missing)
    }

    fn is_off(&self, cx: &mut Context) -> Result<bool> {
        Ok(self.option(cx, "disabled")?.and_then(|text| uci_truth(&text)).unwrap_or(false))
    }

    fn enabled(&self, cx: &mut Context, half: Half) -> Result<bool> {
        Ok(!self.is_off(cx)? || has_mark(cx, &self.name, half, Mark::Enabled))
    }

    /// Whether a half wants to be on; `None` where only the section is known to be off.
    fn wish(&self, cx: &mut Context, half: Half) -> Result<Option<bool>> {
        if self.enabled(cx, half)? {
            return Ok(Some(true));
        }
        Ok(has_mark(cx, &self.name, half, Mark::Disabled).then_some(false))
    }

    /// Brings `disabled` and the marks into line with what the halves want.
    fn settle(&self, cx: &mut Context, ssid: Option<bool>, access_point: Option<bool>) -> Result<(), Fault> {
        let whole = self.has(cx, Ssid) && self.has(cx, AccessPoint) && !self.radios(cx)?.is_empty();
        let on = whole && ssid == Some(true) && access_point == Some(true);
        if self.is_off(cx)? == on {
            self.edit(cx, "disabled", (!on).then_some("1"))?;
        }
        for (half, wish) in [(Ssid, ssid), (AccessPoint, access_point)] {
            set_mark(cx, &self.name, half, Mark::Enabled, wish == Some(true) && !on);
            set_mark(cx, &self.name, half, Mark::Disabled, wish == Some(false));
        }
        Ok(())
    }

    fn edit(&self, cx: &mut Context, option: &str, value: Option<&str>) -> Result<(), Fault> {
        let package = cx.package_mut(PACKAGE)?;
        let refused = |error: crate::platform::uci::EditError| Fault::internal(error.to_string());
        package.rename_section(self.id, &self.name).map_err(refused)?;
        match value {
            Some(value) => package.set(self.id, option, value).map(|_| ()).map_err(refused),
            None => {
                package.remove(self.id, option);
                Ok(())
            }
        }
    }

    /// The options of a half.
    fn options(&self, cx: &mut Context, half: Half) -> Result<Vec<(String, Kept)>> {
        let Some(section) = cx.package(PACKAGE)?.section(self.id) else { return Ok(Vec::new()) };
        let mine = section.options().filter(|(name, _)| SSID_OPTIONS.contains(name) == (half == Ssid));
        Ok(mine.map(|(name, value)| (String::from(name), Kept::of(&value))).collect())
    }

    fn remove_options(&self, cx: &mut Context, half: Half) -> Result<(), Fault> {
        for (name, _) in self.options(cx, half)? {
            if name != "mode" && name != "disabled" {
                cx.package_mut(PACKAGE)?.remove(self.id, &name);
            }
        }
        Ok(())
    }

    /// Takes the section away with its marks.
    fn remove(&self, cx: &mut Context) -> Result<(), Fault> {
        cx.package_mut(PACKAGE)?.remove_section(self.id);
        for half in [Ssid, AccessPoint] {
            set_mark(cx, &self.name, half, Mark::Missing, false);
            set_mark(cx, &self.name, half, Mark::Enabled, false);
            set_mark(cx, &self.name, half, Mark::Disabled, false);
        }
        Ok(())
    }

    /// Takes one half away, and the section with the last.
    fn lose(&self, cx: &mut Context, half: Half) -> Result<(), Fault> {
        if !self.has(cx, half.other()) {
            return self.remove(cx);
        }
        let other = self.wish(cx, half.other())?;
        self.remove_options(cx, half)?;
        set_mark(cx, &self.name, half, Mark::Missing, true);
        match half {
            Ssid => self.settle(cx, None, other),
            AccessPoint => self.settle(cx, other, None),
        }
    }
}

/// The value of an option, to be moved.
enum Kept {
    Text(String),
    List(Vec<String>),
}

impl Kept {
    fn of(value: &OptionValue<'_>) -> Self {
        match value {
            OptionValue::Text(text) => Self::Text(String::from(*text)),
            OptionValue::List(items) => Self::List(items.iter().copied().map(String::from).collect()),
        }
    }
}

/// The sections that have a half.
pub(super) fn sections(cx: &mut Context, half: Half) -> Result<Vec<SectionId>> {
    let found: Vec<(SectionId, Option<String>)> = cx
        .package(PACKAGE)?
        .sections()
        .filter(is_access_point)
        .map(|section| (section.id(), section.name().map(String::from)))
        .collect();
    let there = |name: &Option<String>| name.as_ref().is_none_or(|name| !has_mark(cx, name, half, Mark::Missing));
    Ok(found.iter().filter(|(_, name)| there(name)).map(|(id, _)| *id).collect())
}

/// Whether the section of a row has a half.
pub(super) fn has(cx: &mut Context, row: &Row, half: Half) -> Result<bool> {
    let interface = Interface::of(cx, row)?;
    Ok(interface.has(cx, half))
}

/// Whether a half of the section of a row is enabled.
pub(super) fn enabled(cx: &mut Context, row: &Row, half: Half) -> Result<bool> {
    Interface::of(cx, row)?.enabled(cx, half)
}

/// Whether the whole section of a row is enabled.
pub(super) fn on(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(!Interface::of(cx, row)?.is_off(cx)?)
}

/// The radios that the section of a row is on.
pub(super) fn radios(cx: &mut Context, row: &Row) -> Result<Vec<String>> {
    Interface::of(cx, row)?.radios(cx)
}

/// Enables or disables a half of the section of a row.
pub(super) fn set_enabled(cx: &mut Context, row: &Row, half: Half, value: bool) -> Result<(), Fault> {
    let interface = Interface::of(cx, row)?;
    let mut other = interface.wish(cx, half.other())?;
    if value && interface.has(cx, half.other()) {
        // What was switched off as a whole comes back as a whole.
        other = other.or(Some(true));
    }
    match half {
        Ssid => interface.settle(cx, Some(value), other),
        AccessPoint => interface.settle(cx, other, Some(value)),
    }
}

/// Puts the section of a row on a radio, or on none.
pub(super) fn set_radio(cx: &mut Context, row: &Row, radio: Option<&str>) -> Result<(), Fault> {
    let interface = Interface::of(cx, row)?;
    if interface.radios(cx)?.iter().map(String::as_str).eq(radio) {
        return Ok(());
    }
    let (ssid, access_point) = (interface.wish(cx, Ssid)?, interface.wish(cx, AccessPoint)?);
    interface.edit(cx, "device", radio)?;
    interface.settle(cx, ssid, access_point)
}

/// AddObject: a section with one half, which is off.
pub(super) fn add(cx: &mut Context, half: Half) -> Result<String, Fault> {
    // An access point that is enabled before it has a key must not be an open one.
    let options: &[_] = match half {
        Ssid => &[("mode", "ap"), ("disabled", "1")],
        AccessPoint => &[("mode", "ap"), ("encryption", "psk2"), ("disabled", "1")],
    };
    let (_, name) = cx.add_section(PACKAGE, "wifi-iface", options)?;
    set_mark(cx, &name, half.other(), Mark::Missing, true);
    set_mark(cx, &name, half, Mark::Disabled, true);
    Ok(name)
}

/// DeleteObject: the half goes, and the section with the last.
pub(super) fn delete(cx: &mut Context, row: &Row, half: Half) -> Result<(), Fault> {
    let interface = Interface::of(cx, row)?;
    cx.name_section(row)?;
    interface.lose(cx, half)
}

/// Makes the access point of a row that of another SSID, or of none.
pub(super) fn bind(cx: &mut Context, row: &Row, target: Option<&Row>) -> Result<(), Fault> {
    let source = Interface::of(cx, row)?;
    let target = match target {
        Some(target) => {
            let section = Interface::of(cx, target)?;
            if section == source {
                return Ok(());
            }
            if section.has(cx, AccessPoint) {
                return Err(Fault::value("the SSID has an access point already"));
            }
            cx.name_section(target)?;
            section
        }
        None if !source.has(cx, Ssid) => return Ok(()),
        None => {
            let (id, name) = cx.add_section(PACKAGE, "wifi-iface", &[("mode", "ap"), ("disabled", "1")])?;
            set_mark(cx, &name, Ssid, Mark::Missing, true);
            Interface { id, name }
        }
    };
    let access_point = source.wish(cx, AccessPoint)?;
    let ssid = if target.has(cx, Ssid) { target.wish(cx, Ssid)? } else { None };
    let options = source.options(cx, AccessPoint)?;
    target.remove_options(cx, AccessPoint)?;
    let package = cx.package_mut(PACKAGE)?;
    for (name, value) in options {
        let refused = |error: crate::platform::uci::EditError| Fault::internal(error.to_string());
        match value {
            Kept::Text(text) => package.set(target.id, &name, &text).map_err(refused)?,
            Kept::List(items) => {
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                package.set_list(target.id, &name, &items).map_err(refused)?
            }
        };
    }
    cx.name_section(row)?;
    source.lose(cx, AccessPoint)?;
    set_mark(cx, &target.name, AccessPoint, Mark::Missing, false);
    cx.move_row(row, &target.name);
    target.settle(cx, ssid, access_point)
}
