//! Every message of CWMP 1.0 to 1.4 as a type (TR-069a6 Annex A). Names are those of the schema; arrays are `Vec`.
//!
//! What may hold a secret (values, credentials) is left out of `Debug`.
//!
//! Numbers that the schema types as `unsignedInt` are `u32`; dateTimes stay texts as they stand on the wire.

use std::fmt;

use crate::error::Fault;

/// A SOAP envelope with the headers that CWMP knows (TR-069a6 3.4.7, 3.7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// The namespace that the message is written in.
    pub namespace: Namespace,
    /// The header blocks.
    pub header: Header,
    /// The message in the body; `None` for an empty body.
    pub body: Option<Message>,
}

/// The header blocks of an envelope.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// `cwmp:ID`, returned unchanged (CONFORMANCE X-08).
    pub id: Option<String>,
    /// `cwmp:HoldRequests` of the ACS (CONFORMANCE X-09).
    pub hold_requests: bool,
    /// `cwmp:SessionTimeout` of the CPE, in seconds, at least 30 (CONFORMANCE L-13).
    pub session_timeout: Option<u32>,
    /// `cwmp:SupportedCWMPVersions` of the CPE, such as `1.0,1.1,1.2,1.3,1.4`.
    pub supported_versions: Option<String>,
    /// `cwmp:UseCWMPVersion` of the ACS, such as `1.2`.
    pub use_version: Option<String>,
}

/// The namespaces of CWMP (CONFORMANCE V-01). `Cwmp13` and `Cwmp14` are read, never written: 1.2 to 1.4 share `cwmp-1-2`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Namespace {
    /// `urn:dslforum-org:cwmp-1-0`
    Cwmp10,
    /// `urn:dslforum-org:cwmp-1-1`
    Cwmp11,
    /// `urn:dslforum-org:cwmp-1-2`
    Cwmp12,
    /// `urn:dslforum-org:cwmp-1-3`: in no standard, but sent
    Cwmp13,
    /// `urn:dslforum-org:cwmp-1-4`: in no standard, but sent
    Cwmp14,
}

/// A typed value as it stands in a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    /// The local name of `xsi:type` (`string`, `unsignedInt`, ...); `None` when the sender gave none (CONFORMANCE X-07).
    pub kind: Option<String>,
    /// The lexical form, white space as sent.
    pub text: String,
}

/// Shows how long the text is, since it may be a password.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("kind", &self.kind).field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// `ParameterValueStruct`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParameterValue {
    /// The full name.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// `ParameterInfoStruct`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParameterInfo {
    /// The full name of a parameter, or an object's path with its dot.
    pub name: String,
    /// What P-44 of CONFORMANCE says of it.
    pub writable: bool,
}

/// `SetParameterAttributesStruct`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetAttributes {
    /// A parameter or a partial path.
    pub name: String,
    /// Whether `notification` counts.
    pub notification_change: bool,
    /// 0 to 6.
    pub notification: i64,
    /// Whether `access_list` counts.
    pub access_list_change: bool,
    /// The entities that may write besides the ACS.
    pub access_list: Vec<String>,
}

/// `ParameterAttributeStruct`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParameterAttribute {
    /// The full name.
    pub name: String,
    /// 0 to 6.
    pub notification: u8,
    /// The entities that may write besides the ACS.
    pub access_list: Vec<String>,
}

/// `DeviceIdStruct`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeviceId {
    /// Up to 64 characters.
    pub manufacturer: String,
    /// Six upper-case hexadecimal digits.
    pub oui: String,
    /// Up to 64 characters, may be empty.
    pub product_class: String,
    /// Up to 64 characters.
    pub serial_number: String,
}

/// `EventStruct`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Such as `2 PERIODIC` or `M Reboot`.
    pub code: String,
    /// Empty for all but `M ...` events.
    pub command_key: String,
}

/// `Inform`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inform {
    /// Who we are.
    pub device_id: DeviceId,
    /// At most 64.
    pub events: Vec<Event>,
    /// Local time with offset.
    pub current_time: String,
    /// Failed tries before this one.
    pub retry_count: u32,
    /// The forced parameters and the changed ones.
    pub parameters: Vec<ParameterValue>,
}

/// `TransferComplete`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TransferComplete {
    /// That of the Download, ScheduleDownload or Upload.
    pub command_key: String,
    /// 0 for success, else what went wrong.
    pub fault_code: u16,
    /// Empty for success.
    pub fault_string: String,
    /// UTC.
    pub start_time: String,
    /// UTC.
    pub complete_time: String,
}

