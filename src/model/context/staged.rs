//! What is staged, and the commit: all of it, or nothing.

use std::rc::Rc;
use std::sync::PoisonError;

use super::{CommitFailure, Context, Effects, FILE_LIMIT, Row, RowId};
use crate::error::{Error, Fault, Result};
use crate::model::fleeting::Wish;
use crate::model::guard::{Change, Guard};
use crate::model::registry::Registry;
use crate::platform::uci::{CommitError, OptionValue, Package, SectionId};

impl Context {
    /// Makes sure that the section of a row has a name of its own, before something is written into it or refers to it.
    ///
    /// # Errors
    /// When the section is not there (any more).
    pub fn name_section(&mut self, row: &Row) -> Result<String, Fault> {
        let name = self.key(row)?;
        if let (Some(package), &RowId::Section(id)) = (self.package_of(row), row.id()) {
            if self.section(row)?.name().is_none() {
                let package = self.options_mut(package)?;
                package.rename_section(id, &name).map_err(|error| Fault::internal(error.to_string()))?;
            }
        }
        Ok(name)
    }

    /// Sets an option of the section of a row, or takes it away.
    ///
    /// # Errors
    /// When the section is not there (any more), or UCI cannot hold the value.
    pub fn set_option(&mut self, row: &Row, option: &str, value: Option<&str>) -> Result<(), Fault> {
        // UCI has no empty texts.
        let value = value.filter(|value| !value.is_empty());
        let unchanged = match (self.section(row)?.value(option), value) {
            (None, None) => true,
            (Some(OptionValue::Text(text)), Some(value)) => text == value,
            _ => false,
        };
        if unchanged {
            return Ok(());
        }
        self.name_section(row)?;
        if let (Some(package), &RowId::Section(id)) = (self.package_of(row), row.id()) {
            set_section_option(self.options_mut(package)?, id, option, value)?;
        }
        Ok(())
    }

    /// Sets a list option of the section of a row; an empty list takes it away.
    ///
    /// # Errors
    /// When the section is not there (any more), or UCI cannot hold an item.
    pub fn set_list(&mut self, row: &Row, option: &str, items: &[&str]) -> Result<(), Fault> {
        if self.section(row)?.value(option) == list_value(items) {
            return Ok(());
        }
        self.name_section(row)?;
        if let (Some(package), &RowId::Section(id)) = (self.package_of(row), row.id()) {
            let package = self.options_mut(package)?;
            package.set_list(id, option, items).map_err(|error| Fault::value(error.to_string()))?;
        }
        Ok(())
    }

    /// A name that no section of a package has or had.
    ///
    /// # Errors
    /// When the package cannot be read.
    pub fn new_section_name(&mut self, package: &str) -> Result<String> {
        let registry = self.registry.clone();
        let package = self.package(package)?;
        Ok(registry.lock().unwrap_or_else(PoisonError::into_inner).new_section_name(package))
    }

    /// A new section with a name that nothing else has.
    ///
    /// # Errors
    /// When the package cannot be read, or UCI cannot hold a value.
    pub fn add_section(
        &mut self,
        package: &str,
        kind: &str,
        options: &[(&str, &str)],
    ) -> Result<(SectionId, String), Fault> {
        let name = self.new_section_name(package)?;
        let package = self.package_mut(package)?;
        let id = package.add_section(kind, Some(&name)).map_err(|error| Fault::internal(error.to_string()))?;
        for (option, value) in options {
            set_section_option(package, id, option, Some(value))?;
        }
        Ok((id, name))
    }

    /// A value of the agent's own, with what is staged.
    #[must_use]
    pub fn own(&self, name: &str) -> Option<String> {
        match self.own.get(name) {
            Some(staged) => staged.clone(),
            None => self.registry().own(name).map(String::from),
        }
    }

    /// Sets a value of the agent's own, or takes it away.
    pub fn set_own(&mut self, name: &str, value: Option<&str>) {
        self.forget_rows();
        self.memos.clear();
        self.own.insert(String::from(name), value.map(String::from));
    }

