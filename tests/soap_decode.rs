//! Messages of real ACSs and CPEs, and messages that mean harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/schema.rs"]
#[allow(dead_code, reason = "only the corpus is needed here")]
mod schema;

use std::fs;
use std::time::{Duration, Instant};

use cwmpd::soap::rpc::*;
use cwmpd::soap::{DecodeError, ErrorKind, decode, encode};
use proptest::prelude::*;

const LIMIT: usize = 1024 * 1024;

fn corpus(file: &str) -> Option<Vec<u8>> {
    schema::shared("corpus").map(|corpus| fs::read(corpus.join(file)).unwrap())
}

fn body(bytes: &[u8]) -> Message {
    decode(bytes, LIMIT).unwrap().body.unwrap()
}

/// A message from the ACS with this in its header and in its body.
fn envelope(header: &str, body: &str) -> Vec<u8> {
    format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:c='urn:dslforum-org:cwmp-1-2' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><s:Header><c:ID s:mustUnderstand='1'>7</c:ID>{header}\
         </s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    .into_bytes()
}

fn refusal(bytes: &[u8]) -> DecodeError {
    decode(bytes, LIMIT).unwrap_err()
}

fn arguments(body: &str) -> String {
    match refusal(&envelope("", body)) {
        DecodeError { kind: ErrorKind::Arguments { method, reason }, id: Some(id) } if id == "7" => {
            format!("{method}: {reason}")
        }
        other => panic!("{other:?}"),
    }
}

/// V-06: the whole corpus, against what its index says of each file.
#[test]
fn x03_every_file_of_the_corpus() {
    let Some(index) = corpus("INDEX.tsv") else { return };
    let index = String::from_utf8(index).unwrap();
    let mut decoded = 0;
    for line in index.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, well_formed, namespaces, namespace, method, id, hold, ..] = columns[..] else { panic!("{line}") };
        if !(file.starts_with("open/") || file.starts_with("generated/")) {
            continue;
        }
        let bytes = corpus(file).unwrap();
        let result = decode(&bytes, LIMIT);
        let expected_id = (!id.is_empty()).then_some(id);
        match file {
            "generated/genieacs-Fault-cwmp1.0.xml" => {
                let error = result.unwrap_err();
                assert_eq!((error.kind, error.id.as_deref()), (ErrorKind::MalformedFault, expected_id), "{file}");
                continue;
            }
            "generated/mustunderstand-unknown-header.xml" => {
                let error = result.unwrap_err();
                assert_eq!(
                    (error.kind, error.id.as_deref()),
                    (ErrorKind::MustUnderstand("Strange".into()), expected_id)
                );
                continue;
            }
            "open/cwmp_ex-download-1.xml" => {
                let error = result.unwrap_err();
                assert_eq!(error.to_string(), "Download: FileSize is not a number in its range");
                assert_eq!(error.id.as_deref(), expected_id);
                continue;
            }
            _ if well_formed == "no" => {
                assert!(matches!(result.unwrap_err().kind, ErrorKind::NotXml(_)), "{file}");
                continue;
            }
            _ => {}
        }
        let envelope = result.unwrap_or_else(|error| panic!("{file} ({namespaces}): {error}"));
        assert_eq!(envelope.namespace.uri(), format!("urn:dslforum-org:{namespace}"), "{file}");
        assert_eq!(envelope.body.as_ref().map_or("(empty body)", Message::name), method, "{file}");
        assert!(!matches!(envelope.body, Some(Message::Unknown(_))), "{file}");
        if !id.is_empty() {
            assert_eq!(envelope.header.id.as_deref(), expected_id, "{file}");
        }
        assert_eq!(envelope.header.hold_requests, hold == "1" || hold == "true", "{file}");
        // What was understood survives being written as we write it.
        let again = decode(&encode(&envelope), LIMIT).unwrap();
        assert_eq!(encode(&again), encode(&envelope), "{file}");
        decoded += 1;
    }
    assert!(decoded > 100, "{decoded}");
}

