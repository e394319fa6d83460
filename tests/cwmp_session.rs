//! Whole sessions: messages of real ACSs in every state, and a CPE that is killed at any moment between two steps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/schema.rs"]
mod schema;

use std::fs;

use cwmpd::cwmp::events::{Confirmation, EventCode, Queue};
use cwmpd::cwmp::inform::{Contents, Parameters, assemble};
use cwmpd::cwmp::session::{Acknowledged, Action, Outcome, OwnRequest, Received, Session, SessionConfig, Step, answer};
use cwmpd::cwmp::version::Version;
use cwmpd::soap::rpc::*;
use cwmpd::soap::{decode, encode};
use cwmpd::time::{PosixTz, UtcTime};
use proptest::prelude::*;

struct Model;

impl Parameters for Model {
    fn read(&mut self, name: &str) -> Vec<ParameterValue> {
        let value = Value { kind: Some("string".into()), text: "a<b&c".into() };
        let known = name != "Device.ManagementServer.AliasBasedAddressing";
        known.then(|| ParameterValue { name: name.into(), value }).into_iter().collect()
    }
}

fn inform(events: Vec<Event>) -> Inform {
    let text = |text: &str| text.to_owned();
    let contents = Contents {
        device_id: DeviceId {
            manufacturer: text("Example"),
            oui: text("00D09E"),
            product_class: String::new(),
            serial_number: text("1"),
        },
        events,
        now: UtcTime::parse("2026-07-01T10:00:00.25Z"),
        zone: &PosixTz::parse("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
        retry_count: 0,
        changed: &[],
        rows: &[],
        extra: &[],
    };
    assemble(contents, &mut Model)
}

fn transfer(key: &str) -> OwnRequest {
    let time = UtcTime::UNKNOWN.to_string();
    let transfer = TransferComplete {
        command_key: key.into(),
        start_time: time.clone(),
        complete_time: time,
        ..TransferComplete::default()
    };
    OwnRequest { key: key.into(), message: Message::TransferComplete(Box::new(transfer)) }
}

fn start(version: Version, events: Vec<Event>, own_requests: Vec<OwnRequest>) -> (Session, Step) {
    let config = SessionConfig {
        version,
        inform: inform(events),
        own_requests,
        id_prefix: "cpe-".into(),
        session_timeout: Some(60),
    };
    Session::start(config)
}

fn from_acs(body: Message) -> Received {
    Received::Envelope(answer(Some("acs".into()), Namespace::Cwmp12, body))
}

fn empty() -> Received {
    Received::Http { status: 204, retry_after: None }
}

fn bytes(step: &Step) -> Vec<u8> {
    match &step.action {
        Action::Post(envelope) => encode(envelope),
        other => panic!("{other:?}"),
    }
}

/// X-01, V-01, V-07, I-03: what a session sends of its own is valid in the namespace of the ACS and reads back as it was.
#[test]
fn x01_what_a_session_sends_is_valid_in_every_version() {
    let mut messages = Vec::new();
    for version in Version::ALL {
        let event = Event { code: "M Download".into(), command_key: "k".into() };
        let (mut session, step) = start(version, vec![event], vec![transfer("k")]);
        messages.push(("Inform", bytes(&step)));
        let namespace = version.namespace();
        let response = answer(None, namespace, Message::InformResponse { max_envelopes: 1 });
        messages.push(("TransferComplete", bytes(&session.received(Received::Envelope(response)))));
        session.received(Received::Envelope(answer(None, namespace, Message::TransferCompleteResponse)));
        let request = b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:c='urn:dslforum-org:cwmp-1-0'>\
            <s:Header><c:ID s:mustUnderstand='1'>&lt;7&gt;</c:ID></s:Header><s:Body><c:AddObject/></s:Body></s:Envelope>";
        let step = session.received(Received::Undecodable(decode(request, 1 << 20).unwrap_err()));
        assert!(matches!(&step.action, Action::Post(fault) if fault.header.id.as_deref() == Some("<7>")));
        messages.push(("Fault", bytes(&step)));
    }
    for (name, message) in &messages {
        let read = decode(message, 1 << 20).unwrap();
        assert_eq!(read.body.as_ref().unwrap().name(), *name);
        assert_eq!(encode(&read), *message);
    }
    let labelled: Vec<(&str, &[u8])> = messages.iter().map(|(name, message)| (*name, message.as_slice())).collect();
    schema::validate(&labelled);
}

/// L-11: every message of the corpus in every state. A fault only ever answers a request.
#[test]
fn x13_x15_every_message_of_the_corpus_in_every_state() {
    let Some(corpus) = schema::shared("corpus") else { return };
    let mut files = 0;
    for directory in ["open", "generated"] {
        for file in fs::read_dir(corpus.join(directory)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "xml") {
                continue;
            }
            files += 1;
            let read = || match decode(&fs::read(&path).unwrap(), 1 << 20) {
                Ok(envelope) => Received::Envelope(envelope),
                Err(error) => Received::Undecodable(error),
            };
            let (mut session, inform) = start(Version::V1_4, vec![], vec![transfer("k")]);
            let step = session.received(read());
            assert!(
                matches!(step.action, Action::Close(Outcome::Failed(_)))
                    || step.action == inform.action
                    || step.acknowledged.first() == Some(&Acknowledged::Inform),
                "{path:?} {step:?}"
            );

            let (mut session, _) = start(Version::V1_4, vec![], vec![transfer("k")]);
            session.received(from_acs(Message::InformResponse { max_envelopes: 1 }));
            let step = session.received(read());
            let fault =
                matches!(&step.action, Action::Post(envelope) if matches!(envelope.body, Some(Message::Fault(_))));
            assert!(!fault, "{path:?} {step:?}");

            let (mut session, _) = start(Version::V1_4, vec![], vec![]);
            session.received(from_acs(Message::InformResponse { max_envelopes: 1 }));
            let step = session.received(read());
            let is_response = match read() {
                Received::Envelope(Envelope { body: Some(body), .. }) => {
                    body.name().ends_with("Response") || body.name() == "Fault"
                }
                _ => false,
            };
            assert_eq!(step.acknowledged, [], "{path:?}");
            if is_response {
                assert!(matches!(step.action, Action::Close(Outcome::Failed(_))), "{path:?} {step:?}");
            }
        }
    }
    assert!(files > 50, "only {files} files");
}

