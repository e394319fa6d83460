//! The scripts of the package in busybox' shell: the init script with recorded calls of procd, hotplug, and the way from other agents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/openwrt.rs"]
mod openwrt;
#[path = "common/uci_tool.rs"]
#[allow(dead_code, reason = "of the tools, one is needed here")]
mod uci_tool;

use std::os::unix::fs::PermissionsExt;

use cwmpd::config::{Compression, Config, CwmpVersion};
use cwmpd::platform::uci::Package;
use log::LevelFilter;
use openwrt::OpenWrt;

const MIGRATE: &str = "94-cwmpd-migrate";

/// A password with all that a shell, UCI and XML could stumble over.
const ODD: &str = r#"  a'b"c\d $HOME `id` #x;&|<>*? e\'f '' ü "#;

/// The configuration of the agent as it reads it; nothing is wrong with it.
fn config(router: &OpenWrt) -> Config {
    let (config, problems) =
        Config::from_package(&Package::parse("cwmpd", router.read("/etc/config/cwmpd").as_bytes()));
    assert_eq!(problems, []);
    config
}

/// A router with the configuration of another agent, whose service is enabled.
fn router(package: &str, service: &str, text: &str) -> Option<OpenWrt> {
    let router = OpenWrt::with_files()?;
    router.write(&format!("/etc/config/{package}"), text);
    let script = format!("/etc/init.d/{service}");
    router.write(&script, "#!/bin/sh\nexec /sbin/recorder \"$0\" \"$@\"\n");
    router.ok(&format!("chmod 755 {script}; ln -s ../init.d/{service} /etc/rc.d/S95{service}"));
    Some(router)
}

/// As UCI writes a value.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// The lines of `uci show` that say something of an agent, with the sections by their names.
fn show(router: &OpenWrt) -> String {
    router.ok("uci show cwmpd")
}

