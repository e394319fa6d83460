//! Every message there and back again, in every namespace, and against the schemas.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/schema.rs"]
mod schema;

use cwmpd::error::{Fault, FaultCode, ParameterFault};
use cwmpd::soap::rpc::*;
use cwmpd::soap::{decode, encode};
use proptest::prelude::*;

const LIMIT: usize = 1024 * 1024;

fn s(text: &str) -> String {
    text.to_owned()
}

fn value(name: &str, kind: &str, text: &str) -> ParameterValue {
    ParameterValue { name: s(name), value: Value { kind: Some(s(kind)), text: s(text) } }
}

fn values() -> Vec<ParameterValue> {
    vec![
        value("Device.A", "string", " a<b&\"c\">\t\r\n'é😊 "),
        value("Device.B", "string", ""),
        value("Device.C", "int", "-1"),
        value("Device.D", "unsignedInt", "4294967295"),
        value("Device.E", "long", "-9223372036854775808"),
        value("Device.F", "unsignedLong", "18446744073709551615"),
        value("Device.G", "boolean", "1"),
        value("Device.H", "dateTime", "2026-01-01T00:00:00.5Z"),
        value("Device.I", "base64Binary", "QUI="),
        value("Device.J", "hexBinary", "0AfF"),
    ]
}

fn result(operation: &str) -> DuResult {
    DuResult {
        uuid: s("00000000-1111-2222-3333-44444444aaaa"),
        deployment_unit: s("Device.SoftwareModules.DeploymentUnit.1"),
        version: s("1.0"),
        state: s("Installed"),
        resolved: true,
        execution_units: s("a,b"),
        start_time: s("2026-01-01T00:00:00Z"),
        complete_time: s("2026-01-01T00:00:01Z"),
        fault_code: 9022,
        fault_string: s("UUID"),
        operation: s(operation),
    }
}

