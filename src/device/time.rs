//! `Device.Time.`: sysntpd and the time zone.
//!
//! NTPServer1 to 5, which 2.17 deprecates, and `Client.1.Servers` are two views of the same UCI list.

use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::format::HOST;
use crate::model::schema::{
    Notification, Object, Rows, Table, Text, Values, alias, count, get, get_set, ro, rw, sections_where, together,
    uci_bool, uci_list, uci_row,
};
use crate::model::value::{BOOLEAN, DATE_TIME, Format, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT};
use crate::time::{PosixTz, UtcTime, local};

/// sysntpd has its servers validated, and does not start at all with one that ends in a dot.
const NTP_HOST: Format = Format {
    name: "host name without a dot at its end, or IP address",
    check: |text| (HOST.check)(text) && !text.ends_with('.'),
};
const NTP_SERVER: Type = STRING.lengths(&[(0, 64)]).format(NTP_HOST);
const MODE: Type = STRING.values(&["Unicast", "Broadcast", "Multicast", "Manycast"]);
const PORT: Type = UNSIGNED_INT.ranges(&[(1, 65535)]);
const VERSION: Type = UNSIGNED_INT.ranges(&[(1, 4)]);

/// How many of the servers have a parameter of their own.
const NAMED: [&str; 5] = ["NTPServer1", "NTPServer2", "NTPServer3", "NTPServer4", "NTPServer5"];

/// Where it is remembered which of them have gaps before them: the servers with empty ones between them.
const PLACES: &str = "Device.Time.NTPServer";

/// sysntpd reads one section of this name, and no other.
const NTP: Rows = sections_where("system", "timeserver", |section| section.name() == Some("ntp"));

/// TR-181 2.17 Device.Time.
pub static TIME: Object = Object::single(
    "Device.Time.",
    &[
        rw("Enable", BOOLEAN, uci_bool("system.ntp=timeserver.enabled", "true")),
        ro(
            "Status",
            STRING.values(&["Disabled", "Unsynchronized", "Synchronized", "Error_FailedToSynchronize", "Error"]),
            get(status),
        ),
        rw("NTPServer1", NTP_SERVER, together(|cx, _| server(cx, 0))),
        rw("NTPServer2", NTP_SERVER, together(|cx, _| server(cx, 1))),
        rw("NTPServer3", NTP_SERVER, together(|cx, _| server(cx, 2))),
        rw("NTPServer4", NTP_SERVER, together(|cx, _| server(cx, 3))),
        rw("NTPServer5", NTP_SERVER, together(|cx, _| server(cx, 4))),
        ro("CurrentLocalTime", DATE_TIME, get(current_local_time)).notification(Notification::CanDeny),
        rw("LocalTimeZone", STRING.lengths(&[(0, 256)]), get_set(time_zone, set_time_zone)),
        ro("ClientNumberOfEntries", UNSIGNED_INT, count("Client")),
        ro("ServerNumberOfEntries", UNSIGNED_INT, count("Server")),
    ],
)
.set_together(set_servers);

/// TR-181 2.17 Device.Time.Client.{i}.: sysntpd as a client, one row.
pub static CLIENT: Object = Object::table(
    "Device.Time.Client.{i}.",
    Table::new(NTP).enabled_by("Enable"),
    &[
        rw("Enable", BOOLEAN, uci_bool("enabled", "true")),
        ro("Status", STRING.values(&["Disabled", "Unsynchronized", "Synchronized", "Error"]), get(status)),
        alias(),
        rw("Mode", MODE, get_set(|_, _| Ok(Text::Borrowed("Unicast")), |_, _, value| only(value, "Unicast"))),
        rw("Port", PORT, get_set(|_, _| Ok(Text::Borrowed("123")), |_, _, value| only(value, "123"))).default("123"),
        rw("Version", VERSION, get_set(|_, _| Ok(Text::Borrowed("4")), |_, _, value| only(value, "4"))).default("4"),
        rw("Servers", STRING.format(NTP_HOST).list(), uci_list("server")).default(""),
        // sysntpd asks on whatever way leads to the server.
        rw(
            "Interface",
            STRING.lengths(&[(0, 256)]).strong(&["Device.IP.Interface."]),
            get_set(|_, _| Ok(Text::Borrowed("")), |_, _, value| only(value, "")),
        )
        .default(""),
    ],
);

