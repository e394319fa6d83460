//! State by state, in the order of the diagram.

use super::*;
use crate::soap::rpc::TransferComplete;

/// A session and what it wants next.
struct Scene {
    session: Session,
    step: Step,
}

fn transfer(key: &str) -> OwnRequest {
    let message = Message::TransferComplete(Box::new(TransferComplete {
        command_key: key.into(),
        ..TransferComplete::default()
    }));
    OwnRequest { key: key.into(), message }
}

fn config(own_requests: Vec<OwnRequest>) -> SessionConfig {
    SessionConfig {
        version: Version::V1_4,
        inform: Inform { retry_count: 3, ..Inform::default() },
        own_requests,
        id_prefix: "cpe-".into(),
        session_timeout: None,
    }
}

fn start(own_requests: Vec<OwnRequest>) -> Scene {
    let (session, step) = Session::start(config(own_requests));
    Scene { session, step }
}

/// After the InformResponse.
fn informed(own_requests: Vec<OwnRequest>) -> Scene {
    let mut scene = start(own_requests);
    scene.message(inform_response());
    scene
}

fn inform_response() -> Message {
    Message::InformResponse { max_envelopes: 1 }
}

fn gpv() -> Message {
    Message::GetParameterValues { names: vec!["Device.".into()] }
}

fn cwmp_fault(code: u16) -> Message {
    Message::Fault(SoapFault::Cwmp(Fault::from(FaultCode(code))))
}

fn envelope(body: Message) -> Envelope {
    answer(Some("acs".into()), Namespace::Cwmp12, body)
}

impl Scene {
    fn receive(&mut self, received: Received) -> &mut Self {
        self.step = self.session.received(received);
        self
    }

    fn message(&mut self, body: Message) -> &mut Self {
        self.receive(Received::Envelope(envelope(body)))
    }

    fn held(&mut self, body: Message) -> &mut Self {
        let mut held = envelope(body);
        held.header.hold_requests = true;
        self.receive(Received::Envelope(held))
    }

    fn empty(&mut self) -> &mut Self {
        self.status(204)
    }

    fn status(&mut self, status: u16) -> &mut Self {
        self.receive(Received::Http { status, retry_after: None })
    }

    #[track_caller]
    fn posts(&mut self, check: impl Fn(&Message) -> bool) -> &mut Self {
        let Action::Post(envelope) = &self.step.action else { panic!("{:?}", self.step.action) };
        assert!(check(envelope.body.as_ref().unwrap()), "{envelope:?}");
        self
    }

    #[track_caller]
    fn posts_transfer(&mut self, key: &str) -> &mut Self {
        self.posts(|message| *message == transfer(key).message)
    }

    #[track_caller]
    fn posts_empty(&mut self) -> &mut Self {
        assert_eq!(self.step.action, Action::PostEmpty);
        self
    }

    #[track_caller]
    fn handles(&mut self, expected: &Message) -> &mut Self {
        let Action::Handle { id, namespace, request } = &self.step.action else { panic!("{:?}", self.step.action) };
        assert_eq!((id.as_deref(), *namespace, request), (Some("acs"), Namespace::Cwmp12, expected));
        self
    }

    #[track_caller]
    fn acknowledges(&mut self, key: &str) -> &mut Self {
        match &self.step.acknowledged[..] {
            [Acknowledged::Request { key: acknowledged, .. }] => assert_eq!(acknowledged, key),
            other => panic!("{other:?}"),
        }
        self
    }

    #[track_caller]
    fn completes(&mut self) {
        assert_eq!(self.step, Step { acknowledged: vec![], action: Action::Close(Outcome::Complete) });
    }

    #[track_caller]
    fn fails(&mut self) -> Failure {
        let Action::Close(Outcome::Failed(failure)) = &self.step.action else { panic!("{:?}", self.step.action) };
        assert_eq!(self.step.acknowledged, []);
        failure.clone()
    }
}

fn undecodable(kind: ErrorKind) -> Received {
    Received::Undecodable(DecodeError { kind, id: Some("bad".into()) })
}

