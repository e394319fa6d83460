//! What `cwmpd status` tells.

use super::super::status::Status;
use super::Agent;
use crate::cwmp::events::EventCode;
use crate::cwmp::plan::Plan;
use crate::platform::System;

impl Agent {
    /// Where the URL of the ACS comes from; what the ACS has set stands in the configuration like anything else.
    fn acs_url_from(&self) -> &'static str {
        #[cfg(feature = "discovery")]
        if self.acs_is_discovered() {
            return "DHCP";
        }
        if self.config.acs.url.is_empty() { "" } else { "the configuration" }
    }

    /// What `cwmpd status` tells.
    #[must_use]
    pub fn status(&self) -> Status {
        let now = self.live.monotonic();
        let next_session = match self.plan() {
            _ if self.planner.in_session() => "after the running one, if there is something to tell".into(),
            Plan::Now(_) => "now".into(),
            Plan::At(at) => format!("in {} s", at.saturating_sub(now).as_secs()),
            Plan::Never => match self.periodic.due() {
                _ if !self.config.cpe.enable => "none: cwmpd.cpe.enable is 0".into(),
                _ if self.config.acs.url.is_empty() => "none: there is no URL of an ACS".into(),
                _ if self.planner.waits_for_interface() => {
                    format!("when the interface {} (cwmpd.cpe.interface) is up", self.config.cpe.interface)
                }
                Some(at) => format!("in {} s, periodic", at.saturating_sub(now).as_secs()),
                None => String::new(),
            },
        };
        let event = |(code, key): (&EventCode, &str)| match key {
            "" => String::from(code.text()),
            key => format!("{} ({key})", code.text()),
        };
        let refused = self.refused.map(|it| {
            let ago = now.saturating_sub(it.at).as_secs();
            format!("{ago} s ago, from {}: {}", it.peer, it.reason.text())
        });
        let refused: Vec<String> =
            refused.into_iter().chain([self.last_refusal.clone()]).filter(|text| !text.is_empty()).collect();
        let status = Status {
            version: env!("CARGO_PKG_VERSION").into(),
            uptime: now.saturating_sub(self.started).as_secs(),
            enabled: self.config.cpe.enable,
            acs_url: self.config.acs.url.clone(),
            acs_url_from: self.acs_url_from().into(),
            connection_request_url: self.model.context().facts().connection_request_url.clone(),
            clock_known: self.now().utc.is_some(),
            interface_up: self.interface.up,
            undone_in: self.undone_in(),
            in_session: self.planner.in_session(),
            retry_count: self.retry.count(),
            next_session,
            pending_events: self.saved.events.iter().map(event).collect(),
            transfers: self.transfer_status().into_iter().chain(self.unit_status()).collect(),
            last_session: self.record.clone(),
            last_refusal: refused.join("; "),
            programs_started: self.live.started(),
            #[cfg(feature = "xmpp")]
            xmpp: self.xmpp_report(),
            ..Status::default()
        };
        #[cfg(feature = "stun")]
        let status = self.report_udp(status);
        status
    }
}
