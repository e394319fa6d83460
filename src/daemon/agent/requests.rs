//! What the agent itself has to tell or ask in a session, and what becomes of it (TR-069a6 3.7.1.4, CONFORMANCE L-03, E-02).

use super::Agent;
use crate::cwmp::events::{Confirmation, EventCode};
use crate::cwmp::session::{Acknowledged, OwnRequest};
use crate::soap::rpc::{Event, Message};
use crate::transfer::queue::FIRMWARE;

/// What an ACS need not have among its methods; of its list only these are kept.
const OPTIONAL: &[&str] = &["AutonomousTransferComplete", "AutonomousDUStateChangeComplete", "RequestDownload"];

/// What a request is about; its text is the key of an [`OwnRequest`].
enum About {
    /// The result of a transfer.
    Transfer(u32),
    /// A transfer of somebody else.
    Autonomous(u32),
    /// The methods of the ACS.
    Methods,
    /// The results of a ChangeDUState.
    Units(u32),
    /// So many changes of software modules by somebody else.
    UnitChanges(usize),
    /// A file that the router would like to have.
    Wish,
}

impl About {
    fn key(&self) -> String {
        match self {
            Self::Transfer(id) => format!("transfer {id}"),
            Self::Autonomous(id) => format!("autonomous {id}"),
            Self::Units(id) => format!("units {id}"),
            Self::UnitChanges(number) => format!("unit-changes {number}"),
            Self::Methods => "methods".into(),
            Self::Wish => "wish".into(),
        }
    }

    fn parse(key: &str) -> Option<Self> {
        match key.split_once(' ') {
            Some(("transfer", id)) => id.parse().ok().map(Self::Transfer),
            Some(("autonomous", id)) => id.parse().ok().map(Self::Autonomous),
            Some(("units", id)) => id.parse().ok().map(Self::Units),
            Some(("unit-changes", number)) => number.parse().ok().map(Self::UnitChanges),
            None if key == "methods" => Some(Self::Methods),
            None if key == "wish" => Some(Self::Wish),
            _ => None,
        }
    }

    fn asks(self, message: Message) -> OwnRequest {
        OwnRequest { key: self.key(), message }
    }
}

impl Agent {
    /// Makes the events agree with what there is to tell: for each result its event, and after a crash between the saving of the two, `strictly`,
    /// none besides.
    pub(super) fn agree_events(&mut self, strictly: bool) {
        let told: Vec<(EventCode, &str)> = self
            .transfers
            .queue
            .results()
            .map(|(transfer, _)| (transfer.request.method.event(), transfer.request.command_key.as_str()))
            .collect();
        let events = &mut self.saved.events;
        if strictly {
            events.keep_results(Confirmation::TransferCompleteResponse, &told);
        }
        events.add_results(EventCode::TransferComplete, &told);
        if self.acs_lacks("AutonomousTransferComplete") {
            self.transfers.autonomous.clear();
        } else if !self.transfers.autonomous.is_empty() {
            self.saved.events.add(EventCode::AutonomousTransferComplete);
        }
        self.agree_unit_events(strictly);
    }

