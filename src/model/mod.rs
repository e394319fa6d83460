//! The data model engine: names, types, tables, instances, transactions and attributes; free of IO.
//!
//! ```text
//!   name --tree::resolve--> Target --walk--> parameters --access::read--> value
//!                              |
//!                              `--transaction: accept, stage, judge the end state, commit
//! ```
//!
//! [`Model`] is what the rest of the agent uses. Each request has a [`context::Context`] of its own, which reads every source at most once and
//! holds everything that is staged.

pub mod access;
pub mod alias;
pub mod attributes;
pub mod context;
pub mod fleeting;
pub mod format;
pub mod guard;
pub mod pattern;
pub mod registry;
pub mod schema;
pub mod transaction;
pub mod tree;
pub mod value;
pub mod vendor;
pub mod walk;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use context::{CommitFailure, Context, Facts};
use fleeting::Fleeting;
use guard::Guard;
use registry::Registry;
use schema::Notification;
use tree::{NodeId, ROOT, Schema};

use crate::error::{Error, Result};
use crate::platform::System;

/// Saves the registry.
pub type Keep = Box<dyn FnMut(&Registry) -> Result<()> + Send>;

/// The data model of a router.
pub struct Model {
    system: Arc<dyn System>,
    schema: Arc<Schema>,
    registry: Arc<Mutex<Registry>>,
    facts: Arc<Facts>,
    fleeting: Arc<Fleeting>,
    /// The names of parameters, with `*` for instance numbers, that notify without being asked to.
    notifying: Vec<String>,
    /// The names of the parameters of every Inform.
    forced: Vec<String>,
    keep: Keep,
    guard: Option<Guard>,
}

impl Model {
    /// A model over a router. `keep` saves the registry whenever it has changed.
    #[must_use]
    pub fn new(system: Arc<dyn System>, schema: Arc<Schema>, registry: Registry, keep: Keep) -> Self {
        let mut notifying = Vec::new();
        let mut forced = Vec::new();
        each_parameter(&schema, ROOT, "Device.", &mut |name, parameter| {
            if matches!(parameter.notification, Notification::ForceEnabled | Notification::ForceDefaultEnabled) {
                notifying.push(String::from(name));
            }
            if parameter.forced_inform {
                forced.push(String::from(name));
            }
        });
        let registry = Arc::new(Mutex::new(registry));
        Self {
            system,
            schema,
            registry,
            facts: Arc::default(),
            fleeting: Arc::default(),
            notifying,
            forced,
            keep,
            guard: None,
        }
    }

    /// What one request sees: everything as it is now.
    #[must_use]
    pub fn context(&self) -> Context {
        let (facts, fleeting) = (self.facts.clone(), self.fleeting.clone());
        Context::new(self.system.clone(), self.schema.clone(), self.registry.clone(), facts, fleeting)
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The names of the parameters that every Inform carries (CONFORMANCE I-04).
    #[must_use]
    pub fn forced_inform(&self) -> &[String] {
        &self.forced
    }

    /// From now on this is asked before each change of the ACS.
    pub fn set_guard(&mut self, guard: Guard) {
        self.guard = Some(guard);
    }

    /// Tells the model what the daemon knows of itself.
    pub fn set_facts(&mut self, facts: Facts) {
        self.facts = Arc::new(facts);
    }

    /// The values that last only as long as the process, to be changed for every context to come.
    pub fn fleeting(&mut self) -> &mut Fleeting {
        Arc::make_mut(&mut self.fleeting)
    }

    /// What the model remembers.
    pub fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes values of the agent's own with a function that says whether it did.
    ///
    /// # Errors
    /// When they could not be saved; nothing has changed then.
    pub fn change_own(&mut self, change: &mut dyn FnMut(&mut Context) -> bool) -> Result<()> {
        let mut context = self.context();
        if !change(&mut context) {
            return Ok(());
        }
        match context.commit(&mut self.keep, None) {
            Ok(_) => Ok(()),
            Err(CommitFailure::Fault(fault)) => Err(Error::other(fault.into_text())),
            Err(CommitFailure::Again) => Err(Error::other("somebody else was faster")),
        }
    }

    /// Saves new instance numbers, before they are told to anybody.
    ///
    /// # Errors
    /// When they could not be saved; they will be with the next call.
    pub fn save(&mut self) -> Result<()> {
        let registry = self.registry.clone();
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        if registry.take_dirty() {
            (self.keep)(&registry).inspect_err(|_| registry.mark_dirty())?;
        }
        Ok(())
    }
}

fn each_parameter(schema: &Schema, node: NodeId, path: &str, found: &mut dyn FnMut(&str, &'static schema::Parameter)) {
    let node = schema.node(node);
    for parameter in &node.parameters {
        found(&format!("{path}{}", parameter.name), parameter);
    }
    for child in &node.children {
        let table = if schema.node(*child).table().is_some() { "*." } else { "" };
        each_parameter(schema, *child, &format!("{path}{}.{table}", schema.node(*child).name), found);
    }
}
