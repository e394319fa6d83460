//! `Device.RouterAdvertisement.` (TR-181 2.17): what odhcpd advertises.

use std::net::Ipv6Addr;

use crate::device::odhcpd::{ADVERTISEMENTS, KIND, PACKAGE, interface, prefixes};
use crate::device::option_rows::{Options, Present, hex, printable};
use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::IPV6;
use crate::model::schema::{
    Object, Rows, Table, Text, Values, alias, change, count, functional, get, get_set, ro, rw, sections_where,
    together, uci_or, uci_words,
};
use crate::model::value::{BOOLEAN, HEX_BINARY, STRING, UNSIGNED_INT};

const INTERFACE: &str = "Device.IP.Interface.";

static ROUTER_ADVERTISEMENT: Object = Object::single(
    "Device.RouterAdvertisement.",
    &[
        rw(
            "Enable",
            BOOLEAN,
            get_set(
                |cx, _| Ok(truth(ADVERTISEMENTS.all_enabled(cx))),
                |cx, _, value| ADVERTISEMENTS.set_all(cx, value),
            ),
        ),
        ro("InterfaceSettingNumberOfEntries", UNSIGNED_INT, count("InterfaceSetting")),
    ],
);

static INTERFACE_SETTING: Object = Object::table(
    "Device.RouterAdvertisement.InterfaceSetting.{i}.",
    Table::new(sections_where(PACKAGE, KIND, |section| section.value("ra").is_some()))
        .writable(&[("ignore", "1"), ("ra", "disabled")])
        .deleted_by(|cx, row| ADVERTISEMENTS.delete(cx, row))
        .keys(&[functional(&["Interface"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw(
            "Enable",
            BOOLEAN,
            get_set(
                |cx, row| Ok(truth(ADVERTISEMENTS.enabled(cx, row)?)),
                |cx, row, value| ADVERTISEMENTS.set_enable(cx, row, value),
            ),
        )
        .default("false"),
        ro(
            "Status",
            STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]),
            get(|cx, row| ADVERTISEMENTS.status(cx, row)),
        ),
        alias(),
        rw(
            "Interface",
            STRING.strong(&[INTERFACE]),
            get_set(interface, |cx, row, value| ADVERTISEMENTS.set_interface(cx, row, value)),
        )
        .default(""),
        rw("RDNSS", STRING.lengths(&[(0, 45)]).format(IPV6).list(), change(rdnss, set_rdnss)).default(""),
        rw("DNSSL", STRING.list(), get_set(|cx, row| Ok(Text::Owned(items(cx, row, "domain")?.join(","))), set_dnssl))
            .default(""),
        ro("Prefixes", STRING.strong(&[]).list_within((0, 8), u32::MAX), get(prefixes)),
        rw(
            "MaxRtrAdvInterval",
            UNSIGNED_INT.ranges(&[(4, 1800)]),
            together(|cx, row| Ok(Text::Owned(number(cx, row, "ra_maxinterval", 600)?.clamp(4, 1800).to_string()))),
        )
        .default("600"),
        rw(
            "MinRtrAdvInterval",
            UNSIGNED_INT.ranges(&[(3, 1350)]),
            together(|cx, row| Ok(Text::Owned(number(cx, row, "ra_mininterval", 200)?.clamp(3, 1350).to_string()))),
        )
        .default("200"),
        rw(
            "AdvDefaultLifetime",
            UNSIGNED_INT.ranges(&[(i64::MIN, 65535)]),
            together(|cx, row| Ok(Text::Owned(number(cx, row, "ra_lifetime", 1800)?.min(65535).to_string()))),
        )
        .default("1800"),
        rw(
            "AdvManagedFlag",
            BOOLEAN,
            get_set(|cx, row| flag(cx, row, MANAGED), |cx, row, v| set_flag(cx, row, MANAGED, v)),
        )
        .default("false"),
        rw(
            "AdvOtherConfigFlag",
            BOOLEAN,
            get_set(|cx, row| flag(cx, row, OTHER), |cx, row, v| set_flag(cx, row, OTHER, v)),
        )
        .default("false"),
        rw(
            "AdvMobileAgentFlag",
            BOOLEAN,
            get_set(|cx, row| flag(cx, row, HOME), |cx, row, v| set_flag(cx, row, HOME, v)),
        )
        .default("false"),
        rw(
            "AdvPreferredRouterFlag",
            STRING.values(&["High", "Medium", "Low"]),
            uci_words("ra_preference", &[("high", "High"), ("medium", "Medium"), ("low", "Low")], "Medium"),
        )
        .default("Medium"),
        rw("AdvNDProxyFlag", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), |_, _, value| no_proxy(value)))
            .default("false"),
        rw(
            "AdvLinkMTU",
            UNSIGNED_INT,
            get_set(|cx, row| Ok(Text::Owned(number(cx, row, "ra_mtu", 0)?.to_string())), set_mtu),
        )
        .default("0"),
        rw("AdvReachableTime", UNSIGNED_INT.ranges(&[(i64::MIN, 3_600_000)]), uci_or("ra_reachabletime", "0"))
            .default("0"),
        rw(
            "AdvRetransTimer",
            UNSIGNED_INT,
            get_set(|cx, row| Ok(Text::Owned(number(cx, row, "ra_retranstime", 0)?.to_string())), set_retrans),
        )
        .default("0"),
        rw("AdvCurHopLimit", UNSIGNED_INT.ranges(&[(i64::MIN, 255)]), uci_or("ra_hoplimit", "0")).default("0"),
        ro("OptionNumberOfEntries", UNSIGNED_INT, count("Option")),
    ],
)
.set_together(set_times);

