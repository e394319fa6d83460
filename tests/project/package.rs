//! What a package says of itself.

use super::{files, path, read};

/// The value of a line such as `version = "0.1.0"` in the first section of Cargo.toml.
fn field(name: &str) -> String {
    let manifest = read("Cargo.toml");
    let package = manifest.split("\n[features]").next().unwrap_or_default();
    let start = format!("{name} = ");
    let line = package.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("Cargo.toml has no {name}")).trim_matches('"').to_owned()
}

#[test]
fn the_manifest_is_complete() {
    assert_eq!(field("name"), "cwmpd");
    assert_eq!(field("license"), "MIT");
    assert_eq!(field("edition"), "2024");
    assert_eq!(field("rust-version"), "1.85");
    assert!(!field("description").is_empty());
    assert!(read("clippy.toml").contains("msrv = \"1.85\""));
    assert!(read("LICENSE").starts_with("MIT License"));
}

#[test]
fn the_release_is_the_same_everywhere() {
    let version = field("version");
    assert!(read("CHANGELOG.md").contains(&format!("## [{version}]")));
    assert!(read("openwrt-package/Makefile").contains(&format!("\nPKG_VERSION:={version}\n")));
}

/// What runs as a program can be run.
#[test]
fn scripts_are_executable() {
    use std::os::unix::fs::PermissionsExt;
    for file in files("") {
        let Ok(text) = std::fs::read_to_string(path(&file)) else { continue };
        if text.starts_with("#!") && !text.starts_with("#![") {
            let mode = path(&file).metadata().unwrap().permissions().mode();
            assert!(mode & 0o111 != 0, "{file} is not executable");
        }
    }
}
