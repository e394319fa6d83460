//! What a parameter is called in a report (TR-369 R-BULK.9, R-BULK.10).

/// A reference as the model takes it: one that ends with `*` means everything below the rows.
#[must_use]
pub fn object_path(reference: &str) -> String {
    let dot = if reference.ends_with(".*") { "." } else { "" };
    format!("{reference}{dot}")
}

/// What a parameter with this full name is called that `reference` has led to: as `name` says, followed by what stands for each `*` in the
/// reference, from left to right, and by what lies below a reference that is a partial path. An empty `name` changes nothing.
#[must_use]
pub fn report_name(name: &str, reference: &str, full: &str) -> String {
    if name.is_empty() {
        return full.into();
    }
    let mut told = String::from(name);
    let mut push = |part: &str| {
        told.push('.');
        told.push_str(part);
    };
    let mut parts = full.split('.');
    for part in reference.split('.').filter(|part| !part.is_empty()) {
        match parts.next() {
            Some(found) if part == "*" => push(found),
            _ => {}
        }
    }
    parts.for_each(push);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_reference() {
        let full = "Device.WiFi.AccessPoint.3.AssociatedDevice.10.Stats.BytesSent";
        for (name, reference, told) in [
            ("", "Device.WiFi.AccessPoint.*.AssociatedDevice.*.Stats.BytesSent", full),
            ("Sent", full, "Sent"),
            ("Sent", "Device.WiFi.AccessPoint.*.AssociatedDevice.*.Stats.BytesSent", "Sent.3.10"),
            ("Assoc", "Device.WiFi.AccessPoint.*.AssociatedDevice.*.Stats.", "Assoc.3.10.BytesSent"),
            ("Assoc", "Device.WiFi.AccessPoint.*.AssociatedDevice.", "Assoc.3.10.Stats.BytesSent"),
            ("AP3_10", "Device.WiFi.AccessPoint.3.AssociatedDevice.10.Stats.", "AP3_10.BytesSent"),
            ("Assoc", "Device.WiFi.AccessPoint.3.AssociatedDevice.*", "Assoc.10.Stats.BytesSent"),
        ] {
            assert_eq!(report_name(name, reference, full), told, "{name} {reference}");
        }
        assert_eq!(object_path("Device.WiFi.SSID.*"), "Device.WiFi.SSID.*.");
        assert_eq!(object_path("Device.WiFi.SSID."), "Device.WiFi.SSID.");
    }
}
