//! Which values have changed since the ACS was last told them (TR-069a6 3.7.1.4, A.3.2.4; CONFORMANCE section 11).
//!
//! Values are compared as the ACS reads them, so that a password, which reads as an empty string, leaves no trace here.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::soap::rpc::ParameterValue;

/// The Notification attribute (TR-069a6 A.3.2.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(u8)]
pub enum Notification {
    /// 0: changes are not told.
    #[default]
    Off = 0,
    /// 1: told in the next Inform.
    Passive = 1,
    /// 2: a session is started to tell it.
    Active = 2,
    /// 3: told in the next lightweight message.
    PassiveLightweight = 3,
    /// 4: told in the next Inform and in the next lightweight message.
    PassiveAndPassiveLightweight = 4,
    /// 5: a lightweight message is sent to tell it.
    ActiveLightweight = 5,
    /// 6: told in the next Inform, and a lightweight message is sent to tell it.
    PassiveAndActiveLightweight = 6,
}

impl Notification {
    /// All values in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Off,
        Self::Passive,
        Self::Active,
        Self::PassiveLightweight,
        Self::PassiveAndPassiveLightweight,
        Self::ActiveLightweight,
        Self::PassiveAndActiveLightweight,
    ];

    /// The value of a number from 0 to 6.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|number| Self::ALL.get(number).copied())
    }

    /// 0 to 6
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Whether a change is told this way.
    #[must_use]
    pub fn tells(self, way: Way) -> bool {
        match way {
            Way::Inform => matches!(
                self,
                Self::Passive | Self::Active | Self::PassiveAndPassiveLightweight | Self::PassiveAndActiveLightweight
            ),
            Way::Lightweight => self.number() >= Self::PassiveLightweight.number(),
        }
    }

    /// Whether a change is told this way at once.
    fn is_active(self, way: Way) -> bool {
        match way {
            Way::Inform => self == Self::Active,
            Way::Lightweight => matches!(self, Self::ActiveLightweight | Self::PassiveAndActiveLightweight),
        }
    }
}

/// A way on which changes are told to the ACS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// In the Inform of a session.
    Inform,
    /// In a lightweight notification (TR-069a6 Annex M).
    Lightweight,
}

/// A parameter whose changes are told, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'a> {
    /// The full name.
    pub name: &'a str,
    /// The value as the ACS reads it.
    pub value: &'a str,
    /// Its attribute; one that is not told in the way in question is passed over.
    pub notification: Notification,
}

/// What [`Told::compare`] found.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Changes {
    /// The names of the changed parameters, each once, in the order in which they were looked at.
    pub names: Vec<String>,
    /// Whether one of them is to be told at once: in a session (CONFORMANCE N-02), or in a lightweight message (N-10).
    pub active: bool,
}

/// The value of each watched parameter that the ACS was last told in one way, as a hash. It is kept over reboots (CONFORMANCE N-08).
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
pub struct Told {
    /// A tree, because all parameters of a large model may come into it one by one.
    #[serde(default)]
    values: BTreeMap<String, Hash>,
    #[serde(skip)]
    changed: bool,
}

