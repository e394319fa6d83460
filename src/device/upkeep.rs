//! What has to be done again and again for something that OpenWrt has no option for.

use std::time::SystemTime;

use super::device_info::FIRST_USE_DATE;
use super::{ethernet, ip, lease, neighbor_discovery, net};
use crate::error::Result;
use crate::model::context::Context;
use crate::time::UtcTime;

/// The flag of a device that is switched on, in `/sys/class/net/DEVICE/flags` (IFF_UP of the kernel).
const UP: u32 = 1;

/// The programs that switch off what the ACS has switched off and a boot or netifd has switched on.
pub fn programs(cx: &mut Context) -> Vec<Vec<String>> {
    let mut programs = Vec::new();
    let mut add = |argv: &[&str]| programs.push(argv.iter().copied().map(String::from).collect());
    for device in ethernet::switched_off(cx) {
        let flags = net::sysfs(cx, &device, "flags").unwrap_or_default();
        let flags = flags.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if flags.is_some_and(|flags| flags & UP != 0) {
            add(&ethernet::switch(&device, false));
        }
    }
    if ip::ipv6_switched_off(cx) {
        let is_off = cx.file("/proc/sys/net/ipv6/conf/all/disable_ipv6").is_ok_and(|value| &*value == "1");
        if !is_off {
            add(&ip::ipv6_switch(false));
        }
    }
    programs.extend(neighbor_discovery::programs(cx).into_iter().map(Vec::from));
    programs
}

/// What of the network the ACS has switched off.
#[derive(Default)]
pub struct Switches {
    ports: Vec<String>,
    ipv6: bool,
}

/// What of the network the ACS has switched off.
pub fn switches(cx: &mut Context) -> Switches {
    Switches { ports: ethernet::switched_off(cx), ipv6: ip::ipv6_switched_off(cx) }
}

/// The programs that switch on again what is not to be off any more.
#[must_use]
pub fn switched_back(before: &Switches, now: &Switches) -> Vec<Vec<String>> {
    let mut programs = Vec::new();
    let mut add = |argv: &[&str]| programs.push(argv.iter().copied().map(String::from).collect());
    for device in before.ports.iter().filter(|device| !now.ports.contains(device)) {
        add(&ethernet::switch(device, true));
    }
    if before.ipv6 && !now.ipv6 {
        add(&ip::ipv6_switch(true));
    }
    programs
}

/// The rows whose time is over, to be deleted, and when the next one is.
///
/// # Errors
/// When the configuration behind them cannot be read.
pub fn expired(cx: &mut Context, now: SystemTime) -> Result<(Vec<String>, Option<SystemTime>)> {
    lease::expired(cx, now)
}

/// Lets what has a lease follow a clock that was set; whether anything did.
pub fn follow_clock(cx: &mut Context) -> bool {
    lease::follow_clock(cx).unwrap_or(false)
}

/// Notes the first time that the clock was known (`Device.DeviceInfo.FirstUseDate`).
pub fn note_first_use(cx: &mut Context, now: UtcTime) -> bool {
    let first = cx.own(FIRST_USE_DATE).is_none();
    if first {
        cx.set_own(FIRST_USE_DATE, Some(&now.whole_seconds().to_string()));
    }
    first
}
