//! `Device.PPP.`: the PPP interfaces of netifd.
//!
//! In UCI one `config interface` with a protocol of PPP is both the IP interface and the PPP interface below it. A PPP interface that the ACS has made,
//! or that has lost its IP interface, is a section of its own, switched off and with a mark in the agent's own state, until `LowerLayers` of an IP
//! interface points to it: then its options go to the section of that one ([`attach`]), whose name the firewall and others know.

use serde_json::Value as Json;

use super::{dhcpv4, dhcpv6, layers, net};
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::format::{IPV4, IPV4_ADDRESS, IPV6_ADDRESS};
use crate::model::schema::{
    Notification, Object, Rows, Table, Text, Values, alias, always, change, count, get, get_set, ro, rw, together, uci,
    uci_bool,
};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};
use crate::platform::uci::{OptionValue, SectionId};

/// The table.
pub const INTERFACES: &str = "Device.PPP.Interface.";

/// TR-181 2.17 Device.PPP.
pub static PPP: Object =
    Object::single("Device.PPP.", &[ro("InterfaceNumberOfEntries", UNSIGNED_INT, count("Interface"))]);

/// TR-181 2.17 Device.PPP.Interface.{i}.
pub static INTERFACE: Object = Object::table(
    "Device.PPP.Interface.{i}.",
    Table::new(Rows::SomeSections { package: layers::PACKAGE, list: |cx, _| list(cx) })
        .added_by(|cx, _| add(cx))
        .deleted_by(delete)
        .keys(&[always(&["Name"])])
        .enabled_by("Enable")
        .at_most(16),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(is_enabled(cx, row)?)), set_enable)).default("false"),
        ro("Status", net::INTERFACE_STATUS, get(|cx, row| Ok(Text::Borrowed(status(cx, row)?)))).default("Down"),
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(name)),
        ro("LastChange", UNSIGNED_INT, get(last_change)).notification(Notification::CanDeny),
        rw("LowerLayers", net::LOWER_LAYERS, change(lower_layers, set_lower_layers)).default(""),
        rw("Reset", BOOLEAN, get_set(|_, _| Ok(truth(false)), reset)).command().default("false"),
        ro(
            "ConnectionStatus",
            STRING.values(&[
                "Unconfigured",
                "Connecting",
                "Authenticating",
                "Connected",
                "PendingDisconnect",
                "Disconnecting",
                "Disconnected",
            ]),
            get(connection_status),
        ),
        ro("LastConnectionError", STRING.values(ERRORS), get(last_connection_error)),
        rw("IdleDisconnectTime", UNSIGNED_INT, together(|cx, row| Ok(Text::Owned(idle_time(cx, row)?.to_string())))),
        rw(
            "Username",
            STRING.lengths(&[(0, 64)]),
            get_set(|cx, row| credential(cx, row, "username"), |cx, row, it| set_credential(cx, row, "username", it)),
        ),
        rw(
            "Password",
            STRING.lengths(&[(0, 64)]),
            get_set(|cx, row| credential(cx, row, "password"), |cx, row, it| set_credential(cx, row, "password", it)),
        )
        .hidden(),
        rw("MaxMRUSize", UNSIGNED_INT.ranges(&[(64, 65535)]), get_set(max_mru, set_max_mru)).default("1500"),
        ro("CurrentMRUSize", UNSIGNED_INT.ranges(&[(64, 65535)]), get(current_mru)),
        rw(
            "ConnectionTrigger",
            STRING.values(&["OnDemand", "AlwaysOn", "Manual"]),
            together(|cx, row| Ok(Text::Borrowed(trigger(cx, row)?))),
        ),
        rw("LCPEcho", UNSIGNED_INT, together(|cx, row| Ok(Text::Owned(keepalive(cx, row)?.1.to_string())))),
        rw("LCPEchoRetry", UNSIGNED_INT, together(|cx, row| Ok(Text::Owned(keepalive(cx, row)?.0.to_string())))),
        rw("LCPEchoAdaptive", BOOLEAN, uci_bool("keepalive_adaptive", "true")).default("true"),
        rw("IPv6CPEnable", BOOLEAN, get_set(|cx, row| Ok(truth(ipv6(cx, row)?)), set_ipv6)),
    ],
)
.set_together(set);

