//! From an [`Envelope`] to bytes, always as the schema wants it (TR-069a6 3.5, Annex A; CONFORMANCE ).
//!
//! Prefixes are fixed, since some ACSs compare the literal text `xsd:int` (INTEROP 11). No white space stands between elements, no
//! element is written in the short form (INTEROP 15), booleans are `1` and `0`, and only the namespaces up to `cwmp-1-2` are used.

use super::ENVELOPE;
use super::rpc::{
    DuOperation, DuResult, Envelope, Header, Inform, Message, Namespace, ParameterValue, QueuedTransfer,
    ScheduleDownload, SetAttributes, SoapFault, TransferStarted,
};
use crate::error::Fault;
use crate::xml::writer::Writer;

/// The names of `xsi:type` for values (CONFORMANCE X-06).
pub const KINDS: [&str; 9] =
    ["string", "int", "unsignedInt", "long", "unsignedLong", "boolean", "dateTime", "base64Binary", "hexBinary"];

/// A message in memory. A list of values, names or attributes that may be long goes through [`super::Body::list`] instead.
#[must_use]
pub fn encode(envelope: &Envelope) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let w = &mut Writer::new(&mut out);
    let namespace = envelope.namespace.written();
    open_envelope(w, namespace, &envelope.header);
    match &envelope.body {
        None => {}
        Some(Message::Fault(fault)) => soap_fault(w, namespace, fault),
        Some(message) => {
            open_message(w, message.name());
            arguments(w, namespace, message);
            close_message(w, message.name());
        }
    }
    close_envelope(w);
    out
}

/// All that stands before the message in the body.
pub(super) fn open_envelope(w: &mut Writer, namespace: Namespace, header: &Header) {
    w.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap-env:Envelope xmlns:soap-env=\"");
    w.raw(ENVELOPE);
    w.raw("\" xmlns:soap-enc=\"http://schemas.xmlsoap.org/soap/encoding/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"");
    w.raw(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:cwmp=\"");
    w.raw(namespace.written().uri());
    w.raw("\"><soap-env:Header>");
    let mut block = |name: &str, must_understand: &str, text: &str| {
        w.open_with(name, "soap-env:mustUnderstand", &[must_understand]);
        w.text(text);
        w.close(name);
    };
    if let Some(id) = &header.id {
        block("cwmp:ID", "1", id);
    }
    if header.hold_requests {
        block("cwmp:HoldRequests", "1", "1");
    }
    if let Some(seconds) = header.session_timeout {
        block("cwmp:SessionTimeout", "0", &seconds.to_string());
    }
    if let Some(versions) = &header.supported_versions {
        block("cwmp:SupportedCWMPVersions", "0", versions);
    }
    if let Some(version) = &header.use_version {
        block("cwmp:UseCWMPVersion", "1", version);
    }
    w.raw("</soap-env:Header><soap-env:Body>");
}

/// All that stands after the message in the body.
pub(super) fn close_envelope(w: &mut Writer) {
    w.raw("</soap-env:Body></soap-env:Envelope>");
}

/// The start tag of a message.
pub(super) fn open_message(w: &mut Writer, name: &str) {
    w.raw("<cwmp:");
    w.raw(name);
    w.raw(">");
}

/// The end tag of a message.
pub(super) fn close_message(w: &mut Writer, name: &str) {
    w.raw("</cwmp:");
    w.raw(name);
    w.raw(">");
}

/// The start tag of an array of `count` members (CONFORMANCE X-05).
pub(super) fn open_array(w: &mut Writer, name: &str, member: &str, count: usize) {
    w.raw("<");
    w.raw(name);
    w.raw(" soap-enc:arrayType=\"");
    w.raw(member);
    w.raw("[");
    w.number(i64::try_from(count).unwrap_or(i64::MAX));
    w.raw("]\">");
}

