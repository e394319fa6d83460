//! `Device.NeighborDiscovery.` (TR-181 2.17): how the kernel finds its neighbours with IPv6, for each device that a logical interface is on.
//!
//! netifd has an option for the number of probes alone. For all others the wish is the agent's own, which the daemon repeats after a boot; see
//! [`programs`].

use crate::device::{ethernet, net};
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::full_name;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, change, count, functional, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

const INTERFACE: &str = "Device.IP.Interface.";
const SETTINGS: &str = "Device.NeighborDiscovery.InterfaceSetting.";

static NEIGHBOR_DISCOVERY: Object = Object::single(
    "Device.NeighborDiscovery.",
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), |_, _, value| only_true(value))),
        ro("InterfaceSettingNumberOfEntries", UNSIGNED_INT, count("InterfaceSetting")),
    ],
);

static INTERFACE_SETTING: Object = Object::table(
    "Device.NeighborDiscovery.InterfaceSetting.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(devices(cx)?.into_iter().map(|(interface, _)| interface).collect())))
        .added_by(|_, _| Err(Fault::new(FaultCode::REQUEST_DENIED, "each device has its instance already")))
        .deleted_by(|_, _| Err(Fault::new(FaultCode::REQUEST_DENIED, "an instance goes with its interface")))
        .keys(&[functional(&["Interface"])])
        .enabled_by("Enable"),
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), |_, _, value| only_true(value)))
            .default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), get(status)),
        alias(),
        rw("Interface", STRING.strong(&[INTERFACE]), get_set(interface, set_interface)).default(""),
        rw("DADTransmits", UNSIGNED_INT, change(probes, set_probes)).default("1"),
        rw(
            "RetransTimer",
            UNSIGNED_INT.ranges(&[(1, i64::MAX)]),
            get_set(|cx, row| number(cx, row, RETRANS), |cx, row, value| set_number(cx, row, RETRANS, value)),
        )
        .default("1000"),
        rw(
            "RtrSolicitationInterval",
            UNSIGNED_INT.ranges(&[(4000, i64::MAX)]),
            get_set(|cx, row| number(cx, row, INTERVAL), |cx, row, value| set_number(cx, row, INTERVAL, value)),
        )
        .default("4000"),
        rw(
            "MaxRtrSolicitations",
            UNSIGNED_INT,
            get_set(
                |cx, row| number(cx, row, SOLICITATIONS),
                |cx, row, value| set_number(cx, row, SOLICITATIONS, value),
            ),
        )
        .default("3"),
        rw("NUDEnable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), |_, _, value| only_true(value))),
        rw("RSEnable", BOOLEAN, get_set(|cx, row| Ok(crate::model::access::truth(solicits(cx, row)?)), set_solicits)),
    ],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&NEIGHBOR_DISCOVERY, &INTERFACE_SETTING];

/// A setting of the kernel that netifd has no option for.
#[derive(Clone, Copy)]
struct Setting {
    name: &'static str,
    /// Before and behind the name of the device, in `/proc/sys/net/ipv6/`.
    file: (&'static str, &'static str),
    /// How many of the parameter's units one of the kernel's has.
    unit: u32,
    /// What the kernel has where nobody says anything, in the parameter's unit.
    usual: u32,
    most: u32,
}

const RETRANS: Setting =
    Setting { name: "RetransTimer", file: ("neigh", "retrans_time_ms"), unit: 1, usual: 1000, most: 3_600_000 };
const INTERVAL: Setting = Setting {
    name: "RtrSolicitationInterval",
    file: ("conf", "router_solicitation_interval"),
    unit: 1000,
    usual: 4000,
    most: 3_600_000,
};
const SOLICITATIONS: Setting =
    Setting { name: "MaxRtrSolicitations", file: ("conf", "router_solicitations"), unit: 1, usual: 3, most: 1000 };
/// Kept as `false` while no router is asked for; the number is that of [`SOLICITATIONS`].
const SOLICITS: &str = "RSEnable";

impl Setting {
    fn path(self, device: &str) -> String {
        format!("net/ipv6/{}/{device}/{}", self.file.0, self.file.1)
    }

    fn of_kernel(self, cx: &mut Context, device: &str) -> Option<u32> {
        let text = cx.file(&format!("/proc/sys/{}", self.path(device))).ok()?;
        // -1 is without end.
        text.parse::<i64>().ok().map(|value| u32::try_from(value).unwrap_or(self.most / self.unit))
    }
}

fn only_true(value: &str) -> Result<(), Fault> {
    if value == "true" { Ok(()) } else { Err(Fault::value("IPv6 finds nobody without")) }
}

/// Logical interfaces with their devices, one for each device: that of IPv6 where there are several.
fn devices(cx: &mut Context) -> Result<Vec<(String, String)>> {
    let sections = cx.package("network")?.sections().filter(|section| section.kind() == "interface");
    let mut found: Vec<(bool, String, String)> = Vec::new();
    for section in sections {
        let device = section.get("device").or_else(|| section.get("ifname")).unwrap_or_default();
        let Some(name) = section.name().filter(|_| net::is_device_name(device) && device != "lo") else { continue };
        let six = section.get("proto") == Some("dhcpv6");
        match found.iter_mut().find(|(.., known)| known == device) {
            Some(known) if six && !known.0 => *known = (six, String::from(name), String::from(device)),
            Some(_) => {}
            None => found.push((six, String::from(name), String::from(device))),
        }
    }
    Ok(found.into_iter().map(|(_, name, device)| (name, device)).collect())
}

