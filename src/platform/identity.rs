//! Who the device is: what DeviceInfo and the DeviceId of an Inform say (CONFORMANCE I-01).

use serde_json::Value;

use super::System;

/// The most that is read of any of these files, in bytes.
const LIMIT: usize = 1 << 18;

/// What is said of the device, each field within the length of its parameter and without control characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Manufacturer, up to 64 characters.
    pub manufacturer: String,
    /// ManufacturerOUI, six upper-case hexadecimal digits.
    pub manufacturer_oui: String,
    /// ProductClass, up to 64 characters; may be empty.
    pub product_class: String,
    /// SerialNumber, up to 64 characters.
    pub serial_number: String,
    /// HardwareVersion, up to 64 characters.
    pub hardware_version: String,
    /// SoftwareVersion, up to 64 characters.
    pub software_version: String,
    /// ModelName, up to 64 characters.
    pub model_name: String,
    /// ModelNumber, up to 64 characters.
    pub model_number: String,
    /// Description, up to 256 characters.
    pub description: String,
}

/// What the configuration says instead (`config device`); empty for what is to be found on the system.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overrides {
    /// Manufacturer
    pub manufacturer: String,
    /// ManufacturerOUI: six hexadecimal digits
    pub manufacturer_oui: String,
    /// ProductClass
    pub product_class: String,
    /// SerialNumber
    pub serial_number: String,
    /// HardwareVersion
    pub hardware_version: String,
    /// SoftwareVersion
    pub software_version: String,
    /// ModelName
    pub model_name: String,
    /// Description
    pub description: String,
}

impl Identity {
    /// Finds whatever the configuration does not say. Starts no program.
    pub fn discover(system: &dyn System, overrides: &Overrides) -> Self {
        let release = Shell::read(system, "/etc/openwrt_release");
        let os = Shell::read(system, "/etc/os-release");
        let info = Shell::read(system, "/etc/device_info");
        let board = Board::read(system);
        let mac = base_mac(system, &board);
        let text = |longest: usize, sources: &[&str]| {
            sources.iter().map(|text| clean(text, longest)).find(|text| !text.is_empty())
        };
        let or = |set: &str, sources: &[&str]| text(64, &[set]).or_else(|| text(64, sources)).unwrap_or_default();

        let model_number = or(
            "",
            &[&board.id, &line(system, "/tmp/sysinfo/board_name"), &line(system, "/proc/device-tree/compatible")],
        );
        let version = version(release.get("DISTRIB_RELEASE"), release.get("DISTRIB_REVISION"))
            .or_else(|| version(os.get("VERSION_ID"), os.get("BUILD_ID")))
            .unwrap_or_default();
        let oui = Some(overrides.manufacturer_oui.to_ascii_uppercase()).filter(|oui| is_oui(oui));
        Self {
            manufacturer: or(
                &overrides.manufacturer,
                &[info.get("DEVICE_MANUFACTURER"), os.get("OPENWRT_DEVICE_MANUFACTURER"), "OpenWrt"],
            ),
            manufacturer_oui: oui.unwrap_or_else(|| mac.get(..6).unwrap_or("000000").to_owned()),
            product_class: or(&overrides.product_class, &[&model_number]),
            serial_number: or(&overrides.serial_number, &[&line(system, "/proc/device-tree/serial-number"), &mac]),
            hardware_version: or(
                &overrides.hardware_version,
                &[info.get("DEVICE_REVISION"), os.get("OPENWRT_DEVICE_REVISION"), "1.0"],
            ),
            software_version: or(&overrides.software_version, &[&version, "0"]),
            model_name: or(
                &overrides.model_name,
                &[
                    &board.name,
                    &line(system, "/tmp/sysinfo/model"),
                    &line(system, "/proc/device-tree/model"),
                    &model_number,
                ],
            ),
            description: text(
                256,
                &[&overrides.description, release.get("DISTRIB_DESCRIPTION"), os.get("PRETTY_NAME"), &board.name],
            )
            .unwrap_or_default(),
            model_number,
        }
    }

    /// `OUI-ProductClass-SerialNumber`, or `OUI-SerialNumber` without a product class, each part percent-encoded (TR-069a6 3.4.4).
    #[must_use]
    pub fn unique_name(&self) -> String {
        let parts = [&self.manufacturer_oui, &self.product_class, &self.serial_number];
        let parts: Vec<String> =
            parts.into_iter().filter(|part| !part.is_empty()).map(|part| percent_encoded(part)).collect();
        parts.join("-")
    }
}

/// Whether a text is six hexadecimal digits.
#[must_use]
pub fn is_oui(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn percent_encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value & 15)).map_or('0', |&digit| char::from(digit));
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte)]);
        }
    }
    encoded
}

