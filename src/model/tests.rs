//! The engine on a router that is only memory: rows that keep their numbers, writes that are all or nothing, names that stand for many.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use super::Model;
use super::access;
use super::attributes::{AttributeChange, Switched};
use super::registry::Registry;
use super::schema::*;
use super::transaction::Assignment;
use super::tree::{Schema, Target, resolve};
use super::value::{BOOLEAN, STRING, UNSIGNED_INT};
use super::walk::{Depth, Found, Walk};
use crate::error::{Error, Fault, FaultCode, Result};
use crate::platform::ubus::UbusError;
use crate::platform::uci::{CommitError, Package};
use crate::platform::{FileInfo, InterfaceAddress, Output, Program, System};

static RULES: Object = Object::table(
    "Device.Rule.{i}.",
    Table::new(sections("firewall", "rule"))
        .writable(&[("enabled", "0")])
        .keys(&[functional(&["Port", "Name"])])
        .enabled_by("Enable")
        .at_most(5),
    &[
        rw("Enable", BOOLEAN, uci_bool("enabled", "true")).default("false"),
        alias(),
        rw("Name", STRING.lengths(&[(0, 10)]), uci("name")).default(""),
        rw("Port", UNSIGNED_INT.ranges(&[(0, 65535)]), uci_or("port", "0")).default("0"),
        rw("Low", UNSIGNED_INT, together(|cx, row| Ok(Text::Owned(cx.option(row, "low")?.unwrap_or_default())))),
        rw("High", UNSIGNED_INT, together(|cx, row| Ok(Text::Owned(cx.option(row, "high")?.unwrap_or_default())))),
        rw("Go", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), go)).command(),
        rw("Key", STRING, uci("key")).hidden(),
        ro("Seen", STRING, constant("yes")),
        rw("Friend", STRING.strong(&["Device.Rule."]), own("")),
    ],
)
.set_together(|cx, row, values| {
    let now = |cx: &mut super::context::Context, name: &'static str, option: &str| match values.get(name) {
        Some(value) => String::from(value),
        None => cx.option(row, option).ok().flatten().unwrap_or_default(),
    };
    let (low, high) = (now(cx, "Low", "low"), now(cx, "High", "high"));
    if low.parse::<u32>().unwrap_or(0) > high.parse::<u32>().unwrap_or(u32::MAX) {
        return Err(("Low", Fault::value("low is above high")));
    }
    cx.set_option(row, "low", Some(&low)).map_err(|fault| ("Low", fault))?;
    cx.set_option(row, "high", Some(&high)).map_err(|fault| ("High", fault))
});
static ROOT_OBJECT: Object = Object::single(
    "Device.",
    &[ro("RuleNumberOfEntries", UNSIGNED_INT, count("Rule")), rw("Word", STRING, uci("other.main=main.word"))],
);
static INNER: Object = Object::table(
    "Device.Rule.{i}.Inner.{i}.",
    Table::new(Rows::Own).writable(&[]),
    &[alias(), rw("X", STRING, own("x"))],
);
static EMPTY: Object =
    Object::table("Device.Nothing.{i}.", Table::new(Rows::Own).writable(&[]), &[rw("X", STRING, own(""))]);
static PLAIN: Object = Object::single(
    "Device.Rule.{i}.Stats.",
    &[ro("Hits", UNSIGNED_INT, constant("0")).notification(Notification::CanDeny)],
);

const FILE: &str = "\
config rule
\toption name 'a'
\toption port '1'

config rule 'named'
\toption name 'b'
\toption port '2'

config rule
\toption name 'c'
\toption port '3'
";

fn go(cx: &mut super::context::Context, _: &super::context::Row, _: &str) -> Result<(), Fault> {
    cx.after(&["/bin/go"]);
    Ok(())
}

#[derive(Default)]
struct Memory {
    files: Mutex<BTreeMap<String, String>>,
    /// How many commits find that somebody else was faster.
    faster: AtomicU32,
    loads: AtomicU32,
}