/// A ParameterValueStruct; a `kind` that is empty is a string.
pub(super) fn value(w: &mut Writer, name: &str, kind: &str, text: &str) {
    w.open("ParameterValueStruct");
    w.leaf("Name", name);
    let kind = match kind {
        "" => "string",
        // TR-106 calls it so, the schema does not.
        "base64" => "base64Binary",
        kind => kind,
    };
    w.open_with("Value", "xsi:type", &["xsd:", kind]);
    w.text(text);
    w.close("Value");
    w.close("ParameterValueStruct");
}

/// A ParameterInfoStruct.
pub(super) fn info(w: &mut Writer, name: &str, writable: bool) {
    w.open("ParameterInfoStruct");
    w.leaf("Name", name);
    boolean(w, "Writable", writable);
    w.close("ParameterInfoStruct");
}

/// A ParameterAttributeStruct.
pub(super) fn attribute(w: &mut Writer, name: &str, notification: u8, access_list: &[String]) {
    w.open("ParameterAttributeStruct");
    w.leaf("Name", name);
    w.number_leaf("Notification", notification);
    strings(w, "AccessList", access_list);
    w.close("ParameterAttributeStruct");
}

fn boolean(w: &mut Writer, name: &str, value: bool) {
    w.leaf(name, if value { "1" } else { "0" });
}

fn strings(w: &mut Writer, name: &str, texts: &[String]) {
    array(w, name, "xsd:string", texts, |w, text| w.leaf("string", text));
}

fn array<T>(w: &mut Writer, name: &str, member: &str, items: &[T], write: fn(&mut Writer, &T)) {
    open_array(w, name, member, items.len());
    for item in items {
        write(w, item);
    }
    w.close(name);
}

fn values(w: &mut Writer, parameters: &[ParameterValue]) {
    array(w, "ParameterList", "cwmp:ParameterValueStruct", parameters, |w, parameter| {
        value(w, &parameter.name, parameter.value.kind.as_deref().unwrap_or_default(), &parameter.value.text);
    });
}

/// Leaf elements in this order.
fn leaves(w: &mut Writer, leaves: &[(&str, &str)]) {
    for (name, text) in leaves {
        w.leaf(name, text);
    }
}

/// Leaf elements that the schema allows to be left out but not to be empty.
fn optional_leaves(w: &mut Writer, leaves: &[(&str, &str)]) {
    for (name, text) in leaves.iter().filter(|(_, text)| !text.is_empty()) {
        w.leaf(name, text);
    }
}

/// What stands in the element of a message.
fn arguments(w: &mut Writer, namespace: Namespace, message: &Message) {
    match message {
        Message::GetRpcMethodsResponse(methods) => strings(w, "MethodList", methods),
        Message::SetParameterValues { parameters, parameter_key } => {
            values(w, parameters);
            w.leaf("ParameterKey", parameter_key);
        }
        Message::SetParameterValuesResponse { status } | Message::DeleteObjectResponse { status } => {
            w.number_leaf("Status", *status);
        }
        Message::GetParameterValues { names } | Message::GetParameterAttributes { names } => {
            strings(w, "ParameterNames", names);
        }
        Message::GetParameterValuesResponse(parameters) => values(w, parameters),
        Message::GetParameterNames { path, next_level } => {
            w.leaf("ParameterPath", path);
            boolean(w, "NextLevel", *next_level);
        }
        Message::GetParameterNamesResponse(names) => {
            array(w, "ParameterList", "cwmp:ParameterInfoStruct", names, |w, item| info(w, &item.name, item.writable));
        }
        Message::SetParameterAttributes(entries) => {
            array(w, "ParameterList", "cwmp:SetParameterAttributesStruct", entries, set_attributes);
        }
        Message::GetParameterAttributesResponse(entries) => {
            array(w, "ParameterList", "cwmp:ParameterAttributeStruct", entries, |w, item| {
                attribute(w, &item.name, item.notification, &item.access_list);
            });
        }
        Message::AddObject { object_name, parameter_key } | Message::DeleteObject { object_name, parameter_key } => {
            leaves(w, &[("ObjectName", object_name), ("ParameterKey", parameter_key)]);
        }
        Message::AddObjectResponse { instance_number, status } => {
            w.number_leaf("InstanceNumber", *instance_number);
            w.number_leaf("Status", *status);
        }
        Message::Reboot { command_key } | Message::CancelTransfer { command_key } => w.leaf("CommandKey", command_key),
        Message::ScheduleInform { delay_seconds, command_key } => {
            w.number_leaf("DelaySeconds", *delay_seconds);
            w.leaf("CommandKey", command_key);
        }
        Message::Inform(inform) => self::inform(w, inform),
        Message::InformResponse { max_envelopes } => w.number_leaf("MaxEnvelopes", *max_envelopes),
        Message::ChangeDuState { operations, command_key } => {
            for operation in operations {
                self::operation(w, operation);
            }
            w.leaf("CommandKey", command_key);
        }
        Message::DuStateChangeComplete { results, command_key } => {
            for item in results {
                result(w, item, false);
            }
            w.leaf("CommandKey", command_key);
        }
        Message::AutonomousDuStateChangeComplete { results } => {
            for item in results {
                result(w, item, true);
            }
        }
        message => transfer_arguments(w, namespace, message),
    }
}

