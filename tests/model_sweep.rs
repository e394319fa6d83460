//! Every object and parameter that is implemented, against the tables of TR-181, and every writable one with a wrong value of each kind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cwmpd::error::FaultCode;
use cwmpd::model::access;
use cwmpd::model::schema::{Notification, Object, Parameter, Source};
use cwmpd::model::transaction::Assignment;
use cwmpd::model::tree::{Target, resolve};
use cwmpd::model::value::{Kind, Type};
use cwmpd::model::walk::{Depth, Found, Walk};
use model::Router;

/// Differences that are meant, by path and by what differs.
const MEANT: &[(&str, &str, &str)] = &[
    ("Device.Time.Client.{i}.", "access", "sysntpd is one client: none can be added, and it cannot go"),
    ("Device.Time.Server.{i}.", "access", "sysntpd is one server: none can be added, and it cannot go"),
    ("Device.Cellular.AccessPoint.{i}.", "access", "an access point comes and goes with the interface of its modem"),
    ("Device.Ethernet.Link.{i}.", "keys", "the ports of a switch often have one MAC address"),
    ("Device.Syslog.Action.{i}.", "access", "logd is one: none can be added, and it cannot go"),
    ("Device.LEDs.LED.{i}.Name", "writable", "the kernel has named it"),
];

const COMPLETED: &str = "Completed is deprecated: a test ends in Complete";
/// SECURITY S21
const ABUSE: &str = "what a test costs others is limited";
const ROUTER: &str = "hostapd and the driver take no other";
const LIMITS: &[(&str, &str, &str)] = &[
    ("Device.WiFi.Radio.{i}.FragmentationThreshold", "range", ROUTER),
    ("Device.WiFi.Radio.{i}.RTSThreshold", "range", ROUTER),
    ("Device.WiFi.Radio.{i}.BeaconPeriod", "range", ROUTER),
    ("Device.WiFi.Radio.{i}.DTIMPeriod", "range", ROUTER),
    ("Device.WiFi.AccessPoint.{i}.MaxAllowedAssociations", "range", ROUTER),
    ("Device.WiFi.AccessPoint.{i}.Security.RadiusServerPort", "range", "0 is no port"),
    ("Device.IP.Interface.{i}.Router", "default", "the kernel has one router, which every interface belongs to"),
    ("Device.PPP.Interface.{i}.PPPoE.SessionID", "range", "0 while there is no session"),
    ("Device.ManagementServer.UDPLightweightNotificationPort", "range", "0 is no port"),
    (
        "Device.BulkData.Profile.{i}.CSVEncoding.RowSeparator",
        "default",
        "CR and LF, which a line of the tables cannot hold",
    ),
    ("Device.WiFi.AccessPoint.{i}.WPS.Enable", "default", "nobody shall be able to join who was not let in"),
    ("Device.Users.User.{i}.Language", "default", "the web interface has one language for everybody"),
    ("Device.WiFi.NeighboringWiFiDiagnostic.DiagnosticsState", "enumeration", COMPLETED),
    ("Device.IP.Diagnostics.ServerSelectionDiagnostics.DiagnosticsState", "enumeration", COMPLETED),
    ("Device.IP.Diagnostics.IPPing.NumberOfRepetitions", "range", ABUSE),
    ("Device.IP.Diagnostics.IPPing.Timeout", "range", ABUSE),
    ("Device.IP.Diagnostics.TraceRoute.Timeout", "range", ABUSE),
    ("Device.IP.Diagnostics.ServerSelectionDiagnostics.NumberOfRepetitions", "range", ABUSE),
    ("Device.IP.Diagnostics.ServerSelectionDiagnostics.Timeout", "range", ABUSE),
    ("Device.DNS.Diagnostics.NSLookupDiagnostics.NumberOfRepetitions", "range", ABUSE),
    ("Device.DNS.Diagnostics.NSLookupDiagnostics.Timeout", "range", ABUSE),
    ("Device.IP.Diagnostics.DownloadDiagnostics.DiagnosticsState", "enumeration", COMPLETED),
    ("Device.IP.Diagnostics.UploadDiagnostics.DiagnosticsState", "enumeration", COMPLETED),
    ("Device.IP.Diagnostics.UDPEchoDiagnostics.DiagnosticsState", "enumeration", COMPLETED),
    ("Device.IP.Diagnostics.DownloadDiagnostics.NumberOfConnections", "range", ABUSE),
    ("Device.IP.Diagnostics.UploadDiagnostics.NumberOfConnections", "range", ABUSE),
    ("Device.IP.Diagnostics.UDPEchoDiagnostics.NumberOfRepetitions", "range", ABUSE),
    ("Device.IP.Diagnostics.UDPEchoDiagnostics.Timeout", "range", ABUSE),
    ("Device.IP.Diagnostics.UDPEchoConfig.UDPPort", "range", "there are no more ports"),
];