impl System for Memory {
    fn read_file(&self, _: &str, _: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn write_value(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn replace_file(&self, _: &str, _: u32, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn list_dir(&self, _: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
    fn read_link(&self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn file_info(&self, _: &str) -> io::Result<FileInfo> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn load_package(&self, name: &str) -> Result<Package> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let text = self.files.lock().unwrap().get(name).cloned().unwrap_or_default();
        Ok(Package::parse(name, text.as_bytes()))
    }
    fn commit_packages(&self, packages: &mut [&mut Package]) -> Result<(), CommitError> {
        if self.faster.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Err(CommitError::Changed("firewall".into()));
        }
        for package in packages.iter().filter(|package| package.is_changed()) {
            let text = String::from_utf8(package.to_bytes()).unwrap();
            self.files.lock().unwrap().insert(package.name().into(), text);
        }
        Ok(())
    }
    fn ubus_call(&self, _: &str, _: &str, _: &Json) -> Result<Json, UbusError> {
        Ok(Json::Null)
    }
    fn run(&self, _: &Program<'_>) -> Result<Output> {
        Err(Error::other("no programs here"))
    }
    fn addresses(&self) -> Vec<InterfaceAddress> {
        Vec::new()
    }
    fn wall_clock(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

struct Fixture {
    system: Arc<Memory>,
    model: Model,
    full: Arc<AtomicBool>,
}

impl Fixture {
    fn new() -> Self {
        let system = Arc::new(Memory::default());
        let fixture = Self::with(system, Registry::default());
        fixture.write("firewall", FILE);
        fixture
    }

    fn with(system: Arc<Memory>, registry: Registry) -> Self {
        let objects = [&ROOT_OBJECT, &RULES, &INNER, &EMPTY, &PLAIN];
        let schema = Arc::new(Schema::new(objects).unwrap());
        let full = Arc::new(AtomicBool::new(false));
        let disk = full.clone();
        let keep = move |_: &Registry| match disk.load(Ordering::Relaxed) {
            true => Err(Error::other("no space left on device")),
            false => Ok(()),
        };
        Self { model: Model::new(system.clone(), schema, registry, Box::new(keep)), system, full }
    }

    /// The agent starts again on what it has saved, by way of its file.
    fn restart(self) -> Self {
        let saved = serde_json::to_string(&*self.model.registry()).unwrap();
        Self::with(self.system, serde_json::from_str(&saved).unwrap())
    }

    fn write(&self, package: &str, text: &str) {
        self.system.files.lock().unwrap().insert(package.into(), text.into());
    }

    fn read(&self, package: &str) -> String {
        self.system.files.lock().unwrap().get(package).cloned().unwrap_or_default()
    }

    fn names(&self, path: &str, depth: Depth) -> Vec<String> {
        let mut context = self.model.context();
        let mut names = Vec::new();
        for target in resolve(&mut context, path).unwrap() {
            let mut walk = Walk::new(&context.schema().clone(), &target, depth);
            while let Some(found) = walk.next(&mut context) {
                names.push(match found {
                    Found::Parameter(_, _, parameter) => {
                        let writable = if parameter.writable { "=w" } else { "" };
                        format!("{}{}{writable}", walk.path(), parameter.name)
                    }
                    Found::Object(writable) | Found::Table(writable) => {
                        format!("{}{}", walk.path(), if writable { "=w" } else { "" })
                    }
                });
            }
        }
        names
    }

    fn get(&self, name: &str) -> Result<String, Fault> {
        let mut context = self.model.context();
        match resolve(&mut context, name)?.as_slice() {
            [Target::Parameter(node, row, parameter)] => {
                Ok(access::read(&mut context, *node, row, parameter)?.into_owned())
            }
            found => panic!("{name}: {}", found.len()),
        }
    }

    /// Name and number of each rule.
    fn rules(&self) -> Vec<(u32, String)> {
        let mut context = self.model.context();
        let node = context.schema().find("Device.Rule.").unwrap();
        let root = context.root();
        let numbers: Vec<u32> = context.rows(node, &root).unwrap().iter().map(|entry| entry.number).collect();
        numbers.into_iter().map(|n| (n, self.get(&format!("Device.Rule.{n}.Name")).unwrap())).collect()
    }

    fn set(&mut self, values: &[(&str, &str)]) -> Result<(), Vec<(String, u16)>> {
        let values: Vec<_> = values
            .iter()
            .map(|(name, value)| Assignment { name: (*name).into(), kind: None, value: (*value).into() })
            .collect();
        self.model.set_values(&values, None).map(drop).map_err(|fault| {
            let fault = fault.into_parts();
            let faults: Vec<_> = fault.parameters.into_iter().map(|fault| (fault.name, fault.code.0)).collect();
            if faults.is_empty() { vec![(String::new(), fault.code.0)] } else { faults }
        })
    }
}

fn rules(numbered: &[(u32, &str)]) -> Vec<(u32, String)> {
    numbered.iter().map(|(number, name)| (*number, String::from(*name))).collect()
}

#[test]
fn p62_numbers_stay_when_sections_are_removed_inserted_and_reordered() {
    let fixture = Fixture::new();
    assert_eq!(fixture.rules(), rules(&[(1, "a"), (2, "b"), (3, "c")]));
    assert_eq!(fixture.read("firewall"), FILE, "reading writes nothing");
    // The first is gone, one is new in front, the last two are swapped, and "c" has a new port.
    fixture.write(
        "firewall",
        "config rule\n\toption name 'new'\n\toption port '9'\n\nconfig rule\n\toption name 'c'\n\toption port '33'\n\nconfig rule 'named'\n\toption name 'b'\n",
    );
    let fixture = fixture.restart();
    assert_eq!(fixture.rules(), rules(&[(2, "b"), (3, "c"), (4, "new")]));
    // What was gone and comes back is new; its number was never given to anything else.
    fixture.write("firewall", FILE);
    let numbered = fixture.rules();
    assert_eq!(numbered.iter().find(|(_, name)| name == "b").unwrap().0, 2);
    assert_eq!(numbered.iter().find(|(_, name)| name == "c").unwrap().0, 3);
    assert!(numbered.iter().find(|(_, name)| name == "a").unwrap().0 > 4);
}

#[test]
fn p62_a_section_keeps_its_number_when_it_gets_a_name() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.set(&[("Device.Rule.3.Name", "cc")]), Ok(()));
    assert!(fixture.read("firewall").contains("config rule 'cwmp_"), "{}", fixture.read("firewall"));
    assert_eq!(fixture.rules(), rules(&[(1, "a"), (2, "b"), (3, "cc")]));
    assert_eq!(fixture.restart().rules(), rules(&[(1, "a"), (2, "b"), (3, "cc")]));
}

/// Two sections that are the same to the letter are told apart by their order; the one that stays must not take the place of the one that goes.
#[test]
fn p62_a_twin_keeps_its_number_when_the_other_is_deleted() {
    let mut fixture = Fixture::new();
    let twin = "config rule\n\toption name 'twin'\n\n";
    fixture.write("firewall", &twin.repeat(3));
    assert_eq!(fixture.rules(), rules(&[(1, "twin"), (2, "twin"), (3, "twin")]));
    fixture.model.delete_object("Device.Rule.1.", None).unwrap();
    assert_eq!(fixture.rules(), rules(&[(2, "twin"), (3, "twin")]));
    assert_eq!(fixture.restart().rules(), rules(&[(2, "twin"), (3, "twin")]));
}

#[test]
fn p01_p03_every_bad_entry_is_told_and_none_is_written() {
    let mut fixture = Fixture::new();
    let faults = fixture.set(&[
        ("Device.Rule.1.Name", "good"),
        ("Device.Rule.1.Port", "70000"),
        ("Device.Rule.1.Nope", "1"),
        ("Device.Rule.2.Seen", "1"),
        ("Device.Rule.2.Port", "many"),
        ("Device.Rule.99.Name", "x"),
        ("Device.Rule.", "x"),
        ("Device.Rule.*.Name", "x"),
    ]);
    let expected = [
        ("Device.Rule.1.Port", 9007),
        ("Device.Rule.1.Nope", 9005),
        ("Device.Rule.2.Seen", 9008),
        ("Device.Rule.2.Port", 9006),
        ("Device.Rule.99.Name", 9005),
        ("Device.Rule.", 9005),
        ("Device.Rule.*.Name", 9005),
    ];
    assert_eq!(faults, Err(expected.iter().map(|(name, code)| (String::from(*name), *code)).collect()));
    assert_eq!(fixture.read("firewall"), FILE);
    // A row is judged by the end state beside bad names and what is read-only, but not beside a bad value that would belong to that state.
    let twin = [("Device.Rule.1.Name", "b"), ("Device.Rule.1.Port", "2")];
    assert_eq!(
        fixture.set(&[twin[0], twin[1], ("Device.Rule.2.Seen", "1"), ("Device.No", "x")]),
        Err(vec![("Device.Rule.2.Seen".into(), 9008), ("Device.No".into(), 9005), ("Device.Rule.1.Port".into(), 9007)])
    );
    assert_eq!(
        fixture.set(&[twin[0], twin[1], ("Device.Rule.2.Port", "many")]),
        Err(vec![("Device.Rule.2.Port".into(), 9006)])
    );
    assert_eq!(fixture.read("firewall"), FILE);
    // CONFORMANCE P-05
    assert_eq!(fixture.set(&[("Device.Word", "a"), ("Device.Word", "b")]), Err(vec![(String::new(), 9003)]));
    assert_eq!(fixture.read("other"), "");
}

#[test]
fn p01_what_was_written_is_put_back_when_the_state_cannot_be_saved() {
    let mut fixture = Fixture::new();
    fixture.rules();
    fixture.model.save().unwrap();
    fixture.full.store(true, Ordering::Relaxed);
    let faults = fixture.set(&[("Device.Rule.2.Name", "z"), ("Device.Word", "w"), ("Device.Rule.2.Alias", "mine")]);
    assert_eq!(faults, Err(vec![(String::new(), 9002)]));
    assert_eq!((fixture.read("firewall"), fixture.get("Device.Word").unwrap()), (FILE.into(), "".into()));
    assert_eq!(fixture.get("Device.Rule.2.Alias").unwrap(), "cpe-2");
    fixture.full.store(false, Ordering::Relaxed);
    assert_eq!(fixture.set(&[("Device.Rule.2.Alias", "mine")]), Ok(()));
    assert_eq!(fixture.get("Device.Rule.2.Alias").unwrap(), "mine");
}

#[test]
fn a_request_is_done_again_when_somebody_else_was_faster() {
    let mut fixture = Fixture::new();
    fixture.system.faster.store(2, Ordering::Relaxed);
    assert_eq!(fixture.set(&[("Device.Rule.2.Name", "z")]), Ok(()));
    assert!(fixture.read("firewall").contains("option name 'z'"));
    fixture.system.faster.store(u32::MAX, Ordering::Relaxed);
    assert_eq!(fixture.set(&[("Device.Rule.2.Name", "y")]), Err(vec![(String::new(), 9001)]));
}

#[test]
fn p02_values_that_depend_on_each_other_are_judged_together() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.set(&[("Device.Rule.1.Low", "1"), ("Device.Rule.1.High", "5")]), Ok(()));
    // Either alone would be wrong on the way.
    assert_eq!(fixture.set(&[("Device.Rule.1.Low", "10"), ("Device.Rule.1.High", "20")]), Ok(()));
    assert_eq!(fixture.set(&[("Device.Rule.1.High", "2"), ("Device.Rule.1.Low", "1")]), Ok(()));
    let low = "Device.Rule.1.Low";
    assert_eq!(fixture.set(&[("Device.Rule.1.Name", "n"), (low, "3")]), Err(vec![(low.into(), 9007)]));
    assert_eq!(fixture.get("Device.Rule.1.Name").unwrap(), "a");
}

#[test]
fn p65_functional_keys_count_among_enabled_rows_and_aliases_always() {
    let mut fixture = Fixture::new();
    let taken = |name: &str| Err(vec![(String::from(name), 9007)]);
    let twin = [("Device.Rule.1.Name", "b"), ("Device.Rule.1.Port", "2")];
    assert_eq!(fixture.set(&twin), taken("Device.Rule.1.Port"));
    assert_eq!(fixture.set(&[twin[0], twin[1], ("Device.Rule.1.Enable", "false")]), Ok(()));
    assert_eq!(fixture.set(&[("Device.Rule.1.Enable", "true")]), taken("Device.Rule.1.Enable"));
    // Judged by the end state: the other one moves away in the same request.
    assert_eq!(fixture.set(&[("Device.Rule.1.Enable", "true"), ("Device.Rule.2.Port", "7")]), Ok(()));
    assert_eq!(fixture.set(&[("Device.Rule.3.Alias", "cpe-1")]), taken("Device.Rule.3.Alias"));
    assert_eq!(fixture.set(&[("Device.Rule.3.Alias", "web"), ("Device.Rule.1.Alias", "cpe-3")]), Ok(()));
}

#[test]
fn p60_to_p68_rows_are_added_with_their_defaults_and_deleted() {
    let mut fixture = Fixture::new();
    let (number, written) = fixture.model.add_object("Device.Rule.", Some("key")).unwrap();
    assert_eq!((number, written.names.as_slice()), (4, ["Device.RuleNumberOfEntries".into()].as_slice()));
    let get = |fixture: &Fixture, name: &str| fixture.get(&format!("Device.Rule.4.{name}")).unwrap();
    assert_eq!((get(&fixture, "Enable"), get(&fixture, "Alias")), ("false".into(), "cpe-4".into()));
    assert_eq!(fixture.get("Device.RuleNumberOfEntries").unwrap(), "4");
    let code = |result: Result<_, Fault>| result.map(drop).unwrap_err().code;
    for path in ["Device.Rule.1.", "Device.Rule", "Device.", "Device.No.", "Device.Rule.*."] {
        assert_eq!(code(fixture.model.add_object(path, None).map(drop)), FaultCode(9005), "{path}");
    }
    fixture.model.add_object("Device.Rule.", None).unwrap();
    assert_eq!(code(fixture.model.add_object("Device.Rule.", None).map(drop)), FaultCode(9004));
    assert_eq!(code(fixture.model.add_object("Device.Rule.", Some(&"x".repeat(33))).map(drop)), FaultCode(9003));
    // What lies in a row and what refers to it goes with it.
    assert_eq!(fixture.model.add_object("Device.Rule.4.Inner.", None).unwrap().0, 1);
    // Not even where there is one row only.
    assert_eq!(code(fixture.model.delete_object("Device.Rule.4.Inner.*.", None).map(drop)), FaultCode(9005));
    fixture.set(&[("Device.Rule.4.Inner.1.X", "deep"), ("Device.Rule.1.Friend", "Device.Rule.4")]).unwrap();
    assert_eq!(fixture.get("Device.Rule.1.Friend").unwrap(), "Device.Rule.4");
    let change = AttributeChange { name: "Device.Rule.4.Name".into(), notification: Some(2), access_list: None };
    fixture.model.set_attributes(&[change]).unwrap();
    fixture.model.delete_object("Device.Rule.4.", None).unwrap();
    assert_eq!(fixture.get("Device.Rule.1.Friend").unwrap(), "");
    assert!(fixture.model.registry().attributes().is_empty());
    assert!(fixture.model.registry().own_below("Device.Rule.4.").next().is_none());
    for path in ["Device.Rule.4.", "Device.Rule.", "Device.Rule.1", "Device.Rule.1.Stats.", "Device.Rule.*."] {
        assert_eq!(code(fixture.model.delete_object(path, None).map(drop)), FaultCode(9005), "{path}");
    }
    assert_eq!(fixture.model.add_object("Device.Rule.", None).unwrap().0, 6, "4 does not come again");
    assert_eq!(
        fixture.set(&[("Device.Rule.1.Friend", "Device.Rule.4")]),
        Err(vec![("Device.Rule.1.Friend".into(), 9007)])
    );
    assert_eq!(
        fixture.set(&[("Device.Rule.1.Friend", "Device.Rule.2.")]),
        Err(vec![("Device.Rule.1.Friend".into(), 9007)])
    );
}

#[test]
fn p08_the_parameter_key_is_stored_only_on_success() {
    let mut fixture = Fixture::new();
    let key = |fixture: &Fixture| fixture.model.registry().own(super::transaction::PARAMETER_KEY).map(String::from);
    fixture.model.set_values(&[], Some("first")).unwrap();
    assert_eq!(key(&fixture).as_deref(), Some("first"));
    let bad = Assignment { name: "Device.No".into(), kind: None, value: String::new() };
    fixture.model.set_values(&[bad], Some("second")).unwrap_err();
    assert_eq!(key(&fixture).as_deref(), Some("first"));
    // CONFORMANCE J-13: lengths are in characters.
    fixture.model.set_values(&[], Some(&"ä".repeat(32))).unwrap();
    fixture.model.set_values(&[], Some("")).unwrap();
    assert_eq!(key(&fixture).as_deref(), Some(""));
}

#[test]
fn p13_j14_secrets_and_commands_read_as_nothing() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.set(&[("Device.Rule.1.Key", "secret")]), Ok(()));
    assert!(fixture.read("firewall").contains("option key 'secret'"));
    assert_eq!(fixture.get("Device.Rule.1.Key").unwrap(), "");
    assert_eq!(fixture.get("Device.Rule.1.Go").unwrap(), "false");
    let go = |value: &str| vec![Assignment { name: "Device.Rule.1.Go".into(), kind: None, value: value.into() }];
    let written = fixture.model.set_values(&go("1"), None).unwrap();
    assert!(written.effects.programs.contains(&vec!["/bin/go".into()]));
    assert!(fixture.model.set_values(&go("0"), None).unwrap().effects.programs.is_empty());
}

