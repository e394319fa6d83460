//! Every mistake in a vendor model file is told with its line and a reason, all of them in one run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use cwmpd::model::vendor::parse;

/// The mistakes of a text as `line: reason`.
fn mistakes(text: &str) -> Vec<String> {
    match parse("x.json", text) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            assert!(problems.iter().all(|problem| problem.path == "x.json"));
            problems.iter().map(|problem| format!("{}: {}", problem.line, problem.reason)).collect()
        }
    }
}

#[track_caller]
fn check(text: &str, wanted: &[&str]) {
    assert_eq!(mistakes(text), wanted, "{text}");
}

/// A file with one object that holds this, on line 3.
#[track_caller]
fn in_object(path: &str, members: &str, wanted: &[&str]) {
    check(&format!("{{\n\"{path}\": {{\n{members}\n}}}}"), wanted);
}

/// A file with a table of UCI sections with one parameter that is this, on line 3.
#[track_caller]
fn parameter(members: &str, wanted: &[&str]) {
    check(
        &format!(
            "{{\"Device.X_A_T.{{i}}.\": {{\"instances\": {{\"uci\": \"a.@b\"}}, \"parameters\": {{\n\"P\": {{\n{members}}}}}}}}}"
        ),
        wanted,
    );
}

#[test]
fn json_itself() {
    check("", &["1: the file ends too early"]);
    check("[]", &["1: the file holds one JSON object, with the paths of objects as its members"]);
    check("{\n\n", &["3: the file ends too early"]);
    check("{}\n{}", &["2: there is something after the end of the object"]);
    check("{\n\"a\" 1}", &["2: the : after \"a\" is missing"]);
    check("{\n\"a}", &["2: the closing quote of a text is missing"]);
    check("{\n\"a\": tru}", &["2: tru is no value; a text needs quotes"]);
    check("{\n\"a\": 01}", &["2: 01 is no value; a text needs quotes"]);
    check("{\n\"a\": \"\\x\"}", &["2: a text has a control character or an escape that JSON does not know"]);
    check("{\n\"a\": \"\t\"}", &["2: a text has a control character or an escape that JSON does not know"]);
    check("{\n// why\n}", &["2: a name in quotes is missing"]);
    check("{\n\"a\": // why\n1}", &["2: JSON has no comments; \"description\" can take one"]);
    check("{\n\"a\": *}", &["2: '*' stands where a value should"]);
    check("{\n\"a\": [1,,2]}", &["2: there are two commas"]);
    check(&"[".repeat(100), &["1: arrays and objects lie too deep in each other"]);
    check(&format!("[{}1]", "1,".repeat(100_000)), &["1: the file has too many values"]);
    check(&" ".repeat((1 << 20) + 1), &["0: the file is longer than 1048576 bytes"]);
    assert_eq!(mistakes("\u{feff}{}"), [""; 0]);
    assert_eq!(mistakes("{\"$schema\": \"vendor.schema.json\", \"description\": \"nothing yet\"}"), [""; 0]);
}

#[test]
fn wrong_commas_do_not_hide_what_follows() {
    check(
        "{\n\"Device.X_A_B.\": {\n\"parameters\": {\n\"P\": {\"type\": \"int\", \"access\": \"ro\", \"value\": 1,},\n\"Q\": {\"type\": \"int\"\n\"access\": \"ro\", \"value\": \"x\"}\n}\n}\n}\n",
        &[
            "4: there is a comma too many",
            "5: a comma is missing",
            "6: \"x\" is no value of it: not a number of type int",
        ],
    );
}