/// Answers that never fit, in no state.
fn broken() -> Vec<Received> {
    vec![
        Received::Http { status: 500, retry_after: None },
        Received::Http { status: 404, retry_after: None },
        Received::Http { status: 302, retry_after: None },
        Received::Http { status: 401, retry_after: None },
        Received::Lost("connection reset".into()),
        undecodable(ErrorKind::NotXml("end of file".into())),
        undecodable(ErrorKind::NoEnvelope("html".into())),
        undecodable(ErrorKind::EnvelopeVersion("http://www.w3.org/2003/05/soap-envelope".into())),
        undecodable(ErrorKind::Arguments { method: "InformResponse".into(), reason: "no MaxEnvelopes".into() }),
        undecodable(ErrorKind::Arguments { method: "Fault".into(), reason: "no FaultCode".into() }),
        Received::Envelope(envelope(Message::RebootResponse)),
        Received::Envelope(envelope(Message::Unknown("FrobnicateResponse".into()))),
    ]
}

mod inform {
    use super::*;

    #[test]
    fn l01_v01_v02_the_inform_comes_first_with_the_supported_versions() {
        let scene = start(vec![]);
        let Action::Post(envelope) = &scene.step.action else { panic!() };
        assert_eq!(envelope.namespace, Namespace::Cwmp12);
        let header = Header {
            id: Some("cpe-1".into()),
            supported_versions: Some("1.0,1.1,1.2,1.3,1.4".into()),
            ..Header::default()
        };
        assert_eq!(envelope.header, header);
        assert!(matches!(&envelope.body, Some(Message::Inform(inform)) if inform.retry_count == 3));
    }

    #[test]
    fn l13_v07_a_session_timeout_and_a_low_version() {
        let (_, step) =
            Session::start(SessionConfig { session_timeout: Some(60), version: Version::V1_0, ..config(vec![]) });
        let Action::Post(envelope) = step.action else { panic!() };
        assert_eq!(envelope.header.session_timeout, Some(60));
        assert_eq!(envelope.header.supported_versions.as_deref(), Some("1.0"));
        assert_eq!(envelope.namespace, Namespace::Cwmp10);
    }

    #[test]
    fn l02_r10_the_response_acknowledges_the_events_before_the_next_post() {
        let mut scene = start(vec![]);
        scene.message(Message::InformResponse { max_envelopes: 5 }).posts_empty();
        assert_eq!(scene.step.acknowledged, [Acknowledged::Inform]);
    }

    #[test]
    fn l09_8005_brings_the_same_inform_again() {
        let mut scene = start(vec![]);
        let first = scene.step.clone();
        for _ in 0..3 {
            assert_eq!(scene.message(cwmp_fault(8005)).step, first);
        }
        scene.message(inform_response()).posts_empty();
        assert_eq!(scene.step.acknowledged, [Acknowledged::Inform]);
    }

    #[test]
    fn l09_8005_without_end_fails() {
        let mut scene = start(vec![]);
        let mut informs = 0;
        while let Action::Post(_) = scene.step.action {
            informs += 1;
            scene.message(cwmp_fault(8005));
        }
        assert_eq!(informs, 1 + GREATEST_REPEATS);
        assert!(!scene.fails().lower_version);
    }

    #[test]
    fn r09_l11_any_other_answer_fails_without_an_acknowledgement() {
        let mut answers = broken();
        answers.extend([
            Received::Http { status: 204, retry_after: None },
            Received::Http { status: 200, retry_after: None },
            Received::Envelope(envelope(gpv())),
            Received::Envelope(envelope(Message::Unknown("Frobnicate".into()))),
            Received::Envelope(envelope(cwmp_fault(8001))),
            Received::Envelope(envelope(cwmp_fault(8002))),
            Received::Envelope(envelope(Message::Fault(SoapFault::Plain("Server".into(), "no".into())))),
            Received::Envelope(Envelope { body: None, ..envelope(gpv()) }),
            undecodable(ErrorKind::MustUnderstand("Quota".into())),
            undecodable(ErrorKind::MalformedFault),
        ]);
        for received in answers {
            let failure = start(vec![transfer("a")]).receive(received.clone()).fails();
            assert!(!failure.lower_version && !failure.reason.is_empty(), "{received:?}");
        }
    }

    #[test]
    fn v05_a_refused_version_is_told_from_other_failures() {
        let refusals = [
            Received::Envelope(envelope(cwmp_fault(8006))),
            Received::Envelope(envelope(Message::Fault(SoapFault::Plain("VersionMismatch".into(), String::new())))),
            Received::Http { status: 400, retry_after: None },
        ];
        for received in refusals {
            assert!(start(vec![]).receive(received).fails().lower_version);
        }
        assert!(!informed(vec![]).status(400).fails().lower_version, "400 later is about something else");
    }

