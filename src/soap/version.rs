//! Namespaces and versions of CWMP, and which message came with which (TR-069a6 3.7.4, A.6; CONFORMANCE V-01 to V-07).

use super::rpc::{Message, Namespace};

/// The versions of CWMP that this crate speaks, the lowest first.
pub const VERSIONS: [&str; 5] = ["1.0", "1.1", "1.2", "1.3", "1.4"];

/// The start of the URI of any CWMP namespace.
pub(crate) const URI_START: &str = "urn:dslforum-org:cwmp-1-";

impl Namespace {
    /// All of them, the lowest first.
    pub const ALL: [Self; 5] = [Self::Cwmp10, Self::Cwmp11, Self::Cwmp12, Self::Cwmp13, Self::Cwmp14];

    /// The URI that stands in a message.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::Cwmp10 => "urn:dslforum-org:cwmp-1-0",
            Self::Cwmp11 => "urn:dslforum-org:cwmp-1-1",
            Self::Cwmp12 => "urn:dslforum-org:cwmp-1-2",
            Self::Cwmp13 => "urn:dslforum-org:cwmp-1-3",
            Self::Cwmp14 => "urn:dslforum-org:cwmp-1-4",
        }
    }

    /// The namespace with this URI. One that is higher than all known ones is read as the highest (CONFORMANCE V-06).
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        match uri.strip_prefix(URI_START)?.parse::<u8>().ok()? {
            0 => Some(Self::Cwmp10),
            1 => Some(Self::Cwmp11),
            2 => Some(Self::Cwmp12),
            3 => Some(Self::Cwmp13),
            _ => Some(Self::Cwmp14),
        }
    }

    /// The namespace that a message for the reader of this one is written in: never above `cwmp-1-2` (CONFORMANCE V-01).
    #[must_use]
    pub fn written(self) -> Self {
        self.min(Self::Cwmp12)
    }

    /// The namespace of a version such as `1.3`; `None` when it is no version 1.x of CWMP (CONFORMANCE V-01, V-03).
    #[must_use]
    pub fn for_version(version: &str) -> Option<Self> {
        let minor: u8 = version.trim().strip_prefix("1.")?.parse().ok()?;
        Some(match minor {
            0 => Self::Cwmp10,
            1 => Self::Cwmp11,
            _ => Self::Cwmp12,
        })
    }

    /// The highest version that an answer in this namespace can mean when it brings no UseCWMPVersion (CONFORMANCE V-03).
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Cwmp10 => "1.0",
            Self::Cwmp11 => "1.1",
            Self::Cwmp12 => "1.2",
            Self::Cwmp13 => "1.3",
            Self::Cwmp14 => "1.4",
        }
    }
}

/// The text of SupportedCWMPVersions, up to and with `highest`; all when it is none of [`VERSIONS`] (CONFORMANCE V-02).
#[must_use]
pub fn supported_versions(highest: &str) -> String {
    let count =
        VERSIONS.iter().position(|&version| version == highest).map_or(VERSIONS.len(), |at| at.saturating_add(1));
    VERSIONS.iter().take(count).copied().collect::<Vec<_>>().join(",")
}