#[test]
fn every_mistake_is_found_in_one_run() {
    check(
        r#"{
  "Device.X_EXAMPLE_Led.{i}.": {
    "instances": {"uci": "system.led"},
    "parameters": {
      "Name":    {"typ": "string", "access": "ro", "uci": "name"},
      "Trigger": {"type": "text", "access": "rw", "uci": "trigger", "enum": ["none"]},
      "Trigger": {"type": "string", "acess": "rw", "uci": "trigger", "enum": ["none", "none"]},
      "Bright":  {"type": "unsignedInt", "access": "write", "file": "sys/leds/{uci:sysfs/brightness"}
    },
    "apply": ["led", "reload"]
  },
  "Device.DeviceInof.": {
    "parameters": {}
  }
}"#,
        &[
            "3: \"system.led\" is not package.@type, such as system.@led",
            "5: a parameter has no \"typ\"; did you mean \"type\"?",
            "5: \"type\" is missing",
            "6: \"type\" is one of string, int, unsignedInt, long, unsignedLong, boolean, dateTime, base64, hexBinary, not \"text\"",
            "7: \"Trigger\" comes twice",
            "7: a parameter has no \"acess\"; did you mean \"access\"?",
            "7: \"access\" is missing: ro or rw",
            "7: \"none\" comes twice",
            "8: \"access\" is one of ro, rw, not \"write\"",
            "8: sys/leds/{uci:sysfs/brightness has a { without its }",
            "8: \"sys/leds/{uci:sysfs/brightness\" is no absolute path",
            "10: \"led\" is no absolute path of a program",
            "12: TR-181 has no Device.DeviceInof. and a vendor's own begins with X_; did you mean DeviceInfo?",
        ],
    );
}

#[test]
fn j11_paths_and_names() {
    let nothing = "\"parameters\": {}";
    in_object("InternetGatewayDevice.X_A_B.", nothing, &["2: the path of an object begins with Device."]);
    in_object("Device.X_A_B", nothing, &["2: the path of an object ends with a dot: Device.X_A_B."]);
    in_object(
        "Device.X_AB.",
        nothing,
        &["2: X_AB is not X_VENDOR_Name with an OUI or a domain, its dots as hyphens, as VENDOR"],
    );
    in_object("Device.X_A_B.{x}.", nothing, &["2: {x} is no part of a path: instance numbers are written {i}"]);
    in_object("Device.{i}.", nothing, &["2: {i} comes after the name of a table, once"]);
    in_object("Device.X_A_B C.", nothing, &["2: \"X_A_B C\" is no name: a letter, then letters, digits, _ and -"]);
    in_object(&format!("Device.X_A_{}.", "b".repeat(256)), nothing, &["2: the path is longer than 256 characters"]);
    in_object(
        "Device.X_A_B.",
        "\"parameters\": {\n\"a b\": {\"type\": \"int\", \"access\": \"ro\", \"value\": 1}}",
        &["4: \"a b\" is no name: a letter, then letters, digits, _ and -"],
    );
    in_object(
        &format!("Device.X_A_{}.", "b".repeat(240)),
        "\"parameters\": {\n\"Parameter\": {\"type\": \"int\", \"access\": \"ro\", \"value\": 1}}",
        &["4: the whole name is longer than 256 characters"],
    );
}

