//! Whatever names and values an ACS sends, what it gets is a fault or an answer that holds together: what lies below a name is below it, each
//! parameter that is listed can be read alone, and a value that was set reads back in a form that can be set again.
#![no_main]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use cwmpd::cwmp::answers::values_of;
use cwmpd::error::{Error, Result};
use cwmpd::model::Model;
use cwmpd::model::attributes::AttributeChange;
use cwmpd::model::format::{IPV4_ADDRESS, IPV4_PREFIX, MAC_ADDRESS, URL};
use cwmpd::model::registry::Registry;
use cwmpd::model::schema::*;
use cwmpd::model::transaction::Assignment;
use cwmpd::model::tree::{Schema, Target, resolve};
use cwmpd::model::value::*;
use cwmpd::model::walk::{Depth, Found, Walk};
use cwmpd::platform::ubus::UbusError;
use cwmpd::platform::uci::{CommitError, Package};
use cwmpd::platform::{FileInfo, InterfaceAddress, Output, Program, System};
use libfuzzer_sys::fuzz_target;

static OBJECTS: [&Object; 5] = [
    &Object::single(
        "Device.Info.",
        &[
            ro("RowNumberOfEntries", UNSIGNED_INT, count("Row")),
            rw("Note", STRING.lengths(&[(0, 16)]), own("")),
            rw("When", DATE_TIME, own(UNKNOWN_TIME)),
            rw("Bytes", BASE64.lengths(&[(0, 8)]), own("")),
            rw("Digits", HEX_BINARY.lengths(&[(0, 8)]), own("")),
            rw("Big", UNSIGNED_LONG, own("0")),
            rw("Small", LONG.ranges(&[(-5, 5), (10, i64::MAX)]), own("0")),
            rw("Go", BOOLEAN, own("false")).command(),
            rw("Secret", STRING, own("")).hidden(),
        ],
    ),
    &Object::table(
        "Device.Info.Row.{i}.",
        Table::new(sections("test", "row"))
            .writable(&[("enabled", "1")])
            .keys(&[functional(&["Name"])])
            .enabled_by("Enable"),
        &[
            alias(),
            rw("Enable", BOOLEAN, uci_bool("enabled", "false")),
            rw("Name", STRING.lengths(&[(0, 64)]), uci("label")),
            rw("Address", IPV4_ADDRESS, uci("address")),
            rw("MAC", MAC_ADDRESS, uci("mac")),
            rw("Mode", STRING.values(&["Off", "On"]), uci_words("mode", &[("0", "Off"), ("1", "On")], "Off")),
            rw("Tags", STRING.list_within((0, 4), 64), uci_list("tag")),
            rw("Count", INT.ranges(&[(-5, 5)]), uci_or("count", "0")),
            rw("Other", STRING.strong(&["Device.Info.Row."]), uci_row("other", "Device.Info.Row.")),
        ],
    ),
    &Object::table(
        "Device.Info.Row.{i}.Inner.{i}.",
        Table::new(Rows::Own).writable(&[]).at_most(8),
        &[alias(), rw("URL", STRING.format(URL), own("")), rw("Prefixes", STRING.format(IPV4_PREFIX).list(), own(""))],
    ),
    &Object::table(
        "Device.Info.Row.{i}.Inner.{i}.Deep.{i}.",
        Table::new(Rows::Keys(|_, row| Ok((0..row.number().min(3)).map(|key| key.to_string()).collect()))),
        &[ro("Key", STRING, get(|context, row| Ok(Text::Owned(context.key(row)?))))],
    ),
    &Object::table(
        "Device.Process.{i}.",
        Table::new(Rows::Numbered(|_, _| Ok(vec![7, 1, 4_294_967_295]))),
        &[ro("Broken", INT, get(|_, _| Err(Error::other("it cannot be read"))))],
    ),
];

const START: &[u8] = b"
config row 'one'
	option label 'first'
	option enabled '1'
	list tag 'a'
	list tag 'b'

config row
	option label 'it'\\''s the second'
	option other 'one'
";

/// A router that is one UCI package in memory.
struct Memory(Mutex<Vec<u8>>);