    /// Starts or ends a test with the commit; `object` is the path of its object.
    pub(in crate::model) fn stage_test(&mut self, object: String, wish: Wish) {
        self.effects.tests.insert(object, wish);
    }

    /// A new row of a table whose rows only the agent has.
    pub(in crate::model) fn add_own_row(&mut self, table: &str) -> u32 {
        self.forget_rows();
        let staged = self.added.iter().filter(|(added, _)| added == table).count();
        let number = self.registry().next_number(table).saturating_add(u32::try_from(staged).unwrap_or(u32::MAX));
        self.added.push((String::from(table), number));
        number
    }

    /// Says that a row was deleted by the ACS, so that what is known of it goes too.
    pub(in crate::model) fn forget(&mut self, table: &str, row: &Row) {
        self.forget_rows();
        self.forgotten.push((String::from(table), row.number(), self.package_of(row)));
    }

    /// Lets a row of a table of sections or keys stand for another section or key from now on, with its number and all that belongs to it.
    pub fn move_row(&mut self, row: &Row, section: &str) {
        if let Some(around) = row.parent() {
            let table = self.schema.path(row.node(), around);
            self.forget_rows();
            self.moved.push((table, String::from(section), row.number()));
        }
    }

    /// Stages a value for a file of sysfs or procfs.
    pub(in crate::model) fn stage_file(&mut self, path: &str, value: &str) {
        self.files.insert(String::from(path), Ok(Rc::from(value)));
        self.values.insert(String::from(path), String::from(value));
    }

    /// Stages a new content for a whole file, which takes the place of the old one in one step. The file keeps its mode; a new one gets this.
    ///
    /// # Errors
    /// When the file holds what is not UTF-8: it would be damaged.
    pub fn replace_file(&mut self, path: &str, mode: u32, content: String) -> Result<(), Fault> {
        if self.file(path).is_ok_and(|before| before.contains(char::REPLACEMENT_CHARACTER)) {
            return Err(Fault::internal(format!("{path} is not UTF-8")));
        }
        let mode = self.system.file_info(path).map_or(mode, |info| info.mode);
        self.memos.clear();
        self.tables.clear();
        self.files.insert(String::from(path), Ok(Rc::from(content.trim_end())));
        self.replacements.insert(String::from(path), (mode, content));
        Ok(())
    }

    /// Stages a program that sets a value: it runs with the commit, before the answer.
    pub fn stage_program(&mut self, argv: Vec<String>) {
        self.programs.clear();
        self.actions.push(argv);
    }

    /// The programs that are staged, in their order: what is read meanwhile has to show what they will have done.
    #[must_use]
    pub fn staged_programs(&self) -> &[Vec<String>] {
        &self.actions
    }

    /// Runs a program, once, when the request has been answered and its session is over.
    pub fn after(&mut self, argv: &[&str]) {
        self.effects.programs.insert(argv.iter().copied().map(String::from).collect());
    }

