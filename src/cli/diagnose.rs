//! `cwmpd diagnose`: the tests that an ACS can ask for, at once and with what they find out on the way; with or without a daemon.

use std::cell::RefCell;
use std::io::Write as _;

use serde_json::{Map, Value as Json};

use super::client::{one_line, print};
use crate::acs::Cancel;
use crate::daemon::{Options, standalone};
use crate::device;
use crate::diagnostics::{COMPLETE, Kind, Report, Test, kind};
use crate::error::{Error, Fault, FaultCode};
use crate::model::fleeting::STATE;
use crate::model::schema::{Parameter, Source};
use crate::model::value::Kind as ValueKind;

/// What `--help` says of it.
const HELP: &str = "
Tests of the network and the router, with or without a running daemon:
  diagnose ping HOST        echo requests
  diagnose traceroute HOST  the routers on the way to HOST
  diagnose nslookup NAME [SERVER]
                            what a name server says of NAME (or of an address)
  diagnose servers HOST,... which of the hosts answers fastest
  diagnose wifi             the networks that the radios hear
  diagnose selftest         what the agent needs of the router

  --count N, --size BYTES, --timeout MS, --tries N, --max-hops N, --dscp N,
  --protocol NAME, --interface NAME (a logical interface or a device), -4, -6
                            change how a test is done
";

/// What `--help` says of the tests of TR-143.
#[cfg(feature = "speed-tests")]
const SPEED_HELP: &str = "
  diagnose download URL     how fast a file comes over HTTP
  diagnose upload URL --size BYTES
                            how fast one goes
  diagnose udpecho HOST     packets that a UDP echo server sends back

  --seconds N               ends the test by time, whatever the size of the file;
                            --interval N and --offset N divide that time
  --connections N, --priority N, --port N, --pace MS
                            change how a test is done
";

/// Prints what `--help` says of tests.
///
/// # Errors
/// When nobody reads it.
pub fn help() -> Result<(), Fault> {
    print(HELP)?;
    #[cfg(feature = "speed-tests")]
    print(SPEED_HELP)?;
    Ok(())
}

/// A test at the command line.
struct Command {
    name: &'static str,
    /// The object of the test.
    path: &'static str,
    /// The inputs that follow its name, in this order; the first must be there.
    words: &'static [&'static str],
}

const COMMANDS: &[Command] = &[
    Command { name: "ping", path: "Device.IP.Diagnostics.IPPing.", words: &["Host"] },
    Command { name: "traceroute", path: "Device.IP.Diagnostics.TraceRoute.", words: &["Host"] },
    Command {
        name: "nslookup",
        path: "Device.DNS.Diagnostics.NSLookupDiagnostics.",
        words: &["HostName", "DNSServer"],
    },
    Command { name: "servers", path: "Device.IP.Diagnostics.ServerSelectionDiagnostics.", words: &["HostList"] },
    Command { name: "wifi", path: "Device.WiFi.NeighboringWiFiDiagnostic.", words: &[] },
    Command { name: "selftest", path: "Device.SelfTestDiagnostics.", words: &[] },
    #[cfg(feature = "speed-tests")]
    Command { name: "download", path: "Device.IP.Diagnostics.DownloadDiagnostics.", words: &["DownloadURL"] },
    #[cfg(feature = "speed-tests")]
    Command { name: "upload", path: "Device.IP.Diagnostics.UploadDiagnostics.", words: &["UploadURL"] },
    #[cfg(feature = "speed-tests")]
    Command { name: "udpecho", path: "Device.IP.Diagnostics.UDPEchoDiagnostics.", words: &["Host"] },
];

/// Options, and the inputs that they set; the first that a test has counts.
const OPTIONS: &[(&str, &str)] = &[
    ("count", "NumberOfRepetitions"),
    ("tries", "NumberOfTries"),
    ("size", "DataBlockSize"),
    ("timeout", "Timeout"),
    ("interface", "Interface"),
    ("dscp", "DSCP"),
    ("max-hops", "MaxHopCount"),
    ("protocol", "Protocol"),
    ("ip", "ProtocolVersion"),
    ("size", "TestFileLength"),
    ("connections", "NumberOfConnections"),
    ("seconds", "TimeBasedTestDuration"),
    ("interval", "TimeBasedTestMeasurementInterval"),
    ("offset", "TimeBasedTestMeasurementOffset"),
    ("priority", "EthernetPriority"),
    ("port", "Port"),
    ("pace", "InterTransmissionTime"),
];

/// A test that was asked for.
#[derive(Clone)]
pub struct Request {
    kind: &'static Kind,
    inputs: Vec<(String, String)>,
}