/// What may stand in a parameter: no control characters, no spaces around it, up to so many characters.
fn clean(text: &str, longest: usize) -> String {
    let text: String = text.chars().filter(|character| !character.is_control()).collect();
    text.trim().chars().take(longest).collect::<String>().trim_end().to_owned()
}

fn version(release: &str, revision: &str) -> Option<String> {
    match (release, revision) {
        ("", _) => None,
        (release, "") => Some(release.to_owned()),
        (release, revision) => Some(format!("{release}-{revision}")),
    }
}

/// The first line, or the first text up to a NUL, as the device tree has them; empty where there is no such file.
fn line(system: &dyn System, path: &str) -> String {
    let content = system.read_file(path, LIMIT).unwrap_or_default();
    let first = content.split(|&byte| byte == 0 || byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(first).trim().to_owned()
}

/// A file of `NAME='value'` lines (os-release(5)).
struct Shell(Vec<(String, String)>);

impl Shell {
    fn read(system: &dyn System, path: &str) -> Self {
        let content = system.read_file(path, LIMIT).unwrap_or_default();
        let text = String::from_utf8_lossy(&content);
        Self(
            text.lines()
                .filter_map(|line| line.split_once('='))
                .map(|(name, value)| (name.trim().to_owned(), unquoted(value)))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Takes quotes off a value. Nothing in it is expanded.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inside = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    if let Some(plain) = inside('\'') {
        return plain.to_owned();
    }
    let mut plain = String::new();
    let mut escaped = false;
    for character in inside('"').unwrap_or(value).chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(character);
            escaped = false;
        }
    }
    plain
}

/// What `/etc/board.json` knows.
#[derive(Default)]
struct Board {
    id: String,
    name: String,
    macs: Vec<String>,
}

impl Board {
    fn read(system: &dyn System) -> Self {
        let content = system.read_file("/etc/board.json", LIMIT).unwrap_or_default();
        let Ok(json) = crate::json::value(&content) else { return Self::default() };
        let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let macs = ["/system/label_macaddr", "/network/lan/macaddr", "/network/wan/macaddr"];
        Self {
            id: text("/model/id"),
            name: text("/model/name"),
            macs: macs.iter().map(|pointer| text(pointer)).collect(),
        }
    }
}

/// The MAC address that names the device, as twelve upper-case digits; empty where there is none. Comes from the board's own
/// description before the kernel, since an address in the kernel may have been set by the user.
fn base_mac(system: &dyn System, board: &Board) -> String {
    let on_board = board.macs.iter().find_map(|mac| digits(mac));
    on_board.or_else(|| first_ethernet(system)).or_else(|| lowest_radio(system)).unwrap_or_default()
}

/// For a device that has nothing but Wi-Fi: the lowest address of its radios, whatever the order in which the kernel finds them. It is that of the
/// hardware; its networks may have others.
fn lowest_radio(system: &dyn System) -> Option<String> {
    let names = system.list_dir("/sys/class/ieee80211").unwrap_or_default();
    names.iter().filter_map(|name| digits(&line(system, &format!("/sys/class/ieee80211/{name}/macaddress")))).min()
}

/// The address of the first device with hardware of its own that is Ethernet and not Wi-Fi, the best of them by where it comes from
/// (`addr_assign_type`: 0 permanent, 1 random, 2 stolen, 3 set).
fn first_ethernet(system: &dyn System) -> Option<String> {
    let mut best: Option<((bool, u32, u32), String)> = None;
    for name in system.list_dir("/sys/class/net").unwrap_or_default() {
        let file = |file: &str| format!("/sys/class/net/{name}/{file}");
        let exists = |path: &str| system.file_info(path).is_ok();
        if line(system, &file("type")) != "1" || exists(&file("phy80211")) || exists(&file("bridge")) {
            continue;
        }
        let Some(mac) = digits(&line(system, &file("address"))) else { continue };
        let number = |name: &str| line(system, &file(name)).parse().unwrap_or(u32::MAX);
        let rank = (!exists(&file("device")), number("addr_assign_type"), number("ifindex"));
        if best.as_ref().is_none_or(|(known, _)| rank < *known) {
            best = Some((rank, mac));
        }
    }
    best.map(|(_, mac)| mac)
}

/// The twelve digits of a MAC address in upper case, unless it is empty, broadcast or no address.
fn digits(mac: &str) -> Option<String> {
    let parts: Vec<&str> = mac.trim().split(':').collect();
    let plain = parts.len() == 6
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let mac = parts.concat().to_ascii_uppercase();
    (plain && mac != "000000000000" && mac != "FFFFFFFFFFFF").then_some(mac)
}
