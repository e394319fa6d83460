//! What the kernel and netifd say of network devices and interfaces, for the tables that stand on them.
//!
//! Devices come from sysfs, interfaces from one `network.interface dump`. What cannot be read is an absence and never an error: a router in
//! trouble still shows the rest of its tree.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::error::{Fault, Result};
use crate::model::access::full_name;
use crate::model::context::{Context, Row};
use crate::model::schema::{Notification, Parameter, Text, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING, Type, UNSIGNED_INT, UNSIGNED_LONG};
use crate::sorted::Map;
use crate::time::UtcTime;

/// `Status` of an interface object (TR-181, any interface object).
pub const INTERFACE_STATUS: Type =
    STRING.values(&["Up", "Down", "Unknown", "Dormant", "NotPresent", "LowerLayerDown", "Error"]);

/// `LowerLayers`: interface objects of any kind.
pub const LOWER_LAYERS: Type = STRING.strong(&[]).list_within((0, u32::MAX), 1024);

/// The state of every logical interface, by its UCI name.
#[derive(Debug)]
pub struct Interfaces(Map<String, Json>);

impl Interfaces {
    /// What netifd says of an interface; null where it says nothing.
    #[must_use]
    pub fn get(&self, name: &str) -> &Json {
        self.0.get(name).unwrap_or(&Json::Null)
    }

    /// What netifd says of an interface, and of those that its protocol has made on it, such as `wan_6` for the IPv6 of a PPPoE `wan`.
    pub fn family<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Json> {
        let made = self.0.iter().filter(move |(other, state)| {
            let tail = other.strip_prefix(name).and_then(|tail| tail.strip_prefix('_'));
            tail.is_some() && truth(state, "dynamic")
        });
        self.0.get(name).into_iter().chain(made.map(|(_, state)| state))
    }

    /// All interfaces, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, state)| (name.as_str(), state))
    }

    /// Whether netifd answered at all.
    #[must_use]
    pub fn known(&self) -> bool {
        !self.0.is_empty()
    }
}

/// The state of every logical interface (`ubus call network.interface dump`), asked for once a request.
///
/// # Errors
/// None that a caller has to expect: without ubus nothing is known.
pub fn interfaces(cx: &mut Context) -> Result<Rc<Interfaces>> {
    cx.memo("network.interface", |cx| {
        let reply = cx.ubus("network.interface", "dump", &json!({})).unwrap_or_default();
        let found = reply.get("interface").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let by_name = found.iter().filter_map(|state| Some((String::from(text(state, "interface")?), state.clone())));
        Ok(Interfaces(by_name.collect()))
    })
}

/// The state of every network device (`ubus call network.device status`), asked for once a request; null without ubus.
pub fn devices(cx: &mut Context) -> Rc<Json> {
    cx.ubus("network.device", "status", &json!({})).unwrap_or_default()
}

/// A text member of a JSON object, if it is there and not empty.
#[must_use]
pub fn text<'a>(json: &'a Json, member: &str) -> Option<&'a str> {
    json.get(member).and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// Whether a member of a JSON object is `true`.
#[must_use]
pub fn truth(json: &Json, member: &str) -> bool {
    json.get(member).and_then(Json::as_bool).unwrap_or(false)
}

/// The items of an array member of a JSON object.
#[must_use]
pub fn items<'a>(json: &'a Json, member: &str) -> &'a [Json] {
    json.get(member).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether a name can be that of a network device; what comes from a file must not lead out of `/sys/class/net`.
#[must_use]
pub fn is_device_name(name: &str) -> bool {
    !name.is_empty() && name.len() < 64 && name != "." && name != ".." && !name.contains(['/', '\0', ' ', '@'])
}

/// The first line of `/sys/class/net/DEVICE/FILE`; `None` where there is no such thing.
pub fn sysfs(cx: &mut Context, device: &str, file: &str) -> Option<Rc<str>> {
    if !is_device_name(device) {
        return None;
    }
    cx.file(&format!("/sys/class/net/{device}/{file}")).ok()
}

/// Whether the kernel has a network device of this name.
pub fn device_exists(cx: &mut Context, device: &str) -> bool {
    cx.directory("/sys/class/net").iter().any(|name| name == device)
}

