//! Answers that are lists of any length: values, names and attributes of whatever lies below the names that were asked for.
//!
//! They are made as they are sent. Everything that was read stays in the request's [`Context`], so that each pass gives the same entries.

use super::inform::Parameters;
use crate::error::{Fault, FaultCode};
use crate::model::access;
use crate::model::alias;
use crate::model::attributes::{access_list, notification};
use crate::model::context::Context;
use crate::model::tree::{Target, resolve};
use crate::model::walk::{Depth, Found, Walk, is_root};
use crate::soap::body::{Item, Items, ListKind};
use crate::soap::rpc::{ParameterValue, Value};

/// The entries of an answer.
pub struct Answers {
    kind: ListKind,
    context: Context,
    targets: Vec<Target>,
    depth: Depth,
    next_target: usize,
    walk: Option<Walk>,
    name: String,
    /// Names are told with aliases for numbers.
    by_alias: bool,
}

impl Answers {
    /// The values of parameters and of everything below partial paths (TR-069a6 A.3.2.2).
    ///
    /// # Errors
    /// 9005 for a name that nothing has; 9002 for a parameter, named in full, that cannot be read. What cannot be read below a partial path is
    /// left out.
    pub fn values(mut context: Context, names: &[String]) -> Result<Self, Fault> {
        let targets = resolve_all(&mut context, names)?;
        for target in &targets {
            if let Target::Parameter(node, row, parameter) = target {
                access::read(&mut context, *node, row, parameter)?;
            }
        }
        Ok(Self::new(ListKind::Values, context, targets, Depth::All))
    }

    /// The attributes of parameters and of everything below partial paths (TR-069a6 A.3.2.5).
    ///
    /// # Errors
    /// 9005 for a name that nothing has.
    pub fn attributes(mut context: Context, names: &[String]) -> Result<Self, Fault> {
        let targets = resolve_all(&mut context, names)?;
        Ok(Self::new(ListKind::Attributes, context, targets, Depth::All))
    }

    /// The names below a path (TR-069a6 A.3.2.3, CONFORMANCE P-40 to P-46).
    ///
    /// # Errors
    /// 9005 for a path that nothing has, 9003 for a parameter with NextLevel.
    pub fn names(mut context: Context, path: &str, next_level: bool) -> Result<Self, Fault> {
        let mut targets = resolve(&mut context, path)?;
        let depth = if next_level { Depth::Next } else { Depth::All };
        if next_level && targets.iter().any(|target| matches!(target, Target::Parameter(..))) {
            return Err(Fault::new(
                FaultCode::INVALID_ARGUMENTS,
                "NextLevel needs a partial path: one that ends with a dot",
            ));
        }
        // An empty path with NextLevel is answered with the root alone, which is no walk of its own (P-42).
        let root_alone = path.is_empty() && next_level;
        if root_alone {
            targets.retain(|target| !is_root(target));
        }
        let mut answers = Self::new(ListKind::Names, context, targets, depth);
        if root_alone {
            answers.name.push_str("Device.");
        }
        Ok(answers)
    }

    fn new(kind: ListKind, context: Context, targets: Vec<Target>, depth: Depth) -> Self {
        Self { kind, context, targets, depth, next_target: 0, walk: None, name: String::new(), by_alias: false }
    }

    /// Tells names with numbers or with aliases, as the ACS has chosen (InstanceMode; CONFORMANCE A-02).
    #[must_use]
    pub fn by_instance_mode(mut self) -> Self {
        self.by_alias = alias::wanted(&self.context);
        self
    }

    /// Which answer this is.
    #[must_use]
    pub fn kind(&self) -> ListKind {
        self.kind
    }

    /// Whether the answer is the root alone, and it is still to be told.
    fn root_alone(&self) -> bool {
        self.targets.is_empty() && self.next_target == 0 && self.name == "Device."
    }

    fn step(&mut self) -> Option<Found> {
        loop {
            if let Some(walk) = &mut self.walk {
                if let Some(found) = walk.next(&mut self.context) {
                    return Some(found);
                }
                self.walk = None;
            }
            let target = self.targets.get(self.next_target)?;
            self.next_target = self.next_target.saturating_add(1);
            let walk = Walk::new(self.context.schema(), target, self.depth);
            self.walk = Some(if self.by_alias { walk.by_alias(&mut self.context) } else { walk });
        }
    }
}

