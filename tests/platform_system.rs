//! The system beneath a root, on the sample router: files, programs, power, clocks, interfaces, identity and settings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/root.rs"]
mod root;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use cwmpd::config::{self, Compression, Config, CwmpVersion, Notify};
use cwmpd::platform::clock::{ClockCheck, boot_id};
use cwmpd::platform::identity::{Identity, Overrides};
use cwmpd::platform::live::Live;
use cwmpd::platform::net::interface_state;
use cwmpd::platform::power::{self, Action};
use cwmpd::platform::ubus::UbusError;
use cwmpd::platform::{Program, System};
use log::LevelFilter;
use root::RouterRoot;
use serde_json::json;

fn router() -> (RouterRoot, Live) {
    let root = RouterRoot::new();
    let live = Live::new(root.path()).unwrap();
    (root, live)
}

#[test]
fn files_are_those_of_the_root() {
    let (root, live) = router();
    assert!(live.read_file("/etc/resolv.conf", 1000).unwrap().starts_with(b"search lan"));
    assert_eq!(live.read_file("/var/dhcp.leases", 10_000).unwrap(), root.read("/tmp/dhcp.leases").into_bytes());
    assert_eq!(live.read_file("/proc/device-tree/serial-number", 100).unwrap(), b"EX30002407000123\0");
    assert_eq!(live.read_link("/sys/class/net/lan1/master").unwrap(), "../br-lan");
    assert_eq!(live.read_file("/sys/class/net/lan1/master/address", 100).unwrap(), b"00:00:5e:00:53:00\n");
    assert_eq!(live.list_dir("/sys/class/leds").unwrap(), ["blue:wlan", "green:power", "green:wan"]);
    assert!(live.file_info("/etc").unwrap().directory);
    assert_eq!(live.file_info("/etc/board.json").unwrap().size, root.read("/etc/board.json").len() as u64);
    assert_eq!(live.read_file("/etc/../../etc/passwd", 1000).unwrap_err().kind(), ErrorKind::InvalidInput);

    live.write_value("/sys/class/leds/green:power/brightness", b"0").unwrap();
    assert_eq!(root.read("/sys/class/leds/green:power/brightness"), "0");
    assert_eq!(live.write_value("/sys/class/leds/none/brightness", b"0").unwrap_err().kind(), ErrorKind::NotFound);
    live.replace_file("/etc/cwmpd.upgrading", 0o600, b"1").unwrap();
    assert_eq!(root.read("/etc/cwmpd.upgrading"), "1");
}

#[test]
fn programs_are_those_of_the_root_and_are_counted() {
    let (root, live) = router();
    let program = |argv| Program { argv, input: b"", deadline: Duration::from_secs(20), limit: 1000 };
    assert_eq!(live.run(&program(&["/etc/init.d/dnsmasq", "a b", "$(x)"])).unwrap().status, Some(0));
    assert_eq!(root.calls(), ["/etc/init.d/dnsmasq a b $(x)"]);
    assert!(live.run(&program(&["/bin/sh", "-c", "true"])).is_err());
    assert_eq!(live.started(), 1);
    assert_eq!(live.ubus_call("system", "board", &json!({})).unwrap()["board_name"], "example,ax3000");
    assert_eq!(live.started(), 2);
    root.remove_ubus();
    assert_eq!(live.ubus_call("system", "board", &json!({})), Err(UbusError::Absent));
    assert_eq!(live.started(), 2);
}

#[test]
fn packages_are_those_of_the_root() {
    let (_root, live) = router();
    let wireless = live.load_package("wireless").unwrap();
    assert_eq!(wireless.find("default_radio0").unwrap().get("ssid"), Some("OpenWrt"));
    for name in ["network", "wireless", "dhcp", "firewall", "system", "cwmpd", "dropbear", "uhttpd"] {
        assert_eq!(live.load_package(name).unwrap().problems(), [], "{name}");
    }
}