#[test]
fn p12_the_same_value_again_touches_nothing() {
    let mut fixture = Fixture::new();
    let same = [("Device.Rule.1.Enable", "true"), ("Device.Rule.1.Name", "a"), ("Device.Rule.1.Port", "1")];
    assert_eq!(fixture.set(&same), Ok(()));
    assert_eq!(fixture.read("firewall"), FILE);
}

#[test]
fn p35_a_wildcard_stands_for_every_row() {
    let fixture = Fixture::new();
    let mut context = fixture.model.context();
    let mut count = |name: &str| resolve(&mut context, name).map(|found| found.len()).map_err(|fault| fault.code.0);
    assert_eq!(count("Device.Rule.*.Name"), Ok(3));
    assert_eq!(count("Device.Rule.*."), Ok(3));
    assert_eq!(count("Device.Rule.*.Stats.Hits"), Ok(3));
    assert_eq!(count("Device.Nothing.*.X"), Ok(0));
    assert_eq!(count("Device.Rule.*.Inner.*.X"), Ok(0));
    // What no row could have is wrong, whether there are rows or not.
    for name in [
        "Device.Rule.*.Nope",
        "Device.Rule.*.Nope.",
        "Device.Rule.*.Nope.Hits",
        "Device.Nothing.*.Nope",
        "Device.Nothing.*.Nope.",
        "Device.*.Name",
        "Device.Rule.Name",
        "Device.Rule.**.Name",
        "*",
    ] {
        assert_eq!(count(name), Err(9005), "{name}");
    }
}