/// The MAC address of a network device; empty where it has none.
pub fn mac(cx: &mut Context, device: &str) -> String {
    sysfs(cx, device, "address").filter(|mac| mac.len() == 17).map_or_else(String::new, |mac| String::from(&*mac))
}

/// The status of a network device: what its carrier says.
pub fn device_status(cx: &mut Context, device: &str) -> &'static str {
    if !device_exists(cx, device) {
        return "NotPresent";
    }
    // The carrier of a device that is switched off cannot be read.
    match sysfs(cx, device, "carrier").as_deref() {
        Some("1") => match sysfs(cx, device, "operstate").as_deref() {
            Some("dormant") => "Dormant",
            _ => "Up",
        },
        Some("0") => "Down",
        _ => match sysfs(cx, device, "operstate").as_deref() {
            Some("up") => "Up",
            Some("unknown") => "Unknown",
            _ => "Down",
        },
    }
}

/// When something was first seen in the state that it is in.
struct Stamp {
    state: String,
    since: Duration,
}

/// How many things have a stamp at most.
const STAMPS: usize = 512;

/// The kernel does not say when a link changed, so the agent remembers what it saw.
static STAMPS_SEEN: Mutex<Map<String, Stamp>> = Mutex::new(Map::new());

/// What one request was told of `LastChange`, by thing.
type Told = RefCell<Map<String, u64>>;

/// Seconds since something (such as `Device.Ethernet.Interface.lan1`) was first seen in its present state; what was never seen before has
/// been so since the boot. For `LastChange`. The same in every pass over a request, since the second has to be as long as the first.
pub fn seconds_in_state(cx: &mut Context, thing: &str, state: &str) -> u64 {
    let Ok(told) = cx.memo::<Told>("seconds in state", |_| Ok(RefCell::default())) else { return 0 };
    let known = told.borrow().get(thing).copied();
    known.unwrap_or_else(|| {
        let seconds = seconds_until(cx.system().monotonic(), thing, state);
        told.borrow_mut().insert(String::from(thing), seconds);
        seconds
    })
}

fn seconds_until(now: Duration, thing: &str, state: &str) -> u64 {
    let mut seen = STAMPS_SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stamp) = seen.get_mut(thing) {
        if stamp.state != state {
            *stamp = Stamp { state: String::from(state), since: now };
        }
        return now.saturating_sub(stamp.since).as_secs();
    }
    if seen.len() < STAMPS {
        seen.insert(String::from(thing), Stamp { state: String::from(state), since: Duration::ZERO });
    }
    now.as_secs()
}

/// `LastChange` of a network device: its carrier is counted by the kernel, so that a short break is not overlooked.
pub fn device_last_change(cx: &mut Context, table: &str, device: &str, status: &str) -> Text {
    let changes = sysfs(cx, device, "carrier_changes").unwrap_or_default();
    let seconds = seconds_in_state(cx, &format!("{table}{device}"), &format!("{status} {changes}"));
    Text::Owned(seconds.min(u64::from(u32::MAX)).to_string())
}

/// Lasting for ever, as a moment (CONFORMANCE J-02).
pub const FOR_EVER: &str = "9999-12-31T23:59:59Z";

/// The moment so many seconds from now, the same in every pass over a request; for ever where there is no end, unknown without a clock.
///
/// # Errors
/// None that a caller has to expect.
pub fn moment(cx: &mut Context, seconds: Option<u64>) -> Result<Text> {
    let Some(seconds) = seconds else { return Ok(Text::Borrowed(FOR_EVER)) };
    if !cx.facts().clock_known {
        return Ok(Text::Borrowed(crate::model::value::UNKNOWN_TIME));
    }
    let now = cx.memo("moment", |cx| Ok(UtcTime::from(cx.system().wall_clock()).whole_seconds()))?;
    Ok(Text::Owned(now.plus(Duration::from_secs(seconds)).to_string()))
}

