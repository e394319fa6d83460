//! What the daemons of a router say over ubus: netifd, hostapd and iwinfo, in the shapes of OpenWrt 23.05 and 24.10.

#![allow(dead_code, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use serde_json::{Value as Json, json};

use super::{COUNTERS, Device};

/// A radio with its networks, as netifd and iwinfo show it.
pub struct Radio {
    pub section: &'static str,
    pub phy: &'static str,
    pub up: bool,
    pub disabled: bool,
    pub channel: u32,
    pub htmode: &'static str,
    pub htmodes: &'static [&'static str],
    pub hwmodes: &'static [&'static str],
    pub country: &'static str,
    pub txpower: u32,
    /// As in UCI.
    pub config: fn() -> Json,
    pub networks: &'static [Network],
}

/// A Wi-Fi network; without a device where its radio is off.
pub struct Network {
    pub section: &'static str,
    pub device: Option<(&'static str, &'static str)>,
    pub ssid: &'static str,
    pub config: fn() -> Json,
    pub encryption: fn() -> Json,
    pub clients: &'static [Client],
}

/// A client of a Wi-Fi network.
pub struct Client {
    pub mac: &'static str,
    pub signal: i32,
    /// kbit/s, from and to the client.
    pub rates: (u32, u32),
    /// Seconds.
    pub connected: u32,
}

