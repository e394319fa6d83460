//! Looking at values: what has changed since the ACS heard of it last.

use std::time::Duration;

use super::Agent;
use crate::config::PACKAGE;
use crate::cwmp::answers::text_of;
use crate::cwmp::notify::{Notification, Watched, Way};
use crate::device::upkeep;
use crate::model::attributes::Switched;
use crate::model::context::Effects;
use crate::model::transaction::Written;
use crate::platform::System;
use crate::sorted::Set;

/// Changes come in bursts; they are looked at this long after the first.
const SETTLE: Duration = Duration::from_millis(500);

/// A row that could not be deleted when its time was over is tried again this much later.
const EXPIRE_AGAIN: Duration = Duration::from_secs(60);

/// Programs that have not brought about what they are for are run again this much later.
const UPKEEP_AGAIN: Duration = Duration::from_secs(60);

impl Agent {
    /// Compares the values that are watched with what the ACS was told last, and says which have changed.
    pub fn look_at_values(&mut self) -> Vec<String> {
        self.look_at = None;
        let mut context = self.model.context();
        let watched = self.model.notified(&mut context);
        // What is not there just now, such as the address of an interface without connection, may come back with another value.
        let told_of = |name: &str| {
            let attribute = || context.registry_attribute(name)?.notification;
            watched.binary_search_by(|(known, _)| known.as_str().cmp(name)).is_ok()
                || attribute().is_some_and(|notification| notification != 0)
        };
        self.told.keep_only(&mut |name| told_of(name));
        #[cfg(feature = "lightweight")]
        self.lightweight.keep_only(&mut |name| told_of(name));
        #[cfg(feature = "manageable-devices")]
        let quiet_until = self.devices_quiet_until(&mut context);
        let values: Vec<(String, String, Notification)> = watched
            .into_iter()
            .filter_map(|(name, notification)| {
                #[cfg(feature = "stun")]
                if self.udp.holds_back(&name) {
                    return None;
                }
                let notification = Notification::from_number(notification.into())?;
                #[cfg(feature = "manageable-devices")]
                let notification = super::devices::limited(&name, notification, quiet_until);
                let value = text_of(&mut context, &name)?;
                Some((name, value, notification))
            })
            .collect();
        let all =
            || values.iter().map(|(name, value, notification)| Watched { name, value, notification: *notification });
        #[cfg(feature = "lightweight")]
        self.lightweight.look(&mut all());
        let changes = self.told.compare(Way::Inform, &mut all());
        #[cfg(feature = "manageable-devices")]
        self.devices.look_again(quiet_until, &changes.names);
        self.saved.events.set_value_change(changes.active);
        changes.names
    }

    /// Where changes are told from now on, what the value is now is no change (CONFORMANCE N-09).
    pub(super) fn watch(&mut self, switched: &[Switched]) {
        let mut context = self.model.context();
        for Switched { name, before, after } in switched {
            let tells = |number: u8, way| Notification::from_number(number.into()).is_some_and(|it| it.tells(way));
            let is_new = |way| !tells(*before, way) && tells(*after, way);
            if !is_new(Way::Inform) && !is_new(Way::Lightweight) {
                continue;
            }
            let Some(value) = text_of(&mut context, name) else { continue };
            if is_new(Way::Inform) {
                self.told.watch(name, &value);
            }
            #[cfg(feature = "lightweight")]
            if is_new(Way::Lightweight) {
                self.lightweight.watch(name, &value);
            }
        }
    }

    /// Something was written by the command line: others than the ACS, so that the ACS hears of it (CONFORMANCE N-04).
    pub fn written_locally(&mut self, written: &Written) {
        self.release_soon();
        #[cfg(feature = "diagnostics")]
        self.tests_written(written, false);
        #[cfg(feature = "discovery")]
        self.set_by_others(&written.names);
        if written.effects.packages.contains(PACKAGE) {
            self.reload();
        }
        self.refresh_facts();
        self.timed_written(&written.names);
        self.look_soon();
    }

    /// Looks at the values shortly.
    pub fn look_soon(&mut self) {
        if self.look_at.is_none() {
            self.look_at = Some(self.live.monotonic().saturating_add(SETTLE));
        }
    }

    /// Does what something in the model asks for without anybody's request: see [`upkeep`].
    pub(super) fn upkeep(&mut self) {
        let mut context = self.model.context();
        let programs = upkeep::programs(&mut context);
        let wall = self.live.wall_clock();
        let now = self.now();
        let expired = now.utc.is_some().then(|| upkeep::expired(&mut context, wall)).and_then(Result::ok);
        drop(context);
        self.expiry_at = None;
        let (paths, next) = expired.unwrap_or_default();
        let mut failed = false;
        for path in paths {
            match self.model.delete_object(&path, None) {
                Ok(written) => {
                    log::info!("{path} is gone: its time is over");
                    self.promise_effects(written.effects);
                    self.look_soon();
                }
                Err(fault) => {
                    failed = true;
                    log::error!("{path} stays although its time is over: {fault}");
                }
            }
        }
        let next = next.and_then(|next| next.duration_since(wall).ok());
        let next = if failed { Some(next.map_or(EXPIRE_AGAIN, |next| next.min(EXPIRE_AGAIN))) } else { next };
        self.expiry_at = next.map(|next| now.monotonic.saturating_add(next));
        self.keep_up(programs.into_iter().collect(), now.monotonic);
        if let Some(utc) = now.utc {
            let keep = self.model.change_own(&mut |context| {
                let first = upkeep::note_first_use(context, utc);
                upkeep::follow_clock(context) || first
            });
            if let Err(error) = keep {
                log::warn!("the date of first use, or the end of a lease, is not saved: {error}");
            }
        }
    }

    /// Has these programs run. When they are through everything is looked at again: what has not helped would go on for ever without a rest.
    fn keep_up(&mut self, programs: Set<Vec<String>>, now: Duration) {
        let (tried, again_at) = &self.tried;
        if !programs.is_empty() && programs == *tried && now < *again_at {
            self.expiry_at = Some(self.expiry_at.map_or(*again_at, |at| at.min(*again_at)));
            return;
        }
        self.tried = (programs.clone(), now.saturating_add(UPKEEP_AGAIN));
        self.promise_effects(Effects { programs, ..Effects::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// Until NTP has set it, the clock may be wrong by days: what ends in ten minutes seems to last as long.
    #[test]
    fn what_ends_is_looked_at_again_when_the_clock_is_set() {
        let (_root, _lock, mut agent) = sample("config cpe 'cpe'\n");
        agent.look_at = None;
        agent.expiry_at = Some(Duration::MAX);
        agent.clock_changed();
        assert_eq!(agent.expiry_at, None, "there is nothing that ends");
    }
}
