//! The RPCs on transfers of files, and the old optional ones beside them (TR-069a6 A.3.2.8, A.3.3.2, A.3.3.3, A.4).

use super::fields::{Decoder, Record, Step, missing, names};
use super::parameters::{items, list};
use crate::soap::rpc::{
    Argument, AutonomousTransferComplete, Download, Message, QueuedTransfer, ScheduleDownload, TimeWindow,
    TransferComplete, TransferStarted, Upload,
};

/// Reads the message just opened when it is one of this group.
pub(super) fn message(d: &mut Decoder, name: &str) -> Step<Option<Message>> {
    Ok(Some(match name {
        "Download" => Message::Download(Box::new(download(d)?)),
        "DownloadResponse" => Message::DownloadResponse(started(d)?),
        "Upload" => Message::Upload(Box::new(upload(d)?)),
        "UploadResponse" => Message::UploadResponse(started(d)?),
        "ScheduleDownload" => Message::ScheduleDownload(Box::new(schedule_download(d)?)),
        "CancelTransfer" => Message::CancelTransfer { command_key: d.record(&["CommandKey"])?.string("CommandKey")? },
        "GetQueuedTransfersResponse" => {
            Message::GetQueuedTransfersResponse(list(d, "TransferList", |d| items(d, queued))?)
        }
        "GetAllQueuedTransfersResponse" => {
            Message::GetAllQueuedTransfersResponse(list(d, "TransferList", |d| items(d, any_queued))?)
        }
        "SetVouchers" => Message::SetVouchers { vouchers: list(d, "VoucherList", names)? },
        "GetOptions" => Message::GetOptions { option_name: d.record(&["OptionName"])?.optional("OptionName") },
        "TransferComplete" => Message::TransferComplete(Box::new(complete(d)?)),
        "AutonomousTransferComplete" => Message::AutonomousTransferComplete(Box::new(autonomous_complete(d)?)),
        "RequestDownload" => request_download(d)?,
        "Kicked" => {
            let mut record = d.record(&["Command", "Referer", "Arg", "Next"])?;
            Message::Kicked {
                command: record.optional("Command"),
                referer: record.optional("Referer"),
                argument: record.optional("Arg"),
                next: record.optional("Next"),
            }
        }
        "KickedResponse" => Message::KickedResponse { next_url: d.record(&["NextURL"])?.optional("NextURL") },
        _ => return Ok(None),
    }))
}

fn download(d: &mut Decoder) -> Step<Download> {
    const FIELDS: &[&str] = &[
        "CommandKey",
        "FileType",
        "URL",
        "Username",
        "Password",
        "FileSize",
        "TargetFileName",
        "DelaySeconds",
        "SuccessURL",
        "FailureURL",
    ];
    let mut record = d.record(FIELDS)?;
    Ok(Download {
        command_key: record.optional("CommandKey"),
        file_type: record.name("FileType")?,
        url: record.name("URL")?,
        username: record.optional("Username"),
        password: record.optional("Password"),
        file_size: record.number_or_zero("FileSize")?,
        target_file_name: record.optional("TargetFileName"),
        delay_seconds: record.number_or_zero("DelaySeconds")?,
        success_url: record.optional("SuccessURL"),
        failure_url: record.optional("FailureURL"),
    })
}

fn upload(d: &mut Decoder) -> Step<Upload> {
    let mut record = d.record(&["CommandKey", "FileType", "URL", "Username", "Password", "DelaySeconds"])?;
    Ok(Upload {
        command_key: record.optional("CommandKey"),
        file_type: record.name("FileType")?,
        url: record.name("URL")?,
        username: record.optional("Username"),
        password: record.optional("Password"),
        delay_seconds: record.number_or_zero("DelaySeconds")?,
    })
}

fn started(d: &mut Decoder) -> Step<TransferStarted> {
    let mut record = d.record(&["Status", "StartTime", "CompleteTime"])?;
    Ok(TransferStarted {
        status: record.number("Status")?,
        start_time: record.optional("StartTime"),
        complete_time: record.optional("CompleteTime"),
    })
}

fn schedule_download(d: &mut Decoder) -> Step<ScheduleDownload> {
    const FIELDS: &[&str] = &["CommandKey", "FileType", "URL", "Username", "Password", "FileSize", "TargetFileName"];
    let (mut windows, mut record) = (None, Record::default());
    while let Some(element) = d.child()? {
        match element.local() {
            "TimeWindowList" => windows = Some(items(d, time_window)?),
            _ => record.take(d, &element, FIELDS)?,
        }
    }
    Ok(ScheduleDownload {
        command_key: record.optional("CommandKey"),
        file_type: record.name("FileType")?,
        url: record.name("URL")?,
        username: record.optional("Username"),
        password: record.optional("Password"),
        file_size: record.number_or_zero("FileSize")?,
        target_file_name: record.optional("TargetFileName"),
        windows: windows.ok_or_else(|| missing("TimeWindowList"))?,
    })
}

