//! Vendor model files: what they bring to the model of a router, and what happens when their sources misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/root.rs"]
mod root;

use std::sync::Arc;

use cwmpd::error::Fault;
use cwmpd::model::Model;
use cwmpd::model::access;
use cwmpd::model::registry::Registry;
use cwmpd::model::schema::{Notification, Object, Table, ro, rw, sections, uci};
use cwmpd::model::transaction::{Assignment, Written};
use cwmpd::model::tree::{Schema, Target, resolve};
use cwmpd::model::value::{STRING, UNSIGNED_INT};
use cwmpd::model::vendor::{Problem, install, load};
use cwmpd::model::walk::{Depth, Found, Walk};
use cwmpd::platform::live::Live;
use root::RouterRoot;

/// Stands for what the agent itself has.
static STANDARD: [&Object; 2] = [
    &Object::single(
        "Device.DeviceInfo.",
        &[
            ro("SoftwareVersion", STRING, cwmpd::model::schema::constant("24.10")).forced_inform(),
            ro("UpTime", UNSIGNED_INT, cwmpd::model::schema::constant("5")).notification(Notification::CanDeny),
        ],
    ),
    &Object::table(
        "Device.IP.Interface.{i}.",
        Table::new(sections("network", "interface")).writable(&[("proto", "none")]),
        &[rw("X_EXAMPLE_Proto", STRING, uci("proto")), ro("Name", STRING, uci("name"))],
    ),
];

/// The example of INTERFACE.md.
const EXAMPLE: &str = r#"{
  "Device.X_EXAMPLE_Led.{i}.": {
    "instances": {"uci": "system.@led"},
    "parameters": {
      "Name":    {"type": "string", "access": "ro", "uci": "name"},
      "Trigger": {"type": "string", "access": "rw", "uci": "trigger", "enum": ["none", "netdev", "timer"]},
      "Bright":  {"type": "unsignedInt", "access": "ro", "file": "/sys/class/leds/{uci:sysfs}/brightness"}
    },
    "apply": ["/etc/init.d/led", "reload"]
  },
  "Device.X_EXAMPLE_Modem.": {
    "parameters": {
      "Signal": {"type": "int", "access": "ro", "ubus": ["modem", "status", {}], "pointer": "/signal"},
      "Imei":   {"type": "string", "access": "ro", "exec": ["/usr/sbin/modem-info", "imei"]}
    }
  }
}
"#;

struct Router {
    root: RouterRoot,
    live: Arc<Live>,
    model: Model,
}

/// A router with these files; they have to be without mistakes.
fn router(prepare: impl FnOnce(&RouterRoot), files: &[(&str, &str)]) -> Router {
    let root = RouterRoot::new();
    prepare(&root);
    for (path, text) in files {
        root.write(path, text);
    }
    let (router, problems) = start(root);
    assert_eq!(problems, []);
    router
}

fn start(root: RouterRoot) -> (Router, Vec<Problem>) {
    let live = Arc::new(Live::new(root.path()).unwrap());
    let (files, problems) = load(&*live, &STANDARD);
    let installed = install(files);
    let mut schema = Schema::new(STANDARD.into_iter().chain(installed.objects)).unwrap();
    for (path, argv) in installed.apply {
        schema.add_apply(path, argv);
    }
    let model = Model::new(live.clone(), Arc::new(schema), Registry::default(), Box::new(|_| Ok(())));
    (Router { root, live, model }, problems)
}

const FILE: &str = "/usr/share/cwmpd/model.d/example.json";

fn with(objects: &str) -> Router {
    router(|_| {}, &[(FILE, objects)])
}

impl Router {
    fn get(&self, name: &str) -> Result<String, u16> {
        let mut context = self.model.context();
        let targets = resolve(&mut context, name).map_err(|fault| fault.code.0)?;
        let [Target::Parameter(node, row, parameter)] = targets.as_slice() else { panic!("{name} is no parameter") };
        match access::read(&mut context, *node, row, parameter) {
            Ok(value) => Ok(value.into_owned()),
            Err(error) => Err(Fault::from(error).code.0),
        }
    }

    /// The values below a path, without what cannot be read.
    fn below(&self, path: &str) -> Vec<(String, String)> {
        let mut context = self.model.context();
        let mut values = Vec::new();
        for target in resolve(&mut context, path).unwrap() {
            let mut walk = Walk::new(self.model.schema(), &target, Depth::All);
            while let Some(found) = walk.next(&mut context) {
                if let Found::Parameter(node, row, parameter) = found {
                    if let Ok(value) = access::read(&mut context, node, &row, parameter) {
                        values.push((format!("{}{}", walk.path(), parameter.name), value.into_owned()));
                    }
                }
            }
        }
        values
    }

    fn set(&mut self, values: &[(&str, &str)]) -> Result<Written, Vec<u16>> {
        let assignments: Vec<_> = values
            .iter()
            .map(|(name, value)| Assignment { name: (*name).into(), kind: None, value: (*value).into() })
            .collect();
        self.model.set_values(&assignments, None).map_err(|fault| match fault.parameters.as_slice() {
            [] => vec![fault.code.0],
            parameters => parameters.iter().map(|parameter| parameter.code.0).collect(),
        })
    }
}

