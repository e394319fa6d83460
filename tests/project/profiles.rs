//! The profiles of TR-181 that are claimed, and the page that lists every parameter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cwmpd::device;
use cwmpd::model::schema::{Map, Notification, Object, Parameter, Rows, Source};
use cwmpd::model::value::Type;

use super::{keep, path, read, with_part};

/// The profiles of Device:2.17 that the agent claims (TR-181 Appendix; DATAMODEL). The deleted ones are honoured as far as 2.17 has
/// their parameters.
const CLAIMED: &[&str] = &[
    "Baseline:4",
    "Baseline:3",
    "SupportedDataModel:2",
    "MemoryStatus:1",
    "ProcessStatus:1",
    "Time:1",
    "Time:2",
    "EthernetInterface:1",
    "EthernetInterface:2",
    "EthernetLink:1",
    "VLANTermination:1",
    "IPInterface:1",
    "IPInterface:2",
    "IPv6Interface:1",
    "PPPInterface:1",
    "Routing:1",
    "Routing:2",
    "IPv6Routing:1",
    "Bridge:1",
    "VLANBridge:1",
    "DHCPv4Client:1",
    "DHCPv4Server:1",
    "DHCPv4ServerClientInfo:1",
    "DHCPv6Client:1",
    "DHCPv6Server:1",
    "NeighborDiscovery:1",
    "RouterAdvertisement:1",
    "DNSRelay:1",
    "Hosts:2",
    "Hosts:3",
    "NAT:1",
    "SimpleFirewall:1",
    "AdvancedFirewall:1",
    "WiFiRadio:1",
    "WiFiSSID:1",
    "WiFiSSID:2",
    "WiFiAccessPoint:1",
    "WiFiAccessPoint:2",
    "User:1",
    "User:2",
    "UDPConnReq:1",
    "HeartbeatPolicy:1",
    "StandbyPolicy:1",
    "PeriodicStatsBase:1",
    "PeriodicStatsAdv:1",
    "PeriodicStatsAdv:2",
    "BulkDataColl:1",
    "BulkDataReports:1",
    "BulkDataCSVEncoding:1",
    "BulkDataJSONEncoding:1",
    "BulkDataHTTP:1",
    "IPPing:1",
    "IPPingDetailed:1",
    "TraceRoute:1",
    "NSLookupDiag:1",
    "ServerSelectionDiag:1",
    "SelfTestDiag:1",
    "Download:1",
    "DownloadTCP:1",
    "Upload:1",
    "UploadTCP:1",
    "UDPEcho:1",
    "UDPEchoPlus:1",
    "UDPEchoDiag:1",
    "DeviceAssociation:1",
    "XMPPBasic:1",
    "XMPPAdvanced:1",
    "XMPPReconnect:1",
    "XMPPConnReq:1",
];

/// What a profile demands of an object or parameter.
#[derive(Clone)]
struct Item {
    path: String,
    /// `P` present, `R` readable, `W` writable, `C` rows can be added and deleted.
    demand: char,
}

/// A profile with those that it contains.
struct Profile {
    name: &'static str,
    items: Vec<Item>,
}

/// The claimed profiles from the tables of TR-181; `None`, said aloud, in a copy of the project that does not have them.
fn profiles() -> Option<Vec<Profile>> {
    let directory = path("../shared/spec/tr181");
    if !directory.is_dir() {
        assert!(std::env::var_os("CWMPD_CI").is_none(), "{} is missing", directory.display());
        println!("skipped: {} is missing", directory.display());
        return None;
    }
    let mut direct: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for line in std::fs::read_to_string(directory.join("tr181-2.17.0.tsv")).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields[15] == "deleted" {
            continue;
        }
        for word in fields[13].split(' ').filter(|word| !word.is_empty()) {
            let (name, demand) = word.trim_end_matches(')').split_once('(').unwrap();
            let item = Item { path: fields[0].into(), demand: demand.chars().next().unwrap() };
            direct.entry(name.trim_end_matches('!').into()).or_default().push(item);
        }
    }
    let mut contains: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in std::fs::read_to_string(directory.join("profiles-2.17.0.tsv")).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let others = [fields[1], fields[2]].into_iter().flat_map(|names| names.split([' ', ',']));
        contains.insert(fields[0].into(), others.filter(|name| !name.is_empty()).map(String::from).collect());
    }
    let whole = |name: &'static str| {
        let mut open = vec![String::from(name)];
        let mut items: BTreeMap<String, Item> = BTreeMap::new();
        while let Some(name) = open.pop() {
            open.extend(contains.get(&name).unwrap_or_else(|| panic!("there is no profile {name}")).iter().cloned());
            for item in direct.get(&name).into_iter().flatten() {
                let known = items.entry(item.path.clone()).or_insert_with(|| item.clone());
                if item.demand == 'W' || item.demand == 'C' {
                    known.demand = item.demand;
                }
            }
        }
        Profile { name, items: items.into_values().collect() }
    };
    Some(CLAIMED.iter().map(|name| whole(name)).collect())
}