/// What the ACS does with a POST, and what happens to the CPE around it.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fate {
    Answer,
    Hold,
    Request,
    Retry,
    Refuse,
    Status500,
    Lost,
    Kill,
    Periodic,
}

/// A CPE with what it has saved, and an ACS that notes what it has been told.
struct World {
    saved: String,
    queue: Queue,
    results: Vec<String>,
    told: Vec<(String, String)>,
}

impl World {
    fn save(&mut self) {
        if self.queue.must_persist() {
            self.saved = serde_json::to_string(&self.queue).unwrap();
            self.queue.persisted();
        }
    }

    /// One session; true when it ended properly.
    fn session(&mut self, fates: &mut dyn Iterator<Item = Fate>) -> bool {
        let events = self.queue.for_inform(false);
        let requests = self.results.iter().map(|key| transfer(key)).collect();
        let (mut session, mut step) = start(Version::V1_4, events.clone(), requests);
        loop {
            for acknowledged in &step.acknowledged {
                match acknowledged {
                    Acknowledged::Inform => self.queue.acknowledge_inform(),
                    Acknowledged::Request { key, .. } => {
                        self.results.retain(|result| result != key);
                        let more = !self.results.is_empty();
                        self.queue.acknowledge_response(Confirmation::TransferCompleteResponse, key, more);
                    }
                    Acknowledged::Refused { .. } => panic!("nothing was refused"),
                }
            }
            self.save();
            let fate = fates.next().unwrap_or(Fate::Answer);
            if fate == Fate::Kill {
                self.queue = serde_json::from_str(&self.saved).unwrap();
                return false;
            }
            if fate == Fate::Periodic {
                self.queue.add(EventCode::Periodic);
                self.save();
            }
            let own = match &step.action {
                Action::Close(outcome) => {
                    let complete = *outcome == Outcome::Complete;
                    self.queue.session_ended(complete);
                    self.save();
                    return complete;
                }
                Action::Post(envelope) => envelope.body.clone(),
                Action::PostEmpty | Action::Handle { .. } => None,
            };
            let received = match fate {
                Fate::Status500 => Received::Http { status: 500, retry_after: None },
                Fate::Lost => Received::Lost("reset".into()),
                Fate::Retry | Fate::Refuse if own.is_some() => {
                    let code = if fate == Fate::Retry { 8005 } else { 8002 };
                    from_acs(Message::Fault(SoapFault::Cwmp(cwmpd::error::FaultCode(code).into())))
                }
                fate => match own {
                    Some(Message::Inform(_)) => {
                        self.told.extend(events.iter().map(|event| (event.code.clone(), event.command_key.clone())));
                        hold(Message::InformResponse { max_envelopes: 1 }, fate)
                    }
                    Some(Message::TransferComplete(transfer)) => {
                        self.told.push(("TransferComplete".into(), transfer.command_key.clone()));
                        hold(Message::TransferCompleteResponse, fate)
                    }
                    _ if matches!(fate, Fate::Request | Fate::Hold) => hold(Message::GetRpcMethods, fate),
                    _ => empty(),
                },
            };
            step = session.received(received);
        }
    }
}

