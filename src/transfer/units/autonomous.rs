//! Packages that somebody else has installed, updated or removed, for AutonomousDUStateChangeComplete (TR-069a6 A.4.2.4).

use serde::{Deserialize, Serialize};

use super::{Kind, Outcome};
use crate::soap::rpc::Message;
use crate::sorted::Map;

/// The most changes that wait to be told.
const MOST: usize = 64;

/// A package as the comparison sees it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Seen {
    /// Its UUID.
    pub uuid: String,
    /// Its version.
    pub version: String,
    /// Its path in the model.
    pub path: String,
}

/// What the ACS wants to hear (DUStateChangeComplPolicy). A failure of somebody else leaves no trace, so that there are only successes to tell.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Policy {
    /// Enable
    pub enable: bool,
    /// OperationTypeFilter; empty for all.
    pub operations: Vec<String>,
    /// Whether ResultTypeFilter lets successes through.
    pub successes: bool,
}

/// What was seen last, and what is to be told.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct Autonomous {
    /// By name; nothing is remembered while nobody wants to hear of it.
    packages: Option<Map<String, Seen>>,
    changes: Vec<Outcome>,
    /// Another image runs since the last comparison.
    new_image: bool,
    #[serde(skip)]
    dirty: bool,
}

impl Autonomous {
    /// Another image runs now. Its hundred packages have other versions: that is no work on packages, and is told as an image. What an image has not
    /// brought along is gone, and that is told.
    pub fn image_changed(&mut self) {
        self.new_image = self.packages.is_some();
        self.dirty |= self.new_image;
    }

    /// Compares what is installed now with what was seen last.
    pub fn look(&mut self, now: &Map<String, Seen>, policy: &Policy, time: &str) {
        if !policy.enable {
            self.dirty |= self.packages.is_some();
            self.packages = None;
            self.new_image = false;
            return;
        }
        let Some(before) = self.packages.as_ref() else {
            self.packages = Some(now.clone());
            self.dirty = true;
            return;
        };
        let new_image = std::mem::take(&mut self.new_image);
        self.dirty |= new_image;
        if before == now {
            return;
        }
        let mut changes = Vec::new();
        for (name, seen) in now {
            match before.get(name) {
                None => changes.push((Kind::Install, seen)),
                Some(former) if former.version != seen.version => changes.push((Kind::Update, seen)),
                Some(_) => {}
            }
        }
        let gone = before.iter().filter(|(name, _)| !now.contains_key(*name));
        changes.extend(gone.map(|(_, seen)| (Kind::Uninstall, seen)));
        let wanted = |kind: Kind| {
            policy.successes
                && (kind == Kind::Uninstall || !new_image)
                && (policy.operations.is_empty() || policy.operations.iter().any(|name| name == kind.name()))
        };
        let outcomes = changes.into_iter().filter(|(kind, _)| wanted(*kind)).map(|(kind, seen)| Outcome {
            uuid: seen.uuid.clone(),
            version: seen.version.clone(),
            // What is gone has no path any more.
            deployment_unit: if kind == Kind::Uninstall { String::new() } else { seen.path.clone() },
            state: kind.done().into(),
            resolved: kind != Kind::Uninstall,
            start_time: time.into(),
            complete_time: time.into(),
            operation: kind.name().into(),
            ..Outcome::default()
        });
        self.changes.extend(outcomes);
        if self.changes.len() > MOST {
            log::warn!("{} changes of packages are not told: too many wait", self.changes.len().saturating_sub(MOST));
            self.changes.truncate(MOST);
        }
        self.packages = Some(now.clone());
        self.dirty = true;
    }

    /// What the agent itself has done is no news.
    pub fn take_for_known(&mut self, now: &Map<String, Seen>) {
        if self.packages.as_ref().is_some_and(|before| before != now) {
            self.packages = Some(now.clone());
            self.dirty = true;
        }
    }

