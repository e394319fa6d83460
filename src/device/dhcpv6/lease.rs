//! `Device.DHCPv6.Server.Pool.{i}.Client.{i}.`: the leases of odhcpd. A client is known by its DUID.

use std::net::Ipv6Addr;
use std::rc::Rc;

use serde_json::{Value as Json, json};

use crate::device::net;
use crate::device::odhcpd::device;
use crate::device::option_rows::{bytes, hex};
use crate::error::Result;
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::{IPV6_ADDRESS, IPV6_PREFIX};
use crate::model::schema::{Object, Rows, Table, Text, alias, count, get, ro};
use crate::model::value::{BOOLEAN, DATE_TIME, HEX_BINARY, STRING, UNKNOWN_TIME, UNSIGNED_INT};

/// TR-181 2.17 Device.DHCPv6.Server.Pool.{i}.Client.{i}.
pub(super) static CLIENT: Object = Object::table(
    "Device.DHCPv6.Server.Pool.{i}.Client.{i}.",
    Table::new(Rows::Keys(clients)),
    &[
        alias(),
        // odhcpd does not tell where a client's messages came from.
        ro("SourceAddress", IPV6_ADDRESS, get(|_, _| Ok(Text::Borrowed("")))),
        ro("Active", BOOLEAN, get(|cx, row| Ok(truth(of_client(cx, row)?.iter().any(|lease| lease.valid != Some(0)))))),
        ro("IPv6AddressNumberOfEntries", UNSIGNED_INT, count("IPv6Address")),
        ro("IPv6PrefixNumberOfEntries", UNSIGNED_INT, count("IPv6Prefix")),
        ro("OptionNumberOfEntries", UNSIGNED_INT, count("Option")),
    ],
);

