//! What the kernel tells of the hardware: USB, LEDs, temperatures; and what DeviceInfo says of the software.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use model::Router;

const USB: &str = "/sys/bus/usb/devices";

fn write_all(router: &Router, directory: &str, files: &[(&str, &str)]) {
    for (file, text) in files {
        router.root.write(&format!("{directory}/{file}"), format!("{text}\n"));
    }
}

/// A root hub, a hub in it, and a modem in the hub with two interfaces.
fn with_usb() -> Router {
    let router = Router::new();
    write_all(&router, &format!("{USB}/usb1"), &[("product", "xHCI Host Controller"), ("version", " 2.00")]);
    write_all(
        &router,
        &format!("{USB}/1-1"),
        &[("devnum", "2"), ("version", " 2.00"), ("bDeviceClass", "09"), ("maxchild", "4"), ("speed", "480")],
    );
    write_all(
        &router,
        &format!("{USB}/1-1.4"),
        &[
            ("devnum", "7"),
            ("version", " 2.10"),
            ("bDeviceClass", "ef"),
            ("bcdDevice", "0318"),
            ("idVendor", "2c7c"),
            ("idProduct", "0125"),
            ("manufacturer", "Example"),
            ("product", "LTE\u{7} Modem"),
            ("speed", "480"),
            ("bmAttributes", "e0"),
            ("bConfigurationValue", "1"),
            ("power/runtime_status", "active"),
        ],
    );
    for (number, class) in [(0, "ff"), (4, "02")] {
        let interface = format!("{USB}/1-1.4:1.{number}");
        write_all(&router, &interface, &[("bInterfaceNumber", &format!("{number:02x}")), ("bInterfaceClass", class)]);
    }
    router
}

#[test]
fn usb_devices_hang_on_their_host() {
    let router = with_usb();
    let hosts = "Device.USB.USBHosts.";
    assert_eq!(router.get(&format!("{hosts}HostNumberOfEntries")), "1");
    let host = format!("{hosts}Host.1.");
    let get = |name: &str| router.get(&format!("{host}{name}"));
    assert_eq!((get("Name"), get("Type"), get("USBVersion")), ("usb1".into(), "xHCI".into(), "2.0".into()));
    assert_eq!(get("DeviceNumberOfEntries"), "2");
    let modem = [
        ("DeviceNumber", "7"),
        ("USBVersion", "2.1"),
        ("DeviceClass", "ef"),
        ("DeviceVersion", "792"),
        ("VendorID", "11388"),
        ("ProductID", "293"),
        ("Manufacturer", "Example"),
        ("ProductClass", "LTE Modem"),
        ("SerialNumber", ""),
        ("Port", "4"),
        ("Rate", "High"),
        ("IsSuspended", "false"),
        ("IsSelfPowered", "true"),
        ("ConfigurationNumberOfEntries", "1"),
        ("Configuration.1.InterfaceNumberOfEntries", "2"),
        ("Configuration.1.Interface.2.InterfaceNumber", "4"),
        ("Configuration.1.Interface.2.InterfaceClass", "02"),
    ];
    for (name, value) in modem {
        assert_eq!(get(&format!("Device.2.{name}")), value, "{name}");
    }
    // What is pulled out and plugged in again where it was is known again.
    router.root.remove(&format!("{USB}/1-1"));
    assert!(!router.has(&format!("{host}Device.1.Port")) && router.has(&format!("{host}Device.2.Port")));
    write_all(&router, &format!("{USB}/1-1"), &[("devnum", "9")]);
    assert_eq!(get("Device.1.DeviceNumber"), "9");
}

#[test]
fn rubbish_of_a_usb_device_is_left_out() {
    let router = with_usb();
    write_all(
        &router,
        &format!("{USB}/1-1.4"),
        &[("devnum", "-1"), ("version", "what"), ("bDeviceClass", "123"), ("idVendor", "xyz"), ("speed", "")],
    );
    for (name, value) in
        [("DeviceNumber", "0"), ("USBVersion", ""), ("DeviceClass", ""), ("VendorID", "0"), ("Rate", "")]
    {
        assert_eq!(router.get(&format!("Device.USB.USBHosts.Host.1.Device.2.{name}")), value, "{name}");
    }
}