#[test]
fn icwmp_is_taken_over_with_all_its_settings() {
    let text = format!(
        "config acs 'acs'\n\toption userid '#$OUI-$SER'\n\toption passwd {}\n\toption url 'https://acs.example.com:7547/path?a=b'\n\
         \toption periodic_inform_enable 'true'\n\toption periodic_inform_interval '1800'\n\
         \toption periodic_inform_time '2024-05-01T12:00:00Z'\n\toption dhcp_discovery 'disable'\n\
         \toption ssl_capath \"/etc/acs-certs\"\n\toption insecure_enable '1'\n\toption compression 'GZIP'\n\
         \toption retry_min_wait_interval '7'\n\toption retry_interval_multiplier '3000'\n\toption skip_dhcp_boot_options '0'\n\n\
         config cpe 'cpe'\n\toption enable '1'\n\toption default_wan_interface 'lan'\n\toption interface 'eth0.1'\n\
         \toption log_severity 'DEBUG'\n\toption userid 'iopsys'\n\toption passwd 'it''s'\n\toption port '8547'\n\
         \toption path '/tr069'\n\toption provisioning_code 'TLCO.GRP2'\n\toption amd_version '3'\n\
         \toption instance_mode 'InstanceNumber'\n\toption session_timeout '60'\n\
         \toption manufacturer 'ABC Ltd.'\n\toption manufacturer_oui '00005E'\n\toption product_class 'TEST CLASS'\n\
         \toption serial_number '1234567890'\n\toption software_version 'X.Y.Z'\n\toption model_name 'MODELXXX'\n\
         \toption description 'This is a test device'\n\nconfig lwn 'lwn'\n\toption enable '1'\n",
        quoted(ODD)
    );
    let Some(router) = router("cwmp", "icwmpd", &text) else { return };
    router.write("/etc/acs-certs/ca-certificates.crt", "");
    router.defaults(MIGRATE);
    let config = config(&router);
    let acs = &config.acs;
    assert_eq!(acs.url, "https://acs.example.com:7547/path?a=b");
    assert_eq!(acs.username, "#$OUI-$SER");
    assert_eq!(acs.password.0, ODD);
    assert!(acs.periodic_enable && !acs.dhcp_discovery && !acs.verify);
    assert_eq!((acs.periodic_interval, acs.periodic_time.as_str()), (1800, "2024-05-01T12:00:00Z"));
    assert_eq!((acs.retry_min_wait, acs.retry_multiplier), (7, 3000));
    assert_eq!(acs.ca_file, "/etc/acs-certs/ca-certificates.crt");
    assert_eq!((acs.compression, acs.cwmp_version), (Compression::Gzip, CwmpVersion(2)));
    let cpe = &config.cpe;
    assert_eq!((cpe.interface.as_str(), cpe.listen_port, cpe.path.as_str()), ("lan", 8547, "tr069"));
    assert_eq!((cpe.username.as_str(), cpe.password.0.as_str()), ("iopsys", "its"));
    assert_eq!((cpe.provisioning_code.as_str(), cpe.log_level), ("TLCO.GRP2", LevelFilter::Debug));
    let device = &config.device;
    assert_eq!((device.manufacturer.as_str(), device.manufacturer_oui.as_str()), ("ABC Ltd.", "00005E"));
    assert_eq!((device.product_class.as_str(), device.serial_number.as_str()), ("TEST CLASS", "1234567890"));
    assert_eq!((device.software_version.as_str(), device.description.as_str()), ("X.Y.Z", "This is a test device"));
    // The other agent is switched off, and its file is as it was.
    assert_eq!(router.read("/etc/config/cwmp"), text);
    let calls = router.calls();
    for action in ["disable", "stop"] {
        assert!(calls.contains(&format!("/sbin/recorder /etc/init.d/icwmpd {action}")), "{calls:?}");
    }
    // Nothing is left uncommitted, nothing secret in the log, and nobody else can read it.
    assert_eq!(router.ok("uci changes"), "");
    assert!(!calls.iter().any(|call| call.contains("HOME")), "{calls:?}");
    assert_eq!(router.at("/etc/config/cwmpd").metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn easycwmp_is_taken_over_from_its_anonymous_sections() {
    let text = format!(
        "# easycwmp uci configuration\n\nconfig local\n\toption enable '1'\n\toption interface br-lan\n\toption port 7548\n\
         \toption ubus_socket /var/run/ubus.sock\n\toption date_format %FT%T%z\n\toption username easycwmp\n\toption password {}\n\
         \toption provisioning_code 'a b'\n\toption logging_level '1'\n\toption authentication 'Basic'\n\nconfig acs\n\
         \toption url https://192.0.2.1:8443/openacs/acs\n\toption username easycwmp\n\toption password \"double 'quoted'\"\n\
         \toption parameter_key ''\n\toption periodic_enable '0'\n\toption periodic_interval '100'\n\
         \toption periodic_time '0001-01-01T00:00:00Z'\n\toption ssl_cert '/etc/easycwmp/device.pem'\n\
         \toption ssl_cacert '/etc/easycwmp/ca.pem'\n\toption ssl_verify 'enabled'\n\nconfig device\n\
         \toption manufacturer easycwmp\n\toption oui FFFFFF\n\toption product_class easycwmp\n\
         \toption serial_number FFFFFF123456\n\toption hardware_version example_hw_version\n\
         \toption software_version example_sw_version\n",
        quoted(ODD)
    );
    let Some(router) = router("easycwmp", "easycwmpd", &text) else { return };
    router.write("/etc/easycwmp/ca.pem", "");
    router.defaults(MIGRATE);
    let config = config(&router);
    assert_eq!(config.acs.url, "https://192.0.2.1:8443/openacs/acs");
    assert_eq!((config.acs.username.as_str(), config.acs.password.0.as_str()), ("easycwmp", "double 'quoted'"));
    assert!(!config.acs.periodic_enable && config.acs.verify);
    assert_eq!((config.acs.periodic_interval, config.acs.ca_file.as_str()), (100, "/etc/easycwmp/ca.pem"));
    assert_eq!(
        (config.acs.client_cert.as_str(), config.acs.client_key.as_str()),
        ("/etc/easycwmp/device.pem", "/etc/easycwmp/device.pem")
    );
    // The device is that of a logical interface.
    assert_eq!((config.cpe.interface.as_str(), config.cpe.listen_port), ("lan", 7548));
    assert_eq!((config.cpe.username.as_str(), config.cpe.password.0.as_str()), ("easycwmp", ODD));
    assert_eq!((config.cpe.provisioning_code.as_str(), config.cpe.log_level), ("a b", LevelFilter::Warn));
    let device = &config.device;
    assert_eq!((device.manufacturer_oui.as_str(), device.serial_number.as_str()), ("FFFFFF", "FFFFFF123456"));
    assert_eq!(device.hardware_version, "example_hw_version");
    assert_eq!(device.software_version, "", "that of the old image");
    assert!(router.calls().contains(&"/sbin/recorder /etc/init.d/easycwmpd disable".into()));
    assert_eq!(router.read("/etc/config/easycwmp"), text);
}

/// What is set, what is not, and in which form.
#[test]
fn odd_configurations_are_taken_as_far_as_they_go() {
    // The parts of a URL, as old releases had them; a certificate that was never looked at; an interface that is nowhere.
    let parts = "config local\n\toption interface eth7\n\nconfig acs\n\toption scheme https\n\toption username easycwmp\n\
                 \toption hostname  192.168.1.110 \n\toption port  8080 \n\toption path  /openacs/acs \n\toption periodic_interval 'soon'\n\
                 \toption ssl_cacert '/nowhere.pem'\n";
    if let Some(router) = router("easycwmp", "easycwmpd", parts) {
        router.defaults(MIGRATE);
        let config = config(&router);
        assert_eq!(config.acs.url, "https://192.168.1.110:8080/openacs/acs");
        assert!(!config.acs.verify);
        assert_eq!((config.acs.periodic_interval, config.cpe.interface.as_str()), (3600, "wan"));
        assert_eq!(config.acs.ca_file, Config::default().acs.ca_file);
        let said = router.calls().join("\n");
        assert!(said.contains("no interface is eth7") && said.contains("/nowhere.pem"), "{said}");
    }
    // Devices that netifd makes; and where the first name is no interface, the second may be.
    let url = "\toption url 'http://192.0.2.1/'\n";
    let easycwmp = |device: &str| format!("config acs\n{url}\nconfig local\n\toption interface '{device}'\n");
    let icwmp = format!(
        "config acs 'acs'\n{url}\nconfig cpe 'cpe'\n\toption default_wan_interface 'internet'\n\toption interface 'pppoe-dsl'\n"
    );
    for (package, service, text) in [
        ("easycwmp", "easycwmpd", easycwmp("pppoe-dsl")),
        ("easycwmp", "easycwmpd", easycwmp("br-dsl")),
        ("cwmp", "icwmpd", icwmp),
    ] {
        let Some(router) = router(package, service, &text) else { return };
        let dsl =
            "\nconfig interface 'dsl'\n\toption type 'bridge'\n\toption ifname 'eth0.7'\n\toption proto 'pppoe'\n";
        let network = router.read("/etc/config/network") + dsl;
        router.write("/etc/config/network", &network);
        router.defaults(MIGRATE);
        assert_eq!(config(&router).cpe.interface, "dsl", "{text}");
    }
    // Sections of another type with the right names, as icwmp once had them; no section `cpe`; only discovery.
    if let Some(router) =
        router("cwmp", "icwmpd", "config cwmp 'acs'\n\toption userid 'iopsys'\n\toption dhcp_discovery 'enable'\n")
    {
        router.defaults(MIGRATE);
        let config = config(&router);
        assert_eq!((config.acs.username.as_str(), config.acs.dhcp_discovery), ("iopsys", true));
        assert!(router.calls().iter().any(|call| call.ends_with("icwmpd disable")));
    }
    // Nothing that leads to an ACS: the other agent stays as it is.
    for text in ["", "config acs\n", "config acs 'acs'\n\toption userid 'iopsys'\n", "no configuration at all {\n"] {
        let Some(router) = router("cwmp", "icwmpd", text) else { return };
        let before = router.read("/etc/config/cwmpd");
        router.ok(&format!("cd /etc/uci-defaults; ( . ./{MIGRATE} ) 2>/dev/null"));
        assert_eq!(router.read("/etc/config/cwmpd"), before, "{text:?}");
        assert!(!router.calls().iter().any(|call| call.contains("disable")), "{text:?}");
        assert!(!router.at("/etc/cwmpd/migrated").exists());
    }
}

#[test]
fn what_is_set_stays_and_a_second_time_changes_nothing() {
    let text = "config acs 'acs'\n\toption url 'http://old.example/'\n\toption userid 'old'\n\toption passwd 'old'\n";
    // The agent has its ACS already.
    let Some(router) = router("cwmp", "icwmpd", text) else { return };
    router.ok("uci set cwmpd.acs.url=http://new.example/; uci commit cwmpd");
    let before = router.read("/etc/config/cwmpd");
    router.defaults(MIGRATE);
    assert_eq!(router.read("/etc/config/cwmpd"), before);
    assert!(router.calls().is_empty(), "{:?}", router.calls());

    // Something of its own is kept; what is missing comes from the other.
    let script = router.ok("cat /etc/uci-defaults/95-cwmpd >/dev/null; uci set cwmpd.acs.url=; uci set cwmpd.acs.username=mine; uci commit cwmpd");
    assert_eq!(script, "");
    let again = std::fs::read_to_string(OpenWrt::source("files/etc/uci-defaults/94-cwmpd-migrate")).unwrap();
    router.write("/etc/uci-defaults/94-cwmpd-migrate", &again);
    router.defaults(MIGRATE);
    let taken = show(&router);
    assert!(taken.contains("url='http://old.example/'") && taken.contains("username='mine'"), "{taken}");
    assert!(taken.contains("acs.password='old'"), "{taken}");

    // Again, as after each new image, even if the ACS was taken away since.
    let calls = router.calls().len();
    router.ok("uci set cwmpd.acs.url=; uci commit cwmpd");
    let before = router.read("/etc/config/cwmpd");
    router.write("/etc/uci-defaults/94-cwmpd-migrate", &again);
    router.defaults(MIGRATE);
    assert_eq!(router.read("/etc/config/cwmpd"), before);
    assert_eq!(router.calls().len(), calls);
}

#[test]
fn of_two_agents_the_one_in_use_is_taken() {
    let text = "config acs\n\toption url 'http://easy.example/'\n";
    let Some(router) = router("easycwmp", "easycwmpd", text) else { return };
    router.write("/etc/config/cwmp", "config acs 'acs'\n\toption url 'http://other.example/'\n");
    router.defaults(MIGRATE);
    assert_eq!(config(&router).acs.url, "http://easy.example/");
    assert_eq!(router.read("/etc/cwmpd/migrated"), "easycwmp\n");
}

#[test]
fn without_another_agent_nothing_happens() {
    let Some(router) = OpenWrt::with_files() else { return };
    let before = router.read("/etc/config/cwmpd");
    router.defaults(MIGRATE);
    assert_eq!(router.read("/etc/config/cwmpd"), before);
    router.defaults("95-cwmpd");
    assert_eq!(router.at("/etc/cwmpd").metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

/// The calls of procd that the init script makes.
fn procd(router: &OpenWrt, action: &str) -> Vec<String> {
    router.ok(&format!("rm -rf /tmp/procd /tmp/procd.log; PROCD_RECORDS_ONLY=1 /etc/init.d/cwmpd {action}"));
    router.read("/tmp/procd.log").lines().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn procd_is_told_all_that_it_has_to_know() {
    let Some(router) = OpenWrt::with_files() else { return };
    router.ok("uci set cwmpd.acs.password='top secret'; uci set cwmpd.cpe.password='also secret'; uci commit cwmpd");
    let calls = procd(&router, "boot");
    let told = |call: &str| assert!(calls.iter().any(|known| known == call), "{call} is not in {calls:#?}");
    told("procd_set_param command /usr/sbin/cwmpd run");
    told("procd_set_param respawn 3600 5 0");
    told("procd_set_param file /etc/config/cwmpd");
    told("procd_set_param reload_signal HUP");
    told("procd_add_reload_trigger cwmpd");
    told("procd_add_interface_trigger interface.* wan /etc/init.d/cwmpd wake");
    told("procd_set_config_changed firewall");
    assert!(!calls.iter().any(|call| call.contains("secret")), "{calls:#?}");
    assert!(!calls.iter().any(|call| call.contains("capabilities") || call.contains("no_new_privs")), "{calls:#?}");
    // The rule is in the data of the instance, and whole.
    let from = calls.iter().position(|call| call == "procd_open_data").unwrap();
    let to = calls.iter().position(|call| call == "procd_close_data").unwrap();
    let rule = |proto: &str| {
        [
            "json_add_object",
            "json_add_string type rule",
            "json_add_string name cwmpd connection requests",
            "json_add_string src wan",
            &format!("json_add_string proto {proto}"),
            "json_add_string dest_port 7547",
            "json_add_string target ACCEPT",
            "json_close_object",
        ]
        .map(str::to_owned)
    };
    let rules = [rule("tcp"), rule("udp")].concat();
    assert_eq!(calls[from + 2..to - 1], rules);
    assert_eq!((calls[from + 1].as_str(), calls[to - 1].as_str()), ("json_add_array firewall", "json_close_array"));
    assert!(calls.iter().position(|call| call == "procd_close_instance").unwrap() > to);
}

#[test]
fn the_firewall_follows_the_configuration() {
    let Some(router) = OpenWrt::with_files() else { return };
    let rule = |change: &str| {
        router.ok(&format!("{change}; uci commit"));
        procd(&router, "start").into_iter().filter(|call| call.starts_with("json_add_string")).collect::<Vec<_>>()
    };
    let has = |rule: &[String], line: &str| rule.iter().any(|call| call == line);
    let other = rule("uci set cwmpd.cpe.interface=lan; uci set cwmpd.cpe.listen_port=8000");
    assert!(has(&other, "json_add_string src lan") && has(&other, "json_add_string dest_port 8000"), "{other:?}");
    assert!(rule("uci set cwmpd.cpe.interface=nowhere").is_empty());
    let list = rule("uci set cwmpd.cpe.interface=wan6");
    assert!(has(&list, "json_add_string src wan"), "{list:?}");
    assert!(rule("uci set cwmpd.cpe.enable=0").is_empty());
    router.ok("uci set cwmpd.cpe.enable=1; uci commit; mv /etc/config/firewall /tmp/");
    assert!(!procd(&router, "start").iter().any(|call| call.starts_with("json_add_string")));
    let jailed = {
        router.ok("uci set cwmpd.cpe.jail=1; uci commit");
        procd(&router, "start")
    };
    assert!(has(&jailed, "procd_add_jail cwmpd"), "{jailed:?}");
    assert!(has(&jailed, "procd_set_param capabilities /etc/capabilities/cwmpd.json"), "{jailed:?}");
    assert!(has(&jailed, "procd_set_param no_new_privs 1"), "{jailed:?}");
}

#[test]
fn the_agent_is_told_of_interfaces_and_of_the_clock() {
    let Some(router) = OpenWrt::with_files() else { return };
    assert_eq!(procd(&router, "wake").last().unwrap(), "procd_send_signal cwmpd * HUP");
    assert_eq!(procd(&router, "look").last().unwrap(), "procd_send_signal cwmpd * USR1");
    for (action, told) in [("step", true), ("stratum", true), ("unsync", true), ("periodic", false), ("", false)] {
        router.ok(&format!("rm -f /tmp/procd.log; ACTION={action} sh /etc/hotplug.d/ntp/95-cwmpd"));
        assert_eq!(router.read("/tmp/procd.log").contains("procd_send_signal cwmpd * USR1"), told, "{action}");
    }
}

/// What the capabilities take away is nothing that the kernel does not know, and each list says the same.
#[test]
fn the_capabilities_are_well_formed() {
    let text = std::fs::read_to_string(OpenWrt::source("files/etc/capabilities/cwmpd.json")).unwrap();
    let sets: serde_json::Value = serde_json::from_str(&text).unwrap();
    let set = |name: &str| sets[name].as_array().unwrap().clone();
    assert_eq!(set("bounding"), set("effective"));
    assert_eq!(set("bounding"), set("permitted"));
    assert!(set("ambient").is_empty() && set("inheritable").is_empty());
    let names: Vec<_> = set("bounding").iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    for name in ["CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_BOOT", "CAP_DAC_OVERRIDE"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    for name in ["CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_PTRACE"] {
        assert!(!names.iter().any(|known| known == name), "{name}");
    }
}

/// `/etc/init.d/done`, 95 too, moves the router from memory to its flash on a first boot, and lets go of the settings that an upgrade has kept.
#[test]
fn the_agent_starts_when_the_flash_is_there_for_good() {
    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/files/etc/init.d/cwmpd")).unwrap();
    let start = script.lines().find_map(|line| line.strip_prefix("START="));
    let link = format!("S{}cwmpd", start.unwrap());
    assert!(link.as_str() > "S95done", "{link}");
}
