//! From files to the types of the engine.

use super::{Call, Instances, Place, Shape, VendorFile, VendorObject, VendorParameter, VendorRows, VendorTable, Words};
use crate::model::schema::{
    Add, Delete, Key, Map, Notification, Object, Parameter, Rows, Source, Table, Text, count, ro,
};
use crate::model::value::{List, Type, UNSIGNED_INT};

/// What the schema takes.
#[derive(Debug, Default)]
pub struct Installed {
    /// The objects: first the tables, the outer before the inner; then all with their parameters, those of later files after those of earlier ones.
    pub objects: Vec<&'static Object>,
    /// Programs that run when an object has changed: its path, and the program with its arguments.
    pub apply: Vec<(&'static str, &'static [&'static str])>,
}

/// Turns files into the types of the engine, for [`crate::model::tree::Schema::new`] and
/// [`crate::model::tree::Schema::add_apply`].
///
/// Their memory is never given back: call it once.
#[must_use]
pub fn install(files: Vec<VendorFile>) -> Installed {
    let mut objects: Vec<VendorObject> = files.into_iter().flat_map(|file| file.objects).collect();
    // Whatever lies in a table has a longer path; the order of the files stays as it was.
    objects.sort_by_key(|object| object.path.matches('.').count());
    let counts = counts(&objects);
    let mut installed = Installed::default();
    // An earlier file may add parameters to a table of a later one, and the tree wants to know of the table first.
    for object in &mut objects {
        if let Some(made) = object.table.take() {
            let object = Object::table(leak(object.path.clone()), table(made), &[]);
            installed.objects.push(Box::leak(Box::new(object)));
        }
    }
    for object in objects {
        let path = leak(object.path);
        installed.apply.extend(object.apply.into_iter().map(|argv| (path, texts(argv))));
        let parameters = object.parameters.into_iter().map(parameter).collect();
        installed.objects.push(Box::leak(Box::new(Object::single(path, slice(parameters)))));
    }
    installed.objects.extend(counts);
    installed
}

/// The number of entries of each table, beside it, where no file says otherwise (CONFORMANCE J-15).
fn counts(objects: &[VendorObject]) -> Vec<&'static Object> {
    let mut counts: Vec<&'static Object> = Vec::new();
    for object in objects {
        let wanted = object.table.as_ref().is_some_and(|table| table.count);
        let Some((path, name)) = object.path.strip_suffix(".{i}.").and_then(|path| path.rsplit_once('.')) else {
            continue;
        };
        let parameter = format!("{name}NumberOfEntries");
        let is_there = |other: &VendorObject| {
            other.path.strip_suffix('.') == Some(path) && other.parameters.iter().any(|p| p.name == parameter)
        };
        let path = format!("{path}.");
        let is_made =
            counts.iter().any(|made| made.path == path && made.parameters.iter().any(|p| p.name == parameter));
        if wanted && !is_made && !objects.iter().any(is_there) {
            let parameter = ro(leak(parameter), UNSIGNED_INT, count(leak(String::from(name))));
            counts.push(Box::leak(Box::new(Object::single(leak(path), slice(vec![parameter])))));
        }
    }
    counts
}

fn table(table: VendorTable) -> Table {
    let functional = !table.enable.is_empty();
    let keys = table.unique.into_iter().map(|parameters| Key { parameters: texts(parameters), functional }).collect();
    let mut made = Table::new(Rows::Vendor(Box::leak(Box::new(match table.rows {
        Instances::Uci { package, kind, wanted } => VendorRows::Sections(leak(package), leak(kind), pairs(wanted)),
        Instances::Directory(path) => VendorRows::Directory(leak(path)),
        Instances::Program(argv) => VendorRows::Program(texts(argv)),
        Instances::Ubus { call, key } => {
            let Call { object, method, arguments, pointer } = call;
            VendorRows::Ubus(leak(object), leak(method), leak(arguments), leak(pointer), leak(key))
        }
    }))))
    .keys(slice(keys))
    .enabled_by(leak(table.enable));
    if let Some(options) = table.writable {
        made.add = Some(Add::Plain(pairs(options)));
        made.delete = Some(Delete::Plain);
    }
    match table.limit {
        Some(limit) => made.at_most(limit),
        None => made,
    }
}

fn parameter(parameter: VendorParameter) -> Parameter {
    let read = source(parameter.read);
    let source = match parameter.write {
        None => read,
        Some(write) => Source::Vendor { read: Box::leak(Box::new(read)), write: Box::leak(Box::new(source(write))) },
    };
    Parameter {
        name: leak(parameter.name),
        value: value(parameter.shape),
        writable: parameter.writable,
        hidden: parameter.hidden,
        command: parameter.command,
        forced_inform: parameter.forced_inform,
        notification: parameter.notification.unwrap_or(Notification::Normal),
        // A new row has none of its options, and so what a missing option means.
        default: None,
        source,
    }
}

fn value(shape: Shape) -> Type {
    Type {
        ranges: slice(shape.ranges),
        lengths: slice(shape.lengths),
        values: texts(shape.values),
        format: shape.format,
        pattern: shape.pattern.map(|pattern| &*Box::leak(Box::new(pattern))),
        list: shape.list.map(|items| List { items, length: u32::MAX }),
        ..Type::of(shape.kind)
    }
}

fn source(place: Place) -> Source {
    match place {
        Place::Constant(value) => Source::Constant(leak(value)),
        Place::Key => Source::Get(|context, row| context.key(row).map(Text::Owned)),
        Place::File(path) => Source::File(leak(path)),
        Place::Program(argv) => Source::Program(texts(argv)),
        Place::Ubus(Call { object, method, arguments, pointer }) => Source::Ubus {
            object: leak(object),
            method: leak(method),
            arguments: leak(arguments),
            pointer: leak(pointer),
        },
        Place::Uci { option, map, missing } => Source::Uci {
            option: leak(option),
            map: match map {
                Words::Text => Map::Text,
                Words::Truth => Map::Truth,
                Words::Inverse => Map::Inverse,
                Words::Items => Map::Items,
                Words::Table(words) => Map::Words(pairs(words)),
            },
            missing: missing.map(leak),
        },
    }
}

fn leak(text: String) -> &'static str {
    match text.is_empty() {
        true => "",
        false => Box::leak(text.into_boxed_str()),
    }
}

fn slice<T>(items: Vec<T>) -> &'static [T] {
    Box::leak(items.into_boxed_slice())
}

fn texts(items: Vec<String>) -> &'static [&'static str] {
    slice(items.into_iter().map(leak).collect())
}

fn pairs(items: Vec<(String, String)>) -> &'static [(&'static str, &'static str)] {
    slice(items.into_iter().map(|(one, other)| (leak(one), leak(other))).collect())
}
