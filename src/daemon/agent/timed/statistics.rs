//! When samples are taken, and where they can be read (TR-181 2.17 Device.PeriodicStatistics.).
//!
//! Samples are taken on the poll loop, each source read once for all sets that are due. The model reads them as values that last only
//! as long as the process.

use std::time::Duration;

use super::super::Agent;
use crate::cwmp::answers::{text_of, values_of};
use crate::cwmp::schedule::{Periodic, PeriodicSettings};
use crate::device::periodic_statistics::SAMPLE_SETS;
use crate::model::context::Context;
use crate::model::fleeting::Fleeting;
use crate::soap::rpc::ParameterValue;
use crate::statistics::{Calculation, Mode, Rule, SampleSet};
use crate::time::{Now, UtcTime};

/// How often the values are looked at within an interval where more than its end counts, and the least time between two looks.
const LOOKS: u32 = 8;
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// What lives as long as the process.
#[derive(Default)]
pub(super) struct Statistics {
    sets: Vec<Set>,
}

/// An enabled SampleSet.
struct Set {
    /// With its dot.
    path: String,
    /// Its parameters that can be written; another value of any begins anew.
    settings: Vec<ParameterValue>,
    timer: Periodic,
    /// How long it is from one look to the next.
    pause: Duration,
    look_at: Option<Duration>,
    /// The paths of its rows that are enabled, with what they refer to.
    rows: Vec<(String, String)>,
    samples: SampleSet,
    /// The session after which Status is `Enabled` again, and not `Trigger`.
    trigger_until: Option<u32>,
    /// What can be read is not the newest.
    stale: bool,
}

impl Set {
    fn new(path: String, settings: Vec<ParameterValue>, context: &mut Context, now: Now) -> Self {
        let own = |name: &str| find(&settings, &path, name);
        let interval = own("SampleInterval").parse().unwrap_or(u32::MAX);
        let time = UtcTime::parse(own("TimeReference")).unwrap_or(UtcTime::UNKNOWN);
        let report = own("ReportSamples").parse().unwrap_or(u32::MAX);
        let (mut rows, mut rules) = (Vec::new(), Vec::new());
        for enable in settings.iter().filter(|value| value.value.text == "true") {
            let Some(row) = enable.name.strip_suffix("Enable").filter(|row| *row != path) else { continue };
            let threshold = |name: &str| find(&settings, row, name).parse().unwrap_or(0);
            rules.push(Rule {
                mode: if find(&settings, row, "SampleMode") == "Change" { Mode::Change } else { Mode::Current },
                calculation: Calculation::parse(find(&settings, row, "CalculationMode")),
                low: threshold("LowThreshold"),
                high: threshold("HighThreshold"),
            });
            rows.push((String::from(row), String::from(find(&settings, row, "Reference"))));
        }
        // Without a reference the first interval begins now, and lasts as long as all others.
        let timer = Periodic::new(PeriodicSettings { enable: true, interval, time }, now, u32::MAX);
        let pause = (Duration::from_secs(interval.into()) / LOOKS).max(LEAST_PAUSE);
        let readings = read(&rows, context);
        let samples = SampleSet::new(report, rules, &readings, now);
        let look_at = samples.looks_between().then(|| now.monotonic.saturating_add(pause));
        Self { path, settings, timer, pause, look_at, rows, samples, trigger_until: None, stale: true }
    }

    /// Does what is due; says whether somebody may wait to hear of it.
    fn poll(&mut self, context: &mut Context, now: Now, session: u32) -> bool {
        let before = self.samples.failures();
        if self.timer.poll(now, u32::MAX) {
            let readings = read(&self.rows, context);
            if self.samples.finish(&readings, now) {
                self.trigger_until = Some(session.saturating_add(1));
            }
            self.stale = true;
        } else if self.look_at.is_some_and(|at| at <= now.monotonic) {
            let readings = read(&self.rows, context);
            self.samples.look(&readings);
        } else {
            return false;
        }
        self.look_at = self.look_at.map(|_| now.monotonic.saturating_add(self.pause));
        self.trigger_until.is_some() || self.samples.failures() != before
    }

    fn due(&self) -> Option<Duration> {
        [self.timer.due(), self.look_at].into_iter().flatten().min()
    }

    fn status(&self) -> &'static str {
        if self.trigger_until.is_some() { "Trigger" } else { "Enabled" }
    }

    /// Makes what is new readable.
    fn publish(&mut self, fleeting: &mut Fleeting) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let mut put = |path: &str, name: &str, value: String| fleeting.set(format!("{path}{name}"), value);
        let (start, end) = self.samples.times();
        put(&self.path, "Status", self.status().into());
        put(&self.path, "ReportStartTime", start.to_string());
        put(&self.path, "ReportEndTime", end.to_string());
        put(&self.path, "SampleSeconds", self.samples.sample_seconds());
        for ((row, _), series) in self.rows.iter().zip(self.samples.parameters()) {
            put(row, "SampleSeconds", series.sample_seconds());
            put(row, "SuspectData", series.suspect_data());
            put(row, "Values", series.values());
            put(row, "Failures", series.failures().to_string());
        }
    }
}