    #[test]
    fn v03_v04_the_version_is_agreed_by_header_or_namespace() {
        let table = [
            (Some("1.0"), Namespace::Cwmp12, Version::V1_0, Namespace::Cwmp10),
            (Some("1.3"), Namespace::Cwmp10, Version::V1_3, Namespace::Cwmp12),
            (Some("9.9"), Namespace::Cwmp11, Version::V1_1, Namespace::Cwmp11),
            (None, Namespace::Cwmp10, Version::V1_0, Namespace::Cwmp10),
            (None, Namespace::Cwmp11, Version::V1_1, Namespace::Cwmp11),
            (None, Namespace::Cwmp12, Version::V1_2, Namespace::Cwmp12),
            (None, Namespace::Cwmp13, Version::V1_3, Namespace::Cwmp12),
            (None, Namespace::Cwmp14, Version::V1_4, Namespace::Cwmp12),
        ];
        for (header, namespace, version, written) in table {
            let mut scene = start(vec![transfer("a")]);
            let mut response = Envelope { namespace, ..envelope(inform_response()) };
            response.header.use_version = header.map(Into::into);
            scene.receive(Received::Envelope(response));
            assert_eq!(scene.session.version(), version);
            let Action::Post(envelope) = &scene.step.action else { panic!() };
            assert_eq!(envelope.namespace, written);
        }
    }

    #[test]
    fn v03_the_acs_cannot_choose_a_version_that_was_not_offered() {
        let (mut session, _) = Session::start(SessionConfig { version: Version::V1_1, ..config(vec![]) });
        let mut response = envelope(inform_response());
        response.header.use_version = Some("1.4".into());
        session.received(Received::Envelope(response));
        assert_eq!(session.version(), Version::V1_1);
    }

    #[test]
    fn a_503_tells_how_long_to_wait() {
        let retry_after = Some(Duration::from_secs(90));
        let failure = start(vec![]).receive(Received::Http { status: 503, retry_after }).fails();
        assert_eq!((failure.retry_after, failure.lower_version), (retry_after, false));
    }

    #[test]
    fn what_the_acs_writes_cannot_spoil_the_log() {
        let fault = Fault::new(FaultCode(8001), format!("no\r\nfaked line {}", "x".repeat(1000)));
        let reason = start(vec![]).message(Message::Fault(SoapFault::Cwmp(fault))).fails().reason;
        assert!(reason.contains("fault 8001 (no  faked line"));
        assert_eq!(reason.chars().count(), 300);
    }
}

mod own_requests {
    use super::*;

    #[test]
    fn l03_l04_come_one_by_one_and_before_the_empty_post() {
        let mut scene = informed(vec![transfer("a"), transfer("b")]);
        scene.posts_transfer("a");
        scene.message(Message::TransferCompleteResponse).acknowledges("a").posts_transfer("b");
        scene.message(Message::TransferCompleteResponse).acknowledges("b").posts_empty();
        scene.empty().completes();
    }

    #[test]
    fn l03_each_request_has_an_id_of_its_own() {
        let mut scene = informed(vec![transfer("a"), transfer("b")]);
        let mut ids = Vec::new();
        while let Action::Post(envelope) = &scene.step.action {
            ids.push(envelope.header.id.clone().unwrap());
            scene.message(Message::TransferCompleteResponse);
        }
        assert_eq!(ids, ["cpe-2", "cpe-3"]);
    }

    #[test]
    fn l10_8005_brings_the_same_request_again() {
        let mut scene = informed(vec![transfer("a")]);
        let first = scene.step.action.clone();
        assert_eq!(scene.message(cwmp_fault(8005)).step.action, first);
        scene.message(Message::TransferCompleteResponse).acknowledges("a").posts_empty();
        let mut scene = informed(vec![transfer("a")]);
        for _ in 0..=GREATEST_REPEATS {
            scene.message(cwmp_fault(8005));
        }
        scene.fails();
    }

    #[test]
    fn l10_another_fault_keeps_the_request_for_a_later_session_under_the_retry_policy() {
        let mut scene = informed(vec![transfer("a"), transfer("b")]);
        scene.message(cwmp_fault(8002)).posts_transfer("b");
        assert_eq!(scene.step.acknowledged, []);
        scene.message(Message::TransferCompleteResponse).acknowledges("b").posts_empty();
        scene.message(gpv()).handles(&gpv());
        assert!(scene.empty().fails().reason.contains("8002"));
    }

