//! NeighboringWiFiDiagnostic: which networks the radios hear (TR-181 2.17 Device.WiFi.NeighboringWiFiDiagnostic.).
//!
//! netifd's `iwinfo scan` does the work. A radio that cannot scan just now, such as one that is off, has no neighbours.

use serde_json::{Value as Json, json};

use super::{Kind, Report, Test, Trouble};
use crate::platform::System;

/// The test.
pub static NEIGHBORS: Kind = Kind { path: "Device.WiFi.NeighboringWiFiDiagnostic.", run };

/// More networks than this have no place in a result.
const MOST: usize = 64;

const COLUMNS: &[&str] = &[
    "Radio",
    "SSID",
    "BSSID",
    "Mode",
    "Channel",
    "SignalStrength",
    "SecurityModeEnabled",
    "EncryptionMode",
    "OperatingFrequencyBand",
    "SupportedStandards",
    "OperatingStandards",
    "OperatingChannelBandwidth",
];

fn run(test: &Test<'_>) -> Result<Report, Trouble> {
    let failed = |text: String| Trouble::new("Error", text);
    let wireless = test.live.load_package("wireless").map_err(|error| failed(error.to_string()))?;
    let radios: Vec<String> = wireless
        .sections()
        .filter(|section| section.kind() == "wifi-device")
        .filter_map(|section| section.name().map(String::from))
        .collect();
    let mut rows = Vec::new();
    let mut trouble = None;
    for radio in &radios {
        test.goes_on()?;
        test.tell(&format!("{radio} scans"));
        match test.live.ubus_call("iwinfo", "scan", &json!({ "device": radio })) {
            Ok(reply) => {
                let found = reply.get("results").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
                for network in found.iter().filter_map(|network| row(radio, network)) {
                    test.tell(&network.join(" "));
                    rows.push(network);
                }
            }
            Err(error) => trouble = Some(format!("{radio}: {error}")),
        }
    }
    if let Some(text) = trouble.filter(|_| rows.is_empty()) {
        return Err(failed(text));
    }
    rows.truncate(MOST);
    let mut report = Report::new();
    report.table("Result", COLUMNS, rows);
    Ok(report)
}

/// A network that a radio hears; `None` without an address.
fn row(radio: &str, network: &Json) -> Option<Vec<String>> {
    let bssid = text(network, "bssid").filter(|bssid| bssid.len() == 17)?;
    let mode = match text(network, "mode") {
        Some("Ad-Hoc") => "AdHoc",
        _ => "Infrastructure",
    };
    let band = band(network);
    let standards = standards(network, band).join(",");
    Some(vec![
        radio.into(),
        text(network, "ssid").unwrap_or_default().chars().take(32).collect(),
        bssid.into(),
        mode.into(),
        number(network, "channel").unwrap_or(0).clamp(0, 255).to_string(),
        number(network, "signal").unwrap_or(0).clamp(-200, 0).to_string(),
        security(network.get("encryption").unwrap_or(&Json::Null)).into(),
        encryption(network.get("encryption").unwrap_or(&Json::Null)),
        band.into(),
        standards.clone(),
        standards,
        bandwidth(network).into(),
    ])
}

fn text<'a>(json: &'a Json, member: &str) -> Option<&'a str> {
    json.get(member)?.as_str()
}

fn number(json: &Json, member: &str) -> Option<i64> {
    json.get(member)?.as_i64()
}

/// Older versions tell neither band nor frequency.
fn band(network: &Json) -> &'static str {
    match (number(network, "band"), number(network, "mhz"), number(network, "channel")) {
        (Some(2), ..) | (None, Some(..=2999), _) | (None, None, Some(..=14)) => "2.4GHz",
        (Some(6), ..) | (None, Some(5925..), _) => "6GHz",
        _ => "5GHz",
    }
}

/// The standards that show in what the network says of itself, and the first of its band, which all have.
fn standards(network: &Json, band: &str) -> Vec<&'static str> {
    let mut found = match band {
        "2.4GHz" => vec!["g"],
        "5GHz" => vec!["a"],
        _ => vec!["ax"],
    };
    for (member, standard) in [("ht", "n"), ("vht", "ac"), ("he", "ax"), ("eht", "be")] {
        if network.get(format!("{member}_operation")).is_some() && !found.contains(&standard) {
            found.push(standard);
        }
    }
    found
}

/// The widest channel of which the network speaks. iwinfo writes 2040 for 20 or 40 MHz, and 8080 for two halves of 160.
fn bandwidth(network: &Json) -> &'static str {
    let width = |operation: &str| number(network.get(operation)?, "channel_width").filter(|width| *width > 0);
    let width = ["eht_operation", "he_operation", "vht_operation", "ht_operation"].into_iter().find_map(width);
    match width {
        Some(40 | 2040) => "40MHz",
        Some(80) => "80MHz",
        Some(160 | 8080) => "160MHz",
        Some(320) => "320MHz-1",
        _ => "20MHz",
    }
}

