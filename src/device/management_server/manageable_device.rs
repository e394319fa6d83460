//! `Device.ManagementServer.ManageableDevice.{i}.`: devices on the LAN that an ACS manages by themselves (TR-069a6 Annex F; CONFORMANCE Z-01).
//!
//! Such a device says who it is in DHCPv4 option 125. dnsmasq hands that to the agent's script (`files/usr/lib/cwmpd/lan-device`), which keeps it in
//! a file for each address. A device is there as long as its lease is. odhcpd, where it serves DHCPv4, and DHCPv6 do not tell.

use std::rc::Rc;

use crate::device::dhcpv4::leases;
use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Notification, Object, Rows, Table, Text, count, functional, get, own, ro, rw};
use crate::model::value::{Format, STRING, Type, UNSIGNED_INT};
use crate::platform::identity::is_oui;
use crate::sorted::Map;

/// Where dnsmasq may write, and how the names of the files begin; they end in the address.
const DIRECTORY: &str = "/var/run/dnsmasq";
const FILE: &str = "cwmpd-device.";

/// How many devices are shown: as many as dnsmasq has leases.
const MOST: usize = 1024;

const OUI: Format = Format { name: "six hexadecimal digits in capitals", check: is_capital_oui };
const TEXT: Type = STRING.lengths(&[(0, 64)]);

/// TR-181 2.17 Device.ManagementServer., what the table below adds to it.
pub static LIMIT: Object = Object::single(
    "Device.ManagementServer.",
    &[
        ro("ManageableDeviceNumberOfEntries", UNSIGNED_INT, count("ManageableDevice")),
        rw("ManageableDeviceNotificationLimit", UNSIGNED_INT, own("0")),
    ],
);

/// TR-181 2.17 Device.ManagementServer.ManageableDevice.{i}.
pub static MANAGEABLE_DEVICE: Object = Object::table(
    "Device.ManagementServer.ManageableDevice.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(devices(cx)?.0.keys().to_vec())))
        .keys(&[functional(&["ManufacturerOUI", "SerialNumber", "ProductClass"])])
        .at_most(MOST),
    &[
        ro("ManufacturerOUI", STRING.lengths(&[(6, 6)]).format(OUI), get(|cx, row| field(cx, row, 0)))
            .notification(Notification::CanDeny),
        ro("SerialNumber", TEXT, get(|cx, row| field(cx, row, 1))).notification(Notification::CanDeny),
        ro("ProductClass", TEXT, get(|cx, row| field(cx, row, 2))).notification(Notification::CanDeny),
        ro("Host", STRING.strong(&["Device.Hosts.Host."]).list_within((0, u32::MAX), 1024), get(hosts)),
    ],
);

/// Stands between OUI, serial number and product class in the key of a device, and in none of them.
const BETWEEN: char = '\t';

/// The MAC addresses of each device, by its key.
struct Devices(Map<String, Vec<String>>);

fn devices(cx: &mut Context) -> Result<Rc<Devices>> {
    cx.memo("manageable devices", |cx| {
        let mut devices = Map::<String, Vec<String>>::new();
        let files = cx.directory(DIRECTORY);
        let files: Vec<&String> = files.iter().filter(|name| name.starts_with(FILE)).take(MOST).collect();
        if files.is_empty() {
            return Ok(Devices(devices));
        }
        let leases = leases(cx)?;
        for name in files {
            let Ok(text) = cx.file(&format!("{DIRECTORY}/{name}")) else { continue };
            let Some((mac, key)) = parse(&text) else { continue };
            let address = name.strip_prefix(FILE).and_then(|address| address.parse().ok());
            if leases.iter().any(|lease| lease.mac == mac && Some(lease.address) == address) {
                devices.get_or_default(key).push(mac);
            }
        }
        Ok(Devices(devices))
    })
}

/// The MAC address, and who the device is.
fn parse(text: &str) -> Option<(String, String)> {
    let value =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    let (oui, serial, class) = (value("oui").to_ascii_uppercase(), value("serial"), value("class"));
    let short = |text: &str| text.chars().count() <= 64 && !text.contains(char::is_control);
    let good = is_oui(&oui) && !serial.is_empty() && short(serial) && short(class);
    let key = format!("{oui}{BETWEEN}{serial}{BETWEEN}{class}");
    good.then(|| (value("mac").to_ascii_lowercase(), key))
}

fn field(cx: &mut Context, row: &Row, index: usize) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(Text::Owned(key.splitn(3, BETWEEN).nth(index).unwrap_or_default().into()))
}

fn hosts(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let devices = devices(cx)?;
    let macs = devices.0.get(&key).map(Vec::as_slice).unwrap_or_default();
    let paths: Vec<String> = macs.iter().filter_map(|mac| cx.path_of_key("Device.Hosts.Host.", mac)).collect();
    Ok(Text::Owned(paths.join(",")))
}

fn is_capital_oui(text: &str) -> bool {
    is_oui(text) && !text.bytes().any(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn z01_a_device_is_known_by_oui_serial_number_and_product_class() {
        let text = |oui: &str, serial: &str, class: &str| {
            parse(&format!("mac=02:00:5E:00:53:10\noui={oui}\nserial={serial}\nclass={class}\n"))
        };
        let key = |key: &str| Some((String::from("02:00:5e:00:53:10"), String::from(key)));
        assert_eq!(text("00005e", "A1", "Phone"), key("00005E\tA1\tPhone"));
        assert_eq!(text("00005E", "A/1", "a/b"), key("00005E\tA/1\ta/b"));
        assert_eq!(text("00005E", "A1", ""), key("00005E\tA1\t"));
        for (oui, serial, class) in
            [("", "A1", ""), ("00005G", "A1", ""), ("00005E", "", "x"), ("00005E", "\t", ""), ("00005E", "a\tb", "")]
        {
            assert_eq!(text(oui, serial, class), None, "{oui} {serial:?} {class}");
        }
        assert_eq!(text("00005E", &"x".repeat(65), ""), None);
        assert_eq!(parse(""), None);
    }
}
