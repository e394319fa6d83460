//! Our UCI reader and writer against the real `uci` program: the same values read, the same edits made, and both kinds of writer at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/uci_tool.rs"]
mod uci_tool;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use cwmpd::platform::uci::{self, CommitError, OptionValue, Package, SectionId};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use uci_tool::real_uci;

/// Runs a property test against the real program, with the number of cases from `PROPTEST_CASES` or else `cases`.
fn against_uci<S: Strategy>(cases: u32, strategy: S, test: impl Fn(&Router, S::Value) -> TestCaseResult) {
    let Some(program) = real_uci() else { return };
    let router = Router::new(program);
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    let rejects = cases.saturating_mul(100);
    let config =
        ProptestConfig { cases, failure_persistence: None, max_global_rejects: rejects, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    if let Err(error) = runner.run(&strategy, |value| test(&router, value)) {
        panic!("{error}");
    }
}

/// A configuration directory of its own, and the program to look at it.
struct Router {
    program: PathBuf,
    dir: tempfile::TempDir,
}

impl Router {
    fn new(program: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("config")).unwrap();
        Self { program, dir }
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    fn uci(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.config()).arg("-t").arg(self.dir.path().join("delta"));
        command
    }

    /// `uci batch` with these lines; true if it had nothing to say.
    fn batch(&self, lines: &str) -> bool {
        let mut child =
            self.uci().arg("batch").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        output.status.success() && output.stderr.is_empty()
    }

    /// What `uci export` makes of the package; `None` if it refuses.
    fn export(&self, options: &[&str], package: &str) -> Option<Vec<u8>> {
        let output = self.uci().args(options).arg("export").arg(package).output().unwrap();
        output.status.success().then_some(output.stdout)
    }
}

const NAME: &str = "test";

/// The export of `uci` for a package as we see it.
fn export(package: &Package) -> Vec<u8> {
    let mut out = format!("package {}\n", package.name());
    let quoted = |value: &str| value.replace('\'', "'\\''");
    for section in package.sections() {
        write!(out, "\nconfig {}", quoted(section.kind())).unwrap();
        if let Some(name) = section.name() {
            write!(out, " '{name}'").unwrap();
        }
        out.push('\n');
        for (name, value) in section.options() {
            match value {
                OptionValue::Text(text) => writeln!(out, "\toption {name} '{}'", quoted(text)).unwrap(),
                OptionValue::List(items) => {
                    items.iter().for_each(|item| writeln!(out, "\tlist {name} '{}'", quoted(item)).unwrap());
                }
            }
        }
    }
    out.push('\n');
    out.into_bytes()
}