#[test]
fn objects_and_tables() {
    let table = |members: &str, wanted: &[&str]| in_object("Device.X_A_B.{i}.", members, wanted);
    in_object(
        "Device.X_A_B.",
        "\"description\": 5",
        &["2: the object has neither \"instances\" nor \"parameters\"", "3: \"description\" is a text"],
    );
    check("{\n\"Device.X_A_B.\":\n5}", &["3: an object is an object in { }"]);
    in_object(
        "Device.X_A_B.",
        "\"parameters\": []",
        &["3: \"parameters\" is an object in { }, with a member for each parameter"],
    );
    in_object(
        "Device.X_A_B.",
        "\"instances\": {\"uci\": \"a.@b\"}",
        &["3: \"instances\" goes with a path that ends with {i}."],
    );
    in_object(
        "Device.X_A_B.",
        "\"parameters\": {},\n\"writable\": true",
        &["4: \"writable\" goes with \"instances\": only who makes a table says how its rows come and go"],
    );
    table("\"instances\": {}", &["3: \"instances\" has one of \"uci\", \"directory\", \"ubus\" and \"exec\""]);
    table(
        "\"instances\": {\"uci\": \"a.@b\", \"exec\": [\"/x\"]}",
        &["3: \"instances\" has one of \"uci\", \"directory\", \"ubus\" and \"exec\""],
    );
    table("\"instances\": {\"directory\": \"/sys\",\n\"key\": \"x\"}", &["4: \"key\" goes with \"ubus\""]);
    table("\"instances\": {\"directory\": \"/sys/../etc\"}", &["3: /sys/../etc has a .. in it"]);
    table("\"instances\": {\"directory\": \"/sys/{key}\"}", &["3: {key} needs a row, and there is no table around"]);
    table(
        "\"instances\": {\"directory\": \"/sys/{uci:x}\"}",
        &["3: there is no row whose section it could be: use package.section.option"],
    );
    table(
        "\"instances\": {\"exec\": \"/usr/bin/list all\"}",
        &["3: a program is a list: its absolute path, then each argument as a text of its own"],
    );
    table("\"instances\": {\"exec\": []}", &["3: the program is missing"]);
    table(
        "\"instances\": {\"ubus\": \"modem\"}",
        &["3: \"ubus\" is [object, method] or [object, method, {arguments}]"],
    );
    table(
        "\"instances\": {\"ubus\": [\"modem\", \"x\", []]}",
        &["3: the arguments of a ubus call are an object in { }"],
    );
    table(
        "\"instances\": {\"ubus\": [\"modem\", \"x\"], \"pointer\":\n\"a\"}",
        &["3: a pointer begins with a slash: /a"],
    );
    table(
        "\"instances\": {\"directory\": \"/sys\"},\n\"writable\": true",
        &["4: only rows that are UCI sections can be added and deleted"],
    );
    table("\"instances\": {\"directory\": \"/sys\",\n\"where\": {\"a\": 1}}", &["4: \"where\" goes with \"uci\""]);
    table(
        "\"instances\": {\"uci\": \"a.@b\",\n\"where\": {\"a-b\": [], \"c\": \"{key}\"}}",
        &[
            "4: \"a-b\" is no name of a UCI option",
            "4: the option of a row is a text or a number",
            "4: {key} needs a row, and there is no table around",
        ],
    );
    let sections = "\"instances\": {\"uci\": \"a.@b\"},\n";
    table(
        &format!("{sections}\"writable\": {{\"a-b\": []}}"),
        &["4: \"a-b\" is no name of a UCI option", "4: the option of a new section is a text or a number"],
    );
    table(
        &format!("{sections}\"writable\": 1"),
        &["4: \"writable\" is true, or an object with the options of a new section"],
    );
    table(
        &format!("{sections}\"unique\": [\"X\", []]"),
        &["4: \"X\" is no parameter of this table", "4: a key has at least one parameter"],
    );
    table(
        &format!("{sections}\"unique\": \"X\""),
        &["4: \"unique\" is a list; each entry is a parameter, or a list of some that are unique together"],
    );
    table(&format!("{sections}\"enable\": \"X\""), &["4: \"X\" is no boolean parameter of this table"]);
    table(&format!("{sections}\"limit\": 5"), &["4: \"limit\" goes with \"writable\""]);
    table(&format!("{sections}\"writable\": true, \"limit\": 0"), &["4: \"limit\" is a whole number from 1 to 10000"]);
    table(&format!("{sections}\"count\": 1"), &["4: \"count\" is true or false"]);
    table(
        &format!("{sections}\"apply\": [\"/bin/sh\", \"-c\", \"reboot\"]"),
        &["4: commands for a shell are not run: write them into a file and name that"],
    );
    table(
        &format!("{sections}\"apply\": [[\"/bin/x\"],\n[\"/bin/x y\"]]"),
        &["5: \"/bin/x y\" has blanks: each argument is a text of its own in the list"],
    );
    table(&format!("{sections}\"apply\": [\"/bin/x\", \"{{key}}\"]"), &["4: placeholders have no meaning here"]);
    table(&format!("{sections}\"apply\": [\"/bin/x\", 5]"), &["4: an argument is a text"]);
}

