//! Six routers as they stand in homes: what the tree says of each, over the socket of a ubusd, as reviewed snapshots.
//!
//! After a change that is meant, `INSTA_UPDATE=always cargo test --test routers` writes them anew; the difference is to be read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/counting.rs"]
mod counting;
#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;
#[path = "common/ubusd.rs"]
mod ubusd;

use std::fmt::Write;
use std::io::Read;
use std::sync::Arc;

use counting::Counting;
use cwmpd::cwmp::handlers::{Abilities, begin};
use cwmpd::platform::live::Live;
use cwmpd::soap::rpc::{Message, Namespace};
use model::Router;
use root::RouterRoot;
use ubusd::Ubusd;

/// The sample with the most parameters.
const LARGEST: &str = "pd-guest";

/// Parts that are the same on all, and have tests of their own.
const ELSEWHERE: [&str; 2] = ["Device.DeviceInfo.ProcessStatus.Process.", "Device.SoftwareModules."];

/// What depends on when the test runs, or on when the machine that it runs on was started.
const CHANGING: [&str; 2] = ["LastChange", "LeaseTimeRemaining"];

fn sample(name: &str) -> (Router, Ubusd) {
    let root = RouterRoot::sample(name);
    let ubusd = root.start_ubusd();
    (Router::on(root), ubusd)
}

/// All values by object, without what is different each time.
fn show(values: &[(String, String)]) -> String {
    let mut text = String::new();
    let mut last = "";
    for (name, value) in values {
        if ELSEWHERE.iter().any(|part| name.starts_with(part)) {
            continue;
        }
        let (object, parameter) = name.rsplit_once('.').unwrap();
        if object != last {
            writeln!(text, "{object}.").unwrap();
            last = object;
        }
        let value = if changes(parameter, value) { "(changes)" } else { value };
        writeln!(text, "    {}", format!("{parameter} = {value}").trim_end()).unwrap();
    }
    text
}

/// Whether a value is another one each time: a date that is near, or a number of seconds.
fn changes(parameter: &str, value: &str) -> bool {
    let date = value.len() >= 20 && value.as_bytes()[10] == b'T';
    let year = date.then(|| value[..4].parse::<i32>().ok()).flatten();
    year.is_some_and(|year| (2026..9000).contains(&year))
        || CHANGING.contains(&parameter) && value.parse::<u64>().is_ok()
}

/// Every status, one a line.
fn statuses(values: &[(String, String)]) -> String {
    let is_status = |name: &str| {
        let parameter = name.rsplit('.').next().unwrap();
        parameter.ends_with("Status") || matches!(parameter, "LowerLayers" | "Upstream")
    };
    let lines = values.iter().filter(|(name, _)| is_status(name));
    lines.map(|(name, value)| format!("{name} = {value}").trim_end().to_owned() + "\n").collect()
}

/// The answer to a request of the ACS, to its last byte.
fn answer(router: &Router, request: Message) -> String {
    let mut model = router.model.lock().unwrap();
    let mut handled = begin(&mut model, Abilities::default(), None, request).0.finish(None, Namespace::Cwmp14);
    assert_eq!(handled.fault, None);
    let mut text = String::new();
    handled.body.read_to_string(&mut text).unwrap();
    text
}

/// The contents of all elements of this name.
fn elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    text.split(begin.as_str()).skip(1).map(|rest| rest.split(end.as_str()).next().unwrap()).collect()
}

fn check(name: &str) {
    let (router, ubusd) = sample(name);
    let values = router.values("");
    let title = name.replace('-', "_");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(title.as_str(), show(&values));
        insta::assert_snapshot!(format!("{title}_status"), statuses(&values));
    });
    // GetParameterNames and GetParameterValues speak of the same parameters.
    let names = answer(&router, Message::GetParameterNames { path: String::new(), next_level: false });
    let names: Vec<&str> = elements(&names, "Name").into_iter().filter(|name| !name.ends_with('.')).collect();
    let told = answer(&router, Message::GetParameterValues { names: vec![String::new()] });
    assert_eq!(names, elements(&told, "Name"));
    assert_eq!(names, values.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    assert!(!ubusd.calls().is_empty());
    assert_eq!(router.root.calls(), Vec::<String>::new(), "no program is started for a reading");
}

#[test]
fn single_radio_dsa() {
    check("single-radio-dsa");
}

#[test]
fn two_radio_pppoe() {
    check("two-radio-pppoe");
}

#[test]
fn swconfig_vlan() {
    check("swconfig-vlan");
}

#[test]
fn pd_guest() {
    check("pd-guest");
}

#[test]
fn lte() {
    check("lte");
}

#[test]
fn access_point() {
    check("access-point");
}

/// DESIGN: one request reads each package, file and ubus call at most once, however many parameters come from it. One program is started, for what no file and no call tells.
#[test]
fn the_whole_tree_is_read_with_each_source_once_and_one_process() {
    let root = RouterRoot::sample(LARGEST);
    let ubusd = root.start_ubusd();
    let counting = Arc::new(Counting::new(Live::new(root.path()).unwrap()));
    let router = Router::on_system(root, counting.clone());
    counting.take();
    let told = answer(&router, Message::GetParameterValues { names: vec![String::new()] });
    assert!(elements(&told, "Name").len() > 1500);
    let reads = counting.take();
    // What the daemon needs to know itself by is found without the model, and so read apart from it.
    let apart = |read: &str| matches!(read, "file /etc/board.json" | "file /etc/openwrt_release");
    let twice: Vec<_> = reads.iter().filter(|(read, times)| **times > 1 && !apart(read)).collect();
    assert!(twice.is_empty(), "read more than once: {twice:#?}");
    let programs: Vec<_> = reads.keys().filter(|read| read.starts_with("program ")).collect();
    assert_eq!(programs, ["program /sbin/ip -6 neigh show"]);
    assert_eq!(counting.started(), 0);
    assert_eq!(router.root.calls(), Vec::<String>::new());
    // What reaches the bus is what was asked for, and all of it on one connection.
    let asked = reads.keys().filter(|read| read.starts_with("ubus ")).count();
    assert_eq!(ubusd.calls().len() + refused(&ubusd), asked);
    assert_eq!(ubusd.connections(), 1);
    for package in ["network", "wireless", "dhcp", "firewall", "system"] {
        assert_eq!(reads.get(&format!("package {package}")), Some(&1));
    }
}

/// Calls that did not come to a call, since there is no such object.
fn refused(ubusd: &Ubusd) -> usize {
    let called: Vec<String> = ubusd.calls();
    ubusd
        .lookups()
        .iter()
        .filter(|path| !called.iter().any(|call| call.split(' ').next() == Some(path.as_str())))
        .count()
}

/// One parameter costs one parameter.
#[test]
fn a_single_parameter_reads_its_own_source_alone() {
    let root = RouterRoot::sample(LARGEST);
    let _ubusd = root.start_ubusd();
    let counting = Arc::new(Counting::new(Live::new(root.path()).unwrap()));
    let router = Router::on_system(root, counting.clone());
    router.values("");
    counting.take();
    for (name, reads) in [
        ("Device.DeviceInfo.ProvisioningCode", &["package cwmpd"][..]),
        ("Device.DeviceInfo.UpTime", &["file /proc/uptime"]),
        ("Device.Time.LocalTimeZone", &["package system"]),
        ("Device.DeviceInfo.MemoryStatus.Total", &["file /proc/meminfo"]),
    ] {
        answer(&router, Message::GetParameterValues { names: vec![name.into()] });
        assert_eq!(counting.take().keys().map(String::as_str).collect::<Vec<_>>(), reads, "{name}");
    }
}
