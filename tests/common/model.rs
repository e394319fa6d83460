//! The data model of the sample router, as a person or an ACS uses it.

#![allow(dead_code, missing_docs)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use cwmpd::error::{Fault, FaultCode};
use cwmpd::model::context::{Context, Facts};
use cwmpd::model::registry::Registry;
use cwmpd::model::transaction::{Assignment, Written};
use cwmpd::model::tree::{Schema, resolve};
use cwmpd::model::walk::{Depth, Found, Walk};
use cwmpd::model::{Model, access};
use cwmpd::platform::System;
use cwmpd::platform::live::Live;

use super::root::RouterRoot;

/// A router, and the model on it. What the model remembers is kept as a daemon would.
pub struct Router {
    pub root: RouterRoot,
    pub model: Mutex<Model>,
    kept: Arc<Mutex<Registry>>,
    system: Arc<dyn System>,
}

impl Router {
    pub fn new() -> Self {
        Self::on(RouterRoot::new())
    }

    pub fn on(root: RouterRoot) -> Self {
        let system = Arc::new(Live::new(root.path()).unwrap());
        Self::on_system(root, system)
    }

    /// The same with another way to the router.
    pub fn on_system(root: RouterRoot, system: Arc<dyn System>) -> Self {
        let kept = Arc::new(Mutex::new(Registry::default()));
        let model = Mutex::new(open(&system, &kept));
        Self { root, model, kept, system }
    }

    /// Starts the agent again on what it has kept.
    pub fn restart(&self) {
        *self.model.lock().unwrap() = open(&self.system, &self.kept);
    }

    pub fn set_facts(&self, facts: Facts) {
        self.model.lock().unwrap().set_facts(facts);
    }

    /// The values of a name or partial path, in the order of the walk.
    pub fn values(&self, name: &str) -> Vec<(String, String)> {
        let mut model = self.model.lock().unwrap();
        let mut context = model.context();
        let values = values(&mut context, name).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        model.save().unwrap();
        values
    }

    pub fn get(&self, name: &str) -> String {
        let values = self.values(name);
        assert_eq!(values.len(), 1, "{name}");
        values[0].1.clone()
    }

    /// Whether there is such a parameter or object.
    pub fn has(&self, name: &str) -> bool {
        let model = self.model.lock().unwrap();
        resolve(&mut model.context(), name).is_ok_and(|found| !found.is_empty())
    }

    pub fn set(&self, values: &[(&str, &str)]) -> Result<Written, Fault> {
        let assignments: Vec<Assignment> = values
            .iter()
            .map(|(name, value)| Assignment { name: (*name).into(), kind: None, value: (*value).into() })
            .collect();
        self.model.lock().unwrap().set_values(&assignments, None)
    }

    /// The fault codes of a request that has to be refused, by parameter.
    pub fn refused(&self, values: &[(&str, &str)]) -> Vec<(String, FaultCode)> {
        let before = self.files();
        let fault = self.set(values).expect_err("refused");
        assert_eq!(self.files(), before, "a refused request has changed a file");
        assert_eq!(fault.code, FaultCode::INVALID_ARGUMENTS, "{fault}");
        fault.into_parts().parameters.into_iter().map(|parameter| (parameter.name, parameter.code)).collect()
    }

    pub fn add(&self, table: &str) -> Result<u32, Fault> {
        self.model.lock().unwrap().add_object(table, None).map(|(number, _)| number)
    }

    pub fn delete(&self, row: &str) -> Result<(), Fault> {
        self.model.lock().unwrap().delete_object(row, None).map(drop)
    }

    /// The configuration, by name of the file.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.root.at("/etc/config")).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| (path.file_name().unwrap().to_str().unwrap().into(), std::fs::read(&path).unwrap()))
            .collect()
    }
}

fn open(system: &Arc<dyn System>, kept: &Arc<Mutex<Registry>>) -> Model {
    let schema = Arc::new(Schema::new(cwmpd::device::objects()).unwrap());
    let registry = kept.lock().unwrap().clone();
    let kept = kept.clone();
    let keep = Box::new(move |registry: &Registry| {
        *kept.lock().unwrap() = registry.clone();
        Ok(())
    });
    let mut model = Model::new(system.clone(), schema, registry, keep);
    model.set_facts(Facts { clock_known: true, ..Facts::default() });
    model
}

pub fn values(context: &mut Context, name: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut found = Vec::new();
    for target in resolve(context, name)? {
        let mut walk = Walk::new(&context.schema().clone(), &target, Depth::All);
        while let Some(step) = walk.next(context) {
            if let Found::Parameter(node, row, parameter) = step {
                let name = access::full_name(context, node, &row, parameter.name);
                let value = access::read(context, node, &row, parameter)
                    .unwrap_or_else(|error| panic!("{name} cannot be read: {error}"));
                found.push((name, value.into_owned()));
            }
        }
    }
    Ok(found)
}