/// The same for messages about transfers and for the old optional ones; those left have no arguments.
fn transfer_arguments(w: &mut Writer, namespace: Namespace, message: &Message) {
    match message {
        Message::Download(it) => {
            transfer_head(w, &it.command_key, &it.file_type, &it.url, &it.username, &it.password);
            w.number_leaf("FileSize", it.file_size);
            w.leaf("TargetFileName", &it.target_file_name);
            w.number_leaf("DelaySeconds", it.delay_seconds);
            leaves(w, &[("SuccessURL", &it.success_url), ("FailureURL", &it.failure_url)]);
        }
        Message::Upload(it) => {
            transfer_head(w, &it.command_key, &it.file_type, &it.url, &it.username, &it.password);
            w.number_leaf("DelaySeconds", it.delay_seconds);
        }
        Message::DownloadResponse(started) | Message::UploadResponse(started) => transfer_started(w, started),
        Message::ScheduleDownload(it) => schedule_download(w, it),
        Message::GetQueuedTransfersResponse(transfers) => {
            array(w, "TransferList", "cwmp:QueuedTransferStruct", transfers, |w, item| {
                w.open("QueuedTransferStruct");
                w.leaf("CommandKey", &item.command_key);
                w.number_leaf("State", item.state);
                w.close("QueuedTransferStruct");
            });
        }
        Message::GetAllQueuedTransfersResponse(transfers) => {
            array(w, "TransferList", "cwmp:AllQueuedTransferStruct", transfers, any_queued);
        }
        Message::SetVouchers { vouchers } => {
            array(w, "VoucherList", "soap-enc:base64", vouchers, |w, voucher| w.leaf("base64", voucher));
        }
        Message::GetOptions { option_name } => w.leaf("OptionName", option_name),
        Message::GetOptionsResponse => array::<()>(w, "OptionList", "cwmp:OptionStruct", &[], |_, ()| {}),
        Message::TransferComplete(it) => {
            w.leaf("CommandKey", &it.command_key);
            transfer_fault(w, namespace, it.fault_code, &it.fault_string);
            leaves(w, &[("StartTime", &it.start_time), ("CompleteTime", &it.complete_time)]);
        }
        Message::AutonomousTransferComplete(it) => {
            leaves(w, &[("AnnounceURL", &it.announce_url), ("TransferURL", &it.transfer_url)]);
            boolean(w, "IsDownload", it.is_download);
            w.leaf("FileType", &it.file_type);
            w.number_leaf("FileSize", it.file_size);
            w.leaf("TargetFileName", &it.target_file_name);
            transfer_fault(w, namespace, it.fault_code, &it.fault_string);
            leaves(w, &[("StartTime", &it.start_time), ("CompleteTime", &it.complete_time)]);
        }
        Message::RequestDownload { file_type, arguments } => {
            w.leaf("FileType", file_type);
            array(w, "FileTypeArg", "cwmp:ArgStruct", arguments, |w, argument| {
                w.open("ArgStruct");
                leaves(w, &[("Name", &argument.name), ("Value", &argument.value)]);
                w.close("ArgStruct");
            });
        }
        Message::Kicked { command, referer, argument, next } => {
            leaves(w, &[("Command", command), ("Referer", referer), ("Arg", argument), ("Next", next)]);
        }
        Message::KickedResponse { next_url } => w.leaf("NextURL", next_url),
        _ => {}
    }
}