#[test]
fn p33_p46_names_are_taken_to_the_letter() {
    let fixture = Fixture::new();
    let mut context = fixture.model.context();
    for name in [
        "Device",
        "device.Word",
        "Device.Rule",
        "Device.Word.",
        "Device..Word",
        "Device.Rule.0.Name",
        "Device.Rule.01.Name",
        "Device.Rule.4.Name",
        "Device.Rule.99999999999999.Name",
        "Device.Rule.-1.Name",
        " Device.",
        "Device. ",
        "InternetGatewayDevice.",
        ".",
        "Device.Rule.{i}.Name",
        "Device.Rule.1.Stats",
        "Device.Rule.1",
    ] {
        assert_eq!(resolve(&mut context, name).map(drop).map_err(|fault| fault.code.0), Err(9005), "{name}");
    }
    assert!(resolve(&mut context, &format!("Device.{}", "a.".repeat(100_000))).is_err());
    for name in
        ["", "Device.", "Device.Word", "Device.Rule.", "Device.Rule.1.", "Device.Rule.1.Stats.", "Device.Nothing."]
    {
        assert!(resolve(&mut context, name).is_ok(), "{name}");
    }
}

#[test]
fn p40_p41_p44_p45_names_by_depth() {
    let fixture = Fixture::new();
    fixture.write("firewall", "config rule 'only'\n");
    assert_eq!(
        fixture.names("Device.", Depth::Next),
        ["Device.RuleNumberOfEntries", "Device.Word=w", "Device.Nothing.=w", "Device.Rule.=w"]
    );
    assert_eq!(fixture.names("Device.Rule.", Depth::Next), ["Device.Rule.1.=w"]);
    assert_eq!(fixture.names("Device.Nothing.", Depth::Next), [""; 0]);
    assert_eq!(fixture.names("Device.Nothing.", Depth::All), ["Device.Nothing.=w"]);
    assert_eq!(fixture.names("Device.Word", Depth::All), ["Device.Word=w"]);
    let row = [
        "Device.Rule.1.Alias=w",
        "Device.Rule.1.Enable=w",
        "Device.Rule.1.Friend=w",
        "Device.Rule.1.Go=w",
        "Device.Rule.1.High=w",
        "Device.Rule.1.Key=w",
        "Device.Rule.1.Low=w",
        "Device.Rule.1.Name=w",
        "Device.Rule.1.Port=w",
        "Device.Rule.1.Seen",
        "Device.Rule.1.Inner.=w",
        "Device.Rule.1.Stats.",
    ];
    assert_eq!(fixture.names("Device.Rule.1.", Depth::Next), row);
    let mut all = vec![
        "Device.",
        "Device.RuleNumberOfEntries",
        "Device.Word=w",
        "Device.Nothing.=w",
        "Device.Rule.=w",
        "Device.Rule.1.=w",
    ];
    all.extend(row);
    all.push("Device.Rule.1.Stats.Hits");
    assert_eq!(fixture.names("Device.", Depth::All), all);
    assert_eq!(fixture.names("", Depth::All), all);
}