fn meant() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    MEANT.iter().chain(LIMITS)
}

/// A line of the tables.
struct Line {
    object: bool,
    kind: String,
    access: String,
    constraints: String,
    default: String,
    flags: String,
    keys: String,
    enable: String,
}

fn table() -> Option<BTreeMap<String, Line>> {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/spec/tr181"));
    if !directory.is_dir() {
        assert!(std::env::var_os("CWMPD_CI").is_none(), "{} is missing", directory.display());
        println!("skipped: {} is missing", directory.display());
        return None;
    }
    let mut lines = BTreeMap::new();
    // What 2.17 has counts; the newer table is for what it does not have yet.
    for file in ["tr181-2.19.1.tsv", "tr181-2.17.0.tsv"] {
        let text = std::fs::read_to_string(directory.join(file)).unwrap();
        for line in text.lines().skip(1) {
            let mut fields = line.split('\t').map(String::from);
            let mut next = || fields.next().unwrap_or_default();
            let path = next();
            let object = next() == "O";
            let kind = next();
            let _datatype = next();
            let access = next();
            let constraints = next();
            let _units = next();
            let (default, flags, _entries, keys) = (next(), next(), next(), next());
            let _number = next();
            let enable = next();
            lines.insert(path, Line { object, kind, access, constraints, default, flags, keys, enable });
        }
    }
    Some(lines)
}

#[derive(Default)]
struct Report {
    found: Vec<String>,
    used: BTreeSet<usize>,
}

impl Report {
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, path: &str, what: &str, ours: &T, table: &T) {
        if ours == table {
            return;
        }
        match meant().position(|(known, word, _)| *known == path && *word == what) {
            Some(index) => {
                self.used.insert(index);
                println!("{path}: {what}: meant: {}", meant().nth(index).unwrap().2);
            }
            None => self.found.push(format!("{path}: {what}: {ours:?}; TR-181 has {table:?}")),
        }
    }
}

#[test]
fn every_object_is_as_tr_181_has_it() {
    let Some(table) = table() else { return };
    let mut report = Report::default();
    let mut count = 0;
    for object in cwmpd::device::objects() {
        let Some(line) = table.get(object.path).filter(|line| line.object) else {
            report.found.push(format!("{}: no such object", object.path));
            continue;
        };
        object_as_in_table(&mut report, object, line);
        let mut names = BTreeSet::new();
        // What is the vendor's own is not in TR-181 (CONFORMANCE J-11).
        for parameter in object.parameters.iter().filter(|parameter| !parameter.name.starts_with("X_")) {
            count += 1;
            let path = format!("{}{}", object.path, parameter.name);
            assert!(names.insert(parameter.name), "{path} is there twice");
            match table.get(&path).filter(|line| !line.object) {
                Some(line) => parameter_as_in_table(&mut report, &path, parameter, line),
                None => report.found.push(format!("{path}: no such parameter")),
            }
        }
        // CONFORMANCE J-15
        if object.table.is_some() {
            let name = object.path.trim_end_matches(".{i}.").rsplit('.').next().unwrap();
            let around = object.path.trim_end_matches(&format!("{name}.{{i}}."));
            let counted = cwmpd::device::objects().filter(|other| other.path == around).any(|other| {
                other
                    .parameters
                    .iter()
                    .any(|parameter| matches!(parameter.source, Source::Count(table) if table == name))
            });
            if !counted {
                report.found.push(format!("{}: nothing counts its rows", object.path));
            }
        }
    }
    println!("{count} parameters");
    for line in &report.found {
        println!("{line}");
    }
    assert!(report.found.is_empty(), "{} differences", report.found.len());
    let known = |path: &str| cwmpd::device::objects().any(|object| path.starts_with(object.path));
    for (index, (path, what, _)) in meant().enumerate() {
        let unused = !report.used.contains(&index) && known(path);
        assert!(!unused, "{path}: {what} does not differ any more");
    }
}