/// One of every message, all with values that the schema takes.
fn messages() -> Vec<Message> {
    let names = vec![s("Device."), s("Device.A")];
    let uuid = s("00000000-1111-2222-3333-44444444aaaa");
    let started =
        TransferStarted { status: 1, start_time: s("0001-01-01T00:00:00Z"), complete_time: s("0001-01-01T00:00:00Z") };
    let queued = QueuedTransfer { command_key: s("k"), state: 2, ..QueuedTransfer::default() };
    let any_queued = QueuedTransfer {
        is_download: true,
        file_type: s("1 Firmware Upgrade Image"),
        file_size: 7,
        target_file_name: s("f"),
        ..queued.clone()
    };
    let blamed = ParameterFault { name: s("Device.A"), code: FaultCode(9008), text: s("read-only") };
    let fault = Fault::arguments("Invalid arguments").with_parameters(vec![blamed]);
    vec![
        Message::Fault(SoapFault::Cwmp(fault)),
        Message::Fault(SoapFault::Cwmp(FaultCode::METHOD_NOT_SUPPORTED.into())),
        Message::Fault(SoapFault::Plain(s("MustUnderstand"), s("header Strange"))),
        Message::GetRpcMethods,
        Message::GetRpcMethodsResponse(vec![s("Inform"), s("GetRPCMethods")]),
        Message::SetParameterValues { parameters: values(), parameter_key: s("key") },
        Message::SetParameterValuesResponse { status: 1 },
        Message::GetParameterValues { names: names.clone() },
        Message::GetParameterValuesResponse(values()),
        Message::GetParameterValuesResponse(vec![]),
        Message::GetParameterNames { path: s("Device."), next_level: true },
        Message::GetParameterNamesResponse(vec![
            ParameterInfo { name: s("Device.X."), writable: true },
            ParameterInfo { name: s("Device.X.1.Y"), writable: false },
        ]),
        Message::SetParameterAttributes(vec![SetAttributes {
            name: s("Device.A"),
            notification_change: true,
            notification: 2,
            access_list_change: true,
            access_list: vec![s("Subscriber")],
        }]),
        Message::SetParameterAttributesResponse,
        Message::GetParameterAttributes { names },
        Message::GetParameterAttributesResponse(vec![ParameterAttribute {
            name: s("Device.A"),
            notification: 1,
            access_list: vec![],
        }]),
        Message::AddObject { object_name: s("Device.NAT.PortMapping."), parameter_key: s("") },
        Message::AddObjectResponse { instance_number: 3, status: 0 },
        Message::DeleteObject { object_name: s("Device.NAT.PortMapping.3."), parameter_key: s("k") },
        Message::DeleteObjectResponse { status: 0 },
        Message::Reboot { command_key: s("k") },
        Message::RebootResponse,
        Message::FactoryReset,
        Message::FactoryResetResponse,
        Message::ScheduleInform { delay_seconds: 60, command_key: s("k") },
        Message::ScheduleInformResponse,
        Message::Download(Box::new(Download {
            command_key: s("k"),
            file_type: s("1 Firmware Upgrade Image"),
            url: s("http://example.org/f"),
            username: s("u"),
            password: s("p"),
            file_size: 9,
            target_file_name: s("f"),
            delay_seconds: 1,
            success_url: s("s"),
            failure_url: s("f"),
        })),
        Message::DownloadResponse(started.clone()),
        Message::Upload(Box::new(Upload {
            command_key: s("k"),
            file_type: s("2 Vendor Log File"),
            url: s("http://example.org/f"),
            username: s("u"),
            password: s("p"),
            delay_seconds: 2,
        })),
        Message::UploadResponse(started),
        Message::ScheduleDownload(Box::new(ScheduleDownload {
            command_key: s("k"),
            file_type: s("1 Firmware Upgrade Image"),
            url: s("http://example.org/f"),
            username: s(""),
            password: s(""),
            file_size: 0,
            target_file_name: s(""),
            windows: vec![TimeWindow {
                start: 0,
                end: 3600,
                mode: s("1 At Any Time"),
                user_message: s(""),
                max_retries: -1,
            }],
        })),
        Message::ScheduleDownloadResponse,
        Message::CancelTransfer { command_key: s("k") },
        Message::CancelTransferResponse,
        Message::GetQueuedTransfers,
        Message::GetQueuedTransfersResponse(vec![queued]),
        Message::GetAllQueuedTransfers,
        Message::GetAllQueuedTransfersResponse(vec![any_queued]),
        Message::ChangeDuState {
            operations: vec![
                DuOperation::Install {
                    url: s("http://example.org/u"),
                    uuid: s(""),
                    username: s("u"),
                    password: s("p"),
                    exec_env: s("e"),
                },
                DuOperation::Update {
                    uuid: uuid.clone(),
                    version: s("2"),
                    url: s(""),
                    username: s(""),
                    password: s(""),
                },
                DuOperation::Uninstall { uuid, version: s(""), exec_env: s("e") },
            ],
            command_key: s("k"),
        },
        Message::ChangeDuStateResponse,
        Message::SetVouchers { vouchers: vec![s("QUI=")] },
        Message::SetVouchersResponse,
        Message::GetOptions { option_name: s("") },
        Message::GetOptionsResponse,
        Message::Inform(Box::new(Inform {
            device_id: DeviceId { manufacturer: s("M"), oui: s("00D09E"), product_class: s(""), serial_number: s("1") },
            events: vec![
                Event { code: s("1 BOOT"), command_key: s("") },
                Event { code: s("M Reboot"), command_key: s("k") },
            ],
            current_time: s("2026-01-01T00:00:00+02:00"),
            retry_count: 4,
            parameters: values(),
        })),
        Message::InformResponse { max_envelopes: 1 },
        Message::TransferComplete(Box::new(TransferComplete {
            command_key: s("k"),
            fault_code: 9010,
            fault_string: s("no"),
            start_time: s("2026-01-01T00:00:00Z"),
            complete_time: s("2026-01-01T00:00:01Z"),
        })),
        Message::TransferCompleteResponse,
        Message::AutonomousTransferComplete(Box::new(AutonomousTransferComplete {
            announce_url: s(""),
            transfer_url: s(""),
            is_download: true,
            file_type: s("1 Firmware Upgrade Image"),
            file_size: 1,
            target_file_name: s(""),
            fault_code: 0,
            fault_string: s(""),
            start_time: s("2026-01-01T00:00:00Z"),
            complete_time: s("2026-01-01T00:00:01Z"),
        })),
        Message::AutonomousTransferCompleteResponse,
        Message::RequestDownload {
            file_type: s("1 Firmware Upgrade Image"),
            arguments: vec![Argument { name: s("a"), value: s("b") }],
        },
        Message::RequestDownloadResponse,
        Message::Kicked { command: s("c"), referer: s("r"), argument: s("a"), next: s("n") },
        Message::KickedResponse { next_url: s("n") },
        Message::DuStateChangeComplete { results: vec![result("")], command_key: s("k") },
        Message::DuStateChangeCompleteResponse,
        Message::AutonomousDuStateChangeComplete { results: vec![result("Install")] },
        Message::AutonomousDuStateChangeCompleteResponse,
    ]
}

fn header() -> Header {
    Header {
        id: Some(s("a<&\"'> 1234567890 1234567890 1234567890 1234567890 1234567890")),
        hold_requests: true,
        session_timeout: Some(60),
        supported_versions: Some(s("1.0,1.1,1.2,1.3,1.4")),
        use_version: Some(s("1.2")),
    }
}

