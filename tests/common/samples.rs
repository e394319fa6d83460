//! The six routers: their hardware, and what their daemons know.

use serde_json::{Value as Json, json};

use super::super::device;
use super::super::netifd::{Client, Network, Radio, assignment, interface, interface_down, loopback, with};
use super::{Device, Host, Sample};

pub const ALL: &[&Sample] = &[&SINGLE_RADIO, &PPPOE, &SWCONFIG, &DELEGATED, &LTE, &ACCESS_POINT];

const HT_24: &[&str] = &["HT20", "HT40"];
const HE_24: &[&str] = &["HT20", "HT40", "HE20", "HE40"];
const HE_5: &[&str] = &["HT20", "HT40", "VHT20", "VHT40", "VHT80", "VHT160", "HE20", "HE40", "HE80", "HE160"];
const VHT_5: &[&str] = &["HT20", "HT40", "VHT20", "VHT40", "VHT80"];
const BGN: &[&str] = &["b", "g", "n"];
const BGNAX: &[&str] = &["b", "g", "n", "ax"];
const NACAX: &[&str] = &["a", "n", "ac", "ax"];
const NAC: &[&str] = &["a", "n", "ac"];

const LO: Device = Device { mtu: 65536, kind: 772, ..device("lo", "00:00:00:00:00:00", 1, true, 0) };

const fn bridged(device: Device) -> Device {
    Device { bridge: Some("br-lan"), ..device }
}

const PSK: fn() -> Json = || json!({"enabled": true, "wpa": [2], "authentication": ["psk"], "ciphers": ["ccmp"]});
const SAE: fn() -> Json = || json!({"enabled": true, "wpa": [3], "authentication": ["sae"], "ciphers": ["ccmp"]});
const SAE_MIXED: fn() -> Json =
    || json!({"enabled": true, "wpa": [2, 3], "authentication": ["psk", "sae"], "ciphers": ["ccmp"]});
const ENTERPRISE: fn() -> Json =
    || json!({"enabled": true, "wpa": [2], "authentication": ["802.1x"], "ciphers": ["ccmp"]});
const ENTERPRISE3: fn() -> Json =
    || json!({"enabled": true, "wpa": [3], "authentication": ["802.1x"], "ciphers": ["ccmp"]});
const OWE: fn() -> Json = || json!({"enabled": true, "wpa": [3], "authentication": ["owe"], "ciphers": ["ccmp"]});
const OPEN: fn() -> Json = || json!({"enabled": false});
const NONE: fn() -> Json = || json!({});

/// One radio, two ports, and a provider without IPv6.
static SINGLE_RADIO: Sample = Sample {
    name: "single-radio-dsa",
    model: "Example N300",
    old: false,
    devices: &[
        LO,
        Device { mtu: 1504, ..device("eth0", "00:00:5e:00:53:10", 2, true, 1000) },
        bridged(device("lan1", "00:00:5e:00:53:10", 3, true, 1000)),
        bridged(device("lan2", "00:00:5e:00:53:10", 4, false, 0)),
        device("wan", "00:00:5e:00:53:11", 5, true, 100),
        device("br-lan", "00:00:5e:00:53:10", 6, true, 1000),
        bridged(device("phy0-ap0", "00:00:5e:00:53:12", 7, true, 0)),
    ],
    phys: &[("phy0", "00:00:5e:00:53:12", "platform/10300000.wmac")],
    interfaces: || {
        vec![
            loopback(),
            with(
                interface("lan", "static", "br-lan", "br-lan"),
                json!({
                    "ipv4-address": [{"address": "192.168.1.1", "mask": 24}],
                    "ipv6-prefix-assignment": [assignment("fd00:51:1a2b::", 60, None)],
                }),
            ),
            with(
                interface("wan", "dhcp", "wan", "wan"),
                json!({
                    "ipv4-address": [{"address": "203.0.113.45", "mask": 22}],
                    "route": [
                        {"target": "0.0.0.0", "mask": 0, "nexthop": "203.0.112.1", "source": "203.0.113.45/32"},
                    ],
                    "dns-server": ["203.0.112.53"],
                    "data": {"dhcpserver": "203.0.112.1", "leasetime": 3600},
                }),
            ),
            interface_down("wan6", "dhcpv6", "wan", true),
        ]
    },
    radios: &[Radio {
        section: "radio0",
        phy: "phy0",
        up: true,
        disabled: false,
        channel: 1,
        htmode: "HT20",
        htmodes: HT_24,
        hwmodes: BGN,
        country: "00",
        txpower: 20,
        config: || json!({"path": "platform/10300000.wmac", "band": "2g", "channel": "1", "htmode": "HT20", "num_global_macaddr": 1}),
        networks: &[Network {
            section: "default_radio0",
            device: Some(("phy0-ap0", "00:00:5e:00:53:12")),
            ssid: "Small",
            config: || json!({"mode": "ap", "ssid": "Small", "encryption": "none", "network": ["lan"]}),
            encryption: OPEN,
            clients: &[],
        }],
    }],
    hosts: &[
        Host { mac: "00:00:5e:00:53:f1", address: "203.0.112.1", device: "wan", lease: None },
        Host { mac: "00:00:5e:00:53:a1", address: "192.168.1.120", device: "br-lan", lease: Some(("pc", 30_000)) },
    ],
    leases6: NONE,
    more: |_| {},
};