    /// Writes everything that is staged: all of it, or nothing. `keep` saves the registry; `guard` is asked before.
    pub(in crate::model) fn commit(
        mut self,
        keep: &mut dyn FnMut(&Registry) -> Result<()>,
        guard: Option<&mut Guard>,
    ) -> std::result::Result<Effects, CommitFailure> {
        let mut packages = std::mem::take(&mut self.packages);
        let mut changed: Vec<&mut Package> =
            packages.values_mut().iter_mut().filter_map(|kept| kept.as_mut().ok()).filter(|p| p.is_changed()).collect();
        let before: Vec<Package> = changed.iter().map(|package| package.original()).collect();
        self.effects.packages.extend(changed.iter().map(|package| String::from(package.name())));
        if let Some(guard) = guard {
            self.ask(guard, &before, &changed).map_err(CommitFailure::Fault)?;
        }
        self.system.commit_packages(&mut changed).map_err(|error| match error {
            CommitError::Changed(_) => CommitFailure::Again,
            CommitError::Failed(error) => CommitFailure::Fault(error.into()),
        })?;
        let mut written = Vec::new();
        match self.write_outside(&mut written).and_then(|()| self.keep_registry(keep)) {
            Ok(()) => Ok(self.effects),
            Err(fault) => {
                for (path, before) in written {
                    // Nothing more can be done about what cannot be put back.
                    let _ = match (self.replacements.get(&path), before) {
                        (None, Some(value)) => self.system.write_value(&path, &value),
                        (Some((mode, _)), Some(content)) => self.system.replace_file(&path, *mode, &content),
                        (_, None) => Ok(()),
                    };
                }
                let mut undone: Vec<Package> =
                    changed.iter().zip(&before).map(|(after, before)| before.in_place_of(after)).collect();
                let mut undone: Vec<&mut Package> = undone.iter_mut().collect();
                Err(CommitFailure::Fault(match self.system.commit_packages(&mut undone) {
                    Ok(()) => fault,
                    Err(_) => Fault::internal(format!("{}; and the configuration could not be put back", fault.text)),
                }))
            }
        }
    }

    fn ask(&self, guard: &mut Guard, before: &[Package], after: &[&mut Package]) -> Result<(), Fault> {
        let packages: Vec<(&Package, &Package)> = before.iter().zip(after.iter().map(|package| &**package)).collect();
        let registry = self.registry();
        let own = self.own.iter().filter(|(name, value)| registry.own(name) != value.as_deref());
        let own: Vec<&str> = own.map(|(name, _)| name.as_str()).collect();
        guard(&Change { packages: &packages, own: &own, registry: &registry, effects: &self.effects })
    }

    /// Writes the values that live in files and behind programs, and notes what was in the files. What a program did stays done, which is why
    /// programs come last.
    fn write_outside(&self, written: &mut Vec<(String, Option<Vec<u8>>)>) -> Result<(), Fault> {
        for (path, (mode, content)) in &self.replacements {
            let before = self.system.read_file(path, FILE_LIMIT).ok();
            self.system.replace_file(path, *mode, content.as_bytes()).map_err(Error::io(format!("write {path}")))?;
            written.push((path.clone(), before));
        }
        for (path, value) in &self.values {
            let before = self.system.read_file(path, FILE_LIMIT).unwrap_or_default();
            self.system.write_value(path, value.as_bytes()).map_err(Error::io(format!("write {path}")))?;
            written.push((path.clone(), Some(before)));
        }
        for argv in &self.actions {
            let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
            self.run(&argv)?;
        }
        Ok(())
    }

    fn keep_registry(&self, keep: &mut dyn FnMut(&Registry) -> Result<()>) -> Result<(), Fault> {
        let mut registry = self.registry();
        let former = registry.clone();
        for (table, number) in &self.added {
            registry.add_own_row(table, *number);
        }
        for (table, number, package) in &self.forgotten {
            registry.forget(table, *number, *package);
        }
        for (table, key, number) in &self.moved {
            registry.move_row(table, key, *number);
        }
        for (name, value) in &self.own {
            registry.set_own(name, value.clone());
        }
        if registry.take_dirty() {
            if let Err(error) = keep(&registry) {
                *registry = former;
                registry.mark_dirty();
                return Err(error.into());
            }
        }
        Ok(())
    }
}

fn list_value<'a>(items: &[&'a str]) -> Option<OptionValue<'a>> {
    (!items.is_empty()).then(|| OptionValue::List(items.to_vec()))
}

pub(in crate::model) fn set_section_option(
    package: &mut Package,
    id: SectionId,
    option: &str,
    value: Option<&str>,
) -> Result<(), Fault> {
    match value {
        Some(value) => {
            package.set(id, option, value).map_err(|error| Fault::value(error.to_string()))?;
        }
        None => {
            package.remove(id, option);
        }
    }
    Ok(())
}