#[test]
fn several_packages_are_committed_and_comments_stay() {
    let (root, live) = router();
    let (mut wireless, mut firewall) = (live.load_package("wireless").unwrap(), live.load_package("firewall").unwrap());
    let section = wireless.find("kids").unwrap().id();
    wireless.set(section, "ssid", "It's ours").unwrap();
    let section = firewall.find("game").unwrap().id();
    firewall.set(section, "enabled", "1").unwrap();
    let comment = "# Spare network for the children, off for now.";
    live.commit_packages(&mut [&mut wireless, &mut firewall]).unwrap();
    assert!(root.read("/etc/config/wireless").contains(comment));
    assert_eq!(live.load_package("wireless").unwrap().find("kids").unwrap().get("ssid"), Some("It's ours"));
    assert_eq!(live.load_package("firewall").unwrap().find("game").unwrap().get("enabled"), Some("1"));
}

#[test]
fn a_reboot_and_a_factory_reset_call_their_programs() {
    let (root, live) = router();
    power::reboot(&live).unwrap();
    assert_eq!(root.calls(), ["/sbin/reboot"]);
    root.clear_calls();
    assert!(power::can_factory_reset(&live));
    power::factory_reset(&live, &|| assert_eq!(root.calls(), ["/sbin/firstboot -y"])).unwrap();
    assert_eq!(root.calls(), ["/sbin/firstboot -y", "/sbin/reboot"]);
}

#[test]
fn a_router_without_a_way_back_refuses_a_factory_reset() {
    let (root, live) = router();
    root.write_recorder("/sbin/firstboot", "echo 'no rootfs_data' >&2; exit 1");
    let erased = Cell::new(false);
    let error = power::factory_reset(&live, &|| erased.set(true)).unwrap_err().to_string();
    assert_eq!(error, "/sbin/firstboot -y ended with status 1: no rootfs_data");
    assert_eq!(root.calls(), ["/sbin/firstboot -y"]);
    root.remove("/sbin/firstboot");
    root.clear_calls();
    assert!(!power::can_factory_reset(&live));
    power::factory_reset(&live, &|| erased.set(true)).unwrap_err();
    assert!(!erased.get(), "the settings are still there");
    assert_eq!(root.calls(), Vec::<String>::new());
}

#[test]
fn changes_come_into_effect_once() {
    let (root, live) = router();
    power::apply(&live, &["dhcp", "firewall"]).unwrap();
    assert_eq!(root.calls(), ["/sbin/reload_config"]);
    root.clear_calls();
    // Nothing tells ddns-scripts of a change.
    root.write_recorder("/etc/init.d/ddns", "");
    power::apply(&live, &["ddns", "dhcp"]).unwrap();
    assert_eq!(root.calls(), ["/sbin/reload_config", "/etc/init.d/ddns restart"]);
    root.clear_calls();
    root.remove("/sbin/reload_config");
    root.remove("/etc/init.d/odhcpd");
    power::apply(&live, &["dhcp", "wireless", "system", "sqm", "unknown"]).unwrap();
    let calls: Vec<&str> =
        "/etc/init.d/dnsmasq reload|/sbin/wifi reload|/etc/init.d/system reload|/etc/init.d/sysntpd restart|\
                            /etc/init.d/log restart|/etc/init.d/led restart|/etc/init.d/sqm reload"
            .split('|')
            .collect();
    assert_eq!(root.calls(), calls);
    root.clear_calls();
    power::service(&live, "network", Action::Restart).unwrap();
    assert_eq!(root.calls(), ["/etc/init.d/network restart"]);
    for name in ["", "../../sbin/reboot", "a b", "/sbin/reboot"] {
        assert!(power::service(&live, name, Action::Reload).is_err(), "{name}");
    }
}

/// CONFORMANCE S-04 stands on this.
#[test]
fn s04_a_boot_is_told_from_a_restart_of_the_daemon() {
    let (root, live) = router();
    let first = boot_id(&live).unwrap();
    assert_eq!(boot_id(&live), Some(first.clone()));
    root.reboot();
    assert_ne!(boot_id(&live).unwrap(), first);
    root.remove("/proc/sys/kernel/random/boot_id");
    assert_eq!(boot_id(&live), None);
}