/// DSL: PPPoE in a VLAN, IPv6 over the same session, two radios.
static PPPOE: Sample = Sample {
    name: "two-radio-pppoe",
    model: "Example AX3000 DSL",
    old: false,
    devices: &[
        LO,
        Device { mtu: 1504, ..device("eth0", "00:00:5e:00:53:20", 2, true, 2500) },
        bridged(device("lan1", "00:00:5e:00:53:20", 3, true, 1000)),
        bridged(device("lan2", "00:00:5e:00:53:20", 4, false, 0)),
        bridged(device("lan3", "00:00:5e:00:53:20", 5, true, 1000)),
        bridged(device("lan4", "00:00:5e:00:53:20", 6, false, 0)),
        device("wan", "00:00:5e:00:53:21", 7, true, 1000),
        device("br-lan", "00:00:5e:00:53:20", 8, true, 1000),
        device("wan.7", "00:00:5e:00:53:21", 9, true, 1000),
        Device { mtu: 1492, kind: 512, ..device("pppoe-wan", "", 10, true, 0) },
        bridged(device("phy0-ap0", "00:00:5e:00:53:22", 11, true, 0)),
        bridged(device("phy1-ap0", "00:00:5e:00:53:23", 12, true, 0)),
    ],
    phys: &[
        ("phy0", "00:00:5e:00:53:22", "platform/soc/18000000.wifi"),
        ("phy1", "00:00:5e:00:53:23", "platform/soc/18000000.wifi"),
    ],
    interfaces: || {
        let times = Some((1_805, 3_605));
        vec![
            loopback(),
            with(
                interface("lan", "static", "br-lan", "br-lan"),
                json!({
                    "ipv4-address": [{"address": "192.168.178.1", "mask": 24}],
                    "ipv6-prefix-assignment": [
                        assignment("2001:db8:7700:1200::", 64, times), assignment("fd10:2030:4050::", 64, None),
                    ],
                }),
            ),
            with(
                interface("modem", "static", "wan", "wan"),
                json!({"ipv4-address": [{"address": "192.168.100.2", "mask": 24}]}),
            ),
            with(
                interface("wan", "pppoe", "wan.7", "pppoe-wan"),
                json!({
                    "uptime": 40_211,
                    "ipv4-address": [{"address": "198.51.100.77", "mask": 32, "ptpaddress": "198.51.100.1"}],
                    "ipv6-address": [{"address": "fe80::a1b2:c3d4:e5f6:1", "mask": 128}],
                    "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "198.51.100.1", "source": "0.0.0.0/0"}],
                    "dns-server": ["9.9.9.9", "2620:fe::fe"],
                    "inactive": {"ipv4-address": [], "ipv6-address": [], "route": [],
                        "dns-server": ["198.51.100.53", "198.51.100.54"], "dns-search": [], "neighbors": []},
                }),
            ),
            with(
                interface("wan_6", "dhcpv6", "pppoe-wan", "pppoe-wan"),
                json!({
                    "uptime": 40_209,
                    "dynamic": true,
                    "ipv6-address": [{"address": "2001:db8:77ff::2", "mask": 64, "preferred": 1_805, "valid": 3_605}],
                    "ipv6-prefix": [{"address": "2001:db8:7700:1200::", "mask": 56, "preferred": 1_805, "valid": 3_605,
                        "class": "wan_6", "assigned": {"lan": {"address": "2001:db8:7700:1200::", "mask": 64}}}],
                    "route": [
                        {"target": "::", "mask": 0, "nexthop": "fe80::1", "metric": 512, "valid": 4_499,
                            "source": "2001:db8:7700:1200::/56"},
                    ],
                    "dns-server": ["2001:db8:77ff::53"],
                    "data": {"passthru": "00170010"},
                }),
            ),
        ]
    },
    radios: &[
        Radio {
            section: "radio0",
            phy: "phy0",
            up: true,
            disabled: false,
            channel: 6,
            htmode: "HE20",
            htmodes: HE_24,
            hwmodes: BGNAX,
            country: "DE",
            txpower: 20,
            config: || {
                json!({"path": "platform/soc/18000000.wifi", "band": "2g", "channel": "auto", "channels": [1, 6, 11],
                    "htmode": "HE20", "country": "DE"})
            },
            networks: &[Network {
                section: "home24",
                device: Some(("phy0-ap0", "00:00:5e:00:53:22")),
                ssid: "Home",
                config: || {
                    json!({"mode": "ap", "ssid": "Home", "encryption": "sae-mixed", "key": "seven dwarves, one house",
                        "ieee80211w": 1, "network": ["lan"]})
                },
                encryption: SAE_MIXED,
                clients: &[Client { mac: "00:00:5e:00:53:a4", signal: -71, rates: (65_000, 72_200), connected: 5_120 }],
            }],
        },
        Radio {
            section: "radio1",
            phy: "phy1",
            up: true,
            disabled: false,
            channel: 100,
            htmode: "HE160",
            htmodes: HE_5,
            hwmodes: NACAX,
            country: "DE",
            txpower: 23,
            config: || {
                json!({"path": "platform/soc/18000000.wifi+1", "band": "5g", "channel": "100", "htmode": "HE160",
                    "country": "DE"})
            },
            networks: &[Network {
                section: "home5",
                device: Some(("phy1-ap0", "00:00:5e:00:53:23")),
                ssid: "Home",
                config: || {
                    json!({"mode": "ap", "ssid": "Home", "encryption": "sae", "key": "seven dwarves, one house",
                        "ieee80211r": true, "mobility_domain": "4f57", "network": ["lan"]})
                },
                encryption: SAE,
                clients: &[
                    Client { mac: "00:00:5e:00:53:a5", signal: -44, rates: (2_041_600, 2_161_300), connected: 12_001 },
                    Client { mac: "00:00:5e:00:53:a6", signal: -63, rates: (864_700, 1_080_600), connected: 77 },
                ],
            }],
        },
    ],
    hosts: &[
        Host { mac: "00:00:5e:00:53:f2", address: "192.168.100.1", device: "wan", lease: None },
        Host { mac: "00:00:5e:00:53:b3", address: "192.168.178.30", device: "br-lan", lease: Some(("nas", 80_000)) },
        Host { mac: "00:00:5e:00:53:a4", address: "192.168.178.104", device: "br-lan", lease: Some(("*", 52_200)) },
        Host { mac: "00:00:5e:00:53:a5", address: "192.168.178.105", device: "br-lan", lease: Some(("phone", 70_001)) },
    ],
    leases6: || {
        json!({"br-lan": {"leases": [{
            "duid": "00030001 00005e0053b3".replace(' ', ""), "iaid": 0, "hostname": "nas", "accept-reconf": false,
            "assigned": 48, "flags": ["bound"],
            "ipv6-addr": [{"address": "2001:db8:7700:1200::30", "preferred-lifetime": 1_805, "valid-lifetime": 3_605}],
            "valid": 3_605,
        }]}})
    },
    more: |_| {},
};