    #[test]
    fn g03_what_the_acs_need_not_know_is_not_tried_again() {
        let autonomous = Message::AutonomousTransferComplete(Box::default());
        let table = [
            (Message::GetRpcMethods, cwmp_fault(8000)),
            (Message::GetRpcMethods, cwmp_fault(8002)),
            (Message::RequestDownload { file_type: "1".into(), arguments: vec![] }, cwmp_fault(8000)),
            (autonomous, cwmp_fault(8000)),
        ];
        for (message, fault) in table {
            let mut scene = informed(vec![OwnRequest { key: "o".into(), message }, transfer("a")]);
            scene.message(fault).posts_transfer("a");
            assert!(matches!(&scene.step.acknowledged[..], [Acknowledged::Refused { key, .. }] if key == "o"));
            scene.message(Message::TransferCompleteResponse).posts_empty().empty().completes();
        }
    }

    #[test]
    fn g03_what_the_acs_does_not_list_is_not_sent() {
        let own = |key: &str, message| OwnRequest { key: key.into(), message };
        let wish = Message::RequestDownload { file_type: "1".into(), arguments: vec![] };
        let autonomous = || Message::AutonomousTransferComplete(Box::default());
        let requests =
            || vec![own("m", Message::GetRpcMethods), own("w", wish.clone()), own("a", autonomous()), transfer("t")];
        let refused = |step: &Step| -> Vec<String> {
            let key = |acknowledged: &Acknowledged| match acknowledged {
                Acknowledged::Refused { key, .. } => Some(key.clone()),
                _ => None,
            };
            step.acknowledged.iter().filter_map(key).collect()
        };
        let mut scene = informed(requests());
        let listed = vec!["Inform".into(), "AutonomousTransferComplete".into()];
        scene.message(Message::GetRpcMethodsResponse(listed));
        assert_eq!(refused(&scene.step), ["w"]);
        scene.message(Message::AutonomousTransferCompleteResponse).posts_transfer("t");
        scene.message(Message::TransferCompleteResponse).posts_empty().empty().completes();
        // An ACS that does not even know the question; a TransferComplete every ACS knows.
        let mut scene = informed(requests());
        scene.message(cwmp_fault(8000)).posts_transfer("t");
        assert_eq!(refused(&scene.step), ["m", "w", "a"]);
    }

    #[test]
    fn g03_a_fault_that_is_no_xml_says_that_the_acs_does_not_know_the_method() {
        let mut scene = informed(vec![OwnRequest { key: "o".into(), message: Message::GetRpcMethods }]);
        scene.receive(undecodable(ErrorKind::MalformedFault)).posts_empty();
        assert!(matches!(scene.step.acknowledged[..], [Acknowledged::Refused { .. }]));
        scene.empty().completes();
        let mut scene = informed(vec![transfer("a")]);
        scene.receive(undecodable(ErrorKind::MalformedFault)).posts_empty();
        assert_eq!(scene.step.acknowledged, []);
        assert!(scene.empty().fails().reason.contains("8000"));
    }

    #[test]
    fn v07_what_the_version_of_the_acs_has_not_is_not_sent() {
        let du = Message::DuStateChangeComplete { results: vec![], command_key: "k".into() };
        let own = |key: &str, message| OwnRequest { key: key.into(), message };
        let autonomous = || Message::AutonomousTransferComplete(Box::default());
        let mut scene = start(vec![own("du", du), own("at", autonomous()), transfer("a")]);
        scene.receive(Received::Envelope(Envelope { namespace: Namespace::Cwmp10, ..envelope(inform_response()) }));
        scene.posts_transfer("a");
        let refused = |step: &Step| -> Vec<String> {
            let key = |acknowledged: &Acknowledged| match acknowledged {
                Acknowledged::Refused { key, .. } => Some(key.clone()),
                _ => None,
            };
            step.acknowledged.iter().filter_map(key).collect()
        };
        assert_eq!(scene.step.acknowledged[0], Acknowledged::Inform);
        assert_eq!(refused(&scene.step), ["du", "at"]);
        scene.message(Message::TransferCompleteResponse).posts_empty();
        let mut scene = start(vec![own("at", autonomous())]);
        scene.receive(Received::Envelope(Envelope { namespace: Namespace::Cwmp11, ..envelope(inform_response()) }));
        scene.posts(|message| *message == autonomous());
    }