impl Items for Answers {
    fn rewind(&mut self) {
        self.next_target = 0;
        self.walk = None;
    }

    fn next(&mut self, sink: &mut dyn FnMut(Item<'_>)) -> bool {
        if self.root_alone() {
            self.next_target = 1;
            sink(Item::Name { name: &self.name, writable: false });
            return true;
        }
        while let Some(found) = self.step() {
            let path = self.walk.as_ref().map(Walk::told_path).unwrap_or_default();
            self.name.clear();
            self.name.push_str(path);
            let (node, row, parameter) = match (found, self.kind) {
                (Found::Object(writable) | Found::Table(writable), ListKind::Names) => {
                    sink(Item::Name { name: &self.name, writable });
                    return true;
                }
                (Found::Object(_) | Found::Table(_), _) => continue,
                (Found::Parameter(node, row, parameter), _) => (node, row, parameter),
            };
            self.name.push_str(parameter.name);
            let name = self.name.as_str();
            match self.kind {
                ListKind::Names => sink(Item::Name { name, writable: parameter.writable }),
                ListKind::Attributes => {
                    // What is remembered of a parameter is remembered under its name with numbers.
                    let numbered = access::full_name(&self.context, node, &row, parameter.name);
                    let attribute = self.context.registry_attribute(&numbered);
                    let access_list = access_list(attribute.as_ref());
                    let notification = notification(parameter, attribute.as_ref());
                    sink(Item::Attribute { name, notification, access_list: &access_list });
                }
                ListKind::Values => match access::read(&mut self.context, node, &row, parameter) {
                    Ok(value) => {
                        let told = match self.by_alias {
                            true => alias::told_value(&mut self.context, parameter, value),
                            false => value,
                        };
                        sink(Item::Value { name, kind: parameter.value.xsd(), value: &told });
                    }
                    Err(error) => {
                        log::debug!("{name} is left out: {error}");
                        continue;
                    }
                },
            }
            return true;
        }
        false
    }
}

fn resolve_all(context: &mut Context, names: &[String]) -> Result<Vec<Target>, Fault> {
    let mut targets = Vec::with_capacity(names.len());
    for name in names {
        targets.extend(resolve(context, name)?);
    }
    Ok(targets)
}

/// The values of a parameter, or of everything below a partial path; none for a name that nothing has, and without what cannot be read.
#[must_use]
pub fn values_of(context: &mut Context, name: &str) -> Vec<ParameterValue> {
    let mut values = Vec::new();
    for target in resolve(context, name).unwrap_or_default() {
        let mut walk = Walk::new(&context.schema().clone(), &target, Depth::All);
        while let Some(found) = walk.next(context) {
            let Found::Parameter(node, row, parameter) = found else { continue };
            if let Ok(value) = access::read(context, node, &row, parameter) {
                let name = format!("{}{}", walk.path(), parameter.name);
                let value = Value { kind: Some(parameter.value.xsd().into()), text: value.into_owned() };
                values.push(ParameterValue { name, value });
            }
        }
    }
    values
}

/// The value of a parameter as a text; `None` for a name that nothing has, and where it cannot be read.
#[must_use]
pub fn text_of(context: &mut Context, name: &str) -> Option<String> {
    values_of(context, name).into_iter().next().map(|value| value.value.text)
}

/// Puts aliases in the place of numbers in names and references, where the ACS wants that (InstanceMode; CONFORMANCE A-02).
pub fn told_by_instance_mode(context: &mut Context, values: &mut [ParameterValue]) {
    if !alias::wanted(context) {
        return;
    }
    for value in values {
        if let Ok([Target::Parameter(_, _, parameter)]) = resolve(context, &value.name).as_deref() {
            value.name = alias::told(context, &value.name);
            let text = std::mem::take(&mut value.value.text);
            value.value.text = alias::told_value(context, parameter, text.into()).into_owned();
        }
    }
}

/// The model as an Inform reads it.
pub struct Reader<'a>(pub &'a mut Context);

impl Parameters for Reader<'_> {
    fn read(&mut self, name: &str) -> Vec<ParameterValue> {
        values_of(self.0, name)
    }
}
