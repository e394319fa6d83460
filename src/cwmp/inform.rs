//! What stands in an Inform (TR-069a6 A.3.3.1, CONFORMANCE I-01 to I-07).

use crate::cwmp::events::EventCode;
use crate::soap::rpc::{DeviceId, Event, Inform, ParameterValue, Value};
use crate::sorted::Set;
use crate::time::{self, PosixTz, UtcTime};

/// The forced Inform parameters of the Device:2 root (TR-181 2.17, CONFORMANCE I-04).
pub const FORCED: [&str; 6] = [
    "Device.RootDataModelVersion",
    "Device.DeviceInfo.HardwareVersion",
    "Device.DeviceInfo.SoftwareVersion",
    "Device.DeviceInfo.ProvisioningCode",
    "Device.ManagementServer.ConnectionRequestURL",
    "Device.ManagementServer.ParameterKey",
];
/// Forced as well, where the parameter is implemented (CONFORMANCE A-01).
const FORCED_IF_IMPLEMENTED: &str = "Device.ManagementServer.AliasBasedAddressing";

/// Whether a parameter is in every Inform by the standard, so that no InformParameter may name it (CONFORMANCE I-05).
#[must_use]
pub fn is_forced(name: &str) -> bool {
    FORCED.contains(&name) || name == FORCED_IF_IMPLEMENTED
}

/// Where the values of parameters come from.
pub trait Parameters {
    /// The values that the ACS would read for this name, which may be a partial path or a pattern; none for a name that nothing has.
    fn read(&mut self, name: &str) -> Vec<ParameterValue>;
}

/// A row of `Device.ManagementServer.InformParameter.`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InformParameter {
    /// Enable
    pub enable: bool,
    /// ParameterName
    pub name: String,
    /// EventList: the codes of the events whose Informs carry the parameter; empty for all.
    pub events: Vec<String>,
}

impl InformParameter {
    /// Whether an Inform with these events carries the parameter. `4 VALUE CHANGE` alone never is a reason.
    fn matches(&self, events: &[Event]) -> bool {
        let reasons =
            events.iter().map(|event| event.code.as_str()).filter(|code| *code != EventCode::ValueChange.text());
        self.enable && reasons.into_iter().any(|code| self.events.is_empty() || self.events.iter().any(|e| e == code))
    }
}

/// What an Inform is made of.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// Who we are.
    pub device_id: DeviceId,
    /// Of [`Queue::for_inform`](crate::cwmp::events::Queue::for_inform).
    pub events: Vec<Event>,
    /// The time, if it is known.
    pub now: Option<UtcTime>,
    /// The local time zone.
    pub zone: &'a PosixTz,
    /// Failed sessions before this one.
    pub retry_count: u32,
    /// The names of parameters whose values have changed; not looked at for a heartbeat.
    pub changed: &'a [String],
    /// The table InformParameter.
    pub rows: &'a [InformParameter],
    /// Names that the operator adds to the forced parameters.
    pub extra: &'a [String],
}

/// Puts an Inform together. The parameters are in a stable order: forced ones, those of the operator, the table's, changed ones; each once.
#[must_use]
pub fn assemble(contents: Contents<'_>, parameters: &mut dyn Parameters) -> Inform {
    let mut list = List { parameters, names: Set::new(), values: Vec::new() };
    for name in FORCED {
        if list.add(name) == 0 {
            // It is missing only if reading it failed, and an Inform without it would be refused.
            let value = Value { kind: Some("string".into()), text: String::new() };
            list.push(ParameterValue { name: name.into(), value });
        }
    }
    list.add(FORCED_IF_IMPLEMENTED);
    for name in contents.extra {
        list.add(name);
    }
    for row in contents.rows.iter().filter(|row| row.matches(&contents.events)) {
        list.add(&row.name);
    }
    if !contents.events.iter().any(|event| event.code == EventCode::Heartbeat.text()) {
        for name in contents.changed {
            list.add(name);
        }
    }
    let parameters = list.values;
    let current_time = contents.now.map_or_else(|| UtcTime::UNKNOWN.to_string(), |utc| time::local(utc, contents.zone));
    Inform {
        device_id: contents.device_id,
        events: contents.events,
        current_time,
        retry_count: contents.retry_count,
        parameters,
    }
}

/// The parameter list as it grows.
struct List<'a> {
    parameters: &'a mut dyn Parameters,
    names: Set<String>,
    values: Vec<ParameterValue>,
}