/// 23.05 on a MIPS router of the old kind: one Ethernet device, a switch behind it, VLANs to tell the ports apart.
static SWCONFIG: Sample = Sample {
    name: "swconfig-vlan",
    model: "Example AC1750 v2",
    old: true,
    devices: &[
        LO,
        device("eth0", "00:00:5e:00:53:30", 2, true, 1000),
        device("br-lan", "00:00:5e:00:53:30", 5, true, 0),
        bridged(device("eth0.1", "00:00:5e:00:53:30", 6, true, 1000)),
        device("eth0.2", "00:00:5e:00:53:31", 7, true, 1000),
        device("eth0.30", "00:00:5e:00:53:30", 8, true, 1000),
        bridged(device("phy0-ap0", "00:00:5e:00:53:32", 9, true, 0)),
    ],
    phys: &[
        ("phy0", "00:00:5e:00:53:32", "pci0000:00/0000:00:00.0"),
        ("phy1", "00:00:5e:00:53:33", "platform/ahb/18100000.wmac"),
    ],
    interfaces: || {
        vec![
            with(
                interface("cams", "static", "eth0.30", "eth0.30"),
                json!({"ipv4-address": [{"address": "192.168.40.1", "mask": 24}]}),
            ),
            with(
                interface("lan", "static", "br-lan", "br-lan"),
                json!({
                    "ipv4-address": [{"address": "192.168.1.1", "mask": 24}],
                    "ipv6-prefix-assignment": [assignment("fda0:b0c0:d0e0::", 60, None)],
                }),
            ),
            loopback(),
            with(
                interface("wan", "dhcp", "eth0.2", "eth0.2"),
                json!({
                    "ipv4-address": [{"address": "100.64.3.9", "mask": 10}],
                    "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "100.64.0.1", "source": "100.64.3.9/32"}],
                    "dns-server": ["100.64.0.53"],
                    "dns-search": ["isp.example"],
                    "data": {"dhcpserver": "100.64.0.1", "hostname": "OpenWrt", "leasetime": 7200},
                }),
            ),
            with(
                interface_down("wan6", "dhcpv6", "eth0.2", false),
                json!({
                    "errors": [{"subsystem": "dhcpv6", "code": "NO_PREFIX"}],
                }),
            ),
        ]
    },
    radios: &[
        Radio {
            section: "radio0",
            phy: "phy0",
            up: true,
            disabled: false,
            channel: 36,
            htmode: "VHT80",
            htmodes: VHT_5,
            hwmodes: NAC,
            country: "FR",
            txpower: 23,
            config: || json!({"path": "pci0000:00/0000:00:00.0", "channel": "36", "band": "5g", "htmode": "VHT80", "country": "FR"}),
            networks: &[Network {
                section: "default_radio0",
                device: Some(("phy0-ap0", "00:00:5e:00:53:32")),
                ssid: "Atelier",
                config: || {
                    json!({"mode": "ap", "ssid": "Atelier", "encryption": "psk2+ccmp", "key": "fer et bois et feu",
                        "network": ["lan"]})
                },
                encryption: PSK,
                clients: &[Client { mac: "00:00:5e:00:53:a7", signal: -52, rates: (650_000, 866_700), connected: 901 }],
            }],
        },
        Radio {
            section: "radio1",
            phy: "phy1",
            up: false,
            disabled: true,
            channel: 11,
            htmode: "HT20",
            htmodes: HT_24,
            hwmodes: BGN,
            country: "FR",
            txpower: 20,
            config: || {
                json!({"path": "platform/ahb/18100000.wmac", "channel": "11", "band": "2g", "htmode": "HT20",
                    "country": "FR", "disabled": true})
            },
            networks: &[Network {
                section: "default_radio1",
                device: None,
                ssid: "Atelier",
                config: || {
                    json!({"mode": "ap", "ssid": "Atelier", "encryption": "psk2+ccmp", "key": "fer et bois et feu",
                        "network": ["lan"]})
                },
                encryption: PSK,
                clients: &[],
            }],
        },
    ],
    hosts: &[
        Host { mac: "00:00:5e:00:53:f3", address: "100.64.0.1", device: "eth0.2", lease: None },
        Host {
            mac: "00:00:5e:00:53:b7",
            address: "192.168.40.12",
            device: "eth0.30",
            lease: Some(("camera-1", 6_000)),
        },
        Host { mac: "00:00:5e:00:53:a7", address: "192.168.1.133", device: "br-lan", lease: Some(("tablet", 9_000)) },
    ],
    leases6: NONE,
    more: |_| {},
};