fn has(json: &Json, list: &str, item: &str) -> bool {
    let items = json.get(list).and_then(Json::as_array).into_iter().flatten();
    items.filter_map(Json::as_str).any(|known| known == item)
}

fn security(encryption: &Json) -> &'static str {
    if encryption.get("enabled").and_then(Json::as_bool) != Some(true) {
        return "None";
    }
    if encryption.get("wep").is_some() {
        return "WEP";
    }
    let versions = encryption.get("wpa").and_then(Json::as_array).into_iter().flatten();
    let versions: Vec<i64> = versions.filter_map(Json::as_i64).collect();
    let version = |number| versions.contains(&number);
    let is = |way| has(encryption, "authentication", way);
    match (version(1), version(2), version(3)) {
        _ if is("owe") => "OWE",
        _ if is("sae") && is("psk") => "WPA2-PSK-WPA3-SAE",
        _ if is("sae") => "WPA3-SAE",
        (.., true) if is("802.1x") => "WPA3-Enterprise",
        (true, true, _) if is("802.1x") => "WPA-WPA2-Enterprise",
        (true, ..) if is("802.1x") => "WPA-Enterprise",
        _ if is("802.1x") => "WPA2-Enterprise",
        (true, true, _) => "WPA-WPA2",
        (true, ..) => "WPA",
        _ => "WPA2",
    }
}

fn encryption(encryption: &Json) -> String {
    let mut found = Vec::new();
    if has(encryption, "ciphers", "tkip") {
        found.push("TKIP");
    }
    if ["ccmp", "ccmp-256", "gcmp", "gcmp-256"].iter().any(|cipher| has(encryption, "ciphers", cipher)) {
        found.push("AES");
    }
    found.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_as_iwinfo_shows_it() {
        let network = json!({
            "ssid": "next door", "bssid": "00:00:5E:00:53:01", "mode": "Master", "band": 5, "channel": 36, "mhz": 5180,
            "signal": -61, "quality": 49, "quality_max": 70,
            "ht_operation": {"primary_channel": 36, "secondary_channel_offset": "above", "channel_width": 2040},
            "vht_operation": {"channel_width": 80, "center_freq_1": 42, "center_freq_2": 0},
            "encryption": {"enabled": true, "wpa": [2, 3], "authentication": ["sae", "psk"], "ciphers": ["ccmp"]}
        });
        assert_eq!(
            row("radio1", &network).unwrap(),
            [
                "radio1",
                "next door",
                "00:00:5E:00:53:01",
                "Infrastructure",
                "36",
                "-61",
                "WPA2-PSK-WPA3-SAE",
                "AES",
                "5GHz",
                "a,n,ac",
                "a,n,ac",
                "80MHz"
            ]
        );
        assert_eq!(row("radio0", &json!({"ssid": "x"})), None);
        let old = row("radio0", &json!({"bssid": "00:00:5E:00:53:02", "channel": 11, "mode": "Ad-Hoc"})).unwrap();
        assert_eq!(
            old,
            ["radio0", "", "00:00:5E:00:53:02", "AdHoc", "11", "0", "None", "", "2.4GHz", "g", "g", "20MHz"]
        );
    }

    #[test]
    fn security_by_version_and_authentication() {
        let mode = |wpa: &[i64], ways: &[&str]| {
            security(&json!({"enabled": true, "wpa": wpa, "authentication": ways, "ciphers": []}))
        };
        assert_eq!(mode(&[1], &["psk"]), "WPA");
        assert_eq!(mode(&[1, 2], &["psk"]), "WPA-WPA2");
        assert_eq!(mode(&[2], &["psk"]), "WPA2");
        assert_eq!(mode(&[3], &["sae"]), "WPA3-SAE");
        assert_eq!(mode(&[3], &["owe"]), "OWE");
        assert_eq!(mode(&[1], &["802.1x"]), "WPA-Enterprise");
        assert_eq!(mode(&[2], &["802.1x"]), "WPA2-Enterprise");
        assert_eq!(mode(&[1, 2], &["802.1x"]), "WPA-WPA2-Enterprise");
        assert_eq!(mode(&[3], &["802.1x"]), "WPA3-Enterprise");
        assert_eq!(security(&json!({"enabled": true, "wep": ["open"]})), "WEP");
        assert_eq!(security(&json!({"enabled": false})), "None");
        assert_eq!(encryption(&json!({"ciphers": ["tkip", "ccmp"]})), "TKIP,AES");
    }
}
