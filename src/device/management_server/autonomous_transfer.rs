//! `Device.ManagementServer.AutonomousTransferCompletePolicy.`: which transfers that it has not asked for the ACS hears of (CONFORMANCE F-24).

use crate::model::schema::{Object, own, rw};
use crate::model::value::{BOOLEAN, Format, STRING};

const FILE_TYPE: Format = Format { name: "file type such as 1 Firmware Upgrade Image", check: is_file_type };

const FILE_TYPES: &[&str] =
    &["1 Firmware Upgrade Image", "2 Web Content", "3 Vendor Configuration File", "4 Vendor Log File"];

/// TR-181 2.17 Device.ManagementServer.AutonomousTransferCompletePolicy.
pub static POLICY: Object = Object::single(
    "Device.ManagementServer.AutonomousTransferCompletePolicy.",
    &[
        rw("Enable", BOOLEAN, own("false")),
        rw("TransferTypeFilter", STRING.values(&["Upload", "Download", "Both"]), own("Both")),
        rw("ResultTypeFilter", STRING.values(&["Success", "Failure", "Both"]), own("Both")),
        // An image that somebody installs by hand is what the agent can notice.
        rw(
            "FileTypeFilter",
            STRING.format(FILE_TYPE).list_within((0, u32::MAX), 1024),
            own("1 Firmware Upgrade Image"),
        ),
    ],
);

/// One of the standard, or `X <OUI> <anything>`.
fn is_file_type(text: &str) -> bool {
    let vendor = text.strip_prefix("X ").and_then(|rest| rest.split_once(' ')).map(|(oui, _)| oui);
    let is_oui =
        |oui: &str| oui.len() == 6 && oui.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
    FILE_TYPES.contains(&text) || vendor.is_some_and(is_oui)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f24_file_types_are_those_of_the_standard_or_a_vendors() {
        for text in ["1 Firmware Upgrade Image", "4 Vendor Log File", "X 00005E Anything", "X 00005E "] {
            assert!(is_file_type(text), "{text}");
        }
        for text in ["", "1", "1 firmware upgrade image", "X 00005e Anything", "X 5E Anything", "X 00005E"] {
            assert!(!is_file_type(text), "{text}");
        }
    }
}