fn set_attributes(w: &mut Writer, entry: &SetAttributes) {
    w.open("SetParameterAttributesStruct");
    w.leaf("Name", &entry.name);
    boolean(w, "NotificationChange", entry.notification_change);
    w.number_leaf("Notification", entry.notification);
    boolean(w, "AccessListChange", entry.access_list_change);
    strings(w, "AccessList", &entry.access_list);
    w.close("SetParameterAttributesStruct");
}

fn inform(w: &mut Writer, inform: &Inform) {
    let id = &inform.device_id;
    w.open("DeviceId");
    leaves(w, &[("Manufacturer", &id.manufacturer), ("OUI", &id.oui)]);
    leaves(w, &[("ProductClass", &id.product_class), ("SerialNumber", &id.serial_number)]);
    w.close("DeviceId");
    array(w, "Event", "cwmp:EventStruct", &inform.events, |w, event| {
        w.open("EventStruct");
        leaves(w, &[("EventCode", &event.code), ("CommandKey", &event.command_key)]);
        w.close("EventStruct");
    });
    w.number_leaf("MaxEnvelopes", 1);
    w.leaf("CurrentTime", &inform.current_time);
    w.number_leaf("RetryCount", inform.retry_count);
    values(w, &inform.parameters);
}

fn transfer_head(w: &mut Writer, command_key: &str, file_type: &str, url: &str, username: &str, password: &str) {
    leaves(w, &[("CommandKey", command_key), ("FileType", file_type), ("URL", url)]);
    leaves(w, &[("Username", username), ("Password", password)]);
}

fn transfer_started(w: &mut Writer, started: &TransferStarted) {
    w.number_leaf("Status", started.status);
    leaves(w, &[("StartTime", &started.start_time), ("CompleteTime", &started.complete_time)]);
}

fn schedule_download(w: &mut Writer, it: &ScheduleDownload) {
    transfer_head(w, &it.command_key, &it.file_type, &it.url, &it.username, &it.password);
    w.number_leaf("FileSize", it.file_size);
    w.leaf("TargetFileName", &it.target_file_name);
    array(w, "TimeWindowList", "cwmp:TimeWindowStruct", &it.windows, |w, window| {
        w.open("TimeWindowStruct");
        w.number_leaf("WindowStart", window.start);
        w.number_leaf("WindowEnd", window.end);
        leaves(w, &[("WindowMode", &window.mode), ("UserMessage", &window.user_message)]);
        w.number_leaf("MaxRetries", window.max_retries);
        w.close("TimeWindowStruct");
    });
}

fn any_queued(w: &mut Writer, item: &QueuedTransfer) {
    w.open("AllQueuedTransferStruct");
    w.leaf("CommandKey", &item.command_key);
    w.number_leaf("State", item.state);
    boolean(w, "IsDownload", item.is_download);
    w.leaf("FileType", &item.file_type);
    w.number_leaf("FileSize", item.file_size);
    w.leaf("TargetFileName", &item.target_file_name);
    w.close("AllQueuedTransferStruct");
}