#[test]
fn x07_types_of_values_that_are_missing_or_strange() {
    let value = |file: &str| match corpus(file).map(|bytes| body(&bytes)) {
        Some(Message::SetParameterValues { parameters, .. }) => Some(parameters[0].value.kind.clone()),
        None => None,
        other => panic!("{other:?}"),
    };
    let Some(untyped) = value("generated/oktopus-SetParameterValues.xml") else { return };
    assert_eq!(untyped, None);
    assert_eq!(value("generated/value-type-attr-SetParameterValues.xml").unwrap().as_deref(), Some("boolean"));
    assert_eq!(value("generated/freeacs-SetParameterValues-nokey.xml").unwrap(), None);
    assert_eq!(value("open/cwmp_ex-set_parameter_values-1.xml").unwrap().as_deref(), Some("string"));
}

#[test]
fn x08_id_comes_back_unchanged() {
    for (sent, id) in [("", ""), (" a ", " a "), ("&lt;x&gt;", "<x>"), (&"9".repeat(60), &"9".repeat(60))] {
        let bytes = envelope("", "<c:GetRPCMethods/>");
        let text = String::from_utf8(bytes).unwrap().replace(">7<", &format!(">{sent}<"));
        let read = decode(text.as_bytes(), LIMIT).unwrap();
        assert_eq!(read.header.id.as_deref(), Some(id));
        assert!(
            String::from_utf8(encode(&read))
                .unwrap()
                .contains(&format!("<cwmp:ID soap-env:mustUnderstand=\"1\">{sent}</cwmp:ID>"))
        );
    }
    let without = b"<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Body><GetRPCMethods xmlns='urn:dslforum-org:cwmp-1-1'/></Body></Envelope>";
    let read = decode(without, LIMIT).unwrap();
    assert_eq!((read.namespace, read.header.id, read.body), (Namespace::Cwmp11, None, Some(Message::GetRpcMethods)));
}

#[test]
fn x09_x10_v03_header_blocks() {
    let header = |header: &str| decode(&envelope(header, "<c:GetRPCMethods/>"), LIMIT).unwrap().header;
    for yes in ["1", "true", " TRUE "] {
        assert!(header(&format!("<c:HoldRequests s:mustUnderstand='1'>{yes}</c:HoldRequests>")).hold_requests);
    }
    assert!(!header("<c:HoldRequests s:mustUnderstand='1'>0</c:HoldRequests>").hold_requests);
    assert!(!header("<c:NoMoreRequests s:mustUnderstand='1'>1</c:NoMoreRequests>").hold_requests);
    let version = header("<c:UseCWMPVersion s:mustUnderstand='1'> 1.2 </c:UseCWMPVersion>").use_version;
    assert_eq!(version.as_deref(), Some("1.2"));
}

#[test]
fn x11_blocks_that_have_to_be_understood() {
    let read = |header: &str| decode(&envelope(header, "<c:GetRPCMethods/>"), LIMIT).map_err(|error| error.kind);
    assert!(read("<v:A xmlns:v='urn:v'/>").is_ok());
    assert!(read("<v:A xmlns:v='urn:v' s:mustUnderstand='0'/>").is_ok());
    assert!(read("<v:A xmlns:v='urn:v' s:mustUnderstand='1' s:actor='urn:else'/>").is_ok());
    for actor in ["", "s:actor=''", "s:actor='http://schemas.xmlsoap.org/soap/actor/next'"] {
        let block = format!(
            "<v:A xmlns:v='urn:v' xmlns:q='http://schemas.xmlsoap.org/soap/envelope/' q:mustUnderstand='1' {actor}/>"
        );
        assert_eq!(read(&block), Err(ErrorKind::MustUnderstand("A".into())));
    }
    // A block of ours in a namespace that is not ours is none of ours.
    assert!(read("<v:HoldRequests xmlns:v='urn:v' s:mustUnderstand='1'>1</v:HoldRequests>").is_err());
}

#[test]
fn x12_faults_of_every_shape() {
    let fault = |inner: &str| match body(&envelope("", inner)) {
        Message::Fault(fault) => fault,
        other => panic!("{other:?}"),
    };
    for detail in
        ["<c:Fault><FaultCode> 8005\n</FaultCode></c:Fault>", "<Fault><c:FaultCode>8005</c:FaultCode></Fault>"]
    {
        let fault = fault(&format!("<s:Fault><faultcode>s:Client</faultcode><detail>{detail}</detail></s:Fault>"));
        assert!(matches!(fault, SoapFault::Cwmp(it) if it.code.0 == 8005), "{detail}");
    }
    let plain = fault("<s:Fault><faultcode> s:VersionMismatch </faultcode><faultstring>x</faultstring></s:Fault>");
    assert_eq!(plain, SoapFault::Plain("VersionMismatch".into(), "x".into()));
}

