//! `Device.DHCPv6.Client.{i}.`: the logical interfaces of odhcp6c.

use serde_json::Value as Json;

use crate::device::net;
use crate::device::netifd_client::{Client, PACKAGE};
use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Object, Rows, Table, Text, alias, change, constant, count, functional, get, get_set, ro, rw,
};
use crate::model::value::{BOOLEAN, HEX_BINARY, INT, STRING, UNSIGNED_INT};

const INTERFACE: &str = "Device.IP.Interface.";

/// odhcp6c, and what it is told.
pub(in crate::device) static DHCPV6: Client = Client {
    table: "Device.DHCPv6.Client.",
    proto: "dhcpv6",
    waiting: "cwmp_dhcpv6",
    options: &[
        "reqaddress",
        "reqprefix",
        "clientid",
        "reqopts",
        "sendopts",
        "defaultreqopts",
        "noslaaconly",
        "forceprefix",
        "extendprefix",
        "norelease",
        "noserverunicast",
        "noclientfqdn",
        "noacceptreconfig",
        "userclass",
        "vendorclass",
        "soltimeout",
    ],
};

/// TR-181 2.17 Device.DHCPv6.Client.{i}.
pub(super) static CLIENT: Object = Object::table(
    "Device.DHCPv6.Client.{i}.",
    Table::new(Rows::SomeSections { package: PACKAGE, list: |cx, _| DHCPV6.sections(cx) })
        .added_by(|cx, _| DHCPV6.add(cx))
        .deleted_by(|cx, row| DHCPV6.delete(cx, row))
        .keys(&[functional(&["Interface"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw(
            "Enable",
            BOOLEAN,
            get_set(|cx, row| Ok(truth(DHCPV6.enabled(cx, row)?)), |cx, row, value| DHCPV6.set_enable(cx, row, value)),
        )
        .default("false"),
        alias(),
        rw(
            "Interface",
            STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]),
            get_set(|cx, row| DHCPV6.interface(cx, row), |cx, row, value| DHCPV6.set_interface(cx, row, value)),
        )
        .default(""),
        ro(
            "Status",
            STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]),
            get(|cx, row| DHCPV6.status(cx, row)),
        ),
        ro("DUID", HEX_BINARY.lengths(&[(0, 130)]), get(duid)),
        rw("RequestAddresses", BOOLEAN, get_set(|cx, row| Ok(truth(asks_addresses(cx, row)?)), set_request_addresses))
            .default("true"),
        rw("RequestPrefixes", BOOLEAN, get_set(|cx, row| Ok(truth(asks_prefixes(cx, row)?)), set_request_prefixes))
            .default("false"),
        rw("RapidCommit", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), |_, _, value| no_rapid_commit(value)))
            .default("false"),
        rw("Renew", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), |cx, row, _| DHCPV6.renew(cx, row)))
            .command()
            .default("false"),
        rw(
            "SuggestedT1",
            INT.ranges(&[(-1, i64::MAX)]),
            get_set(|_, _| Ok(Text::Borrowed("-1")), |_, _, v| no_time(v)),
        ),
        rw(
            "SuggestedT2",
            INT.ranges(&[(-1, i64::MAX)]),
            get_set(|_, _| Ok(Text::Borrowed("-1")), |_, _, v| no_time(v)),
        ),
        ro("SupportedOptions", UNSIGNED_INT.list(), constant(SUPPORTED)),
        rw("RequestedOptions", UNSIGNED_INT.list(), change(requested, set_requested)),
        ro("SentOptionNumberOfEntries", UNSIGNED_INT, count("SentOption")),
        ro("ReceivedOptionNumberOfEntries", UNSIGNED_INT, count("ReceivedOption")),
    ],
)
.check(|cx, row| DHCPV6.settle(cx, row));

/// The options that odhcp6c makes something of (RFC 8415, 3319, 3646, 4075, 5908, 6334, 6603, 7083, 7598).
const SUPPORTED: &str = "1,2,3,5,13,20,21,22,23,24,25,26,31,32,39,56,64,67,82,83,94,95,96";

/// What netifd says of the interface of a client; null while the client is not in effect.
pub(super) fn state(cx: &mut Context, row: &Row) -> Result<Json> {
    DHCPV6.state(cx, row)
}

/// What is configured for the interface or for all, or what odhcp6c makes of the MAC address of the device (RFC 8415 11.4).
fn duid(cx: &mut Context, row: &Row) -> Result<Text> {
    let own = cx.option(row, "clientid")?;
    let globals = cx.package(PACKAGE)?.find("globals");
    let of_all = globals.and_then(|globals| globals.get("dhcp_default_duid")).map(String::from);
    if let Some(digits) = own.or(of_all) {
        let digits: String = digits.chars().filter(|digit| *digit != ':').collect();
        let hex = digits.len() % 2 == 0 && digits.len() <= 260 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return Ok(if hex { Text::Owned(digits) } else { Text::Borrowed("") });
    }
    let state = state(cx, row)?;
    let Some(device) = net::text(&state, "l3_device").or_else(|| net::text(&state, "device")) else {
        return Ok(Text::Borrowed(""));
    };
    let mac = net::mac(cx, device).replace(':', "");
    Ok(if mac.is_empty() { Text::Borrowed("") } else { Text::Owned(format!("00030001{mac}")) })
}

fn asks_addresses(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(cx.option(row, "reqaddress")?.as_deref() != Some("none"))
}

fn set_request_addresses(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let on = value == "true";
    if asks_addresses(cx, row)? == on {
        Ok(())
    } else {
        cx.set_option(row, "reqaddress", Some(if on { "try" } else { "none" }))
    }
}

fn asks_prefixes(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(cx.option(row, "reqprefix")?.as_deref() != Some("no"))
}

fn set_request_prefixes(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let on = value == "true";
    if asks_prefixes(cx, row)? == on {
        Ok(())
    } else {
        cx.set_option(row, "reqprefix", Some(if on { "auto" } else { "no" }))
    }
}

fn no_rapid_commit(value: &str) -> Result<(), Fault> {
    if value == "false" { Ok(()) } else { Err(Fault::value("odhcp6c has no rapid commit")) }
}

fn no_time(value: &str) -> Result<(), Fault> {
    if value == "-1" { Ok(()) } else { Err(Fault::value("odhcp6c leaves the times to the server")) }
}

fn requested(cx: &mut Context, row: &Row) -> Result<Text> {
    let section = cx.section(row)?;
    let items = section.list("reqopts").into_iter().flat_map(|item| item.split([' ', ',', '\t']));
    let numbers: Vec<String> =
        items.filter_map(|item| item.parse::<u16>().ok()).map(|number| number.to_string()).collect();
    Ok(Text::Owned(numbers.join(",")))
}

/// netifd takes one text with blanks.
fn set_requested(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if value.split(',').any(|item| !item.is_empty() && item.parse::<u16>().is_err()) {
        return Err(Fault::value("an option has a number of 16 bits"));
    }
    cx.set_option(row, "reqopts", Some(&value.replace(',', " ")))
}