/// A delegated prefix, shared out to the home and to the guests.
static DELEGATED: Sample = Sample {
    name: "pd-guest",
    model: "Example AX3000 Fibre",
    old: false,
    devices: &[
        LO,
        Device { mtu: 1504, ..device("eth0", "00:00:5e:00:53:40", 2, true, 2500) },
        bridged(device("lan1", "00:00:5e:00:53:40", 3, true, 1000)),
        bridged(device("lan2", "00:00:5e:00:53:40", 4, true, 1000)),
        bridged(device("lan3", "00:00:5e:00:53:40", 5, false, 0)),
        device("wan", "00:00:5e:00:53:41", 6, true, 1000),
        device("br-lan", "00:00:5e:00:53:40", 7, true, 1000),
        device("br-guest", "02:00:5e:00:53:42", 8, true, 0),
        bridged(device("phy0-ap0", "00:00:5e:00:53:42", 9, true, 0)),
        Device { bridge: Some("br-guest"), ..device("phy0-ap1", "02:00:5e:00:53:42", 10, true, 0) },
        bridged(device("phy1-ap0", "00:00:5e:00:53:43", 11, true, 0)),
        Device { bridge: Some("br-guest"), ..device("phy1-ap1", "02:00:5e:00:53:43", 12, true, 0) },
    ],
    phys: &[
        ("phy0", "00:00:5e:00:53:42", "platform/soc/18000000.wifi"),
        ("phy1", "00:00:5e:00:53:43", "platform/soc/18000000.wifi"),
    ],
    interfaces: || {
        let times = Some((43_200, 86_400));
        vec![
            with(
                interface("guest", "static", "br-guest", "br-guest"),
                json!({
                    "ipv4-address": [{"address": "10.0.8.1", "mask": 24}],
                    "ipv6-prefix-assignment": [assignment("2001:db8:5000:80::", 64, times)],
                }),
            ),
            with(
                interface("lan", "static", "br-lan", "br-lan"),
                json!({
                    "ipv4-address": [{"address": "10.0.0.1", "mask": 24}],
                    "ipv6-prefix-assignment": [
                        assignment("2001:db8:5000:10::", 60, times), assignment("fd77:8899:aabb:10::", 60, None),
                    ],
                    "route": [{"target": "2001:db8:5000:40::", "mask": 60, "nexthop": "fe80::200:5eff:fe00:53c7",
                        "metric": 0, "source": "::/0"}],
                }),
            ),
            loopback(),
            with(
                interface("wan", "dhcp", "wan", "wan"),
                json!({
                    "ipv4-address": [{"address": "192.0.2.130", "mask": 25}],
                    "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "192.0.2.129", "source": "192.0.2.130/32"}],
                    "dns-server": ["192.0.2.253", "192.0.2.254"],
                    "data": {"dhcpserver": "192.0.2.129", "leasetime": 86400, "vendorid": "isp-acs"},
                }),
            ),
            with(
                interface("wan6", "dhcpv6", "wan", "wan"),
                json!({
                    "ipv6-address": [
                        {"address": "2001:db8:50ff::1:2", "mask": 128, "preferred": 43_200, "valid": 86_400},
                    ],
                    "ipv6-prefix": [{"address": "2001:db8:5000::", "mask": 56, "preferred": 43_200, "valid": 86_400,
                        "class": "wan6", "assigned": {
                            "lan": {"address": "2001:db8:5000:10::", "mask": 60},
                            "guest": {"address": "2001:db8:5000:80::", "mask": 64},
                        }}],
                    "route": [
                        {"target": "::", "mask": 0, "nexthop": "fe80::1", "metric": 512, "valid": 1_700,
                            "source": "2001:db8:5000::/56"},
                        {"target": "::", "mask": 0, "nexthop": "fe80::1", "metric": 512, "valid": 1_700,
                            "source": "2001:db8:50ff::1:2/128"},
                    ],
                    "dns-server": ["2001:db8:50ff::53"],
                    "dns-search": ["isp.example"],
                    "data": {"passthru": "001700102001"},
                }),
            ),
        ]
    },
    radios: &[
        Radio {
            section: "radio0",
            phy: "phy0",
            up: true,
            disabled: false,
            channel: 11,
            htmode: "HE40",
            htmodes: HE_24,
            hwmodes: BGNAX,
            country: "NL",
            txpower: 20,
            config: || {
                json!({"path": "platform/soc/18000000.wifi", "band": "2g", "channel": "11", "htmode": "HE40",
                    "country": "NL", "noscan": true})
            },
            networks: &[
                Network {
                    section: "main2",
                    device: Some(("phy0-ap0", "00:00:5e:00:53:42")),
                    ssid: "Polder",
                    config: || {
                        json!({"mode": "ap", "ssid": "Polder", "encryption": "psk2", "key": "below the sea level",
                            "network": ["lan"]})
                    },
                    encryption: PSK,
                    clients: &[],
                },
                Network {
                    section: "guest2",
                    device: Some(("phy0-ap1", "02:00:5e:00:53:42")),
                    ssid: "Polder guests",
                    config: || {
                        json!({"mode": "ap", "ssid": "Polder guests", "encryption": "owe", "isolate": true,
                            "network": ["guest"]})
                    },
                    encryption: OWE,
                    clients: &[Client { mac: "02:00:5e:00:53:d1", signal: -80, rates: (6_000, 13_000), connected: 31 }],
                },
            ],
        },
        Radio {
            section: "radio1",
            phy: "phy1",
            up: true,
            disabled: false,
            channel: 52,
            htmode: "HE80",
            htmodes: HE_5,
            hwmodes: NACAX,
            country: "NL",
            txpower: 23,
            config: || {
                json!({"path": "platform/soc/18000000.wifi+1", "band": "5g", "channel": "auto", "htmode": "HE80",
                    "country": "NL"})
            },
            networks: &[
                Network {
                    section: "main5",
                    device: Some(("phy1-ap0", "00:00:5e:00:53:43")),
                    ssid: "Polder",
                    config: || {
                        json!({"mode": "ap", "ssid": "Polder", "encryption": "wpa3-mixed", "auth_server": "10.0.0.5",
                            "auth_secret": "between us", "ieee80211w": 1, "network": ["lan"]})
                    },
                    encryption: ENTERPRISE,
                    clients: &[Client {
                        mac: "00:00:5e:00:53:a8",
                        signal: -58,
                        rates: (720_600, 864_700),
                        connected: 4_000,
                    }],
                },
                Network {
                    section: "guest5",
                    device: Some(("phy1-ap1", "02:00:5e:00:53:43")),
                    ssid: "Polder guests",
                    config: || {
                        json!({"mode": "ap", "ssid": "Polder guests", "encryption": "owe", "isolate": true,
                            "network": ["guest"]})
                    },
                    encryption: OWE,
                    clients: &[],
                },
            ],
        },
    ],
    hosts: &[
        Host { mac: "00:00:5e:00:53:f4", address: "192.0.2.129", device: "wan", lease: None },
        Host { mac: "00:00:5e:00:53:b5", address: "10.0.0.5", device: "br-lan", lease: Some(("server", 0)) },
        Host { mac: "00:00:5e:00:53:a8", address: "10.0.0.101", device: "br-lan", lease: Some(("laptop", 40_000)) },
        Host { mac: "02:00:5e:00:53:d1", address: "10.0.8.77", device: "br-guest", lease: Some(("*", 3_500)) },
    ],
    leases6: || {
        let lease = |duid: &str, name: &str, iaid: u64, addresses: Json| {
            json!({"duid": duid, "iaid": iaid, "hostname": name, "accept-reconf": false, "assigned": 5, "flags": ["bound"],
                "ipv6-addr": addresses, "valid": 86_400})
        };
        json!({"br-lan": {"leases": [
            lease("0003000100005e0053b5", "server", 1, json!([
                {"address": "2001:db8:5000:10::5", "preferred-lifetime": 43_200, "valid-lifetime": 86_400},
                {"address": "fd77:8899:aabb:10::5", "preferred-lifetime": -1, "valid-lifetime": -1},
            ])),
            {"duid": "0003000100005e0053c7", "iaid": 3, "hostname": "inner-router", "accept-reconf": false, "assigned": 64,
                "flags": ["bound"], "valid": 86_400, "ipv6-prefix": [{"address": "2001:db8:5000:1c::",
                    "preferred-lifetime": 43_200, "valid-lifetime": 86_400, "prefix-length": 62}]},
        ]}, "br-guest": {"leases": []}})
    },
    more: |_| {},
};

