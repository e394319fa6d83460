//! Instance numbers of UCI sections that have no name (CONFORMANCE P-62).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::sync::Arc;

use cwmpd::cwmp::answers::values_of;
use cwmpd::model::Model;
use cwmpd::model::transaction::Assignment;
use cwmpd::platform::live::Live;

#[path = "common/columns.rs"]
mod columns;
#[path = "common/root.rs"]
mod root;

use columns::{PACKAGE, Sections, TABLE};
use root::RouterRoot;

fn router(rows: usize) -> (RouterRoot, Model) {
    let root = RouterRoot::new();
    columns::install(&root, rows, Sections::Unnamed);
    let model = columns::model(&Arc::new(Live::new(root.path()).unwrap()));
    (root, model)
}

/// What the first column says, by row.
fn texts(model: &Model) -> Vec<(String, String)> {
    let values = values_of(&mut model.context(), &format!("{TABLE}*.Text1"));
    values.into_iter().map(|value| (value.name.replace(TABLE, ""), value.value.text)).collect()
}

fn to(name: &str, value: &str) -> Assignment {
    Assignment { name: format!("{TABLE}{name}"), kind: None, value: value.into() }
}

#[test]
fn p62_a_write_that_fails_leaves_the_numbers_as_they_are() {
    let (_root, mut model) = router(4);
    let before = texts(&model);
    let good = to("2.Text1", "new");
    let bad = to("3.Number11", "none");
    model.set_values(&[good, bad], None).expect_err("it is no number");
    assert_eq!(texts(&model), before);
}

#[test]
fn p62_a_write_that_works_leaves_the_numbers_as_they_are() {
    let (_root, mut model) = router(4);
    let mut expected = texts(&model);
    expected[1].1 = "new".into();
    let good = to("2.Text1", "new");
    model.set_values(&[good], None).unwrap();
    assert_eq!(texts(&model), expected);
}

#[test]
fn p62_numbers_stay_with_sections_that_others_have_changed_or_moved() {
    let (root, model) = router(4);
    texts(&model);
    let path = format!("/etc/config/{PACKAGE}");
    let sections: Vec<String> = root.read(&path).split_inclusive("\n\n").map(String::from).collect();
    let [_, second, third, fourth] = &sections[..] else { panic!("four sections") };
    let other = columns::package(9, Sections::Unnamed).split("\n\n").nth(8).unwrap().to_owned() + "\n\n";
    let changed = second.replace("text 1 of 2", "changed");
    root.write(&path, [fourth, &changed, &other, third].map(String::as_str).concat());
    let rows = texts(&model);
    let expected =
        [("2.Text1", "changed"), ("3.Text1", "text 1 of 3"), ("4.Text1", "text 1 of 4"), ("5.Text1", "text 1 of 9")];
    assert_eq!(rows, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(texts(&model), rows, "and the next time too");
}
