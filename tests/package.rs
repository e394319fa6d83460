//! Packages: the Makefile for OpenWrt's build system, run with a stub of its includes, and the .ipk that is made without it, installed, upgraded and
//! removed in a root of OpenWrt.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/openwrt.rs"]
mod openwrt;
#[allow(dead_code)]
#[path = "common/peers.rs"]
mod peers;
#[path = "common/uci_tool.rs"]
#[allow(dead_code, reason = "of the tools, one is needed here")]
mod uci_tool;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use openwrt::OpenWrt;
use peers::installed;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `rules.mk` gives to a package, as far as this one uses it.
const RULES: &str = "INCLUDE_DIR:=$(TOPDIR)/include
INSTALL_DIR:=install -d -m0755
INSTALL_BIN:=install -m0755
INSTALL_DATA:=install -m0644
INSTALL_CONF:=install -m0600
CP:=cp -fpR
-include $(TOPDIR)/.config
";

/// What `package.mk` makes of a package: of its variant the program is built and installed, and its fields are written down.
const PACKAGE: &str = "PKG_BUILD_DIR:=$(TOPDIR)/build_dir/$(if $(BUILD_VARIANT),$(PKG_NAME)-$(BUILD_VARIANT)/)$(PKG_NAME)-$(PKG_VERSION)
PKG_INSTALL_DIR:=$(PKG_BUILD_DIR)/ipkg-install
MAKE_PATH:=.
SOURCE:=package/cwmpd

all:
built:
\t$(Build/Prepare)
\t$(Build/Compile)

define BuildPackage
  SECTION:=
  CATEGORY:=
  TITLE:=
  DEPENDS:=
  VARIANT:=
  PROVIDES:=
  CONFLICTS:=
  MENU:=
  DEFAULT_VARIANT:=
  $(eval $(Package/$(1)))
  ifeq ($(BUILD_VARIANT),$(VARIANT))
    all: package-$(1)
    package-$(1): built
\tmkdir -p $(TOPDIR)/out/$(1)/root
\t$(call Package/$(1)/install,$(TOPDIR)/out/$(1)/root)
\tprintf '%s\\n' 'title=$(TITLE)' 'section=$(SECTION)' 'category=$(CATEGORY)' 'depends=$(DEPENDS)' 'provides=$(PROVIDES)' 'conflicts=$(CONFLICTS)' \\
\t\t'conffiles=$(strip $(Package/$(1)/conffiles))' 'config=$(strip $(Package/$(1)/config))' 'description=$(strip $(Package/$(1)/description))' \\
\t\t'rebuild=$(strip $(PKG_CONFIG_DEPENDS))' >$(TOPDIR)/out/$(1)/fields
  endif
endef
";

