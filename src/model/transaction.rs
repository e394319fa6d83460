//! Writes: SetParameterValues, AddObject and DeleteObject, each all or nothing (CONFORMANCE P-01 to P-19, P-60 to P-69).

use std::borrow::Cow;
use std::rc::Rc;

use super::Model;
use super::access::{exists, full_name, stage, stored};
use super::alias::{self, ALIAS};
use super::attributes::subscriber_may_write;
use super::context::{CommitFailure, Context, Effects, Row, RowId};
use super::schema::{Add, Delete, Key, Parameter, Rows, Source, Values};
use super::tree::{NodeId, Target, resolve};
use super::value::is_number;
use crate::error::{Fault, FaultCode, ParameterFault};
use crate::sorted::{Map, Set};

/// Where the ParameterKey is kept (CONFORMANCE P-08).
pub const PARAMETER_KEY: &str = "Device.ManagementServer.ParameterKey";

/// How often a request is done again because somebody else changed a file in between.
const TRIES: u32 = 5;

/// A value to be set.
#[derive(Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The full name.
    pub name: String,
    /// The local name of the type that came with it, if any.
    pub kind: Option<String>,
    /// The text.
    pub value: String,
}

/// What a write has done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// The full names of the parameters that were written: their new values are no news to whoever wrote them (CONFORMANCE P-10).
    pub names: Vec<String>,
    /// What has to be done before the change takes effect; nothing means that it has (Status 0), anything that it will (Status 1).
    pub effects: Effects,
}

/// An entry of SetParameterValues.
struct Entry<'a> {
    sent: &'a Assignment,
    /// The name with numbers for its aliases.
    name: String,
    fault: Option<Fault>,
}

/// A row that a request touches.
type Touched = Map<(NodeId, String), TouchedRow>;

#[derive(Default)]
struct TouchedRow {
    together: Vec<(&'static str, String)>,
    changed: Vec<&'static str>,
    /// Those of them that keep the value that they had; known in tables that also have rows which are not the ACS's.
    kept: Vec<&'static str>,
    /// Something of it is not what it was: a vendor's services have to hear of it.
    news: bool,
}

impl Model {
    /// SetParameterValues: checks every entry against the end state, collects every fault, and writes all or nothing.
    ///
    /// `parameter_key` is stored only on success; `None` for a write that does not come from the ACS, which the access list of a parameter may
    /// refuse (CONFORMANCE P-55). Names may have aliases for numbers; with AutoCreateInstances an alias that no row has makes one.
    ///
    /// # Errors
    /// 9003 with one [`ParameterFault`] for each bad entry; 9003 alone for a name that comes twice or a ParameterKey of more than 32 characters;
    /// 9002 when it could not be written.
    pub fn set_values(&mut self, assignments: &[Assignment], parameter_key: Option<&str>) -> Result<Written, Fault> {
        check_parameter_key(parameter_key)?;
        self.write(parameter_key.is_some(), |context| {
            let names = stage_all(context, assignments, parameter_key.is_none())?;
            if let Some(key) = parameter_key {
                context.set_own(PARAMETER_KEY, Some(key));
            }
            Ok(names)
        })
        .map(|(names, effects)| Written { names, effects })
    }

