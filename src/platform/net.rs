//! The addresses of a logical interface such as `wan`.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{InterfaceAddress, System};

/// A logical interface as it is now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InterfaceState {
    /// Whether it carries traffic.
    pub up: bool,
    /// Whether netifd says so; settings and kernel cannot tell for an interface that is not static.
    pub certain: bool,
    /// The kernel's name of the device with the addresses, such as `pppoe-wan`.
    pub device: Option<String>,
    /// Its addresses, as the source lists them; link-local ones come last.
    pub addresses: Vec<IpAddr>,
    /// Seconds since it came up, where that is known.
    pub uptime: Option<u64>,
}

/// Looks up a logical interface: with netifd over ubus, else in the settings and the kernel. A device of the kernel may be named as
/// well. What nobody knows is down and has no addresses.
pub fn interface_state(system: &dyn System, name: &str) -> InterfaceState {
    let status = system.ubus_call(&format!("network.interface.{name}"), "status", &json!({}));
    let found = status.ok().map(|status| {
        let mut state = from_netifd(&status);
        // Mobile protocols, and PPP for IPv6, leave the addresses to another interface on the same device.
        let device = state.device.as_deref().filter(|_| state.up && state.addresses.is_empty());
        if let Some(kernel) = device.and_then(|device| from_kernel(system, device)) {
            state.addresses = kernel.addresses;
        }
        state
    });
    let mut state =
        found.or_else(|| from_settings(system, name)).or_else(|| from_kernel(system, name)).unwrap_or_default();
    // A person who looks for an address wants one that works from afar.
    state.addresses.sort_by_key(|address| is_link_local(*address));
    state.addresses.dedup();
    state
}

/// What `network.interface.NAME status` says.
fn from_netifd(status: &Value) -> InterfaceState {
    let device = status.get("l3_device").or_else(|| status.get("device")).and_then(Value::as_str);
    let of = |list: &str, address: &str| -> Vec<IpAddr> {
        let entries = status.get(list).and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(|entry| entry.pointer(address)?.as_str()?.parse().ok()).collect()
    };
    let mut addresses = of("ipv4-address", "/address");
    addresses.extend(of("ipv6-address", "/address"));
    addresses.extend(of("ipv6-prefix-assignment", "/local-address/address"));
    InterfaceState {
        up: status.get("up").and_then(Value::as_bool).unwrap_or(false),
        certain: true,
        device: device.map(str::to_owned),
        addresses,
        uptime: status.get("uptime").and_then(Value::as_u64),
    }
}

/// What `network.NAME` and the kernel say. An interface with a static address is up as far as anybody can tell.
fn from_settings(system: &dyn System, name: &str) -> Option<InterfaceState> {
    let package = system.load_package("network").ok()?;
    let section = package.find(name).filter(|section| section.kind() == "interface" && section.name() == Some(name))?;
    // Before 21.02 the device was called ifname.
    let device = section
        .list("device")
        .first()
        .or(section.list("ifname").first())
        .and_then(|list| list.split_whitespace().next());
    let disabled = section.get("disabled") == Some("1");
    let mut addresses = Vec::new();
    if section.get("proto") == Some("static") && !disabled {
        for list in [section.list("ipaddr"), section.list("ip6addr")] {
            let plain = list
                .iter()
                .flat_map(|item| item.split_whitespace())
                .filter_map(|item| item.split('/').next()?.parse().ok());
            addresses.extend::<Vec<IpAddr>>(plain.collect());
        }
    }
    let mut up = !addresses.is_empty();
    if let Some(device) = device {
        if let Some(kernel) = from_kernel(system, device) {
            up = kernel.up && !disabled;
            addresses.extend(
                kernel.addresses.into_iter().filter(|address| !addresses.contains(address)).collect::<Vec<_>>(),
            );
        }
    }
    Some(InterfaceState { up, certain: false, device: device.map(str::to_owned), addresses, uptime: None })
}

/// What the kernel knows of a device; it is up when it has an address.
fn from_kernel(system: &dyn System, device: &str) -> Option<InterfaceState> {
    let all = system.addresses();
    let own = all.into_iter().filter(|entry| entry.interface == device);
    let addresses: Vec<IpAddr> = own.map(|InterfaceAddress { address, .. }| address).collect();
    if addresses.is_empty() {
        return None;
    }
    Some(InterfaceState { up: true, certain: false, device: Some(device.to_owned()), addresses, uptime: None })
}

/// Whether an address is good for one link only (RFC 3927, RFC 4291 2.5.6).
#[must_use]
pub fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