/// A mobile router: a modem that speaks QMI, one port, one radio.
static LTE: Sample = Sample {
    name: "lte",
    model: "Example LTE300",
    old: false,
    devices: &[
        LO,
        bridged(device("eth0", "00:00:5e:00:53:50", 2, true, 100)),
        Device { kind: 65534, mtu: 1430, ..device("wwan0", "", 3, true, 0) },
        device("br-lan", "00:00:5e:00:53:50", 4, true, 0),
        bridged(device("phy0-ap0", "00:00:5e:00:53:51", 5, true, 0)),
    ],
    phys: &[("phy0", "00:00:5e:00:53:51", "platform/10300000.wmac")],
    interfaces: || {
        let mut wwan = with(
            interface("wwan", "qmi", "", "wwan0"),
            json!({"uptime": 7_203, "metric": 20, "data": {"cid_4": "17", "pdh_4": "2264541408", "cid_6": "18",
                "pdh_6": "2264537344"}}),
        );
        // The protocol brings its own device, so that netifd names none below it.
        wwan.as_object_mut().unwrap().remove("device");
        vec![
            with(
                interface("lan", "static", "br-lan", "br-lan"),
                json!({
                    "ipv4-address": [{"address": "192.168.8.1", "mask": 24}],
                    "ipv6-prefix-assignment": [
                        assignment("2001:db8:4e:7::", 64, None), assignment("fdcc:1eee:1111::", 64, None),
                    ],
                }),
            ),
            loopback(),
            wwan,
            with(
                interface("wwan_4", "dhcp", "wwan0", "wwan0"),
                json!({
                    "uptime": 7_199,
                    "dynamic": true,
                    "metric": 20,
                    "ipv4-address": [{"address": "100.71.12.6", "mask": 30}],
                    "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "100.71.12.5", "metric": 20,
                        "source": "100.71.12.6/32"}],
                    "dns-server": ["100.71.0.53", "100.71.0.54"],
                    "data": {"leasetime": 7200},
                }),
            ),
            with(
                interface("wwan_6", "static", "wwan0", "wwan0"),
                json!({
                    "uptime": 7_201,
                    "dynamic": true,
                    "metric": 20,
                    "ipv6-address": [{"address": "2001:db8:4e:7::ac1", "mask": 64}],
                    "ipv6-prefix": [{"address": "2001:db8:4e:7::", "mask": 64, "class": "wwan_6",
                        "assigned": {"lan": {"address": "2001:db8:4e:7::", "mask": 64}}}],
                    "route": [{"target": "::", "mask": 0, "nexthop": "fe80::5", "metric": 20,
                        "source": "2001:db8:4e:7::/64"}],
                    "dns-server": ["2001:db8:4e::53"],
                }),
            ),
        ]
    },
    radios: &[Radio {
        section: "radio0",
        phy: "phy0",
        up: true,
        disabled: false,
        channel: 6,
        htmode: "HT40",
        htmodes: HT_24,
        hwmodes: BGN,
        country: "PL",
        txpower: 20,
        config: || json!({"path": "platform/10300000.wmac", "band": "2g", "channel": "6", "htmode": "HT40", "country": "PL"}),
        networks: &[Network {
            section: "default_radio0",
            device: Some(("phy0-ap0", "00:00:5e:00:53:51")),
            ssid: "Bus 42",
            config: || {
                json!({"mode": "ap", "ssid": "Bus 42", "encryption": "psk2", "key": "to the seaside", "maxassoc": 8,
                    "network": ["lan"]})
            },
            encryption: PSK,
            clients: &[Client { mac: "00:00:5e:00:53:a9", signal: -49, rates: (130_000, 144_400), connected: 300 }],
        }],
    }],
    hosts: &[Host {
        mac: "00:00:5e:00:53:a9",
        address: "192.168.8.150",
        device: "br-lan",
        lease: Some(("phone", 41_000)),
    }],
    leases6: NONE,
    more: super::plug_in_modem,
};

