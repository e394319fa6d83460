//! From the directories of a router to the files that can be used.

use std::io::ErrorKind;

use super::check::{check, inherit};
use super::{FILE_LIMIT, Problem, VendorFile, parse};
use crate::model::schema::Object;
use crate::platform::System;

/// Where the files lie: those of the firmware, then those of the user, which win.
const DIRECTORIES: [&str; 2] = ["/usr/share/cwmpd/model.d", "/etc/cwmpd/model.d"];

/// Reads the vendor model files of a router, in the order of their names, and judges them together and with the standard objects. A file with
/// mistakes is left out, with every other that does not make sense without it.
pub fn load(system: &dyn System, standard: &[&'static Object]) -> (Vec<VendorFile>, Vec<Problem>) {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for directory in DIRECTORIES {
        let names = match system.list_dir(directory) {
            Ok(names) => names,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                problems.push(whole(directory, format!("cannot be read: {error}")));
                continue;
            }
        };
        for name in names.iter().filter(|name| name.ends_with(".json") && !name.starts_with('.')) {
            let path = format!("{directory}/{name}");
            match read(system, &path) {
                Ok(file) => files.push(file),
                Err(found) => problems.extend(found),
            }
        }
    }
    // Without a file that is left out another may lack a table, so that it goes on until all agree.
    loop {
        let judged = check(&files, standard);
        let good: Vec<bool> = judged.iter().map(|problems| problems.found.is_empty()).collect();
        problems.extend(judged.into_iter().flat_map(super::Problems::sorted));
        let before = files.len();
        let mut good = good.into_iter();
        files.retain(|_| good.next().unwrap_or(false));
        if files.len() == before {
            break;
        }
    }
    inherit(&mut files, standard);
    (files, problems)
}

fn read(system: &dyn System, path: &str) -> Result<VendorFile, Vec<Problem>> {
    let bytes = system.read_file(path, FILE_LIMIT).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => vec![whole(path, format!("the file is longer than {FILE_LIMIT} bytes"))],
        _ => vec![whole(path, format!("cannot be read: {error}"))],
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
        vec![Problem { path: String::from(path), line, reason: String::from("the text is not UTF-8") }]
    })?;
    parse(path, text)
}

fn whole(path: &str, reason: String) -> Problem {
    Problem { path: String::from(path), line: 0, reason }
}
