//! Six routers as they stand in homes: each is the sample router with other hardware, other configuration, and daemons that answer
//! accordingly.
//!
//! `/etc` of each lies in `routers/NAME/`; the kernel's files and the answers over ubus are made here, from what [`Sample`] says.

#![allow(dead_code, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use super::netifd::{self, Radio};
use super::{Device, Phy, RouterRoot, copy_tree};

#[path = "samples.rs"]
mod samples;

/// A router of a kind.
pub struct Sample {
    pub name: &'static str,
    pub devices: &'static [Device],
    pub phys: &'static [Phy],
    /// `/tmp/sysinfo/model` and the like.
    pub model: &'static str,
    /// OpenWrt 23.05, where it is not 24.10.
    pub old: bool,
    pub interfaces: fn() -> Vec<Json>,
    pub radios: &'static [Radio],
    pub hosts: &'static [Host],
    /// `dhcp ipv6leases`, by device.
    pub leases6: fn() -> Json,
    /// What else there is.
    pub more: fn(&RouterRoot),
}

/// A device in the home, as the neighbour table and dnsmasq's leases know it.
pub struct Host {
    pub mac: &'static str,
    pub address: &'static str,
    pub device: &'static str,
    /// The name and the seconds left of a lease, 0 for ever; `None` where it has none.
    pub lease: Option<(&'static str, u64)>,
}

/// The names of all samples.
pub fn names() -> Vec<&'static str> {
    samples::ALL.iter().map(|sample| sample.name).collect()
}

impl RouterRoot {
    /// A router of a kind: `single-radio-dsa`, `two-radio-pppoe`, `swconfig-vlan`, `pd-guest`, `lte`, `access-point`.
    pub fn sample(name: &str) -> Self {
        let sample = samples::ALL.iter().find(|sample| sample.name == name);
        let sample = sample.unwrap_or_else(|| panic!("no sample router {name}, but {:?}", names()));
        let root = Self::with(sample.devices, sample.phys);
        let overlay = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/routers").join(name);
        copy_tree(&overlay, root.path());
        let interfaces = (sample.interfaces)();
        root.make("/sys/firmware/devicetree/base/model", format!("{}\0", sample.model));
        fs::remove_file(root.at("/etc/device_info")).unwrap();
        root.forget_replies();
        root.make_netifd(sample, &interfaces);
        root.make_wireless(sample.radios);
        root.make_kernel_tables(&interfaces, sample);
        root.make_lease_files(sample);
        (sample.more)(&root);
        root
    }

    /// Of the answers of the base only those stay that say nothing of its hardware.
    fn forget_replies(&self) {
        for entry in fs::read_dir(self.at("/ubus")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let stays = ["log.", "service.", "system.info.", "network.reload.", "network.restart."];
            if !stays.iter().any(|prefix| name.starts_with(prefix)) {
                fs::remove_file(&path).unwrap();
            }
        }
    }

    fn make_reply(&self, object: &str, method: &str, device: Option<&str>, reply: &Json) {
        let device = device.map_or_else(String::new, |device| format!(".{device}"));
        self.make(&format!("/ubus/{object}.{method}{device}.json"), reply.to_string());
    }

    fn make_netifd(&self, sample: &Sample, interfaces: &[Json]) {
        self.make_reply("network.interface", "dump", None, &json!({ "interface": interfaces }));
        for interface in interfaces {
            let object = format!("network.interface.{}", interface["interface"].as_str().unwrap());
            let mut status = interface.clone();
            status.as_object_mut().unwrap().remove("interface");
            self.make_reply(&object, "status", None, &status);
            for method in ["up", "down", "renew"] {
                self.make(&format!("/ubus/{object}.{method}.json"), "");
            }
        }
        let mut all = json!({});
        for device in sample.devices {
            let status = netifd::device(device, sample.devices, sample.old);
            self.make_reply("network.device", "status", Some(device.name), &status);
            all[device.name] = status;
        }
        self.make_reply("network.device", "status", None, &all);
        let (kernel, version) = if sample.old { ("5.15.167", "23.05.5") } else { ("6.6.93", "24.10.2") };
        let board = json!({
            "kernel": kernel, "hostname": "OpenWrt", "system": "Example SoC", "model": sample.model,
            "board_name": "example,board", "rootfs_type": "squashfs",
            "release": {"distribution": "OpenWrt", "version": version, "description": format!("OpenWrt {version}")},
        });
        self.make_reply("system", "board", None, &board);
        self.make_reply("dhcp", "ipv4leases", None, &json!({"device": {}}));
        self.make_reply("dhcp", "ipv6leases", None, &json!({ "device": (sample.leases6)() }));
    }