#[test]
fn the_clock_is_known_when_nothing_is_newer() {
    let (root, live) = router();
    let now = live.wall_clock();
    assert!(ClockCheck::new(&live, None).is_known(now + Duration::from_secs(1)));
    assert!(!ClockCheck::new(&live, None).is_known(SystemTime::UNIX_EPOCH + Duration::from_secs(100)));
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!(!ClockCheck::new(&live, Some(seconds + 1000)).is_known(now));
    assert_eq!(
        ClockCheck::new(&live, Some(seconds + 1000)).earliest(),
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds + 1000)
    );
    root.write("/etc/cwmpd/deep/file", "");
    let file = std::fs::File::open(root.at("/etc/cwmpd/deep/file")).unwrap();
    file.set_modified(now + Duration::from_secs(5000)).unwrap();
    assert!(!ClockCheck::new(&live, None).is_known(now + Duration::from_secs(4000)));
    assert!(ClockCheck::new(&live, None).is_known(now + Duration::from_secs(5000)));
    assert!(live.monotonic() > Duration::ZERO);
}

#[test]
fn a_clock_that_was_ahead_is_believed_when_it_is_set_back() {
    const YEARS: u64 = 10 * 365 * 86_400;
    let (_root, live) = router();
    let now = live.wall_clock();
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let at = |ahead: u64| now + Duration::from_secs(ahead);
    let ahead = ClockCheck::new(&live, Some(seconds + YEARS));
    assert!(!ahead.is_known(at(60)));
    let corrected = ahead.set_back(at(YEARS + 60), at(60)).unwrap();
    assert!(corrected.is_known(at(60)) && !corrected.is_known(at(30)));
    // A clock that was not known before, one that is set to before this release, one that goes on or is set forward, and a small correction.
    assert_eq!(ahead.set_back(at(YEARS - 60), at(60)), None);
    assert_eq!(ahead.set_back(at(YEARS + 60), SystemTime::UNIX_EPOCH + Duration::from_secs(100)), None);
    assert_eq!(ahead.set_back(at(YEARS + 60), at(YEARS + 60)), None);
    assert_eq!(ahead.set_back(at(YEARS + 60), at(2 * YEARS)), None);
    assert_eq!(ahead.set_back(at(YEARS + 61), at(YEARS + 60)), None);
}

#[test]
fn an_interface_is_found_with_ubus_and_without() {
    let (root, live) = router();
    let addresses = |name: &str| -> Vec<String> {
        interface_state(&live, name).addresses.iter().map(ToString::to_string).collect()
    };
    let wan = interface_state(&live, "wan");
    assert_eq!((wan.up, wan.device.as_deref(), wan.uptime), (true, Some("wan"), Some(86352)));
    assert_eq!(addresses("wan"), ["198.51.100.23"]);
    assert_eq!(addresses("lan"), ["192.168.1.1", "2001:db8:1200::1", "fd12:3456:789a::1"]);
    assert_eq!(addresses("wan6"), ["2001:db8:64::15a"]);
    // A device of the kernel, which netifd does not know as an interface.
    assert!(addresses("lo").contains(&"127.0.0.1".to_owned()));

    root.remove_ubus();
    assert_eq!(addresses("lan")[..1], ["192.168.1.1"]);
    assert_eq!(addresses("guest")[..1], ["192.168.3.1"]);
    assert!(addresses("loopback").contains(&"127.0.0.1".to_owned()));
    assert!(interface_state(&live, "loopback").up);
    assert_eq!(interface_state(&live, "wan").device.as_deref(), Some("wan"));
    root.replace("/etc/config/network", "option device 'wan'", "option ifname 'no-such-dev'");
    assert!(!interface_state(&live, "wan").up);
    root.remove("/etc/config/network");
    assert_eq!(interface_state(&live, "wan"), cwmpd::platform::net::InterfaceState::default());
}

