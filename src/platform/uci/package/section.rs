//! A section of a package, to be read: what its lines say, taken together as libuci does.

use std::collections::HashMap;
use std::fmt;

use super::{Entry, Node, NodeKind, OptionValue, Package, SectionId};

/// A section of a [`Package`], to be read.
#[derive(Clone, Copy)]
pub struct Section<'a> {
    pub(super) package: &'a Package,
    pub(super) entry: &'a Entry,
    pub(super) id: SectionId,
}

impl fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("id", &self.id).field("kind", &self.kind()).field("name", &self.name()).finish()
    }
}

impl<'a> Section<'a> {
    /// What to edit this section by.
    #[must_use]
    pub fn id(self) -> SectionId {
        self.id
    }

    /// Its name; `None` for an anonymous section.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        Some(self.package.str(self.entry.name)).filter(|name| !name.is_empty())
    }

    /// Its type.
    #[must_use]
    pub fn kind(self) -> &'a str {
        self.package.str(self.entry.kind)
    }

    /// Its place among the sections of its type, from 0: `n` in `@kind[n]`. Walks the sections.
    #[must_use]
    pub fn index(self) -> usize {
        self.package.sections().take_while(|section| section.id != self.id).filter(|s| s.kind() == self.kind()).count()
    }

    /// The name that libuci makes for it if it is anonymous, `cfg`, its number in the file, and a hash of its type.
    #[must_use]
    pub fn generated_name(self) -> String {
        format!("cfg{:02x}{:04x}", u64::from(self.id.0) + 1, self.entry.hash)
    }

    /// The text of an option; `None` where it is not there, and for a list, which has no single text (nor has it for libuci's own users).
    #[must_use]
    pub fn get(self, option: &str) -> Option<&'a str> {
        let mut value = None;
        let mut list = false;
        for node in self.nodes().filter(|node| self.package.str(node.first) == option) {
            if node.kind == NodeKind::List {
                list = true;
            } else if node.second.len > 0 {
                list = false;
                value = Some(node.second);
            }
        }
        value.filter(|_| !list).map(|value| self.package.str(value))
    }

    /// The items of a list; a text is a list of one item, an option that is not there an empty one.
    #[must_use]
    pub fn list(self, option: &str) -> Vec<&'a str> {
        match self.value(option) {
            None => Vec::new(),
            Some(OptionValue::Text(text)) => vec![text],
            Some(OptionValue::List(items)) => items,
        }
    }

    /// The line that last stated an option, counted from 1 in the file as it was read; `None` where no line of the file does.
    #[must_use]
    pub fn line(self, option: &str) -> Option<usize> {
        self.line_of(self.nodes().filter(|node| self.package.str(node.first) == option).last()?)
    }

    /// The line that it begins with, counted in the same way.
    #[must_use]
    pub fn first_line(self) -> Option<usize> {
        let block = self.package.block(self.entry.block)?;
        self.line_of(block.nodes.iter().find(|node| node.kind == NodeKind::Config)?)
    }

    fn line_of(self, node: &Node) -> Option<usize> {
        let before = self.package.base().get(..usize::try_from(node.bytes.start).ok()?)?;
        Some(before.iter().filter(|&&byte| byte == b'\n').count() + 1)
    }

    /// The value of an option.
    #[must_use]
    pub fn value(self, option: &str) -> Option<OptionValue<'a>> {
        let mut value = None;
        for node in self.nodes().filter(|node| self.package.str(node.first) == option) {
            self.apply(node, &mut value);
        }
        value
    }

    /// All options with their values, in the order in which libuci has them: by where each was last set.
    pub fn options(self) -> impl Iterator<Item = (&'a str, OptionValue<'a>)> {
        let mut found: Vec<(&str, Option<OptionValue<'_>>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for node in self.nodes() {
            let name = self.package.str(node.first);
            let mut value =
                places.get(name).and_then(|&place| found.get_mut(place)).and_then(|(_, value)| value.take());
            // libuci frees the old option and adds a new one at the end, except where nothing changes or a list grows.
            let stays = match (&value, node.kind) {
                (Some(OptionValue::Text(text)), NodeKind::Option) => {
                    node.second.len == 0 || *text == self.package.str(node.second)
                }
                (Some(OptionValue::List(_)), NodeKind::Option) => node.second.len == 0,
                (Some(OptionValue::List(_)), _) => true,
                (_, _) => false,
            };
            self.apply(node, &mut value);
            match places.get(name).and_then(|&place| found.get_mut(place)) {
                Some(entry) if stays => entry.1 = value,
                _ => {
                    places.insert(name, found.len());
                    found.push((name, value));
                }
            }
        }
        found.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// What a line makes of the value that the lines before it gave.
    fn apply(self, node: &Node, value: &mut Option<OptionValue<'a>>) {
        let text = self.package.str(node.second);
        if node.kind == NodeKind::Option {
            // libuci takes an empty text for a wish to delete, and inside a file for nothing at all.
            if !text.is_empty() {
                *value = Some(OptionValue::Text(text));
            }
            return;
        }
        match value {
            Some(OptionValue::List(items)) => items.push(text),
            Some(OptionValue::Text(first)) => *value = Some(OptionValue::List(vec![*first, text])),
            None => *value = Some(OptionValue::List(vec![text])),
        }
    }

    /// The lines of its options.
    fn nodes(self) -> impl Iterator<Item = &'a Node> {
        let package = self.package;
        std::iter::successors(package.block(self.entry.block), |block| package.block(block.next))
            .flat_map(|block| &block.nodes)
            .filter(|node| matches!(node.kind, NodeKind::Option | NodeKind::List))
    }
}