/// TR-181 2.17 Device.DHCPv6.Server.Pool.{i}.Client.{i}.IPv6Address.{i}.
pub(super) static ADDRESS: Object = Object::table(
    "Device.DHCPv6.Server.Pool.{i}.Client.{i}.IPv6Address.{i}.",
    Table::new(Rows::Keys(|cx, row| given_keys(cx, row, false))),
    &[
        ro("IPAddress", IPV6_ADDRESS, get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("PreferredLifetime", DATE_TIME, get(|cx, row| lifetime(cx, row, |given| given.preferred))),
        ro("ValidLifetime", DATE_TIME, get(|cx, row| lifetime(cx, row, |given| given.valid))),
    ],
);

/// TR-181 2.17 Device.DHCPv6.Server.Pool.{i}.Client.{i}.IPv6Prefix.{i}.
pub(super) static PREFIX: Object = Object::table(
    "Device.DHCPv6.Server.Pool.{i}.Client.{i}.IPv6Prefix.{i}.",
    Table::new(Rows::Keys(|cx, row| given_keys(cx, row, true))),
    &[
        ro("Prefix", STRING.lengths(&[(0, 49)]).format(IPV6_PREFIX), get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("PreferredLifetime", DATE_TIME, get(|cx, row| lifetime(cx, row, |given| given.preferred))),
        ro("ValidLifetime", DATE_TIME, get(|cx, row| lifetime(cx, row, |given| given.valid))),
    ],
);

/// TR-181 2.17 Device.DHCPv6.Server.Pool.{i}.Client.{i}.Option.{i}.
pub(super) static OPTION: Object = Object::table(
    "Device.DHCPv6.Server.Pool.{i}.Client.{i}.Option.{i}.",
    Table::new(Rows::Keys(|cx, row| Ok(sent(cx, row)?.into_iter().map(|(tag, _)| String::from(tag)).collect()))),
    &[
        ro("Tag", UNSIGNED_INT.ranges(&[(0, 65535)]), get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("Value", HEX_BINARY.lengths(&[(0, 65535)]), get(option_value)),
    ],
);

/// An address or prefix that a client has.
#[derive(Clone, Debug)]
struct Given {
    address: Ipv6Addr,
    /// Bits; `None` for an address.
    length: Option<u8>,
    /// Seconds; `None` for ever.
    preferred: Option<u64>,
    valid: Option<u64>,
}

impl Given {
    fn key(&self) -> String {
        match self.length {
            Some(length) => format!("{}/{length}", self.address),
            None => self.address.to_string(),
        }
    }
}

/// A lease: odhcpd has one for each association of a client.
#[derive(Clone, Debug)]
struct Lease {
    device: String,
    /// Hexadecimal digits.
    duid: String,
    name: String,
    /// Seconds; `None` for ever.
    valid: Option<u64>,
    given: Vec<Given>,
}

/// Seconds, of which odhcpd writes 2^32-1 or -1 for ever.
fn seconds(json: &Json, member: &str) -> Option<u64> {
    json.get(member).and_then(Json::as_u64).filter(|seconds| *seconds != u64::from(u32::MAX))
}

fn given(json: &Json, prefix: bool) -> Option<Given> {
    let length = json.get("prefix-length").and_then(Json::as_u64).and_then(|length| u8::try_from(length).ok());
    Some(Given {
        address: net::text(json, "address")?.parse().ok()?,
        length: if prefix { Some(length.filter(|length| *length <= 128)?) } else { None },
        preferred: seconds(json, "preferred-lifetime"),
        valid: seconds(json, "valid-lifetime"),
    })
}

/// The leases of odhcpd, read once a request; none without ubus.
fn leases(cx: &mut Context) -> Result<Rc<Vec<Lease>>> {
    cx.memo("odhcpd leases", |cx| {
        let reply = cx.ubus("dhcp", "ipv6leases", &json!({})).unwrap_or_default();
        let mut leases = Vec::new();
        for (device, listed) in reply.get("device").and_then(Json::as_object).into_iter().flatten() {
            for lease in net::items(listed, "leases") {
                let Some(duid) = net::text(lease, "duid").filter(|duid| bytes(duid).is_some()) else { continue };
                let addresses = net::items(lease, "ipv6-addr").iter().filter_map(|item| given(item, false));
                let prefixes = net::items(lease, "ipv6-prefix").iter().filter_map(|item| given(item, true));
                leases.push(Lease {
                    device: device.clone(),
                    duid: duid.to_ascii_lowercase(),
                    name: net::text(lease, "hostname").unwrap_or_default().to_owned(),
                    valid: seconds(lease, "valid"),
                    given: addresses.chain(prefixes).collect(),
                });
            }
        }
        Ok(leases)
    })
}

fn clients(cx: &mut Context, pool: &Row) -> Result<Vec<String>> {
    let Some(device) = device(cx, pool)? else { return Ok(Vec::new()) };
    let leases = leases(cx)?;
    Ok(leases.iter().filter(|lease| lease.device == device).map(|lease| lease.duid.clone()).collect())
}

fn of_client(cx: &mut Context, client: &Row) -> Result<Vec<Lease>> {
    let Some(pool) = client.parent().cloned() else { return Ok(Vec::new()) };
    let Some(device) = device(cx, &pool)? else { return Ok(Vec::new()) };
    let duid = cx.key(client)?;
    Ok(leases(cx)?.iter().filter(|lease| lease.duid == duid && lease.device == device).cloned().collect())
}

fn given_keys(cx: &mut Context, client: &Row, prefix: bool) -> Result<Vec<String>> {
    let leases = of_client(cx, client)?;
    let all = leases.iter().flat_map(|lease| &lease.given);
    Ok(all.filter(|given| given.length.is_some() == prefix).map(Given::key).collect())
}

/// The moment at which a lifetime ends (CONFORMANCE J-02).
fn lifetime(cx: &mut Context, row: &Row, which: fn(&Given) -> Option<u64>) -> Result<Text> {
    let Some(client) = row.parent().cloned() else { return Ok(Text::Borrowed(UNKNOWN_TIME)) };
    let key = cx.key(row)?;
    let leases = of_client(cx, &client)?;
    let Some(given) = leases.iter().flat_map(|lease| &lease.given).find(|given| given.key() == key) else {
        return Ok(Text::Borrowed(UNKNOWN_TIME));
    };
    net::moment(cx, which(given))
}

/// What odhcpd still has of what the client sent: its DUID, and the first label of its name (RFC 4704 4.1).
fn sent(cx: &mut Context, client: &Row) -> Result<Vec<(&'static str, String)>> {
    let leases = of_client(cx, client)?;
    let mut options = vec![("1", cx.key(client)?)];
    let name = leases.iter().map(|lease| &lease.name).find(|name| !name.is_empty() && name.len() < 64 && *name != "-");
    if let Some(name) = name {
        let length = u8::try_from(name.len()).unwrap_or(0);
        options.push(("39", hex(&[&[0, length], name.as_bytes()].concat())));
    }
    Ok(options)
}

fn option_value(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(client) = row.parent().cloned() else { return Ok(Text::Borrowed("")) };
    let tag = cx.key(row)?;
    let value = sent(cx, &client)?.into_iter().find(|(known, _)| *known == tag);
    Ok(value.map_or(Text::Borrowed(""), |(_, value)| Text::Owned(value)))
}