#[test]
fn sources_of_parameters() {
    let ro = |members: &str, wanted: &[&str]| {
        parameter(&format!("\"type\": \"int\", \"access\": \"ro\",\n{members}"), wanted)
    };
    let rw = |members: &str, wanted: &[&str]| {
        parameter(&format!("\"type\": \"int\", \"access\": \"rw\",\n{members}"), wanted)
    };
    parameter(
        "\"type\": \"int\", \"access\": \"ro\"",
        &["2: the parameter has no source: \"uci\", \"file\", \"ubus\", \"exec\", \"value\" or \"key\""],
    );
    ro("\"uci\": \"a\", \"value\": 1", &["2: the parameter has 2 sources: uci, value"]);
    ro("\"key\": true", &["4: \"key\" is true, and goes with string"]);
    ro("\"uci\": \"a.b\"", &["4: \"a.b\" is neither an option nor package.section.option"]);
    ro("\"file\": \"a\"", &["4: \"a\" is no absolute path"]);
    ro("\"file\": \"/a/{name}\"", &["4: {name} is none of {key}, {around} and {uci:option}"]);
    ro("\"file\": \"/a}\"", &["4: /a} has a } without its {"]);
    ro("\"exec\": [\"x\"]", &["4: \"x\" is no absolute path of a program"]);
    ro("\"exec\": [\"/x/{key}\"]", &["4: the program itself can hold no placeholder"]);
    ro("\"exec\": [\"/x\", \"{kex}\"]", &["4: {kex} is none of {key}, {around} and {uci:option}"]);
    ro("\"ubus\": [\"a\", \"b\", {\"x\": [\n\"{y}\"]}]", &["5: {y} is none of {key}, {around} and {uci:option}"]);
    ro("\"file\": \"/a/{around}\"", &["4: {around} needs a row in another row, and there is no table in a table"]);
    ro("\"ubus\": [\"\", \"b\"]", &["4: the object and the method of a ubus call have names"]);
    ro("\"value\": \"x\"", &["4: \"x\" is no value of it: not a number of type int"]);
    ro("\"value\": null", &["4: \"value\" is a text, a number or a boolean"]);
    ro("\"value\": 1,\n\"pointer\": \"/a\"", &["5: \"pointer\" goes with \"ubus\""]);
    ro("\"value\": 1,\n\"default\": 1", &["5: \"default\" goes with \"uci\""]);
    ro("\"value\": 1,\n\"map\": \"truth\"", &["5: \"map\" goes with \"uci\""]);
    ro("\"uci\": \"a\",\n\"write\": {\"uci\": \"b\"}", &["5: \"write\" goes with access rw"]);
    rw("\"value\": 1", &["3: access rw needs \"write\": what is read here cannot be written the same way"]);
    rw("\"exec\": [\"/x\"]", &["3: access rw needs \"write\": what is read here cannot be written the same way"]);
    rw("\"ubus\": [\"a\", \"b\"]", &["3: access rw needs \"write\": what is read here cannot be written the same way"]);
    rw("\"value\": 1, \"write\": {}", &["4: \"write\" has one of \"uci\", \"file\" and \"exec\""]);
    rw(
        "\"value\": 1, \"write\": {\"file\": \"/a\", \"mop\": 1}",
        &["4: \"write\" has no \"mop\"; did you mean \"map\"?"],
    );
    rw("\"uci\": \"a\",\n\"command\": true", &["5: a command is a boolean with access rw"]);
    parameter(
        "\"type\": \"boolean\", \"access\": \"rw\", \"command\": true",
        &["3: access rw needs \"write\": what is read here cannot be written the same way"],
    );
    // Where there is no row there is nothing to be put in.
    in_object(
        "Device.X_A_B.",
        "\"parameters\": {\"P\": {\"type\": \"int\", \"access\": \"ro\",\n\"uci\": \"a\"}}",
        &["4: there is no row whose section it could be: use package.section.option"],
    );
    in_object(
        "Device.X_A_B.",
        "\"parameters\": {\"P\": {\"type\": \"int\", \"access\": \"ro\",\n\"file\": \"/a/{key}\"}}",
        &["4: {key} needs a row, and there is no table around"],
    );
    in_object(
        "Device.X_A_B.{i}.",
        "\"instances\": {\"directory\": \"/sys\"}, \"parameters\": {\"P\": {\"type\": \"int\", \"access\": \"ro\",\n\"uci\": \"a\"}}",
        &["4: the rows of Device.X_A_B.{i}. are no UCI sections: use package.section.option, or {key}"],
    );
}

