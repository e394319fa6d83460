//! The forms of the names, paths and programs that a vendor file holds. Each check gives the reason why a text is not of its form.

/// The longest path or name, in characters (CONFORMANCE J-11).
const LONGEST: usize = 256;

/// What lies directly below `Device.` in TR-181 2.17: anything else there is a vendor's and begins with `X_`.
const TOP: &[&str] = &[
    "ATM",
    "BASAPM",
    "Bridging",
    "BulkData",
    "CaptivePortal",
    "Cellular",
    "DHCPv4",
    "DHCPv6",
    "DLNA",
    "DNS",
    "DOCSIS",
    "DSL",
    "DSLite",
    "DeviceInfo",
    "DynamicDNS",
    "ETSIM2M",
    "Ethernet",
    "FAP",
    "FAST",
    "FWE",
    "FaultMgmt",
    "Firewall",
    "GRE",
    "GatewayInfo",
    "Ghn",
    "HPNA",
    "HomePlug",
    "Hosts",
    "IEEE1905",
    "IEEE8021x",
    "IP",
    "IPsec",
    "IPv6rd",
    "InterfaceStack",
    "L2TPv3",
    "LANConfigSecurity",
    "LEDs",
    "LLDP",
    "LMAP",
    "Logical",
    "MAP",
    "MQTT",
    "ManagementServer",
    "MoCA",
    "NAT",
    "NeighborDiscovery",
    "Optical",
    "PCP",
    "PDU",
    "PPP",
    "PTM",
    "PacketCaptureDiagnostics",
    "PeriodicStatistics",
    "QoS",
    "RouterAdvertisement",
    "Routing",
    "SSH",
    "STOMP",
    "Security",
    "SelfTestDiagnostics",
    "Services",
    "SmartCardReaders",
    "SoftwareModules",
    "Syslog",
    "Time",
    "UPA",
    "UPnP",
    "USB",
    "USPAgent",
    "USPServices",
    "UnixDomainSockets",
    "UserInterface",
    "Users",
    "VXLAN",
    "WWC",
    "WiFi",
    "XMPP",
    "XPON",
    "ZigBee",
];

/// Judges the path of an object (CONFORMANCE J-11).
pub(super) fn object_path(path: &str) -> Result<(), String> {
    let Some(rest) = path.strip_prefix("Device.") else {
        return Err(String::from("the path of an object begins with Device."));
    };
    if rest.is_empty() {
        return Ok(());
    }
    if !path.ends_with('.') {
        return Err(format!("the path of an object ends with a dot: {path}."));
    }
    if path.chars().count() > LONGEST {
        return Err(format!("the path is longer than {LONGEST} characters"));
    }
    let mut after_name = false;
    for (position, part) in rest.split_terminator('.').enumerate() {
        if part == "{i}" {
            if !after_name {
                return Err(String::from("{i} comes after the name of a table, once"));
            }
            after_name = false;
            continue;
        }
        after_name = true;
        if part.contains(['{', '}']) {
            return Err(format!("{part} is no part of a path: instance numbers are written {{i}}"));
        }
        name(part)?;
        if position == 0 && !part.starts_with("X_") && !TOP.contains(&part) {
            let near = near(part, TOP).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(format!("TR-181 has no Device.{part}. and a vendor's own begins with X_{near}"));
        }
    }
    Ok(())
}

/// Judges a name of an object or parameter (CONFORMANCE J-11).
pub(super) fn name(name: &str) -> Result<(), String> {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') || !name.chars().all(letters) {
        return Err(format!("{name:?} is no name: a letter, then letters, digits, _ and -"));
    }
    if let Some(rest) = name.strip_prefix("X_") {
        let good = rest.split_once('_').is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty());
        if !good {
            return Err(format!("{name} is not X_VENDOR_Name with an OUI or a domain, its dots as hyphens, as VENDOR"));
        }
    } else if name.starts_with("x_") {
        return Err(format!("{name}: a vendor's name begins with a capital X_"));
    }
    Ok(())
}

/// Judges the whole name of a parameter.
pub(super) fn full_name(object: &str, name: &str) -> Result<(), String> {
    match object.chars().count().saturating_add(name.chars().count()) > LONGEST {
        true => Err(format!("the whole name is longer than {LONGEST} characters")),
        false => Ok(()),
    }
}

/// What the placeholders of a text need.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Holds {
    /// `{key}`: a row.
    pub(super) key: bool,
    /// `{around}`: a row in the row of another table.
    pub(super) around: bool,
    /// `{uci:option}`: a row that is a UCI section.
    pub(super) option: bool,
}

/// Finds the placeholders of a text.
pub(super) fn placeholders(text: &str) -> Result<Holds, String> {
    let mut holds = Holds::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if before.contains('}') {
            return Err(format!("{text} has a }} without its {{"));
        }
        let (name, after) = after.split_once('}').ok_or_else(|| format!("{text} has a {{ without its }}"))?;
        match name.strip_prefix("uci:") {
            Some(option) if is_word(option) => holds.option = true,
            None if name == "key" => holds.key = true,
            None if name == "around" => holds.around = true,
            _ => return Err(format!("{{{name}}} is none of {{key}}, {{around}} and {{uci:option}}")),
        }
        rest = after;
    }
    if rest.contains('}') {
        return Err(format!("{text} has a }} without its {{"));
    }
    Ok(holds)
}