    fn make_wireless(&self, radios: &[Radio]) {
        self.make_reply("network.wireless", "status", None, &netifd::wireless(radios));
        let mut devices = Vec::new();
        for radio in radios {
            for name in [radio.section, radio.phy] {
                self.make_reply("iwinfo", "info", Some(name), &netifd::iwinfo_info(radio, radio.networks.first()));
                self.make_reply("iwinfo", "freqlist", Some(name), &netifd::iwinfo_freqlist(radio));
                self.make_reply("iwinfo", "txpowerlist", Some(name), &netifd::iwinfo_txpowerlist(radio));
            }
            for network in radio.networks {
                let Some((device, _)) = network.device else { continue };
                devices.push(device);
                self.make_reply("iwinfo", "info", Some(device), &netifd::iwinfo_info(radio, Some(network)));
                self.make_reply("iwinfo", "freqlist", Some(device), &netifd::iwinfo_freqlist(radio));
                self.make_reply("iwinfo", "txpowerlist", Some(device), &netifd::iwinfo_txpowerlist(radio));
                self.make_reply("iwinfo", "assoclist", Some(device), &netifd::iwinfo_assoclist(network));
                let object = format!("hostapd.{device}");
                self.make_reply(&object, "get_clients", None, &netifd::hostapd_clients(radio, network));
                self.make_reply(&object, "get_status", None, &netifd::hostapd_status(radio, network));
            }
        }
        self.make_reply("iwinfo", "devices", None, &json!({ "devices": devices }));
    }

    /// Addresses, routes and neighbours, as the kernel shows what netifd has set up.
    fn make_kernel_tables(&self, interfaces: &[Json], sample: &Sample) {
        let mut routes =
            String::from("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
        let mut addresses6 = String::from("00000000000000000000000000000001 01 80 10 80       lo\n");
        let mut resolvers = String::new();
        let list = |interface: &Json, name: &str| interface[name].as_array().cloned().unwrap_or_default();
        for interface in interfaces {
            let name = interface["interface"].as_str().unwrap();
            let Some(device) = interface["l3_device"].as_str().filter(|device| *device != "lo") else { continue };
            let index = sample.devices.iter().find(|known| known.name == device).unwrap().index;
            for route in list(interface, "route") {
                let Ok(target) = route["target"].as_str().unwrap().parse::<Ipv4Addr>() else { continue };
                let gateway: Ipv4Addr = route["nexthop"].as_str().unwrap().parse().unwrap();
                let metric = route["metric"].as_u64().unwrap_or(0);
                let mask = mask(route["mask"].as_u64().unwrap());
                routes += &route_line(device, target, gateway, metric, mask);
            }
            for address in list(interface, "ipv4-address") {
                let own: Ipv4Addr = address["address"].as_str().unwrap().parse().unwrap();
                let mask = mask(address["mask"].as_u64().unwrap());
                let net = Ipv4Addr::from_bits(own.to_bits() & mask.to_bits());
                routes += &route_line(device, net, Ipv4Addr::UNSPECIFIED, 0, mask);
            }
            let assigned =
                list(interface, "ipv6-prefix-assignment").into_iter().map(|one| one["local-address"].clone());
            for address in list(interface, "ipv6-address").into_iter().chain(assigned) {
                let own: Ipv6Addr = address["address"].as_str().unwrap().parse().unwrap();
                let scope = if own.is_unicast_link_local() { 0x20 } else { 0 };
                let mask = address["mask"].as_u64().unwrap();
                addresses6 += &format!("{:032x} {index:02x} {mask:02x} {scope:02x} 80 {device:>8}\n", own.to_bits());
            }
            let servers = list(interface, "dns-server");
            if !servers.is_empty() {
                resolvers += &format!("# Interface {name}\n");
                for server in servers {
                    resolvers += &format!("nameserver {}\n", server.as_str().unwrap());
                }
            }
        }
        self.make("/proc/net/route", routes);
        self.make("/proc/net/if_inet6", addresses6);
        self.make("/tmp/resolv.conf.d/resolv.conf.auto", resolvers);
        let mut neighbours =
            String::from("IP address       HW type     Flags       HW address            Mask     Device\n");
        for host in sample.hosts {
            neighbours +=
                &format!("{:<16} 0x1         0x2         {}     *        {}\n", host.address, host.mac, host.device);
        }
        self.make("/proc/net/arp", neighbours);
        let vlans: Vec<_> = sample.devices.iter().filter_map(|device| Some((device, device.vlan()?))).collect();
        if !vlans.is_empty() {
            let mut config = String::from("VLAN Dev name\t | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\n");
            for (device, (below, number)) in vlans {
                config += &format!("{:<15}| {number}  | {below}\n", device.name);
                self.make(
                    &format!("/proc/net/vlan/{}", device.name),
                    format!(
                        "{}  VID: {number}\t REORDER_HDR: 1  dev->priv_flags: 1021\nDevice: {below}\n",
                        device.name
                    ),
                );
            }
            self.make("/proc/net/vlan/config", config);
        }
    }

    fn make_lease_files(&self, sample: &Sample) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut leases = String::new();
        for host in sample.hosts {
            let Some((name, left)) = host.lease else { continue };
            let end = if left == 0 { 0 } else { now + left };
            leases += &format!("{end} {} {} {name} 01:{}\n", host.mac, host.address, host.mac);
        }
        self.make("/tmp/dhcp.leases", leases);
    }
}