fn hold(body: Message, fate: Fate) -> Received {
    let mut envelope = answer(Some("acs".into()), Namespace::Cwmp12, body);
    envelope.header.hold_requests = fate == Fate::Hold;
    Received::Envelope(envelope)
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    use Fate::*;
    let fate = prop::sample::select(vec![
        Answer, Answer, Answer, Answer, Hold, Request, Retry, Refuse, Status500, Lost, Kill, Kill, Periodic,
    ]);
    prop::collection::vec(fate, 0..60)
}

proptest! {
    /// E-02, L-14, R-10: whatever fails and whenever the agent is killed, each event is told, and none again once its acknowledgement is saved.
    #[test]
    fn e02_l14_r10_each_event_is_told_exactly_once_whatever_happens(fates in fates()) {
        let mut queue = Queue::default();
        queue.bootstrap();
        queue.add(EventCode::TransferComplete);
        for key in ["a", "b", "c"] {
            queue.add_multiple(EventCode::MScheduleInform, key).unwrap();
            queue.add_multiple(EventCode::MDownload, key).unwrap();
        }
        let results = ["a", "b", "c"].map(String::from).to_vec();
        let mut world = World { saved: String::new(), queue, results, told: vec![] };
        world.save();
        let mut fates = fates.into_iter();
        let mut sessions = 0;
        while !world.session(&mut fates) || world.queue.iter().next().is_some() {
            sessions += 1;
            prop_assert!(sessions < 100, "session after session: {:?}", world.queue);
        }
        let times = |code: &str, key: &str| world.told.iter().filter(|told| told.0 == code && told.1 == key).count();
        prop_assert_eq!(times("0 BOOTSTRAP", ""), 1);
        for key in ["a", "b", "c"] {
            prop_assert_eq!(times("M ScheduleInform", key), 1);
            prop_assert_eq!(times("TransferComplete", key), 1);
            prop_assert!(times("M Download", key) >= 1);
        }
        prop_assert!(world.results.is_empty());
    }

    /// L-01, L-04, X-13: no sequence of answers makes a session do what it must not.
    #[test]
    fn l01_l04_x13_no_answers_lead_astray(informs: bool, choices in prop::collection::vec(0usize..14, 0..40)) {
        let (mut session, mut step) = start(Version::V1_4, vec![], vec![transfer("a"), transfer("b")]);
        let (mut informed, mut finished, mut closed) = (0, false, None);
        for choice in informs.then_some(0).into_iter().chain(choices) {
            let mut held = answer(None, Namespace::Cwmp10, Message::GetRpcMethods);
            held.header.hold_requests = true;
            let received = match choice {
                0 | 1 => from_acs(Message::InformResponse { max_envelopes: 1 }),
                2 | 3 => from_acs(Message::TransferCompleteResponse),
                4 | 5 => from_acs(Message::GetRpcMethods),
                6 | 7 => empty(),
                8 => from_acs(Message::Fault(SoapFault::Cwmp(cwmpd::error::FaultCode(8005).into()))),
                9 => from_acs(Message::Fault(SoapFault::Cwmp(cwmpd::error::FaultCode(8001).into()))),
                10 => Received::Envelope(held),
                11 => Received::Undecodable(decode(b"<x", 100).unwrap_err()),
                12 => from_acs(Message::RebootResponse),
                _ => Received::Envelope(Envelope { body: None, ..held }),
            };
            let is_held = choice == 10 || choice == 13;
            step = session.received(received);
            informed += step.acknowledged.iter().filter(|it| **it == Acknowledged::Inform).count();
            prop_assert!(informed <= 1);
            if let Some(closed) = &closed {
                prop_assert_eq!(&step, closed);
                continue;
            }
            match &step.action {
                Action::Post(envelope) => {
                    let body = envelope.body.as_ref().unwrap();
                    prop_assert!(!matches!(body, Message::Fault(_)));
                    prop_assert!(!finished);
                    prop_assert_eq!(matches!(body, Message::Inform(_)), informed == 0);
                }
                Action::PostEmpty => {
                    prop_assert!(informed == 1 && !finished);
                    finished = !is_held;
                }
                Action::Handle { .. } => prop_assert_eq!(informed, 1),
                Action::Close(outcome) => {
                    prop_assert!(*outcome != Outcome::Complete || finished);
                    closed = Some(step.clone());
                }
            }
        }
        drop(step);
    }
}