/// `AutonomousTransferComplete`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AutonomousTransferComplete {
    /// Who announced the file.
    pub announce_url: String,
    /// Where it came from or went to.
    pub transfer_url: String,
    /// Whether the CPE fetched the file.
    pub is_download: bool,
    /// Such as `1 Firmware Upgrade Image`.
    pub file_type: String,
    /// Bytes.
    pub file_size: u32,
    /// The name in the CPE's file system.
    pub target_file_name: String,
    /// 0 for success, else what went wrong.
    pub fault_code: u16,
    /// Empty for success.
    pub fault_string: String,
    /// UTC.
    pub start_time: String,
    /// UTC.
    pub complete_time: String,
}

/// `ArgStruct`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Argument {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// `Download`
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Download {
    /// Up to 32 characters.
    pub command_key: String,
    /// Such as `1 Firmware Upgrade Image`.
    pub file_type: String,
    /// Up to 256 characters.
    pub url: String,
    /// Empty for none.
    pub username: String,
    /// Empty for none.
    pub password: String,
    /// Bytes; 0 when the ACS does not know.
    pub file_size: u32,
    /// A hint.
    pub target_file_name: String,
    /// Seconds.
    pub delay_seconds: u32,
    /// For user-visible redirects.
    pub success_url: String,
    /// For user-visible redirects.
    pub failure_url: String,
}

/// Shows nothing that may hold credentials.
impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Download");
        shown.field("command_key", &self.command_key).field("file_type", &self.file_type).finish_non_exhaustive()
    }
}

/// `Upload`
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Upload {
    /// Up to 32 characters.
    pub command_key: String,
    /// Such as `2 Vendor Log File`.
    pub file_type: String,
    /// Up to 256 characters.
    pub url: String,
    /// Empty for none.
    pub username: String,
    /// Empty for none.
    pub password: String,
    /// Seconds.
    pub delay_seconds: u32,
}

/// Shows nothing that may hold credentials.
impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Upload");
        shown.field("command_key", &self.command_key).field("file_type", &self.file_type).finish_non_exhaustive()
    }
}

/// The answer to a Download or an Upload.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TransferStarted {
    /// 0 done, 1 still to be done.
    pub status: u8,
    /// UTC; Unknown Time with status 1.
    pub start_time: String,
    /// UTC; Unknown Time with status 1.
    pub complete_time: String,
}

/// `TimeWindowStruct`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TimeWindow {
    /// Seconds from the request.
    pub start: u32,
    /// Seconds from the request.
    pub end: u32,
    /// Such as `1 At Any Time`.
    pub mode: String,
    /// For the person who confirms.
    pub user_message: String,
    /// -1: the CPE decides.
    pub max_retries: i32,
}

/// `ScheduleDownload`
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ScheduleDownload {
    /// Up to 32 characters.
    pub command_key: String,
    /// Such as `1 Firmware Upgrade Image`.
    pub file_type: String,
    /// Up to 256 characters.
    pub url: String,
    /// Empty for none.
    pub username: String,
    /// Empty for none.
    pub password: String,
    /// Bytes; 0 when the ACS does not know.
    pub file_size: u32,
    /// A hint.
    pub target_file_name: String,
    /// One or two.
    pub windows: Vec<TimeWindow>,
}

/// Shows nothing that may hold credentials.
impl fmt::Debug for ScheduleDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ScheduleDownload");
        shown.field("command_key", &self.command_key).field("file_type", &self.file_type).finish_non_exhaustive()
    }
}

/// `QueuedTransferStruct` and `AllQueuedTransferStruct`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueuedTransfer {
    /// That of the request.
    pub command_key: String,
    /// 1 not yet started, 2 in progress, 3 completed.
    pub state: u8,
    /// The rest is only in GetAllQueuedTransfers.
    pub is_download: bool,
    /// Such as `1 Firmware Upgrade Image`.
    pub file_type: String,
    /// Bytes.
    pub file_size: u32,
    /// The name in the CPE's file system.
    pub target_file_name: String,
}

/// One operation of `ChangeDUState`.
#[derive(Clone, PartialEq, Eq)]
pub enum DuOperation {
    /// `InstallOpStruct`
    Install {
        /// Where the package is.
        url: String,
        /// The UUID; may be empty.
        uuid: String,
        /// Empty for none.
        username: String,
        /// Empty for none.
        password: String,
        /// ExecutionEnvRef; may be empty.
        exec_env: String,
    },
    /// `UpdateOpStruct`
    Update {
        /// The UUID; may be empty.
        uuid: String,
        /// The version to update; may be empty.
        version: String,
        /// May be empty.
        url: String,
        /// Empty for none.
        username: String,
        /// Empty for none.
        password: String,
    },
    /// `UninstallOpStruct`
    Uninstall {
        /// The UUID.
        uuid: String,
        /// May be empty.
        version: String,
        /// ExecutionEnvRef; may be empty.
        exec_env: String,
    },
}