/// The value of a parameter among these.
fn find<'a>(values: &'a [ParameterValue], path: &str, name: &str) -> &'a str {
    let found = values.iter().find(|value| value.name.strip_prefix(path) == Some(name));
    found.map(|value| value.value.text.as_str()).unwrap_or_default()
}

fn read(rows: &[(String, String)], context: &mut Context) -> Vec<Option<String>> {
    rows.iter().map(|(_, reference)| text_of(context, reference).filter(|_| !reference.ends_with('.'))).collect()
}

/// Whether samples that are there lose their meaning when this parameter changes.
fn is_setting(name: &str) -> bool {
    let name = name.rsplit('.').next().unwrap_or_default();
    let other = ["Alias", "Name", "FetchSamples", "ForceSample", "ParameterNumberOfEntries"];
    let measured = ["Status", "ReportStartTime", "ReportEndTime", "SampleSeconds", "SuspectData", "Values", "Failures"];
    !other.contains(&name) && !measured.contains(&name)
}

impl Agent {
    pub(super) fn configure_statistics(&mut self) {
        let rows = self.model.registry().own_rows(SAMPLE_SETS);
        let mut former = std::mem::take(&mut self.timed.statistics.sets);
        if rows.is_empty() && former.is_empty() {
            return;
        }
        let now = self.now();
        let paths: Vec<String> = rows.iter().map(|row| format!("{SAMPLE_SETS}{row}.")).collect();
        self.model.fleeting().keep_only(&mut |name| {
            !name.starts_with(SAMPLE_SETS) || paths.iter().any(|path| name.starts_with(path.as_str()))
        });
        for path in paths {
            let mut context = self.model.context();
            let mut settings = values_of(&mut context, &path);
            let fetch = find(&settings, &path, "FetchSamples").parse().unwrap_or(0);
            settings.retain(|value| is_setting(&value.name));
            let known = former.iter().position(|set| set.path == path).map(|place| former.swap_remove(place));
            if find(&settings, &path, "Enable") != "true" {
                // The samples that are there can be fetched still.
                drop(context);
                self.model.fleeting().set(format!("{path}Status"), String::from("Disabled"));
                continue;
            }
            let mut set = match known {
                Some(known) if known.settings == settings => known,
                _ => {
                    self.model.fleeting().clear(&path);
                    Set::new(path, settings, &mut context, now)
                }
            };
            set.samples.fetch_after(fetch);
            set.stale = true;
            self.timed.statistics.sets.push(set);
        }
        self.publish_statistics();
    }

    pub(super) fn statistics_deadline(&self) -> Option<Duration> {
        self.timed.statistics.sets.iter().filter_map(Set::due).min()
    }

    pub(super) fn poll_statistics(&mut self, now: Now) {
        if self.timed.statistics.sets.is_empty() {
            return;
        }
        let session = self.sessions;
        let over = if self.planner.in_session() { None } else { Some(session) };
        let mut told = Vec::new();
        let mut context = self.model.context();
        for set in &mut self.timed.statistics.sets {
            if set.trigger_until.is_some_and(|until| over.is_some_and(|session| session >= until)) {
                set.trigger_until = None;
                set.stale = true;
                told.push(format!("{}Status", set.path));
            }
            if set.poll(&mut context, now, session) {
                self.look_at = Some(now.monotonic);
            }
        }
        drop(context);
        self.publish_statistics();
        for name in told {
            // That it is over with the session is no news.
            self.told.set_by_acs(&name, "Enabled");
            #[cfg(feature = "lightweight")]
            self.lightweight.set_by_acs(&name, "Enabled");
        }
    }

    /// ForceSample was written.
    pub(super) fn statistics_written(&mut self, names: &[String]) {
        let now = self.now();
        let mut context = self.model.context();
        for set in &mut self.timed.statistics.sets {
            let force = format!("{}ForceSample", set.path);
            if names.contains(&force) && context.own(&force).is_some_and(|value| value == "true") {
                let readings = read(&set.rows, &mut context);
                set.samples.force(&readings, now);
                set.stale = true;
            }
        }
        drop(context);
        self.publish_statistics();
    }

    fn publish_statistics(&mut self) {
        for set in &mut self.timed.statistics.sets {
            set.publish(self.model.fleeting());
        }
    }
}