    #[test]
    fn g03_the_answer_reaches_the_driver() {
        let mut scene = informed(vec![OwnRequest { key: "m".into(), message: Message::GetRpcMethods }]);
        let response = Message::GetRpcMethodsResponse(vec!["Inform".into()]);
        scene.message(response.clone()).posts_empty();
        assert_eq!(scene.step.acknowledged, [Acknowledged::Request { key: "m".into(), response }]);
    }

    #[test]
    fn r09_r10_without_its_response_a_request_is_not_acknowledged() {
        let mut answers = broken();
        answers.extend([
            Received::Http { status: 204, retry_after: None },
            Received::Envelope(envelope(gpv())),
            Received::Envelope(envelope(inform_response())),
            undecodable(ErrorKind::Arguments { method: "Reboot".into(), reason: "no CommandKey".into() }),
            Received::Envelope(envelope(Message::GetRpcMethodsResponse(vec![]))),
            Received::Envelope(Envelope { body: None, ..envelope(gpv()) }),
        ]);
        for received in answers {
            informed(vec![transfer("a")]).receive(received).fails();
        }
    }

    #[test]
    fn each_request_has_one_response() {
        let requests = [
            (transfer("").message, Message::TransferCompleteResponse),
            (Message::AutonomousTransferComplete(Box::default()), Message::AutonomousTransferCompleteResponse),
            (
                Message::DuStateChangeComplete { results: vec![], command_key: String::new() },
                Message::DuStateChangeCompleteResponse,
            ),
            (
                Message::AutonomousDuStateChangeComplete { results: vec![] },
                Message::AutonomousDuStateChangeCompleteResponse,
            ),
            (
                Message::RequestDownload { file_type: String::new(), arguments: vec![] },
                Message::RequestDownloadResponse,
            ),
            (
                Message::Kicked {
                    command: String::new(),
                    referer: String::new(),
                    argument: String::new(),
                    next: String::new(),
                },
                Message::KickedResponse { next_url: String::new() },
            ),
            (Message::GetRpcMethods, Message::GetRpcMethodsResponse(vec![])),
        ];
        for (request, own) in &requests {
            for (_, response) in &requests {
                let mut scene = informed(vec![OwnRequest { key: "k".into(), message: request.clone() }]);
                scene.message(response.clone());
                if response == own {
                    scene.acknowledges("k").posts_empty();
                } else {
                    scene.fails();
                }
            }
        }
    }
}

mod hold_requests {
    use super::*;

    #[test]
    fn x09_own_requests_wait_while_the_acs_holds_them() {
        let mut scene = start(vec![transfer("a")]);
        scene.held(inform_response()).posts_empty();
        assert_eq!(scene.step.acknowledged, [Acknowledged::Inform]);
        for _ in 0..3 {
            scene.held(gpv()).handles(&gpv());
        }
        // The holding ends with the empty answer; the empty POSTs so far did not say that there is nothing left.
        scene.empty().posts_transfer("a");
        scene.message(Message::TransferCompleteResponse).acknowledges("a").posts_empty();
        scene.empty().completes();
    }

    #[test]
    fn x09_holding_can_begin_between_two_requests() {
        let mut scene = informed(vec![transfer("a"), transfer("b")]);
        scene.held(Message::TransferCompleteResponse).acknowledges("a").posts_empty();
        scene.message(gpv()).handles(&gpv());
        scene.empty().posts_transfer("b");
    }

    #[test]
    fn l06_the_session_ends_only_after_an_empty_post_that_was_not_held() {
        let mut scene = start(vec![]);
        scene.held(inform_response()).posts_empty();
        scene.empty().posts_empty();
        scene.empty().completes();
    }

    #[test]
    fn l04_after_the_last_empty_post_holding_changes_nothing() {
        let mut scene = informed(vec![]);
        scene.posts_empty().held(gpv()).handles(&gpv()).empty().completes();
    }
}

mod serve {
    use super::*;

    #[test]
    fn l05_l08_x08_the_acs_may_chain_any_number_of_requests() {
        let mut scene = informed(vec![]);
        for _ in 0..5000 {
            scene.message(gpv()).handles(&gpv());
        }
        scene.empty().completes();
    }