/// TR-181 2.17 Device.Time.Server.{i}.: sysntpd as a server, one row.
pub static SERVER: Object = Object::table(
    "Device.Time.Server.{i}.",
    Table::new(NTP).enabled_by("Enable"),
    &[
        rw("Enable", BOOLEAN, uci_bool("enable_server", "false")),
        ro("Status", STRING.values(&["Up", "Down", "Error"]), get(server_status)),
        alias(),
        rw("Mode", MODE, get_set(|_, _| Ok(Text::Borrowed("Unicast")), |_, _, value| only(value, "Unicast"))),
        rw("Version", VERSION, get_set(|_, _| Ok(Text::Borrowed("4")), |_, _, value| only(value, "4"))).default("4"),
        rw("Port", PORT, get_set(|_, _| Ok(Text::Borrowed("123")), |_, _, value| only(value, "123"))).default("123"),
        rw(
            "Interface",
            STRING.lengths(&[(0, 256)]).strong(&["Device.IP.Interface."]),
            uci_row("interface", "Device.IP.Interface."),
        )
        .default(""),
    ],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&TIME, &CLIENT, &SERVER];

fn only(value: &str, possible: &str) -> Result<(), Fault> {
    if value == possible {
        Ok(())
    } else {
        Err(Fault::value(format!("the router can only have {}", if possible.is_empty() { "none" } else { possible })))
    }
}

/// Whether an option of `system.ntp` is set, or what it is where it is not there.
fn ntp_truth(cx: &mut Context, option: &str, missing: bool) -> Result<bool> {
    let ntp = cx.package("system")?.find("ntp");
    let value = ntp.and_then(|ntp| ntp.get(option)).and_then(crate::model::access::uci_truth);
    Ok(value.unwrap_or(missing))
}

fn status(cx: &mut Context, _: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if !ntp_truth(cx, "enabled", true)? {
        "Disabled"
    } else if cx.facts().clock_known {
        "Synchronized"
    } else {
        "Unsynchronized"
    }))
}

fn server_status(cx: &mut Context, _: &Row) -> Result<Text> {
    let up = ntp_truth(cx, "enabled", true)? && ntp_truth(cx, "enable_server", false)?;
    Ok(Text::Borrowed(if up { "Up" } else { "Down" }))
}

fn servers(cx: &mut Context) -> Result<Vec<String>> {
    let ntp = cx.package("system")?.find("ntp");
    Ok(ntp.map(|ntp| ntp.list("server").into_iter().map(String::from).collect()).unwrap_or_default())
}

/// The servers by their parameters. UCI has a list without gaps, so where the gaps are is the agent's own to remember, as long as nobody else has
/// changed the servers: what is set is read back under its own name (CONFORMANCE P-06, J-09).
fn numbered_servers(cx: &mut Context) -> Result<Vec<String>> {
    let servers = servers(cx)?;
    let Some(kept) = cx.own(PLACES) else { return Ok(servers) };
    let kept: Vec<String> = kept.split(',').map(String::from).collect();
    let same = kept.iter().filter(|server| !server.is_empty()).eq(servers.iter());
    Ok(if same { kept } else { servers })
}

fn server(cx: &mut Context, index: usize) -> Result<Text> {
    Ok(numbered_servers(cx)?.into_iter().nth(index).map_or(Text::Borrowed(""), Text::Owned))
}