    /// AddObject: makes a row with its defaults and returns its instance number. `Table.[alias].` names the Alias that it gets.
    ///
    /// # Errors
    /// 9005 when it is no table, or not one that the ACS can add to, or for an alias that cannot be given; 9004 when it is full; 9003 for an
    /// alias that there is already (CONFORMANCE P-63), and a bad ParameterKey; 9002 when it could not be written.
    pub fn add_object(&mut self, path: &str, parameter_key: Option<&str>) -> Result<(u32, Written), Fault> {
        check_parameter_key(parameter_key)?;
        check_one(path)?;
        let ((number, names), effects) = self.write(parameter_key.is_some(), |context| {
            let (table, alias) = match path.strip_suffix("].").and_then(|path| path.rsplit_once(".[")) {
                Some((table, alias)) => (format!("{table}."), Some(alias)),
                None => (String::from(path), None),
            };
            let (node, around) = match resolve(context, &table)?.as_slice() {
                [Target::Table(node, around)] if path.ends_with('.') => (*node, around.clone()),
                _ => return Err(Fault::name(path)),
            };
            let number = match alias {
                Some(alias) => add_row_with_alias(context, node, &around, alias)?,
                None => add_row(context, node, &around)?.number(),
            };
            if let Some(key) = parameter_key {
                context.set_own(PARAMETER_KEY, Some(key));
            }
            let names = names_beside(context, node, &around);
            Ok((number, names))
        })?;
        Ok((number, Written { names, effects }))
    }

    /// DeleteObject: takes a row away, with everything below it.
    ///
    /// # Errors
    /// 9005 when it is no row, or not one that can go; 9003 for a bad ParameterKey; 9002 when it could not be written.
    pub fn delete_object(&mut self, path: &str, parameter_key: Option<&str>) -> Result<Written, Fault> {
        check_parameter_key(parameter_key)?;
        check_one(path)?;
        let (names, effects) = self.write(parameter_key.is_some(), |context| {
            let (node, row) = match resolve(context, path)?.as_slice() {
                [Target::Object(node, row)] if path.ends_with('.') && row.node() == *node && row.number() != 0 => {
                    (*node, row.clone())
                }
                _ => return Err(Fault::name(path)),
            };
            let schema = context.schema().clone();
            let Some(delete) = schema.node(node).table().and_then(|table| table.delete) else {
                return Err(Fault::name(path));
            };
            match delete {
                Delete::By(delete) => delete(context, &row)?,
                Delete::Plain => {
                    remove_below(context, node, &row)?;
                    if let (Some(package), &RowId::Section(id)) = (context.package_of(&row), row.id()) {
                        context.package_mut(package)?.remove_section(id);
                    }
                }
            }
            if let Some(around) = row.parent() {
                context.forget(&schema.path(node, around), &row);
            }
            apply_vendor(context, node);
            if let Some(key) = parameter_key {
                context.set_own(PARAMETER_KEY, Some(key));
            }
            Ok(row.parent().map(|around| names_beside(context, node, around)).unwrap_or_default())
        })?;
        Ok(Written { names, effects })
    }