/// The structure is abstract, so `xsi:type` has to say which operation it is.
fn operation(w: &mut Writer, operation: &DuOperation) {
    let mut open = |kind: &str| w.open_with("Operations", "xsi:type", &["cwmp:", kind]);
    match operation {
        DuOperation::Install { url, uuid, username, password, exec_env } => {
            open("InstallOpStruct");
            w.leaf("URL", url);
            optional_leaves(w, &[("UUID", uuid), ("Username", username), ("Password", password)]);
            optional_leaves(w, &[("ExecutionEnvRef", exec_env)]);
        }
        DuOperation::Update { uuid, version, url, username, password } => {
            open("UpdateOpStruct");
            optional_leaves(w, &[("UUID", uuid), ("Version", version), ("URL", url)]);
            optional_leaves(w, &[("Username", username), ("Password", password)]);
        }
        DuOperation::Uninstall { uuid, version, exec_env } => {
            open("UninstallOpStruct");
            w.leaf("UUID", uuid);
            optional_leaves(w, &[("Version", version), ("ExecutionEnvRef", exec_env)]);
        }
    }
    w.close("Operations");
}

fn result(w: &mut Writer, item: &DuResult, autonomous: bool) {
    w.open("Results");
    leaves(w, &[("UUID", &item.uuid), ("DeploymentUnitRef", &item.deployment_unit), ("Version", &item.version)]);
    w.leaf("CurrentState", &item.state);
    boolean(w, "Resolved", item.resolved);
    leaves(w, &[("ExecutionUnitRefList", &item.execution_units)]);
    leaves(w, &[("StartTime", &item.start_time), ("CompleteTime", &item.complete_time)]);
    w.open("Fault");
    w.number_leaf("FaultCode", item.fault_code);
    w.leaf("FaultString", &item.fault_string);
    w.close("Fault");
    if autonomous {
        w.leaf("OperationPerformed", &item.operation);
    }
    w.close("Results");
}

fn transfer_fault(w: &mut Writer, namespace: Namespace, code: u16, text: &str) {
    w.open("FaultStruct");
    // No schema lists 9013 for the end of a transfer.
    let code = if code == 9013 { 9010 } else { known_code(namespace, code) };
    w.number_leaf("FaultCode", code);
    w.leaf("FaultString", text);
    w.close("FaultStruct");
}

/// The code as an ACS of this version knows it: 1.0 has no finer reasons for a failed transfer than 9010 (CONFORMANCE V-07).
fn known_code(namespace: Namespace, code: u16) -> u16 {
    match code {
        9014..=9020 if namespace == Namespace::Cwmp10 => 9010,
        _ => code,
    }
}

/// CONFORMANCE and, for a fault of SOAP itself, X-11.
fn soap_fault(w: &mut Writer, namespace: Namespace, fault: &SoapFault) {
    w.open("soap-env:Fault");
    match fault {
        SoapFault::Cwmp(fault) => {
            leaves(w, &[("faultcode", if fault.code.is_client() { "Client" } else { "Server" })]);
            w.leaf("faultstring", "CWMP fault");
            w.open("detail");
            cwmp_fault(w, namespace, fault);
            w.close("detail");
        }
        SoapFault::Plain(code, text) => {
            w.open("faultcode");
            w.raw("soap-env:");
            w.text(code);
            w.close("faultcode");
            w.leaf("faultstring", text);
        }
    }
    w.close("soap-env:Fault");
}

fn cwmp_fault(w: &mut Writer, namespace: Namespace, fault: &Fault) {
    w.open("cwmp:Fault");
    w.number_leaf("FaultCode", known_code(namespace, fault.code.0));
    w.leaf("FaultString", &fault.text);
    for parameter in &fault.parameters {
        w.open("SetParameterValuesFault");
        w.leaf("ParameterName", &parameter.name);
        w.number_leaf("FaultCode", known_code(namespace, parameter.code.0));
        w.leaf("FaultString", &parameter.text);
        w.close("SetParameterValuesFault");
    }
    w.close("cwmp:Fault");
}