/// X-01, X-08, V-06: what is written is read as the same, in all namespaces.
#[test]
fn every_message_comes_back_equal() {
    for namespace in Namespace::ALL {
        for message in messages() {
            let envelope = Envelope { namespace, header: header(), body: Some(message) };
            let read = decode(&encode(&envelope), LIMIT).unwrap();
            assert_eq!(read, Envelope { namespace: namespace.written(), ..envelope });
        }
        for body in [None, Some(Message::Fault(SoapFault::Plain(s("Server"), s(""))))] {
            let envelope = Envelope { namespace: namespace.written(), header: Header::default(), body };
            assert_eq!(decode(&encode(&envelope), LIMIT).unwrap(), envelope);
        }
    }
}

/// X-01, X-02, X-05, V-01, V-07.
#[test]
fn x01_every_message_validates_in_every_namespace_that_has_it() {
    let mut all = Vec::new();
    for namespace in Namespace::ALL {
        for message in messages().into_iter().filter(|message| message.since() <= namespace) {
            let mut envelope = Envelope { namespace, header: header(), body: Some(message) };
            if namespace == Namespace::Cwmp10 {
                keep_to_1_0(&mut envelope);
            }
            let name = envelope.body.as_ref().unwrap().name();
            all.push((format!("{name}-{namespace:?}"), encode(&envelope)));
        }
    }
    let all: Vec<(&str, &[u8])> = all.iter().map(|(label, bytes)| (label.as_str(), bytes.as_slice())).collect();
    schema::validate(&all);
}

/// CWMP 1.0 has no codes above 9013 for operations that it does not have.
fn keep_to_1_0(envelope: &mut Envelope) {
    if let Some(Message::TransferComplete(it)) = &mut envelope.body {
        it.fault_code = 9018;
    }
}

/// V-07: the finer fault codes of 1.1 are 9010 to an ACS of 1.0, and 9013 is 9010 to all at the end of a transfer.
#[test]
fn v07_fault_codes_that_an_older_acs_does_not_know() {
    let told = |namespace, fault_code| {
        let complete = TransferComplete { fault_code, ..TransferComplete::default() };
        let body = Some(Message::TransferComplete(Box::new(complete)));
        let bytes = encode(&Envelope { namespace, header: Header::default(), body });
        match decode(&bytes, LIMIT).unwrap().body {
            Some(Message::TransferComplete(it)) => it.fault_code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(Namespace::Cwmp10, 9018), 9010);
    assert_eq!(told(Namespace::Cwmp10, 9012), 9012);
    assert_eq!(told(Namespace::Cwmp11, 9018), 9018);
    assert_eq!(told(Namespace::Cwmp12, 9013), 9010);
}

/// X-10, X-11, X-12, INTEROP 11, 15: literal bytes.
#[test]
fn literal_bytes() {
    let text = |header: Header, message| {
        let envelope = Envelope { namespace: Namespace::Cwmp14, header, body: Some(message) };
        let all = String::from_utf8(encode(&envelope)).unwrap();
        let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
            <soap-env:Envelope xmlns:soap-env=\"http://schemas.xmlsoap.org/soap/envelope/\" \
            xmlns:soap-enc=\"http://schemas.xmlsoap.org/soap/encoding/\" \
            xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
            xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
            xmlns:cwmp=\"urn:dslforum-org:cwmp-1-2\"><soap-env:Header>";
        all.strip_prefix(start).unwrap().strip_suffix("</soap-env:Body></soap-env:Envelope>").unwrap().to_owned()
    };
    let none = Header::default;
    assert_eq!(
        text(
            Header {
                id: Some(s("7")),
                session_timeout: Some(30),
                supported_versions: Some(s("1.0,1.1")),
                ..Header::default()
            },
            Message::GetParameterValuesResponse(vec![
                value("Device.N", "int", "1"),
                ParameterValue { name: s("Device.E"), value: Value { kind: None, text: s("") } },
                value("Device.B", "base64", "QQ=="),
            ]),
        ),
        "<cwmp:ID soap-env:mustUnderstand=\"1\">7</cwmp:ID>\
         <cwmp:SessionTimeout soap-env:mustUnderstand=\"0\">30</cwmp:SessionTimeout>\
         <cwmp:SupportedCWMPVersions soap-env:mustUnderstand=\"0\">1.0,1.1</cwmp:SupportedCWMPVersions>\
         </soap-env:Header><soap-env:Body><cwmp:GetParameterValuesResponse>\
         <ParameterList soap-enc:arrayType=\"cwmp:ParameterValueStruct[3]\">\
         <ParameterValueStruct><Name>Device.N</Name><Value xsi:type=\"xsd:int\">1</Value></ParameterValueStruct>\
         <ParameterValueStruct><Name>Device.E</Name><Value xsi:type=\"xsd:string\"></Value></ParameterValueStruct>\
         <ParameterValueStruct><Name>Device.B</Name><Value xsi:type=\"xsd:base64Binary\">QQ==</Value></ParameterValueStruct>\
         </ParameterList></cwmp:GetParameterValuesResponse>"
    );
    let parameters = vec![ParameterFault { name: s("Device.A"), code: FaultCode(9007), text: s("no") }];
    let fault = Fault::arguments("Invalid arguments").with_parameters(parameters);
    assert_eq!(
        text(none(), Message::Fault(SoapFault::Cwmp(fault))),
        "</soap-env:Header><soap-env:Body><soap-env:Fault><faultcode>Client</faultcode>\
         <faultstring>CWMP fault</faultstring><detail><cwmp:Fault><FaultCode>9003</FaultCode>\
         <FaultString>Invalid arguments</FaultString><SetParameterValuesFault><ParameterName>Device.A</ParameterName>\
         <FaultCode>9007</FaultCode><FaultString>no</FaultString></SetParameterValuesFault></cwmp:Fault></detail>\
         </soap-env:Fault>"
    );
    assert_eq!(
        text(none(), Message::Fault(SoapFault::Plain(s("MustUnderstand"), s("Strange")))),
        "</soap-env:Header><soap-env:Body><soap-env:Fault><faultcode>soap-env:MustUnderstand</faultcode>\
         <faultstring>Strange</faultstring></soap-env:Fault>"
    );
}

#[test]
fn x20_faultcode_by_class() {
    for code in (9000..=9032).chain([9800]) {
        let body = Some(Message::Fault(SoapFault::Cwmp(FaultCode(code).into())));
        let envelope = Envelope { namespace: Namespace::Cwmp12, header: Header::default(), body };
        let text = String::from_utf8(encode(&envelope)).unwrap();
        let client = [9003, 9005, 9006, 9007, 9008, 9021, 9022, 9026, 9028, 9029, 9030, 9032].contains(&code);
        let class = if client { "Client" } else { "Server" };
        assert!(text.contains(&format!("<faultcode>{class}</faultcode>")), "{code}");
        assert_eq!(decode(text.as_bytes(), LIMIT).unwrap(), envelope);
    }
}

/// What XML 1.0 can carry of a text.
fn carried(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => c,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            _ => c,
        })
        .collect()
}

