//! Named forms of strings that TR-181 uses (its data types `IPv4Address`, `MACAddress`, `URL`, ...).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::value::{Format, STRING, Type};

/// `IPv4Address`
pub const IPV4: Format = Format { name: "IPv4 address", check: |text| text.parse::<Ipv4Addr>().is_ok() };
/// `IPv6Address`
pub const IPV6: Format = Format { name: "IPv6 address", check: |text| text.parse::<Ipv6Addr>().is_ok() };
/// `IPAddress`
pub const IP: Format = Format { name: "IP address", check: |text| text.parse::<IpAddr>().is_ok() };
/// `IPv4Prefix`
pub const IPV4_PREFIX: Format = Format {
    name: "IPv4 prefix such as 192.0.2.0/24",
    check: |text| is_prefix(text, 32, |address| address.parse::<Ipv4Addr>().is_ok()),
};
/// `IPv6Prefix`
pub const IPV6_PREFIX: Format = Format {
    name: "IPv6 prefix such as 2001:db8::/56",
    check: |text| is_prefix(text, 128, |address| address.parse::<Ipv6Addr>().is_ok()),
};
/// A subnet mask: ones, then zeros.
pub const NETMASK: Format = Format { name: "subnet mask", check: |text| prefix_of_mask(text).is_some() };
/// `MACAddress`
pub const MAC: Format = Format { name: "MAC address such as 00:11:22:AA:BB:CC", check: is_mac };
/// `URL`
pub const URL: Format = Format { name: "URL", check: |text| text.contains(':') && !text.contains(char::is_whitespace) };
/// The name of a host: letters, digits and hyphens between dots (RFC 1123 2.1)
pub const HOST_NAME: Format = Format { name: "host name", check: is_host_name };
/// The name or address of a host
pub const HOST: Format =
    Format { name: "host name or IP address", check: |text| is_host_name(text) || text.parse::<IpAddr>().is_ok() };
/// A whole name of a parameter
pub const PARAMETER_NAME: Format =
    Format { name: "full name of a parameter", check: |text| text.starts_with("Device.") && !text.ends_with('.') };

/// A UUID, in either case of its digits (RFC 9562 4).
pub const UUID: Format = Format { name: "UUID", check: is_uuid };
/// An IPv4 address or nothing.
pub const IPV4_ADDRESS: Type = STRING.lengths(&[(0, 15)]).format(IPV4);
/// An IPv6 address or nothing.
pub const IPV6_ADDRESS: Type = STRING.lengths(&[(0, 45)]).format(IPV6);
/// An IP address or nothing.
pub const IP_ADDRESS: Type = STRING.lengths(&[(0, 45)]).format(IP);
/// A MAC address or nothing.
pub const MAC_ADDRESS: Type = STRING.lengths(&[(0, 17)]).format(MAC);

/// Whether a text is six pairs of hexadecimal digits with colons between them.
#[must_use]
pub fn is_mac(text: &str) -> bool {
    text.len() == 17
        && text.bytes().enumerate().all(|(i, b)| if i % 3 == 2 { b == b':' } else { b.is_ascii_hexdigit() })
}

/// Whether a text is a UUID.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Whether a text can be the name of a host.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.len() <= 253 && text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

/// How many ones a subnet mask has; `None` for a text that is none.
#[must_use]
pub fn prefix_of_mask(text: &str) -> Option<u8> {
    let mask = u32::from(text.parse::<Ipv4Addr>().ok()?);
    let ones = mask.leading_ones();
    (mask.checked_shl(ones).unwrap_or(0) == 0).then(|| u8::try_from(ones).unwrap_or(32))
}

/// The subnet mask with so many ones.
#[must_use]
pub fn mask_of_prefix(prefix: u8) -> Ipv4Addr {
    let zeros = 32_u32.saturating_sub(u32::from(prefix));
    Ipv4Addr::from(u32::MAX.checked_shl(zeros).unwrap_or(0))
}

fn is_prefix(text: &str, most: u8, is_address: fn(&str) -> bool) -> bool {
    text.split_once('/')
        .is_some_and(|(address, length)| is_address(address) && length.parse::<u8>().is_ok_and(|length| length <= most))
}
