//! What the router says of its radios and wireless interfaces now.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::PACKAGE;
use crate::device::net;
use crate::error::Result;
use crate::model::context::{Context, Row, RowId};
use crate::sorted::Map;

/// The state of all radios (`ubus call network.wireless status`).
pub(super) struct Wireless {
    /// By the name of the section; `None` when netifd did not answer.
    radios: Option<Map<String, RadioState>>,
    /// The network device of an interface, by the name of its section or by `@wifi-iface[n]` where it has none.
    devices: Map<String, String>,
}

/// The state of a radio.
#[derive(Clone, Debug, Default)]
pub(super) struct RadioState {
    pub(super) up: bool,
    pub(super) pending: bool,
    pub(super) disabled: bool,
    pub(super) failed: bool,
    /// The network devices of its interfaces that are up.
    pub(super) devices: Vec<String>,
}

impl Wireless {
    /// Whether netifd answered.
    pub(super) fn known(&self) -> bool {
        self.radios.is_some()
    }

    /// The state of a radio, if netifd has it.
    pub(super) fn radio(&self, name: &str) -> Option<&RadioState> {
        self.radios.as_ref()?.get(name)
    }
}

/// The state of all radios, asked for once a request.
pub(super) fn wireless(cx: &mut Context) -> Result<Rc<Wireless>> {
    cx.memo("network.wireless", |cx| {
        let Ok(reply) = cx.ubus("network.wireless", "status", &json!({})) else {
            return Ok(Wireless { radios: None, devices: Map::new() });
        };
        let mut radios = Map::new();
        let mut devices = Map::new();
        for (name, state) in reply.as_object().into_iter().flatten() {
            let mut radio = RadioState {
                up: net::truth(state, "up"),
                pending: net::truth(state, "pending"),
                disabled: net::truth(state, "disabled"),
                failed: net::truth(state, "retry_setup_failed"),
                devices: Vec::new(),
            };
            for interface in net::items(state, "interfaces") {
                let Some(device) = net::text(interface, "ifname").filter(|name| net::is_device_name(name)) else {
                    continue;
                };
                radio.devices.push(String::from(device));
                if let Some(section) = net::text(interface, "section") {
                    devices.insert(String::from(section), String::from(device));
                }
            }
            radios.insert(name.clone(), radio);
        }
        Ok(Wireless { radios: Some(radios), devices })
    })
}

/// The network device of the `wifi-iface` section of a row, while it is up.
pub(super) fn device(cx: &mut Context, row: &Row) -> Result<Option<String>> {
    let wireless = wireless(cx)?;
    let &RowId::Section(id) = row.id() else { return Ok(None) };
    let Some(section) = cx.package(PACKAGE)?.section(id) else { return Ok(None) };
    if let Some(device) = section.name().and_then(|name| wireless.devices.get(name)) {
        return Ok(Some(device.clone()));
    }
    // netifd calls a section without a name by its place; it may have got its name since.
    Ok(wireless.devices.get(&format!("@wifi-iface[{}]", section.index())).cloned())
}

/// What the driver says of a radio or wireless device; null where it says nothing.
pub(super) fn info(cx: &mut Context, device: &str) -> Rc<Json> {
    cx.ubus("iwinfo", "info", &json!({ "device": device })).unwrap_or_default()
}

/// The items of a list that the driver has of a radio or wireless device (`freqlist`, `txpowerlist`, `assoclist`).
pub(super) fn list(cx: &mut Context, method: &str, device: &str) -> Vec<Json> {
    let reply = cx.ubus("iwinfo", method, &json!({ "device": device })).unwrap_or_default();
    net::items(&reply, "results").to_vec()
}

/// A number in a JSON object.
pub(super) fn number(json: &Json, member: &str) -> Option<i64> {
    json.get(member)?.as_i64()
}
