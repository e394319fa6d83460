//! Wi-Fi on the sample router: what an ACS does with radios, SSIDs and access points, down to the text of UCI.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;
#[path = "common/uci_tool.rs"]
mod uci_tool;

use std::process::Command;

use cwmpd::error::FaultCode;
use model::Router;

const BAD_VALUE: FaultCode = FaultCode::INVALID_PARAMETER_VALUE;

/// The options of a section, as the real `uci` shows them without the package; our own reader where there is no such program.
fn section(router: &Router, name: &str) -> Vec<String> {
    let prefix = format!("wireless.{name}.");
    let Some(uci) = uci_tool::real_uci() else {
        let package = cwmpd::platform::uci::Package::parse("wireless", &router.files()["wireless"]);
        let found = package.find(name).map(|section| {
            section
                .options()
                .map(|(name, _)| {
                    format!(
                        "{name}={}",
                        section.list(name).iter().map(|item| format!("'{item}'")).collect::<Vec<_>>().join(" ")
                    )
                })
                .collect::<Vec<_>>()
        });
        return found.unwrap_or_default();
    };
    let saved = router.root.at("/tmp/uci-test");
    let output = Command::new(uci)
        .args(["-c".as_ref(), router.root.at("/etc/config").as_os_str(), "-t".as_ref(), saved.as_os_str()])
        .args(["show", "wireless"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_prefix(&prefix).map(String::from)).collect()
}

fn option(router: &Router, name: &str, option: &str) -> Option<String> {
    let prefix = format!("{option}=");
    section(router, name)
        .iter()
        .find_map(|line| line.strip_prefix(&prefix).map(|value| value.trim_matches('\'').into()))
}

fn radio(number: u32, name: &str) -> String {
    format!("Device.WiFi.Radio.{number}.{name}")
}

fn ssid(number: u32, name: &str) -> String {
    format!("Device.WiFi.SSID.{number}.{name}")
}

fn access_point(number: u32, name: &str) -> String {
    format!("Device.WiFi.AccessPoint.{number}.{name}")
}

fn security(number: u32, name: &str) -> String {
    format!("Device.WiFi.AccessPoint.{number}.Security.{name}")
}

/// Sets one value, and reads it back.
fn set(router: &Router, name: &str, value: &str) {
    router.set(&[(name, value)]).unwrap_or_else(|fault| panic!("{name}={value}: {fault} {:?}", fault.parameters));
    assert_eq!(router.get(name), value, "{name}");
}

fn refuse(router: &Router, values: &[(&str, &str)], blamed: &str) {
    assert_eq!(router.refused(values), [(blamed.to_owned(), BAD_VALUE)], "{values:?}");
}

#[test]
fn radios_show_the_configuration_and_what_the_driver_says() {
    let router = Router::new();
    for (name, value) in [
        ("Enable", "true"),
        ("Status", "Up"),
        ("Name", "radio1"),
        ("SupportedFrequencyBands", "5GHz"),
        ("OperatingFrequencyBand", "5GHz"),
        ("SupportedStandards", "a,n,ac,ax"),
        ("OperatingStandards", "a,n,ac,ax"),
        ("PossibleChannels", "36,40,44,48,52,56,60,64,100,104,108,112,116,120,124,128,132,136,140"),
        ("Channel", "36"),
        ("AutoChannelEnable", "true"),
        ("OperatingChannelBandwidth", "80MHz"),
        ("SupportedOperatingChannelBandwidths", "20MHz,40MHz,80MHz,160MHz,Auto"),
        ("TransmitPower", "50"),
        ("RegulatoryDomain", "DE "),
        ("IEEE80211hSupported", "true"),
        ("Stats.BytesSent", "3600000012"),
        ("Stats.Noise", "-90"),
    ] {
        assert_eq!(router.get(&radio(2, name)), value, "{name}");
    }
    // Two networks of one radio add up.
    assert_eq!(router.get(&radio(1, "Stats.PacketsSent")), (500_009_u64 * 21).to_string());
    assert_eq!(router.get("Device.WiFi.RadioNumberOfEntries"), "2");
}

/// Without ubus the tables show the configuration, and say that they know no more.
#[test]
fn without_ubus_the_configuration_is_left() {
    let router = Router::new();
    router.root.remove_ubus();
    assert_eq!(router.get(&radio(1, "Status")), "Unknown");
    assert_eq!(router.get(&radio(1, "Channel")), "6");
    assert_eq!(
        (router.get(&radio(2, "Channel")), router.get(&radio(2, "AutoChannelEnable"))),
        ("36".into(), "true".into())
    );
    assert_eq!(router.get(&radio(2, "OperatingStandards")), "a,n,ac,ax");
    assert_eq!(router.get(&radio(2, "SupportedFrequencyBands")), "5GHz");
    assert_eq!(router.get(&ssid(1, "Status")), "Unknown");
    assert_eq!((router.get(&ssid(1, "SSID")), router.get(&ssid(4, "Status"))), ("OpenWrt".into(), "Down".into()));
    assert_eq!(router.get(&access_point(1, "Status")), "Enabled");
    assert_eq!(router.get(&access_point(1, "AssociatedDeviceNumberOfEntries")), "0");
    set(&router, &radio(1, "Channel"), "11");
    refuse(&router, &[(&radio(1, "Channel"), "36")], &radio(1, "Channel"));
    set(&router, &ssid(1, "SSID"), "Elsewhere");
}

#[test]
fn channel_width_and_standards_are_one_option_and_judged_together() {
    let router = Router::new();
    let (channel, auto, width) =
        (radio(2, "Channel"), radio(2, "AutoChannelEnable"), radio(2, "OperatingChannelBandwidth"));
    // Writing a channel ends the router's choice.
    set(&router, &channel, "100");
    assert_eq!((router.get(&auto), option(&router, "radio1", "channel")), ("false".into(), Some("100".into())));
    set(&router, &auto, "true");
    assert_eq!((router.get(&channel), option(&router, "radio1", "channel")), ("36".into(), Some("auto".into())));
    set(&router, &auto, "false");
    assert_eq!(option(&router, "radio1", "channel").as_deref(), Some("36"));
    // 140 has no 80 MHz; together with 20 MHz it is fine, in any order.
    refuse(&router, &[(&channel, "140")], &channel);
    refuse(&router, &[(&channel, "165")], &channel);
    router.set(&[(&channel, "140"), (&width, "20MHz")]).unwrap();
    assert_eq!(option(&router, "radio1", "htmode").as_deref(), Some("HE20"));
    refuse(&router, &[(&width, "40MHz")], &width);
    router.set(&[(&width, "160MHz"), (&channel, "52")]).unwrap();
    assert_eq!(option(&router, "radio1", "htmode").as_deref(), Some("HE160"));
    // Older standards have narrower channels.
    set(&router, &radio(2, "OperatingStandards"), "a,n");
    assert_eq!((router.get(&width), option(&router, "radio1", "htmode")), ("40MHz".into(), Some("HT40".into())));
    refuse(&router, &[(&width, "80MHz")], &width);
    set(&router, &radio(2, "ExtensionChannel"), "AboveControlChannel");
    assert_eq!(option(&router, "radio1", "htmode").as_deref(), Some("HT40+"));
    router.set(&[(&width, "80MHz"), (&radio(2, "OperatingStandards"), "ac,n,a")]).unwrap();
    assert_eq!(
        (router.get(&radio(2, "OperatingStandards")), option(&router, "radio1", "htmode")),
        ("ac,n,a".into(), Some("VHT80".into()))
    );
    set(&router, &radio(2, "OperatingStandards"), "n,ac");
    assert_eq!(option(&router, "radio1", "require_mode").as_deref(), Some("n"));
    set(&router, &width, "Auto");
    assert_eq!(option(&router, "radio1", "htmode").as_deref(), Some("VHT160"));
    set(&router, &width, "20MHz");
    let standards = radio(1, "OperatingStandards");
    set(&router, &standards, "b,g,n");
    assert_eq!(option(&router, "radio0", "legacy_rates").as_deref(), Some("1"));
    assert_eq!(option(&router, "radio0", "htmode").as_deref(), Some("HT20"));
    for bad in ["ac", "b,n", "b", "ax", ""] {
        refuse(&router, &[(&standards, bad)], &standards);
    }
    refuse(&router, &[(&radio(1, "OperatingFrequencyBand"), "5GHz")], &radio(1, "OperatingFrequencyBand"));
    refuse(&router, &[(&radio(1, "Channel"), "14")], &radio(1, "Channel"));
}

#[test]
fn other_settings_of_a_radio_reach_uci() {
    let router = Router::new();
    for (name, value, uci, text) in [
        ("Enable", "false", "disabled", Some("1")),
        ("Enable", "true", "disabled", None),
        ("RegulatoryDomain", "US ", "country", Some("US")),
        ("RegulatoryDomain", "USI", "country3", Some("0x49")),
        ("TransmitPower", "25", "txpower", Some("14")),
        ("TransmitPower", "75", "txpower", Some("19")),
        ("TransmitPower", "100", "txpower", Some("20")),
        ("TransmitPower", "-1", "txpower", None),
        ("GuardInterval", "800nsec", "short_gi_80", Some("0")),
        ("GuardInterval", "Auto", "short_gi_80", None),
        ("BeaconPeriod", "200", "beacon_int", Some("200")),
        ("RTSThreshold", "512", "rts", Some("512")),
        ("FragmentationThreshold", "1000", "frag", Some("1000")),
    ] {
        set(&router, &radio(1, name), value);
        assert_eq!(option(&router, "radio0", uci).as_deref(), text, "{name}={value}");
    }
    set(&router, &radio(1, "DTIMPeriod"), "3");
    assert_eq!(option(&router, "default_radio0", "dtim_period").as_deref(), Some("3"));
    assert_eq!(option(&router, "default_radio1", "dtim_period"), None);
    set(&router, &radio(2, "IEEE80211hEnabled"), "false");
    assert_eq!(option(&router, "radio1", "doth").as_deref(), Some("0"));
    for (name, value) in
        [("IEEE80211hEnabled", "true"), ("MCS", "7"), ("GuardInterval", "400nsec"), ("RegulatoryDomain", "de ")]
    {
        refuse(&router, &[(&radio(1, name), value)], &radio(1, name));
    }
}

#[test]
fn an_ssid_changes_its_name() {
    let router = Router::new();
    for name in ["Ours", "Kids' \"own\" room", "Größe 7 ☃"] {
        set(&router, &ssid(1, "SSID"), name);
    }
    set(&router, &ssid(1, "SSID"), "Plain");
    assert_eq!(option(&router, "default_radio0", "ssid").as_deref(), Some("Plain"));
    // 32 bytes are the limit, not 32 characters; and a line break would end the line of hostapd.
    for bad in ["ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ", "two\nlines", ""] {
        refuse(&router, &[(&ssid(1, "SSID"), bad)], &ssid(1, "SSID"));
    }
    // A section without a name gets one when it is written to, and keeps its number and its options.
    set(&router, &ssid(3, "SSID"), "Visitors");
    assert_eq!(router.get(&access_point(3, "MaxAllowedAssociations")), "16");
    assert_eq!(router.get(&ssid(3, "Name")), "phy0-ap1");
}

/// A network with multi-link operation names several radios in a list.
#[test]
fn a_network_on_two_radios_stays_on_the_air() {
    let router = Router::new();
    router.root.replace(
        "/etc/config/wireless",
        "config wifi-iface 'default_radio0'\n\toption device 'radio0'",
        "config wifi-iface 'default_radio0'\n\tlist device 'radio0'\n\tlist device 'radio1'\n\toption mlo '1'",
    );
    let both = "Device.WiFi.Radio.1,Device.WiFi.Radio.2";
    assert_eq!(router.get(&ssid(1, "LowerLayers")), both);
    assert_ne!(router.get(&access_point(1, "Status")), "Error_Misconfigured");
    set(&router, &ssid(1, "Enable"), "true");
    set(&router, &ssid(1, "LowerLayers"), both);
    assert_eq!(option(&router, "default_radio0", "disabled"), None);
    assert_eq!(option(&router, "default_radio0", "mlo").as_deref(), Some("1"));
    assert_eq!(router.get(&ssid(1, "LowerLayers")), both);
}

/// CONFORMANCE P-02: the mode and what it needs are judged by the end state, in any order of the list.
#[test]
fn p02_mode_and_passphrase_are_judged_together() {
    let router = Router::new();
    let (mode, key) = (security(1, "ModeEnabled"), security(1, "KeyPassphrase"));
    set(&router, &mode, "None");
    assert_eq!(option(&router, "default_radio0", "encryption").as_deref(), Some("none"));
    router.set(&[(&key, "another long one"), (&mode, "WPA3-Personal")]).unwrap();
    assert_eq!(router.get(&mode), "WPA3-Personal");
    assert_eq!(option(&router, "default_radio0", "encryption").as_deref(), Some("sae"));
    assert_eq!(option(&router, "default_radio0", "key").as_deref(), Some("another long one"));
    assert_eq!(option(&router, "default_radio0", "ieee80211w").as_deref(), Some("2"));
    // The protection of WPA3 goes with it.
    router.set(&[(&mode, "WPA2-Personal"), (&key, "yet another one")]).unwrap();
    assert_eq!(option(&router, "default_radio0", "encryption").as_deref(), Some("psk2"));
    assert_eq!(option(&router, "default_radio0", "ieee80211w"), None);
    for (name, word, protection) in [
        ("WPA-WPA2-Personal", "psk-mixed", "Disabled"),
        ("WPA-Personal", "psk", "Disabled"),
        ("WPA3-Personal-Transition", "sae-mixed", "Optional"),
        ("OWE", "owe", "Required"),
        ("WPA2-Personal", "psk2", "Disabled"),
    ] {
        set(&router, &mode, name);
        assert_eq!(option(&router, "default_radio0", "encryption").as_deref(), Some(word));
        assert_eq!(router.get(&security(1, "MFPConfig")), protection, "{name}");
    }
    refuse(&router, &[(&mode, "WPA2-Enterprise")], &mode);
    router
        .set(&[
            (&mode, "WPA2-Enterprise"),
            (&security(1, "RadiusSecret"), "hush"),
            (&security(1, "RadiusServerIPAddr"), "192.168.1.9"),
        ])
        .unwrap();
    assert_eq!(option(&router, "default_radio0", "auth_server").as_deref(), Some("192.168.1.9"));
    // In a mode without RADIUS hostapd would ask the server about the MAC address of every station.
    router.set(&[(&mode, "WPA2-Personal"), (&key, "without a server")]).unwrap();
    assert_eq!(option(&router, "default_radio0", "auth_server"), None);
    set(&router, &security(1, "RadiusServerIPAddr"), "192.168.1.10");
    assert_eq!(option(&router, "default_radio0", "auth_server"), None);
    set(&router, &mode, "WPA2-Enterprise");
    assert_eq!(option(&router, "default_radio0", "auth_server").as_deref(), Some("192.168.1.10"));
    // CONFORMANCE P-13
    assert_eq!((router.get(&key), router.get(&security(1, "RadiusSecret"))), (String::new(), String::new()));
}

/// A request that would take an access point off the air is refused; one that is off may be set up step by step.
#[test]
fn p04_security_that_cannot_work_is_refused() {
    let router = Router::new();
    let name = |name: &str| security(1, name);
    for bad in ["short", &"x".repeat(64), "line\nbreak in it", "ümlaut ümlaut"] {
        refuse(&router, &[(&name("KeyPassphrase"), bad)], &name("KeyPassphrase"));
    }
    for (values, blamed) in [
        (vec![("ModeEnabled", "WPA3-Personal"), ("MFPConfig", "Optional")], "MFPConfig"),
        (vec![("ModeEnabled", "WPA3-Personal"), ("EncryptionMode", "TKIP")], "EncryptionMode"),
        (vec![("ModeEnabled", "WEP-64")], "ModeEnabled"),
        (vec![("PreSharedKey", "00112233")], "PreSharedKey"),
        (vec![("SAEPassphrase", "there is no SAE")], "SAEPassphrase"),
        (
            vec![("ModeEnabled", "WPA3-Personal"), ("KeyPassphrase", "one of them"), ("SAEPassphrase", "the other")],
            "SAEPassphrase",
        ),
    ] {
        let values: Vec<(String, &str)> = values.iter().map(|(key, value)| (name(key), *value)).collect();
        let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        refuse(&router, &values, &name(blamed));
    }
    let code = FaultCode::NON_WRITABLE_PARAMETER;
    assert_eq!(router.refused(&[(&name("WEPKey"), "0011223344")]), [(name("WEPKey"), code)]);
    router.root.replace(
        "/etc/config/wireless",
        "\toption key 'correct horse battery'\n\nconfig wifi-device 'radio1'",
        "\nconfig wifi-device 'radio1'",
    );
    assert_eq!(router.get(&access_point(1, "Status")), "Error_Misconfigured");
    refuse(&router, &[(&name("ModeEnabled"), "WPA-Personal")], &name("ModeEnabled"));
    router.set(&[(&access_point(1, "Enable"), "false")]).unwrap();
    set(&router, &name("ModeEnabled"), "WPA-Personal");
    router.set(&[(&name("KeyPassphrase"), "now there is one")]).unwrap();
    set(&router, &access_point(1, "Enable"), "true");
    assert_eq!(router.get(&access_point(1, "Status")), "Enabled");
}

#[test]
fn keys_ciphers_and_protection_reach_uci() {
    let router = Router::new();
    let name = |name: &str| security(1, name);
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    router.set(&[(&name("PreSharedKey"), key)]).unwrap();
    assert_eq!(option(&router, "default_radio0", "key").as_deref(), Some(key));
    set(&router, &name("EncryptionMode"), "TKIP,AES");
    assert_eq!(option(&router, "default_radio0", "encryption").as_deref(), Some("psk2+tkip+ccmp"));
    set(&router, &name("ModeEnabled"), "WPA-WPA2-Personal");
    assert_eq!(option(&router, "default_radio0", "encryption").as_deref(), Some("psk-mixed+tkip+ccmp"));
    set(&router, &name("MFPConfig"), "Optional");
    assert_eq!(option(&router, "default_radio0", "ieee80211w").as_deref(), Some("1"));
    // A key of 32 bytes is none for SAE.
    for mode in ["WPA3-Personal", "WPA3-Personal-Transition"] {
        refuse(&router, &[(&name("ModeEnabled"), mode)], &name("ModeEnabled"));
    }
    router.set(&[(&name("ModeEnabled"), "WPA3-Personal"), (&name("SAEPassphrase"), "for SAE alone")]).unwrap();
    assert_eq!(option(&router, "default_radio0", "key").as_deref(), Some("for SAE alone"));
    for (parameter, value, uci) in
        [("RekeyingInterval", "600", "wpa_group_rekey"), ("RadiusServerPort", "1645", "auth_port")]
    {
        set(&router, &name(parameter), value);
        assert_eq!(option(&router, "default_radio0", uci).as_deref(), Some(value));
    }
    router.set(&[(&name("Reset"), "true")]).unwrap();
    assert_eq!(
        (router.get(&name("ModeEnabled")), router.get(&name("Reset"))),
        ("WPA2-Personal".into(), "false".into())
    );
    assert_eq!(option(&router, "default_radio0", "key").as_deref(), Some("for SAE alone"), "never an open network");
}

/// In the 6 GHz band hostapd refuses the whole radio for a network without protected management frames.
#[test]
fn the_band_of_6_ghz_has_the_modes_of_wpa3() {
    let router = Router::new();
    router.root.replace("/etc/config/wireless", "\toption band '5g'", "\toption band '6g'");
    let name = |name: &str| security(2, name);
    assert_eq!(
        router.get(&name("ModesSupported")),
        "WPA3-Personal,WPA3-Personal-Transition,WPA3-Enterprise,OWE",
        "the mode that is set is always one of them"
    );
    for mode in ["None", "WPA2-Personal", "WPA-WPA2-Personal"] {
        refuse(&router, &[(&name("ModeEnabled"), mode)], &name("ModeEnabled"));
    }
    set(&router, &name("ModeEnabled"), "WPA3-Personal");
    set(&router, &name("ModeEnabled"), "OWE");
    router.set(&[(&name("Reset"), "true")]).unwrap();
    assert_eq!(option(&router, "default_radio1", "encryption").as_deref(), Some("sae"));
    set(&router, &security(1, "ModeEnabled"), "None");
    // With multi-link operation one radio in that band is enough.
    router.root.replace(
        "/etc/config/wireless",
        "config wifi-iface 'default_radio0'\n\toption device 'radio0'",
        "config wifi-iface 'default_radio0'\n\tlist device 'radio0'\n\tlist device 'radio1'",
    );
    let (mode, key) = (security(1, "ModeEnabled"), security(1, "KeyPassphrase"));
    refuse(&router, &[(&mode, "WPA2-Personal"), (&key, "correct horse battery")], &mode);
}

/// What hostapd is not built with is not offered; WEP has its own key.
#[test]
fn modes_are_those_of_hostapd() {
    let router = Router::new();
    router.root.write_recorder("/usr/sbin/hostapd", "[ \"$1\" = -vwep ] || [ \"$1\" = -veap ]\n");
    let modes = router.get(&security(1, "ModesSupported"));
    assert_eq!(
        modes,
        "None,WEP-64,WEP-128,WPA-Personal,WPA2-Personal,WPA-WPA2-Personal,WPA-Enterprise,WPA2-Enterprise,WPA3-Enterprise,WPA-WPA2-Enterprise"
    );
    let asked = || router.root.calls().iter().filter(|call| call.starts_with("/usr/sbin/hostapd")).count();
    let once = asked();
    assert_eq!(router.get(&security(2, "ModesSupported")).split(',').count(), 11);
    assert_eq!(asked(), once, "the same program was asked the same again");
    let mode = security(1, "ModeEnabled");
    refuse(&router, &[(&mode, "WPA3-Personal")], &mode);
    refuse(&router, &[(&mode, "WEP-128"), (&security(1, "WEPKey"), "0011223344")], &security(1, "WEPKey"));
    router.set(&[(&mode, "WEP-128"), (&security(1, "WEPKey"), "00112233445566778899aabbcc")]).unwrap();
    assert_eq!(router.get(&mode), "WEP-128");
    assert_eq!(option(&router, "default_radio0", "key").as_deref(), Some("1"));
    assert_eq!(option(&router, "default_radio0", "key1").as_deref(), Some("00112233445566778899aabbcc"));
    router.set(&[(&security(1, "KeyPassphrase"), "back to better"), (&mode, "WPA2-Personal")]).unwrap();
    assert_eq!(
        (option(&router, "default_radio0", "key"), option(&router, "default_radio0", "key1")),
        (Some("back to better".into()), None)
    );
    // The scripts of newer releases make an open network of one with WEP.
    router.root.write("/usr/share/ucode/wifi/ap.uc", "case 'psk':\n\tconfig.wpa_psk = config.key;\n");
    assert!(!router.get(&security(1, "ModesSupported")).contains("WEP"));
    refuse(&router, &[(&mode, "WEP-64"), (&security(1, "WEPKey"), "0011223344")], &mode);
    assert_eq!(router.get("Device.WiFi.AccessPoint.1.WPS.ConfigMethodsSupported"), "");
    refuse(&router, &[("Device.WiFi.AccessPoint.1.WPS.Enable", "true")], "Device.WiFi.AccessPoint.1.WPS.Enable");
}

/// OpenWrt has several words for a mode. A request for the mode that is set leaves the word as it is.
#[test]
fn other_words_for_wpa3_are_known() {
    let router = Router::new();
    let mode = security(2, "ModeEnabled");
    let mut now = String::from("sae-mixed");
    for (word, name) in [
        ("psk3", "WPA3-Personal"),
        ("psk3-mixed", "WPA3-Personal-Transition"),
        ("sae-compat", "WPA3-Personal-Transition"),
        ("sae-compat+ccmp", "WPA3-Personal-Transition"),
    ] {
        let (from, to) = (format!("encryption '{now}'"), format!("encryption '{word}'"));
        router.root.replace("/etc/config/wireless", &from, &to);
        now = word.into();
        set(&router, &mode, name);
        assert_eq!(option(&router, "default_radio1", "encryption").as_deref(), Some(word));
    }
}

#[test]
fn other_settings_of_an_access_point_reach_uci() {
    let router = Router::new();
    for (name, value, uci, text) in [
        ("SSIDAdvertisementEnabled", "false", "hidden", Some("1")),
        ("SSIDAdvertisementEnabled", "true", "hidden", None),
        ("IsolationEnable", "true", "isolate", Some("1")),
        ("WMMEnable", "false", "wmm", Some("0")),
        ("UAPSDEnable", "false", "uapsd", Some("0")),
        ("MaxAllowedAssociations", "5", "maxassoc", Some("5")),
        ("MaxAllowedAssociations", "0", "maxassoc", None),
        (
            "AllowedMACAddress",
            "00:00:5E:00:53:C1,00:00:5e:00:53:c2",
            "maclist",
            Some("00:00:5E:00:53:C1' '00:00:5e:00:53:c2"),
        ),
        ("MACAddressControlEnabled", "true", "macfilter", Some("allow")),
        ("MACAddressControlEnabled", "false", "macfilter", None),
        ("AllowedMACAddress", "", "maclist", None),
        ("WPS.Enable", "true", "wps_pushbutton", Some("1")),
        ("WPS.ConfigMethodsEnabled", "Label", "wps_label", Some("1")),
        ("WPS.Enable", "false", "wps_label", None),
    ] {
        set(&router, &access_point(1, name), value);
        assert_eq!(option(&router, "default_radio0", uci).as_deref(), text, "{name}={value}");
    }
    refuse(&router, &[(&access_point(1, "AllowedMACAddress"), "no address")], &access_point(1, "AllowedMACAddress"));
    let pin = access_point(1, "WPS.PIN");
    router.set(&[(&pin, "12345670")]).unwrap();
    assert_eq!((router.get(&pin), option(&router, "default_radio0", "wps_pin")), ("".into(), Some("12345670".into())));
    for bad in ["123", "1234567a", "12345"] {
        refuse(&router, &[(&pin, bad)], &pin);
    }
}

#[test]
fn ssid_and_access_point_share_disabled_and_keep_an_enable_each() {
    let router = Router::new();
    set(&router, &ssid(1, "Enable"), "false");
    assert_eq!(option(&router, "default_radio0", "disabled").as_deref(), Some("1"));
    assert_eq!(
        (router.get(&access_point(1, "Enable")), router.get(&ssid(1, "Status"))),
        ("true".into(), "Down".into())
    );
    assert_eq!(router.get(&access_point(1, "Status")), "Disabled");
    set(&router, &access_point(1, "Enable"), "false");
    set(&router, &ssid(1, "Enable"), "true");
    assert_eq!(option(&router, "default_radio0", "disabled").as_deref(), Some("1"));
    router.restart();
    assert_eq!(router.get(&ssid(1, "Enable")), "true");
    set(&router, &access_point(1, "Enable"), "true");
    assert_eq!(option(&router, "default_radio0", "disabled"), None);
    // Somebody else switches it on and off.
    set(&router, &ssid(1, "Enable"), "false");
    router.root.replace("/etc/config/wireless", "option disabled '1'", "option disabled '0'");
    assert_eq!(
        (router.get(&ssid(1, "Enable")), router.get(&access_point(1, "Enable"))),
        ("true".into(), "true".into())
    );
}

/// Of a section that the configuration has off, nobody has said that only one half is: either half has it back.
#[test]
fn one_half_brings_back_a_section_that_was_off_as_a_whole() {
    for half in [ssid(4, "Enable"), access_point(4, "Enable")] {
        let router = Router::new();
        assert_eq!(
            (router.get(&ssid(4, "Enable")), router.get(&access_point(4, "Enable"))),
            ("false".into(), "false".into())
        );
        set(&router, &half, "true");
        assert_eq!(option(&router, "kids", "disabled"), None, "{half}");
        assert_eq!(
            (router.get(&ssid(4, "Enable")), router.get(&access_point(4, "Enable"))),
            ("true".into(), "true".into())
        );
    }
    // What the request says of the other half counts, in any order.
    let router = Router::new();
    router.set(&[(&access_point(4, "Enable"), "false"), (&ssid(4, "Enable"), "true")]).unwrap();
    assert_eq!(option(&router, "kids", "disabled").as_deref(), Some("1"));
    assert_eq!(
        (router.get(&ssid(4, "Enable")), router.get(&access_point(4, "Enable"))),
        ("true".into(), "false".into())
    );
}

/// CONFORMANCE P-60, P-61, P-64: a network made by the ACS, step by step.
#[test]
fn p61_a_new_network_is_made_of_two_rows() {
    let router = Router::new();
    assert_eq!(router.add("Device.WiFi.SSID.").unwrap(), 5);
    for (name, value) in
        [("Enable", "false"), ("Status", "Down"), ("LowerLayers", ""), ("SSID", ""), ("Alias", "cpe-5")]
    {
        assert_eq!(router.get(&ssid(5, name)), value, "{name}");
    }
    assert_eq!(
        (router.get("Device.WiFi.SSIDNumberOfEntries"), router.get("Device.WiFi.AccessPointNumberOfEntries")),
        ("5".into(), "4".into())
    );
    router
        .set(&[
            (&ssid(5, "LowerLayers"), "Device.WiFi.Radio.2"),
            (&ssid(5, "SSID"), "Fresh"),
            (&ssid(5, "Enable"), "true"),
        ])
        .unwrap();
    assert_eq!(router.get(&ssid(5, "Enable")), "true");
    assert_eq!(router.add("Device.WiFi.AccessPoint.").unwrap(), 5);
    for (name, value) in [("Enable", "false"), ("Status", "Disabled"), ("SSIDReference", "")] {
        assert_eq!(router.get(&access_point(5, name)), value, "{name}");
    }
    // One request, with the reference in the middle of what it decides.
    router
        .set(&[
            (&access_point(5, "IsolationEnable"), "true"),
            (&security(5, "KeyPassphrase"), "a fresh passphrase"),
            (&access_point(5, "SSIDReference"), "Device.WiFi.SSID.5"),
            (&security(5, "ModeEnabled"), "WPA3-Personal-Transition"),
            (&access_point(5, "Enable"), "true"),
        ])
        .unwrap();
    let text = String::from_utf8(router.files()["wireless"].clone()).unwrap();
    assert_eq!(text.matches("config wifi-iface").count(), 5, "{text}");
    let name =
        text.lines().rev().find_map(|line| line.strip_prefix("config wifi-iface '")).unwrap().trim_end_matches('\'');
    let options = section(&router, name);
    for expected in [
        "mode='ap'",
        "device='radio1'",
        "ssid='Fresh'",
        "isolate='1'",
        "key='a fresh passphrase'",
        "encryption='sae-mixed'",
        "ieee80211w='1'",
    ] {
        assert!(options.iter().any(|line| line == expected), "{expected} in {options:?}");
    }
    assert!(!options.iter().any(|line| line.starts_with("disabled")), "{options:?}");
    router.restart();
    assert_eq!(router.get(&access_point(5, "SSIDReference")), "Device.WiFi.SSID.5");
    // CONFORMANCE P-17, J-06
    let reference = access_point(5, "SSIDReference");
    for bad in ["Device.WiFi.SSID.1", "Device.WiFi.SSID.9", "Device.WiFi.Radio.1", "Device.WiFi.SSID.5."] {
        refuse(&router, &[(&reference, bad)], &reference);
    }
    refuse(&router, &[(&ssid(5, "LowerLayers"), "Device.WiFi.SSID.1")], &ssid(5, "LowerLayers"));
    set(&router, &ssid(5, "LowerLayers"), "");
    assert_eq!(option(&router, name, "disabled").as_deref(), Some("1"));
}

/// CONFORMANCE P-62, P-66, P-67: what goes, and what stays behind.
#[test]
fn p67_a_deleted_ssid_leaves_an_empty_reference() {
    let router = Router::new();
    router.delete("Device.WiFi.SSID.1.").unwrap();
    assert!(!router.has("Device.WiFi.SSID.1."));
    assert_eq!(router.get(&access_point(1, "SSIDReference")), "");
    assert_eq!(
        (router.get(&access_point(1, "Enable")), router.get(&access_point(1, "Status"))),
        ("true".into(), "Error_Misconfigured".into())
    );
    assert_eq!(option(&router, "default_radio0", "disabled").as_deref(), Some("1"));
    // It can have another, and keeps what it had.
    assert_eq!(router.add("Device.WiFi.SSID.").unwrap(), 5);
    router
        .set(&[
            (&ssid(5, "SSID"), "Again"),
            (&ssid(5, "LowerLayers"), "Device.WiFi.Radio.1"),
            (&ssid(5, "Enable"), "1"),
            (&access_point(1, "SSIDReference"), "Device.WiFi.SSID.5"),
        ])
        .unwrap();
    assert_eq!(
        (router.get(&access_point(1, "Enable")), router.get(&security(1, "ModeEnabled"))),
        ("true".into(), "WPA2-Personal".into())
    );
    let text = String::from_utf8(router.files()["wireless"].clone()).unwrap();
    assert!(!text.contains("default_radio0") && text.contains("option key 'correct horse battery'"), "{text}");
    assert_eq!(text.matches("option disabled").count(), 1, "{text}");
    // The other order: the access point first, then the last half takes the section along.
    router.delete("Device.WiFi.AccessPoint.4.").unwrap();
    assert!(option(&router, "kids", "ssid").is_some() && option(&router, "kids", "key").is_none());
    router.delete("Device.WiFi.SSID.4.").unwrap();
    assert!(section(&router, "kids").is_empty());
    assert_eq!(router.add("Device.WiFi.AccessPoint.").unwrap(), 5);
    assert_eq!(router.delete("Device.WiFi.Radio.1.").unwrap_err().code, FaultCode::INVALID_PARAMETER_NAME);
    assert_eq!(router.add("Device.WiFi.Radio.").unwrap_err().code, FaultCode::INVALID_PARAMETER_NAME);
}

#[test]
fn an_access_point_moves_to_another_ssid_and_back() {
    let router = Router::new();
    set(&router, &access_point(2, "SSIDReference"), "");
    assert_eq!(router.get(&access_point(2, "Status")), "Error_Misconfigured");
    assert_eq!(
        (option(&router, "default_radio1", "disabled").as_deref(), option(&router, "default_radio1", "key")),
        (Some("1"), None)
    );
    assert_eq!(
        (router.get(&ssid(2, "Enable")), router.get(&security(2, "ModeEnabled"))),
        ("true".into(), "WPA3-Personal-Transition".into())
    );
    set(&router, &access_point(2, "SSIDReference"), "Device.WiFi.SSID.2");
    assert_eq!(option(&router, "default_radio1", "encryption").as_deref(), Some("sae-mixed"));
    assert_eq!(option(&router, "default_radio1", "disabled"), None);
    router.restart();
    assert_eq!(router.get(&access_point(2, "SSIDReference")), "Device.WiFi.SSID.2");
    let text = String::from_utf8(router.files()["wireless"].clone()).unwrap();
    assert_eq!(text.matches("config wifi-iface").count(), 4, "{text}");
}

#[test]
fn stations_come_from_hostapd_and_the_driver() {
    let router = Router::new();
    let station = |name: &str| router.get(&format!("Device.WiFi.AccessPoint.1.AssociatedDevice.1.{name}"));
    for (name, value) in [
        ("MACAddress", "00:00:5e:00:53:a2"),
        ("OperatingStandard", "ax"),
        ("AuthenticationState", "true"),
        ("LastDataDownlinkRate", "258000"),
        ("LastDataUplinkRate", "172000"),
        ("SignalStrength", "-48"),
        ("Retransmissions", "0"),
        ("Stats.BytesSent", "201550122"),
        ("Stats.RetransCount", "12"),
    ] {
        assert_eq!(station(name), value, "{name}");
    }
    // hostapd alone will do.
    router.root.remove("/ubus/iwinfo.assoclist.phy0-ap0.json");
    assert_eq!((station("LastDataDownlinkRate"), station("OperatingStandard")), ("258000".into(), "ax".into()));
}

/// CONFORMANCE P-12: lists without an order are read as they were set, or an ACS that compares the two sets them again in each session.
#[test]
fn p12_lists_keep_the_order_of_the_acs() {
    let router = Router::new();
    set(&router, &access_point(1, "WPS.Enable"), "true");
    let lists = [
        (radio(1, "OperatingStandards"), "ax,n,g", "n,g"),
        (security(1, "EncryptionMode"), "AES,TKIP", "AES"),
        (access_point(1, "WPS.ConfigMethodsEnabled"), "Label,PushButton", "Label"),
    ];
    for (name, value, _) in &lists {
        set(&router, name, value);
    }
    router.restart();
    let before = router.files();
    for (name, value, _) in &lists {
        assert_eq!(router.get(name), *value, "{name}");
        set(&router, name, value);
    }
    assert_eq!(router.files(), before);
    for (name, _, other) in &lists {
        set(&router, name, other);
    }
    // What somebody else has changed is what counts.
    set(&router, &radio(1, "OperatingStandards"), "ax,n,g");
    router.root.replace("/etc/config/wireless", "HE20", "HT20");
    router.restart();
    assert_eq!(router.get(&radio(1, "OperatingStandards")), "g,n");
}

/// CONFORMANCE P-06, P-12: one reload of Wi-Fi for a change, none for the same value again.
#[test]
fn p12_only_a_change_asks_for_a_reload() {
    let router = Router::new();
    let before = router.files();
    let same = router
        .set(&[
            (&ssid(3, "SSID"), "Guests welcome"),
            (&security(1, "KeyPassphrase"), "correct horse battery"),
            (&security(2, "ModeEnabled"), "WPA3-Personal-Transition"),
        ])
        .unwrap();
    assert!(same.effects.packages.is_empty() && same.effects.programs.is_empty());
    assert_eq!(router.files(), before);
    let changed = router.set(&[(&ssid(3, "SSID"), "Guests"), (&radio(1, "Channel"), "1")]).unwrap();
    assert_eq!(changed.effects.packages.into_iter().collect::<Vec<_>>(), ["wireless"]);
}