    /// Stages with a function and commits; again from the beginning when somebody else was faster. The guard is asked before a change `by_acs`.
    fn write<T>(
        &mut self,
        by_acs: bool,
        stage: impl Fn(&mut Context) -> Result<T, Fault>,
    ) -> Result<(T, Effects), Fault> {
        for _ in 0..TRIES {
            let mut context = self.context();
            let staged = stage(&mut context)?;
            match context.commit(&mut self.keep, self.guard.as_mut().filter(|_| by_acs)) {
                Ok(effects) => return Ok((staged, effects)),
                Err(CommitFailure::Fault(fault)) => return Err(fault),
                Err(CommitFailure::Again) => {}
            }
        }
        Err(Fault::new(FaultCode::REQUEST_DENIED, "the configuration is being changed by somebody else all the time"))
    }
}

fn check_parameter_key(key: Option<&str>) -> Result<(), Fault> {
    match key {
        Some(key) if key.chars().count() > 32 => Err(Fault::arguments("the ParameterKey has more than 32 characters")),
        _ => Ok(()),
    }
}

/// A wildcard is for reading (CONFORMANCE P-35): what it stands for depends on how many rows there are just now.
fn check_one(path: &str) -> Result<(), Fault> {
    if alias::parts(path).any(|part| part == "*") { Err(Fault::name(path)) } else { Ok(()) }
}

/// Stages all entries, and returns the names of what they change, with numbers for aliases.
fn stage_all(context: &mut Context, assignments: &[Assignment], local: bool) -> Result<Vec<String>, Fault> {
    let mut beside = Vec::new();
    let mut entries = Vec::with_capacity(assignments.len());
    for sent in assignments {
        // Aliases are those from before the request.
        let (name, fault) = match number_aliases(context, &sent.name, &mut beside) {
            Ok(name) => (name, None),
            Err(fault) => (sent.name.clone(), Some(fault)),
        };
        entries.push(Entry { sent, name, fault });
    }
    let mut seen = Set::new();
    if let Some(twice) = entries.iter().find(|entry| !seen.insert(entry.name.as_str())) {
        return Err(Fault::arguments(format!("{} comes twice", twice.sent.name)));
    }
    let mut touched = Touched::new();
    for entry in entries.iter_mut().filter(|entry| entry.fault.is_none()) {
        entry.fault = stage_one(context, &entry.name, entry.sent, local, &mut touched).err();
    }
    let mut blamed: Vec<(String, Fault)> = Vec::new();
    for ((node, path), touched) in &touched {
        let Some(row) = row_now(context, path) else { continue };
        // A row with a bad entry is not judged: what is wrong with it is known already.
        if entries.iter().any(|entry| entry.fault.is_some() && parent_path(&entry.name) == path) {
            continue;
        }
        if let Err((parameter, fault)) = finish_row(context, *node, &row, touched) {
            blamed.push((format!("{path}{parameter}"), fault));
        }
    }
    // Every bad entry is told (CONFORMANCE P-03), so the others are judged too, but not where the end state of their table is not known: a value
    // that is bad is missing in it. What has no such name, or cannot be written, has no value there.
    let without = [FaultCode::INVALID_PARAMETER_NAME, FaultCode::NON_WRITABLE_PARAMETER];
    let valued = |entry: &&Entry<'_>| entry.fault.as_ref().is_some_and(|fault| !without.contains(&fault.code));
    let mut unknown: Set<String> = entries.iter().filter(valued).map(|entry| table_of(&entry.name)).collect();
    unknown.extend(blamed.iter().map(|(name, _)| table_of(name)));
    for ((node, path), touched) in &touched {
        let Some(row) = row_now(context, path) else { continue };
        let known_as_bad = |entry: &Entry<'_>| entry.fault.is_some() && parent_path(&entry.name) == path;
        if unknown.contains(&table_of(path)) || entries.iter().any(known_as_bad) {
            continue;
        }
        if let Err((parameter, fault)) = judge_row(context, *node, &row, touched) {
            blamed.push((format!("{path}{parameter}"), fault));
        }
        if touched.news {
            apply_vendor(context, *node);
        }
    }
    // The ACS looks for the blame among what it sent.
    let blamed = blamed.into_iter().map(|(name, fault)| {
        let path = parent_path(&name);
        let sent = entries.iter().find(|entry| entry.name == name);
        let sent = sent.or_else(|| entries.iter().find(|entry| parent_path(&entry.name) == path));
        let name = sent.map_or(name.clone(), |entry| entry.sent.name.clone());
        fault.of(name)
    });
    let blamed: Vec<ParameterFault> = blamed.collect();
    let mut names = beside;
    let mut parameters = Vec::new();
    for Entry { sent, name, fault } in entries {
        names.push(name);
        parameters.extend(fault.map(|fault| fault.of(sent.name.clone())));
    }
    parameters.extend(blamed);
    if parameters.is_empty() {
        return Ok(names);
    }
    Err(Fault::from(FaultCode::INVALID_ARGUMENTS).with_parameters(parameters))
}

/// Puts numbers in the place of aliases. With AutoCreateInstances an alias that no row has makes one (CONFORMANCE A-04); `beside` gets the names of
/// the parameters that count it.
fn number_aliases(context: &mut Context, name: &str, beside: &mut Vec<String>) -> Result<String, Fault> {
    alias::numbered(context, name, &mut |context, node, around, alias| {
        if !alias::creates_rows(context) {
            return Err(Fault::name(name));
        }
        let number = add_row_with_alias(context, node, around, alias)?;
        for name in names_beside(context, node, around) {
            if !beside.contains(&name) {
                beside.push(name);
            }
        }
        Ok(number)
    })
}

/// The row that a path stands for now: what was staged may have moved it to another section.
fn row_now(context: &mut Context, path: &str) -> Option<Rc<Row>> {
    match resolve(context, path).ok()?.as_slice() {
        [Target::Object(_, row)] => Some(row.clone()),
        _ => None,
    }
}

fn parent_path(name: &str) -> &str {
    name.rfind('.').and_then(|dot| name.get(..=dot)).unwrap_or_default()
}

/// The path of the object of a name without its instance numbers: the same for all rows of a table.
fn table_of(name: &str) -> String {
    parent_path(name).split('.').filter(|part| !is_number(part)).collect::<Vec<_>>().join(".")
}

fn stage_one(
    context: &mut Context,
    name: &str,
    sent: &Assignment,
    local: bool,
    touched: &mut Touched,
) -> Result<(), Fault> {
    if name.is_empty() || name.ends_with('.') || name.contains('*') {
        return Err(Fault::name(name));
    }
    let targets = resolve(context, name)?;
    let [Target::Parameter(node, row, parameter)] = targets.as_slice() else { return Err(Fault::name(name)) };
    if !parameter.writable {
        return Err(FaultCode::NON_WRITABLE_PARAMETER.into());
    }
    if local && !subscriber_may_write(context.registry().attribute(name)) {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "the ACS keeps this parameter to itself (its access list)"));
    }
    let value = match parameter.value.reference {
        Some(_) if sent.value.contains('[') => Cow::Owned(alias::numbered_value(context, &sent.value)),
        _ => Cow::Borrowed(sent.value.as_str()),
    };
    let value = parameter.value.accept(sent.kind.as_deref(), &value)?;
    // A weak reference may be left behind by its row, but what the agent itself keeps leads somewhere when it is written.
    let own = matches!(parameter.source, Source::Own(_));
    if parameter.value.reference.is_some_and(|reference| reference.strong || own) {
        for path in value.split(',').filter(|path| !path.is_empty()) {
            if !exists(context, path) {
                return Err(Fault::value(format!("there is no {path}")));
            }
        }
    }
    // The value that it has is no change, and its Alias is the agent's own.
    if context.is_foreign(row) && !matches!(parameter.source, Source::Alias | Source::Own(_)) {
        let same = stored(context, *node, row, parameter)? == value;
        return if same { Ok(()) } else { Err(FaultCode::NON_WRITABLE_PARAMETER.into()) };
    }
    let path = context.schema().path(*node, row);
    let news = is_news(context, *node, row, parameter, &value);
    let shared =
        context.schema().node(*node).table().is_some_and(|table| matches!(table.rows, Rows::SectionsAndKeys { .. }));
    let kept = shared && stored(context, *node, row, parameter).is_ok_and(|now| now == value);
    let entry = touched.get_or_default((*node, path));
    entry.changed.push(parameter.name);
    entry.kept.extend(kept.then_some(parameter.name));
    entry.news |= news;
    if let Source::Together(_) = parameter.source {
        entry.together.push((parameter.name, value));
        return Ok(());
    }
    if parameter.command && value == parameter.value.null() {
        return Ok(());
    }
    stage(context, *node, row, parameter, &value)
}

