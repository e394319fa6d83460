//! `docs/conformance.md`: every item of the standard once, and for everything that is done the tests that name it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{keep, path, read, sources, with_part};

const PAGE: &str = "docs/conformance.md";

/// SECURITY numbers what it asks for as `S1` to `S23`. Elsewhere than here, `s10` and `s11` in the name of a test are such numbers.
const SCHEDULE: &[&str] = &["src/cwmp/", "src/daemon/"];

/// A row of the page.
struct Row {
    id: String,
    what: String,
    state: String,
}

#[test]
fn every_requirement_is_listed_once() {
    let rows = rows();
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(listed.len(), rows.len(), "an id has two rows");
    let list = path("../shared/spec/CONFORMANCE.md");
    let Ok(list) = std::fs::read_to_string(&list) else {
        assert!(std::env::var_os("CWMPD_CI").is_none(), "{} is missing", list.display());
        println!("skipped: {} is missing", list.display());
        return;
    };
    let wanted: BTreeSet<&str> =
        list.lines().filter_map(|line| line.strip_prefix("| ")?.get(..4)).filter(is_id).collect();
    assert!(wanted.len() > 200, "only {} ids were found", wanted.len());
    let differing: Vec<_> = listed.symmetric_difference(&wanted).collect();
    assert!(differing.is_empty(), "not on both lists: {differing:?}");
}

#[test]
fn every_state_is_one_of_four() {
    for row in rows() {
        let known = match row.state.split_once(": ") {
            None => matches!(row.state.as_str(), "done" | "untested"),
            Some((state, why)) => matches!(state, "partly" | "later") && !why.is_empty(),
        };
        assert!(known, "{}: {}", row.id, row.state);
    }
}

#[test]
fn what_is_done_has_a_test_and_the_page_names_it() {
    let tests = tests_by_id();
    let mut page = read(PAGE);
    let mut counts = BTreeMap::<String, usize>::new();
    for row in rows() {
        let found = tests.get(&row.id);
        let state = match (row.state.as_str(), found.is_some()) {
            ("done", false) => "untested",
            ("untested", true) => "done",
            (state, _) => state,
        };
        *counts.entry(state.split(':').next().unwrap().to_owned()).or_default() += 1;
        let wanted = format!("| {} | {} | {state} |{} |", row.id, row.what, found.map_or("", String::as_str));
        let start = format!("| {} |", row.id);
        page = page.lines().map(|line| if line.starts_with(&start) { &wanted } else { line }).fold(
            String::new(),
            |mut page, line| {
                page.push_str(line);
                page.push('\n');
                page
            },
        );
    }
    let count = |state: &str| counts.get(state).copied().unwrap_or_default();
    let told = format!(
        "{} done, {} untested, {} partly, {} later.\n",
        count("done"),
        count("untested"),
        count("partly"),
        count("later")
    );
    keep(PAGE, &with_part(&page, "counts", &told));
}