#[test]
fn values_of_parameters() {
    let uci =
        |members: &str, wanted: &[&str]| parameter(&format!("\"uci\": \"a\", \"access\": \"rw\",\n{members}"), wanted);
    uci("\"type\": \"string\", \"range\": [1, 2]", &["4: \"range\" goes with a number"]);
    uci("\"type\": \"boolean\", \"enum\": [true]", &["4: \"enum\" goes with string and the numbers"]);
    uci("\"type\": \"int\", \"maxLength\": 2", &["4: \"maxLength\" goes with string, base64 and hexBinary"]);
    uci("\"type\": \"int\", \"format\": \"ipv4\"", &["4: \"format\" goes with string"]);
    uci(
        "\"type\": \"string\", \"format\": \"ipv5\"",
        &[
            "4: \"format\" is one of ipv4, ipv6, ip, ipv4Prefix, ipv6Prefix, netmask, mac, url, not \"ipv5\"; did you mean \"ipv4\"?",
        ],
    );
    uci("\"type\": \"int\", \"pattern\": \"a\"", &["4: \"pattern\" goes with string"]);
    uci("\"type\": \"string\", \"pattern\": 5", &["4: \"pattern\" is a text"]);
    uci("\"type\": \"string\",\n\"pattern\": \"[a\"", &["5: a [ has no ]"]);
    uci(
        "\"type\": \"string\", \"pattern\": \"^a$\"",
        &["4: a pattern covers the whole value without ^: write \\^ for the character"],
    );
    uci("\"type\": \"string\", \"pattern\": \"[a-z]+\",\n\"default\": \"A\"", &["5: \"A\" is not of the form [a-z]+"]);
    uci(
        "\"type\": \"string\", \"pattern\": \"[a-z]\", \"enum\": [\"a\",\n\"1\"]",
        &["5: \"1\" is not of the form [a-z]"],
    );
    uci("\"type\": \"int\", \"range\": [5, 1]", &["4: the least is greater than the most"]);
    uci("\"type\": \"int\", \"min\": 5,\n\"max\": 1", &["4: the least is greater than the most"]);
    uci("\"type\": \"int\", \"range\": [1, 5],\n\"max\": 1", &["5: \"max\" says again what \"range\" says"]);
    uci("\"type\": \"int\", \"range\": [1, 2, 3]", &["4: \"range\" is [least, most], or a list of such pairs"]);
    uci("\"type\": \"int\", \"range\": \"1-5\"", &["4: \"range\" is [least, most], or a list of such pairs"]);
    uci("\"type\": \"unsignedInt\", \"min\": -1", &["4: \"min\" is a whole number from 0 to 4294967295"]);
    uci("\"type\": \"string\", \"minItems\": 1", &["4: \"minItems\" and \"maxItems\" go with \"list\""]);
    uci(
        "\"type\": \"string\", \"list\": true, \"minItems\": 3, \"maxItems\": 1",
        &["4: the least is greater than the most"],
    );
    uci("\"type\": \"string\", \"enum\": []", &["4: \"enum\" has no values"]);
    uci("\"type\": \"string\", \"enum\": \"a\"", &["4: \"enum\" is a list of values"]);
    uci("\"type\": \"int\", \"enum\": [1,\n\"x\"]", &["5: \"x\" is no value of it: not a number of type int"]);
    uci("\"type\": \"string\", \"enum\": [\"a\"],\n\"default\": \"b\"", &["5: \"b\" is none of its values: a"]);
    uci("\"type\": \"int\", \"range\": [1, 5],\n\"default\": 6", &["5: 6 is outside its range"]);
    uci(
        "\"type\": \"string\", \"length\": [2, 3],\n\"default\": \"a\"",
        &["5: \"a\" has another length than is allowed"],
    );
    uci(
        "\"type\": \"hexBinary\", \"length\": 2,\n\"default\": \"aa\"",
        &["5: \"aa\" has another length than is allowed"],
    );
    uci(
        "\"type\": \"boolean\", \"default\": \"maybe\"",
        &["4: \"maybe\" is no value of it: not a boolean: use true or false"],
    );
    uci("\"type\": \"string\", \"map\": \"truth\"", &["4: the map \"truth\" goes with boolean"]);
    uci(
        "\"type\": \"string\", \"map\": 1",
        &["4: \"map\" is \"truth\", \"inverse\", or an object with a value for each word of UCI"],
    );
    uci("\"type\": \"string\", \"map\": {}", &["4: \"map\" has no words"]);
    uci("\"type\": \"boolean\",\n\"map\": {\"up\": true}", &["5: \"map\" has no word to write for false"]);
    uci("\"type\": \"boolean\", \"map\": {\"up\": true, \"down\": false}", &[]);
    uci("\"type\": \"boolean\", \"command\": true, \"map\": {\"up\": true}", &[]);
    uci("\"type\": \"string\", \"list\": true, \"map\": {\"a\": \"A\"}", &["4: a list has no \"map\""]);
    uci(
        "\"type\": \"string\", \"enum\": [\"A\", \"B\", \"C\"],\n\"map\": {\"a\": \"A\"}",
        &["5: \"map\" has no word to write for B, C"],
    );
    uci(
        "\"type\": \"string\", \"enum\": [\"A\"], \"map\": {\"a\": \"A\",\n\"b\": \"B\"}",
        &["5: \"B\" is none of its values: A"],
    );
    uci("\"type\": \"string\", \"map\": {\"a\": \"A\"},\n\"default\": \"B\"", &["5: \"B\" is none of its values: A"]);
    uci("\"type\": \"int\", \"hidden\": \"yes\"", &["4: \"hidden\" is true or false"]);
    uci(
        "\"type\": \"int\", \"notification\": \"forced\"",
        &["4: \"notification\" is one of normal, forceEnabled, forceDefaultEnabled, canDeny, not \"forced\""],
    );
    uci("\"type\": \"int\", \"units\": 5", &["4: \"units\" is a text"]);
}

