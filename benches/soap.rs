//! Messages: from bytes to types and back. The throughput counts parameters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::hint::black_box;
use std::io;

use cwmpd::soap::body::{Body, Item, Items, ListKind};
use cwmpd::soap::rpc::{DeviceId, Envelope, Event, Header, Inform, Message, Namespace, ParameterValue, Value};
use cwmpd::soap::{decode, encode};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

const LIMIT: usize = 16 << 20;

fn parameters(count: usize) -> Vec<ParameterValue> {
    (1..=count)
        .map(|number| ParameterValue {
            name: format!("Device.WiFi.AccessPoint.{number}.AssociatedDevice.1.MACAddress"),
            value: Value { kind: Some("string".into()), text: format!("00:00:5e:00:53:{:02x} & more", number % 256) },
        })
        .collect()
}

fn envelope(message: Message) -> Envelope {
    let header = Header { id: Some("1234".into()), ..Header::default() };
    Envelope { namespace: Namespace::Cwmp12, header, body: Some(message) }
}

fn bench_decode(bencher: Bencher<'_, '_>, count: usize, message: Message) {
    let bytes = encode(&envelope(message));
    assert!(decode(&bytes, LIMIT).is_ok());
    bencher.counter(ItemsCount::new(count)).bench(|| decode(black_box(&bytes), LIMIT));
}

#[divan::bench]
fn decode_get_parameter_values_response_of_1000(bencher: Bencher<'_, '_>) {
    bench_decode(bencher, 1_000, Message::GetParameterValuesResponse(parameters(1_000)));
}

#[divan::bench]
fn decode_set_parameter_values_of_100(bencher: Bencher<'_, '_>) {
    let message = Message::SetParameterValues { parameters: parameters(100), parameter_key: "key".into() };
    bench_decode(bencher, 100, message);
}

#[divan::bench]
fn encode_inform(bencher: Bencher<'_, '_>) {
    let inform = Inform {
        device_id: DeviceId {
            manufacturer: "Example".into(),
            oui: "00005E".into(),
            product_class: "AX3000".into(),
            serial_number: "EX30002407000123".into(),
        },
        events: vec![Event { code: "2 PERIODIC".into(), command_key: String::new() }],
        current_time: "2030-01-31T12:00:00Z".into(),
        retry_count: 0,
        parameters: parameters(10),
    };
    let envelope = envelope(Message::Inform(Box::new(inform)));
    bencher.counter(ItemsCount::new(10_usize)).bench(|| encode(black_box(&envelope)));
}

/// Entries that cost next to nothing to make.
struct Many {
    left: usize,
}

const MANY: usize = 100_000;

impl Items for Many {
    fn rewind(&mut self) {
        self.left = MANY;
    }

    fn next(&mut self, sink: &mut dyn FnMut(Item<'_>)) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        sink(Item::Value { name: "Device.WiFi.SSID.1.SSID", kind: "string", value: "a name & more" });
        true
    }
}

/// Both passes: measured, and sent.
#[divan::bench(sample_count = 10)]
fn stream_a_list_of_100000(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(MANY)).bench(|| {
        let items = Box::new(Many { left: 0 });
        let mut body = Body::list(ListKind::Values, Namespace::Cwmp12, &Header::default(), items);
        io::copy(&mut body, &mut io::sink()).unwrap()
    });
}