fn pairs(values: &[(String, String)]) -> Vec<(&str, &str)> {
    values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn the_example_of_the_interface_works_as_it_stands() {
    let mut router = router(
        |root| {
            root.set_ubus("modem", "status", None, r#"{"signal": -71, "operator": "Example"}"#);
            root.write_recorder("/usr/sbin/modem-info", "echo 490154203237518");
        },
        &[(FILE, EXAMPLE)],
    );
    let led = "Device.X_EXAMPLE_Led.";
    assert_eq!(
        pairs(&router.below("Device."))
            .into_iter()
            .filter(|(name, _)| name.starts_with("Device.X_EXAMPLE_"))
            .collect::<Vec<_>>(),
        [
            ("Device.X_EXAMPLE_LedNumberOfEntries", "2"),
            ("Device.X_EXAMPLE_Led.1.Bright", "0"),
            ("Device.X_EXAMPLE_Led.1.Name", "WAN"),
            ("Device.X_EXAMPLE_Led.1.Trigger", "netdev"),
            ("Device.X_EXAMPLE_Led.2.Bright", "255"),
            ("Device.X_EXAMPLE_Led.2.Name", "Power"),
            ("Device.X_EXAMPLE_Led.2.Trigger", "none"),
            ("Device.X_EXAMPLE_Modem.Imei", "490154203237518"),
            ("Device.X_EXAMPLE_Modem.Signal", "-71"),
        ]
    );
    let written = router.set(&[("Device.X_EXAMPLE_Led.1.Trigger", "timer")]).unwrap();
    assert_eq!(written.effects.programs.into_iter().collect::<Vec<_>>(), [["/etc/init.d/led", "reload"]]);
    assert_eq!(written.effects.packages.into_iter().collect::<Vec<_>>(), ["system"]);
    assert!(router.root.read("/etc/config/system").contains("option trigger 'timer'"));
    assert_eq!(router.set(&[(&format!("{led}1.Trigger"), "blink")]), Err(vec![9007]));
    assert_eq!(router.set(&[(&format!("{led}1.Name"), "x")]), Err(vec![9008]));
    assert_eq!(router.model.add_object(led, None).unwrap_err().code.0, 9005);
    assert_eq!(router.get("Device.X_EXAMPLE_Led.1.Alias"), Err(9005));
}

#[test]
fn every_word_of_a_uci_source() {
    let mut router = with(
        r#"{
      "Device.X_EXAMPLE_System.": {
        "parameters": {
          "Host":    {"type": "string", "access": "rw", "uci": "system.@system[0].hostname", "maxLength": 63},
          "LogSize": {"type": "unsignedInt", "access": "rw", "uci": "system.@system[0].log_size", "range": [[0, 64], [128, null]]},
          "Client":  {"type": "boolean", "access": "rw", "uci": "system.ntp.enabled"},
          "Server":  {"type": "boolean", "access": "rw", "uci": "system.ntp.enable_server", "map": "truth", "default": true},
          "Silent":  {"type": "boolean", "access": "rw", "uci": "system.ntp.loud", "map": "inverse"},
          "Servers": {"type": "string", "list": true, "access": "rw", "uci": "system.ntp.server", "maxItems": 4},
          "Mode":    {"type": "string", "access": "rw", "uci": "system.extra=example.mode",
                      "map": {"a": "Automatic", "m": "Manual"}, "default": "Manual"},
          "Seen":    {"type": "string", "access": "ro", "uci": "system.extra.mode", "map": {"a": "Automatic"}, "default": "Never"},
          "Absent":  {"type": "int", "access": "ro", "uci": "system.nothing.at_all", "default": 7}
        }
      }
    }"#,
    );
    let at = |name: &str| format!("Device.X_EXAMPLE_System.{name}");
    let values = router.below("Device.X_EXAMPLE_System.");
    let values: Vec<_> = pairs(&values).into_iter().map(|(name, value)| (&name[24..], value)).collect();
    assert_eq!(
        values,
        [
            ("Absent", "7"),
            ("Client", "true"),
            ("Host", "OpenWrt"),
            ("LogSize", "128"),
            ("Mode", "Manual"),
            ("Seen", "Never"),
            ("Server", "false"),
            ("Servers", "0.openwrt.pool.ntp.org,1.openwrt.pool.ntp.org,2.openwrt.pool.ntp.org,3.openwrt.pool.ntp.org"),
            ("Silent", "true"),
        ]
    );
    router
        .set(&[
            (&at("Host"), "gate"),
            (&at("LogSize"), "64"),
            (&at("Client"), "0"),
            (&at("Server"), "false"),
            (&at("Silent"), "false"),
            (&at("Servers"), "a.example, b.example"),
            (&at("Mode"), "Automatic"),
        ])
        .unwrap();
    let file = router.root.read("/etc/config/system");
    for line in [
        "option hostname 'gate'",
        "option log_size '64'",
        "option enabled '0'",
        "option enable_server '0'",
        "option loud '1'",
        "list server 'b.example'",
        "config example 'extra'",
        "option mode 'a'",
    ] {
        assert!(file.contains(line), "{line} in {file}");
    }
    assert_eq!(router.get(&at("Seen")), Ok("Automatic".into()));
    for (name, bad) in [
        ("LogSize", "100"),
        ("Client", "maybe"),
        ("Servers", "a,b,c,d,e"),
        ("Mode", "Never"),
        ("Host", &"h".repeat(64)),
    ] {
        let refused = router.set(&[(&at(name), bad)]).unwrap_err();
        assert!(refused == [9007] || refused == [9006], "{name}: {refused:?}");
    }
    assert_eq!(router.root.read("/etc/config/system"), file);
}

#[test]
fn a_pattern_is_the_whole_value_or_each_item() {
    let mut router = with(
        r#"{"Device.X_EXAMPLE_Thing.": {"parameters": {
        "Label": {"type": "string", "access": "rw", "uci": "things.main.label", "pattern": "[A-Z]{2}-\\d+|none"},
        "Marks": {"type": "string", "list": true, "access": "rw", "uci": "things.main.marks", "pattern": "[a-z]+"},
        "Found": {"type": "string", "access": "ro", "file": "/tmp/found", "pattern": "\\d+"}
      }}}"#,
    );
    let (label, marks) = ("Device.X_EXAMPLE_Thing.Label", "Device.X_EXAMPLE_Thing.Marks");
    for good in ["AB-1", "none", ""] {
        router.set(&[(label, good)]).unwrap();
        assert_eq!(router.get(label), Ok(good.into()));
    }
    for bad in ["AB-", "xAB-1", "AB-1x", "None"] {
        assert_eq!(router.set(&[(label, bad)]), Err(vec![9007]), "{bad}");
    }
    router.set(&[(marks, "a,bc")]).unwrap();
    assert_eq!(router.set(&[(marks, "a,B")]), Err(vec![9007]));
    assert_eq!(router.get(marks), Ok("a,bc".into()));
    router.root.write("/tmp/found", "17\n");
    assert_eq!(router.get("Device.X_EXAMPLE_Thing.Found"), Ok("17".into()));
    router.root.write("/tmp/found", "seventeen\n");
    assert_eq!(router.get("Device.X_EXAMPLE_Thing.Found"), Err(9002));
}

#[test]
fn what_a_person_wrote_into_uci_may_be_no_value() {
    let router = router(
        |root| root.replace("/etc/config/system", "log_size '128'", "log_size 'plenty'"),
        &[(
            FILE,
            r#"{"Device.X_EXAMPLE_System.": {"parameters": {
              "LogSize": {"type": "unsignedInt", "access": "ro", "uci": "system.@system[0].log_size", "default": 64}
            }}}"#,
        )],
    );
    assert_eq!(router.get("Device.X_EXAMPLE_System.LogSize"), Ok("64".into()));
}

