//! Requests of an ACS on the data model: from the typed request to the last byte of the answer. The throughput counts parameters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{self, Read};
use std::sync::Arc;

use cwmpd::cwmp::handlers::{Abilities, begin};
use cwmpd::model::Model;
use cwmpd::platform::live::Live;
use cwmpd::soap::rpc::{Message, Namespace, ParameterValue, Value};
use divan::Bencher;
use divan::counter::ItemsCount;

#[path = "../tests/common/columns.rs"]
mod columns;
#[path = "../tests/common/model.rs"]
mod model;
#[path = "../tests/common/root.rs"]
mod root;
#[path = "../tests/common/ubusd.rs"]
mod ubusd;

use columns::{COLUMNS, Sections, TABLE};
use root::RouterRoot;

fn main() {
    divan::main();
}

/// How many bytes the answer has.
fn answer(model: &mut Model, request: Message) -> u64 {
    let mut handled = begin(model, Abilities::default(), None, request).0.finish(None, Namespace::Cwmp12);
    assert_eq!(handled.fault, None);
    io::copy(&mut handled.body, &mut io::sink()).unwrap()
}

fn get(name: &str) -> Message {
    Message::GetParameterValues { names: vec![name.into()] }
}

fn count(model: &mut Model, name: &str) -> usize {
    let mut handled = begin(model, Abilities::default(), None, get(name)).0.finish(None, Namespace::Cwmp12);
    let mut text = String::new();
    handled.body.read_to_string(&mut text).unwrap();
    text.matches("<ParameterValueStruct>").count()
}

/// A router whose tree is the table with so many parameters.
fn table(parameters: usize, sections: Sections) -> (RouterRoot, Model) {
    let root = RouterRoot::new();
    columns::install(&root, parameters / COLUMNS, sections);
    let mut model = columns::model(&Arc::new(Live::new(root.path()).unwrap()));
    assert_eq!(count(&mut model, TABLE), parameters);
    (root, model)
}

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn get_whole_table(bencher: Bencher<'_, '_>, parameters: usize) {
    let (_root, mut model) = table(parameters, Sections::Named);
    bencher.counter(ItemsCount::new(parameters)).bench_local(|| answer(&mut model, get(TABLE)));
}

#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn get_whole_table_of_unnamed_sections(bencher: Bencher<'_, '_>, parameters: usize) {
    let (_root, mut model) = table(parameters, Sections::Unnamed);
    bencher.counter(ItemsCount::new(parameters)).bench_local(|| answer(&mut model, get(TABLE)));
}

/// A router of a kind with so many devices in the home, and its ubusd.
fn home(hosts: u32) -> (ubusd::Ubusd, model::Router) {
    let root = RouterRoot::sample("pd-guest");
    let ubusd = root.start_ubusd();
    let mut arp = root.read("/proc/net/arp");
    let mut leases = String::new();
    for number in 0..hosts {
        let mac = format!("02:00:5e:{:02x}:{:02x}:{:02x}", number >> 16, number >> 8 & 0xff, number & 0xff);
        let address = format!("10.{}.{}.{}", 1 + (number >> 16), number >> 8 & 0xff, number & 0xff);
        arp += &format!("{address:<16} 0x1         0x2         {mac}     *        br-lan\n");
        leases += &format!("0 {mac} {address} host{number} 01:{mac}\n");
    }
    root.write("/proc/net/arp", arp);
    root.write("/tmp/dhcp.leases", leases);
    (ubusd, model::Router::on(root))
}

/// The largest of the sample routers as it is, over the socket of a stand-in for ubusd.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn get_whole_router_over_ubusd(bencher: Bencher<'_, '_>) {
    let root = RouterRoot::sample("pd-guest");
    let _ubusd = root.start_ubusd();
    let router = model::Router::on(root);
    let mut model = router.model.lock().unwrap();
    let parameters = count(&mut model, "");
    bencher.counter(ItemsCount::new(parameters)).bench_local(|| answer(&mut model, get("")));
}

/// The same with more and more devices in the home, so that the tree grows and the sources do not.
#[divan::bench(args = [100, 1_000, 10_000], sample_count = 5, sample_size = 1)]
fn get_whole_router_with_hosts(bencher: Bencher<'_, '_>, hosts: u32) {
    let (_ubusd, router) = home(hosts);
    let mut model = router.model.lock().unwrap();
    let parameters = count(&mut model, "");
    bencher.counter(ItemsCount::new(parameters)).bench_local(|| answer(&mut model, get("")));
}

/// Programs are stand-ins that are scripts, which is most of the time.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn get_whole_sample_router(bencher: Bencher<'_, '_>) {
    let router = model::Router::new();
    let mut model = router.model.lock().unwrap();
    let parameters = count(&mut model, "");
    bencher.counter(ItemsCount::new(parameters)).bench_local(|| answer(&mut model, get("")));
}

#[divan::bench(args = ["Device.DeviceInfo.ProvisioningCode", "Device.IP.Interface.1.Enable"])]
fn get_one_parameter_of_the_sample_router(bencher: Bencher<'_, '_>, name: &str) {
    let router = model::Router::new();
    let mut model = router.model.lock().unwrap();
    assert_eq!(count(&mut model, name), 1);
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| answer(&mut model, get(name)));
}

/// Each time to other values, so that each is written and committed.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn set_100_parameters_of_a_table(bencher: Bencher<'_, '_>, parameters: usize) {
    let (_root, mut model) = table(parameters, Sections::Named);
    let rows = parameters / COLUMNS;
    let mut round = 0;
    bencher.counter(ItemsCount::new(100_usize)).bench_local(|| {
        round += 1;
        let parameters = (0..100)
            .map(|number| ParameterValue {
                name: format!("{TABLE}{}.Text{}", 1 + number * rows / 100, 1 + number % 2),
                value: Value { kind: Some("string".into()), text: format!("round {round} of {number}") },
            })
            .collect();
        answer(&mut model, Message::SetParameterValues { parameters, parameter_key: String::new() })
    });
}