/// TR-181 2.17 Device.PPP.Interface.{i}.PPPoE.
pub static PPPOE: Object = Object::single(
    "Device.PPP.Interface.{i}.PPPoE.",
    &[
        ro("SessionID", UNSIGNED_INT, get(session_id)),
        rw("ACName", STRING.lengths(&[(0, 256)]), uci("ac")),
        rw("ServiceName", STRING.lengths(&[(0, 256)]), uci("service")),
    ],
);

/// TR-181 2.17 Device.PPP.Interface.{i}.IPCP.
pub static IPCP: Object = Object::single(
    "Device.PPP.Interface.{i}.IPCP.",
    &[
        ro("LocalIPAddress", IPV4_ADDRESS, get(|cx, row| address(cx, row, "address"))),
        ro("RemoteIPAddress", IPV4_ADDRESS, get(|cx, row| address(cx, row, "ptpaddress"))),
        ro("DNSServers", IPV4_ADDRESS.list_within((0, 2), u32::MAX), get(dns_servers)),
    ],
);

/// TR-181 2.17 Device.PPP.Interface.{i}.IPv6CP.
pub static IPV6CP: Object = Object::single(
    "Device.PPP.Interface.{i}.IPv6CP.",
    &[ro("LocalInterfaceIdentifier", IPV6_ADDRESS, get(local_identifier))],
);

/// TR-181 2.17 Device.PPP.Interface.{i}.Stats.
pub static STATS: Object = Object::single("Device.PPP.Interface.{i}.Stats.", net::STATS);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&PPP, &INTERFACE, &PPPOE, &IPCP, &IPV6CP, &STATS];

/// What TR-181 knows of why there is no connection.
const ERRORS: &[&str] = &[
    "ERROR_NONE",
    "ERROR_ISP_TIME_OUT",
    "ERROR_COMMAND_ABORTED",
    "ERROR_NOT_ENABLED_FOR_INTERNET",
    "ERROR_BAD_PHONE_NUMBER",
    "ERROR_USER_DISCONNECT",
    "ERROR_ISP_DISCONNECT",
    "ERROR_IDLE_DISCONNECT",
    "ERROR_FORCED_DISCONNECT",
    "ERROR_SERVER_OUT_OF_RESOURCES",
    "ERROR_RESTRICTED_LOGON_HOURS",
    "ERROR_ACCOUNT_DISABLED",
    "ERROR_ACCOUNT_EXPIRED",
    "ERROR_PASSWORD_EXPIRED",
    "ERROR_AUTHENTICATION_FAILURE",
    "ERROR_NO_DIALTONE",
    "ERROR_NO_CARRIER",
    "ERROR_NO_ANSWER",
    "ERROR_LINE_BUSY",
    "ERROR_UNSUPPORTED_BITSPERSECOND",
    "ERROR_TOO_MANY_LINE_ERRORS",
    "ERROR_IP_CONFIGURATION",
    "ERROR_UNKNOWN",
];

/// The options of a section that belong to its PPP interface. All others stay with the IP interface.
const OPTIONS: &[&str] = &[
    "proto",
    "device",
    "ifname",
    "username",
    "password",
    "ac",
    "ac_mac",
    "service",
    "host_uniq",
    "tag",
    "server",
    "mtu",
    "keepalive",
    "keepalive_adaptive",
    "demand",
    "auto",
    "ipv6",
    "connect",
    "disconnect",
    "pppd_options",
    "pppname",
    "unnumbered",
    "persist",
    "maxfail",
    "holdoff",
    "authfail",
    "padi_attempts",
    "padi_timeout",
];

/// What pppd does unless it is told otherwise: lost echoes until the link is down, and seconds between echoes (ppp.sh of OpenWrt).
const KEEPALIVE: (u32, u32) = (5, 1);

/// For which seconds without traffic a connection on demand stays when nobody has said it.
const IDLE_TIME: u32 = 300;

fn list(cx: &mut Context) -> Result<Vec<SectionId>> {
    let network = layers::network(cx)?;
    Ok(network.interfaces.iter().filter(|interface| layers::is_ppp(&interface.proto)).map(|it| it.id).collect())
}

fn bare_mark(section: &str) -> String {
    format!("{}.{section}.bare", layers::PACKAGE)
}

/// Whether a section is a PPP interface without an IP interface on it.
#[must_use]
pub fn is_bare(cx: &Context, section: &str) -> bool {
    cx.own(&bare_mark(section)).is_some()
}

fn add(cx: &mut Context) -> Result<String, Fault> {
    add_bare(cx, &[("proto", "pppoe"), ("disabled", "1")])
}

