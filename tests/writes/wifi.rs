//! Wi-Fi: the radio of 2.4 GHz and its first network, the radio of 5 GHz and its own.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    // One that is built with everything.
    prepare: |root| root.write_program("/usr/sbin/hostapd", "#!/bin/sh\nexit 0\n"),
    add: &[],
    writes: WRITES,
};

macro_rules! radio {
    ($name:literal) => {
        concat!("Device.WiFi.Radio.1.", $name)
    };
}

macro_rules! ssid {
    ($name:literal) => {
        concat!("Device.WiFi.SSID.1.", $name)
    };
}

macro_rules! point {
    ($name:literal) => {
        concat!("Device.WiFi.AccessPoint.1.", $name)
    };
}

const WRITES: &[Write] = &[
    write("Device.WiFi.Radio.1.Stats.Reset", "true", &[]).reads("false"),
    write("Device.WiFi.SSID.1.Stats.Reset", "true", &[]).reads("false"),
    write(radio!("LowerLayers"), "", &[]),
    write(radio!("Channel"), "11", &[("wireless.radio0.channel", "11")])
        .outside(&[("wireless.radio0.channel", "1")], "1"),
    write(radio!("AutoChannelEnable"), "true", &[("wireless.radio0.channel", "auto")])
        .outside(&[("wireless.radio0.channel", "3")], "false"),
    write(radio!("OperatingFrequencyBand"), "2.4GHz", &[("wireless.radio0.band", "2g")]),
    write(radio!("OperatingStandards"), "g,n", &[("wireless.radio0.htmode", "HT20")])
        .outside(&[("wireless.radio0.htmode", "HE20")], "g,n,ax"),
    write(radio!("OperatingChannelBandwidth"), "40MHz", &[("wireless.radio0.htmode", "HE40")])
        .outside(&[("wireless.radio0.htmode", "HE20")], "20MHz"),
    write(radio!("ExtensionChannel"), "AboveControlChannel", &[("wireless.radio0.htmode", "HT40+")])
        .with(&[(radio!("OperatingStandards"), "g,n"), (radio!("OperatingChannelBandwidth"), "40MHz")])
        .outside(&[("wireless.radio0.htmode", "HT40-")], "BelowControlChannel"),
    write(radio!("GuardInterval"), "800nsec", &[("wireless.radio0.short_gi_20", "0")])
        .outside(
            &[
                ("wireless.radio0.short_gi_20", ""),
                ("wireless.radio0.short_gi_40", ""),
                ("wireless.radio0.short_gi_80", ""),
                ("wireless.radio0.short_gi_160", ""),
            ],
            "Auto",
        ),
    write(radio!("MCS"), "-1", &[]),
    write(radio!("TransmitPower"), "-1", &[("wireless.radio0.txpower", "")]),
    write(radio!("RegulatoryDomain"), "FR ", &[("wireless.radio0.country", "FR"), ("wireless.radio0.country3", "")])
        .outside(&[("wireless.radio0.country", "DE"), ("wireless.radio0.country3", "0x4f")], "DEO"),
    write(radio!("FragmentationThreshold"), "1000", &[("wireless.radio0.frag", "1000")])
        .outside(&[("wireless.radio0.frag", "")], "2346"),
    write(radio!("RTSThreshold"), "500", &[("wireless.radio0.rts", "500")])
        .outside(&[("wireless.radio0.rts", "")], "2347"),
    write(radio!("BeaconPeriod"), "200", &[("wireless.radio0.beacon_int", "200")])
        .outside(&[("wireless.radio0.beacon_int", "150")], "150"),
    write(radio!("DTIMPeriod"), "3", &[("wireless.default_radio0.dtim_period", "3")]),
    write("Device.WiFi.Radio.2.IEEE80211hEnabled", "false", &[("wireless.radio1.doth", "0")])
        .outside(&[("wireless.radio1.doth", "1")], "true"),
    write(radio!("Enable"), "false", &[("wireless.radio0.disabled", "1")])
        .outside(&[("wireless.radio0.disabled", "")], "true"),
    write(ssid!("SSID"), " a<b>&\"c\" ", &[("wireless.default_radio0.ssid", " a<b>&\"c\" ")])
        .outside(&[("wireless.default_radio0.ssid", "Home's")], "Home's"),
    write(ssid!("MLDUnit"), "-1", &[]),
    write(ssid!("LowerLayers"), "Device.WiFi.Radio.2", &[("wireless.default_radio0.device", "radio1")])
        .outside(&[("wireless.default_radio0.device", "radio0")], "Device.WiFi.Radio.1"),
    write(ssid!("Enable"), "false", &[("wireless.default_radio0.disabled", "1")])
        .outside(&[("wireless.default_radio0.disabled", "")], "true"),
    write(point!("SSIDReference"), "Device.WiFi.SSID.1", &[("wireless.default_radio0.mode", "ap")]),
    write(point!("SSIDAdvertisementEnabled"), "false", &[("wireless.default_radio0.hidden", "1")])
        .outside(&[("wireless.default_radio0.hidden", "0")], "true"),
    write(point!("WMMEnable"), "false", &[("wireless.default_radio0.wmm", "0")])
        .outside(&[("wireless.default_radio0.wmm", "1")], "true"),
    write(point!("UAPSDEnable"), "false", &[("wireless.default_radio0.uapsd", "0")])
        .outside(&[("wireless.default_radio0.uapsd", "")], "true"),
    write(point!("IsolationEnable"), "true", &[("wireless.default_radio0.isolate", "1")])
        .outside(&[("wireless.default_radio0.isolate", "0")], "false"),
    write(point!("AllowedMACAddress"), "00:00:5E:00:53:C1", &[("wireless.default_radio0.maclist", "00:00:5E:00:53:C1")])
        .outside(&[("wireless.default_radio0.maclist", "00:00:5e:00:53:aa")], "00:00:5e:00:53:aa"),
    write(point!("MACAddressControlEnabled"), "true", &[("wireless.default_radio0.macfilter", "allow")])
        .outside(&[("wireless.default_radio0.macfilter", "")], "false"),
    write(point!("MaxAllowedAssociations"), "12", &[("wireless.default_radio0.maxassoc", "12")])
        .outside(&[("wireless.default_radio0.maxassoc", "")], "0"),
    write(point!("Security.ModeEnabled"), "WPA3-Personal", &[("wireless.default_radio0.encryption", "sae")])
        .outside(&[("wireless.default_radio0.encryption", "psk2+ccmp")], "WPA2-Personal"),
    write(point!("Security.EncryptionMode"), "AES", &[("wireless.default_radio0.encryption", "psk2+ccmp")])
        .outside(&[("wireless.default_radio0.encryption", "psk2+tkip+ccmp")], "TKIP,AES"),
    write(point!("Security.KeyPassphrase"), "a new secret", &[("wireless.default_radio0.key", "a new secret")]).reads(""),
    write(
        point!("Security.PreSharedKey"),
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        &[("wireless.default_radio0.key", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")],
    )
    .reads(""),
    write(point!("Security.SAEPassphrase"), "another secret", &[("wireless.default_radio0.key", "another secret")])
        .with(&[(point!("Security.ModeEnabled"), "WPA3-Personal")])
        .reads(""),
    write(point!("Security.MFPConfig"), "Required", &[("wireless.default_radio0.ieee80211w", "2")])
        .outside(&[("wireless.default_radio0.encryption", "psk2"), ("wireless.default_radio0.ieee80211w", "1")], "Optional"),
    write(point!("Security.RekeyingInterval"), "600", &[("wireless.default_radio0.wpa_group_rekey", "600")])
        .outside(&[("wireless.default_radio0.wpa_group_rekey", "")], "3600"),
    write(point!("Security.RadiusServerIPAddr"), "192.0.2.7", &[("wireless.default_radio0.auth_server", "192.0.2.7")])
        .with(&[(point!("Security.ModeEnabled"), "WPA2-Enterprise")])
        .outside(&[("wireless.default_radio0.auth_server", "2001:db8::7")], "2001:db8::7"),
    write(point!("Security.RadiusServerPort"), "1645", &[("wireless.default_radio0.auth_port", "1645")])
        .outside(&[("wireless.default_radio0.auth_port", "")], "1812"),
    write(point!("Security.RadiusSecret"), "between us", &[("wireless.default_radio0.auth_secret", "between us")]).reads(""),
    write(point!("Security.WEPKey"), "0102030405", &[("wireless.default_radio0.key1", "0102030405")])
        .with(&[(point!("Security.ModeEnabled"), "WEP-64")])
        .reads(""),
    write(point!("Security.Reset"), "true", &[("wireless.default_radio0.encryption", "psk2")])
        .with(&[(point!("Security.ModeEnabled"), "WPA2-Personal"), (point!("Security.KeyPassphrase"), "to be kept")])
        .reads("false"),
    write(point!("WPS.ConfigMethodsEnabled"), "PushButton", &[]),
    write(point!("WPS.PIN"), "12345670", &[("wireless.default_radio0.wps_pin", "12345670")]).reads(""),
    write(point!("WPS.Enable"), "true", &[("wireless.default_radio0.wps_pushbutton", "1")])
        .outside(&[("wireless.default_radio0.wps_pushbutton", "0")], "false"),
    write(point!("Enable"), "false", &[("wireless.default_radio0.disabled", "1")])
        .outside(&[("wireless.default_radio0.disabled", "")], "true"),
];