    /// What is to be told; `None` when there is nothing.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        let results = self.changes.iter().map(Outcome::result).collect();
        (!self.changes.is_empty()).then_some(Message::AutonomousDuStateChangeComplete { results })
    }

    /// How many changes the message has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The ACS has heard of the first so many.
    pub fn told(&mut self, number: usize) {
        drop(self.changes.drain(..number.min(self.changes.len())));
        self.dirty = true;
    }

    /// Another ACS begins with nothing.
    pub fn clear(&mut self) {
        self.dirty |= !self.changes.is_empty();
        self.changes.clear();
    }

    /// Whether something is to be saved.
    #[must_use]
    pub fn must_persist(&self) -> bool {
        self.dirty
    }

    /// Everything is saved.
    pub fn persisted(&mut self) {
        self.dirty = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(all: &[(&str, &str)]) -> Map<String, Seen> {
        let seen = |name: &str, version: &str| Seen {
            uuid: name.into(),
            version: version.into(),
            path: format!("Unit.{name}"),
        };
        all.iter().map(|(name, version)| (String::from(*name), seen(name, version))).collect()
    }

    fn told(autonomous: &Autonomous) -> Vec<(String, String, String)> {
        match autonomous.message() {
            Some(Message::AutonomousDuStateChangeComplete { results }) => {
                results.into_iter().map(|result| (result.operation, result.uuid, result.state)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// TR-069a6 A.4.2.4: only while the policy says so, and only what it lets through.
    #[test]
    fn changes_of_others_by_policy() {
        let policy = Policy { enable: true, successes: true, operations: Vec::new() };
        let mut autonomous = Autonomous::default();
        autonomous.look(&packages(&[("a", "1")]), &Policy::default(), "t");
        autonomous.look(&packages(&[("a", "1"), ("b", "1")]), &policy, "t");
        assert!(autonomous.is_empty(), "what was there when it was switched on is no change");
        autonomous.look(&packages(&[("b", "2"), ("c", "1")]), &policy, "t");
        let text = |parts: [&str; 3]| (parts[0].into(), parts[1].into(), parts[2].into());
        assert_eq!(
            told(&autonomous),
            [
                text(["Update", "b", "Installed"]),
                text(["Install", "c", "Installed"]),
                text(["Uninstall", "a", "Uninstalled"])
            ]
        );
        let mut autonomous: Autonomous = serde_json::from_str(&serde_json::to_string(&autonomous).unwrap()).unwrap();
        autonomous.told(3);
        let only = Policy { operations: vec!["Uninstall".into()], ..policy.clone() };
        autonomous.look(&packages(&[("c", "2")]), &only, "t");
        assert_eq!(told(&autonomous), [text(["Uninstall", "b", "Uninstalled"])]);
        autonomous.clear();
        autonomous.take_for_known(&packages(&[("d", "1")]));
        autonomous.look(&packages(&[("d", "1")]), &policy, "t");
        assert!(autonomous.is_empty(), "what the agent has done itself");
    }

    #[test]
    fn another_image_is_no_hundred_updates_and_hides_nothing_that_is_gone() {
        let policy = Policy { enable: true, successes: true, operations: Vec::new() };
        let names: Vec<String> = (0..100).map(|number| format!("base{number}")).collect();
        let image = |version: &str| {
            let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), version)).collect();
            packages(&all)
        };
        let mut autonomous = Autonomous::default();
        let mut before = image("1");
        before.insert("added".into(), Seen { uuid: "added".into(), version: "1".into(), path: "Unit.1".into() });
        autonomous.look(&before, &policy, "t");
        autonomous.image_changed();
        let mut autonomous: Autonomous = serde_json::from_str(&serde_json::to_string(&autonomous).unwrap()).unwrap();
        autonomous.look(&image("2"), &policy, "t");
        assert_eq!(told(&autonomous), [("Uninstall".into(), "added".into(), "Uninstalled".into())]);
        autonomous.told(1);
        let mut after = image("2");
        after.insert("base1".into(), Seen { uuid: "base1".into(), version: "3".into(), path: "Unit.2".into() });
        autonomous.look(&after, &policy, "t");
        assert_eq!(told(&autonomous), [("Update".into(), "base1".into(), "Installed".into())], "it counts once");
    }
}
