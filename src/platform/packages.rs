//! The databases of the package managers of OpenWrt: opkg up to 24.10, apk (version 3) from 25.12 on. Pure text in, packages out.

use super::System;

use crate::sorted::Map;

/// The status file of opkg, and the directory with the description and the files of each package.
pub const OPKG_STATUS: &str = "/usr/lib/opkg/status";
/// See [`OPKG_STATUS`].
pub const OPKG_INFO: &str = "/usr/lib/opkg/info";
/// The database of apk.
pub const APK_INSTALLED: &str = "/lib/apk/db/installed";
/// Where an init script lies.
pub const INIT: &str = "/etc/init.d/";

/// A package manager.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manager {
    /// `/bin/opkg`
    Opkg,
    /// `/usr/bin/apk`
    Apk,
}

impl Manager {
    /// The package manager of this router, if it has one.
    pub fn of(system: &dyn System) -> Option<Self> {
        [Self::Apk, Self::Opkg].into_iter().find(|manager| system.file_info(manager.program()).is_ok())
    }

    /// Its program.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Opkg => "/bin/opkg",
            Self::Apk => "/usr/bin/apk",
        }
    }
}

/// An installed package.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The first line of its description; with opkg it is in a file of its own.
    pub description: String,
    /// Who keeps it; with opkg it is in a file of its own.
    pub maintainer: String,
    /// The router does not work without it.
    pub essential: bool,
    /// The names of its init scripts; with opkg they are in a file of their own.
    pub scripts: Vec<String>,
}

/// The installed packages of opkg's status file, by name.
#[must_use]
pub fn opkg_installed(status: &str) -> Map<String, Package> {
    let mut all = Vec::new();
    for paragraph in status.split("\n\n") {
        let fields = fields(paragraph);
        let field = |name: &str| fields.get(name).copied().unwrap_or_default();
        // `install user installed`: wanted, flags, what it is.
        let installed = field("Status").split_whitespace().nth(2) == Some("installed");
        if !installed || !is_name(field("Package")) {
            continue;
        }
        let package = Package {
            name: String::from(field("Package")),
            version: String::from(field("Version")),
            essential: field("Essential") == "yes",
            ..Package::default()
        };
        all.push((package.name.clone(), package));
    }
    all.into_iter().collect()
}

/// The packages in opkg's status file that are not there only because others need them.
#[must_use]
pub fn opkg_asked_for(status: &str) -> Vec<String> {
    let paragraphs = status.split("\n\n").map(fields);
    let asked_for = paragraphs.filter(|fields| fields.get("Auto-Installed").copied() != Some("yes"));
    asked_for.filter_map(|fields| fields.get("Package").map(|name| String::from(*name))).collect()
}

/// The packages in apk's list of what is to stay installed. One that came as a file has a checksum behind its name.
#[must_use]
pub fn apk_asked_for(world: &str) -> Vec<String> {
    let name = |line: &str| line.split(['<', '>', '=', '~', '@']).next().map(|name| String::from(name.trim()));
    world.lines().filter_map(name).collect()
}

/// Adds what opkg's control file says of a package.
pub fn opkg_control(package: &mut Package, control: &str) {
    let fields = fields(control);
    let field = |name: &str| fields.get(name).map(|text| String::from(*text)).unwrap_or_default();
    package.description = field("Description");
    package.maintainer = field("Maintainer");
}

/// The init scripts in a list of files.
#[must_use]
pub fn scripts(list: &str) -> Vec<String> {
    let names = list.lines().filter_map(|line| line.trim().strip_prefix(INIT));
    names.filter(|name| is_name(name)).map(String::from).collect()
}

/// The installed packages of apk's database, by name.
#[must_use]
pub fn apk_installed(database: &str) -> Map<String, Package> {
    let mut all = Vec::new();
    for paragraph in database.split("\n\n") {
        let mut package = Package::default();
        let mut directory = "";
        for line in paragraph.lines() {
            let Some((letter, value)) = line.split_once(':') else { continue };
            match letter {
                "P" => package.name = String::from(value),
                "V" => package.version = String::from(value),
                "T" => package.description = String::from(value),
                "m" => package.maintainer = String::from(value),
                "F" => directory = value,
                "R" if directory == "etc/init.d" && is_name(value) => package.scripts.push(String::from(value)),
                _ => {}
            }
        }
        if is_name(&package.name) {
            all.push((package.name.clone(), package));
        }
    }
    all.into_iter().collect()
}

/// Whether a text can be the name of a package or of a service: nothing that an argument list, a path or a package manager takes for something else.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    first && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
}

/// `Name: value` lines; what goes on in the next line is left out.
fn fields(paragraph: &str) -> Map<&str, &str> {
    let lines = paragraph.lines().filter(|line| !line.starts_with([' ', '\t']));
    lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_opkg() {
        let status = "Package: libc\nVersion: 1.2.5-r4\nDepends: libgcc1\nStatus: install hold installed\nEssential: yes\nArchitecture: mipsel_24kc\n\n\
            Package: sqm-scripts\nVersion: 1.6.0-2\nStatus: install user installed\nConffiles:\n /etc/config/sqm 0123\nInstalled-Time: 1719000000\n\n\
            Package: gone\nVersion: 1\nStatus: deinstall ok not-installed\n\nPackage: ../odd\nStatus: install ok installed\n\nrubbish\n";
        let all = opkg_installed(status);
        assert_eq!(all.keys()[..], ["libc", "sqm-scripts"]);
        let essential: Vec<bool> = all.values().iter().map(|package| package.essential).collect();
        assert_eq!(essential, [true, false]);
        let mut sqm = all.get("sqm-scripts").unwrap().clone();
        opkg_control(
            &mut sqm,
            "Package: sqm-scripts\nMaintainer: A <a@example.org>\nDescription:  Shaping\n of traffic\n",
        );
        assert_eq!((sqm.description.as_str(), sqm.maintainer.as_str()), ("Shaping", "A <a@example.org>"));
        assert_eq!(scripts("/etc/config/sqm\n/etc/init.d/sqm\n/etc/init.d/../x\n/usr/lib/sqm/run.sh\n"), ["sqm"]);
    }

    #[test]
    fn what_was_asked_for_and_what_came_along() {
        let status = "Package: alpha\nVersion: 1\nStatus: install user installed\nAuto-Installed: yes\n\n\
            Package: sqm\nVersion: 1\nStatus: install user installed\n\nrubbish\n";
        assert_eq!(opkg_asked_for(status), ["sqm"]);
        assert_eq!(apk_asked_for("dropbear\nsqm><Q1abc=\nluci=1.2\n"), ["dropbear", "sqm", "luci"]);
    }

    #[test]
    fn packages_of_apk() {
        let database = "C:Q1abc=\nP:dropbear\nV:2025.88-r1\nA:x86_64\nT:Small SSH server\nm:Nobody <n@example.org>\nF:etc/config\nR:dropbear\nF:etc/init.d\nR:dropbear\na:0:0:755\nZ:Q1x\n\nP:bad name\nV:1\n\n";
        let all = apk_installed(database);
        assert_eq!(all.keys()[..], ["dropbear"]);
        let dropbear = all.get("dropbear").unwrap();
        assert_eq!(dropbear.version, "2025.88-r1");
        assert_eq!(dropbear.scripts, ["dropbear"]);
    }

    #[test]
    fn names_that_could_be_something_else() {
        for good in ["libc", "kmod-usb3", "libstdcpp6", "gcc-c++", "lua5.1"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-y", "../x", "a b", "a;b", "a/b", ".hidden", "é"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