fn object_as_in_table(report: &mut Report, object: &Object, line: &Line) {
    let path = object.path;
    let Some(table) = object.table else {
        report.compare(path, "table", &false, &path.ends_with(".{i}."));
        return;
    };
    let writable = line.access == "W";
    report.compare(path, "access", &(table.add.is_some(), table.delete.is_some()), &(writable, writable));
    let enable = if line.enable.is_empty() || object.parameters.iter().any(|p| p.name == line.enable) {
        line.enable.as_str()
    } else {
        ""
    };
    report.compare(path, "enable", &table.enable, &enable);
    // F:A+B;N:Alias; a key with a parameter that is not implemented cannot be judged.
    // Neither can one that the ACS cannot write a part of: the router keeps it.
    let known = |name: &str| object.parameters.iter().find(|p| p.name == name);
    let can_write = |name: &str| known(name).is_some_and(|p| p.writable);
    let implemented = |key: &str| key.split('+').all(|name| known(name).is_some()) && key.split('+').any(can_write);
    let mut wanted = BTreeSet::new();
    for key in line.keys.split(';').filter(|key| !key.is_empty()) {
        let (kind, names) = key.split_once(':').unwrap();
        if names != "Alias" && implemented(names) {
            let functional = kind == "F" && !enable.is_empty();
            wanted.insert((functional, names.split('+').map(String::from).collect::<BTreeSet<_>>()));
        }
    }
    let ours: BTreeSet<_> = table
        .keys
        .iter()
        .filter(|key| key.parameters.iter().any(|name| can_write(name)))
        .map(|key| {
            (key.functional && !enable.is_empty(), key.parameters.iter().map(|name| String::from(*name)).collect())
        })
        .collect();
    report.compare(path, "keys", &ours, &wanted);
}

fn parameter_as_in_table(report: &mut Report, path: &str, parameter: &Parameter, line: &Line) {
    let value = &parameter.value;
    let (list, kind) = match line.kind.rsplit_once(" of ") {
        Some((list, kind)) => (Some(list), kind),
        None => (None, line.kind.as_str()),
    };
    report.compare(path, "type", &kind_name(value.kind), &kind);
    report.compare(path, "list", &value.list.map(|list| (list.items, list.length)), &list.map(list_limits));
    report.compare(path, "writable", &parameter.writable, &(line.access != "R"));
    report.compare(path, "hidden", &parameter.hidden, &has(&line.flags, "HID"));
    report.compare(path, "command", &parameter.command, &has(&line.flags, "CMD"));
    report.compare(path, "forced inform", &parameter.forced_inform, &has(&line.flags, "FI"));
    let notification = match line.flags.split(',').find_map(|flag| flag.strip_prefix("AN=")) {
        None => Notification::Normal,
        Some("forceEnabled") => Notification::ForceEnabled,
        Some("forceDefaultEnabled") => Notification::ForceDefaultEnabled,
        Some(_) => Notification::CanDeny,
    };
    report.compare(path, "notification", &parameter.notification, &notification);
    if parameter.writable {
        let default = line.default.strip_prefix("o:").map(|default| if default == "[]" { "" } else { default });
        report.compare(path, "default", &parameter.default, &default);
    }
    let mut pattern = false;
    let mut wanted = Wanted::default();
    for constraint in line.constraints.split(" ; ").filter(|constraint| !constraint.is_empty()) {
        let (what, limit) = constraint.trim().split_once('=').unwrap();
        match what {
            "len" => wanted.lengths = Some(spans(limit, (0, u32::MAX))),
            "range" => wanted.ranges = Some(spans(limit, (i64::MIN, i64::MAX))),
            "enum" => wanted.values(limit),
            "pat" => pattern = true,
            "pathRef" => wanted.reference = Some(limit.starts_with("strong")),
            "enumRef" => wanted.any_values = true,
            _ => panic!("{path}: what is {constraint}?"),
        }
    }
    // An Alias is never empty (CONFORMANCE A-03), though the tables have it so.
    let lengths = if parameter.name == "Alias" { Some(vec![(1, 64)]) } else { wanted.lengths };
    report.compare(path, "length", &value.lengths.to_vec(), &lengths.unwrap_or_default());
    report.compare(path, "range", &joined(value.ranges), &joined(&wanted.ranges.unwrap_or_default()));
    report.compare(path, "reference", &value.reference.map(|reference| reference.strong), &wanted.reference);
    if !wanted.any_values {
        let set = |values: &[&str]| values.iter().map(|value| String::from(*value)).collect::<BTreeSet<_>>();
        report.compare(path, "enumeration", &set(value.values), &wanted.all);
        report.compare(path, "values that cannot be written", &set(value.read_only_values), &wanted.read_only);
    }
    let constant = matches!(parameter.source, Source::Constant(_));
    if pattern && !constant && value.format.is_none() && value.values.is_empty() {
        report.compare(path, "pattern", &"none", &"some");
    }
}