proptest! {
    /// X-17: strings come back as they were, but for what XML cannot carry.
    #[test]
    fn x17_any_text_comes_back(text in "(?s)[\\x00-\\x{a0}\\x{2028}\\x{fffd}-\\x{10000}&<>\"'\\]]{0,40}", id in "(?s).{0,80}") {
        let header = Header { id: Some(id.clone()), ..Header::default() };
        let parameters = vec![value("Device.A", "string", &text)];
        let body = Some(Message::SetParameterValues { parameters, parameter_key: text.clone() });
        let read = decode(&encode(&Envelope { namespace: Namespace::Cwmp12, header, body }), LIMIT).unwrap();
        prop_assert_eq!(read.header.id, Some(carried(&id)));
        let expected = vec![value("Device.A", "string", &carried(&text))];
        prop_assert_eq!(read.body, Some(Message::SetParameterValues { parameters: expected, parameter_key: carried(&text) }));
    }
}

/// Secrets of a message do not get into a log by way of `Debug`.
#[test]
fn debug_shows_no_secret() {
    let secret = || s("hunter2");
    let (username, password, file_type) = (secret(), secret(), s("1 Firmware Upgrade Image"));
    let parameters = vec![value("Device.WiFi.AccessPoint.1.Security.KeyPassphrase", "string", "hunter2")];
    let install =
        DuOperation::Install { url: secret(), uuid: s(""), username: secret(), password: secret(), exec_env: s("") };
    for message in [
        Message::SetParameterValues { parameters, parameter_key: s("") },
        Message::Download(Box::new(Download {
            username: username.clone(),
            password: password.clone(),
            file_type: file_type.clone(),
            ..Download::default()
        })),
        Message::Upload(Box::new(Upload { username, password, file_type, ..Upload::default() })),
        Message::ScheduleDownload(Box::new(ScheduleDownload { password: secret(), ..ScheduleDownload::default() })),
        Message::ChangeDuState { operations: vec![install], command_key: s("") },
    ] {
        assert!(!format!("{message:?}").contains("hunter2"), "{}", message.name());
    }
}