    /// What belongs to the events of an Inform.
    pub(super) fn own_requests(&self, events: &[Event]) -> Vec<OwnRequest> {
        let mut untold: Vec<&Event> = events.iter().collect();
        let mut requests = Vec::new();
        for (transfer, result) in self.transfers.queue.results() {
            let code = transfer.request.method.event();
            let fits = |event: &&Event| event.code == code.text() && event.command_key == result.command_key;
            // A result whose event had no room in this Inform waits for the next.
            if let Some(index) = untold.iter().position(fits) {
                untold.remove(index);
                requests.push(About::Transfer(transfer.id).asks(Message::TransferComplete(Box::new(result))));
            }
        }
        for (id, key, message) in self.transfers.units.results() {
            let code = EventCode::MChangeDuState;
            let fits = |event: &&Event| event.code == code.text() && event.command_key == key;
            if let Some(index) = untold.iter().position(fits) {
                untold.remove(index);
                requests.push(About::Units(id).asks(message));
            }
        }
        let has = |code: &EventCode| events.iter().any(|event| event.code == code.text());
        let mut optional = Vec::new();
        if has(&EventCode::AutonomousTransferComplete) {
            for (id, message) in self.transfers.autonomous.messages() {
                optional.push(About::Autonomous(id).asks(Message::AutonomousTransferComplete(Box::new(message))));
            }
        }
        if has(&EventCode::AutonomousDuStateChangeComplete) {
            let changes = &self.transfers.unit_changes;
            optional.extend(changes.message().map(|message| About::UnitChanges(changes.len()).asks(message)));
        }
        if has(&EventCode::RequestDownload) {
            let wish = Message::RequestDownload { file_type: FIRMWARE.into(), arguments: Vec::new() };
            optional.push(About::Wish.asks(wish));
        }
        // What an ACS need not have is sent to one only that lists it; it is asked once (CONFORMANCE G-03).
        match &self.saved.acs_methods {
            None if !optional.is_empty() => requests.push(About::Methods.asks(Message::GetRpcMethods)),
            None => {}
            Some(methods) => {
                optional.retain(|request| methods.iter().any(|method| method == request.message.name()));
            }
        }
        requests.extend(optional);
        requests
    }

    /// Whether the ACS is known not to have this method.
    pub(super) fn acs_lacks(&self, method: &str) -> bool {
        self.saved.acs_methods.as_ref().is_some_and(|methods| !methods.iter().any(|known| known == method))
    }

    /// The ACS has answered for good: taken off the queues and saved, before anything else goes out (CONFORMANCE E-02, R-10).
    pub fn acknowledged(&mut self, acknowledged: &Acknowledged) {
        match acknowledged {
            Acknowledged::Inform => {
                self.saved.events.acknowledge_inform();
                let sent = std::mem::take(&mut self.sent);
                self.told.acknowledge(&sent);
                #[cfg(feature = "manageable-devices")]
                self.devices_told(&sent);
                self.guard_reached();
            }
            Acknowledged::Request { key, response } => {
                if let (Some(About::Methods), Message::GetRpcMethodsResponse(methods)) = (About::parse(key), response) {
                    self.learn_methods(methods);
                } else {
                    self.request_is_over(key);
                }
            }
            Acknowledged::Refused { key, reason } => {
                log::warn!("the ACS does not take a request: {reason}");
                if matches!(About::parse(key), Some(About::Methods)) {
                    self.learn_methods(&[]);
                } else {
                    self.request_is_over(key);
                }
            }
        }
        self.save();
    }

    fn learn_methods(&mut self, methods: &[String]) {
        let optional = methods.iter().filter(|method| OPTIONAL.contains(&method.as_str()));
        self.saved.acs_methods = Some(optional.cloned().collect());
    }

    fn request_is_over(&mut self, key: &str) {
        let events = &mut self.saved.events;
        match About::parse(key) {
            Some(About::Transfer(id)) => {
                if let Some((code, command_key)) = self.transfers.queue.told(id) {
                    let more = self.transfers.queue.results().next().is_some();
                    events.acknowledge_response(Confirmation::TransferCompleteResponse, &command_key, more);
                    log::info!("the ACS has heard of the end of {} {command_key:?}", code.text());
                }
            }
            Some(About::Autonomous(id)) => {
                self.transfers.autonomous.told(id);
                let more = !self.transfers.autonomous.is_empty();
                events.acknowledge_response(Confirmation::AutonomousTransferCompleteResponse, "", more);
            }
            Some(About::Units(id)) => {
                if let Some(command_key) = self.transfers.units.told(id) {
                    let more = self.transfers.units.results().next().is_some();
                    events.acknowledge_response(Confirmation::DuStateChangeCompleteResponse, &command_key, more);
                    log::info!("the ACS has heard of the end of ChangeDUState {command_key:?}");
                }
            }
            Some(About::UnitChanges(number)) => {
                self.transfers.unit_changes.told(number);
                let more = !self.transfers.unit_changes.is_empty();
                events.acknowledge_response(Confirmation::AutonomousDuStateChangeCompleteResponse, "", more);
            }
            Some(About::Wish) => events.acknowledge_response(Confirmation::RequestDownloadResponse, "", false),
            Some(About::Methods) | None => {}
        }
    }
}