/// An access point in a company: one port, no WAN, RADIUS.
static ACCESS_POINT: Sample = Sample {
    name: "access-point",
    model: "Example AP3000",
    old: false,
    devices: &[
        LO,
        bridged(device("eth0", "00:00:5e:00:53:60", 2, true, 2500)),
        device("br-lan", "00:00:5e:00:53:60", 3, true, 2500),
        bridged(device("phy0-ap0", "00:00:5e:00:53:61", 4, true, 0)),
        bridged(device("phy1-ap0", "00:00:5e:00:53:62", 5, true, 0)),
    ],
    phys: &[
        ("phy0", "00:00:5e:00:53:61", "platform/soc/18000000.wifi"),
        ("phy1", "00:00:5e:00:53:62", "platform/soc/18000000.wifi"),
    ],
    interfaces: || {
        vec![
            with(
                interface("lan", "dhcp", "br-lan", "br-lan"),
                json!({
                    "ipv4-address": [{"address": "192.0.2.17", "mask": 24}],
                    "route": [{"target": "0.0.0.0", "mask": 0, "nexthop": "192.0.2.1", "source": "192.0.2.17/32"}],
                    "dns-server": ["192.0.2.2"],
                    "dns-search": ["corp.example"],
                    "data": {"dhcpserver": "192.0.2.2", "hostname": "ap-hall", "leasetime": 28800},
                }),
            ),
            with(
                interface("lan6", "dhcpv6", "br-lan", "br-lan"),
                json!({
                    "ipv6-address": [
                        {"address": "2001:db8:c0:1::61", "mask": 64, "preferred": 604_800, "valid": 2_592_000},
                    ],
                    "route": [{"target": "::", "mask": 0, "nexthop": "fe80::1", "metric": 512, "valid": 1_800,
                        "source": "2001:db8:c0:1::61/64"}],
                }),
            ),
            loopback(),
        ]
    },
    radios: &[
        Radio {
            section: "radio0",
            phy: "phy0",
            up: true,
            disabled: false,
            channel: 6,
            htmode: "HE20",
            htmodes: HE_24,
            hwmodes: BGNAX,
            country: "US",
            txpower: 17,
            config: || {
                json!({"path": "platform/soc/18000000.wifi", "band": "2g", "channel": "6", "htmode": "HE20",
                    "country": "US", "txpower": 17})
            },
            networks: &[Network {
                section: "wifinet0",
                device: Some(("phy0-ap0", "00:00:5e:00:53:61")),
                ssid: "Hall",
                config: || {
                    json!({"mode": "ap", "ssid": "Hall", "encryption": "wpa2", "auth_server": "192.0.2.10",
                        "auth_port": 1812, "auth_secret": "radius secret", "acct_server": "192.0.2.10", "network": ["lan"]})
                },
                encryption: ENTERPRISE,
                clients: &[],
            }],
        },
        Radio {
            section: "radio1",
            phy: "phy1",
            up: true,
            disabled: false,
            channel: 149,
            htmode: "HE80",
            htmodes: HE_5,
            hwmodes: NACAX,
            country: "US",
            txpower: 23,
            config: || {
                json!({"path": "platform/soc/18000000.wifi+1", "band": "5g", "channel": "149", "htmode": "HE80",
                    "country": "US"})
            },
            networks: &[Network {
                section: "wifinet1",
                device: Some(("phy1-ap0", "00:00:5e:00:53:62")),
                ssid: "Hall",
                config: || {
                    json!({"mode": "ap", "ssid": "Hall", "encryption": "wpa3", "auth_server": "192.0.2.10",
                        "auth_secret": "radius secret", "network": ["lan"]})
                },
                encryption: ENTERPRISE3,
                clients: &[Client {
                    mac: "00:00:5e:00:53:aa",
                    signal: -55,
                    rates: (864_700, 864_700),
                    connected: 1_800,
                }],
            }],
        },
    ],
    hosts: &[Host { mac: "00:00:5e:00:53:f6", address: "192.0.2.1", device: "br-lan", lease: None }],
    leases6: NONE,
    more: |_| {},
};