/// Sets those that the request has, and keeps the others where they are.
fn set_servers(cx: &mut Context, _: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let blame = |fault: Fault| (NAMED[0], fault);
    let before = servers(cx).map_err(|error| blame(error.into()))?;
    let mut after = numbered_servers(cx).map_err(|error| blame(error.into()))?;
    for (index, name) in NAMED.iter().enumerate() {
        if let Some(value) = values.get(name) {
            while after.len() <= index {
                after.push(String::new());
            }
            if let Some(server) = after.get_mut(index) {
                *server = String::from(value);
            }
        }
    }
    while after.last().is_some_and(String::is_empty) {
        after.pop();
    }
    let places = after.iter().any(String::is_empty).then(|| after.join(","));
    super::own_keys::set_own(cx, PLACES, places.as_deref());
    after.retain(|server| !server.is_empty());
    if after == before {
        return Ok(());
    }
    let found = cx.package("system").map_err(|error| blame(error.into()))?.find("ntp").map(|ntp| ntp.id());
    let package = cx.package_mut("system").map_err(|error| blame(error.into()))?;
    let id = match found {
        Some(id) => id,
        None => {
            package.add_section("timeserver", Some("ntp")).map_err(|error| blame(Fault::internal(error.to_string())))?
        }
    };
    let after: Vec<&str> = after.iter().map(String::as_str).collect();
    package.set_list(id, "server", &after).map_err(|error| blame(Fault::value(error.to_string())))?;
    Ok(())
}

/// The same in every pass over a request.
fn current_local_time(cx: &mut Context, _: &Row) -> Result<Text> {
    let time = cx.memo("local time", |cx| {
        if !cx.facts().clock_known {
            return Ok(String::from(UNKNOWN_TIME));
        }
        let zone = time_zone_text(cx)?;
        let zone = PosixTz::parse(&zone).unwrap_or(PosixTz::UTC);
        Ok(local(UtcTime::from(cx.system().wall_clock()).whole_seconds(), &zone))
    })?;
    Ok(Text::Owned(String::from(time.as_str())))
}

fn time_zone_text(cx: &mut Context) -> Result<String> {
    let system = cx.package("system")?.find("@system[0]");
    let zone = system.and_then(|system| system.get("timezone")).filter(|zone| !zone.is_empty());
    Ok(String::from(zone.unwrap_or("UTC")))
}

/// The day of the week, 0 for Monday, and the second of that day, by the clock on the wall here.
///
/// # Errors
/// When the configuration of the system cannot be read.
pub(super) fn local_day_and_second(cx: &mut Context) -> Result<(usize, u32)> {
    let zone = time_zone_text(cx)?;
    let zone = PosixTz::parse(&zone).unwrap_or(PosixTz::UTC);
    let utc = UtcTime::from(cx.system().wall_clock());
    let local = utc.seconds().saturating_add(i64::from(zone.offset(utc)));
    // 1970 began on a Thursday.
    let day = local.div_euclid(86_400).saturating_add(3).rem_euclid(7);
    Ok((usize::try_from(day).unwrap_or(0), u32::try_from(local.rem_euclid(86_400)).unwrap_or(0)))
}

fn time_zone(cx: &mut Context, _: &Row) -> Result<Text> {
    Ok(Text::Owned(time_zone_text(cx)?))
}

/// The name of the zone that a person chose would be wrong beside another zone, so that it goes.
fn set_time_zone(cx: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    // OpenWrt's own default is no zone of POSIX.
    if value != "UTC" && PosixTz::parse(value).is_none() {
        return Err(Fault::value("not a POSIX time zone such as CET-1CEST,M3.5.0,M10.5.0/3"));
    }
    if time_zone_text(cx)? == value {
        return Ok(());
    }
    let found = cx.package("system")?.find("@system[0]").map(|system| system.id());
    let package = cx.package_mut("system")?;
    let id = match found {
        Some(id) => id,
        None => package.add_section("system", None).map_err(|error| Fault::internal(error.to_string()))?,
    };
    package.set(id, "timezone", value).map_err(|error| Fault::value(error.to_string()))?;
    package.remove(id, "zonename");
    Ok(())
}