fn add_bare(cx: &mut Context, options: &[(&str, &str)]) -> Result<String, Fault> {
    let (_, name) = cx.add_section(layers::PACKAGE, "interface", options)?;
    cx.set_own(&bare_mark(&name), Some("1"));
    Ok(name)
}

/// Puts a PPP interface below an IP interface.
///
/// # Errors
/// When the configuration cannot be read or changed.
pub fn attach(cx: &mut Context, above: &Row, ppp: &Row) -> Result<(), Fault> {
    let to = cx.name_section(above)?;
    let ip_on = layers::interface_switch(cx, above)?.is_enabled(cx, "ip")?;
    let ppp_on = is_enabled(cx, ppp)?;
    if layers::is_ppp(&cx.option(above, "proto")?.unwrap_or_default()) {
        detach(cx, above)?;
    }
    // A client of DHCP stays as a row that waits. The ACS may well switch it off in the same request, in whatever order.
    dhcpv4::CLIENT.yield_to_another(cx, &to)?;
    dhcpv6::CLIENT.yield_to_another(cx, &to)?;
    let from = cx.section(ppp)?.id();
    let target = cx.section(above)?.id();
    layers::interface_switch(cx, ppp)?.forget(cx);
    let old = cx.key(ppp)?;
    cx.set_own(&bare_mark(&old), None);
    for option in OPTIONS {
        move_option(cx, from, target, option)?;
    }
    cx.package_mut(layers::PACKAGE)?.remove_section(from);
    set_switches(cx, above, ip_on, ppp_on)?;
    cx.move_row(ppp, &to);
    Ok(())
}

/// Takes the PPP interface away from below an IP interface, into a section of its own.
///
/// # Errors
/// When the configuration cannot be read or changed; 9001 when the ACS is reached through the interface.
pub fn detach(cx: &mut Context, above: &Row) -> Result<(), Fault> {
    let name = cx.name_section(above)?;
    let path = cx.path_of_key(INTERFACES, &name);
    let ppp = path.and_then(|path| cx.row_of_path(INTERFACES, &path));
    let ppp = ppp.ok_or_else(|| Fault::internal("the PPP interface is gone"))?;
    let ip_on = layers::interface_switch(cx, above)?.is_enabled(cx, "ip")?;
    let ppp_on = is_enabled(cx, &ppp)?;
    let bare = add_bare(cx, &[])?;
    let from = cx.section(above)?.id();
    let to = cx.package(layers::PACKAGE)?.find(&bare).map(|section| section.id());
    let to = to.ok_or_else(|| Fault::internal("the new section is gone"))?;
    for option in OPTIONS {
        move_option(cx, from, to, option)?;
    }
    layers::set(cx, from, "proto", Some("none"))?;
    cx.move_row(&ppp, &bare);
    set_switches(cx, above, ip_on, true)?;
    let path = cx.path_of_key(INTERFACES, &bare);
    match path.and_then(|path| cx.row_of_path(INTERFACES, &path)) {
        Some(ppp) => set_switches(cx, &ppp, false, ppp_on),
        None => Err(Fault::internal("the PPP interface is gone")),
    }
}

/// Switches the rows of a section, whatever they were.
fn set_switches(cx: &mut Context, row: &Row, ip_on: bool, ppp_on: bool) -> Result<(), Fault> {
    let id = cx.section(row)?.id();
    layers::interface_switch(cx, row)?.forget(cx);
    layers::set(cx, id, "disabled", None)?;
    let switch = layers::interface_switch(cx, row)?;
    switch.set(cx, "ip", ip_on)?;
    let is_ppp = cx.option(row, "proto")?.is_some_and(|proto| layers::is_ppp(&proto));
    if is_ppp { layers::interface_switch(cx, row)?.set(cx, "ppp", ppp_on) } else { Ok(()) }
}

/// Moves an option from a section to another, and takes it away there if it is not here.
fn move_option(cx: &mut Context, from: SectionId, to: SectionId, option: &str) -> Result<(), Fault> {
    let package = cx.package(layers::PACKAGE)?;
    let value = package.section(from).and_then(|section| match section.value(option)? {
        OptionValue::Text(text) => Some((String::from(text), None)),
        OptionValue::List(items) => {
            Some((String::new(), Some(items.into_iter().map(String::from).collect::<Vec<_>>())))
        }
    });
    match value {
        Some((_, Some(items))) => layers::set_list(cx, to, option, &items)?,
        Some((text, None)) => layers::set(cx, to, option, Some(&text))?,
        None => layers::set(cx, to, option, None)?,
    }
    layers::set(cx, from, option, None)
}

