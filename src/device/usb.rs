//! `Device.USB.USBHosts.`: host controllers and what is plugged into them, from `/sys/bus/usb/devices`.

use std::rc::Rc;

use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, always, count, get, ro};
use crate::model::value::{BOOLEAN, HEX_BINARY, STRING, Type, UNSIGNED_INT};

const DIRECTORY: &str = "/sys/bus/usb/devices";

const NAME: Type = STRING.lengths(&[(0, 64)]);
/// `2.0`
const VERSION: Type = STRING.lengths(&[(0, 4)]);
/// One octet of a descriptor.
const OCTET: Type = HEX_BINARY.lengths(&[(0, 1)]);
/// Two octets of a descriptor.
const WORD: Type = UNSIGNED_INT.ranges(&[(i64::MIN, 65535)]);

/// `bmAttributes` of a configuration: the device has its own power (USB 2.0, 9.6.3).
const SELF_POWERED: u8 = 0x40;

/// TR-181 2.17 Device.USB.USBHosts.
pub static USB_HOSTS: Object =
    Object::single("Device.USB.USBHosts.", &[ro("HostNumberOfEntries", UNSIGNED_INT, count("Host"))]);

/// TR-181 2.17 Device.USB.USBHosts.Host.{i}.: the root hubs, known by names such as `usb1`.
pub static HOST: Object = Object::table(
    "Device.USB.USBHosts.Host.{i}.",
    Table::new(Rows::Keys(hosts)).keys(&[always(&["Name"])]),
    &[
        alias(),
        ro("Name", NAME, get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("Type", STRING.values(&["OHCI", "EHCI", "UHCI", "xHCI"]), get(controller)),
        ro("USBVersion", VERSION, get(version)),
        ro("DeviceNumberOfEntries", UNSIGNED_INT, count("Device")),
    ],
);

/// TR-181 2.17 Device.USB.USBHosts.Host.{i}.Device.{i}.; known by where they are plugged in, such as `1-1.4`.
pub static DEVICE: Object = Object::table(
    "Device.USB.USBHosts.Host.{i}.Device.{i}.",
    Table::new(Rows::Keys(devices)).keys(&[always(&["DeviceNumber"])]),
    &[
        ro("DeviceNumber", UNSIGNED_INT, get(|cx, row| decimal(cx, row, "devnum"))),
        ro("USBVersion", VERSION, get(version)),
        ro("DeviceClass", OCTET, get(|cx, row| octet(cx, row, "bDeviceClass"))),
        ro("DeviceSubClass", OCTET, get(|cx, row| octet(cx, row, "bDeviceSubClass"))),
        ro("DeviceVersion", WORD, get(|cx, row| word(cx, row, "bcdDevice"))),
        ro("DeviceProtocol", OCTET, get(|cx, row| octet(cx, row, "bDeviceProtocol"))),
        ro("ProductID", WORD, get(|cx, row| word(cx, row, "idProduct"))),
        ro("VendorID", WORD, get(|cx, row| word(cx, row, "idVendor"))),
        ro("Manufacturer", NAME, get(|cx, row| words(cx, row, "manufacturer"))),
        ro("ProductClass", NAME, get(|cx, row| words(cx, row, "product"))),
        ro("SerialNumber", NAME, get(|cx, row| words(cx, row, "serial"))),
        ro("Port", UNSIGNED_INT.ranges(&[(i64::MIN, 255)]), get(port)),
        ro("Rate", STRING.values(&["Low", "Full", "High", "Super"]), get(rate)),
        ro("MaxChildren", UNSIGNED_INT, get(|cx, row| decimal(cx, row, "maxchild"))),
        ro("IsSuspended", BOOLEAN, get(is_suspended)),
        ro("IsSelfPowered", BOOLEAN, get(is_self_powered)),
        ro("ConfigurationNumberOfEntries", UNSIGNED_INT, count("Configuration")),
    ],
);

/// TR-181 2.17 Device.USB.USBHosts.Host.{i}.Device.{i}.Configuration.{i}.: the one that is active; the kernel tells no other.
pub static CONFIGURATION: Object = Object::table(
    "Device.USB.USBHosts.Host.{i}.Device.{i}.Configuration.{i}.",
    Table::new(Rows::Numbered(configurations)).keys(&[always(&["ConfigurationNumber"])]),
    &[
        ro("ConfigurationNumber", UNSIGNED_INT, get(|_, row| Ok(Text::Owned(row.number().to_string())))),
        ro("InterfaceNumberOfEntries", UNSIGNED_INT, count("Interface")),
    ],
);

/// TR-181 2.17 Device.USB.USBHosts.Host.{i}.Device.{i}.Configuration.{i}.Interface.{i}.; known by names such as `1-1.4:1.0`.
pub static INTERFACE: Object = Object::table(
    "Device.USB.USBHosts.Host.{i}.Device.{i}.Configuration.{i}.Interface.{i}.",
    Table::new(Rows::Keys(interfaces)).keys(&[always(&["InterfaceNumber"])]),
    &[
        ro(
            "InterfaceNumber",
            UNSIGNED_INT.ranges(&[(i64::MIN, 255)]),
            get(|cx, row| hexadecimal(cx, row, "bInterfaceNumber")),
        ),
        ro("InterfaceClass", OCTET, get(|cx, row| octet(cx, row, "bInterfaceClass"))),
        ro("InterfaceSubClass", OCTET, get(|cx, row| octet(cx, row, "bInterfaceSubClass"))),
        ro("InterfaceProtocol", OCTET, get(|cx, row| octet(cx, row, "bInterfaceProtocol"))),
    ],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&USB_HOSTS, &HOST, &DEVICE, &CONFIGURATION, &INTERFACE];

fn hosts(cx: &mut Context, _: &Row) -> Result<Vec<String>> {
    let is_host = |name: &&String| name.strip_prefix("usb").is_some_and(|bus| bus.parse::<u16>().is_ok());
    Ok(cx.directory(DIRECTORY).iter().filter(is_host).cloned().collect())
}

/// What is plugged in on the bus of a host: `1-1.4` on `usb1`; a colon belongs to an interface.
fn devices(cx: &mut Context, host: &Row) -> Result<Vec<String>> {
    let host = cx.key(host)?;
    let bus = host.trim_start_matches("usb");
    let on_bus = |name: &&String| !name.contains(':') && name.split_once('-').is_some_and(|(of, _)| of == bus);
    Ok(cx.directory(DIRECTORY).iter().filter(on_bus).cloned().collect())
}

fn configurations(cx: &mut Context, device: &Row) -> Result<Vec<u32>> {
    Ok(attribute(cx, device, "bConfigurationValue")?.and_then(|text| text.parse().ok()).into_iter().collect())
}

fn interfaces(cx: &mut Context, configuration: &Row) -> Result<Vec<String>> {
    let Some(device) = configuration.parent().cloned() else { return Ok(Vec::new()) };
    let begin = format!("{}:{}.", cx.key(&device)?, configuration.number());
    Ok(cx.directory(DIRECTORY).iter().filter(|name| name.starts_with(&begin)).cloned().collect())
}

/// A file in the directory of a row.
fn attribute(cx: &mut Context, row: &Row, file: &str) -> Result<Option<Rc<str>>> {
    let key = cx.key(row)?;
    Ok(cx.file(&format!("{DIRECTORY}/{key}/{file}")).ok())
}

fn decimal(cx: &mut Context, row: &Row, file: &str) -> Result<Text> {
    let number = attribute(cx, row, file)?.and_then(|text| text.parse::<u32>().ok());
    Ok(Text::Owned(number.unwrap_or(0).to_string()))
}

/// A number that the kernel writes in hexadecimal digits.
fn hexadecimal(cx: &mut Context, row: &Row, file: &str) -> Result<Text> {
    let number = attribute(cx, row, file)?.and_then(|text| u8::from_str_radix(&text, 16).ok());
    Ok(Text::Owned(number.unwrap_or(0).to_string()))
}

fn word(cx: &mut Context, row: &Row, file: &str) -> Result<Text> {
    let number = attribute(cx, row, file)?.and_then(|text| u16::from_str_radix(&text, 16).ok());
    Ok(Text::Owned(number.unwrap_or(0).to_string()))
}

fn octet(cx: &mut Context, row: &Row, file: &str) -> Result<Text> {
    let number = attribute(cx, row, file)?.and_then(|text| u8::from_str_radix(&text, 16).ok());
    Ok(number.map_or(Text::Borrowed(""), |number| Text::Owned(format!("{number:02x}"))))
}

/// A text that the device has chosen itself.
fn words(cx: &mut Context, row: &Row, file: &str) -> Result<Text> {
    let text = attribute(cx, row, file)?.unwrap_or_else(|| "".into());
    Ok(Text::Owned(text.chars().filter(|c| !c.is_control()).take(64).collect()))
}

/// ` 2.00` is version 2.0.
fn version(cx: &mut Context, row: &Row) -> Result<Text> {
    let text = attribute(cx, row, "version")?.unwrap_or_else(|| "".into());
    let Some((major, minor)) = text.split_once('.') else { return Ok(Text::Borrowed("")) };
    let minor = minor.strip_suffix('0').unwrap_or(minor);
    let numbers = [major, minor].iter().all(|part| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit()));
    Ok(if numbers { Text::Owned(format!("{major}.{minor}")) } else { Text::Borrowed("") })
}