/// Reads what follows `diagnose`: words, and options with their values.
///
/// # Errors
/// What is wrong with them, in one line.
pub fn request(words: &[String], options: &[(String, String)]) -> Result<Request, String> {
    let (name, words) = words.split_first().ok_or("diagnose takes the name of a test, such as ping")?;
    let command = COMMANDS.iter().find(|command| command.name == name);
    let command = command.ok_or_else(|| format!("{name} is no test"))?;
    let kind = kind(command.path).ok_or_else(|| format!("{name} is not built in"))?;
    if let (true, Some(first)) = (words.is_empty(), command.words.first()) {
        return Err(format!("diagnose {name} takes a {first}"));
    }
    if let Some(word) = words.get(command.words.len()) {
        return Err(format!("diagnose {name} takes no {word}"));
    }
    let mut inputs: Vec<(String, String)> = Vec::new();
    for parameter in parameters(command.path) {
        if let (true, Source::Own(initial)) = (parameter.writable, parameter.source) {
            inputs.push((parameter.name.into(), initial.into()));
        }
    }
    let mut set = |input: &str, value: &str, said: &str| {
        let place = inputs.iter_mut().find(|(known, _)| known == input);
        let (_, place) = place.ok_or_else(|| format!("diagnose {name} takes no {said}"))?;
        let parameter = parameters(command.path).find(|parameter| parameter.name == input);
        // An interface is named as people know it, and not by its path.
        *place = match parameter.filter(|_| input != "Interface") {
            Some(parameter) => {
                parameter.value.accept(None, value).map_err(|fault| format!("{said}: {}", fault.text))?
            }
            None => value.into(),
        };
        Ok::<_, String>(())
    };
    for (input, value) in command.words.iter().zip(words) {
        set(input, value, value)?;
    }
    for (option, value) in options {
        // `-4` and `-6` are one option with two values.
        let said = match option.as_str() {
            "ip" => value.replace("IPv", "-"),
            option => format!("--{option}"),
        };
        let known = || OPTIONS.iter().filter(|(known, _)| known == option).map(|(_, input)| *input);
        let has = |input: &&str| parameters(command.path).any(|parameter| parameter.name == *input);
        let input = known().find(has).or_else(|| known().next());
        set(input.ok_or_else(|| format!("there is no option {said}"))?, value, &said)?;
    }
    Ok(Request { kind, inputs })
}

/// Carries out a test. What it finds out on the way is printed as it goes, in JSON only what came out.
///
/// # Errors
/// That it failed, or found nobody.
pub fn run(options: &Options, json: bool, request: &Request) -> Result<(), Fault> {
    let live = standalone::live(options)?;
    let cancel = Cancel::new().map_err(Error::io("make an eventfd"))?;
    let broken = RefCell::new(None);
    let told = |line: &str| {
        if !json {
            let mut out = std::io::stdout();
            let written = writeln!(out, "{}", one_line(line)).and_then(|()| out.flush());
            if let Err(error) = written {
                *broken.borrow_mut() = Some(error);
                // Nobody reads any more.
                cancel.cancel();
            }
        }
    };
    let test = Test::new(&request.inputs, &live, &cancel, &told);
    let report = (request.kind.run)(&test);
    if let Some(error) = broken.take() {
        return Err(Error::io("print")(error).into());
    }
    let report = report.map_err(|trouble| failed(&format!("{}: {}", trouble.state, trouble.text)))?;
    print(&if json { in_json(request.kind, &report) } else { in_text(&report) })?;
    match (report.state, report.get("SuccessCount")) {
        (COMPLETE, "0") => Err(failed("no answer")),
        (COMPLETE, _) if report.get("Results").starts_with("FAIL") => Err(failed("the self test has failed")),
        (COMPLETE, _) => Ok(()),
        (state, _) => Err(failed(state)),
    }
}

fn failed(text: &str) -> Fault {
    Fault::new(FaultCode(0), text)
}

/// The parameters of an object of the data model.
fn parameters(path: &str) -> impl Iterator<Item = &'static Parameter> {
    device::objects().filter(move |object| object.path == path).flat_map(|object| object.parameters)
}

/// A line for each result; the rows of tables were told on the way.
fn in_text(report: &Report) -> String {
    let mut text = String::new();
    for (name, value) in report.values.iter().filter(|(name, _)| !name.contains('.') && name != "Results") {
        text.push_str(name);
        text.push('=');
        text.push_str(&one_line(value));
        text.push('\n');
    }
    text
}

/// An object with the state and each result; tables are arrays.
fn in_json(kind: &Kind, report: &Report) -> String {
    let mut object = Map::new();
    object.insert(STATE.into(), report.state.into());
    for (name, value) in &report.values {
        let mut parts = name.split('.');
        let table = parts.next().unwrap_or_default();
        let (Some(row), parameter) = (parts.next(), parts.next()) else {
            object.insert(name.clone(), typed(kind.path, name, value));
            continue;
        };
        let Json::Array(rows) = object.entry(table).or_insert_with(|| Json::Array(Vec::new())) else { continue };
        // The number of rows is seen from them.
        let (Some(parameter), Ok(row)) = (parameter, row.parse::<usize>()) else { continue };
        if rows.len() < row {
            rows.push(Json::Object(Map::new()));
        }
        if let Some(Json::Object(row)) = rows.last_mut() {
            let path = format!("{}{table}.{{i}}.", kind.path);
            row.insert(parameter.into(), typed(&path, parameter, value));
        }
    }
    format!("{:#}\n", Json::Object(object))
}

