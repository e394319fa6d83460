//! The configuration that is shipped: every option explained, nothing that the agent does not know, nothing but defaults.

use std::collections::BTreeSet;

use cwmpd::config::{Config, PACKAGE};
use cwmpd::platform::uci::Package;

use super::read;

const SHIPPED: &str = "files/etc/config/cwmpd";

#[test]
fn the_shipped_configuration_is_right_and_says_nothing_but_defaults() {
    let (config, problems) = Config::from_package(&Package::parse(PACKAGE, read(SHIPPED).as_bytes()));
    assert_eq!(problems, []);
    assert_eq!(config, Config::default());
}

/// Someone takes all the comment marks away.
#[test]
fn the_options_in_comments_are_right_too() {
    let text =
        read(SHIPPED).replace("\t#option ", "\toption ").replace("\t#list ", "\tlist ").replace("#config ", "config ");
    let (config, problems) = Config::from_package(&Package::parse(PACKAGE, text.as_bytes()));
    assert_eq!(problems, []);
    assert_eq!(config.acs.periodic_interval, Config::default().acs.periodic_interval);
    assert_eq!(config.notify.len(), 1);
}

#[test]
fn every_option_is_in_the_shipped_configuration_and_in_the_readme() {
    let code = read("src/config.rs");
    let known: BTreeSet<&str> = code
        .split("(from, \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .chain(["parameter", "notification"])
        .collect();
    assert!(known.len() > 35, "only {} options were found", known.len());
    let (shipped, readme) = (read(SHIPPED), read("README.md"));
    for option in known {
        let is_there = ["option", "list"].iter().any(|word| shipped.contains(&format!("{word} {option} ")));
        assert!(is_there, "{SHIPPED} does not explain {option}");
        assert!(readme.contains(&format!("`{option}`")), "README.md does not explain {option}");
    }
}