impl Told {
    /// The parameters whose value is not the one that the ACS was last told (CONFORMANCE N-01 to N-03, N-08). A parameter that is seen for the
    /// first time counts as told: the ACS has not known it yet. What changed and changed back is not a change (N-06).
    pub fn compare<'a>(&mut self, way: Way, parameters: &mut dyn Iterator<Item = Watched<'a>>) -> Changes {
        let mut changes = Changes::default();
        for parameter in parameters.filter(|parameter| parameter.notification.tells(way)) {
            let now = Hash::of(parameter.value);
            match self.values.get(parameter.name) {
                Some(told) if *told == now => {}
                Some(_) => {
                    changes.names.push(parameter.name.into());
                    changes.active |= parameter.notification.is_active(way);
                }
                None => self.set(parameter.name, now),
            }
        }
        changes
    }

    /// The Inform with these parameters was answered with an InformResponse (CONFORMANCE N-05), or the lightweight message, which nobody answers,
    /// is on its way.
    pub fn acknowledge(&mut self, sent: &[ParameterValue]) {
        for parameter in sent {
            self.set_by_acs(&parameter.name, &parameter.value.text);
        }
    }

    /// The ACS itself has set this parameter, or changed it with AddObject or DeleteObject, so that it is not told of it (CONFORMANCE N-04, P-10).
    /// `value` is the one that the parameter reads as from now on, which need not be spelled as in the request.
    pub fn set_by_acs(&mut self, name: &str, value: &str) {
        if self.values.contains_key(name) {
            self.set(name, Hash::of(value));
        }
    }

    /// The Notification attribute was switched on: changes count from the present value on (CONFORMANCE N-09), whatever the ACS was told when it
    /// was on before. Not for a change from passive to active, which keeps what has not been told yet.
    pub fn watch(&mut self, name: &str, value: &str) {
        self.set(name, Hash::of(value));
    }

    /// Forgets all parameters but these: the Notification attribute of the others was switched off, or their object was deleted (CONFORMANCE
    /// P-57).
    pub fn keep_only(&mut self, keep: &mut dyn FnMut(&str) -> bool) {
        let before = self.values.len();
        self.values.retain(|name, _| keep(name));
        self.changed |= self.values.len() != before;
    }

    /// Another ACS is responsible, which has not been told anything.
    pub fn clear(&mut self) {
        self.changed |= !self.values.is_empty();
        self.values.clear();
    }

    /// Whether something changed that is to be saved.
    #[must_use]
    pub fn must_persist(&self) -> bool {
        self.changed
    }

    /// It has been saved as it stands.
    pub fn persisted(&mut self) {
        self.changed = false;
    }

    fn set(&mut self, name: &str, value: Hash) {
        if self.values.get(name) != Some(&value) {
            self.values.insert(name.into(), value);
            self.changed = true;
        }
    }
}

/// The 64-bit FNV-1a hash of a value; sixteen hexadecimal digits in JSON, whose numbers are not exact to 64 bits everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Hash(u64);