impl System for Memory {
    fn load_package(&self, name: &str) -> Result<Package> {
        Ok(Package::parse(name, &self.0.lock().unwrap()))
    }
    fn commit_packages(&self, packages: &mut [&mut Package]) -> Result<(), CommitError> {
        for package in packages {
            let text = package.to_bytes();
            assert!(Package::parse(package.name(), &text).problems().is_empty(), "what is written can be read");
            *self.0.lock().unwrap() = text;
        }
        Ok(())
    }
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
        Err(io::ErrorKind::NotFound.into())
    }
    fn read_link(&self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn file_info(&self, _: &str) -> io::Result<FileInfo> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn ubus_call(&self, _: &str, _: &str, _: &serde_json::Value) -> Result<serde_json::Value, UbusError> {
        Err(UbusError::NotFound)
    }
    fn run(&self, _: &Program<'_>) -> Result<Output> {
        Err(Error::other("there are no programs"))
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

// Each line is a request: `+` adds an object, `-` deletes one, `!` sets an attribute, `NAME=VALUE` joins the values that the next other line
// sets first, and anything else is a name to look up.
fuzz_target!(|text: &str| {
    let schema = Schema::new(OBJECTS).expect("the tables are right");
    let keep = Box::new(|_: &Registry| Ok(()));
    let mut model =
        Model::new(Arc::new(Memory(Mutex::new(START.to_vec()))), Arc::new(schema), Registry::default(), keep);
    let mut values = Vec::new();
    for line in text.split('\n').take(32) {
        if let Some((name, value)) = line.split_once('=') {
            values.push(Assignment { name: name.into(), kind: None, value: value.into() });
            continue;
        }
        set(&mut model, &values);
        values.clear();
        match line.split_at_checked(1) {
            Some(("+", path)) => {
                if let Ok((number, _)) = model.add_object(path, Some("key")) {
                    assert!(resolve(&mut model.context(), &format!("{path}{number}.")).is_ok());
                }
            }
            Some(("-", path)) => {
                if model.delete_object(path, None).is_ok() {
                    assert_eq!(resolve(&mut model.context(), path).expect_err("it is gone").code.0, 9005);
                }
            }
            Some(("!", name)) => {
                let change = AttributeChange { name: name.into(), notification: Some(2), access_list: None };
                let _ = model.set_attributes(&[change]);
            }
            _ => look(&model, line),
        }
    }
    set(&mut model, &values);
    look(&model, "");
});

fn set(model: &mut Model, values: &[Assignment]) {
    let sent = |name: &str| values.iter().any(|value| value.name == name);
    match model.set_values(values, Some("key")) {
        Ok(written) => {
            assert_eq!(written.names.len(), values.len());
            for name in &written.names {
                let [now] = &values_of(&mut model.context(), name)[..] else { panic!("{name} was set") };
                if !name.ends_with(".Secret") && !name.ends_with(".Go") {
                    let again = [Assignment { name: name.clone(), kind: None, value: now.value.text.clone() }];
                    model.set_values(&again, None).expect("a value that is there can be set");
                }
            }
        }
        Err(fault) => assert!(fault.parameters.iter().all(|fault| sent(&fault.name)), "{fault:?}"),
    }
}

fn look(model: &Model, name: &str) {
    let mut context = model.context();
    let schema = model.schema();
    let targets: Vec<Target> = match resolve(&mut context, name) {
        Ok(targets) => targets,
        Err(fault) => return assert_eq!(fault.code.0, 9005),
    };
    let wild = name.contains('*');
    assert!(wild || targets.len() == 1);
    for target in targets {
        let mut walk = Walk::new(schema, &target, Depth::All);
        while let Some(found) = walk.next(&mut context) {
            let path = walk.path().to_owned();
            let full = match found {
                Found::Parameter(_, _, parameter) => path + parameter.name,
                Found::Object(_) | Found::Table(_) => path,
            };
            assert!(wild || full.starts_with(name), "{full} lies below {name}");
            let [_] = resolve(&mut context, &full).expect("what is listed is there")[..] else {
                panic!("{full} is one thing")
            };
        }
    }
}