/// The network device that the counters of a row belong to; `None` where there is none now.
///
/// Tables whose rows have a key that is the device's name need nothing; others name their function here.
fn device_of(cx: &mut Context, row: &Row) -> Option<String> {
    let schema = cx.schema().clone();
    let path = schema.node(row.node()).object.map(|object| object.path)?;
    match path {
        "Device.WiFi.SSID.{i}." => super::wifi::device_of(cx, row),
        "Device.IP.Interface.{i}." => super::ip::interface::device(cx, row),
        "Device.PPP.Interface.{i}." => super::ppp::device(cx, row),
        "Device.Cellular.Interface.{i}." => super::cellular::device(cx, row),
        "Device.Bridging.Bridge.{i}.Port.{i}." => super::bridging::device_of_port(cx, row),
        _ => cx.key(row).ok(),
    }
}

/// A counter of the device of a row (`/sys/class/net/DEVICE/statistics/NAME`) since its `Stats.Reset`; 0 where there is no such device or counter.
pub fn counter(cx: &mut Context, row: &Row, name: &str) -> u64 {
    device_of(cx, row).map_or(0, |device| since_reset(cx, row, &[device], name))
}

/// What `Stats.Reset` begins anew.
const COUNTERS: [&str; 10] = [
    "tx_bytes",
    "rx_bytes",
    "tx_packets",
    "rx_packets",
    "tx_errors",
    "rx_errors",
    "tx_dropped",
    "rx_dropped",
    "multicast",
    "rx_nohandler",
];

/// The parameter, as it is called from the row; what the counters were then is kept under its name.
const RESET_NAME: &str = "Stats.Reset";

/// A counter of devices that a row counts as one, since its `Stats.Reset`.
pub fn since_reset(cx: &mut Context, row: &Row, devices: &[String], name: &str) -> u64 {
    let now = added_up(cx, devices, name);
    let mark = full_name(cx, row.node(), row, RESET_NAME);
    let Some(kept) = cx.own(&mark) else { return now };
    let mut words = kept.split(' ');
    // A device that was made anew, or a router that was, counts from the beginning by itself.
    if words.next() != Some(births(cx, devices).as_str()) {
        return now;
    }
    let then = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok()).unwrap_or(0);
    now.checked_sub(then).unwrap_or(now)
}

/// Begins the counters of a row anew. Those of the kernel go on, so that what they are now is kept, to be taken off.
pub fn reset(cx: &mut Context, row: &Row, devices: &[String]) {
    let mut kept = births(cx, devices);
    for name in COUNTERS {
        // Writing into a text does not fail.
        let _ = write!(kept, " {name}={}", added_up(cx, devices, name));
    }
    let name = full_name(cx, row.node(), row, RESET_NAME);
    cx.set_own(&name, Some(&kept));
}

fn added_up(cx: &mut Context, devices: &[String], name: &str) -> u64 {
    devices.iter().fold(0_u64, |sum, device| sum.wrapping_add(device_counter(cx, device, name)))
}

/// By what devices are told from others of their names, with counters of their own: the boot, and the numbers that the kernel has given them.
fn births(cx: &mut Context, devices: &[String]) -> String {
    let mut births = String::from(&*cx.file("/proc/sys/kernel/random/boot_id").unwrap_or_default());
    for device in devices {
        let _ = write!(births, ",{device}/{}", sysfs(cx, device, "ifindex").unwrap_or_default());
    }
    births
}