static OPTION: Object = Object::table(
    "Device.RouterAdvertisement.InterfaceSetting.{i}.Option.{i}.",
    Table::new(Rows::Keys(|cx, row| EXTRA.keys(cx, row)))
        .added_by(|cx, row| EXTRA.add(cx, row))
        .deleted_by(|cx, row| EXTRA.delete(cx, row))
        .keys(&[functional(&["Tag"])])
        .enabled_by("Enable")
        .at_most(16),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| EXTRA.enabled(cx, row))).default("false"),
        alias(),
        rw("Tag", UNSIGNED_INT.ranges(&[(0, 65535)]), together(|cx, row| EXTRA.tag(cx, row))),
        rw("Value", HEX_BINARY.lengths(&[(0, 65535)]), together(|cx, row| EXTRA.value(cx, row))),
    ],
)
.set_together(|cx, row, values| EXTRA.set(cx, row, values));

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&ROUTER_ADVERTISEMENT, &INTERFACE_SETTING, &OPTION];

/// Of the options that are no parameters, odhcpd sends the captive portal's (RFC 8910).
static EXTRA: Options =
    Options { table: "Option", read: read_extra, write: write_extra, judge: judge_extra, valued: true };

const CAPTIVE_PORTAL: u16 = 37;
const PORTAL: &str = "captive_portal_uri";

fn read_extra(cx: &mut Context, row: &Row) -> Result<Present> {
    let uri = cx.option(row, PORTAL)?;
    Ok(uri.map(|uri| (CAPTIVE_PORTAL, hex(uri.as_bytes()))).into_iter().collect())
}

fn write_extra(cx: &mut Context, row: &Row, wanted: &[(u16, String)]) -> Result<(), Fault> {
    let uri = wanted.iter().find(|(tag, _)| *tag == CAPTIVE_PORTAL).and_then(|(_, value)| printable(value));
    cx.set_option(row, PORTAL, uri.as_deref())
}

fn judge_extra(tag: u16, value: &str) -> Result<(), (&'static str, Fault)> {
    match tag {
        CAPTIVE_PORTAL if printable(value).is_some_and(|uri| uri.contains(':')) => Ok(()),
        CAPTIVE_PORTAL => Err(("Value", Fault::value("not the URI of a captive portal"))),
        _ => Err(("Tag", Fault::value("odhcpd sends this option by itself, or not at all"))),
    }
}

/// A number of the section, or what odhcpd takes where there is none.
fn number(cx: &mut Context, row: &Row, option: &str, missing: u32) -> Result<u32> {
    Ok(cx.option(row, option)?.and_then(|text| text.parse().ok()).unwrap_or(missing))
}

fn items(cx: &mut Context, row: &Row, option: &str) -> Result<Vec<String>> {
    let section = cx.section(row)?;
    Ok(section.list(option).into_iter().flat_map(str::split_ascii_whitespace).map(String::from).collect())
}

/// The list has servers of both kinds; those of IPv4 are for DHCPv4.
fn rdnss(cx: &mut Context, row: &Row) -> Result<Text> {
    let servers = items(cx, row, "dns")?;
    let six: Vec<&str> =
        servers.iter().map(String::as_str).filter(|server| server.parse::<Ipv6Addr>().is_ok()).collect();
    Ok(Text::Owned(six.join(",")))
}

fn set_rdnss(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let mut servers = items(cx, row, "dns")?;
    servers.retain(|server| server.parse::<Ipv6Addr>().is_err());
    servers.extend(value.split(',').filter(|server| !server.is_empty()).map(String::from));
    cx.set_list(row, "dns", &servers.iter().map(String::as_str).collect::<Vec<_>>())
}