/// Whether a value is another one (CONFORMANCE P-12), for an object whose changes a vendor's services have to hear of. What is written elsewhere
/// than it is read from may be.
fn is_news(context: &mut Context, node: NodeId, row: &Rc<Row>, parameter: &Parameter, value: &str) -> bool {
    let schema = context.schema().clone();
    let heard = schema.node(node).object.is_some_and(|object| schema.apply_of(object.path).next().is_some());
    let elsewhere = parameter.command || matches!(parameter.source, Source::Vendor { .. });
    let nothing = parameter.command && value == parameter.value.null();
    heard && !nothing && (elsewhere || !stored(context, node, row, parameter).is_ok_and(|now| now == value))
}

fn finish_row(
    context: &mut Context,
    node: NodeId,
    row: &Rc<Row>,
    touched: &TouchedRow,
) -> Result<(), (&'static str, Fault)> {
    let Some((first, _)) = touched.together.first() else { return Ok(()) };
    let object = context.schema().node(node).object;
    match object.and_then(|object| object.set_together) {
        Some(set) => set(context, row, &Values(&touched.together)),
        None => Err((first, FaultCode::NON_WRITABLE_PARAMETER.into())),
    }
}

/// Judges a row by the end state: its object's own check, then its keys.
fn judge_row(
    context: &mut Context,
    node: NodeId,
    row: &Rc<Row>,
    touched: &TouchedRow,
) -> Result<(), (&'static str, Fault)> {
    let changed = &touched.changed;
    let schema = context.schema().clone();
    let node_of = schema.node(node);
    if let Some(check) = node_of.object.and_then(|object| object.check) {
        check(context, row)?;
    }
    let Some(table) = node_of.table().filter(|_| row.node() == node) else { return Ok(()) };
    let enabling = |name: &&&str| **name == table.enable;
    for key in table.keys.iter().chain(&[Key { parameters: &[ALIAS], functional: false }]) {
        let counts = |name: &&&'static str| key.parameters.contains(*name) || enabling(name);
        let Some(parameter) = changed.iter().find(counts) else { continue };
        // What a host has come with meanwhile does not take away what the row has already: an ACS may write that again.
        let beside_foreign = changed.iter().any(|name| counts(&name) && !touched.kept.contains(name));
        let blame = key.parameters.iter().copied().find(|name| changed.contains(name)).unwrap_or(parameter);
        check_key(context, node, row, key, table.enable, beside_foreign).map_err(|fault| (blame, fault))?;
    }
    if changed.contains(&ALIAS) {
        check_alias(context, node, row).map_err(|fault| (ALIAS, fault))?;
    }
    Ok(())
}