#[test]
fn leds_say_what_they_are_used_for() {
    let router = Router::new();
    let leds = "/sys/class/leds";
    if router.root.at(leds).exists() {
        router.root.remove(leds);
    }
    write_all(&router, &format!("{leds}/green:power"), &[("brightness", "255"), ("trigger", "[none] timer netdev")]);
    write_all(&router, &format!("{leds}/green:wan"), &[("brightness", "0"), ("trigger", "none timer [netdev]")]);
    write_all(&router, &format!("{leds}/red:fail"), &[("brightness", "0"), ("trigger", "[none] timer")]);
    write_all(&router, &format!("{leds}/torn"), &[("trigger", "")]);
    let row = |row: u32| ["Name", "Status", "Reason"].map(|name| router.get(&format!("Device.LEDs.LED.{row}.{name}")));
    assert_eq!(router.get("Device.LEDs.LEDNumberOfEntries"), "4");
    assert_eq!(row(1), ["green:power", "InUse", ""]);
    assert_eq!(row(2), ["green:wan", "InUse", "netdev"]);
    assert_eq!(row(3), ["red:fail", "Disabled", ""]);
    assert_eq!(row(4), ["torn", "Error", ""]);
}

#[test]
fn temperatures_in_degrees() {
    let router = Router::new();
    for directory in ["/sys/class/thermal", "/sys/class/hwmon"] {
        if router.root.at(directory).exists() {
            router.root.remove(directory);
        }
    }
    write_all(&router, "/sys/class/thermal/thermal_zone0", &[("type", "cpu-thermal"), ("temp", "48750")]);
    write_all(&router, "/sys/class/hwmon/hwmon0", &[("name", "mt7915_phy0"), ("temp1_input", "-1500")]);
    write_all(&router, "/sys/class/hwmon/hwmon1", &[("name", "broken"), ("temp1_input", "hot")]);
    let table = "Device.DeviceInfo.TemperatureStatus.TemperatureSensor.";
    let row = |row: u32| ["Name", "Status", "Value"].map(|name| router.get(&format!("{table}{row}.{name}")));
    assert_eq!(row(1), ["cpu-thermal thermal_zone0/temp", "Enabled", "48"]);
    assert_eq!(row(2), ["mt7915_phy0 hwmon0/temp1_input", "Enabled", "-2"]);
    assert_eq!(row(3), ["broken hwmon1/temp1_input", "Error", "-274"]);
    assert_ne!(router.get(&format!("{table}1.LastUpdate")), "0001-01-01T00:00:00Z");
    router.set(&[(&format!("{table}1.Enable"), "false")]).unwrap();
    assert_eq!(row(1), ["cpu-thermal thermal_zone0/temp", "Disabled", "-274"]);
    assert_eq!(router.get(&format!("{table}1.LastUpdate")), "0001-01-01T00:00:00Z");
}

#[test]
fn tcp_as_the_kernel_does_it() {
    let router = Router::new();
    let directory = "/proc/sys/net/ipv4";
    let get = |name: &str| router.get(&format!("Device.DeviceInfo.NetworkProperties.{name}"));
    write_all(&router, directory, &[("tcp_rmem", "4096\t131072\t6291456"), ("tcp_congestion_control", "reno")]);
    assert_eq!((get("MaxTCPWindowSize"), get("TCPImplementation")), ("6291456".into(), "New Reno".into()));
    write_all(&router, directory, &[("tcp_rmem", ""), ("tcp_congestion_control", "cubic")]);
    assert_eq!((get("MaxTCPWindowSize"), get("TCPImplementation")), ("0".into(), String::new()));
}