/// Why an item of a profile is not there, or not as it has to be.
fn missing(item: &Item) -> Option<String> {
    let (parameter, found) = match item.path.ends_with('.') {
        true => (None, device::objects().find(|object| object.path == item.path)),
        false => {
            let (object, name) = item.path.rsplit_once('.').unwrap();
            // A feature may have a table of its own for what it adds to an object.
            let mut objects = device::objects().filter(|known| known.path.trim_end_matches('.') == object);
            let has =
                |object: &'static Object| Some((object.parameters.iter().find(|known| known.name == name)?, object));
            objects.find_map(has).map_or((None, None), |(parameter, object)| (Some(parameter), Some(object)))
        }
    };
    let Some(object) = found else { return Some(format!("{} is missing", item.path)) };
    match (item.demand, parameter) {
        ('W', Some(parameter)) if !parameter.writable => Some(format!("{} cannot be written", item.path)),
        ('C', None) if object.table.is_none_or(|table| table.add.is_none() || table.delete.is_none()) => {
            Some(format!("{}: rows cannot be added and deleted", item.path))
        }
        _ => None,
    }
}

/// TR-106a8 3.2.8: a profile is claimed as a whole.
#[test]
fn claimed_profiles_are_complete() {
    let Some(profiles) = profiles() else { return };
    let mut wrong: Vec<String> = Vec::new();
    for profile in &profiles {
        wrong.extend(profile.items.iter().filter_map(missing).map(|why| format!("{}: {why}", profile.name)));
    }
    for line in &wrong {
        println!("{line}");
    }
    assert!(wrong.is_empty(), "{} items of claimed profiles are missing", wrong.len());
}

#[test]
fn the_page_of_parameters_lists_everything() {
    let Some(profiles) = profiles() else { return };
    let mut of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut counts = String::from("| profile | objects | parameters |\n| --- | ---: | ---: |\n");
    for profile in &profiles {
        for item in &profile.items {
            of.entry(&item.path).or_default().push(profile.name);
        }
        let objects = profile.items.iter().filter(|item| item.path.ends_with('.')).count();
        let parameters = profile.items.len() - objects;
        writeln!(counts, "| {} | {objects} | {parameters} |", profile.name).unwrap();
    }
    let mut page = with_part(&read("docs/parameters.md"), "profiles", &counts);
    let mut objects: Vec<&Object> = device::objects().collect();
    objects.sort_by_key(|object| object.path);
    let mut list = String::new();
    for object in objects {
        writeln!(list, "\n### `{}`\n", object.path).unwrap();
        list.push_str("| parameter | type | access | source | profiles |\n| --- | --- | --- | --- | --- |\n");
        for parameter in object.parameters {
            let full = format!("{}{}", object.path, parameter.name);
            let profiles = of.get(full.as_str()).map(|names| names.join(", ")).unwrap_or_default();
            writeln!(
                list,
                "| {} | {} | {} | {} | {profiles} |",
                parameter.name,
                type_of(&parameter.value),
                access(parameter),
                source(object, &parameter.source)
            )
            .unwrap();
        }
    }
    page = with_part(&page, "parameters", &list);
    keep("docs/parameters.md", &page);
}

fn type_of(value: &Type) -> String {
    let kind = format!("{:?}", value.kind);
    let mut letters = kind.chars();
    let first = letters.next().unwrap().to_ascii_lowercase();
    let kind = format!("{first}{}", letters.as_str());
    match (value.list, value.reference) {
        (Some(_), Some(_)) => "list of references".into(),
        (Some(_), None) => format!("list of {kind}"),
        (None, Some(_)) => "reference".into(),
        (None, None) => kind,
    }
}

fn access(parameter: &Parameter) -> String {
    let mut text = String::from(if parameter.writable { "read, write" } else { "read" });
    if parameter.hidden {
        text.push_str(", hidden");
    }
    if parameter.command {
        text.push_str(", command");
    }
    if parameter.forced_inform {
        text.push_str(", in every Inform");
    }
    match parameter.notification {
        Notification::Normal => {}
        Notification::ForceEnabled => text.push_str(", always active"),
        Notification::ForceDefaultEnabled => text.push_str(", active at first"),
        Notification::CanDeny => text.push_str(", not active"),
    }
    text
}

fn source(object: &Object, source: &Source) -> String {
    match source {
        Source::Constant("") => "always empty".into(),
        Source::Constant(value) => format!("always `{value}`"),
        Source::Uci { option, map, .. } => {
            let option = match object.table.map(|table| table.rows) {
                _ if option.contains('.') => String::from(*option),
                Some(Rows::Sections { package, kind, .. }) => format!("{package}.@{kind}.{option}"),
                Some(Rows::SomeSections { package, .. } | Rows::SectionsAndKeys { package, .. }) => {
                    format!("{package}.*.{option}")
                }
                _ => format!("*.{option}"),
            };
            let how = if matches!(map, Map::Row(_)) { ", a reference" } else { "" };
            format!("UCI `{option}`{how}")
        }
        Source::File(path) => format!("`{path}`"),
        Source::Ubus { object, method, pointer, .. } => format!("ubus `{object} {method}`, `{pointer}`"),
        Source::Program(argv) => format!("`{}`", argv.join(" ")),
        Source::Vendor { .. } => "a vendor file".into(),
        Source::Own(_) | Source::Alias => "kept by the agent".into(),
        Source::Fleeting(_) | Source::Test => "in the agent's memory".into(),
        Source::Count(table) => format!("rows of `{table}`"),
        Source::Get(_) | Source::GetSet(..) | Source::Change(..) | Source::Together(_) => {
            "found out by the agent".into()
        }
    }
}