#[test]
fn a_section_is_made_only_where_it_is_the_one_that_is_meant() {
    let mut router = with(
        r#"{"Device.X_EXAMPLE_A.": {"parameters": {
          "First": {"type": "string", "access": "rw", "uci": "system.@thing[0].a"},
          "Third": {"type": "string", "access": "rw", "uci": "system.@other[2].a"}
        }}}"#,
    );
    router.set(&[("Device.X_EXAMPLE_A.First", "x")]).unwrap();
    assert_eq!(router.get("Device.X_EXAMPLE_A.First"), Ok("x".into()));
    let before = router.root.read("/etc/config/system");
    assert_eq!(router.set(&[("Device.X_EXAMPLE_A.Third", "x")]), Err(vec![9002]));
    assert_eq!(router.root.read("/etc/config/system"), before);
}

#[test]
fn values_are_written_to_files_programs_and_options() {
    let mut router = router(
        |root| {
            root.write_recorder(
                "/usr/sbin/led-tool",
                "[ \"$1\" = get ] && cat \"@ROOT@/value\" || printf %s \"$3\" >\"@ROOT@/value\"",
            )
        },
        &[(
            FILE,
            r#"{
      "Device.X_EXAMPLE_Led.{i}.": {
        "instances": {"uci": "system.@led"},
        "parameters": {
          "Level":  {"type": "unsignedInt", "access": "rw", "file": "/sys/class/leds/{uci:sysfs}/brightness", "max": 255},
          "On":     {"type": "boolean", "access": "rw", "file": "/sys/class/leds/{uci:sysfs}/brightness"},
          "Mode":   {"type": "string", "access": "rw", "exec": ["/usr/sbin/led-tool", "get", "{uci:sysfs}"],
                     "write": {"exec": ["/usr/sbin/led-tool", "set"]}},
          "Blink":  {"type": "boolean", "access": "rw", "command": true, "write": {"exec": ["/usr/sbin/led-tool", "blink", "{key}"]}},
          "Secret": {"type": "string", "access": "rw", "hidden": true, "value": "", "write": {"uci": "secret"}}
        }
      }
    }"#,
        )],
    );
    router.root.write("/value", "steady\n");
    let at = |name: &str| format!("Device.X_EXAMPLE_Led.1.{name}");
    assert_eq!(router.get(&at("Mode")), Ok("steady".into()));
    router.root.clear_calls();
    router.set(&[(&at("Level"), "17"), (&at("Mode"), "a b; reboot $(x)"), (&at("Secret"), "hush")]).unwrap();
    assert_eq!(router.root.calls(), ["/usr/sbin/led-tool set a b; reboot $(x)"]);
    assert_eq!(router.root.read("/sys/class/leds/green:wan/brightness"), "17");
    assert_eq!(router.get(&at("Secret")), Ok(String::new()));
    assert!(router.root.read("/etc/config/system").contains("option secret 'hush'"));
    router.set(&[(&at("On"), "true")]).unwrap();
    assert_eq!(router.root.read("/sys/class/leds/green:wan/brightness"), "1");
    assert_eq!(router.get(&at("On")), Ok("true".into()));
    // CONFORMANCE J-14
    router.root.clear_calls();
    router.set(&[(&at("Blink"), "false")]).unwrap();
    assert_eq!(router.root.calls(), [""; 0]);
    router.set(&[(&at("Blink"), "true")]).unwrap();
    assert_eq!(router.root.calls(), ["/usr/sbin/led-tool blink led_wan true"]);
    assert_eq!(router.get(&at("Blink")), Ok("false".into()));
    assert_eq!(router.set(&[(&at("Level"), "256")]), Err(vec![9007]));
}

/// CONFORMANCE P-12
#[test]
fn a_command_that_is_not_given_disturbs_nobody() {
    let mut router = with(
        r#"{"Device.X_EXAMPLE_A.": {
          "parameters": {"Go": {"type": "boolean", "access": "rw", "command": true, "file": "/tmp/go"}},
          "apply": ["/etc/init.d/led", "reload"]
        }}"#,
    );
    router.root.write("/tmp/go", "");
    assert!(router.set(&[("Device.X_EXAMPLE_A.Go", "false")]).unwrap().effects.programs.is_empty());
    assert!(!router.set(&[("Device.X_EXAMPLE_A.Go", "true")]).unwrap().effects.programs.is_empty());
}

#[test]
fn a_failing_write_program_leaves_everything_as_it_was() {
    let mut router = router(
        |root| root.write_recorder("/usr/sbin/fails", "exit 1"),
        &[(
            FILE,
            r#"{"Device.X_EXAMPLE_A.": {"parameters": {
              "Host": {"type": "string", "access": "rw", "uci": "system.@system[0].hostname"},
              "Do":   {"type": "string", "access": "rw", "value": "", "write": {"exec": ["/usr/sbin/fails"]}}
            }}}"#,
        )],
    );
    let before = router.root.read("/etc/config/system");
    assert_eq!(router.set(&[("Device.X_EXAMPLE_A.Host", "x"), ("Device.X_EXAMPLE_A.Do", "y")]), Err(vec![9002]));
    assert_eq!(router.root.read("/etc/config/system"), before);
}