/// The table of SECURITY is written by hand; the others are not.
#[test]
fn the_tests_of_the_table_of_security_are_there() {
    let known: BTreeSet<(String, String)> = sources(&["src", "tests"])
        .into_iter()
        .flat_map(|(file, text)| tests(&file, &text).into_iter().map(move |(test, _)| (file.clone(), test)))
        .collect();
    let mut count = 0;
    let is_security = |line: &&str| line.starts_with("| S") && line.get(2..6).is_some_and(|id| !is_id(&id));
    for line in read(PAGE).lines().filter(is_security) {
        for part in line.trim_end_matches('|').rsplit('|').next().unwrap().split("; ") {
            let Some((file, names)) = part.trim().split_once(": ").filter(|(file, _)| file.ends_with(".rs")) else {
                continue;
            };
            for name in names.split(", ") {
                let test = (file.to_owned(), name.trim_matches('`').to_owned());
                assert!(known.contains(&test), "{file} has no test {name}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "only {count} tests were found");
}

/// The rows of the page.
fn rows() -> Vec<Row> {
    let page = read(PAGE);
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| ")?.split(" |").map(str::trim);
        let id = cells.next().filter(is_id)?.to_owned();
        Some(Row { id, what: cells.next()?.to_owned(), state: cells.next()?.to_owned() })
    };
    page.lines().filter_map(row).collect()
}

/// `T-01` and the like.
fn is_id(text: &&str) -> bool {
    matches!(text.as_bytes(), [b'A'..=b'Z', b'-', b'0'..=b'9', b'0'..=b'9'])
}

/// For each id the tests that name it, file by file, as the page shows them.
fn tests_by_id() -> BTreeMap<String, String> {
    let mut found = BTreeMap::<String, BTreeMap<String, BTreeSet<String>>>::new();
    let sources = sources(&["src", "tests"]).into_iter();
    for (file, text) in sources.filter(|(file, _)| !file.starts_with("tests/project/")) {
        for (test, ids) in tests(&file, &text) {
            for id in ids {
                found.entry(id).or_default().entry(file.clone()).or_default().insert(test.clone());
            }
        }
    }
    let show = |files: BTreeMap<String, BTreeSet<String>>| {
        let mut text = String::new();
        for (file, tests) in files {
            let separator = if text.is_empty() { "" } else { ";" };
            let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
            write!(text, "{separator} {file}: {}", tests.join(", ")).unwrap();
        }
        text
    };
    found.into_iter().map(|(id, files)| (id, show(files))).collect()
}

/// The tests of a file with the ids that their names, their comments and their texts name.
fn tests(file: &str, text: &str) -> Vec<(String, BTreeSet<String>)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_beside = |line: &&&str| ["//", "#["].iter().any(|mark| line.trim_start().starts_with(mark));
    let mut found = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| line.trim() == "#[test]") {
        let above = lines[..at].iter().rev().take_while(is_beside);
        let Some(head) = lines[at..].iter().position(|line| line.trim_start().starts_with("fn ")) else { continue };
        let indent = &lines[at][..lines[at].len() - lines[at].trim_start().len()];
        let last = format!("{indent}}}");
        let body = lines[at..].iter().take_while(|line| **line != last);
        let name = lines[at + head].trim_start().trim_start_matches("fn ").split('(').next().unwrap();
        let mut ids = ids_in_name(file, name);
        for line in above.chain(body) {
            ids.extend(ids_in_text(line));
        }
        found.push((name.to_owned(), ids));
    }
    found
}

/// `c03_s15_without_credentials` begins with `C-03` and with a number of SECURITY.
fn ids_in_name(file: &str, name: &str) -> BTreeSet<String> {
    let id = |word: &str| {
        let (letter, number) = word.split_at_checked(1)?;
        Some(format!("{}-{number}", letter.to_uppercase())).filter(|id| is_id(&id.as_str()))
    };
    let is_security = |id: &str| matches!(id, "S-10" | "S-11") && !SCHEDULE.iter().any(|part| file.starts_with(part));
    name.split('_')
        .take_while(|word| is_number_of_any_kind(word))
        .filter_map(id)
        .filter(|id| !is_security(id))
        .collect()
}

fn is_number_of_any_kind(word: &str) -> bool {
    word.len() > 1
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word[1..].bytes().all(|b| b.is_ascii_digit())
}

/// `T-01`, and all of `P-01 to P-03`.
fn ids_in_text(text: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut before: Option<(&str, usize)> = None;
    for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
        let Some(id) = text.get(at..at + 4).filter(is_id) else { continue };
        let is_part = |c: char| c.is_alphanumeric() || c == '-';
        if text[..at].ends_with(is_part) || text[at + 4..].starts_with(is_part) {
            continue;
        }
        if let Some((first, _)) = before.filter(|(first, end)| first[..2] == id[..2] && &text[*end..at] == " to ") {
            let numbers = first[2..].parse::<u32>().unwrap()..=id[2..].parse().unwrap();
            ids.extend(numbers.map(|number| format!("{}{number:02}", &id[..2])));
        }
        ids.insert(id.to_owned());
        before = Some((id, at + 4));
    }
    ids
}

#[test]
fn ids_are_found_in_names_and_texts() {
    let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(ids_in_name("tests/a.rs", "c03_s15_without_s01"), set(&["C-03", "S-15"]));
    assert_eq!(ids_in_name("src/acs/a.rs", "s10_limits"), set(&[]));
    assert_eq!(ids_in_text("UTF-16, T-04; P-01 to P-03, (X-08)"), set(&["P-01", "P-02", "P-03", "T-04", "X-08"]));
}
