//! Transfers that the ACS has not asked for, and what it wants to hear of them (TR-069a6 A.3.3.3, TR-181 2.17
//! Device.ManagementServer.AutonomousTransferCompletePolicy., CONFORMANCE F-24).

use serde::{Deserialize, Serialize};

use super::queue::FIRMWARE;
use crate::soap::rpc::{AutonomousTransferComplete, QueuedTransfer};
use crate::time::UtcTime;

/// How many wait to be told; older ones give way.
const CAPACITY: usize = 8;

/// What the ACS wants to hear of.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Policy {
    /// Enable
    pub enable: bool,
    /// TransferTypeFilter: `Upload`, `Download` or `Both`.
    pub transfer_type: String,
    /// ResultTypeFilter: `Success`, `Failure` or `Both`.
    pub result_type: String,
    /// FileTypeFilter
    pub file_types: Vec<String>,
}

impl Policy {
    /// Whether this lets a transfer through.
    #[must_use]
    pub fn lets_through(&self, is_download: bool, succeeded: bool, file_type: &str) -> bool {
        let of = |filter: &str, first: &str, is_first: bool| filter == "Both" || (filter == first) == is_first;
        self.enable
            && of(&self.transfer_type, "Download", is_download)
            && of(&self.result_type, "Success", succeeded)
            && self.file_types.iter().any(|wanted| wanted == file_type)
    }
}

/// A transfer that waits to be told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct Report {
    id: u32,
    is_download: bool,
    file_type: String,
    completed: Option<UtcTime>,
}

/// The transfers of others, as far as they can be noticed: an image that was installed by hand.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct Autonomous {
    /// That of the last start; empty before the first.
    software_version: String,
    /// What the ACS wants to be started of the images that are there; empty once it has been.
    chosen: String,
    reports: Vec<Report>,
    last_id: u32,
    #[serde(skip)]
    changed: bool,
}

impl Autonomous {
    /// Whether another software ran at the last start.
    #[must_use]
    pub fn is_other(&self, software_version: &str) -> bool {
        !self.software_version.is_empty() && self.software_version != software_version
    }

    /// The ACS has chosen the image that the next boot starts: nothing is transferred then. Empty: that is over.
    pub fn choose(&mut self, image: &str) {
        self.changed |= self.chosen != image;
        image.clone_into(&mut self.chosen);
    }

    /// The image that the ACS has chosen, and that has not been seen to run; empty for none.
    #[must_use]
    pub fn chosen(&self) -> &str {
        &self.chosen
    }

    /// The agent starts, on this software. `expected` says that the ACS had a new image installed; else another version is the work of somebody else,
    /// which is to be told if the policy lets it through. Says whether it is.
    pub fn start(&mut self, software_version: &str, expected: bool, policy: &Policy, now: Option<UtcTime>) -> bool {
        if self.software_version == software_version {
            return false;
        }
        let first = self.software_version.is_empty();
        software_version.clone_into(&mut self.software_version);
        self.changed = true;
        let told = !first && !expected && policy.lets_through(true, true, FIRMWARE);
        if told {
            if self.reports.len() >= CAPACITY {
                self.reports.remove(0);
            }
            self.last_id = self.last_id.wrapping_add(1);
            let report = Report { id: self.last_id, is_download: true, file_type: FIRMWARE.into(), completed: now };
            self.reports.push(report);
        }
        told
    }

    /// Whether something waits to be told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reports.is_empty()
    }

    /// What is to be told, with an id each. Nobody knows where the file came from, or when.
    pub fn messages(&self) -> impl Iterator<Item = (u32, AutonomousTransferComplete)> {
        let message = |report: &Report| AutonomousTransferComplete {
            is_download: report.is_download,
            file_type: report.file_type.clone(),
            start_time: UtcTime::UNKNOWN.to_string(),
            complete_time: report.completed.unwrap_or(UtcTime::UNKNOWN).whole_seconds().to_string(),
            ..AutonomousTransferComplete::default()
        };
        self.reports.iter().map(move |report| (report.id, message(report)))
    }

    /// What GetAllQueuedTransfers tells of them.
    pub fn list(&self) -> impl Iterator<Item = QueuedTransfer> {
        let completed = |report: &Report| QueuedTransfer {
            state: 3,
            is_download: report.is_download,
            file_type: report.file_type.clone(),
            ..QueuedTransfer::default()
        };
        self.reports.iter().map(completed)
    }

    /// The ACS has heard of this one, or will not.
    pub fn told(&mut self, id: u32) {
        self.reports.retain(|report| report.id != id);
        self.changed = true;
    }

    /// Another ACS is responsible.
    pub fn clear(&mut self) {
        self.changed |= !self.reports.is_empty();
        self.reports.clear();
    }

    /// Whether something changed that is to be saved.
    #[must_use]
    pub fn must_persist(&self) -> bool {
        self.changed
    }

    /// It has been saved as it stands.
    pub fn persisted(&mut self) {
        self.changed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let both = || String::from("Both");
        Policy { enable: true, transfer_type: both(), result_type: both(), file_types: vec![FIRMWARE.into()] }
    }

    #[test]
    fn f24_all_three_filters_and_the_switch_have_to_agree() {
        let with = |transfer_type: &str, result_type: &str| {
            let filter = Policy { transfer_type: transfer_type.into(), result_type: result_type.into(), ..policy() };
            [(true, true), (true, false), (false, true), (false, false)]
                .map(|(is_download, succeeded)| filter.lets_through(is_download, succeeded, FIRMWARE))
        };
        assert_eq!(with("Both", "Both"), [true; 4]);
        assert_eq!(with("Download", "Success"), [true, false, false, false]);
        assert_eq!(with("Upload", "Failure"), [false, false, false, true]);
        assert_eq!(with("Both", "Failure"), [false, true, false, true]);
        assert!(!Policy { enable: false, ..policy() }.lets_through(true, true, FIRMWARE));
        assert!(!policy().lets_through(true, true, "3 Vendor Configuration File"));
        assert!(!Policy { file_types: Vec::new(), ..policy() }.lets_through(true, true, FIRMWARE));
    }

    #[test]
    fn f24_only_another_version_that_the_acs_did_not_ask_for_is_told() {
        let mut autonomous = Autonomous::default();
        assert!(!autonomous.start("23.05", false, &policy(), None), "the first start");
        assert!(!autonomous.start("23.05", false, &policy(), None), "the same again");
        assert!(!autonomous.start("24.10", true, &policy(), None), "the ACS has installed it");
        assert!(autonomous.start("24.10.1", false, &policy(), Some(UtcTime::EPOCH)));
        let (id, message) = autonomous.messages().next().unwrap();
        assert_eq!((message.is_download, message.file_type.as_str(), message.fault_code), (true, FIRMWARE, 0));
        assert_eq!(message.complete_time, "1970-01-01T00:00:00Z");
        let saved = serde_json::to_string(&autonomous).unwrap();
        let mut again: Autonomous = serde_json::from_str(&saved).unwrap();
        assert!(!again.start("24.10.1", false, &policy(), None));
        assert_eq!(again.messages().count(), 1);
        again.told(id);
        assert!(again.is_empty());
    }
}