#[test]
fn x14_an_unknown_rpc_has_its_name() {
    let read = decode(&envelope("", "<c:Frobnicate><a><b/></a></c:Frobnicate>"), LIMIT).unwrap();
    assert_eq!(read.body, Some(Message::Unknown("Frobnicate".into())));
    assert_eq!(read.header.id.as_deref(), Some("7"));
    assert_eq!(body(&envelope("", "<x:Reboot xmlns:x='urn:x'/>")), Message::Unknown("Reboot".into()));
}

#[test]
fn x18_white_space_belongs_to_values_only() {
    let read = body(&envelope(
        "",
        "<c:SetParameterValues><ParameterList><X><Name>\n Device.A </Name><Value xsi:type=' xsd:string '> a <![CDATA[<b]]><!-- c --> </Value>\
         <Unknown><Deep/></Unknown></X></ParameterList><ParameterKey> k </ParameterKey></c:SetParameterValues>",
    ));
    let value = Value { kind: Some("string".into()), text: " a <b ".into() };
    let parameters = vec![ParameterValue { name: "Device.A".into(), value }];
    assert_eq!(read, Message::SetParameterValues { parameters, parameter_key: " k ".into() });
    let read =
        body(&envelope("", "<c:ScheduleInform><DelaySeconds> 60\n</DelaySeconds><CommandKey/></c:ScheduleInform>"));
    assert_eq!(read, Message::ScheduleInform { delay_seconds: 60, command_key: String::new() });
}

#[test]
fn x19_booleans() {
    for (text, value) in
        [("0", false), ("1", true), ("true", true), ("false", false), (" True\n", true), ("FALSE", false)]
    {
        let inner = format!("<c:GetParameterNames><ParameterPath/><NextLevel>{text}</NextLevel></c:GetParameterNames>");
        assert_eq!(body(&envelope("", &inner)), Message::GetParameterNames { path: String::new(), next_level: value });
    }
}

/// What makes a request answerable with fault 9003, with its name and ID.
#[test]
fn bad_arguments_are_named() {
    for (inner, told) in [
        ("<c:GetParameterNames><ParameterPath/></c:GetParameterNames>", "GetParameterNames: NextLevel is missing"),
        (
            "<c:GetParameterNames><ParameterPath/><NextLevel>2</NextLevel></c:GetParameterNames>",
            "GetParameterNames: NextLevel is not a boolean",
        ),
        ("<c:GetParameterValues/>", "GetParameterValues: ParameterNames is missing"),
        (
            "<c:SetParameterValues><ParameterList><P><Name>a</Name></P></ParameterList></c:SetParameterValues>",
            "SetParameterValues: Value is missing",
        ),
        (
            "<c:SetParameterValues><ParameterList><P><Name>a</Name><Value><b/></Value></P></ParameterList></c:SetParameterValues>",
            "SetParameterValues: element b where only text belongs",
        ),
        (
            "<c:ScheduleInform><DelaySeconds>-1</DelaySeconds></c:ScheduleInform>",
            "ScheduleInform: DelaySeconds is not a number in its range",
        ),
        (
            "<c:ScheduleInform><DelaySeconds>4294967296</DelaySeconds></c:ScheduleInform>",
            "ScheduleInform: DelaySeconds is not a number in its range",
        ),
        ("<c:Download><FileType>1 X</FileType></c:Download>", "Download: URL is missing"),
        ("<c:ChangeDUState/>", "ChangeDUState: Operations is missing"),
        ("<c:AddObject/>", "AddObject: ObjectName is missing"),
    ] {
        assert_eq!(arguments(inner), told);
    }
    // Bad XML further on is worse than a bad argument.
    let mut bytes = envelope("", "<c:AddObject/>");
    bytes.truncate(bytes.len() - 3);
    assert!(matches!(refusal(&bytes).kind, ErrorKind::NotXml(_)));
}

#[test]
fn x15_what_is_no_envelope() {
    assert!(matches!(refusal(b"<html><body/></html>").kind, ErrorKind::NoEnvelope(_)));
    assert!(matches!(
        refusal(b"<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'/>").kind,
        ErrorKind::NoEnvelope(_)
    ));
    let newer = "http://www.w3.org/2003/05/soap-envelope";
    let bytes = format!("<Envelope xmlns='{newer}'><Body/></Envelope>");
    assert_eq!(refusal(bytes.as_bytes()).kind, ErrorKind::EnvelopeVersion(newer.into()));
    assert!(matches!(refusal(b"").kind, ErrorKind::NotXml(_)));
    assert!(matches!(refusal(b"not XML").kind, ErrorKind::NotXml(_)));
    assert_eq!(decode(&envelope("", " "), LIMIT).unwrap().body, None);
}