#[test]
fn rows_from_a_directory_a_ubus_array_a_ubus_object_and_a_program() {
    let router = router(
        |root| {
            root.set_ubus(
                "modem",
                "list",
                None,
                r#"{"sims": [{"id": 8, "pin": {"left": 3}}, {"id": 5, "pin": {"left": 1}}, {"no": "id"}],
                   "bands": {"b/1": {"on": true}, "b3": {"on": false}}, "names": ["x", "y", "x", ""]}"#,
            );
            root.write_recorder("/usr/sbin/ports", "[ $# = 0 ] && printf ' p1 \\n\\np2\\n' || echo \"${2#p}00\"");
        },
        &[(
            FILE,
            r#"{
      "Device.X_EXAMPLE_Led.{i}.": {
        "instances": {"directory": "/sys/class/leds"},
        "parameters": {
          "Name":   {"type": "string", "access": "ro", "file": "/sys/class/leds/{key}/trigger"},
          "Key":    {"type": "string", "access": "ro", "key": true},
          "Max":    {"type": "unsignedInt", "access": "ro", "file": "/sys/class/leds/{key}/max_brightness"}
        }
      },
      "Device.X_EXAMPLE_Modem.": {"parameters": {"Vendor": {"type": "string", "access": "ro", "value": "Example"}}},
      "Device.X_EXAMPLE_Modem.Sim.{i}.": {
        "instances": {"ubus": ["modem", "list"], "pointer": "/sims", "key": "id"},
        "parameters": {"Left": {"type": "unsignedInt", "access": "ro", "ubus": ["modem", "list"], "pointer": "/sims/{key}/pin/left"}}
      },
      "Device.X_EXAMPLE_Modem.Band.{i}.": {
        "instances": {"ubus": ["modem", "list", {}], "pointer": "/bands"},
        "parameters": {"On": {"type": "boolean", "access": "ro", "ubus": ["modem", "list", {}], "pointer": "/bands/{key}/on"}}
      },
      "Device.X_EXAMPLE_Modem.Name.{i}.": {
        "instances": {"ubus": ["modem", "list", {}], "pointer": "/names"},
        "parameters": {"Is": {"type": "string", "access": "ro", "ubus": ["modem", "list", {}], "pointer": "/names/{key}"}}
      },
      "Device.X_EXAMPLE_Port.{i}.": {
        "instances": {"exec": ["/usr/sbin/ports"]},
        "parameters": {"Speed": {"type": "unsignedInt", "access": "ro", "exec": ["/usr/sbin/ports", "speed", "{key}"]}}
      }
    }"#,
        )],
    );
    let shown =
        |path: &str| router.below(path).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    assert_eq!(
        shown("Device.X_EXAMPLE_Modem."),
        [
            "Device.X_EXAMPLE_Modem.BandNumberOfEntries=2",
            "Device.X_EXAMPLE_Modem.NameNumberOfEntries=2",
            "Device.X_EXAMPLE_Modem.SimNumberOfEntries=2",
            "Device.X_EXAMPLE_Modem.Vendor=Example",
            "Device.X_EXAMPLE_Modem.Band.1.On=true",
            "Device.X_EXAMPLE_Modem.Band.2.On=false",
            "Device.X_EXAMPLE_Modem.Name.1.Is=x",
            "Device.X_EXAMPLE_Modem.Name.2.Is=y",
            "Device.X_EXAMPLE_Modem.Sim.1.Left=3",
            "Device.X_EXAMPLE_Modem.Sim.2.Left=1",
        ]
    );
    assert_eq!(
        shown("Device.X_EXAMPLE_Port."),
        ["Device.X_EXAMPLE_Port.1.Speed=100", "Device.X_EXAMPLE_Port.2.Speed=200"]
    );
    assert_eq!(router.get("Device.X_EXAMPLE_LedNumberOfEntries"), Ok("3".into()));
    assert_eq!(router.get("Device.X_EXAMPLE_Led.2.Name"), Ok("[none] timer default-on netdev".into()));
    assert_eq!(router.get("Device.X_EXAMPLE_Led.2.Key"), Ok("green:power".into()));
    // Numbers belong to keys: another order, another number of rows, and the same numbers.
    router.root.set_ubus(
        "modem",
        "list",
        None,
        r#"{"sims": [{"id": 9, "pin": {"left": 9}}, {"id": "5", "pin": {"left": 2}}]}"#,
    );
    assert_eq!(
        shown("Device.X_EXAMPLE_Modem.Sim."),
        ["Device.X_EXAMPLE_Modem.Sim.2.Left=2", "Device.X_EXAMPLE_Modem.Sim.3.Left=9"]
    );
}

/// Arrays in the items of an array: what belongs to a row says which row it lies in.
#[test]
fn rows_in_rows_know_the_row_around_them() {
    let router = router(
        |root| {
            let reply = r#"{"modems": [{"id": "a", "sims": [{"slot": 1, "pin": 3}, {"slot": 2, "pin": 1}]},
                                       {"id": "b", "sims": [{"slot": 2, "pin": 7}]}]}"#;
            root.set_ubus("modem", "list", None, reply);
            root.write_recorder("/usr/sbin/sim", "echo \"$1 $2\"");
        },
        &[(
            FILE,
            r#"{
      "Device.X_EXAMPLE_Modem.{i}.": {"instances": {"ubus": ["modem", "list"], "pointer": "/modems", "key": "id"}},
      "Device.X_EXAMPLE_Modem.{i}.Sim.{i}.": {
        "instances": {"ubus": ["modem", "list"], "pointer": "/modems/{key}/sims", "key": "slot"},
        "parameters": {
          "Name": {"type": "string", "access": "ro", "exec": ["/usr/sbin/sim", "{around}", "{key}"]},
          "Pin":  {"type": "int", "access": "ro", "ubus": ["modem", "list"], "pointer": "/modems/{around}/sims/{key}/pin"}
        }
      }
    }"#,
        )],
    );
    let values = router.below("Device.X_EXAMPLE_Modem.");
    let values: Vec<_> = pairs(&values).into_iter().filter(|(name, _)| name.contains(".Sim.")).collect();
    assert_eq!(
        values,
        [
            ("Device.X_EXAMPLE_Modem.1.Sim.1.Name", "a 1"),
            ("Device.X_EXAMPLE_Modem.1.Sim.1.Pin", "3"),
            ("Device.X_EXAMPLE_Modem.1.Sim.2.Name", "a 2"),
            ("Device.X_EXAMPLE_Modem.1.Sim.2.Pin", "1"),
            ("Device.X_EXAMPLE_Modem.2.Sim.1.Name", "b 2"),
            ("Device.X_EXAMPLE_Modem.2.Sim.1.Pin", "7"),
        ]
    );
}

#[test]
fn rows_of_sections_are_added_and_deleted() {
    let mut router = with(
        r#"{
      "Device.X_EXAMPLE_Led.{i}.": {
        "instances": {"uci": "system.@led"},
        "writable": {"trigger": "none", "default": 0, "lit": true},
        "unique": ["Name"],
        "limit": 3,
        "parameters": {
          "Name":   {"type": "string", "access": "rw", "uci": "name"},
          "Device": {"type": "string", "access": "rw", "uci": "sysfs", "default": "green:power"}
        },
        "apply": [["/etc/init.d/led", "reload"], ["/etc/init.d/log", "restart"]]
      }
    }"#,
    );
    let (number, written) = router.model.add_object("Device.X_EXAMPLE_Led.", None).unwrap();
    assert_eq!((number, written.names), (3, vec!["Device.X_EXAMPLE_LedNumberOfEntries".to_owned()]));
    assert_eq!(written.effects.programs.len(), 2);
    let system = router.root.read("/etc/config/system");
    assert!(system.contains("option default '0'") && system.contains("option lit '1'"), "{system}");
    assert_eq!(router.get("Device.X_EXAMPLE_Led.3.Device"), Ok("green:power".into()));
    assert_eq!(router.model.add_object("Device.X_EXAMPLE_Led.", None).unwrap_err().code.0, 9004);
    assert_eq!(router.set(&[("Device.X_EXAMPLE_Led.3.Name", "WAN")]), Err(vec![9007]));
    router.set(&[("Device.X_EXAMPLE_Led.3.Name", "LAN")]).unwrap();
    router.model.delete_object("Device.X_EXAMPLE_Led.2.", None).unwrap();
    assert_eq!(router.get("Device.X_EXAMPLE_LedNumberOfEntries"), Ok("2".into()));
    assert!(!router.root.read("/etc/config/system").contains("'Power'"));
}