/// Ranges that follow each other are one.
fn joined(ranges: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut all: Vec<(i64, i64)> = Vec::new();
    for &(low, high) in ranges {
        match all.last_mut() {
            Some(last) if last.1.checked_add(1) == Some(low) => last.1 = high,
            _ => all.push((low, high)),
        }
    }
    all
}

#[derive(Default)]
struct Wanted {
    lengths: Option<Vec<(u32, u32)>>,
    ranges: Option<Vec<(i64, i64)>>,
    all: BTreeSet<String>,
    read_only: BTreeSet<String>,
    any_values: bool,
    reference: Option<bool>,
}

impl Wanted {
    fn values(&mut self, text: &str) {
        for value in text.split('|') {
            let plain = value.trim_start_matches('~').trim_end_matches('?');
            let read_only = plain.strip_suffix("<R");
            let plain = read_only.unwrap_or(plain).trim_end_matches('?');
            self.all.insert(plain.into());
            if read_only.is_some() {
                self.read_only.insert(plain.into());
            }
        }
    }
}

fn has(flags: &str, flag: &str) -> bool {
    flags.split(',').any(|known| known == flag)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Int => "int",
        Kind::UnsignedInt => "unsignedInt",
        Kind::Long => "long",
        Kind::UnsignedLong => "unsignedLong",
        Kind::Boolean => "boolean",
        Kind::DateTime => "dateTime",
        Kind::Base64 => "base64",
        Kind::HexBinary => "hexBinary",
    }
}

/// `1:5,10:` as pairs; open ends are the ends of the type.
fn spans<T: std::str::FromStr + Copy>(text: &str, ends: (T, T)) -> Vec<(T, T)> {
    let pair = |span: &str| {
        let (low, high) = span.split_once(':').unwrap();
        let high = high.split('/').next().unwrap();
        (low.parse().unwrap_or(ends.0), high.parse().unwrap_or(ends.1))
    };
    text.split(',').map(|span| pair(span.trim())).collect()
}

/// `list[len0:1024:items0:8]`: numbers of items, and the greatest length of the whole.
fn list_limits(text: &str) -> ((u32, u32), u32) {
    let inside = text.trim_start_matches("list").trim_matches(['[', ']']);
    let (length, items) = match inside.split_once("items") {
        Some((length, items)) => (length, items),
        None => (inside, ""),
    };
    let most = |text: &str| text.trim_matches(':').split(':').nth(1).and_then(|text| text.parse().ok());
    let least = |text: &str| text.split(':').next().and_then(|text| text.parse().ok());
    (
        (least(items).unwrap_or(0), most(items).unwrap_or(u32::MAX)),
        most(length.trim_start_matches("len")).unwrap_or(u32::MAX),
    )
}

/// A parameter of the sample router.
struct Found1 {
    name: String,
    parameter: &'static Parameter,
}

fn parameters(router: &Router) -> Vec<Found1> {
    let model = router.model.lock().unwrap();
    let mut context = model.context();
    let mut found = Vec::new();
    for target in resolve(&mut context, "Device.").unwrap() {
        let mut walk = Walk::new(&context.schema().clone(), &target, Depth::All);
        while let Some(step) = walk.next(&mut context) {
            if let Found::Parameter(node, row, parameter) = step {
                found.push(Found1 { name: access::full_name(&context, node, &row, parameter.name), parameter });
            }
        }
    }
    found
}

