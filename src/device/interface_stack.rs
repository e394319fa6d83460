//! `Device.InterfaceStack.{i}.`: which interface stands on which, out of the `LowerLayers` of every table that has them, standard or vendor's.

use std::rc::Rc;

use crate::error::{Error, Result};
use crate::model::access::read;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, get, ro};
use crate::model::tree::{NodeId, ROOT, Schema};
use crate::model::value::{STRING, Type};
use crate::sorted::Map;

const PATH: Type = STRING.strong(&[]).lengths(&[(0, 256)]);
const ALIAS: Type = STRING.lengths(&[(0, 64)]);

/// TR-181 2.17 Device.InterfaceStack.{i}.
pub static INTERFACE_STACK: Object = Object::table(
    "Device.InterfaceStack.{i}.",
    // What a row is known by is the two paths; instance numbers belong to the same things for ever.
    Table::new(Rows::Keys(|cx, _| Ok(stack(cx)?.keys().to_vec()))).at_most(4096),
    &[
        alias(),
        ro("HigherLayer", PATH, get(|cx, row| Ok(Text::Owned(pair(cx, row)?.higher.clone())))),
        ro("LowerLayer", PATH, get(|cx, row| Ok(Text::Owned(pair(cx, row)?.lower.clone())))),
        ro("HigherAlias", ALIAS, get(|cx, row| Ok(Text::Owned(pair(cx, row)?.higher_alias.clone())))),
        ro("LowerAlias", ALIAS, get(|cx, row| Ok(Text::Owned(pair(cx, row)?.lower_alias.clone())))),
    ],
);

/// The object of this file.
pub static OBJECTS: &[&Object] = &[&INTERFACE_STACK];

/// An interface and one that it stands on.
#[derive(Clone, Debug)]
struct Pair {
    higher: String,
    lower: String,
    higher_alias: String,
    lower_alias: String,
}

/// All pairs, by `higher lower`; made once a request.
fn stack(cx: &mut Context) -> Result<Rc<Map<String, Pair>>> {
    cx.memo("interface stack", |cx| {
        let schema = cx.schema().clone();
        let mut tables = Vec::new();
        interfaces(&schema, ROOT, &mut tables);
        let mut aliases = Vec::new();
        let mut pairs = Vec::new();
        for node in tables {
            // A table that cannot be read must not take the others with it.
            for row in cx.all_rows(node).unwrap_or_default() {
                let mut value = |name: &str| match schema.node(node).parameter(name) {
                    Some(parameter) => read(cx, node, &row, parameter).unwrap_or_default(),
                    None => Text::default(),
                };
                let (lower, alias) = (value("LowerLayers"), value("Alias"));
                let higher = cx.path_of(&row);
                pairs.extend(
                    lower.split(',').filter(|path| !path.is_empty()).map(|lower| (higher.clone(), String::from(lower))),
                );
                aliases.push((higher, alias.into_owned()));
            }
        }
        let aliases: Map<String, String> = aliases.into_iter().collect();
        let alias = |path: &str| aliases.get(path).cloned().unwrap_or_default();
        let pair = |(higher, lower): (String, String)| {
            let (higher_alias, lower_alias) = (alias(&higher), alias(&lower));
            (format!("{higher} {lower}"), Pair { higher, lower, higher_alias, lower_alias })
        };
        Ok(pairs.into_iter().map(pair).collect())
    })
}

/// The tables whose rows stand on others.
fn interfaces(schema: &Schema, node: NodeId, found: &mut Vec<NodeId>) {
    if schema.node(node).table().is_some() && schema.node(node).parameter("LowerLayers").is_some() {
        found.push(node);
    }
    for child in &schema.node(node).children {
        interfaces(schema, *child, found);
    }
}

fn pair(cx: &mut Context, row: &Row) -> Result<Pair> {
    let key = cx.key(row)?;
    stack(cx)?.get(&key).cloned().ok_or_else(|| Error::other("the layers have changed"))
}