/// Sections that name the one which they belong to: each is a row of that one alone, is made for it, and goes with it.
#[test]
fn sections_lie_in_the_row_that_they_name() {
    let mut router = router(
        |root| {
            root.write(
                "/etc/config/acme",
                "config zone 'one'\n\nconfig zone 'two'\n\nconfig rule 'a'\n\toption zone 'one'\n\toption to 'x'\n\n\
                 config rule 'b'\n\toption zone 'two'\n\toption to 'y'\n\nconfig rule 'c'\n\toption to 'z'\n",
            );
        },
        &[(
            FILE,
            r#"{
      "Device.X_EXAMPLE_Zone.{i}.": {"instances": {"uci": "acme.@zone"}, "writable": true},
      "Device.X_EXAMPLE_Zone.{i}.Rule.{i}.": {
        "instances": {"uci": "acme.@rule", "where": {"zone": "{key}"}},
        "writable": {"to": "nowhere"},
        "parameters": {"To": {"type": "string", "access": "rw", "uci": "to"}}
      }
    }"#,
        )],
    );
    let rules = |router: &Router| {
        let values = router.below("Device.X_EXAMPLE_Zone.");
        values.into_iter().filter(|(name, _)| name.ends_with(".To")).map(|(_, value)| value).collect::<Vec<_>>()
    };
    assert_eq!(rules(&router), ["x", "y"]);
    router.model.add_object("Device.X_EXAMPLE_Zone.1.Rule.", None).unwrap();
    assert_eq!(rules(&router), ["x", "nowhere", "y"]);
    router.model.delete_object("Device.X_EXAMPLE_Zone.1.", None).unwrap();
    assert_eq!(rules(&router), ["y"]);
    let file = router.root.read("/etc/config/acme");
    assert!(!file.contains("'one'") && !file.contains("nowhere") && file.contains("config rule 'c'"), "{file}");
}

/// What names a section without a name would lead nowhere.
#[test]
fn a_section_gets_the_name_by_which_others_belong_to_it() {
    let mut router = router(
        |root| root.write("/etc/config/acme", "config zone\n\toption colour 'red'\n"),
        &[(
            FILE,
            r#"{
      "Device.X_EXAMPLE_Zone.{i}.": {"instances": {"uci": "acme.@zone"}},
      "Device.X_EXAMPLE_Zone.{i}.Rule.{i}.": {
        "instances": {"uci": "acme.@rule", "where": {"zone": "{key}"}},
        "writable": true,
        "parameters": {"To": {"type": "string", "access": "rw", "uci": "to"}}
      }
    }"#,
        )],
    );
    router.model.add_object("Device.X_EXAMPLE_Zone.1.Rule.", None).unwrap();
    let file = router.root.read("/etc/config/acme");
    let named = file.lines().find_map(|line| line.strip_prefix("config zone ")).unwrap_or_default();
    assert!(!named.is_empty() && file.contains(&format!("option zone {named}\n")), "{file}");
}

#[test]
fn an_addition_to_a_standard_table_stands_on_its_rows() {
    let mut router = with(
        r#"{
      "Device.DeviceInfo.": {"parameters": {
        "SoftwareVersion": {"type": "string", "access": "ro", "value": "vendor 7"},
        "X_EXAMPLE_Board": {"type": "string", "access": "ro", "file": "/sys/firmware/devicetree/base/model"}
      }},
      "Device.IP.Interface.{i}.": {
        "parameters": {
          "X_EXAMPLE_Metric": {"type": "unsignedInt", "access": "rw", "uci": "metric"},
          "X_EXAMPLE_Who":    {"type": "string", "access": "ro", "exec": ["/usr/sbin/who", "{key}", "{uci:device}"]}
        },
        "apply": ["/etc/init.d/network", "reload"]
      },
      "Device.IP.Interface.{i}.X_EXAMPLE_Extra.": {"parameters": {"Device": {"type": "string", "access": "ro", "uci": "device"}}}
    }"#,
    );
    router.root.write_recorder("/usr/sbin/who", "echo \"$1 on $2\"");
    assert_eq!(router.get("Device.IP.Interface.2.X_EXAMPLE_Who"), Ok("lan on br-lan".into()));
    assert_eq!(router.get("Device.IP.Interface.2.X_EXAMPLE_Extra.Device"), Ok("br-lan".into()));
    assert_eq!(router.get("Device.IP.Interface.2.X_EXAMPLE_Proto"), Ok("static".into()));
    let written = router.set(&[("Device.IP.Interface.2.X_EXAMPLE_Metric", "20")]).unwrap();
    assert_eq!(written.effects.programs.len(), 1);
    assert!(router.root.read("/etc/config/network").contains("option metric '20'"));
    // CONFORMANCE P-12: the same value again disturbs no service.
    let written = router.set(&[("Device.IP.Interface.2.X_EXAMPLE_Metric", "20")]).unwrap();
    assert!(!written.effects.take_time(), "{written:?}");
    assert_eq!(router.get("Device.DeviceInfo.SoftwareVersion"), Ok("vendor 7".into()));
    assert_eq!(router.get("Device.DeviceInfo.UpTime"), Ok("5".into()));
    assert_eq!(router.get("Device.DeviceInfo.X_EXAMPLE_Board"), Ok("Example AX3000".into()));
    assert_eq!(router.get("Device.IP.InterfaceNumberOfEntries"), Err(9005));
    // CONFORMANCE I-04: what every Inform carries stays so, wherever its value comes from.
    assert_eq!(router.model.forced_inform(), ["Device.DeviceInfo.SoftwareVersion"]);
    let (number, _) = router.model.add_object("Device.IP.Interface.", None).unwrap();
    assert_eq!(router.get(&format!("Device.IP.Interface.{number}.X_EXAMPLE_Proto")), Ok("none".into()));
}

