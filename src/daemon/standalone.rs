//! The data model over a router: what the daemon and the command line without a daemon have in common.

use std::sync::{Arc, Mutex, PoisonError};

use super::Options;
use super::agent::apply;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::context::{Effects, Facts};
use crate::model::registry::Registry;
use crate::model::schema::Object;
use crate::model::tree::Schema;
use crate::model::vendor;
use crate::platform::System;
use crate::platform::clock::ClockCheck;
use crate::platform::identity::Identity;
use crate::platform::live::Live;
use crate::platform::uci::{CommitError, Package};
use crate::state::{Loaded, Lock, Store, Was};

/// The file of the model's registry.
const REGISTRY: &str = "model.json";

/// How often an edit is done again because somebody else changed the file in between.
const TRIES: u32 = 5;

/// A model with nothing around it.
pub struct Standalone {
    /// The settings.
    pub config: Config,
    /// The data model.
    pub model: Model,
    /// Where the state is.
    pub store: Arc<Mutex<Store>>,
    /// Keeps others away from the state.
    pub lock: Lock,
    /// Whether the clock can be believed.
    pub clock: ClockCheck,
    live: Arc<Live>,
}

/// The router beneath the root directory.
///
/// # Errors
/// When the root is no directory.
pub fn live(options: &Options) -> Result<Arc<Live>> {
    let mut live = Live::new(&options.root)?;
    if let Some(config) = &options.config {
        live.use_config(config)?;
    }
    Ok(Arc::new(live))
}

impl Standalone {
    /// Opens the model as the command line does it.
    ///
    /// # Errors
    /// When the state cannot be used, or a daemon is starting or ending just now.
    pub fn open(options: &Options) -> Result<Self> {
        let live = live(options)?;
        Self::open_with(options, live)
    }

    /// Opens the model.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(_options: &Options, live: Arc<Live>) -> Result<Self> {
        let (config, problems) = Config::load(live.as_ref());
        for problem in problems {
            log::warn!("{problem}");
        }
        let directory =
            live.host_path(&config.cpe.state_dir).map_err(Error::io(format!("find {}", config.cpe.state_dir)))?;
        let mut store = Store::open(&directory)?;
        let lock = store.lock()?;
        let Loaded { value: registry, was } = store.load::<Registry>(REGISTRY);
        if let Was::SetAside(reason) = &was {
            log::error!("{reason}");
        }
        let store = Arc::new(Mutex::new(store));
        let keeper = store.clone();
        let keep = Box::new(move |registry: &Registry| {
            keeper.lock().unwrap_or_else(PoisonError::into_inner).save(REGISTRY, registry)
        });
        let schema = Arc::new(schema(live.as_ref())?);
        let mut model = Model::new(live.clone(), schema, registry, keep);
        let clock = ClockCheck::new(live.as_ref(), None);
        let clock_known = clock.is_known(live.wall_clock());
        model.set_facts(Facts { clock_known, ..Facts::default() });
        Ok(Self { config, model, store, lock, clock, live })
    }

    /// Brings what was written into effect.
    pub fn apply(&self, effects: &Effects) {
        apply(&self.live, &effects.packages, &effects.programs);
    }
}

/// The standard objects and those of the vendor's model files; a file with mistakes is left out, and each mistake logged.
fn schema(system: &dyn System) -> Result<Schema> {
    let standard: Vec<&'static Object> = crate::device::objects().collect();
    let (files, problems) = vendor::load(system, &standard);
    for problem in problems {
        log::error!("{problem}");
    }
    let vendor::Installed { objects, apply } = vendor::install(files);
    let mut schema = Schema::new(standard.into_iter().chain(objects))?;
    for (path, argv) in apply {
        schema.add_apply(path, argv);
    }
    Ok(schema)
}

/// Every mistake in the vendor's model files.
#[must_use]
pub fn vendor_problems(system: &dyn System) -> Vec<vendor::Problem> {
    let standard: Vec<&'static Object> = crate::device::objects().collect();
    vendor::load(system, &standard).1
}

/// Who the router is.
#[must_use]
pub fn identity(system: &dyn System, config: &Config) -> Identity {
    Identity::discover(system, &config.device)
}

/// Edits a UCI package and commits it, again from the beginning when somebody else was faster.
///
/// # Errors
/// Those of `edit`, and when the file cannot be written.
pub fn edit(system: &dyn System, package: &str, edit: &mut dyn FnMut(&mut Package) -> Result<()>) -> Result<()> {
    for _ in 0..TRIES {
        let mut package = system.load_package(package)?;
        edit(&mut package)?;
        match system.commit_packages(&mut [&mut package]) {
            Ok(()) => return Ok(()),
            Err(CommitError::Failed(error)) => return Err(error),
            Err(CommitError::Changed(_)) => {}
        }
    }
    Err(Error::other(format!("{package} is being changed by somebody else all the time")))
}
