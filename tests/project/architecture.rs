//! Which part of the library knows which, and what none of them does.

use super::{files, path, read, sources};

/// For each module of `src` the modules that it may import; itself, `error`, `json` and `sorted` are free.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("json", &[]),
    ("sorted", &[]),
    ("time", &[]),
    ("url", &[]),
    ("xml", &[]),
    ("dns", &[]),
    ("platform", &["time"]),
    ("config", &["platform", "url"]),
    ("state", &["platform"]),
    ("soap", &["xml", "time"]),
    ("auth", &["platform", "time"]),
    ("model", &["platform", "time"]),
    ("device", &["model", "platform", "time", "url"]),
    ("cwmp", &["soap", "model", "auth", "xml", "time"]),
    ("bulk_data", &["soap", "time"]),
    ("statistics", &["time"]),
    ("acs", &["soap", "auth", "platform", "time", "url"]),
    ("connreq", &["auth", "dns", "platform", "xml", "time"]),
    ("transfer", &["acs", "cwmp", "soap", "model", "auth", "state", "config", "platform", "time"]),
    ("diagnostics", &["dns", "acs", "config", "platform", "time"]),
    (
        "daemon",
        &[
            "dns",
            "diagnostics",
            "transfer",
            "bulk_data",
            "statistics",
            "acs",
            "connreq",
            "cwmp",
            "soap",
            "model",
            "device",
            "auth",
            "state",
            "config",
            "platform",
            "time",
        ],
    ),
    ("cli", &["daemon", "diagnostics", "device", "acs", "config", "model", "platform"]),
];

/// Modules that touch nothing outside: time and randomness come in, bytes go out.
const FREE_OF_IO: &[&str] =
    &["url", "xml", "dns", "soap", "cwmp", "auth", "model", "bulk_data", "statistics", "connreq/udp"];

/// What would be IO.
const IO: &[&str] = &[
    "std::fs",
    "std::process",
    "std::thread",
    "std::env",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "ToSocketAddrs",
    "SystemTime",
    "Instant::now",
    "getrandom",
    "nix::",
];

/// A file longer than this is two ideas.
const LONGEST: usize = 800;

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for (file, text) in sources(&["src"]) {
        let module = module(&file);
        if matches!(module, "lib" | "main") {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{file}: say in this test what {module} may import"));
            continue;
        };
        for (number, line) in code(&text) {
            for rest in line.split("crate::").skip(1) {
                let other = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
                if other != module && !matches!(other, "error" | "json" | "sorted") && !allowed.contains(&other) {
                    wrong.push(format!("{file}:{number}: {module} imports {other}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table itself has no way back up.
#[test]
fn no_module_is_above_itself() {
    for (place, (module, allowed)) in MAY_IMPORT.iter().enumerate() {
        for other in *allowed {
            let below = MAY_IMPORT.iter().position(|(name, _)| name == other);
            assert!(below.is_some_and(|below| below < place), "{module} imports {other}, which is not before it");
        }
    }
}

#[test]
fn protocol_and_model_are_free_of_io() {
    let mut wrong = Vec::new();
    for (file, text) in sources(&["src"]) {
        if !FREE_OF_IO.iter().any(|part| module(&file) == *part || file.starts_with(&format!("src/{part}/")))
            || is_test_file(&file)
        {
            continue;
        }
        for (number, line) in code(before_tests(&text)) {
            for io in IO.iter().filter(|io| line.contains(**io)) {
                wrong.push(format!("{file}:{number}: {io}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let lines = |file: &str| read(file).lines().count();
    let long = files("src").into_iter().filter(|file| lines(file) > LONGEST);
    assert_eq!(long.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn nothing_is_unsafe() {
    for root in ["src/lib.rs", "src/main.rs"] {
        assert!(read(root).contains("#![forbid(unsafe_code)]"), "{root}");
    }
    assert!(read("Cargo.toml").contains("[lints.rust]\nunsafe_code = \"forbid\""));
}

/// Paths of one machine mean nothing on another.
#[test]
fn no_path_of_one_machine() {
    let marks = [concat!("/wo", "rk/"), concat!("/ho", "me/")];
    for file in files("") {
        let Ok(text) = std::fs::read_to_string(path(&file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            assert!(!marks.iter().any(|mark| line.contains(mark)), "{file}:{}: {line}", number + 1);
        }
    }
}

/// `src/soap/decode/units.rs` is of `soap`.
fn module(file: &str) -> &str {
    let file = file.strip_prefix("src/").unwrap_or(file);
    file.split(['/', '.']).next().unwrap_or_default()
}

fn is_test_file(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// A file down to its tests.
fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// The lines that are no comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}