/// The IP interface above loses it (CONFORMANCE P-67).
fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let name = cx.key(row)?;
    let network = layers::network(cx)?;
    for interface in network.interfaces.iter().filter(|interface| interface.device.strip_prefix('@') == Some(&name)) {
        layers::set(cx, interface.id, "device", None)?;
    }
    let id = cx.section(row)?.id();
    if is_bare(cx, &name) {
        layers::interface_switch(cx, row)?.forget(cx);
        cx.set_own(&bare_mark(&name), None);
        cx.package_mut(layers::PACKAGE)?.remove_section(id);
        return Ok(());
    }
    layers::keep_way(cx, &name)?;
    let ip_on = layers::interface_switch(cx, row)?.is_enabled(cx, "ip")?;
    for option in OPTIONS {
        layers::set(cx, id, option, None)?;
    }
    layers::set(cx, id, "proto", Some("none"))?;
    set_switches(cx, row, ip_on, true)
}

fn is_enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    layers::interface_switch(cx, row)?.is_enabled(cx, "ppp")
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    layers::interface_switch(cx, row)?.set(cx, "ppp", value == "true")
}

/// What netifd says of the interface of a row; null where it has another protocol there until the reload, for what that one has got is not of PPP.
fn state(cx: &mut Context, row: &Row) -> Result<Json> {
    let key = cx.key(row)?;
    let interfaces = net::interfaces(cx)?;
    let state = interfaces.get(&key);
    let other = net::text(state, "proto").is_some_and(|proto| !layers::is_ppp(proto));
    Ok(if other { Json::Null } else { state.clone() })
}

/// The network device of a row, while there is one (`pppoe-wan`).
pub fn device(cx: &mut Context, row: &Row) -> Option<String> {
    let state = state(cx, row).ok()?;
    net::text(&state, "l3_device").filter(|device| net::is_device_name(device)).map(String::from)
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    // netifd calls the device after the protocol and the interface.
    let (proto, key) = (cx.option(row, "proto")?.unwrap_or_default(), cx.key(row)?);
    let name = device(cx, row).unwrap_or_else(|| format!("{proto}-{key}"));
    Ok(Text::Owned(name.chars().take(64).collect()))
}

fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    let switch = layers::interface_switch(cx, row)?;
    if !switch.is_enabled(cx, "ppp")? || !switch.is_on(cx)? {
        return Ok("Down");
    }
    if !net::interfaces(cx)?.known() {
        return Ok("Unknown");
    }
    let state = state(cx, row)?;
    if net::truth(&state, "up") {
        return Ok("Up");
    }
    let below = cx.option(row, "device")?.unwrap_or_default();
    if net::is_device_name(&below) && net::device_status(cx, &below) != "Up" {
        return Ok("LowerLayerDown");
    }
    Ok(if net::truth(&state, "pending") { "Dormant" } else { "Down" })
}

fn credential(cx: &mut Context, row: &Row, option: &str) -> Result<Text> {
    Ok(cx.option(row, option)?.map_or(Text::Borrowed(""), Text::Owned))
}

/// The script of xl2tpd writes user name and password between quotes into a file of options for pppd; an option that could follow there runs programs
/// (SECURITY S3). The other protocols hand them on as they are.
fn set_credential(cx: &mut Context, row: &Row, option: &str, value: &str) -> Result<(), Fault> {
    let quoted = cx.option(row, "proto")?.as_deref() == Some("l2tp");
    if value.contains(|c: char| c.is_control() || (quoted && matches!(c, '"' | '\\'))) {
        return Err(Fault::value("it has a character that pppd would take for its end"));
    }
    cx.set_option(row, option, Some(value))
}

fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let (key, status) = (cx.key(row)?, status(cx, row)?);
    let seen = net::seconds_in_state(cx, &format!("{INTERFACES}{key}"), status);
    let up = state(cx, row)?.get("uptime").and_then(Json::as_u64).filter(|_| status == "Up");
    Ok(Text::Owned(up.unwrap_or(seen).min(u64::from(u32::MAX)).to_string()))
}