/// Everything below a path, level by level, as an ACS with NextLevel=true finds it.
fn level_by_level(router: &Router, path: &str, names: &mut BTreeSet<String>) {
    let model = router.model.lock().unwrap();
    let mut context = model.context();
    let mut ahead = vec![String::from(path)];
    while let Some(path) = ahead.pop() {
        let targets = resolve(&mut context, &path).unwrap();
        let [target] = targets.as_slice() else { panic!("{path} is {} things", targets.len()) };
        let mut walk = Walk::new(&context.schema().clone(), target, Depth::Next);
        while let Some(step) = walk.next(&mut context) {
            match step {
                Found::Parameter(_, _, parameter) => {
                    assert!(names.insert(format!("{}{}", walk.path(), parameter.name)));
                }
                Found::Object(_) | Found::Table(_) => {
                    assert!(walk.path().starts_with(&path) && walk.path() != path, "{} below {path}", walk.path());
                    ahead.push(walk.path().into());
                }
            }
        }
    }
}

/// CONFORMANCE P-40, P-41: however the tree is walked, it has the same parameters, and each can be read by its name; its value is one of its type.
#[test]
fn p40_p41_names_and_values_agree_on_the_whole_tree() {
    let router = Router::new();
    let all = parameters(&router);
    let names: BTreeSet<String> = all.iter().map(|found| found.name.clone()).collect();
    assert_eq!(names.len(), all.len(), "a name is there twice");
    assert!(names.len() > 300, "{}", names.len());
    let mut by_level = BTreeSet::new();
    level_by_level(&router, "Device.", &mut by_level);
    assert_eq!(by_level, names);
    let values = router.values("");
    assert_eq!(values.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(), names);
    let mut wrong = Vec::new();
    for (found, (name, value)) in all.iter().zip(&values) {
        assert_eq!((&found.name, name.len() <= 256), (name, true));
        // CONFORMANCE J-01, J-03, J-04: what is read is in the form in which it could be written.
        let readable = Type { read_only_values: &[], ..found.parameter.value };
        let is_local = name == "Device.Time.CurrentLocalTime";
        if !value.is_empty() && !is_local && readable.accept(None, value).ok().as_deref() != Some(value) {
            wrong.push(format!("{name} reads {value:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // One by one as well, on a fresh context each.
    for found in all.iter().step_by(7) {
        let model = router.model.lock().unwrap();
        assert!(matches!(resolve(&mut model.context(), &found.name).unwrap().as_slice(), [Target::Parameter(..)]));
    }
}

/// Texts that a parameter must refuse with 9007, each with what it breaks.
fn wrong_values(value: &Type) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    for (low, high) in value.ranges {
        if *low > i64::MIN && !value.ranges.iter().any(|(other, end)| (*other..=*end).contains(&(low - 1))) {
            wrong.push(("range", (low - 1).to_string()));
        }
        if *high < i64::MAX && !value.ranges.iter().any(|(other, end)| (*other..=*end).contains(&(high + 1))) {
            wrong.push(("range", (high + 1).to_string()));
        }
    }
    match value.kind {
        Kind::Int | Kind::UnsignedInt => wrong.push(("range", "99999999999999999999".into())),
        Kind::Long | Kind::UnsignedLong => wrong.push(("range", "99999999999999999999999".into())),
        _ => {}
    }
    if !value.values.is_empty() && value.kind == Kind::String {
        wrong.push(("enumeration", "NoSuchValue".into()));
        wrong.extend(value.read_only_values.iter().map(|value| ("enumeration", String::from(*value))));
    }
    let longest = value.lengths.iter().map(|(_, high)| *high).max();
    if let (Some(longest), Kind::String, true) =
        (longest, value.kind, value.reference.is_none() && value.values.is_empty())
    {
        wrong.push(("length", "a".repeat(longest as usize + 1)));
    }
    if let (Some(list), true) = (value.list, value.kind == Kind::String) {
        wrong.push(("list", "a,,b".into()));
        if list.items.1 < 100 {
            wrong.push(("list", vec!["a"; list.items.1 as usize + 1].join(",")));
        }
    }
    if value.reference.is_some() {
        wrong.push(("reference", "Device.NoSuchTable.1".into()));
        wrong.push(("reference", "Device.IP.Interface.999".into()));
        wrong.push(("reference", "Device.DeviceInfo.".into()));
    }
    if value.format.is_some() {
        wrong.push(("form", "\u{1}".into()));
    }
    wrong
}

/// CONFORMANCE P-01, P-04: one wrong value of each kind, for every parameter of the sample router.
#[test]
fn p04_every_parameter_refuses_what_is_wrong_and_nothing_changes() {
    let router = Router::new();
    let all = parameters(&router);
    let before = router.files();
    let mut bad = Vec::new();
    let mut tried = 0;
    let mut expect = |what: &str, name: &str, kind: Option<&str>, value: &str, code: FaultCode| {
        tried += 1;
        // A good entry first, so that half a request would show.
        let good = Assignment { name: "Device.DeviceInfo.ProvisioningCode".into(), kind: None, value: "half".into() };
        let wrong = Assignment { name: name.into(), kind: kind.map(String::from), value: value.into() };
        let entries = if name == good.name { vec![wrong] } else { vec![good, wrong] };
        let fault = router.model.lock().unwrap().set_values(&entries, Some("key"));
        let got = match &fault {
            Ok(_) => String::from("it was taken"),
            Err(fault) => match fault.parameters.as_slice() {
                [one] if fault.code.0 == 9003 && one.name == name && one.code == code => return,
                _ => fault.to_string(),
            },
        };
        bad.push(format!("{name}: {what} {:?}: {code} expected, but {got}", &value[..value.len().min(40)]));
    };
    for found in &all {
        let (name, value) = (found.name.as_str(), &found.parameter.value);
        expect("unknown", &format!("{name}X"), None, "1", FaultCode::INVALID_PARAMETER_NAME);
        if !found.parameter.writable {
            expect("read-only", name, None, "1", FaultCode::NON_WRITABLE_PARAMETER);
            continue;
        }
        let (kind, text) = if value.kind == Kind::Boolean && value.list.is_none() {
            ("dateTime", "true")
        } else {
            ("boolean", "true")
        };
        expect("type", name, Some(kind), text, FaultCode::INVALID_PARAMETER_TYPE);
        if value.kind != Kind::String && value.list.is_none() {
            expect("no value of the type", name, Some("string"), "what", FaultCode::INVALID_PARAMETER_TYPE);
        }
        for (what, text) in wrong_values(value) {
            let kind = if value.list.is_some() { "string" } else { value.xsd() };
            expect(what, name, Some(kind), &text, FaultCode::INVALID_PARAMETER_VALUE);
        }
    }
    println!("{tried} wrong values for {} parameters", all.len());
    for line in &bad {
        println!("{line}");
    }
    assert!(bad.is_empty(), "{} were not refused as they should be", bad.len());
    assert_eq!(router.files(), before);
    assert_eq!(router.get("Device.ManagementServer.ParameterKey"), "");
    assert_eq!(router.root.calls().iter().filter(|call| !call.starts_with("/bin/ubus")).count(), 0);
}

/// CONFORMANCE P-12: every value that can be read can be written back, and nothing changes.
#[test]
fn p12_what_is_read_can_be_written_back_and_nothing_changes() {
    let router = Router::new();
    let before = router.files();
    let mut bad = Vec::new();
    for found in parameters(&router) {
        let parameter = found.parameter;
        // A channel that is written is fixed from then on (DATAMODEL), though it is the one that was found by itself.
        if found.name.ends_with(".Channel") {
            continue;
        }
        if !parameter.writable || parameter.hidden || parameter.command || !parameter.value.read_only_values.is_empty()
        {
            continue;
        }
        let write_back = || {
            let value = router.get(&found.name);
            let written = router.set(&[(&found.name, &value)]);
            (value, written)
        };
        let (mut value, mut written) = write_back();
        // A lifetime may have gone on in between.
        while written.is_err() && router.get(&found.name) != value {
            (value, written) = write_back();
        }
        if let Err(fault) = written {
            bad.push(format!("{}={value}: {fault}", found.name));
        }
        if router.files() != before {
            bad.push(format!("{}={value} has changed a file", found.name));
            break;
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
