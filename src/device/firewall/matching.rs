//! What a rule of fw4 looks at, between the words of UCI and those of TR-181: protocols, ports, addresses.

use std::net::IpAddr;

/// Names of protocols that fw4 and people write, and their numbers (IANA).
const PROTOCOLS: [(&str, u8); 14] = [
    ("icmp", 1),
    ("igmp", 2),
    ("ipip", 4),
    ("tcp", 6),
    ("udp", 17),
    ("ipv6", 41),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("sctp", 132),
    ("udplite", 136),
];

/// The number of one protocol; `None` for any, and for what fw4 does not know.
pub(super) fn protocol_number(word: &str) -> Option<u8> {
    let known = PROTOCOLS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    known.map(|(_, number)| *number).or_else(|| word.parse().ok())
}

/// The word for a protocol: its number, but for those that OpenWrt's own rules call by name. nft refuses the whole set of rules for a name that the
/// router does not know.
pub(super) fn protocol_word(number: u8) -> String {
    match number {
        1 => String::from("icmp"),
        2 => String::from("igmp"),
        6 => String::from("tcp"),
        17 => String::from("udp"),
        50 => String::from("esp"),
        number => number.to_string(),
    }
}

/// Whether a word stands for all protocols.
pub(super) fn is_any_protocol(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "all" | "any" | "*")
}

/// A word behind its `!`, and whether there was one.
pub(super) fn without_not(text: &str) -> (&str, bool) {
    let text = text.trim();
    text.strip_prefix('!').map_or((text, false), |rest| (rest.trim(), true))
}

/// The first and last port of a range, 0 to 65535; -1 for none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ports {
    pub(super) first: i32,
    pub(super) last: i32,
    pub(super) exclude: bool,
}

impl Ports {
    pub(super) fn parse(text: Option<&str>) -> Self {
        let (text, exclude) = without_not(text.unwrap_or_default());
        let (first, last) = text.split_once(['-', ':']).unwrap_or((text, ""));
        let port = |text: &str| text.trim().parse::<u16>().map_or(-1, i32::from);
        Self { first: port(first), last: port(last), exclude }
    }

    pub(super) fn is_any(self) -> bool {
        self.first < 0
    }

    /// The word of UCI; `None` for any port.
    pub(super) fn word(self) -> Option<String> {
        if self.is_any() {
            return None;
        }
        let not = if self.exclude { "!" } else { "" };
        Some(if self.last > self.first {
            format!("{not}{}-{}", self.first, self.last)
        } else {
            format!("{not}{}", self.first)
        })
    }
}

/// An address, or the subnet that a mask makes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Address {
    /// Empty for any.
    pub(super) address: String,
    /// `/24`; empty for all bits.
    pub(super) mask: String,
    pub(super) exclude: bool,
}

impl Address {
    pub(super) fn parse(text: Option<&str>) -> Self {
        let (text, exclude) = without_not(text.unwrap_or_default());
        let (address, mask) = text.split_once('/').unwrap_or((text, ""));
        // Ranges and the names of interfaces are no addresses of TR-181; such a rule stays as it is.
        let Ok(ip) = address.parse::<IpAddr>() else {
            return Self { address: String::new(), mask: String::new(), exclude };
        };
        let bits = mask.parse::<u8>().ok().or_else(|| crate::model::format::prefix_of_mask(mask));
        let mask = bits.filter(|bits| *bits <= most(ip)).map_or_else(String::new, |bits| format!("/{bits}"));
        Self { address: String::from(address), mask, exclude }
    }

    /// Whether the mask fits the address.
    pub(super) fn is_valid(&self) -> bool {
        match self.address.parse::<IpAddr>() {
            Ok(ip) => match self.mask.strip_prefix('/') {
                Some(bits) => bits.parse::<u8>().is_ok_and(|bits| bits <= most(ip)),
                None => self.mask.is_empty(),
            },
            Err(_) => self.address.is_empty(),
        }
    }

    /// 4 or 6; `None` for any address.
    pub(super) fn version(&self) -> Option<u8> {
        self.address.parse::<IpAddr>().ok().map(|ip| if ip.is_ipv4() { 4 } else { 6 })
    }

    /// The word of UCI; `None` for any address.
    pub(super) fn word(&self) -> Option<String> {
        if self.address.is_empty() {
            return None;
        }
        Some(format!("{}{}{}", if self.exclude { "!" } else { "" }, self.address, self.mask))
    }
}

fn most(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// `family` as TR-181 counts it: 4, 6, or -1 for both.
pub(super) fn ip_version(family: Option<&str>) -> &'static str {
    match family {
        Some("ipv4" | "inet" | "4") => "4",
        Some("ipv6" | "6") => "6",
        _ => "-1",
    }
}

/// The word for `family`; `None` for a version that fw4 does not know.
pub(super) fn family(version: &str) -> Option<Option<&'static str>> {
    match version {
        "-1" => Some(None),
        "4" => Some(Some("ipv4")),
        "6" => Some(Some("ipv6")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_there_and_back() {
        for text in ["80", "1000-2000", "!22", "!5000-5010"] {
            assert_eq!(Ports::parse(Some(text)).word().as_deref(), Some(text));
        }
        assert!(Ports::parse(None).is_any() && Ports::parse(Some("web")).is_any());
        assert_eq!(Ports::parse(Some("80:81")).word().as_deref(), Some("80-81"));
        for text in ["192.0.2.1", "192.0.2.0/24", "!2001:db8::/32"] {
            assert_eq!(Address::parse(Some(text)).word().as_deref(), Some(text));
        }
        assert_eq!(Address::parse(Some("192.0.2.0/255.255.255.0")).mask, "/24");
        assert_eq!(Address::parse(Some("wan")).word(), None);
        assert!(!Address { mask: "/33".into(), ..Address::parse(Some("192.0.2.1")) }.is_valid());
        assert_eq!((protocol_number("TCP"), protocol_number("89"), protocol_number("all")), (Some(6), Some(89), None));
        assert_eq!((protocol_word(50), protocol_word(200)), ("esp".into(), "200".into()));
    }
}