/// That the Alias is not the one that a row to come, or one that comes back, will have by itself (CONFORMANCE A-03). One that a row had which is
/// gone belongs to this row from now on.
fn check_alias(context: &mut Context, node: NodeId, row: &Rc<Row>) -> Result<(), Fault> {
    let schema = context.schema().clone();
    let (Some(parameter), Some(around)) = (schema.node(node).parameter(ALIAS), row.parent()) else { return Ok(()) };
    let alias = stored(context, node, row, parameter)?;
    let (table, rows) = (schema.path(node, around), context.rows(node, around)?);
    let is_gone = |number: u32| number != row.number() && rows.iter().all(|entry| entry.number != number);
    let number = alias.strip_prefix("cpe-").and_then(|number| number.parse::<u32>().ok());
    let number = number.filter(|number| is_gone(*number));
    let mut gone = Vec::new();
    {
        let registry = context.registry();
        let comes = |number| number >= registry.next_number(&table) || registry.key(&table, number).is_some();
        if number.is_some_and(comes) {
            return Err(Fault::value(format!("{alias} will be the Alias of another instance")));
        }
        for (name, _) in registry.own_below(&table).filter(|(_, value)| *value == alias) {
            let part = name.strip_prefix(table.as_str()).and_then(|part| part.strip_suffix(ALIAS)?.strip_suffix('.'));
            if part.and_then(|part| part.parse().ok()).is_some_and(is_gone) {
                gone.push(String::from(name));
            }
        }
    }
    gone.iter().for_each(|name| context.set_own(name, None));
    Ok(())
}