#[test]
fn p50_to_p53_attributes_are_all_or_nothing() {
    let mut fixture = Fixture::new();
    let change = |name: &str, notification| AttributeChange {
        name: name.into(),
        notification: Some(notification),
        access_list: None,
    };
    let refused = fixture.model.set_attributes(&[change("Device.Word", 1), change("Device.Rule.1.", 2)]).unwrap_err();
    assert_eq!(refused.code, FaultCode(9009));
    assert!(fixture.model.registry().attributes().is_empty());
    let on = fixture.model.set_attributes(&[change("Device.Rule.1.", 1), change("Device.Rule.1.Name", 2)]).unwrap();
    assert!(on.contains(&Switched { name: "Device.Rule.1.Stats.Hits".into(), before: 0, after: 1 }));
    assert!(on.contains(&Switched { name: "Device.Rule.1.Name".into(), before: 1, after: 2 }));
    assert_eq!(fixture.model.registry().attribute("Device.Rule.1.Name").unwrap().notification, Some(2));
    let mut context = fixture.model.context();
    assert!(fixture.model.notified(&mut context).contains(&("Device.Rule.1.Name".into(), 2)));
}

#[test]
fn one_request_reads_a_package_once() {
    let fixture = Fixture::new();
    fixture.names("", Depth::All);
    let mut context = fixture.model.context();
    let before = fixture.system.loads.load(Ordering::Relaxed);
    for target in resolve(&mut context, "Device.Rule.*.Name").unwrap() {
        let Target::Parameter(node, row, parameter) = target else { panic!() };
        access::read(&mut context, node, &row, parameter).unwrap();
    }
    assert_eq!(fixture.system.loads.load(Ordering::Relaxed) - before, 1);
}