/// CONFORMANCE I-01: lengths, and the form of the OUI.
#[test]
fn i01_the_device_says_who_it_is() {
    let (root, live) = router();
    let found = Identity::discover(&live, &Overrides::default());
    let wanted = Identity {
        manufacturer: "Example Networks".to_owned(),
        manufacturer_oui: "00005E".to_owned(),
        product_class: "example,ax3000".to_owned(),
        serial_number: "EX30002407000123".to_owned(),
        hardware_version: "v1.2".to_owned(),
        software_version: "24.10.2-r28739-d9340319c6".to_owned(),
        model_name: "Example AX3000".to_owned(),
        model_number: "example,ax3000".to_owned(),
        description: "OpenWrt 24.10.2 r28739-d9340319c6".to_owned(),
    };
    assert_eq!(found, wanted);
    assert_eq!(live.started(), 0);

    let overrides = Overrides {
        manufacturer: "x".repeat(80),
        manufacturer_oui: "00aabb".to_owned(),
        serial_number: " S1\u{7}\n ".to_owned(),
        description: "é".repeat(300),
        ..Overrides::default()
    };
    let found = Identity::discover(&live, &overrides);
    assert_eq!(
        (found.manufacturer.len(), found.manufacturer_oui.as_str(), found.serial_number.as_str()),
        (64, "00AABB", "S1")
    );
    assert_eq!(found.description.chars().count(), 256);

    // The bare minimum: only the kernel's devices are left.
    for path in ["/etc/board.json", "/etc/openwrt_release", "/etc/os-release", "/etc/device_info", "/proc/device-tree"]
    {
        root.remove(path);
    }
    let found = Identity::discover(&live, &Overrides::default());
    assert_eq!((found.manufacturer_oui.as_str(), found.serial_number.as_str()), ("00005E", "00005E005300"));
    assert_eq!(
        (found.manufacturer.as_str(), found.hardware_version.as_str(), found.product_class.as_str()),
        ("OpenWrt", "1.0", "")
    );
    root.remove("/sys/class/net");
    let found = Identity::discover(&live, &Overrides::default());
    assert_eq!((found.manufacturer_oui.as_str(), found.serial_number.as_str()), ("00005E", "00005E005302"));
    root.remove("/sys/class/ieee80211");
    let found = Identity::discover(&live, &Overrides::default());
    assert_eq!((found.manufacturer_oui.as_str(), found.serial_number.as_str()), ("000000", ""));
}

/// CONFORMANCE T-17
#[test]
fn t17_the_user_name_auto_is_the_unique_name() {
    let (root, live) = router();
    root.write("/etc/config/cwmpd", "config acs 'acs'\n\toption username 'auto'\n");
    let (config, problems) = Config::load(&live);
    assert_eq!(problems, []);
    let mut identity = Identity::discover(&live, &config.device);
    assert_eq!(config.acs_username(&identity), "00005E-example%2Cax3000-EX30002407000123");
    identity.product_class.clear();
    identity.serial_number = "a-b_c ü".to_owned();
    assert_eq!(config.acs_username(&identity), "00005E-a%2Db_c%20%C3%BC");
    root.write("/etc/config/cwmpd", "config acs 'acs'\n\toption username ''\n");
    assert_eq!(Config::load(&live).0.acs_username(&identity), "");
}