    #[test]
    fn x08_an_id_of_any_form_or_none_reaches_the_handler_unchanged() {
        for id in [None, Some(""), Some("a<&\"'>"), Some(" padded "), Some(&*"i".repeat(60))] {
            let mut scene = informed(vec![]);
            let mut request = envelope(Message::Reboot { command_key: "k".into() });
            request.header.id = id.map(Into::into);
            scene.receive(Received::Envelope(request));
            let Action::Handle { id: given, .. } = &scene.step.action else { panic!() };
            assert_eq!(given.as_deref(), id);
            let reply = answer(given.clone(), Namespace::Cwmp10, Message::RebootResponse);
            assert_eq!(reply.header, Header { id: given.clone(), ..Header::default() });
        }
    }

    #[test]
    fn l06_t05_both_forms_of_an_empty_answer_end_the_session() {
        informed(vec![]).status(204).completes();
        informed(vec![]).status(200).completes();
        informed(vec![]).receive(Received::Envelope(Envelope { body: None, ..envelope(gpv()) })).completes();
    }

    #[test]
    fn l07_an_empty_answer_before_our_last_empty_post_is_not_the_end() {
        let mut scene = start(vec![]);
        scene.held(inform_response()).posts_empty();
        scene.message(gpv()).handles(&gpv());
        scene.empty().posts_empty();
        scene.message(gpv()).handles(&gpv());
        scene.empty().completes();
    }

    #[test]
    fn x14_unknown_requests_and_those_of_the_cpe_are_for_the_handler_to_refuse() {
        for request in [Message::Unknown("Frobnicate".into()), Message::Inform(Box::default())] {
            let mut scene = informed(vec![]);
            scene.message(request.clone()).handles(&request);
            scene.message(gpv()).handles(&gpv());
        }
    }

    #[test]
    fn x11_x15_g02_a_request_with_bad_arguments_or_headers_gets_its_fault_and_the_session_goes_on() {
        let arguments =
            ErrorKind::Arguments { method: "GetParameterNames".into(), reason: "NextLevel is missing".into() };
        let method = ErrorKind::Arguments { method: "SetVouchers".into(), reason: "VoucherList is missing".into() };
        let header = ErrorKind::MustUnderstand("Quota".into());
        for (kind, fault) in [
            (arguments, SoapFault::Cwmp(Fault::arguments("NextLevel is missing"))),
            (method, SoapFault::Cwmp(Fault::from(FaultCode::METHOD_NOT_SUPPORTED))),
            (header, SoapFault::Plain("MustUnderstand".into(), "the header Quota is not known".into())),
        ] {
            let mut scene = informed(vec![]);
            scene.receive(undecodable(kind));
            let expected = answer(Some("bad".into()), Namespace::Cwmp12, Message::Fault(fault));
            assert_eq!(scene.step.action, Action::Post(Rc::new(expected)));
            scene.message(gpv()).handles(&gpv());
            scene.empty().completes();
        }
    }

    #[test]
    fn x13_x15_r09_what_answers_nothing_ends_the_session_without_a_fault() {
        let mut answers = broken();
        answers.extend([
            Received::Envelope(envelope(inform_response())),
            Received::Envelope(envelope(Message::TransferCompleteResponse)),
            Received::Envelope(envelope(Message::GetParameterValuesResponse(vec![]))),
            undecodable(ErrorKind::MalformedFault),
            Received::Envelope(envelope(cwmp_fault(8005))),
            Received::Envelope(envelope(Message::Fault(SoapFault::Plain("Client".into(), String::new())))),
        ]);
        for received in answers {
            informed(vec![]).receive(received.clone()).fails();
            let mut handled = informed(vec![]);
            handled.message(gpv()).receive(received).fails();
        }
    }
}

mod closed {
    use super::*;

    #[test]
    fn nothing_opens_a_session_again() {
        let mut scene = informed(vec![]);
        scene.empty().completes();
        scene.message(gpv()).completes();
        scene.receive(Received::Lost("late".into())).completes();
        let mut scene = informed(vec![]);
        let failure = scene.status(500).fails();
        assert_eq!(scene.message(inform_response()).fails(), failure);
        assert_eq!(scene.status(400).fails(), failure);
    }

    #[test]
    fn a_failure_says_what_was_waited_for() {
        let lost = || Received::Lost("connection reset by peer".into());
        let reason = |scene: &mut Scene| scene.receive(lost()).fails().reason;
        assert_eq!(reason(&mut start(vec![])), "waiting for the InformResponse: connection reset by peer");
        let own = "waiting for the response to a request of the CPE: connection reset by peer";
        assert_eq!(reason(&mut informed(vec![transfer("a")])), own);
        assert_eq!(reason(&mut informed(vec![])), "waiting for requests of the ACS: connection reset by peer");
    }
}