/// That no other row has the same key (CONFORMANCE J-06, P-65); `beside_foreign` says whether rows that are not the ACS's count as well.
fn check_key(
    context: &mut Context,
    node: NodeId,
    row: &Rc<Row>,
    key: &Key,
    enable: &str,
    beside_foreign: bool,
) -> Result<(), Fault> {
    let schema = context.schema().clone();
    let Some(around) = row.parent().cloned() else { return Ok(()) };
    let parameters: Vec<_> = key.parameters.iter().filter_map(|name| schema.node(node).parameter(name)).collect();
    let enable = schema.node(node).parameter(enable).filter(|_| key.functional);
    let enabled = |context: &mut Context, row: &Rc<Row>| match enable {
        Some(enable) => stored(context, node, row, enable).is_ok_and(|value| value == "true"),
        None => true,
    };
    if parameters.is_empty() || parameters.len() != key.parameters.len() || !enabled(context, row) {
        return Ok(());
    }
    let mine = key_values(context, node, row, &parameters)?;
    for entry in context.rows(node, &around)?.iter() {
        let other = Row::new(node, &around, entry);
        let counts = other.number() != row.number() && (beside_foreign || !context.is_foreign(&other));
        if counts && enabled(context, &other) {
            let same = key_values(context, node, &other, &parameters).is_ok_and(|other| other == mine);
            if same {
                let names = key.parameters.join(", ");
                return Err(Fault::value(format!("instance {} has the same {names}", other.number())));
            }
        }
    }
    Ok(())
}

fn key_values(
    context: &mut Context,
    node: NodeId,
    row: &Rc<Row>,
    parameters: &[&'static Parameter],
) -> Result<Vec<String>, Fault> {
    let mut values = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let value = stored(context, node, row, parameter)?.into_owned();
        values.push(match parameter.value.list {
            // Lists compare as sets (CONFORMANCE J-05).
            Some(_) => value.split(',').collect::<Set<_>>().into_iter().collect::<Vec<_>>().join(","),
            None => value,
        });
    }
    Ok(values)
}

/// Makes a row with this Alias.
fn add_row_with_alias(context: &mut Context, node: NodeId, around: &Rc<Row>, alias: &str) -> Result<u32, Fault> {
    let schema = context.schema().clone();
    let path = format!("{}[{alias}].", schema.path(node, around));
    let refused = |text: String| Fault::new(FaultCode::INVALID_PARAMETER_NAME, format!("{path}: {text}"));
    let parameter = schema.node(node).parameter(ALIAS).filter(|parameter| parameter.writable);
    let parameter = parameter.ok_or_else(|| Fault::name(&path))?;
    let alias = parameter.value.accept(None, alias).map_err(|fault| refused(fault.into_text()))?;
    if alias::row(context, node, around, &alias)?.is_some() {
        return Err(Fault::arguments(format!("{path}: there is such an instance already")));
    }
    let row = add_row(context, node, around)?;
    stage(context, node, &row, parameter, &alias)?;
    check_alias(context, node, &row).map_err(|fault| refused(fault.into_text()))?;
    Ok(row.number())
}