#[test]
fn limits_of_a_file() {
    let parameter = r#"{"type": "int", "access": "ro", "value": 1}"#;
    let object = |parameters: usize| {
        let parameters: Vec<String> = (0..parameters).map(|n| format!("\"P{n}\": {parameter}")).collect();
        format!("{{\"parameters\": {{{}}}}}", parameters.join(","))
    };
    let objects = |count: usize, parameters: usize| {
        let objects: Vec<String> =
            (0..count).map(|n| format!("\"Device.X_A_B{n}.\": {}", object(parameters))).collect();
        format!("{{\n{}\n}}", objects.join(",\n"))
    };
    assert_eq!(mistakes(&objects(500, 10)), [""; 0]);
    check(&objects(501, 1), &["502: the file has more than 500 objects"]);
    check(&objects(1, 5001), &["2: the file has more than 5000 parameters"]);
    let many: Vec<String> = (0..1000).map(|n| format!("\"x{n}\": 1")).collect();
    assert_eq!(mistakes(&format!("{{{}}}", many.join(","))).len(), 200);
}

/// What the fuzz target checks, for texts that differ little from a good one.
#[test]
fn damaged_files_are_told_and_nothing_worse() {
    let good = include_str!("../docs/vendor/led.json");
    assert_eq!(mistakes(good), [""; 0]);
    let bits = ["", "{", "}", "[", "]", "\"", ",", ":", "null", "-1", "\\", "\n", "{i}", "é", "\u{0}"];
    for (at, _) in good.char_indices() {
        for (turn, bit) in bits.iter().enumerate() {
            let rest = &good[at..];
            let skip = rest.char_indices().nth(turn % 3).map_or(0, |(index, _)| index);
            let text = format!("{}{bit}{}", &good[..at], &rest[skip..]);
            if let Err(problems) = parse("x.json", &text) {
                let lines = text.matches('\n').count() + 1;
                assert!(!problems.is_empty());
                assert!(
                    problems.iter().all(|problem| problem.line <= lines && !problem.reason.contains('\n')),
                    "{text}"
                );
            }
        }
    }
}