fn lower_layers(cx: &mut Context, row: &Row) -> Result<Text> {
    let (network, key) = (layers::network(cx)?, cx.key(row)?);
    let Some(interface) = network.interface(&key) else { return Ok(Text::Borrowed("")) };
    let path = match interface.proto.as_str() {
        "3g" => super::cellular::path_of(cx, interface),
        _ => layers::path_of(cx, &interface.device),
    };
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_lower_layers(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if !matches!(cx.option(row, "proto")?.as_deref(), Some("pppoe")) {
        return Err(Fault::value("only PPPoE is on a link or VLAN"));
    }
    let device = match value {
        "" => None,
        path => Some(layers::device_of_path(cx, path).ok_or_else(|| Fault::value("not one link or VLAN"))?),
    };
    cx.set_option(row, "ifname", None)?;
    cx.set_option(row, "device", device.as_deref())
}

fn reset(cx: &mut Context, row: &Row, _: &str) -> Result<(), Fault> {
    let name = cx.name_section(row)?;
    if !is_bare(cx, &name) {
        cx.after(&["/sbin/ifup", &name]);
    }
    Ok(())
}

fn connection_status(cx: &mut Context, row: &Row) -> Result<Text> {
    let proto = cx.option(row, "proto")?.unwrap_or_default();
    let state = state(cx, row)?;
    let unconfigured =
        proto == "pppoe" && layers::network(cx)?.interface(&cx.key(row)?).is_none_or(|it| it.device.is_empty());
    Ok(Text::Borrowed(if net::truth(&state, "up") {
        "Connected"
    } else if unconfigured {
        "Unconfigured"
    } else if net::truth(&state, "pending") {
        "Connecting"
    } else {
        "Disconnected"
    }))
}

/// The last of what netifd has noted since it tried to connect.
fn last_connection_error(cx: &mut Context, row: &Row) -> Result<Text> {
    let state = state(cx, row)?;
    let code = net::items(&state, "errors").last().and_then(|error| net::text(error, "code"));
    Ok(Text::Borrowed(match code {
        None => "ERROR_NONE",
        Some("AUTH_FAILED") => "ERROR_AUTHENTICATION_FAILURE",
        Some("NO_CARRIER" | "PADO_TIMEOUT" | "TIMEOUT" | "CONNECT_FAILED") => "ERROR_ISP_TIME_OUT",
        Some("NO_DEVICE" | "NO_IFACE") => "ERROR_NO_CARRIER",
        Some(_) => "ERROR_UNKNOWN",
    }))
}

fn max_mru(cx: &mut Context, row: &Row) -> Result<Text> {
    let mtu = cx.option(row, "mtu")?.and_then(|mtu| mtu.parse::<u32>().ok());
    Ok(Text::Owned(mtu.unwrap_or(1500).clamp(64, 65535).to_string()))
}

fn set_max_mru(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if max_mru(cx, row)? == value { Ok(()) } else { cx.set_option(row, "mtu", Some(value)) }
}

/// What was negotiated; what may be, while there is no connection.
fn current_mru(cx: &mut Context, row: &Row) -> Result<Text> {
    let device = device(cx, row);
    let live = device.and_then(|device| net::sysfs(cx, &device, "mtu")).and_then(|mtu| mtu.parse::<u32>().ok());
    match live {
        Some(mtu) => Ok(Text::Owned(mtu.clamp(64, 65535).to_string())),
        None => max_mru(cx, row),
    }
}

fn demand(cx: &mut Context, row: &Row) -> Result<u32> {
    Ok(cx.option(row, "demand")?.and_then(|demand| demand.parse().ok()).unwrap_or(0))
}

fn trigger(cx: &mut Context, row: &Row) -> Result<&'static str> {
    let manual = cx.option(row, "auto")?.as_deref().and_then(uci_truth) == Some(false);
    Ok(match (manual, demand(cx, row)?) {
        (true, _) => "Manual",
        (false, 0) => "AlwaysOn",
        (false, _) => "OnDemand",
    })
}

/// `demand` is the time as well as the trigger, so that the agent keeps the time while the connection is not made on demand.
fn idle_time(cx: &mut Context, row: &Row) -> Result<u32> {
    let demand = demand(cx, row)?;
    let name = idle_mark(cx, row)?;
    Ok(if demand > 0 { demand } else { cx.own(&name).and_then(|time| time.parse().ok()).unwrap_or(0) })
}

fn idle_mark(cx: &Context, row: &Row) -> Result<String> {
    Ok(crate::model::access::full_name(cx, row.node(), row, "IdleDisconnectTime"))
}

