//! What can only be judged when all files lie beside each other and beside TR-181.

use super::{Instances, Problems, VendorFile};
use crate::model::schema::{Object, Rows};
use crate::model::vendor::VendorRows;
use crate::sorted::Map;

/// The tables that are known, by their paths with `{i}.` at the end: whether their rows are UCI sections.
#[derive(Default)]
pub(super) struct Tables {
    sections: Map<String, bool>,
}

impl Tables {
    /// Those that one file brings.
    pub(super) fn of_file(file: &VendorFile) -> Self {
        let mut tables = Self::default();
        tables.add_file(file);
        tables
    }

    fn add_file(&mut self, file: &VendorFile) {
        for object in &file.objects {
            if let Some(table) = &object.table {
                self.sections.insert(object.path.clone(), matches!(table.rows, Instances::Uci { .. }));
            }
        }
    }
}

/// Judges what needs a row that is a UCI section, where it is known what the rows are.
pub(super) fn check_needs(file: &VendorFile, tables: &Tables, problems: &mut Problems) {
    for object in &file.objects {
        for need in &object.needs {
            let path = if need.around { object.path.strip_suffix("{i}.") } else { Some(object.path.as_str()) };
            let Some(table) = path.and_then(nearest_table) else { continue };
            if tables.sections.get(table) == Some(&false) {
                problems.add(
                    need.line,
                    format!("the rows of {table} are no UCI sections: use package.section.option, or {{key}}"),
                );
            }
        }
    }
}

/// The path of the innermost table that a path lies in, with its `{i}.`.
fn nearest_table(path: &str) -> Option<&str> {
    path.rfind("{i}.").and_then(|at| path.get(..at.saturating_add(4)))
}

/// Each object on the way of a path, without the `{i}.` at its end, and whether it is a table there.
fn steps(path: &str) -> Vec<(&str, bool)> {
    let mut steps: Vec<(&str, bool)> = Vec::new();
    let mut end = 0_usize;
    for part in path.split_inclusive('.') {
        end = end.saturating_add(part.len());
        if part == "{i}." {
            if let Some(last) = steps.last_mut() {
                last.1 = true;
            }
        } else if let Some(step) = path.get(..end) {
            steps.push((step, false));
        }
    }
    steps
}

/// Judges all files together; each mistake is told with the later of two that disagree.
pub(super) fn check(files: &[VendorFile], standard: &[&'static Object]) -> Vec<Problems> {
    let mut tables = Tables::default();
    let mut shapes: Map<String, (bool, String)> = Map::new();
    for object in standard {
        if let Some(table) = &object.table {
            let sections = matches!(
                table.rows,
                Rows::Sections { .. }
                    | Rows::SomeSections { .. }
                    | Rows::SectionsAndKeys { .. }
                    | Rows::Vendor(VendorRows::Sections(..))
            );
            tables.sections.insert(String::from(object.path), sections);
        }
        for (step, is_table) in steps(object.path) {
            shapes.get_or_insert_with(String::from(step), || (is_table, String::from("TR-181")));
        }
    }
    let of_standard = Tables { sections: tables.sections.clone() };
    for file in files {
        tables.add_file(file);
    }
    let mut made: Map<&str, (&Instances, &str)> = Map::new();
    let mut all = Vec::new();
    for file in files {
        let mut problems = Problems::new(&file.path);
        for object in &file.objects {
            for (step, is_table) in steps(&object.path) {
                let (was_table, by) = shapes.get_or_insert_with(String::from(step), || (is_table, file.path.clone()));
                if *was_table != is_table {
                    let (form, other) = if is_table { ("no table", "") } else { ("a table", "{i}.") };
                    problems.add(object.line, format!("{step} is {form} in {by}: write {step}{other}"));
                } else if is_table && !tables.sections.contains_key(&format!("{step}{{i}}.")) {
                    let table = format!("{step}{{i}}.");
                    let reason = format!("nothing says where the rows of {table} come from: \"instances\" is missing");
                    problems.add(object.line, reason);
                }
            }
            let Some(table) = &object.table else { continue };
            if of_standard.sections.contains_key(&object.path) {
                let path = &object.path;
                problems.add(table.line, format!("cwmpd itself says where the rows of {path} come from"));
            } else if let Some((rows, by)) = made.get(object.path.as_str()) {
                if **rows != table.rows {
                    problems.add(table.line, format!("{by} says that the rows of {} come from elsewhere", object.path));
                }
            } else {
                made.insert(&object.path, (&table.rows, &file.path));
            }
        }
        check_needs(file, &tables, &mut problems);
        all.push(problems);
    }
    all
}

/// A parameter that replaces a standard one keeps what TR-181 says of its notification and its place in the Inform.
pub(super) fn inherit(files: &mut [VendorFile], standard: &[&'static Object]) {
    for object in files.iter_mut().flat_map(|file| &mut file.objects) {
        for replaced in standard.iter().filter(|known| known.path == object.path).flat_map(|known| known.parameters) {
            for parameter in object.parameters.iter_mut().filter(|parameter| parameter.name == replaced.name) {
                parameter.forced_inform |= replaced.forced_inform;
                parameter.notification.get_or_insert(replaced.notification);
            }
        }
    }
}