/// Judges the path of a file or directory; it may hold placeholders.
pub(super) fn file_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err(format!("{path:?} is no absolute path"));
    }
    if path.split('/').any(|part| part == "..") {
        return Err(format!("{path} has a .. in it"));
    }
    if path.chars().any(char::is_control) || path.len() > 4095 {
        return Err(String::from("the path has a control character or is too long"));
    }
    Ok(())
}

/// Judges a program with its arguments.
pub(super) fn program(argv: &[&str]) -> Result<(), String> {
    const SHELLS: [&str; 6] = ["sh", "ash", "bash", "dash", "busybox", "env"];
    let Some(program) = argv.first() else { return Err(String::from("the program is missing")) };
    if !program.starts_with('/') {
        return Err(format!("{program:?} is no absolute path of a program"));
    }
    file_path(program)?;
    if program.contains(['{', '}']) {
        return Err(String::from("the program itself can hold no placeholder"));
    }
    if program.contains(char::is_whitespace) {
        return Err(format!("{program:?} has blanks: each argument is a text of its own in the list"));
    }
    let is_shell = argv.iter().take(2).any(|part| part.rsplit('/').next().is_some_and(|last| SHELLS.contains(&last)));
    let is_command = |part: &&str| part.starts_with('-') && !part.starts_with("--") && part.ends_with('c');
    if is_shell && argv.iter().skip(1).any(is_command) {
        return Err(String::from("commands for a shell are not run: write them into a file and name that"));
    }
    if argv.iter().any(|part| part.contains('\0')) {
        return Err(String::from("an argument has a character that no program can get"));
    }
    Ok(())
}

/// Judges `package.@type`, where the rows of a table come from.
pub(super) fn sections(text: &str) -> Result<(&str, &str), String> {
    let found = text.split_once(".@").filter(|(package, kind)| is_package(package) && is_package(kind));
    found.ok_or_else(|| format!("{text:?} is not package.@type, such as system.@led"))
}

/// Judges an option: of the row's section (`false`), or `package.section.option` (`true`).
pub(super) fn option(text: &str) -> Result<bool, String> {
    if is_word(text) {
        return Ok(false);
    }
    let mut parts = text.split('.');
    if let (Some(package), Some(section), Some(option), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    {
        if is_package(package) && is_selector(section) && is_word(option) {
            return Ok(true);
        }
    }
    Err(format!("{text:?} is neither an option nor package.section.option"))
}

fn is_selector(section: &str) -> bool {
    match (section.strip_prefix('@'), section.split_once('=')) {
        (Some(unnamed), _) => unnamed
            .strip_suffix(']')
            .and_then(|unnamed| unnamed.split_once('['))
            .is_some_and(|(kind, index)| is_package(kind) && index.len() < 9 && index.parse::<i32>().is_ok()),
        (None, Some((name, kind))) => is_word(name) && is_package(kind),
        (None, None) => is_word(section),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_package(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Whether a text is the name of an option in UCI.
pub(super) fn is_option(text: &str) -> bool {
    is_word(text)
}

/// The known word that somebody may have meant.
pub(super) fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.get(..word.len().min(64))?.to_ascii_lowercase();
    let (distance, near) = known.iter().map(|near| (distance(&word, &near.to_ascii_lowercase()), *near)).min()?;
    (distance <= 2 && distance < near.len()).then_some(near)
}

/// How many letters have to be put in, left out or replaced.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut corner = i;
        let mut left = i.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (place, b) in row.iter_mut().skip(1).zip(other.bytes()) {
            let replaced = corner.saturating_add(usize::from(a != b));
            corner = *place;
            left = replaced.min(corner.saturating_add(1)).min(left.saturating_add(1));
            *place = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!((distance("", "abc"), distance("kitten", "sitting"), distance("same", "same")), (3, 3, 0));
        assert_eq!(near("acess", &["type", "access"]), Some("access"));
        assert_eq!(near("Type", &["type", "access"]), Some("type"));
        assert_eq!(near("colour", &["type", "access"]), None);
    }

    #[test]
    fn j11_names_of_objects() {
        for good in [
            "Device.",
            "Device.X_EXAMPLE_Led.{i}.",
            "Device.WiFi.SSID.{i}.X_00256D_Extra.",
            "Device.X_EXAMPLE-COM_A.B.",
        ] {
            assert_eq!(object_path(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "device.X_A_B.",
            "Device.X_A_B",
            "Device.X_AB.",
            "Device.X__B.",
            "Device.X_A_.",
            "Device.{i}.",
            "Device.X_A_B.{i}.{i}.",
            "Device..",
            "Device.X_A_B..",
            "Device.X_A_B.{x}.",
            "Device.X_A_B.1.",
            "Device.X_A_B C.",
            "Device.DeviceInof.",
            "Device.x_A_B.",
            "InternetGatewayDevice.",
        ] {
            assert!(object_path(bad).is_err(), "{bad}");
        }
        assert!(object_path("Device.DeviceInof.").unwrap_err().contains("did you mean DeviceInfo?"));
    }

    #[test]
    fn options_are_relative_or_absolute() {
        assert_eq!(option("name"), Ok(false));
        for good in
            ["system.ntp.enabled", "system.@system[0].hostname", "system.@system[-1].hostname", "a-b.main=type.x"]
        {
            assert_eq!(option(good), Ok(true), "{good}");
        }
        for bad in ["", "a.b", "a.b.c.d", "a.@t.c", "a.@t[x].c", "a b", "a.b.{key}", "-x"] {
            assert!(option(bad).is_err(), "{bad}");
        }
    }
}