fn text(bytes: Option<Vec<u8>>) -> String {
    bytes.map_or_else(|| "(refused)".to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A piece of a file in whatever syntax people use, mostly right.
fn wild_file() -> impl Strategy<Value = String> {
    let space = select(&[" ", "\t", "  ", " \\\n"][..]);
    let name = select(&["a", "b", "ports", "'c'", "\"d\"", "na\\me", "x_1"][..]);
    let kind = select(&["rule", "interface", "wifi-iface", "'rule'", "odd.type"][..]);
    let own_name = select(&["", "lan", "wan", "'lan'", "\"guest\"", "cfg02a1b2", "cfg01ab60"][..]);
    let value = select(
        &[
            "",
            "''",
            "\"\"",
            "bare",
            "'single'",
            "\"double\"",
            "'it'\\''s'",
            "\"say \\\"hi\\\"\"",
            "two\\ words",
            "'a b'c\"d e\"",
            "'line\nend'",
            "\"joined\\\nline\"",
            "bare\\\njoined",
            "'ends\\'",
            "'#no'",
            "half#comment",
            "\\#",
            "';'",
            "\"crlf\r\nline\"",
            "ü",
            "a\\\\b",
            "'\t'",
        ][..],
    );
    let end = select(
        &[
            "\n",
            "\n",
            "\n",
            " # why\n",
            "\r\n",
            "\n\n",
            " ;\t",
            ";",
            "\n# option a 'no'\n",
            " \n",
            "\n \t\n",
            " extra\n",
        ][..],
    );
    let statement =
        (0..10_u8, space, name, kind, own_name, value, end).prop_map(|(what, space, name, kind, own, value, end)| {
            let indent = if what % 2 == 0 { "\t" } else { "" };
            match what {
                0..=2 => format!("config{space}{kind}{space}{own}{end}"),
                3 => format!("c {kind}{end}"),
                4..=6 => format!("{indent}option{space}{name}{space}{value}{end}"),
                7..=8 => format!("{indent}list{space}{name}{space}{value}{end}"),
                _ => format!("{indent}o {name} {value}{end}"),
            }
        });
    let junk = select(
        &[
            "package test\n",
            "bogus\n",
            "config\n",
            "option\n",
            "list a.b c\n",
            "'",
            "\\",
            "# it's\n",
            "config 'a b'\n",
            "\u{b}\n",
        ][..],
    );
    let piece = prop_oneof![40 => statement, 1 => junk.prop_map(str::to_owned)];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

#[test]
fn wild_files_read_the_same_and_strict_errors_are_ours_too() {
    against_uci(400, wild_file(), |router, file| {
        fs::write(router.config().join(NAME), &file).unwrap();
        let package = uci::load(&router.config(), NAME).unwrap();
        prop_assert_eq!(package.to_bytes(), file.as_bytes());
        prop_assert_eq!(text(Some(export(&package))), text(router.export(&["-q", "-S"], NAME)), "lenient, {:?}", file);
        let strict = router.export(&["-q"], NAME);
        prop_assert_eq!(strict.is_some(), package.problems().is_empty(), "{:?}: {:?}", package.problems(), file);
        Ok(())
    });
}

#[test]
fn generated_names_are_those_of_libuci() {
    against_uci(100, wild_file(), |router, file| {
        fs::write(router.config().join(NAME), &file).unwrap();
        let package = uci::load(&router.config(), NAME).unwrap();
        let output = router.uci().args(["-q", "-S", "-X", "show", NAME]).output().unwrap();
        let show = String::from_utf8_lossy(&output.stdout).into_owned();
        for section in package.sections() {
            let name = section.name().map_or_else(|| section.generated_name(), str::to_owned);
            let line = format!("{NAME}.{name}={}", section.kind());
            prop_assert!(show.lines().any(|shown| shown == line), "{} in {}", line, show);
            let selector = format!("@{}[{}]", section.kind(), section.index());
            prop_assert_eq!(package.find(&selector).map(|found| found.id()), Some(section.id()));
        }
        Ok(())
    });
}

/// Any value that `uci set` takes too.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        select(
            &[
                "1",
                "it's",
                "'",
                "",
                "a b",
                " lead",
                "trail ",
                "tab\there",
                "\\",
                "\\'",
                "\"",
                "#x",
                ";",
                "line\nend",
                "\n",
                "ü€",
                "'\\''"
            ][..]
        )
        .prop_map(str::to_owned),
        "[ -~\t\né]{0,20}",
    ]
}