/// X-15, S7: a message that ends anywhere is an error, and no more.
#[test]
fn x15_truncated_at_every_byte() {
    for file in [
        "generated/genieacs-SetParameterValues-cwmp1.0.xml",
        "generated/freeacs-Download.xml",
        "open/cwmp_ex-change_du_state-2.xml",
        "open/oran-BootstrapInformTest.xml",
    ] {
        let Some(bytes) = corpus(file) else { return };
        let whole = bytes.trim_ascii_end();
        for end in 0..whole.len() {
            let result = decode(&whole[..end], LIMIT);
            assert!(
                matches!(result, Err(DecodeError { kind: ErrorKind::NotXml(_), .. })),
                "{file} at {end}: {result:?}"
            );
        }
        decode(whole, LIMIT).unwrap();
    }
}

/// X-16, S9: each is refused at once.
#[test]
fn x16_hostile_messages_cost_nothing() {
    let mut laughs = String::from("<!DOCTYPE l [<!ENTITY a0 'ha'>");
    for i in 1..20 {
        laughs += &format!("<!ENTITY a{i} '{}'>", format!("&a{};", i - 1).repeat(10));
    }
    laughs += "]><l>&a19;</l>";
    let nested = envelope("", &["<a>".repeat(10_000), "</a>".repeat(10_000)].concat());
    let many_attributes: String = (0..10_000).map(|i| format!("a{i}='' ")).collect();
    let attributes = envelope("", &format!("<a {many_attributes}/>"));
    let namespaces: String = (0..10_000).map(|i| format!("xmlns:n{i}='u' ")).collect();
    let many = envelope("", &format!("<a {namespaces}>{}</a>", "<b/>".repeat(100_000)));
    let elements = envelope("", &format!("<c:A>{}</c:A>", "<b/>".repeat(200_000)));
    let external = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>".to_owned();
    let long = envelope("", &format!("<c:{}/>", "x".repeat(100_000)));
    for bytes in
        [laughs.into_bytes(), nested, attributes, many, elements, external.into_bytes(), long, vec![b'<'; LIMIT + 1]]
    {
        let start = Instant::now();
        let refusal = refusal(&bytes);
        assert!(matches!(refusal.kind, ErrorKind::NotXml(_)), "{refusal}");
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

/// X-04, S10.
#[test]
fn x04_sizes() {
    let request = |size: usize| {
        let value = "x".repeat(size);
        envelope(
            "",
            &format!(
                "<c:SetParameterValues><ParameterList><P><Name>Device.A</Name><Value>{value}</Value></P></ParameterList></c:SetParameterValues>"
            ),
        )
    };
    assert!(decode(&request(33 * 1024), LIMIT).is_ok());
    assert!(decode(&request(33 * 1024), 32 * 1024).unwrap_err().to_string().contains("limit"));
    let names = "<string>Device.A</string>".repeat(40_000);
    let many =
        envelope("", &format!("<c:GetParameterValues><ParameterNames>{names}</ParameterNames></c:GetParameterValues>"));
    assert!(matches!(body(&many), Message::GetParameterValues { names } if names.len() == 40_000));
}

proptest! {
    /// X-15, S7.
    #[test]
    fn x15_random_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes, LIMIT);
    }

    /// Bytes of a real message changed at random.
    #[test]
    fn x15_damaged_messages_do_not_panic(at in 0usize..4000, byte: u8, cut in 0usize..20) {
        let Some(mut bytes) = corpus("generated/genieacs-SetParameterAttributes-cwmp1.0.xml") else { return Ok(()) };
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.drain(at..(at + cut).min(bytes.len()));
        // Of an unknown message only the name is kept, which may be that of a message with arguments.
        let taken = decode(&bytes, LIMIT).ok().filter(|it| !matches!(it.body, Some(Message::Unknown(_))));
        if let Some(envelope) = taken {
            let once = encode(&envelope);
            let again = decode(&once, 2 * LIMIT).unwrap();
            prop_assert_eq!(encode(&again), once);
        }
    }
}