fn time_window(d: &mut Decoder) -> Step<TimeWindow> {
    let mut record = d.record(&["WindowStart", "WindowEnd", "WindowMode", "UserMessage", "MaxRetries"])?;
    Ok(TimeWindow {
        start: record.number("WindowStart")?,
        end: record.number("WindowEnd")?,
        mode: record.name("WindowMode")?,
        user_message: record.optional("UserMessage"),
        max_retries: record.number_or_zero("MaxRetries")?,
    })
}

fn queued(d: &mut Decoder) -> Step<QueuedTransfer> {
    let mut record = d.record(&["CommandKey", "State"])?;
    Ok(QueuedTransfer {
        command_key: record.optional("CommandKey"),
        state: record.number("State")?,
        ..QueuedTransfer::default()
    })
}

fn any_queued(d: &mut Decoder) -> Step<QueuedTransfer> {
    let mut record = d.record(&["CommandKey", "State", "IsDownload", "FileType", "FileSize", "TargetFileName"])?;
    Ok(QueuedTransfer {
        command_key: record.optional("CommandKey"),
        state: record.number("State")?,
        is_download: record.boolean("IsDownload")?,
        file_type: record.name("FileType")?,
        file_size: record.number_or_zero("FileSize")?,
        target_file_name: record.optional("TargetFileName"),
    })
}

/// FaultCode and FaultString of the structure just opened, which some wrap in another one.
pub(super) fn fault_struct(d: &mut Decoder) -> Step<(u16, String)> {
    let mut record = Record::default();
    let mut nested = None;
    while let Some(element) = d.child()? {
        match element.local() {
            "FaultStruct" => nested = Some(d.record(&["FaultCode", "FaultString"])?),
            _ => record.take(d, &element, &["FaultCode", "FaultString"])?,
        }
    }
    let mut record = nested.unwrap_or(record);
    Ok((record.number("FaultCode")?, record.optional("FaultString")))
}

fn complete(d: &mut Decoder) -> Step<TransferComplete> {
    let (mut fault, mut record) = (None, Record::default());
    while let Some(element) = d.child()? {
        match element.local() {
            "FaultStruct" => fault = Some(fault_struct(d)?),
            _ => record.take(d, &element, &["CommandKey", "StartTime", "CompleteTime"])?,
        }
    }
    let (fault_code, fault_string) = fault.ok_or_else(|| missing("FaultStruct"))?;
    Ok(TransferComplete {
        command_key: record.optional("CommandKey"),
        fault_code,
        fault_string,
        start_time: record.optional("StartTime"),
        complete_time: record.optional("CompleteTime"),
    })
}

fn autonomous_complete(d: &mut Decoder) -> Step<AutonomousTransferComplete> {
    const FIELDS: &[&str] = &[
        "AnnounceURL",
        "TransferURL",
        "IsDownload",
        "FileType",
        "FileSize",
        "TargetFileName",
        "StartTime",
        "CompleteTime",
    ];
    let (mut fault, mut record) = (None, Record::default());
    while let Some(element) = d.child()? {
        match element.local() {
            "FaultStruct" => fault = Some(fault_struct(d)?),
            _ => record.take(d, &element, FIELDS)?,
        }
    }
    let (fault_code, fault_string) = fault.ok_or_else(|| missing("FaultStruct"))?;
    Ok(AutonomousTransferComplete {
        announce_url: record.optional("AnnounceURL"),
        transfer_url: record.optional("TransferURL"),
        is_download: record.boolean("IsDownload")?,
        file_type: record.name("FileType")?,
        file_size: record.number_or_zero("FileSize")?,
        target_file_name: record.optional("TargetFileName"),
        fault_code,
        fault_string,
        start_time: record.optional("StartTime"),
        complete_time: record.optional("CompleteTime"),
    })
}

fn request_download(d: &mut Decoder) -> Step<Message> {
    let (mut arguments, mut record) = (Vec::new(), Record::default());
    while let Some(element) = d.child()? {
        match element.local() {
            "FileTypeArg" => arguments = items(d, argument)?,
            _ => record.take(d, &element, &["FileType"])?,
        }
    }
    Ok(Message::RequestDownload { file_type: record.name("FileType")?, arguments })
}

fn argument(d: &mut Decoder) -> Step<Argument> {
    let mut record = d.record(&["Name", "Value"])?;
    Ok(Argument { name: record.name("Name")?, value: record.string("Value")? })
}