impl Message {
    /// The local name of the element in the body.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Fault(_) => "Fault",
            Self::Unknown(name) => name,
            Self::GetRpcMethods => "GetRPCMethods",
            Self::GetRpcMethodsResponse(_) => "GetRPCMethodsResponse",
            Self::SetParameterValues { .. } => "SetParameterValues",
            Self::SetParameterValuesResponse { .. } => "SetParameterValuesResponse",
            Self::GetParameterValues { .. } => "GetParameterValues",
            Self::GetParameterValuesResponse(_) => "GetParameterValuesResponse",
            Self::GetParameterNames { .. } => "GetParameterNames",
            Self::GetParameterNamesResponse(_) => "GetParameterNamesResponse",
            Self::SetParameterAttributes(_) => "SetParameterAttributes",
            Self::SetParameterAttributesResponse => "SetParameterAttributesResponse",
            Self::GetParameterAttributes { .. } => "GetParameterAttributes",
            Self::GetParameterAttributesResponse(_) => "GetParameterAttributesResponse",
            Self::AddObject { .. } => "AddObject",
            Self::AddObjectResponse { .. } => "AddObjectResponse",
            Self::DeleteObject { .. } => "DeleteObject",
            Self::DeleteObjectResponse { .. } => "DeleteObjectResponse",
            Self::Reboot { .. } => "Reboot",
            Self::RebootResponse => "RebootResponse",
            Self::FactoryReset => "FactoryReset",
            Self::FactoryResetResponse => "FactoryResetResponse",
            Self::ScheduleInform { .. } => "ScheduleInform",
            Self::ScheduleInformResponse => "ScheduleInformResponse",
            Self::Download(_) => "Download",
            Self::DownloadResponse(_) => "DownloadResponse",
            Self::Upload(_) => "Upload",
            Self::UploadResponse(_) => "UploadResponse",
            Self::ScheduleDownload(_) => "ScheduleDownload",
            Self::ScheduleDownloadResponse => "ScheduleDownloadResponse",
            Self::CancelTransfer { .. } => "CancelTransfer",
            Self::CancelTransferResponse => "CancelTransferResponse",
            Self::GetQueuedTransfers => "GetQueuedTransfers",
            Self::GetQueuedTransfersResponse(_) => "GetQueuedTransfersResponse",
            Self::GetAllQueuedTransfers => "GetAllQueuedTransfers",
            Self::GetAllQueuedTransfersResponse(_) => "GetAllQueuedTransfersResponse",
            Self::ChangeDuState { .. } => "ChangeDUState",
            Self::ChangeDuStateResponse => "ChangeDUStateResponse",
            Self::SetVouchers { .. } => "SetVouchers",
            Self::SetVouchersResponse => "SetVouchersResponse",
            Self::GetOptions { .. } => "GetOptions",
            Self::GetOptionsResponse => "GetOptionsResponse",
            Self::Inform(_) => "Inform",
            Self::InformResponse { .. } => "InformResponse",
            Self::TransferComplete(_) => "TransferComplete",
            Self::TransferCompleteResponse => "TransferCompleteResponse",
            Self::AutonomousTransferComplete(_) => "AutonomousTransferComplete",
            Self::AutonomousTransferCompleteResponse => "AutonomousTransferCompleteResponse",
            Self::RequestDownload { .. } => "RequestDownload",
            Self::RequestDownloadResponse => "RequestDownloadResponse",
            Self::Kicked { .. } => "Kicked",
            Self::KickedResponse { .. } => "KickedResponse",
            Self::DuStateChangeComplete { .. } => "DUStateChangeComplete",
            Self::DuStateChangeCompleteResponse => "DUStateChangeCompleteResponse",
            Self::AutonomousDuStateChangeComplete { .. } => "AutonomousDUStateChangeComplete",
            Self::AutonomousDuStateChangeCompleteResponse => "AutonomousDUStateChangeCompleteResponse",
        }
    }

    /// The lowest namespace whose schema has this message; it is not sent in a lower one (CONFORMANCE V-07).
    #[must_use]
    pub fn since(&self) -> Namespace {
        match self {
            Self::GetAllQueuedTransfers
            | Self::GetAllQueuedTransfersResponse(_)
            | Self::AutonomousTransferComplete(_)
            | Self::AutonomousTransferCompleteResponse => Namespace::Cwmp11,
            Self::ScheduleDownload(_)
            | Self::ScheduleDownloadResponse
            | Self::CancelTransfer { .. }
            | Self::CancelTransferResponse
            | Self::ChangeDuState { .. }
            | Self::ChangeDuStateResponse
            | Self::DuStateChangeComplete { .. }
            | Self::DuStateChangeCompleteResponse
            | Self::AutonomousDuStateChangeComplete { .. }
            | Self::AutonomousDuStateChangeCompleteResponse => Namespace::Cwmp12,
            _ => Namespace::Cwmp10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v01_versions_have_namespaces() {
        let written: Vec<_> = VERSIONS.iter().map(|version| Namespace::for_version(version).unwrap().uri()).collect();
        let ends: Vec<_> = written.iter().map(|uri| uri.strip_prefix(URI_START).unwrap()).collect();
        assert_eq!(ends, ["0", "1", "2", "2", "2"]);
        assert_eq!(Namespace::for_version(" 1.2 "), Some(Namespace::Cwmp12));
        for bad in ["", "1", "2.0", "1.x", "1.-1"] {
            assert_eq!(Namespace::for_version(bad), None, "{bad}");
        }
    }

    #[test]
    fn v06_any_namespace_of_cwmp_1_is_read() {
        for namespace in Namespace::ALL {
            assert_eq!(Namespace::from_uri(namespace.uri()), Some(namespace));
            assert!(namespace.written() <= Namespace::Cwmp12);
        }
        assert_eq!(Namespace::from_uri("urn:dslforum-org:cwmp-1-9"), Some(Namespace::Cwmp14));
        assert_eq!(Namespace::from_uri("urn:dslforum-org:cwmp-2-0"), None);
    }

    #[test]
    fn v02_the_list_of_versions() {
        assert_eq!(supported_versions("1.4"), "1.0,1.1,1.2,1.3,1.4");
        assert_eq!(supported_versions("1.0"), "1.0");
        assert_eq!(supported_versions("?"), "1.0,1.1,1.2,1.3,1.4");
    }
}