impl List<'_> {
    /// Adds what has this name, and says how many parameters that were; one that is in the list already is not read again.
    fn add(&mut self, name: &str) -> usize {
        if self.names.contains(name) {
            return 1;
        }
        let values = self.parameters.read(name);
        let count = values.len();
        for value in values {
            self.push(value);
        }
        count
    }

    fn push(&mut self, value: ParameterValue) {
        if self.names.insert(value.name.clone()) {
            self.values.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model of some parameters that counts how often it is read.
    struct Model(Vec<&'static str>, usize);

    const SSID: &str = "Device.WiFi.SSID.1.SSID";
    const UP_TIME: &str = "Device.DeviceInfo.UpTime";

    impl Parameters for Model {
        fn read(&mut self, name: &str) -> Vec<ParameterValue> {
            self.1 += 1;
            let found = |full: &&&str| **full == name || name.ends_with('.') && full.starts_with(name);
            let value = |name: &&str| {
                let value = Value { kind: Some("string".into()), text: format!("value of {name}") };
                ParameterValue { name: (*name).into(), value }
            };
            self.0.iter().filter(found).map(value).collect()
        }
    }

    fn model() -> Model {
        let mut names = FORCED.to_vec();
        names.extend([SSID, UP_TIME, "Device.WiFi.SSID.1.Enable"]);
        Model(names, 0)
    }

    fn contents<'a>(events: &[&str]) -> Contents<'a> {
        let event = |code: &&str| Event { code: (*code).into(), command_key: String::new() };
        Contents {
            device_id: DeviceId { oui: "001122".into(), serial_number: "7".into(), ..DeviceId::default() },
            events: events.iter().map(event).collect(),
            now: None,
            zone: &PosixTz::UTC,
            retry_count: 2,
            changed: &[],
            rows: &[],
            extra: &[],
        }
    }

    fn names(inform: &Inform) -> Vec<&str> {
        inform.parameters.iter().map(|parameter| parameter.name.as_str()).collect()
    }

    fn row(events: &[&str]) -> InformParameter {
        let events = events.iter().map(|event| (*event).into()).collect();
        InformParameter { enable: true, name: UP_TIME.into(), events }
    }

    #[test]
    fn i01_i04_r04_the_least_inform() {
        let inform = assemble(contents(&["2 PERIODIC"]), &mut model());
        assert_eq!(names(&inform), FORCED);
        assert_eq!(inform.parameters[5].value.text, "value of Device.ManagementServer.ParameterKey");
        assert_eq!((inform.retry_count, inform.device_id.oui.as_str()), (2, "001122"));
        assert_eq!(inform.events[0].code, "2 PERIODIC");
    }

    #[test]
    fn i04_a01_alias_based_addressing_is_forced_where_it_is_implemented() {
        let mut model = model();
        model.0.push(FORCED_IF_IMPLEMENTED);
        assert_eq!(names(&assemble(contents(&["1 BOOT"]), &mut model)).last(), Some(&FORCED_IF_IMPLEMENTED));
        assert!(is_forced(FORCED_IF_IMPLEMENTED) && is_forced(FORCED[0]) && !is_forced(UP_TIME));
    }

    #[test]
    fn i04_a_forced_parameter_that_cannot_be_read_is_there_and_empty() {
        let inform = assemble(contents(&["1 BOOT"]), &mut Model(vec![], 0));
        assert_eq!(names(&inform), FORCED);
        assert!(inform.parameters.iter().all(|parameter| parameter.value.text.is_empty()));
    }

    #[test]
    fn i03_j02_the_time_is_local_or_unknown() {
        assert_eq!(assemble(contents(&[]), &mut model()).current_time, "0001-01-01T00:00:00Z");
        let zone = PosixTz::parse("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let now = UtcTime::parse("2026-07-01T10:00:00Z");
        let inform = assemble(Contents { now, zone: &zone, ..contents(&[]) }, &mut model());
        assert_eq!(inform.current_time, "2026-07-01T12:00:00+02:00");
    }

    #[test]
    fn i05_rows_of_the_table_come_with_their_events() {
        // Columns: EventList, events of the Inform, whether it is carried.
        let table: &[(&[&str], &[&str], bool)] = &[
            (&[], &["2 PERIODIC"], true),
            (&[], &["4 VALUE CHANGE"], false),
            (&[], &["4 VALUE CHANGE", "6 CONNECTION REQUEST"], true),
            (&[], &[], false),
            (&["1 BOOT"], &["1 BOOT"], true),
            (&["1 BOOT"], &["2 PERIODIC"], false),
            (&["1 BOOT", "2 PERIODIC"], &["2 PERIODIC"], true),
            (&["4 VALUE CHANGE"], &["4 VALUE CHANGE"], false),
            (&["14 HEARTBEAT"], &["14 HEARTBEAT"], true),
        ];
        for (list, events, carried) in table {
            let rows = [row(list)];
            let inform = assemble(Contents { rows: &rows, ..contents(events) }, &mut model());
            assert_eq!(names(&inform).contains(&UP_TIME), *carried, "{list:?} {events:?}");
            let disabled = [InformParameter { enable: false, ..row(list) }];
            let inform = assemble(Contents { rows: &disabled, ..contents(events) }, &mut model());
            assert!(!names(&inform).contains(&UP_TIME));
        }
    }

    #[test]
    fn i05_i06_all_sources_together_name_and_read_each_parameter_once() {
        let changed = [SSID.to_owned(), FORCED[2].to_owned(), "Device.Gone".to_owned()];
        let extra = ["Device.WiFi.SSID.1.".to_owned(), FORCED[0].to_owned()];
        let rows = [row(&[]), row(&[])];
        let events = ["2 PERIODIC", "4 VALUE CHANGE"];
        let mut model = model();
        let inform =
            assemble(Contents { changed: &changed, extra: &extra, rows: &rows, ..contents(&events) }, &mut model);
        assert_eq!(names(&inform)[6..], [SSID, "Device.WiFi.SSID.1.Enable", UP_TIME]);
        assert_eq!(model.1, 6 + 4, "forced, alias, the partial path, the row, the one that is gone");
    }

    #[test]
    fn i07_h02_a_heartbeat_carries_no_changed_values() {
        let changed = [SSID.to_owned()];
        let inform = assemble(Contents { changed: &changed, ..contents(&["14 HEARTBEAT"]) }, &mut model());
        assert_eq!(names(&inform), FORCED);
    }
}