#[test]
fn every_setting_has_its_default() {
    let (root, live) = router();
    assert_eq!(Config::load(&live), (Config::default(), Vec::new()));
    root.remove("/etc/config/cwmpd");
    assert_eq!(Config::load(&live).0, Config::default());
    let Config { acs, cpe, .. } = Config::default();
    assert_eq!((acs.url.as_str(), acs.periodic_enable, acs.periodic_interval), ("", true, 3600));
    assert_eq!(
        (acs.periodic_time.as_str(), acs.retry_min_wait, acs.retry_multiplier),
        ("0001-01-01T00:00:00Z", 5, 2000)
    );
    assert_eq!(
        (acs.ca_file.as_str(), acs.verify, acs.dhcp_discovery),
        ("/etc/ssl/certs/ca-certificates.crt", true, true)
    );
    assert_eq!((acs.http_timeout, acs.basic_over_http, acs.max_envelope), (30, true, 1_048_576));
    assert_eq!((acs.compression, acs.cwmp_version), (Compression::None, CwmpVersion(4)));
    assert_eq!(
        (cpe.enable, cpe.interface.as_str(), cpe.listen_address.as_str(), cpe.listen_port),
        (true, "wan", "", 7547)
    );
    assert_eq!((cpe.start_delay, cpe.state_dir.as_str(), cpe.rollback_timeout), (0, "/etc/cwmpd", 0));
    assert!(cpe.keep_settings);
    assert_eq!(cpe.log_level, config::parse_log_level("notice").unwrap());
}