/// Shows nothing that may hold credentials.
impl fmt::Debug for DuOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, uuid) = match self {
            Self::Install { uuid, .. } => ("Install", uuid),
            Self::Update { uuid, .. } => ("Update", uuid),
            Self::Uninstall { uuid, .. } => ("Uninstall", uuid),
        };
        f.debug_struct(name).field("uuid", uuid).finish_non_exhaustive()
    }
}

/// `OpResultStruct` and `AutonOpResultStruct`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DuResult {
    /// The UUID.
    pub uuid: String,
    /// DeploymentUnitRef.
    pub deployment_unit: String,
    /// The version.
    pub version: String,
    /// `Installed`, `Uninstalled` or `Failed`.
    pub state: String,
    /// Whether the deployment unit could be resolved.
    pub resolved: bool,
    /// ExecutionUnitRefList.
    pub execution_units: String,
    /// UTC.
    pub start_time: String,
    /// UTC.
    pub complete_time: String,
    /// 0 for success.
    pub fault_code: u16,
    /// Empty for success.
    pub fault_string: String,
    /// OperationPerformed, only in AutonomousDUStateChangeComplete.
    pub operation: String,
}

/// A SOAP fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SoapFault {
    /// With a `cwmp:Fault` in its detail.
    Cwmp(Fault),
    /// Without one: the local name of its faultcode (`MustUnderstand`, `VersionMismatch`, `Client`, `Server`) and its faultstring.
    Plain(String, String),
}

/// The message in a body.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is the message of that name; the fields are those of the schema")]
pub enum Message {
    Fault(SoapFault),
    /// A request of the ACS that this crate has no type for: its local name.
    Unknown(String),

    GetRpcMethods,
    GetRpcMethodsResponse(Vec<String>),
    SetParameterValues {
        parameters: Vec<ParameterValue>,
        parameter_key: String,
    },
    SetParameterValuesResponse {
        status: u8,
    },
    GetParameterValues {
        names: Vec<String>,
    },
    GetParameterValuesResponse(Vec<ParameterValue>),
    GetParameterNames {
        path: String,
        next_level: bool,
    },
    GetParameterNamesResponse(Vec<ParameterInfo>),
    SetParameterAttributes(Vec<SetAttributes>),
    SetParameterAttributesResponse,
    GetParameterAttributes {
        names: Vec<String>,
    },
    GetParameterAttributesResponse(Vec<ParameterAttribute>),
    AddObject {
        object_name: String,
        parameter_key: String,
    },
    AddObjectResponse {
        instance_number: u32,
        status: u8,
    },
    DeleteObject {
        object_name: String,
        parameter_key: String,
    },
    DeleteObjectResponse {
        status: u8,
    },
    Reboot {
        command_key: String,
    },
    RebootResponse,
    FactoryReset,
    FactoryResetResponse,
    ScheduleInform {
        delay_seconds: u32,
        command_key: String,
    },
    ScheduleInformResponse,
    Download(Box<Download>),
    DownloadResponse(TransferStarted),
    Upload(Box<Upload>),
    UploadResponse(TransferStarted),
    ScheduleDownload(Box<ScheduleDownload>),
    ScheduleDownloadResponse,
    CancelTransfer {
        command_key: String,
    },
    CancelTransferResponse,
    GetQueuedTransfers,
    GetQueuedTransfersResponse(Vec<QueuedTransfer>),
    GetAllQueuedTransfers,
    GetAllQueuedTransfersResponse(Vec<QueuedTransfer>),
    ChangeDuState {
        operations: Vec<DuOperation>,
        command_key: String,
    },
    ChangeDuStateResponse,
    SetVouchers {
        vouchers: Vec<String>,
    },
    SetVouchersResponse,
    GetOptions {
        option_name: String,
    },
    /// The options are never filled in: the RPC is deprecated and refused.
    GetOptionsResponse,

    Inform(Box<Inform>),
    InformResponse {
        max_envelopes: u32,
    },
    TransferComplete(Box<TransferComplete>),
    TransferCompleteResponse,
    AutonomousTransferComplete(Box<AutonomousTransferComplete>),
    AutonomousTransferCompleteResponse,
    RequestDownload {
        file_type: String,
        arguments: Vec<Argument>,
    },
    RequestDownloadResponse,
    Kicked {
        command: String,
        referer: String,
        argument: String,
        next: String,
    },
    KickedResponse {
        next_url: String,
    },
    DuStateChangeComplete {
        results: Vec<DuResult>,
        command_key: String,
    },
    DuStateChangeCompleteResponse,
    AutonomousDuStateChangeComplete {
        results: Vec<DuResult>,
    },
    AutonomousDuStateChangeCompleteResponse,
}