fn set_dnssl(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if items(cx, row, "domain")?.join(",") == value {
        return Ok(());
    }
    let names: Vec<&str> = value.split(',').filter(|name| !name.is_empty()).collect();
    if !names.iter().all(|name| crate::model::format::is_host_name(name)) {
        return Err(Fault::value("not the name of a domain"));
    }
    cx.set_list(row, "domain", &names)
}

/// RFC 4861 6.2.1: the least interval is at most three quarters of the greatest, and a lifetime is not shorter than that.
fn set_times(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let mut read = |name: &'static str, option, missing| -> Result<(u32, bool), (&'static str, Fault)> {
        let now = number(cx, row, option, missing).map_err(|error| (name, error.into()))?;
        let new = values.get(name).and_then(|value| value.parse().ok());
        Ok((new.unwrap_or(now), new.is_some_and(|new| new != now)))
    };
    let (most, new_most) = read("MaxRtrAdvInterval", "ra_maxinterval", 600)?;
    let (least, new_least) = read("MinRtrAdvInterval", "ra_mininterval", 200)?;
    let (lifetime, new_lifetime) = read("AdvDefaultLifetime", "ra_lifetime", 1800)?;
    if (new_most || new_least) && u64::from(least) * 4 > u64::from(most) * 3 {
        let blamed = if new_least { "MinRtrAdvInterval" } else { "MaxRtrAdvInterval" };
        return Err((blamed, Fault::value("MinRtrAdvInterval is at most three quarters of MaxRtrAdvInterval")));
    }
    if (new_most || new_lifetime) && lifetime != 0 && lifetime < most {
        let blamed = if new_lifetime { "AdvDefaultLifetime" } else { "MaxRtrAdvInterval" };
        return Err((blamed, Fault::value("AdvDefaultLifetime is 0 or at least MaxRtrAdvInterval")));
    }
    for (name, option, value, new) in [
        ("MaxRtrAdvInterval", "ra_maxinterval", most, new_most),
        ("MinRtrAdvInterval", "ra_mininterval", least, new_least),
        ("AdvDefaultLifetime", "ra_lifetime", lifetime, new_lifetime),
    ] {
        if new {
            cx.set_option(row, option, Some(&value.to_string())).map_err(|fault| (name, fault))?;
        }
    }
    Ok(())
}

const MANAGED: &str = "managed-config";
const OTHER: &str = "other-config";
const HOME: &str = "home-agent";

/// The flags that are sent. Before `ra_flags`, a number said what is managed.
fn flags(cx: &mut Context, row: &Row) -> Result<Vec<String>> {
    let flags = items(cx, row, "ra_flags")?;
    if !flags.is_empty() {
        return Ok(flags);
    }
    let managed = matches!(cx.option(row, "ra_management")?.as_deref(), Some("1" | "2"));
    let mut flags = vec![String::from(OTHER)];
    if managed {
        flags.push(String::from(MANAGED));
    }
    Ok(flags)
}

fn flag(cx: &mut Context, row: &Row, name: &str) -> Result<Text> {
    Ok(truth(flags(cx, row)?.iter().any(|flag| flag == name)))
}

fn set_flag(cx: &mut Context, row: &Row, name: &str, value: &str) -> Result<(), Fault> {
    if flag(cx, row, name)? == value {
        return Ok(());
    }
    let mut flags = flags(cx, row)?;
    flags.retain(|flag| flag != name && flag != "none");
    if value == "true" {
        flags.push(String::from(name));
    }
    if flags.is_empty() {
        // Without the option odhcpd would set one.
        flags.push(String::from("none"));
    }
    cx.set_list(row, "ra_flags", &flags.iter().map(String::as_str).collect::<Vec<_>>())
}

fn no_proxy(value: &str) -> Result<(), Fault> {
    if value == "false" { Ok(()) } else { Err(Fault::value("odhcpd has no such flag")) }
}

/// 0 leaves the option out; a link of IPv6 carries 1280 bytes at least (RFC 8200 5).
fn set_mtu(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let mtu: u32 = value.parse().map_err(|_| Fault::value("not a number"))?;
    if number(cx, row, "ra_mtu", 0)? == mtu {
        return Ok(());
    }
    if mtu != 0 && !(1280..=65535).contains(&mtu) {
        return Err(Fault::value("0, or 1280 to 65535"));
    }
    cx.set_option(row, "ra_mtu", (mtu != 0).then_some(value))
}

/// odhcpd takes no more than a minute.
fn set_retrans(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let time: u32 = value.parse().map_err(|_| Fault::value("not a number"))?;
    if number(cx, row, "ra_retranstime", 0)? == time {
        return Ok(());
    }
    if time > 60_000 {
        return Err(Fault::value("odhcpd takes 0 to 60000 ms"));
    }
    cx.set_option(row, "ra_retranstime", Some(value))
}