fn mask(length: u64) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::try_from(length).ok().and_then(|length| u32::MAX.checked_shl(32 - length)).unwrap_or(0))
}

/// A line of `/proc/net/route`: addresses are numbers in the order of a little-endian machine.
fn route_line(device: &str, target: Ipv4Addr, gateway: Ipv4Addr, metric: u64, mask: Ipv4Addr) -> String {
    let hex = |address: Ipv4Addr| format!("{:08X}", u32::from_le_bytes(address.octets()));
    let flags = if gateway.is_unspecified() { "0001" } else { "0003" };
    format!("{device}\t{}\t{}\t{flags}\t0\t0\t{metric}\t{}\t0\t0\t0\n", hex(target), hex(gateway), hex(mask))
}

/// A modem that speaks QMI, on USB.
fn plug_in_modem(root: &RouterRoot) {
    let usb = "/sys/devices/platform/10180000.usb/usb1/1-1";
    for (name, value) in [
        ("idVendor", "2c7c"),
        ("idProduct", "0125"),
        ("manufacturer", "Example Wireless"),
        ("product", "LTE Module"),
        ("serial", "0123456789"),
        ("speed", "480"),
        ("bDeviceClass", "ef"),
        ("busnum", "1"),
        ("devnum", "2"),
        ("version", " 2.00"),
    ] {
        root.make(&format!("{usb}/{name}"), format!("{value}\n"));
    }
    let network = format!("{usb}/1-1:1.4");
    root.make(&format!("{network}/uevent"), "DEVTYPE=usb_interface\nDRIVER=qmi_wwan\n");
    root.make(&format!("{network}/net/wwan0/ifindex"), "3\n");
    root.make("/sys/class/usbmisc/cdc-wdm0/uevent", "MAJOR=180\nMINOR=176\nDEVNAME=cdc-wdm0\n");
    root.remove("/sys/class/net/wwan0/device");
    let link = |to: &str, at: &str| {
        fs::create_dir_all(root.at(at).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, root.at(at)).unwrap();
    };
    link("../../../devices/platform/10180000.usb/usb1/1-1/1-1:1.4", "/sys/class/net/wwan0/device");
    link("../../../devices/platform/10180000.usb/usb1/1-1/1-1:1.4", "/sys/class/usbmisc/cdc-wdm0/device");
    link("../../../devices/platform/10180000.usb/usb1/1-1", "/sys/bus/usb/devices/1-1");
    root.make("/dev/cdc-wdm0", "");
    // Answers each question as the modem of a registered SIM card does; strings come in quotes, objects as JSON.
    root.write_recorder(
            "/sbin/uqmi",
            "for word in \"$@\"; do case $word in
--get-signal-info) echo '{\"type\":\"lte\",\"rssi\":-61,\"rsrq\":-9,\"rsrp\":-92,\"snr\":11.4}' ;;
--get-serving-system) echo '{\"registration\":\"registered\",\"plmn_mcc\":260,\"plmn_mnc\":1,\"plmn_description\":\"Example Mobile\",\"roaming\":false}' ;;
--get-imei) echo '\"490154203237518\"' ;;
--get-imsi) echo '\"260010123456789\"' ;;
--get-iccid) echo '\"8948010000000000001\"' ;;
--get-msisdn) echo '\"48500000000\"' ;;
--get-data-status) echo '\"connected\"' ;;
--uim-get-sim-state) echo '{\"card_application_state\":\"ready\",\"pin1_status\":\"disabled\"}' ;;
esac; done
",
        );
}