fn add_row(context: &mut Context, node: NodeId, around: &Rc<Row>) -> Result<Rc<Row>, Fault> {
    let schema = context.schema().clone();
    let path = schema.path(node, around);
    let Some(table) = schema.node(node).table() else { return Err(Fault::name(&path)) };
    let Some(add) = table.add else { return Err(Fault::name(&path)) };
    if context.rows(node, around)?.len() >= table.limit {
        return Err(FaultCode::RESOURCES_EXCEEDED.into());
    }
    let key = match (add, table.rows) {
        (Add::By(add), _) => add(context, around)?,
        (Add::Plain(options), Rows::Sections { package, kind, .. }) => context.add_section(package, kind, options)?.1,
        (Add::Plain(_), Rows::Own) => context.add_own_row(&path).to_string(),
        (Add::Plain(options), Rows::Vendor(rows)) => {
            let (package, kind) = super::vendor::sections_of(rows).ok_or_else(|| Fault::name(&path))?;
            if super::vendor::belong(rows) {
                // Whoever reads the new section looks for this name.
                context.name_section(around)?;
            }
            let wanted = super::vendor::wanted(context, around, rows)?;
            let wanted = wanted.iter().map(|(option, text)| (*option, text.as_str()));
            let options: Vec<(&str, &str)> = options.iter().copied().chain(wanted).collect();
            context.add_section(package, kind, &options)?.1
        }
        (
            Add::Plain(_),
            Rows::SomeSections { .. }
            | Rows::SectionsAndKeys { .. }
            | Rows::Keys(_)
            | Rows::Numbered(_)
            | Rows::Fleeting,
        ) => return Err(Fault::name(&path)),
    };
    let mut made = None;
    for entry in context.rows(node, around)?.iter() {
        let row = Row::new(node, around, entry);
        if context.key(&row)? == key {
            made = Some(row);
            break;
        }
    }
    let row = made.ok_or_else(|| Fault::internal("the new row is not in its table"))?;
    set_defaults(context, node, &row)?;
    apply_vendor(context, node);
    Ok(row)
}

/// Gives a new row the defaults of TR-181 (CONFORMANCE P-61), where it has other values.
fn set_defaults(context: &mut Context, node: NodeId, row: &Rc<Row>) -> Result<(), Fault> {
    let schema = context.schema().clone();
    let mut together = TouchedRow::default();
    for parameter in &schema.node(node).parameters {
        let Some(default) = parameter.default.filter(|_| parameter.writable && !parameter.command) else { continue };
        if stored(context, node, row, parameter).is_ok_and(|value| value == default) {
            continue;
        }
        if let Source::Together(_) = parameter.source {
            together.together.push((parameter.name, String::from(default)));
        } else {
            stage(context, node, row, parameter, default)?;
        }
    }
    finish_row(context, node, row, &together).map_err(|(_, fault)| fault)?;
    let below = schema.node(node).children.iter().filter(|child| schema.node(**child).table().is_none());
    below.copied().collect::<Vec<_>>().into_iter().try_for_each(|child| set_defaults(context, child, row))
}

/// Takes away the sections that belong to a row.
fn remove_below(context: &mut Context, node: NodeId, row: &Rc<Row>) -> Result<(), Fault> {
    let schema = context.schema().clone();
    for &child in &schema.node(node).children {
        match schema.node(child).table().map(|table| table.rows) {
            None => remove_below(context, child, row)?,
            Some(Rows::Vendor(rows)) if super::vendor::belong(rows) => {
                for entry in context.rows(child, row)?.iter() {
                    let below = Row::new(child, row, entry);
                    remove_below(context, child, &below)?;
                    if let (Some(package), &RowId::Section(id)) = (context.package_of(&below), below.id()) {
                        context.package_mut(package)?.remove_section(id);
                    }
                    context.forget(&schema.path(child, row), &below);
                }
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The parameters of the object around a table that change with the number of its rows (CONFORMANCE P-69).
fn names_beside(context: &mut Context, node: NodeId, around: &Rc<Row>) -> Vec<String> {
    let schema = context.schema().clone();
    let table = schema.node(node);
    let parent = schema.node(table.parent);
    let counts = parent.parameters.iter().filter(|p| matches!(p.source, Source::Count(name) if name == table.name));
    counts.map(|parameter| full_name(context, table.parent, around, parameter.name)).collect()
}

fn apply_vendor(context: &mut Context, node: NodeId) {
    let schema = context.schema().clone();
    if let Some(object) = schema.node(node).object {
        for argv in schema.apply_of(object.path) {
            context.after(argv);
        }
    }
}