/// `keepalive '5 1'`: lost echoes, and seconds between echoes.
fn keepalive(cx: &mut Context, row: &Row) -> Result<(u32, u32)> {
    let Some(text) = cx.option(row, "keepalive")? else { return Ok(KEEPALIVE) };
    let mut numbers = text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::parse::<u32>);
    let lost = numbers.next().and_then(std::result::Result::ok).unwrap_or(0);
    // One number alone leaves the seconds as they are in ppp.sh.
    Ok((lost, numbers.next().and_then(std::result::Result::ok).unwrap_or(5)))
}

fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    set_trigger(cx, row, values).map_err(|fault| ("ConnectionTrigger", fault))?;
    set_keepalive(cx, row, values).map_err(|fault| ("LCPEcho", fault))
}

fn set_trigger(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), Fault> {
    let (before, idle_before) = (trigger(cx, row)?, idle_time(cx, row)?);
    let trigger = values.get("ConnectionTrigger").unwrap_or(before);
    let idle = values.get("IdleDisconnectTime").and_then(|time| time.parse().ok()).unwrap_or(idle_before);
    if trigger == before && idle == idle_before {
        return Ok(());
    }
    let on_demand = trigger == "OnDemand";
    let idle = if on_demand && idle == 0 { IDLE_TIME } else { idle };
    cx.set_option(row, "demand", on_demand.then(|| idle.to_string()).as_deref())?;
    if (trigger == "Manual") != (before == "Manual") {
        cx.set_option(row, "auto", (trigger == "Manual").then_some("0"))?;
    }
    let name = idle_mark(cx, row)?;
    let kept = (!on_demand && idle > 0).then(|| idle.to_string());
    if cx.own(&name) != kept {
        cx.set_own(&name, kept.as_deref());
    }
    Ok(())
}

fn set_keepalive(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), Fault> {
    let before = keepalive(cx, row)?;
    let number = |name: &str, now: u32| values.get(name).and_then(|value| value.parse().ok()).unwrap_or(now);
    let after = (number("LCPEchoRetry", before.0), number("LCPEcho", before.1));
    if after == before { Ok(()) } else { cx.set_option(row, "keepalive", Some(&format!("{} {}", after.0, after.1))) }
}

fn ipv6(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(cx.option(row, "ipv6")?.as_deref().and_then(uci_truth) != Some(false))
}

fn set_ipv6(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let on = value == "true";
    if ipv6(cx, row)? == on { Ok(()) } else { cx.set_option(row, "ipv6", (!on).then_some("0")) }
}

/// The kernel's list of sessions: number, address of the access concentrator, device below.
fn session_id(cx: &mut Context, row: &Row) -> Result<Text> {
    let below = cx.option(row, "device")?.unwrap_or_default();
    let up = net::truth(&state(cx, row)?, "up");
    let sessions = cx.file("/proc/net/pppoe").ok().filter(|_| up && !below.is_empty());
    let of_line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let id = u32::from_str_radix(words.next()?, 16).ok()?;
        let device = words.nth(1)?;
        // The kernel prints the two octets as they came over the wire, as a number of its own order.
        (device == below).then(|| u16::from_be(u16::try_from(id).unwrap_or_default()))
    };
    let id = sessions.and_then(|sessions| sessions.lines().find_map(of_line)).unwrap_or(0);
    Ok(Text::Owned(id.to_string()))
}

fn address(cx: &mut Context, row: &Row, member: &str) -> Result<Text> {
    let state = state(cx, row)?;
    let address = net::items(&state, "ipv4-address").first().and_then(|address| net::text(address, member));
    Ok(address.filter(|text| (IPV4.check)(text)).map_or(Text::Borrowed(""), |text| Text::Owned(String::from(text))))
}

fn dns_servers(cx: &mut Context, row: &Row) -> Result<Text> {
    let state = state(cx, row)?;
    let servers = net::items(&state, "dns-server").iter().filter_map(Json::as_str).filter(|text| (IPV4.check)(text));
    Ok(Text::Owned(servers.take(2).collect::<Vec<_>>().join(",")))
}

/// The right half of the address of the link; the left half is zero.
fn local_identifier(cx: &mut Context, row: &Row) -> Result<Text> {
    let (Some(device), Ok(list)) = (device(cx, row), cx.file("/proc/net/if_inet6")) else {
        return Ok(Text::Borrowed(""));
    };
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [digits, _, _, "20", .., name] = fields.as_slice() else { return None };
        let bits = u128::from_str_radix(digits, 16).ok().filter(|_| *name == device)?;
        Some(std::net::Ipv6Addr::from(bits & u128::from(u64::MAX)).to_string())
    };
    Ok(list.lines().find_map(of_line).map_or(Text::Borrowed(""), Text::Owned))
}