/// CONFORMANCE J-04: references to rows of a table in another.
#[test]
fn j04_a_reference_may_mean_a_row_of_a_table_in_another() {
    const INNERS: &str = "Device.Rule.{i}.Inner.";
    let mut fixture = Fixture::new();
    fixture.model.add_object("Device.Rule.2.Inner.", None).unwrap();
    fixture.model.add_object("Device.Rule.3.Inner.", None).unwrap();
    fixture.model.add_object("Device.Rule.3.Inner.", None).unwrap();
    let mut context = fixture.model.context();
    for path in ["Device.Rule.2.Inner.1", "Device.Rule.3.Inner.2"] {
        let row = context.row_of_path(INNERS, path).unwrap();
        assert_eq!(context.path_of(&row), path);
    }
    for path in [
        "Device.Rule.3.Inner.3",
        "Device.Rule.1.Inner.1",
        "Device.Rule.3.Inner",
        "Device.Rule.3",
        "Device.Rule.*.Inner.1",
        "Device.Rule.3.Inner.1.X",
        "Device.Rule.3.Other.1",
        "Rule.3.Inner.1",
        "",
    ] {
        assert!(context.row_of_path(INNERS, path).is_none(), "{path}");
    }
    assert_eq!(context.path_of_key(INNERS, "1").as_deref(), Some("Device.Rule.2.Inner.1"));
    assert_eq!(context.path_of_key(INNERS, "2").as_deref(), Some("Device.Rule.3.Inner.2"));
    assert_eq!(context.path_of_key(INNERS, "3"), None);
    drop(context);
    fixture.model.delete_object("Device.Rule.3.Inner.2.", None).unwrap();
    assert_eq!(fixture.model.context().path_of_key(INNERS, "2"), None);
}