#[test]
fn a_file_of_the_user_replaces_parameters_one_by_one() {
    let router = router(
        |_| {},
        &[
            ("/usr/share/cwmpd/model.d/zz.json", EXAMPLE),
            (
                "/etc/cwmpd/model.d/aa.json",
                r#"{"Device.X_EXAMPLE_Led.{i}.": {"parameters": {
                  "Name":  {"type": "string", "access": "ro", "uci": "sysfs"},
                  "Extra": {"type": "string", "access": "ro", "value": "mine"}
                }}}"#,
            ),
        ],
    );
    assert_eq!(
        pairs(&router.below("Device.X_EXAMPLE_Led.2.")),
        [
            ("Device.X_EXAMPLE_Led.2.Bright", "255"),
            ("Device.X_EXAMPLE_Led.2.Extra", "mine"),
            ("Device.X_EXAMPLE_Led.2.Name", "green:power"),
            ("Device.X_EXAMPLE_Led.2.Trigger", "none"),
        ]
    );
}

/// Files are read in the order of their names, and nobody numbers them by what they need.
#[test]
fn an_earlier_file_may_add_to_the_table_of_a_later_one() {
    let router = router(
        |_| {},
        &[
            (
                "/usr/share/cwmpd/model.d/10-more.json",
                r#"{"Device.X_EXAMPLE_Led.{i}.": {"parameters": {
                  "Name":  {"type": "string", "access": "ro", "value": "replaced"},
                  "Extra": {"type": "string", "access": "ro", "value": "mine"}
                }}, "Device.X_EXAMPLE_Led.{i}.Sub.": {"parameters": {
                  "Key": {"type": "string", "access": "ro", "uci": "sysfs"}
                }}}"#,
            ),
            ("/usr/share/cwmpd/model.d/20-table.json", EXAMPLE),
        ],
    );
    assert_eq!(
        pairs(&router.below("Device.X_EXAMPLE_Led.2.")),
        [
            ("Device.X_EXAMPLE_Led.2.Bright", "255"),
            ("Device.X_EXAMPLE_Led.2.Extra", "mine"),
            ("Device.X_EXAMPLE_Led.2.Name", "Power"),
            ("Device.X_EXAMPLE_Led.2.Trigger", "none"),
            ("Device.X_EXAMPLE_Led.2.Sub.Key", "green:power"),
        ]
    );
}

#[test]
fn j15_a_count_can_be_the_files_own_or_none() {
    let router = with(
        r#"{
      "Device.X_EXAMPLE_A.": {"parameters": {"BNumberOfEntries": {"type": "unsignedInt", "access": "ro", "value": 77}}},
      "Device.X_EXAMPLE_A.B.{i}.": {"instances": {"uci": "system.@led"}},
      "Device.X_EXAMPLE_A.C.{i}.": {"instances": {"uci": "system.@led"}, "count": false},
      "Device.X_EXAMPLE_A.D.{i}.": {"instances": {"uci": "system.@led"}},
      "Device.X_EXAMPLE_A.D.{i}.E.{i}.": {"instances": {"directory": "/sys/class/leds/{uci:sysfs}"}}
    }"#,
    );
    assert_eq!(
        pairs(&router.below("Device.X_EXAMPLE_A.")),
        [
            ("Device.X_EXAMPLE_A.BNumberOfEntries", "77"),
            ("Device.X_EXAMPLE_A.DNumberOfEntries", "2"),
            ("Device.X_EXAMPLE_A.D.1.ENumberOfEntries", "3"),
            ("Device.X_EXAMPLE_A.D.2.ENumberOfEntries", "3"),
        ]
    );
}

#[test]
fn what_misbehaves_is_left_out_and_the_rest_works() {
    let router = router(
        |root| {
            root.set_ubus(
                "modem",
                "status",
                None,
                r#"{"signal": "strong", "object": {"a": 1}, "list": [1, 2], "float": 3.7, "good": 5}"#,
            );
            root.write_recorder("/usr/sbin/fails", "echo 5; exit 1");
            root.write_recorder("/usr/sbin/floods", "exec cat /dev/zero");
            root.write_recorder("/usr/sbin/lies", "echo many");
        },
        &[(
            FILE,
            r#"{
      "Device.X_EXAMPLE_Bad.": {"parameters": {
        "Fails":   {"type": "int", "access": "ro", "exec": ["/usr/sbin/fails"]},
        "Floods":  {"type": "string", "access": "ro", "exec": ["/usr/sbin/floods"]},
        "Lies":    {"type": "int", "access": "ro", "exec": ["/usr/sbin/lies"]},
        "Lacks":   {"type": "int", "access": "ro", "exec": ["/usr/sbin/lacks"]},
        "NoFile":  {"type": "int", "access": "ro", "file": "/sys/class/nothing"},
        "BadFile": {"type": "int", "access": "ro", "file": "/sys/class/leds/green:wan/trigger"},
        "IsDir":   {"type": "string", "access": "ro", "file": "/sys/class/leds"},
        "NoCall":  {"type": "int", "access": "ro", "ubus": ["modem", "nothing"], "pointer": "/x"},
        "NoObj":   {"type": "int", "access": "ro", "ubus": ["nothing", "nothing"], "pointer": "/x"},
        "Word":    {"type": "int", "access": "ro", "ubus": ["modem", "status"], "pointer": "/signal"},
        "Object":  {"type": "int", "access": "ro", "ubus": ["modem", "status"], "pointer": "/object"},
        "List":    {"type": "int", "access": "ro", "ubus": ["modem", "status"], "pointer": "/list"},
        "Range":   {"type": "int", "access": "ro", "max": 4, "ubus": ["modem", "status"], "pointer": "/good"}
      }},
      "Device.X_EXAMPLE_Good.": {"parameters": {
        "Good":    {"type": "int", "access": "ro", "ubus": ["modem", "status"], "pointer": "/good"},
        "Float":   {"type": "int", "access": "ro", "ubus": ["modem", "status"], "pointer": "/float"},
        "Items":   {"type": "int", "list": true, "access": "ro", "ubus": ["modem", "status"], "pointer": "/list"},
        "Missing": {"type": "int", "access": "ro", "ubus": ["modem", "status"], "pointer": "/not/there"}
      }}
    }"#,
        )],
    );
    assert_eq!(router.below("Device.X_EXAMPLE_Bad."), []);
    for name in [
        "Fails", "Floods", "Lies", "Lacks", "NoFile", "BadFile", "IsDir", "NoCall", "NoObj", "Word", "Object", "List",
        "Range",
    ] {
        assert_eq!(router.get(&format!("Device.X_EXAMPLE_Bad.{name}")), Err(9002), "{name}");
    }
    assert_eq!(
        pairs(&router.below("Device.X_EXAMPLE_Good.")),
        [
            ("Device.X_EXAMPLE_Good.Float", "3"),
            ("Device.X_EXAMPLE_Good.Good", "5"),
            ("Device.X_EXAMPLE_Good.Items", "1,2"),
            ("Device.X_EXAMPLE_Good.Missing", "-1"),
        ]
    );
}