/// The kernel's name of a root hub, such as `xHCI Host Controller`.
fn controller(cx: &mut Context, row: &Row) -> Result<Text> {
    let product = attribute(cx, row, "product")?.unwrap_or_else(|| "".into()).to_ascii_lowercase();
    let kinds = [("xhci", "xHCI"), ("ehci", "EHCI"), ("ohci", "OHCI"), ("uhci", "UHCI")];
    Ok(Text::Borrowed(kinds.iter().find(|(word, _)| product.contains(word)).map_or("", |(_, kind)| kind)))
}

/// The last number of `1-1.4`.
fn port(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let port = key.rsplit(['-', '.']).next().and_then(|port| port.parse::<u8>().ok());
    Ok(Text::Owned(port.unwrap_or(0).to_string()))
}

/// Mbit/s of the kernel.
fn rate(cx: &mut Context, row: &Row) -> Result<Text> {
    let speed = attribute(cx, row, "speed")?.unwrap_or_else(|| "".into());
    Ok(Text::Borrowed(match &*speed {
        "1.5" => "Low",
        "12" => "Full",
        "480" => "High",
        speed if speed.parse::<u32>().is_ok_and(|speed| speed >= 5000) => "Super",
        _ => "",
    }))
}

fn is_suspended(cx: &mut Context, row: &Row) -> Result<Text> {
    let suspended = attribute(cx, row, "power/runtime_status")?.is_some_and(|status| &*status == "suspended");
    Ok(Text::Borrowed(if suspended { "true" } else { "false" }))
}

fn is_self_powered(cx: &mut Context, row: &Row) -> Result<Text> {
    let attributes = attribute(cx, row, "bmAttributes")?.and_then(|text| u8::from_str_radix(&text, 16).ok());
    let own = attributes.is_some_and(|attributes| attributes & SELF_POWERED != 0);
    Ok(Text::Borrowed(if own { "true" } else { "false" }))
}
