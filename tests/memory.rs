//! What a read of the whole tree costs: which programs it starts, and how much memory it takes besides what its sources hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use cwmpd::cwmp::handlers::{Abilities, begin};
use cwmpd::model::Model;
use cwmpd::platform::System;
use cwmpd::platform::live::Live;
use cwmpd::soap::rpc::{Message, Namespace};

#[path = "common/columns.rs"]
mod columns;
#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use columns::{COLUMNS, PACKAGE, Sections, TABLE};
use root::RouterRoot;

/// Answers GetParameterValues and reads the answer to its end, without keeping it, as a connection does.
fn read_all(model: &mut Model, name: &str) -> u64 {
    let request = Message::GetParameterValues { names: vec![name.into()] };
    let mut handled = begin(model, Abilities::default(), None, request).0.finish(None, Namespace::Cwmp12);
    assert_eq!(handled.fault, None);
    let length = handled.body.len();
    assert_eq!(io::copy(&mut handled.body, &mut io::sink()).unwrap(), length);
    length
}

#[test]
fn a_read_of_the_whole_tree_starts_each_ubus_call_once_and_nothing_else() {
    let router = model::Router::new();
    router.root.clear_calls();
    read_all(&mut router.model.lock().unwrap(), "");
    let calls = router.root.calls();
    let other: Vec<_> = calls.iter().filter(|call| !call.starts_with("/bin/ubus ")).collect();
    assert!(other.is_empty(), "{other:#?}");
    let kinds: BTreeSet<_> = calls.iter().collect();
    assert_eq!(kinds.len(), calls.len(), "{calls:#?}");
    assert!(!calls.is_empty());
}

/// What a read of the whole table takes at its highest, besides what its package holds, in bytes.
fn memory_besides_the_package(rows: usize, sections: Sections) -> u64 {
    let root = RouterRoot::new();
    columns::install(&root, rows, sections);
    let live = Arc::new(Live::new(root.path()).unwrap());
    let mut package = None;
    let alone = allocation_counter::measure(|| package = Some(live.load_package(PACKAGE).unwrap()));
    let held = u64::try_from(alone.bytes_current).unwrap();
    drop(package);
    let mut model = columns::model(&live);
    let mut length = 0;
    // The second time the model remembers the rows.
    let whole = allocation_counter::measure(|| {
        length = read_all(&mut model, TABLE);
        assert_eq!(read_all(&mut model, TABLE), length);
    });
    assert!(length > (rows * COLUMNS * 100) as u64, "{length} bytes of answer");
    whole.bytes_max - held
}

/// The growth of that from 50 to 5,000 rows.
fn growth(sections: Sections) -> u64 {
    memory_besides_the_package(5_000, sections).saturating_sub(memory_besides_the_package(50, sections))
}

const ONE_MEGABYTE: u64 = 1_000_000;

#[test]
fn memory_does_not_grow_with_the_rows_of_named_sections() {
    let growth = growth(Sections::Named);
    assert!(growth < ONE_MEGABYTE, "it grows by {growth} bytes");
}

#[test]
fn memory_does_not_grow_with_the_rows_of_unnamed_sections() {
    let growth = growth(Sections::Unnamed);
    assert!(growth < ONE_MEGABYTE, "it grows by {growth} bytes");
}