#[test]
fn a_program_that_hangs_costs_one_deadline_a_request() {
    let router = router(
        |root| root.write_program("/usr/sbin/hangs", "#!/bin/sh\nexec sleep 1000\n"),
        &[(
            FILE,
            r#"{
      "Device.X_EXAMPLE_Led.{i}.": {
        "instances": {"directory": "/sys/class/leds"},
        "parameters": {
          "Hangs": {"type": "int", "access": "ro", "exec": ["/usr/sbin/hangs", "{key}"]},
          "Level": {"type": "unsignedInt", "access": "ro", "file": "/sys/class/leds/{key}/brightness"}
        }
      }
    }"#,
        )],
    );
    assert_eq!(router.below("Device.X_EXAMPLE_Led.").len(), 3);
    assert_eq!(router.live.started(), 1);
}

#[test]
fn what_is_put_into_a_path_leads_nowhere_else() {
    let router = router(
        |root| {
            root.write("/sys/class/leds/deeper/secret", "hush\n");
            root.replace("/etc/config/system", "'green:wan'", "'deeper/secret'");
            root.replace("/etc/config/system", "'green:power'", "'..'");
        },
        &[(
            FILE,
            r#"{"Device.X_EXAMPLE_Led.{i}.": {
        "instances": {"uci": "system.@led"},
        "parameters": {"X": {"type": "string", "access": "rw", "file": "/sys/class/leds/{uci:sysfs}"}}
      }}"#,
        )],
    );
    assert_eq!(router.get("Device.X_EXAMPLE_Led.1.X"), Err(9002));
    assert_eq!(router.get("Device.X_EXAMPLE_Led.2.X"), Err(9002));
}

#[test]
fn a_fraction_is_shown_where_a_text_is_wanted() {
    let router = router(
        |root| root.set_ubus("modem", "status", None, r#"{"snr": 12.5, "slot": 2}"#),
        &[(
            FILE,
            r#"{"Device.X_EXAMPLE_Modem.": {"parameters": {
              "Snr":   {"type": "string", "access": "ro", "ubus": ["modem", "status"], "pointer": "/snr"},
              "Whole": {"type": "int", "access": "ro", "ubus": ["modem", "status"], "pointer": "/snr"},
              "Slot":  {"type": "string", "access": "ro", "ubus": ["modem", "status"], "pointer": "/slot"}
            }}}"#,
        )],
    );
    for (name, value) in [("Snr", "12.5"), ("Whole", "12"), ("Slot", "2")] {
        assert_eq!(router.get(&format!("Device.X_EXAMPLE_Modem.{name}")), Ok(value.into()));
    }
}

#[test]
fn ten_thousand_rows_of_a_ubus_array_and_no_more() {
    let items: Vec<String> = (0..10_100).map(|n| format!(r#"{{"mac": "m{n}", "rate": {}}}"#, n * 2)).collect();
    let router = router(
        |root| root.set_ubus("hosts", "list", None, &format!(r#"{{"all": [{}]}}"#, items.join(","))),
        &[(
            FILE,
            r#"{"Device.X_EXAMPLE_Host.{i}.": {
        "instances": {"ubus": ["hosts", "list"], "pointer": "/all", "key": "mac"},
        "parameters": {
          "Mac":  {"type": "string", "access": "ro", "ubus": ["hosts", "list"], "pointer": "/all/{key}/mac"},
          "Rate": {"type": "unsignedInt", "access": "ro", "ubus": ["hosts", "list"], "pointer": "/all/{key}/rate"}
        }
      }}"#,
        )],
    );
    let values = router.below("Device.X_EXAMPLE_Host.");
    assert_eq!(values.len(), 20_000);
    assert_eq!(values[19_999], ("Device.X_EXAMPLE_Host.10000.Rate".into(), "19998".into()));
    assert!(
        values.chunks(2).enumerate().all(|(n, row)| row[0].1 == format!("m{n}") && row[1].1 == (n * 2).to_string())
    );
    assert_eq!(router.live.started(), 1);
}

#[test]
fn ten_thousand_rows_of_uci_sections() {
    let sections: String = (0..10_000).map(|n| format!("config host 'h{n}'\n\toption rate '{n}'\n")).collect();
    let router = router(
        |root| root.write("/etc/config/example", sections),
        &[(
            FILE,
            r#"{"Device.X_EXAMPLE_Host.{i}.": {
        "instances": {"uci": "example.@host"},
        "parameters": {"Rate": {"type": "unsignedInt", "access": "ro", "uci": "rate"}}
      }}"#,
        )],
    );
    let values = router.below("Device.X_EXAMPLE_Host.");
    assert!(values.len() == 10_000 && values.iter().enumerate().all(|(n, (_, value))| *value == n.to_string()));
    assert_eq!(router.get("Device.X_EXAMPLE_HostNumberOfEntries"), Ok("10000".into()));
}