#[test]
fn every_setting_is_read() {
    let (root, live) = router();
    root.write(
        "/etc/config/cwmpd",
        "config acs 'acs'
	option url 'https://[2001:db8::1]:7547/acs'
	option username 'user'
	option password 'hush hush'
	option periodic_enable 'off'
	option periodic_interval '86400'
	option periodic_time '2025-01-01T04:30:00Z'
	option retry_min_wait '60'
	option retry_multiplier '1500'
	option ca_file '/etc/cwmpd/ca.pem'
	option client_cert '/etc/cwmpd/cert.pem'
	option client_key '/etc/cwmpd/key.pem'
	option verify 'no'
	option dhcp_discovery 'disabled'
	option http_timeout '45'
	option basic_over_http 'false'
	option max_envelope '65536'
	option compression 'gzip'
	option cwmp_version '1.2'
config cpe 'cpe'
	option enable '0'
	option interface 'lan'
	option listen_address '::1'
	option listen_port '17547'
	option path '/secret/path'
	option username 'cr'
	option password 'cr hush'
	option start_delay '300'
	option provisioning_code 'TLCO.GRP2'
	option state_dir '/overlay/cwmpd'
	option rollback_timeout '120'
	option keep_settings '0'
	option log_level 'debug'
config device 'device'
	option serial_number 'S1'
config inform 'inform'
	list parameter 'Device.A'
	list parameter 'Device.B'
config notify
	option parameter 'Device.WiFi.'
	option notification 'active'
config notify
	option parameter 'Device.X'
	option notification 'passive_lightweight'
",
    );
    let (config, problems) = Config::load(&live);
    assert_eq!(problems, []);
    assert_eq!(config.acs.url, "https://[2001:db8::1]:7547/acs");
    assert_eq!(config.acs.password.0, "hush hush");
    assert!(
        !config.acs.periodic_enable && !config.acs.verify && !config.acs.dhcp_discovery && !config.acs.basic_over_http
    );
    assert_eq!((config.acs.periodic_interval, config.acs.http_timeout, config.acs.max_envelope), (86400, 45, 65536));
    assert_eq!((config.acs.compression, config.acs.cwmp_version), (Compression::Gzip, CwmpVersion(2)));
    assert_eq!((config.cpe.enable, config.cpe.listen_port, config.cpe.path.as_str()), (false, 17547, "secret/path"));
    assert_eq!(
        (config.cpe.log_level, config.cpe.rollback_timeout, config.cpe.start_delay),
        (LevelFilter::Debug, 120, 300)
    );
    assert!(!config.cpe.keep_settings);
    assert_eq!(config.device.serial_number, "S1");
    assert_eq!(config.inform, ["Device.A", "Device.B"]);
    let notify = |parameter: &str, notification| Notify { parameter: parameter.to_owned(), notification };
    assert_eq!(config.notify, [notify("Device.WiFi.", 2), notify("Device.X", 3)]);
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn a_bad_setting_is_named_and_has_its_default() {
    let (root, live) = router();
    for (option, value) in [
        ("acs.url", "ftp://acs.example"),
        ("acs.url", "http://"),
        ("acs.url", "http://user:hush@acs.example/"),
        ("acs.url", "http://acs.example/a b"),
        ("acs.url", "http://acs.example:70000/"),
        ("acs.periodic_interval", "0"),
        ("acs.periodic_interval", "4294967296"),
        ("acs.periodic_interval", "-5"),
        ("acs.periodic_time", "yesterday"),
        ("acs.periodic_time", "2025-01-01T00:00:00.Z"),
        ("acs.retry_min_wait", "0"),
        ("acs.retry_multiplier", "999"),
        ("acs.ca_file", "ca.pem"),
        ("acs.verify", "perhaps"),
        // The data model, the init script and the script for DHCP would take these for the default.
        ("acs.periodic_enable", "Off"),
        ("cpe.enable", "False"),
        ("cpe.jail", "perhaps"),
        ("acs.compression", "GZIP"),
        ("acs.http_timeout", "ages"),
        ("acs.max_envelope", "1"),
        ("acs.compression", "brotli"),
        ("acs.cwmp_version", "1.5"),
        ("acs.cwmp_version", "2"),
        ("cpe.listen_port", "0"),
        ("cpe.listen_port", "65536"),
        ("cpe.listen_address", "router.lan"),
        ("cpe.path", "with space"),
        ("cpe.state_dir", "/"),
        ("cpe.state_dir", "/etc/../x"),
        ("cpe.log_level", "loud"),
        ("device.manufacturer_oui", "00005G"),
        ("device.manufacturer_oui", "00005EA"),
    ] {
        let (section, name) = option.split_once('.').unwrap();
        root.write("/etc/config/cwmpd", format!("config {section} '{section}'\n\toption {name} '{value}'\n"));
        let (config, problems) = Config::load(&live);
        assert_eq!(config, Config::default(), "{option} {value}");
        let told: String = problems.iter().map(ToString::to_string).collect();
        assert!(told.contains(option), "{option} {value}: {told}");
        // What follows the first word may be another option, whose quotes were forgotten.
        let shown = value.split(' ').next().unwrap();
        assert!(told.contains(shown) || value.contains('@'), "{option} {value}: {told}");
        assert!(!told.contains("hush"), "{told}");
    }
}

#[test]
fn sections_are_known_by_their_names() {
    let (root, live) = router();
    // What the model writes into `acs` would hide the first section, and with it the ACS.
    root.write(
        "/etc/config/cwmpd",
        "config acs 'isp'
	option url 'http://acs.example/'

config cpe
	option listen_port '17547'

config notfy
	option parameter 'Device.X'

# What goes with each Inform.
config inform 'inform'
	list parameter 'Device.A'

config notify
	option notification 'active'

config notify
",
    );
    let (config, problems) = Config::load(&live);
    assert_eq!(config, Config { inform: vec!["Device.A".to_owned()], ..Config::default() });
    let lines: Vec<_> = problems.iter().map(|problem| (problem.line, problem.warning)).collect();
    assert_eq!(lines, [1, 4, 7, 14, 17].map(|line| (Some(line), false)), "{problems:?}");
}

#[test]
fn all_problems_are_told_at_once() {
    let (root, live) = router();
    root.write(
        "/etc/config/cwmpd",
        "config acs 'acs'
	option url 'http://acs.example/'
	option http_timeout '5'
	option urll 'x'
	option verify 'maybe'
	optoin nonsense
config notify
	option parameter 'Device.X'
",
    );
    let (config, problems) = Config::load(&live);
    assert_eq!((config.acs.url.as_str(), config.acs.http_timeout, config.acs.verify), ("http://acs.example/", 5, true));
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for word in [
        "cwmpd:6:",
        "cwmpd:3: warning: acs.http_timeout",
        "cwmpd:4: acs.urll",
        "cwmpd:5: the value 'maybe' of acs.verify",
        "cwmpd:8: a section of type notify",
    ] {
        assert_eq!(told.iter().filter(|line| line.contains(word)).count(), 1, "{word}: {told:#?}");
    }
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), 5);
}