/// Numbers are numbers in JSON as well.
fn typed(path: &str, name: &str, value: &str) -> Json {
    let value_type = parameters(path).find(|parameter| parameter.name == name).map(|parameter| parameter.value);
    let is_text = value_type.is_none_or(|value| {
        value.list.is_some() || !matches!(value.kind, ValueKind::Int | ValueKind::UnsignedInt | ValueKind::UnsignedLong)
    });
    match value.parse::<i64>() {
        Ok(number) if !is_text => number.into(),
        _ => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[&str], options: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let words: Vec<String> = words.iter().copied().map(String::from).collect();
        let pair = |(name, value): &(&str, &str)| (String::from(*name), String::from(*value));
        let options: Vec<(String, String)> = options.iter().map(pair).collect();
        request(&words, &options).map(|request| request.inputs)
    }

    #[test]
    fn words_and_options_become_the_inputs_of_the_object() {
        let inputs = asked(&["ping", "h.example"], &[("count", "7"), ("ip", "IPv6"), ("interface", "wan")]).unwrap();
        let get = |name: &str| inputs.iter().find(|(known, _)| known == name).unwrap().1.as_str();
        assert_eq!([get("Host"), get("NumberOfRepetitions"), get("Timeout")], ["h.example", "7", "1000"]);
        assert_eq!([get("ProtocolVersion"), get("Interface")], ["IPv6", "wan"]);
        assert!(!inputs.iter().any(|(name, _)| name == STATE));
        assert!(asked(&["wifi"], &[]).unwrap().is_empty());
    }

    #[cfg(feature = "speed-tests")]
    #[test]
    fn an_option_is_the_input_that_the_test_has() {
        let inputs = asked(&["upload", "http://a/"], &[("size", "5000000000"), ("seconds", "9")]).unwrap();
        assert!(inputs.contains(&("TestFileLength".into(), "5000000000".into())));
        assert!(inputs.contains(&("TimeBasedTestDuration".into(), "9".into())));
        assert!(
            asked(&["udpecho", "a"], &[("size", "100")]).unwrap().contains(&("DataBlockSize".into(), "100".into()))
        );
        assert!(asked(&["nslookup", "a"], &[("ip", "IPv4")]).unwrap_err().ends_with("takes no -4"));
        assert!(asked(&["download", "http://a/"], &[("size", "1")]).unwrap_err().contains("takes no --size"));
        assert!(asked(&["download", "https://a/"], &[]).is_err());
    }

    #[test]
    fn every_command_has_its_test() {
        for command in COMMANDS {
            assert!(kind(command.path).is_some(), "{}", command.name);
            let known = |word: &&str| parameters(command.path).any(|parameter| parameter.name == *word);
            assert!(command.words.iter().all(known), "{}", command.name);
            let help = [
                HELP,
                #[cfg(feature = "speed-tests")]
                SPEED_HELP,
            ];
            assert!(help.concat().contains(&format!("diagnose {}", command.name)));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (words, options) in [
            (&[][..], &[][..]),
            (&["fly"], &[]),
            (&["ping"], &[]),
            (&["ping", "a", "b"], &[]),
            (&["wifi", "a"], &[]),
            (&["ping", "a"], &[("count", "0")]),
            (&["ping", "a"], &[("count", "many")]),
            (&["ping", "a"], &[("dscp", "64")]),
            (&["ping", "a"], &[("tries", "1")]),
            (&["ping", "a"], &[("color", "1")]),
        ] {
            let said = asked(words, options).unwrap_err();
            assert!(!said.is_empty() && !said.contains('\n'), "{words:?} {options:?}: {said}");
        }
    }

    #[test]
    fn what_is_missing_is_the_first_word() {
        assert_eq!(asked(&["nslookup"], &[]).unwrap_err(), "diagnose nslookup takes a HostName");
    }

    #[test]
    fn json_has_rows_and_numbers() {
        let kind = kind("Device.IP.Diagnostics.TraceRoute.").unwrap();
        let mut report = Report::new();
        report.set("ResponseTime", 3);
        report.table(
            "RouteHops",
            &["Host", "ErrorCode"],
            [vec!["192.0.2.1".into(), "0".into()], vec!["192.0.2.2".into(), "3".into()]],
        );
        let json: Json = serde_json::from_str(&in_json(kind, &report)).unwrap();
        let expected = serde_json::json!({
            "DiagnosticsState": "Complete", "ResponseTime": 3,
            "RouteHops": [{"Host": "192.0.2.1", "ErrorCode": 0}, {"Host": "192.0.2.2", "ErrorCode": 3}]
        });
        assert_eq!(json, expected);
        assert_eq!(in_text(&report), "ResponseTime=3\n");
    }
}