fn device(cx: &mut Context, row: &Row) -> Result<String> {
    let key = cx.key(row)?;
    let found = devices(cx)?.into_iter().find(|(name, _)| *name == key);
    Ok(found.map(|(_, device)| device).unwrap_or_default())
}

fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(cx.path_of_key(INTERFACE, &key).map_or(Text::Borrowed(""), Text::Owned))
}

fn set_interface(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if interface(cx, row)? == value { Ok(()) } else { Err(Fault::value("each interface has its own instance")) }
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let device = device(cx, row)?;
    let off = cx.file(&format!("/proc/sys/net/ipv6/conf/{device}/disable_ipv6")).ok();
    Ok(Text::Borrowed(match off.as_deref() {
        Some("0") => "Enabled",
        Some(_) => "Disabled",
        None => "Error_Misconfigured",
    }))
}

fn probes(cx: &mut Context, row: &Row) -> Result<Text> {
    let device = device(cx, row)?;
    let configured = ethernet::device_option(cx, &device, "dadtransmits")?.and_then(|text| text.parse::<u32>().ok());
    let live = cx.file(&format!("/proc/sys/net/ipv6/conf/{device}/dad_transmits")).ok();
    let number = configured.or_else(|| live.and_then(|text| text.parse().ok())).unwrap_or(1);
    Ok(Text::Owned(number.to_string()))
}

fn set_probes(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if value.parse::<u32>().is_ok_and(|number| number > 255) {
        return Err(Fault::value("0 to 255 probes"));
    }
    let device = device(cx, row)?;
    ethernet::set_device_option(cx, &device, "dadtransmits", Some(value))
}

fn own(cx: &Context, row: &Row, name: &str) -> Option<String> {
    cx.own(&full_name(cx, row.node(), row, name))
}

fn wish(cx: &Context, row: &Row, setting: Setting) -> Option<u32> {
    own(cx, row, setting.name)?.parse().ok()
}

fn number(cx: &mut Context, row: &Row, setting: Setting) -> Result<Text> {
    let device = device(cx, row)?;
    let live = setting.of_kernel(cx, &device).map(|value| value.saturating_mul(setting.unit));
    // While no router is asked for, the kernel's number is that of the switch.
    let live =
        live.filter(|value| *value > 0 || setting.name != SOLICITATIONS.name || solicits(cx, row).unwrap_or(true));
    let least = if setting.unit > 1 { setting.usual } else { 0 };
    Ok(Text::Owned(wish(cx, row, setting).or(live).unwrap_or(setting.usual).max(least).to_string()))
}

fn set_number(cx: &mut Context, row: &Row, setting: Setting, value: &str) -> Result<(), Fault> {
    if number(cx, row, setting)? == value {
        return Ok(());
    }
    let new: u32 = value.parse().map_err(|_| Fault::value("not a number"))?;
    if new > setting.most || new % setting.unit != 0 {
        return Err(Fault::value(format!("at most {}, in steps of {}", setting.most, setting.unit)));
    }
    let name = full_name(cx, row.node(), row, setting.name);
    cx.set_own(&name, Some(value));
    apply(cx, row)
}

fn solicits(cx: &mut Context, row: &Row) -> Result<bool> {
    if let Some(wish) = own(cx, row, SOLICITS) {
        return Ok(wish == "true");
    }
    let device = device(cx, row)?;
    Ok(SOLICITATIONS.of_kernel(cx, &device) != Some(0))
}

fn set_solicits(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if solicits(cx, row)? == (value == "true") {
        return Ok(());
    }
    let name = full_name(cx, row.node(), row, SOLICITS);
    cx.set_own(&name, Some(value));
    apply(cx, row)
}

/// What differs between the wishes for a row and the kernel, as a program each.
fn differences(cx: &mut Context, row: &Row) -> Result<Vec<[String; 3]>> {
    let device = device(cx, row)?;
    let mut programs = Vec::new();
    if device.is_empty() {
        return Ok(programs);
    }
    let switch = own(cx, row, SOLICITS);
    for setting in [RETRANS, INTERVAL, SOLICITATIONS] {
        let wish = wish(cx, row, setting);
        let wanted = match (setting.name == SOLICITATIONS.name, switch.as_deref()) {
            (true, Some("false")) => Some(0),
            (true, Some(_)) => Some(wish.unwrap_or(setting.usual)),
            _ => wish,
        };
        let Some(wanted) = wanted.map(|wanted| wanted / setting.unit) else { continue };
        if setting.of_kernel(cx, &device).is_some_and(|live| live != wanted) {
            let assignment = format!("{}={wanted}", setting.path(&device));
            programs.push([String::from("/sbin/sysctl"), String::from("-w"), assignment]);
        }
    }
    Ok(programs)
}

fn apply(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    for argv in differences(cx, row)? {
        cx.after(&argv.each_ref().map(String::as_str));
    }
    Ok(())
}

/// The programs that tell the kernel what the ACS wants of it, where it has been told otherwise since.
pub fn programs(cx: &mut Context) -> Vec<[String; 3]> {
    let Some(node) = cx.schema().find(SETTINGS) else { return Vec::new() };
    let root = cx.root();
    let Ok(rows) = cx.rows(node, &root) else { return Vec::new() };
    let mut programs = Vec::new();
    for entry in rows.iter() {
        let row = Row::new(node, &root, entry);
        programs.extend(differences(cx, &row).unwrap_or_default());
    }
    programs
}