impl Hash {
    fn of(value: &str) -> Self {
        let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(value.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::rpc::Value;

    const ADDRESS: &str = "Device.IP.Interface.1.IPv4Address.1.IPAddress";
    const VERSION: &str = "Device.DeviceInfo.SoftwareVersion";

    fn compare(told: &mut Told, address: &str, version: &str) -> Changes {
        let address = Watched { name: ADDRESS, value: address, notification: Notification::Passive };
        let version = Watched { name: VERSION, value: version, notification: Notification::Active };
        told.compare(Way::Inform, &mut [address, version].into_iter())
    }

    fn changes(names: &[&str], active: bool) -> Changes {
        Changes { names: names.iter().map(|name| (*name).into()).collect(), active }
    }

    fn sent(name: &str, value: &str) -> Vec<ParameterValue> {
        vec![ParameterValue { name: name.into(), value: Value { kind: None, text: value.into() } }]
    }

    #[test]
    fn n01_n02_passive_and_active_changes() {
        let mut told = Told::default();
        assert_eq!(compare(&mut told, "192.0.2.1", "1"), Changes::default(), "first seen, so nothing to tell");
        assert_eq!(compare(&mut told, "192.0.2.2", "1"), changes(&[ADDRESS], false));
        assert_eq!(compare(&mut told, "192.0.2.2", "2"), changes(&[ADDRESS, VERSION], true));
    }

    #[test]
    fn n03_n05_only_an_acknowledgement_of_the_newest_value_ends_a_change() {
        let mut told = Told::default();
        compare(&mut told, "a", "1");
        for address in ["b", "c", "d"] {
            assert_eq!(compare(&mut told, address, "1"), changes(&[ADDRESS], false));
        }
        told.acknowledge(&sent(ADDRESS, "c"));
        assert_eq!(compare(&mut told, "d", "1"), changes(&[ADDRESS], false), "changed again after the Inform went out");
        told.acknowledge(&sent(ADDRESS, "d"));
        assert_eq!(compare(&mut told, "d", "1"), Changes::default());
    }

    #[test]
    fn n04_p10_the_acs_is_not_told_what_it_set_itself() {
        let mut told = Told::default();
        compare(&mut told, "a", "1");
        told.set_by_acs(ADDRESS, "b");
        told.set_by_acs("Device.Unwatched", "x");
        assert_eq!(compare(&mut told, "b", "1"), Changes::default());
        assert_eq!(compare(&mut told, "c", "1"), changes(&[ADDRESS], false));
        assert_eq!(told.values.len(), 2);
    }

    #[test]
    fn n06_a_value_that_changed_back_is_not_told() {
        let mut told = Told::default();
        compare(&mut told, "a", "1");
        compare(&mut told, "b", "1");
        assert_eq!(compare(&mut told, "a", "1"), Changes::default());
    }

    #[test]
    fn n08_changes_over_a_reboot_are_found() {
        let mut told = Told::default();
        compare(&mut told, "a", "1");
        let json = serde_json::to_string(&told).unwrap();
        assert!(json.contains(r#""Device.DeviceInfo.SoftwareVersion":"af63ac4c86019afc""#), "{json}");
        let mut told: Told = serde_json::from_str(&json).unwrap();
        assert!(!told.must_persist());
        assert_eq!(compare(&mut told, "a", "2"), changes(&[VERSION], true));
    }

    #[test]
    fn n09_watching_begins_with_the_present_value() {
        let mut told = Told::default();
        told.watch(ADDRESS, "a");
        assert_eq!(compare(&mut told, "b", "1"), changes(&[ADDRESS], false));
        assert_eq!(compare(&mut told, "b", "1"), changes(&[ADDRESS], false), "not told yet");
        told.watch(ADDRESS, "b");
        assert_eq!(compare(&mut told, "b", "1"), Changes::default());
    }

    #[test]
    fn p57_a_deleted_object_takes_its_parameters_along() {
        let mut told = Told::default();
        told.watch("Device.NAT.PortMapping.1.Enable", "1");
        told.watch("Device.NAT.PortMapping.10.Enable", "1");
        told.keep_only(&mut |name| !name.starts_with("Device.NAT.PortMapping.1."));
        assert_eq!(told.values.keys().collect::<Vec<_>>(), ["Device.NAT.PortMapping.10.Enable"]);
        told.clear();
        assert!(told.values.is_empty());
    }

    #[test]
    fn flash_is_written_only_for_a_change() {
        let mut told = Told::default();
        compare(&mut told, "a", "1");
        assert!(told.must_persist());
        told.persisted();
        compare(&mut told, "b", "1");
        told.acknowledge(&sent(VERSION, "1"));
        told.set_by_acs(ADDRESS, "a");
        told.watch(ADDRESS, "a");
        told.keep_only(&mut |_| true);
        assert!(!told.must_persist());
        told.acknowledge(&sent(ADDRESS, "b"));
        assert!(told.must_persist());
    }

    #[test]
    fn p52_the_attribute_has_seven_values() {
        for (number, notification) in (0..).zip(Notification::ALL) {
            assert_eq!(Notification::from_number(number), Some(notification));
            assert_eq!(i64::from(notification.number()), number);
        }
        assert_eq!(Notification::from_number(7), None);
        assert_eq!(Notification::from_number(-1), None);
        let told = |way| Notification::ALL.map(|notification| notification.tells(way));
        assert_eq!(told(Way::Inform), [false, true, true, false, true, false, true]);
        assert_eq!(told(Way::Lightweight), [false, false, false, true, true, true, true]);
    }

    #[test]
    fn n10_each_way_has_its_own_active_changes() {
        let mut found = Vec::new();
        for way in [Way::Inform, Way::Lightweight] {
            for notification in Notification::ALL {
                let mut told = Told::default();
                let watched = |value| [Watched { name: ADDRESS, value, notification }].into_iter();
                told.compare(way, &mut watched("a"));
                let changes = told.compare(way, &mut watched("b"));
                found.push((!changes.names.is_empty(), changes.active));
            }
        }
        let (no, passive, active) = ((false, false), (true, false), (true, true));
        assert_eq!(found[..7], [no, passive, active, no, passive, no, passive]);
        assert_eq!(found[7..], [no, no, no, passive, passive, active, active]);
    }
}