/// A counter of a device; 0 where there is none.
pub fn device_counter(cx: &mut Context, device: &str, name: &str) -> u64 {
    sysfs(cx, device, &format!("statistics/{name}")).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A 64 bit counter as a value.
fn long(value: u64) -> Result<Text> {
    Ok(Text::Owned(value.to_string()))
}

/// A 32 bit counter as a value; it wraps as the counter of a smaller kernel would.
#[allow(clippy::cast_possible_truncation)]
fn short(value: u64) -> Result<Text> {
    Ok(Text::Owned((value as u32).to_string()))
}

/// `Stats.BytesSent`
pub const BYTES_SENT: Parameter = stat("BytesSent", UNSIGNED_LONG, |cx, row| long(counter(cx, row, "tx_bytes")));
/// `Stats.BytesReceived`
pub const BYTES_RECEIVED: Parameter =
    stat("BytesReceived", UNSIGNED_LONG, |cx, row| long(counter(cx, row, "rx_bytes")));
/// `Stats.PacketsSent`
pub const PACKETS_SENT: Parameter = stat("PacketsSent", UNSIGNED_LONG, |cx, row| long(counter(cx, row, "tx_packets")));
/// `Stats.PacketsReceived`
pub const PACKETS_RECEIVED: Parameter =
    stat("PacketsReceived", UNSIGNED_LONG, |cx, row| long(counter(cx, row, "rx_packets")));
/// `Stats.ErrorsSent`
pub const ERRORS_SENT: Parameter = stat("ErrorsSent", UNSIGNED_INT, |cx, row| short(counter(cx, row, "tx_errors")));
/// `Stats.ErrorsReceived`
pub const ERRORS_RECEIVED: Parameter =
    stat("ErrorsReceived", UNSIGNED_INT, |cx, row| short(counter(cx, row, "rx_errors")));
/// `Stats.UnicastPacketsSent`: the kernel does not tell kinds of sent packets apart, so that these are all of them.
pub const UNICAST_PACKETS_SENT: Parameter =
    stat("UnicastPacketsSent", UNSIGNED_LONG, |cx, row| long(counter(cx, row, "tx_packets")));
/// `Stats.UnicastPacketsReceived`
pub const UNICAST_PACKETS_RECEIVED: Parameter = stat("UnicastPacketsReceived", UNSIGNED_LONG, |cx, row| {
    let all = counter(cx, row, "rx_packets");
    long(all.saturating_sub(counter(cx, row, "multicast")))
});
/// `Stats.DiscardPacketsSent`
pub const DISCARD_PACKETS_SENT: Parameter =
    stat("DiscardPacketsSent", UNSIGNED_INT, |cx, row| short(counter(cx, row, "tx_dropped")));
/// `Stats.DiscardPacketsReceived`
pub const DISCARD_PACKETS_RECEIVED: Parameter =
    stat("DiscardPacketsReceived", UNSIGNED_INT, |cx, row| short(counter(cx, row, "rx_dropped")));
/// `Stats.MulticastPacketsSent`: not counted by the kernel.
pub const MULTICAST_PACKETS_SENT: Parameter = stat("MulticastPacketsSent", UNSIGNED_LONG, |_, _| long(0));
/// `Stats.MulticastPacketsReceived`
pub const MULTICAST_PACKETS_RECEIVED: Parameter =
    stat("MulticastPacketsReceived", UNSIGNED_LONG, |cx, row| long(counter(cx, row, "multicast")));
/// `Stats.BroadcastPacketsSent`: not counted by the kernel.
pub const BROADCAST_PACKETS_SENT: Parameter = stat("BroadcastPacketsSent", UNSIGNED_LONG, |_, _| long(0));
/// `Stats.BroadcastPacketsReceived`: counted by the kernel among the multicast packets.
pub const BROADCAST_PACKETS_RECEIVED: Parameter = stat("BroadcastPacketsReceived", UNSIGNED_LONG, |_, _| long(0));
/// `Stats.UnknownProtoPacketsReceived`
pub const UNKNOWN_PROTO_PACKETS_RECEIVED: Parameter =
    stat("UnknownProtoPacketsReceived", UNSIGNED_INT, |cx, row| short(counter(cx, row, "rx_nohandler")));

/// `Stats.Reset`
pub const RESET: Parameter = rw("Reset", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), reset_row)).command();

fn reset_row(cx: &mut Context, row: &Row, _: &str) -> Result<(), Fault> {
    if let Some(device) = device_of(cx, row) {
        reset(cx, row, &[device]);
    }
    Ok(())
}

const fn stat(name: &'static str, value: Type, read: crate::model::schema::Get) -> Parameter {
    ro(name, value, get(read)).notification(Notification::CanDeny)
}

/// The counters that every interface object has in its `Stats.`
pub const STATS: &[Parameter] = &[
    BYTES_SENT,
    BYTES_RECEIVED,
    PACKETS_SENT,
    PACKETS_RECEIVED,
    ERRORS_SENT,
    ERRORS_RECEIVED,
    UNICAST_PACKETS_SENT,
    UNICAST_PACKETS_RECEIVED,
    DISCARD_PACKETS_SENT,
    DISCARD_PACKETS_RECEIVED,
    MULTICAST_PACKETS_SENT,
    MULTICAST_PACKETS_RECEIVED,
    BROADCAST_PACKETS_SENT,
    BROADCAST_PACKETS_RECEIVED,
    UNKNOWN_PROTO_PACKETS_RECEIVED,
    RESET,
];