/// What rust-package.mk makes of it: `cargo install`, which is a stub on the path.
const RUST: &str = "RUST_ARCH_DEPENDS:=@(aarch64||arm||i386||mips||mipsel||riscv64||x86_64)
CARGO_PKG_PROFILE:=release
CARGO_PKG_ARGS=--locked
define Build/Compile/Cargo
\tcargo install -v --profile $(CARGO_PKG_PROFILE) $(if $(strip $(RUST_PKG_FEATURES)),--features \"$(strip $(RUST_PKG_FEATURES))\") \\
\t\t--root $(PKG_INSTALL_DIR) --path \"$(PKG_BUILD_DIR)/$(strip $(MAKE_PATH))\" $(CARGO_PKG_ARGS)
endef
define RustBinPackage
  ifndef Package/$(1)/install
    $$(error $(1) has no install)
  endif
endef
Build/Compile=$(call Build/Compile/Cargo)
";

const CARGO: &str = "#!/bin/sh
printf '%s\\n' \"$@\" >\"$TOPDIR/cargo.log\"
while [ $# -gt 0 ]; do
\tcase $1 in
\t--root) root=$2 ;;
\t--path)
\t\t[ -f \"$2/Cargo.lock\" ] && [ -f \"$2/src/main.rs\" ] || exit 1
\t\tfor part in $(sed -n 's/.*{ path = \"\\(.*\\)\" }.*/\\1/p' \"$2/Cargo.toml\"); do [ -f \"$2/$part/Cargo.toml\" ] || exit 1; done ;;
\tesac
\tshift
done
mkdir -p \"$root/bin\" && echo program >\"$root/bin/cwmpd\"
";

/// What OpenWrt's build system made of a variant.
struct Built {
    directory: TempDir,
    package: &'static str,
}

/// Builds a variant with these lines of `.config`; `None` where there is no GNU make.
fn build(variant: &str, package: &'static str, config: &str) -> Option<Built> {
    let directory = tempfile::tempdir().unwrap();
    let top = directory.path();
    let write = |path: &str, text: &str| {
        let path = top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    };
    write("rules.mk", RULES);
    write("include/package.mk", PACKAGE);
    write("feeds/packages/lang/rust/rust-package.mk", RUST);
    write(".config", config);
    let cargo = write("bin/cargo", CARGO);
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", top.join("bin").display(), std::env::var("PATH").unwrap());
    let mut make = Command::new("make");
    make.args(["--no-print-directory", "--warn-undefined-variables", "-f"])
        .arg(OpenWrt::source("openwrt-package/Makefile"));
    make.arg(format!("TOPDIR={}", top.display())).arg(format!("BUILD_VARIANT={variant}"));
    make.arg(format!("CWMPD_SOURCE={}", env!("CARGO_MANIFEST_DIR")));
    make.current_dir(top).env("PATH", path).env("TOPDIR", top).env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    if !installed("make") {
        return None;
    }
    let made = make.output().unwrap();
    assert!(
        made.status.success(),
        "{}{}",
        String::from_utf8_lossy(&made.stdout),
        String::from_utf8_lossy(&made.stderr)
    );
    Some(Built { directory, package })
}

impl Built {
    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join("out").join(self.package).join(path)
    }

    fn field(&self, name: &str) -> String {
        let fields = fs::read_to_string(self.at("fields")).unwrap();
        let line = fields.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.unwrap_or_else(|| panic!("no {name} in {fields}")).trim().to_owned()
    }

    /// The arguments of cargo.
    fn cargo(&self) -> Vec<String> {
        fs::read_to_string(self.directory.path().join("cargo.log")).unwrap().lines().map(str::to_owned).collect()
    }

    /// The cargo features, sorted.
    fn features(&self) -> Vec<String> {
        let cargo = self.cargo();
        let place = cargo.iter().position(|argument| argument == "--features");
        let mut features: Vec<_> =
            place.map(|at| cargo[at + 1].split_whitespace().map(str::to_owned).collect()).unwrap_or_default();
        features.sort();
        features
    }
}

/// The files beneath a directory with their modes.
fn tree(directory: &Path) -> BTreeSet<(String, u32)> {
    fn walk(top: &Path, directory: &Path, found: &mut BTreeSet<(String, u32)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                walk(top, &path, found);
            } else {
                let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o777;
                found.insert((path.strip_prefix(top).unwrap().to_str().unwrap().to_owned(), mode));
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(directory, directory, &mut found);
    found
}

/// What a package has to bring: all of `files`, and the program.
fn wanted() -> BTreeSet<(String, u32)> {
    let mut wanted: BTreeSet<_> = tree(&OpenWrt::source("files"))
        .into_iter()
        .map(|(path, mode)| {
            let mode = match path.as_str() {
                "etc/config/cwmpd" => 0o600,
                _ if mode & 0o100 != 0 => 0o755,
                _ => 0o644,
            };
            (path, mode)
        })
        .collect();
    wanted.insert(("usr/sbin/cwmpd".into(), 0o755));
    wanted
}

/// The features that Cargo.toml has by default.
fn default_features() -> Vec<String> {
    let manifest = fs::read_to_string(OpenWrt::source("Cargo.toml")).unwrap();
    let list = manifest.split("default = [").nth(1).unwrap().split(']').next().unwrap();
    let mut features: Vec<_> = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    features.sort();
    features
}

/// The options of the menu.
fn options() -> Vec<String> {
    let menu = fs::read_to_string(OpenWrt::source("openwrt-package/Config.in")).unwrap();
    menu.lines().filter_map(|line| line.strip_prefix("config ")).map(str::to_owned).collect()
}

#[test]
fn the_full_package_has_what_the_menu_says() {
    let all: String = options().iter().map(|option| format!("CONFIG_{option}=y\n")).collect();
    let Some(built) = build("full", "cwmpd", &all) else { return };
    assert_eq!(built.features(), default_features());
    let cargo = built.cargo();
    for argument in ["--locked", "--no-default-features"] {
        assert!(cargo.iter().any(|known| known == argument), "{cargo:?}");
    }
    assert_eq!(tree(&built.at("root")), wanted());
    assert!(built.field("depends").starts_with("@(aarch64||arm"));
    for part in ["+ubus", "+uci", "+CWMPD_TLS:ca-bundle"] {
        assert!(built.field("depends").split_whitespace().any(|depend| depend == part), "{}", built.field("depends"));
    }
    assert_eq!((built.field("section"), built.field("category")), ("net".into(), "Network".into()));
    assert_eq!((built.field("provides"), built.field("conflicts")), ("cwmp-agent".into(), String::new()));
    assert_eq!(built.field("conffiles"), "/etc/config/cwmpd /etc/cwmpd/");
    assert_eq!(built.field("config"), "source \"package/cwmpd/Config.in\"");
    // Another choice in the menu is another build.
    let rebuild: Vec<String> = options().iter().map(|option| format!("CONFIG_{option}")).collect();
    assert_eq!(built.field("rebuild").split_whitespace().collect::<Vec<_>>(), rebuild);

    let Some(some) = build("full", "cwmpd", "CONFIG_CWMPD_TLS=y\nCONFIG_CWMPD_BULK_DATA=y\n") else { return };
    assert_eq!(some.features(), ["bulk-data", "ring"]);
}

#[test]
fn the_mini_package_has_no_options() {
    let Some(built) = build("mini", "cwmpd-mini", "CONFIG_CWMPD_TLS=y\nCONFIG_CWMPD_STUN=y\n") else { return };
    assert!(built.features().is_empty(), "{:?}", built.features());
    assert!(built.cargo().contains(&"--no-default-features".into()));
    // Without the hooks of features that it does not have.
    let hooks = ["etc/uci-defaults/96-", "etc/udhcpc.user.d/", "etc/odhcp6c.user.d/", "usr/lib/cwmpd/"];
    let is_hook = |path: &str| hooks.iter().any(|hook| path.starts_with(hook));
    let mini: BTreeSet<_> = wanted().into_iter().filter(|(path, _)| !is_hook(path)).collect();
    assert!(mini.len() < wanted().len());
    assert_eq!(tree(&built.at("root")), mini);
    assert_eq!(built.field("title"), "TR-069 (CWMP) agent without https and optional parts");
    assert!(!built.field("depends").contains("ca-bundle"), "{}", built.field("depends"));
    assert_eq!((built.field("provides"), built.field("conflicts")), ("cwmpd cwmp-agent".into(), "cwmpd".into()));
    assert_eq!(built.field("conffiles"), "/etc/config/cwmpd /etc/cwmpd/");
    // The other variant is left alone.
    assert!(!built.directory.path().join("out/cwmpd").exists());
}

#[test]
fn each_option_of_the_menu_is_on_and_explained() {
    let menu = fs::read_to_string(OpenWrt::source("openwrt-package/Config.in")).unwrap();
    assert!(menu.starts_with("if PACKAGE_cwmpd\n") && menu.ends_with("\nendif\n"));
    for entry in menu.split("\nconfig ").skip(1) {
        let name = entry.lines().next().unwrap();
        assert!(entry.contains("\n\tbool \"") && entry.contains("\n\tdefault y\n"), "{name}");
    }
    assert_eq!(options().len(), default_features().len());
}

// The .ipk.

const ARCH: &str = "example_24kc";

/// Makes an .ipk with this program and this version in a directory.
fn ipk(directory: &Path, program: &str, version: &str) -> PathBuf {
    let binary = directory.join("program");
    fs::write(&binary, program).unwrap();
    let mut command = Command::new(OpenWrt::source("openwrt-package/ipk.sh"));
    let made = command
        .arg(&binary)
        .args([ARCH, version])
        .arg(directory)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    PathBuf::from(String::from_utf8(made.stdout).unwrap().trim())
}

/// A router with opkg for [`ARCH`], where services are only recorded.
fn router() -> Option<OpenWrt> {
    let router = OpenWrt::new(&[])?;
    router.ok("mkdir -p /etc/rc.d");
    Some(router)
}

/// Copies a package into the router's /tmp and runs opkg; gives what it says on standard error.
fn opkg(router: &OpenWrt, command: &str, what: &str) -> String {
    let output = router.sh(&format!("OPKG_ARCH={ARCH} PROCD_RECORDS_ONLY=1 opkg {command} {what}"));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    errors
}

fn install(router: &OpenWrt, package: &Path) -> String {
    fs::copy(package, router.at("/tmp/package.ipk")).unwrap();
    opkg(router, "install", "/tmp/package.ipk")
}

#[test]
fn the_same_input_makes_the_same_package() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (ipk(one.path(), "program", "1.0-1"), ipk(other.path(), "program", "1.0-1"));
    assert_eq!(first.file_name().unwrap().to_str().unwrap(), format!("cwmpd_1.0-1_{ARCH}.ipk"));
    assert_eq!(fs::read(first).unwrap(), fs::read(second).unwrap());
    let wrong =
        Command::new(OpenWrt::source("openwrt-package/ipk.sh")).args(["/bin/true", "../x", "1"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn the_package_is_installed_upgraded_and_removed() {
    let Some(router) = router() else { return };
    let directory = tempfile::tempdir().unwrap();
    let before = tree(router.path());
    assert_eq!(install(&router, &ipk(directory.path(), "#!/bin/sh\necho one\n", "0.9-1")), "");

    // All is there, what runs once has run, and the service is enabled and started.
    let installed = tree(router.path());
    for (path, mode) in wanted().into_iter().filter(|(path, _)| !path.starts_with("etc/uci-defaults/")) {
        assert!(installed.contains(&(path.clone(), mode)), "{path} {mode:o}");
    }
    assert!(!router.at("/etc/uci-defaults/95-cwmpd").exists());
    assert!(router.at("/etc/rc.d/S96cwmpd").exists());
    assert!(router.read("/tmp/procd.log").contains("procd_set_param command /usr/sbin/cwmpd run"));
    assert_eq!(router.ok("cwmpd"), "one\n");
    assert_eq!(router.at("/etc/cwmpd").metadata().unwrap().permissions().mode() & 0o777, 0o700);

    // An upgrade after the configuration was changed: it stays, with the new one beside it.
    router.ok("uci set cwmpd.acs.url=http://acs.example/; uci commit cwmpd; rm /etc/rc.d/S96cwmpd; echo state >/etc/cwmpd/state.json");
    let changed = router.read("/etc/config/cwmpd");
    let said = install(&router, &ipk(directory.path(), "#!/bin/sh\necho two\n", VERSION));
    assert!(said.contains("/etc/config/cwmpd-opkg"), "{said}");
    assert_eq!(router.read("/etc/config/cwmpd"), changed);
    assert_eq!(
        router.read("/etc/config/cwmpd-opkg"),
        fs::read_to_string(OpenWrt::source("files/etc/config/cwmpd")).unwrap()
    );
    assert_eq!((router.ok("cwmpd"), router.read("/etc/cwmpd/state.json")), ("two\n".into(), "state\n".into()));
    assert!(!router.at("/etc/rc.d/S96cwmpd").exists(), "what the user has disabled stays so");
    assert!(router.read("/tmp/procd.log").contains("procd_kill cwmpd"));

    // Removed: nothing is left but what was changed, and what the agent has kept.
    opkg(&router, "remove", "cwmpd");
    let left: Vec<_> = tree(router.path()).difference(&before).map(|(path, _)| path.clone()).collect();
    let left: Vec<_> = left.into_iter().filter(|path| !path.starts_with("tmp/")).collect();
    assert_eq!(left, ["etc/config/cwmpd", "etc/config/cwmpd-opkg", "etc/cwmpd/state.json"]);
}

#[test]
fn an_unchanged_configuration_is_replaced_and_removed() {
    let Some(router) = router() else { return };
    let directory = tempfile::tempdir().unwrap();
    let before = tree(router.path());
    install(&router, &ipk(directory.path(), "one", "0.9-1"));
    assert_eq!(install(&router, &ipk(directory.path(), "two", "1.0-1")), "");
    opkg(&router, "remove", "cwmpd");
    let left: Vec<_> = tree(router.path()).difference(&before).map(|(path, _)| path.clone()).collect();
    assert!(left.iter().all(|path| path.starts_with("tmp/")), "{left:?}");
    assert!(!router.at("/etc/rc.d/S96cwmpd").exists() && !router.at("/etc/rc.d/K10cwmpd").exists());
}

/// When an image is made, the scripts run on the machine that makes it, for a directory.
#[test]
fn in_an_image_the_scripts_touch_nothing_but_it() {
    let Some(router) = router() else { return };
    let directory = tempfile::tempdir().unwrap();
    let package = ipk(directory.path(), "program", "1.0-1");
    fs::copy(package, router.at("/tmp/package.ipk")).unwrap();
    router.ok(
        "mkdir -p /image /tmp/u; cp -R /etc /lib /image/; rm -rf /image/etc/rc.d; mkdir -p /image/etc/rc.d /image/usr/lib/opkg/info; cd /tmp/u
        tar -xzf ../package.ipk; tar -xzf data.tar.gz -C /image; tar -xzf control.tar.gz; tar -tzf data.tar.gz | sed -n 's/^\\.//; /[^/]$/p' \
        >/image/usr/lib/opkg/info/cwmpd.list; cp postinst /image/usr/lib/opkg/info/cwmpd.postinst",
    );
    let before = tree(router.path());
    router.ok("IPKG_INSTROOT=/image sh /image/usr/lib/opkg/info/cwmpd.postinst configure");
    assert!(router.at("/image/etc/uci-defaults/95-cwmpd").exists(), "it runs at the first boot");
    let outside: Vec<_> = tree(router.path()).difference(&before).map(|(path, _)| path.clone()).collect();
    assert!(outside.iter().all(|path| path.starts_with("image/")), "{outside:?}");
    assert!(!router.at("/tmp/procd.log").exists());
}

#[test]
fn a_package_for_another_machine_is_refused() {
    let Some(router) = router() else { return };
    let directory = tempfile::tempdir().unwrap();
    fs::copy(ipk(directory.path(), "program", "1.0-1"), router.at("/tmp/package.ipk")).unwrap();
    let refused = router.sh("OPKG_ARCH=other opkg install /tmp/package.ipk");
    assert!(!refused.status.success());
    assert!(!router.at("/usr/sbin/cwmpd").exists());
}