#[test]
fn a_file_with_mistakes_is_left_out_with_what_needs_it() {
    let root = RouterRoot::new();
    root.write("/usr/share/cwmpd/model.d/10-bad.json", "{\n  \"Device.X_EXAMPLE_T.{i}.\": {\"instance\": {}}\n}\n");
    root.write(
        "/usr/share/cwmpd/model.d/20-below.json",
        "{\n\"Device.X_EXAMPLE_T.{i}.Sub.\": {\"parameters\": {\"A\": {\"type\": \"int\", \"access\": \"ro\", \"value\": 1}}}\n}\n",
    );
    root.write(
        "/usr/share/cwmpd/model.d/30-table.json",
        r#"{"Device.X_EXAMPLE_U.{i}.": {"instances": {"directory": "/sys/class/leds"}}}"#,
    );
    root.write(
        "/etc/cwmpd/model.d/40-other.json",
        "{\"Device.X_EXAMPLE_U.{i}.\": {\n\"instances\": {\"uci\": \"system.@led\"}},\n\"Device.DeviceInfo.{i}.\": {\"instances\": {\"uci\": \"a.@b\"}},\n\"Device.IP.Interface.{i}.\": {\"instances\": {\"uci\": \"a.@b\"}},\n\"Device.IP.Interface.X_A_B.\": {\"parameters\": {}}}",
    );
    root.write(
        "/etc/cwmpd/model.d/45-option.json",
        "{\"Device.X_EXAMPLE_U.{i}.\": {\"parameters\": {\n\"A\": {\"type\": \"string\", \"access\": \"ro\", \"uci\": \"name\"},\n\"B\": {\"type\": \"string\", \"access\": \"ro\", \"file\": \"/x/{uci:a}\"}}}}",
    );
    root.write("/etc/cwmpd/model.d/50-latin.json", b"{\n\"Device.X_A_B.\": {\"description\": \"\xe9\"}}");
    root.write("/etc/cwmpd/model.d/60-long.json", " ".repeat((1 << 20) + 1));
    root.write("/etc/cwmpd/model.d/.hidden.json", "broken");
    root.write("/etc/cwmpd/model.d/notes.txt", "broken");
    root.write("/etc/cwmpd/model.d/70-good.json", EXAMPLE);
    let (router, problems) = start(root);
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "/usr/share/cwmpd/model.d/10-bad.json:2: an object has no \"instance\"; did you mean \"instances\"?",
            "/usr/share/cwmpd/model.d/10-bad.json:2: the object has neither \"instances\" nor \"parameters\"",
            "/etc/cwmpd/model.d/50-latin.json:2: the text is not UTF-8",
            "/etc/cwmpd/model.d/60-long.json: the file is longer than 1048576 bytes",
            "/usr/share/cwmpd/model.d/20-below.json:2: nothing says where the rows of Device.X_EXAMPLE_T.{i}. come from: \"instances\" is missing",
            "/etc/cwmpd/model.d/40-other.json:2: /usr/share/cwmpd/model.d/30-table.json says that the rows of Device.X_EXAMPLE_U.{i}. come from elsewhere",
            "/etc/cwmpd/model.d/40-other.json:3: Device.DeviceInfo. is no table in TR-181: write Device.DeviceInfo.",
            "/etc/cwmpd/model.d/40-other.json:4: cwmpd itself says where the rows of Device.IP.Interface.{i}. come from",
            "/etc/cwmpd/model.d/40-other.json:5: Device.IP.Interface. is a table in TR-181: write Device.IP.Interface.{i}.",
            "/etc/cwmpd/model.d/45-option.json:2: the rows of Device.X_EXAMPLE_U.{i}. are no UCI sections: use package.section.option, or {key}",
            "/etc/cwmpd/model.d/45-option.json:3: the rows of Device.X_EXAMPLE_U.{i}. are no UCI sections: use package.section.option, or {key}",
        ]
    );
    assert_eq!(router.get("Device.X_EXAMPLE_Led.1.Name"), Ok("WAN".into()));
    assert_eq!(router.get("Device.X_EXAMPLE_UNumberOfEntries"), Ok("3".into()));
}

#[test]
fn the_worked_examples_of_the_documentation() {
    let mut router = router(
        |root| {
            root.set_ubus(
                "modem",
                "status",
                None,
                r#"{"signal": -71, "state": "registered", "sims": [{"slot": 1, "iccid": "89014"}]}"#,
            );
            root.write_recorder(
                "/usr/sbin/fanctl",
                "case $1 in list) printf 'cpu\\ncase\\n' ;; speed) echo 40 ;; esac",
            );
        },
        &[
            ("/etc/cwmpd/model.d/led.json", include_str!("../docs/vendor/led.json")),
            ("/etc/cwmpd/model.d/modem.json", include_str!("../docs/vendor/modem.json")),
            ("/etc/cwmpd/model.d/fan.json", include_str!("../docs/vendor/fan.json")),
        ],
    );
    assert_eq!(
        pairs(&router.below("Device.X_EXAMPLE_Led.1.")),
        [
            ("Device.X_EXAMPLE_Led.1.Brightness", "0"),
            ("Device.X_EXAMPLE_Led.1.Device", "green:wan"),
            ("Device.X_EXAMPLE_Led.1.Modes", "link,tx"),
            ("Device.X_EXAMPLE_Led.1.Name", "WAN"),
            ("Device.X_EXAMPLE_Led.1.OnTime", "500"),
            ("Device.X_EXAMPLE_Led.1.StartsLit", "false"),
            ("Device.X_EXAMPLE_Led.1.Trigger", "netdev"),
        ]
    );
    let led = router.model.add_object("Device.X_EXAMPLE_Led.", None).unwrap().0;
    router.set(&[(&format!("Device.X_EXAMPLE_Led.{led}.Modes"), "rx")]).unwrap();
    assert_eq!(
        pairs(&router.below("Device.X_EXAMPLE_Modem.")),
        [
            ("Device.X_EXAMPLE_Modem.Enable", "true"),
            ("Device.X_EXAMPLE_Modem.Pin", ""),
            ("Device.X_EXAMPLE_Modem.Signal", "-71"),
            ("Device.X_EXAMPLE_Modem.SimNumberOfEntries", "1"),
            ("Device.X_EXAMPLE_Modem.State", "registered"),
            ("Device.X_EXAMPLE_Modem.Sim.1.Iccid", "89014"),
        ]
    );
    router.set(&[("Device.X_EXAMPLE_Modem.Enable", "false"), ("Device.X_EXAMPLE_Modem.Pin", "1234")]).unwrap();
    assert_eq!(router.root.read("/etc/config/modem").matches("config modem 'main'").count(), 1);
    assert_eq!(
        pairs(&router.below("Device.X_EXAMPLE_Fan.")),
        [
            ("Device.X_EXAMPLE_Fan.1.Name", "cpu"),
            ("Device.X_EXAMPLE_Fan.1.Speed", "40"),
            ("Device.X_EXAMPLE_Fan.1.Test", "false"),
            ("Device.X_EXAMPLE_Fan.2.Name", "case"),
            ("Device.X_EXAMPLE_Fan.2.Speed", "40"),
            ("Device.X_EXAMPLE_Fan.2.Test", "false"),
        ]
    );
    router.root.clear_calls();
    router.set(&[("Device.X_EXAMPLE_Fan.2.Speed", "70")]).unwrap();
    // Listed for the names, and set.
    assert_eq!(router.root.calls(), ["/usr/sbin/fanctl list", "/usr/sbin/fanctl set case 70"]);
}