/// Puts the members of one object into another.
pub fn with(mut base: Json, more: Json) -> Json {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

/// An interface that is up, with what every one has; more comes from `with`.
pub fn interface(name: &str, proto: &str, device: &str, layer3: &str) -> Json {
    json!({
        "interface": name, "up": true, "pending": false, "available": true, "autostart": true, "dynamic": false,
        "uptime": 86352, "l3_device": layer3, "proto": proto, "device": device, "updated": ["addresses"],
        "metric": 0, "dns_metric": 0, "delegation": true,
        "ipv4-address": [], "ipv6-address": [], "ipv6-prefix": [], "ipv6-prefix-assignment": [], "route": [],
        "dns-server": [], "dns-search": [], "neighbors": [],
        "inactive": {"ipv4-address": [], "ipv6-address": [], "route": [], "dns-server": [], "dns-search": [], "neighbors": []},
        "data": {},
    })
}

/// An interface that is not up: netifd says little of it.
pub fn interface_down(name: &str, proto: &str, device: &str, pending: bool) -> Json {
    json!({
        "interface": name, "up": false, "pending": pending, "available": true, "autostart": true, "dynamic": false,
        "proto": proto, "device": device, "data": {},
    })
}

pub fn loopback() -> Json {
    with(
        interface("loopback", "static", "lo", "lo"),
        json!({"uptime": 86431, "ipv4-address": [{"address": "127.0.0.1", "mask": 8}]}),
    )
}

/// A prefix that an interface of the LAN has, and its own address in it.
pub fn assignment(prefix: &str, mask: u32, times: Option<(u32, u32)>) -> Json {
    let own = format!("{prefix}1");
    let local = json!({"address": prefix, "mask": mask, "local-address": {"address": own, "mask": mask}});
    match times {
        Some((preferred, valid)) => with(local, json!({"preferred": preferred, "valid": valid})),
        None => local,
    }
}

/// What `network.device status` says of a device; the older release says less.
pub fn device(device: &Device, all: &[Device], old: bool) -> Json {
    let kind = match device.devtype() {
        Some("bridge") => "bridge",
        Some("vlan") if old => "VLAN",
        Some("vlan") => "8021q",
        _ => "Network device",
    };
    let mut state = json!({
        "external": matches!(device.devtype(), Some("ppp")), "present": true, "type": kind, "up": true,
        "carrier": device.carrier || device.kind == 772,
    });
    if let Some((below, _)) = device.vlan() {
        state["parent"] = below.into();
    }
    if device.devtype() == Some("bridge") {
        let members = all.iter().filter(|other| other.bridge == Some(device.name)).map(|other| other.name);
        state["bridge-members"] = members.collect();
        state["bridge-attributes"] = json!({
            "stp": false, "forward_delay": 8, "priority": 32767, "ageing_time": 300, "hello_time": 2, "max_age": 20,
            "igmp_snooping": false, "bridge_empty": false, "vlan_filtering": false,
        });
    }
    if matches!(device.devtype(), None | Some("dsa")) && device.kind == 1 {
        let modes: Json = json!(["10baseT-H", "10baseT-F", "100baseT-H", "100baseT-F", "1000baseT-F"]);
        state["link-advertising"] = modes.clone();
        state["link-supported"] = modes.clone();
        state["link-partner-advertising"] = if device.carrier { modes } else { json!([]) };
        state["autoneg"] = true.into();
        if device.speed > 0 {
            state["speed"] = format!("{}F", device.speed).into();
        }
    }
    if !old {
        let devtype = if device.kind == 772 { "loopback" } else { device.devtype().unwrap_or("ethernet") };
        state["auth_status"] = false.into();
        state["devtype"] = devtype.into();
        if devtype == "dsa" {
            state["conduit"] = "eth0".into();
        }
    }
    let mut statistics = json!({
        "rx_compressed": 0, "tx_compressed": 0, "rx_crc_errors": 0, "rx_fifo_errors": 0, "rx_frame_errors": 0,
        "rx_length_errors": 0, "rx_missed_errors": 0, "rx_over_errors": 0, "tx_aborted_errors": 0, "tx_carrier_errors": 0,
        "tx_fifo_errors": 0, "tx_heartbeat_errors": 0, "tx_window_errors": 0,
    });
    for (name, _) in COUNTERS {
        statistics[name] = device.counter(name).into();
    }
    with(
        state,
        json!({
            "mtu": device.mtu, "mtu6": device.mtu, "macaddr": device.mac, "txqueuelen": 1000, "ipv6": true, "promisc": false,
            "rpfilter": 0, "acceptlocal": false, "igmpversion": 0, "mldversion": 0, "neigh4reachabletime": 30000,
            "neigh6reachabletime": 30000, "neigh4gcstaletime": 60, "neigh6gcstaletime": 60, "neigh4locktime": 100,
            "dadtransmits": 1, "multicast": true, "sendredirects": true, "statistics": statistics,
        }),
    )
}

/// `network.wireless status`
pub fn wireless(radios: &[Radio]) -> Json {
    let mut state = json!({});
    for radio in radios {
        let networks = radio.networks.iter().map(|network| {
            let mut one =
                json!({"section": network.section, "config": (network.config)(), "vlans": [], "stations": []});
            if let Some((ifname, _)) = network.device {
                one["ifname"] = ifname.into();
            }
            one
        });
        state[radio.section] = json!({
            "up": radio.up, "pending": false, "autostart": true, "disabled": radio.disabled,
            "retry_setup_failed": false, "config": (radio.config)(), "interfaces": networks.collect::<Vec<_>>(),
        });
    }
    state
}

/// `iwinfo info` of a network, or of the radio itself.
pub fn iwinfo_info(radio: &Radio, network: Option<&Network>) -> Json {
    let frequency = frequency(radio.channel);
    let mut info = json!({
        "phy": radio.phy, "country": radio.country, "mode": if network.is_some() { "Master" } else { "Unknown" },
        "channel": radio.channel, "frequency": frequency, "frequency_offset": 0, "txpower": radio.txpower,
        "txpower_offset": 0, "quality_max": 70, "noise": -91, "htmodes": radio.htmodes, "hwmodes": radio.hwmodes,
        "hwmode": radio.hwmodes.last(), "hwmodes_text": radio.hwmodes.join("/"), "htmode": radio.htmode,
        "hardware": {"id": [0, 0, 0, 0], "name": "Generic MAC80211"},
    });
    if let Some((network, (_, mac))) = network.and_then(|network| Some((network, network.device?))) {
        let signal = network.clients.iter().map(|client| client.signal).max();
        info = with(
            info,
            json!({
                "ssid": network.ssid, "bssid": mac.to_uppercase(), "center_chan1": radio.channel,
                "encryption": (network.encryption)(), "quality": signal.map_or(0, |signal| (signal + 110).clamp(0, 70)),
            }),
        );
        if let Some(best) = network.clients.iter().max_by_key(|client| client.signal) {
            info = with(info, json!({"signal": best.signal, "bitrate": best.rates.1}));
        }
    }
    info
}

fn frequency(channel: u32) -> u32 {
    match channel {
        14 => 2484,
        1..=13 => 2407 + 5 * channel,
        _ => 5000 + 5 * channel,
    }
}

/// `iwinfo freqlist`
pub fn iwinfo_freqlist(radio: &Radio) -> Json {
    let low = radio.channel <= 14;
    let channels: Vec<u32> = match (low, radio.country) {
        (true, "US") => (1..=11).collect(),
        (true, _) => (1..=13).collect(),
        (false, "US") => vec![36, 40, 44, 48, 52, 56, 60, 64, 149, 153, 157, 161, 165],
        (false, _) => (36..=64).step_by(4).chain((100..=140).step_by(4)).collect(),
    };
    let one = |channel: u32| {
        let radar: &[&str] = if (52..=144).contains(&channel) { &["RADAR"] } else { &[] };
        json!({"band": if low { 2 } else { 5 }, "channel": channel, "mhz": frequency(channel), "restricted": false,
            "active": channel == radio.channel, "flags": radar})
    };
    json!({"results": channels.into_iter().map(one).collect::<Vec<_>>()})
}

/// `iwinfo txpowerlist`
pub fn iwinfo_txpowerlist(radio: &Radio) -> Json {
    let most = if radio.channel <= 14 { 20 } else { 23 };
    let one = |dbm: u32| {
        let milliwatt = 10_f64.powf(f64::from(dbm) / 10.0).round();
        json!({"dbm": dbm, "mw": milliwatt as u32, "active": dbm == radio.txpower})
    };
    json!({"results": (0..=most).map(one).collect::<Vec<_>>()})
}

/// `iwinfo assoclist`
pub fn iwinfo_assoclist(network: &Network) -> Json {
    let one = |client: &Client| {
        let way = |rate: u32, number: u32| {
            json!({"packets": number, "bytes": 150 * number, "ht": false, "vht": false, "he": true, "he_gi": 0, "he_dcm": 0,
                "mhz": 80, "rate": rate, "mcs": 9, "nss": 2})
        };
        json!({
            "mac": client.mac.to_uppercase(), "signal": client.signal, "signal_avg": client.signal, "noise": -91,
            "inactive": 40, "connected_time": client.connected, "thr": client.rates.1 / 3, "authorized": true,
            "authenticated": true, "preamble": "short", "wme": true, "mfp": false, "tdls": false,
            "rx": with(way(client.rates.0, 7000 + client.connected), json!({"drop_misc": 1})),
            "tx": with(way(client.rates.1, 9000 + client.connected), json!({"failed": 2, "retries": 5})),
        })
    };
    json!({"results": network.clients.iter().map(one).collect::<Vec<_>>()})
}

/// `hostapd.DEVICE get_clients`
pub fn hostapd_clients(radio: &Radio, network: &Network) -> Json {
    let mut clients = json!({});
    for (number, client) in network.clients.iter().enumerate() {
        let (packets_in, packets_out) = (7000 + client.connected, 9000 + client.connected);
        clients[client.mac] = json!({
            "auth": true, "assoc": true, "authorized": true, "preauth": false, "wds": false, "wmm": true, "ht": true,
            "vht": true, "he": true, "wps": false, "mfp": false, "aid": number + 1, "signature": "",
            "bytes": {"rx": 150 * packets_in, "tx": 150 * packets_out}, "airtime": {"rx": 0, "tx": 0},
            "packets": {"rx": packets_in, "tx": packets_out}, "rate": {"rx": client.rates.0, "tx": client.rates.1},
            "signal": client.signal, "capabilities": {},
        });
    }
    json!({"freq": frequency(radio.channel), "clients": clients})
}

/// `hostapd.DEVICE get_status`
pub fn hostapd_status(radio: &Radio, network: &Network) -> Json {
    let (device, mac) = network.device.unwrap();
    json!({"status": "ENABLED", "bssid": mac, "ssid": network.ssid, "freq": frequency(radio.channel), "channel": radio.channel,
        "op_class": if radio.channel <= 14 { 81 } else { 128 }, "beacon_interval": 100, "phy": device,
        "driver": {"ap_mode": true}})
}