/// An edit, with places as numbers that are taken modulo what is there.
#[derive(Clone, Debug)]
enum Edit {
    Set(usize, &'static str, String),
    SetList(usize, &'static str, Vec<String>),
    Remove(usize, &'static str),
    Add(&'static str, Option<&'static str>),
    RemoveSection(usize),
    Rename(usize, &'static str),
    Move(usize, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = || 0..100_usize;
    let option = || select(&["a", "b", "ports", "c", "new"][..]);
    let name = || select(&["lan", "wan", "guest", "n1", "n2"][..]);
    let kind = select(&["rule", "interface", "wifi-iface"][..]);
    prop_oneof![
        3 => (place(), option(), value()).prop_map(|(at, option, value)| Edit::Set(at, option, value)),
        3 => (place(), option(), proptest::collection::vec(value(), 0..4)).prop_map(|(at, option, items)| Edit::SetList(at, option, items)),
        1 => (place(), option()).prop_map(|(at, option)| Edit::Remove(at, option)),
        2 => (kind, proptest::option::of(name())).prop_map(|(kind, name)| Edit::Add(kind, name)),
        1 => place().prop_map(Edit::RemoveSection),
        1 => (place(), name()).prop_map(|(at, name)| Edit::Rename(at, name)),
        1 => (place(), place()).prop_map(|(at, before)| Edit::Move(at, before)),
    ]
}

/// Makes an edit, and says it in the words of `uci batch`.
fn make(package: &mut Package, edit: &Edit, batch: &mut String) {
    let quoted = |value: &str| format!("'{}'", value.replace('\'', "'\\''"));
    let ids: Vec<SectionId> = package.sections().map(|section| section.id()).collect();
    let place = |id: SectionId| ids.iter().position(|&other| other == id).unwrap();
    let pick = |at: usize| if ids.is_empty() { None } else { Some(ids[at % ids.len()]) };
    match edit {
        Edit::Set(at, option, value) => {
            let Some(id) = pick(*at) else { return };
            package.set(id, option, value).unwrap();
            writeln!(batch, "delete {NAME}.@[{}].{option}", place(id)).unwrap();
            if !value.is_empty() {
                writeln!(batch, "set {NAME}.@[{}].{option}={}", place(id), quoted(value)).unwrap();
            }
        }
        Edit::SetList(at, option, items) => {
            let Some(id) = pick(*at) else { return };
            package.set_list(id, option, &items.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
            writeln!(batch, "delete {NAME}.@[{}].{option}", place(id)).unwrap();
            for item in items {
                writeln!(batch, "add_list {NAME}.@[{}].{option}={}", place(id), quoted(item)).unwrap();
            }
        }
        Edit::Remove(at, option) => {
            let Some(id) = pick(*at) else { return };
            package.remove(id, option);
            writeln!(batch, "delete {NAME}.@[{}].{option}", place(id)).unwrap();
        }
        Edit::Add(kind, name) => match (package.add_section(kind, *name), name) {
            (Ok(_), Some(name)) => writeln!(batch, "set {NAME}.{name}={kind}").unwrap(),
            (Ok(_), None) => writeln!(batch, "add {NAME} {kind}").unwrap(),
            (Err(_), _) => {}
        },
        Edit::RemoveSection(at) => {
            let Some(id) = pick(*at) else { return };
            package.remove_section(id);
            writeln!(batch, "delete {NAME}.@[{}]", place(id)).unwrap();
        }
        Edit::Rename(at, name) => {
            let Some(id) = pick(*at) else { return };
            if package.rename_section(id, name) == Ok(true) {
                writeln!(batch, "rename {NAME}.@[{}]={name}", place(id)).unwrap();
            }
        }
        Edit::Move(at, before) => {
            let (Some(id), Some(before)) = (pick(*at), pick(*before)) else { return };
            if package.move_section(id, Some(before)) {
                let to = ids.iter().filter(|&&other| other != id).position(|&other| other == before).unwrap();
                writeln!(batch, "reorder {NAME}.@[{}]={to}", place(id)).unwrap();
            }
        }
    }
}

/// Type, name and options of a section.
type Values = (String, Option<String>, BTreeMap<String, Vec<String>>);

/// The values without the order of options, in which `uci set` and an edit in place differ.
fn values(export: &[u8]) -> Vec<Values> {
    let package = Package::parse(NAME, export);
    assert_eq!(package.problems(), []);
    let section = |section: uci::Section<'_>| {
        let options = section.options().map(|(name, value)| {
            let value = match value {
                OptionValue::Text(text) => vec!["text".to_owned(), text.to_owned()],
                OptionValue::List(items) => ["list"].into_iter().chain(items).map(str::to_owned).collect(),
            };
            (name.to_owned(), value)
        });
        (section.kind().to_owned(), section.name().map(str::to_owned), options.collect())
    };
    package.sections().map(section).collect()
}

#[test]
fn edits_give_what_the_same_edits_with_uci_give() {
    let strategy = (wild_file(), proptest::collection::vec(edit(), 1..8));
    against_uci(150, strategy, |router, (file, edits)| {
        let path = router.config().join(NAME);
        let mut package = Package::parse(NAME, file.as_bytes());
        prop_assume!(package.problems().is_empty());
        // What libuci makes of two sections that share a name is not to be imitated.
        prop_assume!(!file.contains("cfg"));

        fs::write(&path, &file).unwrap();
        let mut batch = String::new();
        for edit in &edits {
            make(&mut package, edit, &mut batch);
        }
        batch.push_str("commit\n");
        router.batch(&batch);
        let theirs = router.export(&[], NAME).expect("uci reads what it wrote");

        fs::write(&path, &file).unwrap();
        uci::commit(&router.config(), &mut [&mut package]).unwrap();
        prop_assert!(!package.is_changed());
        let ours = router.export(&[], NAME);
        prop_assert!(ours.is_some(), "uci refuses {:?}", package);
        prop_assert_eq!(text(Some(export(&package))), text(ours.clone()));
        prop_assert_eq!(values(&ours.unwrap()), values(&theirs), "{:?} {}", edits, batch);
        Ok(())
    });
}

#[test]
fn what_is_not_edited_stays_byte_for_byte() {
    let strategy = (wild_file(), 0..100_usize, value());
    against_uci(200, strategy, |_, (file, at, value)| {
        let mut package = Package::parse(NAME, file.as_bytes());
        prop_assume!(package.problems().is_empty() && package.sections().count() > 0);
        let id = package.sections().nth(at % package.sections().count()).unwrap().id();
        // A new option adds its line and nothing else, except that a shared or open line before it is ended.
        let changed = package.set(id, "brand_new", &value).unwrap();
        prop_assert_eq!(changed, !value.is_empty());
        let after = String::from_utf8(package.to_bytes()).unwrap();
        let line = format!("\toption brand_new '{}'\n", value.replace('\'', "'\\''"));
        if changed && !file.contains(';') && !file.ends_with('\\') {
            let rest = after.replacen(&line, "", 1);
            prop_assert!([&file, &(file.clone() + "\n")].contains(&&rest), "{:?} {:?}", after, file);
        }
        package.remove(id, "brand_new");
        if !file.contains(';') && !file.ends_with('\\') {
            let back = String::from_utf8(package.to_bytes()).unwrap();
            prop_assert!([&file, &(file.clone() + "\n")].contains(&&back), "{:?} {:?}", back, file);
        }
        Ok(())
    });
}

/// `uci set` and `uci commit` in processes of their own against our commits: every change of ours is there in the end, and every one of theirs
/// that was not lost before we came; the file is whole at any moment.
#[test]
fn both_kinds_of_writer_at_once_lose_nothing_and_tear_nothing() {
    const ROUNDS: u32 = 60;
    let Some(program) = real_uci() else { return };
    let router = Router::new(program);
    let config = router.config();
    let filler = "\toption filler 'as long as a few pages, so that a torn file would be seen'\n".repeat(200);
    fs::write(config.join(NAME), format!("config counter 'ours'\nconfig counter 'theirs'\nconfig end 'end'\n{filler}"))
        .unwrap();

    let stop = AtomicBool::new(false);
    let done = AtomicU32::new(0);
    let (ours, theirs) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| {
            let mut count = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                count += 1;
                let ok = router.batch(&format!(
                    "set {NAME}.theirs.n{count}={count}\nset {NAME}.theirs.count={count}\ncommit {NAME}\n"
                ));
                assert!(ok, "uci fails");
            }
            count
        });
        let reader = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let package = uci::load(&config, NAME).unwrap();
                assert_eq!(package.problems(), []);
                assert!(package.find("end").is_some_and(|end| end.get("filler").is_some()), "torn");
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
        let finish = Finish(&stop);
        let mut again = 0;
        for round in 1..=ROUNDS {
            loop {
                let mut package = uci::load(&config, NAME).unwrap();
                let id = package.find("ours").unwrap().id();
                for earlier in 1..round {
                    let kept = package.section(id).unwrap().get(&format!("n{earlier}")).is_some();
                    assert!(kept, "our change {earlier} is lost in round {round}");
                }
                package.set(id, &format!("n{round}"), "x").unwrap();
                match uci::commit(&config, &mut [&mut package]) {
                    Ok(()) => break,
                    Err(CommitError::Changed(_)) => again += 1,
                    Err(error) => panic!("{error}"),
                }
                assert!(again < 10_000, "no progress");
            }
        }
        drop(finish);
        reader.join().unwrap();
        (ROUNDS, theirs.join().unwrap())
    });
    let package = uci::load(&config, NAME).unwrap();
    for (name, count) in [("ours", ours), ("theirs", theirs)] {
        let section = package.find(name).unwrap();
        for n in 1..=count {
            assert!(section.get(&format!("n{n}")).is_some(), "change {n} of {name} is lost");
        }
    }
    assert!(theirs > 1 && done.load(Ordering::Relaxed) > 1, "{theirs}");
    let left: Vec<_> = names(&config).into_iter().filter(|name| name != NAME).collect();
    assert_eq!(left, Vec::<String>::new());
}

/// Ends the others also when this side fails.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn pending_changes_of_others_stay_pending() {
    let Some(program) = real_uci() else { return };
    let router = Router::new(program);
    fs::write(router.config().join(NAME), "config a 's'\n\toption x '1'\n").unwrap();
    assert!(router.batch(&format!("set {NAME}.s.x=2\n")));
    let mut package = uci::load(&router.config(), NAME).unwrap();
    let id = package.find("s").unwrap().id();
    assert_eq!(package.section(id).unwrap().get("x"), Some("1"));
    package.set(id, "y", "3").unwrap();
    uci::commit(&router.config(), &mut [&mut package]).unwrap();
    assert_eq!(
        fs::read_to_string(router.config().join(NAME)).unwrap(),
        "config a 's'\n\toption x '1'\n\toption y '3'\n"
    );
    assert!(router.batch(&format!("commit {NAME}\n")));
    let package = uci::load(&router.config(), NAME).unwrap();
    let section = package.find("s").unwrap();
    assert_eq!((section.get("x"), section.get("y")), (Some("2"), Some("3")));
}

fn names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
