//! Edits: each touches the lines of what it changes, and no others.

use super::super::{parse, write};
use super::{
    EditError, Ending, MAX_OPENED, NONE, Node, NodeKind, OptionValue, Package, Place, Section, SectionId, Span,
};

impl Package {
    /// Sets an option to a text; whether that changed anything. UCI has no empty texts: an empty `value` removes the option.
    /// The line keeps its place, layout and comment; a new option comes last in its section.
    pub fn set(&mut self, id: SectionId, option: &str, value: &str) -> Result<bool, EditError> {
        check_name(option)?;
        check_value(value)?;
        let section = self.section(id).ok_or(EditError::NoSection)?;
        if value.is_empty() {
            return Ok(self.remove(id, option));
        }
        if section.get(option) == Some(value) {
            return Ok(false);
        }
        match self.places(id, option).split_last() {
            None => {
                let after = self.last_line(id).ok_or(EditError::NoSection)?;
                self.insert_line(after, NodeKind::Option, option, value)?;
            }
            Some((&last, others)) => {
                self.rewrite(last, NodeKind::Option, option.as_bytes(), value.as_bytes())?;
                self.delete_lines(others)?;
            }
        }
        self.changed = true;
        Ok(true)
    }

    /// Makes an option a list of these items; whether that changed anything. No items: removes it. Lines of items that stay are not touched.
    pub fn set_list(&mut self, id: SectionId, option: &str, items: &[&str]) -> Result<bool, EditError> {
        check_name(option)?;
        for item in items {
            check_value(item)?;
        }
        let section = self.section(id).ok_or(EditError::NoSection)?;
        if items.is_empty() {
            return Ok(self.remove(id, option));
        }
        if matches!(section.value(option), Some(OptionValue::List(present)) if present == items) {
            return Ok(false);
        }
        let places = self.places(id, option);
        let keeps = |place: Option<&Place>, item: Option<&&str>| {
            place
                .and_then(|&place| self.node(place))
                .zip(item)
                .is_some_and(|(node, &item)| node.kind == NodeKind::List && self.str(node.second) == item)
        };
        // What is the same at both ends stays; between them lines are turned to the new items as far as they go.
        let most = places.len().min(items.len());
        let head = (0..most).take_while(|&i| keeps(places.get(i), items.get(i))).count();
        let tail =
            (1..=most - head).take_while(|&i| keeps(places.get(places.len() - i), items.get(items.len() - i))).count();
        let old = places.get(head..places.len() - tail).unwrap_or_default();
        let new = items.get(head..items.len() - tail).unwrap_or_default();

        for (&place, item) in old.iter().zip(new) {
            self.rewrite(place, NodeKind::List, option.as_bytes(), item.as_bytes())?;
        }
        let used = old.len().min(new.len());
        let mut after = match (head + used).checked_sub(1).and_then(|i| places.get(i)) {
            Some(&place) => place,
            // Nothing stays before the new items: they come before what stays after them, or last.
            None => match places.first() {
                Some(first) => Place { block: first.block, node: first.node.saturating_sub(1) },
                None => self.last_line(id).ok_or(EditError::NoSection)?,
            },
        };
        if new.len() > used {
            for item in new.iter().skip(used) {
                after = self.insert_line(after, NodeKind::List, option, item)?;
            }
        } else {
            self.delete_lines(old.get(used..).unwrap_or_default())?;
        }
        self.changed = true;
        Ok(true)
    }

    /// Removes an option, text or list; whether it was there.
    pub fn remove(&mut self, id: SectionId, option: &str) -> bool {
        let there = self.section(id).is_some_and(|section| section.value(option).is_some());
        if there {
            let places = self.places(id, option);
            self.changed |= self.delete_lines(&places).is_ok();
        }
        there
    }

    /// Adds a section at the end of the file, anonymous without a name.
    pub fn add_section(&mut self, kind: &str, name: Option<&str>) -> Result<SectionId, EditError> {
        if !parse::is_kind(kind.as_bytes()) {
            return Err(EditError::Kind);
        }
        if let Some(name) = name {
            self.check_new_name(name)?;
        }
        self.close_before(self.order.len())?;
        let mut nodes = Vec::new();
        if self.needs_blank_line() {
            let bytes = self.append(b"\n")?;
            nodes.push(Node::trivia(bytes, Ending::Closed));
        }
        let header = self.new_line(NodeKind::Config, kind.as_bytes(), name.unwrap_or_default().as_bytes())?;
        nodes.push(header);
        let section = self.open_section(header);
        self.push_block(section, nodes);
        self.changed = true;
        Ok(SectionId(section))
    }

    /// Removes a section with all its lines and the comments between them; whether it was there. Comments above and below it stay.
    pub fn remove_section(&mut self, id: SectionId) -> bool {
        if self.section(id).is_none() {
            return false;
        }
        for index in self.chain(id.0).collect::<Vec<_>>() {
            let Some(position) = self.order.iter().position(|&block| block == index) else { continue };
            if self.close_before(position).is_err() {
                return false;
            }
            self.strip_tail(position);
            let nodes =
                self.blocks.get_mut(index as usize).map(|block| std::mem::take(&mut block.nodes)).unwrap_or_default();
            let above = nodes.into_iter().take_while(|node| node.kind == NodeKind::Trivia);
            let kept: Vec<Node> = above.filter(|node| self.bytes(node.bytes).contains(&b'#')).collect();
            self.order.remove(position);
            self.extend_block(position.saturating_sub(1), kept);
        }
        if let Some(entry) = self.sections.get_mut(id.0 as usize) {
            entry.block = NONE;
        }
        self.names.remove(id.0);
        self.changed = true;
        true
    }

    /// Gives a section a new name, an anonymous one its first; whether that changed anything.
    pub fn rename_section(&mut self, id: SectionId, name: &str) -> Result<bool, EditError> {
        if self.section(id).ok_or(EditError::NoSection)?.name() == Some(name) {
            return Ok(false);
        }
        self.check_new_name(name)?;
        for index in self.chain(id.0).collect::<Vec<_>>() {
            let nodes = self.block(index).map(|block| block.nodes.as_slice()).unwrap_or_default();
            let Some(place) = nodes.iter().position(|node| node.kind == NodeKind::Config) else { continue };
            let Some(header) = nodes.get(place).copied() else { continue };
            let kind = self.bytes(header.first).to_vec();
            self.rewrite(Place { block: index, node: place }, NodeKind::Config, &kind, name.as_bytes())?;
        }
        let header = self.block(self.sections.get(id.0 as usize).map_or(NONE, |entry| entry.block));
        let span = header
            .and_then(|block| block.nodes.iter().find(|node| node.kind == NodeKind::Config))
            .map(|node| node.second);
        if let (Some(entry), Some(span)) = (self.sections.get_mut(id.0 as usize), span) {
            entry.name = span;
        }
        self.names.remove(id.0);
        self.names.insert(name, id.0);
        self.changed = true;
        Ok(true)
    }

    /// Moves a section, with the comment right above it, before another one or, without that, to the end; whether that changed the order.
    pub fn move_section(&mut self, id: SectionId, before: Option<SectionId>) -> bool {
        if self.section(id).is_none() || before.is_some_and(|before| before == id || self.section(before).is_none()) {
            return false;
        }
        let follower = self.sections().skip_while(|section| section.id() != id).nth(1).map(Section::id);
        if follower == before {
            return false;
        }
        let chain: Vec<u32> = self.chain(id.0).collect();
        for &index in &chain {
            let Some(position) = self.order.iter().position(|&block| block == index) else { continue };
            // What is before and after the block must not flow together, nor the block with what it comes to.
            if self.close_before(position).is_err() || self.close_before(position + 1).is_err() {
                return false;
            }
            self.strip_tail(position);
            self.order.remove(position);
        }
        let target = before.and_then(|before| self.sections.get(before.0 as usize)).map_or(NONE, |entry| entry.block);
        let position = self.order.iter().position(|&block| block == target).unwrap_or(self.order.len());
        // It may be left out of order for an instant only: closing can fail when the text is at its limit.
        let closed = self.close_before(position);
        self.order.splice(position..position, chain);
        self.changed = true;
        closed.is_ok()
    }

    fn check_new_name(&self, name: &str) -> Result<(), EditError> {
        check_name(name)?;
        if self.lookup(name).is_some() { Err(EditError::NameTaken) } else { Ok(()) }
    }

    /// The lines of an option, in the order in which they count.
    fn places(&self, id: SectionId, option: &str) -> Vec<Place> {
        let mut places = Vec::new();
        for index in self.chain(id.0) {
            for (i, node) in
                self.block(index).map(|block| block.nodes.as_slice()).unwrap_or_default().iter().enumerate()
            {
                if matches!(node.kind, NodeKind::Option | NodeKind::List) && self.str(node.first) == option {
                    places.push(Place { block: index, node: i });
                }
            }
        }
        places
    }

    /// The last option of a section, or its `config` line.
    fn last_line(&self, id: SectionId) -> Option<Place> {
        let block = self.chain(id.0).take(MAX_OPENED).last()?;
        let node = self.block(block)?.nodes.iter().rposition(|node| node.kind != NodeKind::Trivia)?;
        Some(Place { block, node })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<Span, EditError> {
        let start = u32::try_from(self.text.len()).map_err(|_| EditError::TooLarge)?;
        let len = u32::try_from(bytes.len()).map_err(|_| EditError::TooLarge)?;
        // Half of what the numbers could hold: sums of them need no further checks.
        if start.checked_add(len).is_none_or(|end| end > u32::MAX / 2) {
            return Err(EditError::TooLarge);
        }
        self.text.extend_from_slice(bytes);
        Ok(Span { start, len })
    }

    /// A new node with these bytes for a statement.
    fn new_node(&mut self, kind: NodeKind, bytes: &[u8], first: &[u8], second: &[u8]) -> Result<Node, EditError> {
        let bytes = self.append(bytes)?;
        let first = self.append(first)?;
        let second = self.append(second)?;
        Ok(Node { bytes, first, second, kind, ending: Ending::Closed })
    }

    fn new_line(&mut self, kind: NodeKind, first: &[u8], second: &[u8]) -> Result<Node, EditError> {
        let line = write::line(kind.keyword(), first, second);
        self.new_node(kind, &line, first, second)
    }

    fn replace(&mut self, at: Place, node: Node) {
        if let Some(old) = self.blocks.get_mut(at.block as usize).and_then(|block| block.nodes.get_mut(at.node)) {
            *old = node;
        }
    }

    /// Turns a line to another second argument, and to another keyword if need be.
    fn rewrite(&mut self, at: Place, kind: NodeKind, first: &[u8], second: &[u8]) -> Result<(), EditError> {
        let Some(&old) = self.node(at) else { return Ok(()) };
        let spliced = if old.kind == kind && old.ending != Ending::Shared {
            write::spliced(self.bytes(old.bytes), second)
        } else {
            None
        };
        let node = match spliced {
            Some(line) => self.new_node(kind, &line, first, second)?,
            None => self.new_line(kind, first, second)?,
        };
        self.replace(at, node);
        Ok(())
    }

    /// Adds a line after another one, and says where it is.
    fn insert_line(&mut self, after: Place, kind: NodeKind, name: &str, value: &str) -> Result<Place, EditError> {
        self.close(after)?;
        let node = self.new_line(kind, name.as_bytes(), value.as_bytes())?;
        let at = Place { block: after.block, node: after.node + 1 };
        if let Some(block) = self.blocks.get_mut(at.block as usize) {
            block.nodes.insert(at.node.min(block.nodes.len()), node);
        }
        Ok(at)
    }

    /// Takes lines away; `places` are in their order.
    fn delete_lines(&mut self, places: &[Place]) -> Result<(), EditError> {
        for &place in places.iter().rev() {
            if let Some(above) = place.node.checked_sub(1) {
                self.close_shared(Place { block: place.block, node: above })?;
            }
            if let Some(block) = self.blocks.get_mut(place.block as usize) {
                block.nodes.remove(place.node);
            }
        }
        Ok(())
    }

    /// Sees to it that what comes after a node is on a line of its own.
    fn close(&mut self, at: Place) -> Result<(), EditError> {
        let Some(&node) = self.node(at) else { return Ok(()) };
        if node.ending == Ending::Closed {
            return Ok(());
        }
        let old = self.bytes(node.bytes);
        let (first, second) = (self.bytes(node.first).to_vec(), self.bytes(node.second).to_vec());
        let line = match node.kind {
            NodeKind::Trivia => [old, b"\n"].concat(),
            _ => {
                write::closed(old, &first, &second).unwrap_or_else(|| write::line(node.kind.keyword(), &first, &second))
            }
        };
        let node = self.new_node(node.kind, &line, &first, &second)?;
        self.replace(at, node);
        Ok(())
    }

    fn close_shared(&mut self, at: Place) -> Result<(), EditError> {
        match self.node(at) {
            Some(node) if node.ending == Ending::Shared => self.close(at),
            _ => Ok(()),
        }
    }

    /// Sees to it that the block at this position of the order starts on a line of its own.
    fn close_before(&mut self, position: usize) -> Result<(), EditError> {
        match self.last_before(position) {
            Some(place) => self.close(place),
            None => Ok(()),
        }
    }

    fn needs_blank_line(&self) -> bool {
        let last = self.last_before(self.order.len()).and_then(|place| self.node(place));
        last.is_some_and(|node| {
            let bytes = self.bytes(node.bytes);
            !(bytes.ends_with(b"\n\n") || (node.kind == NodeKind::Trivia && bytes == b"\n"))
        })
    }

    /// Moves what follows the last option of a block to the block before it, where it stays when this one goes.
    fn strip_tail(&mut self, position: usize) {
        let Some(block) = self.order.get(position).and_then(|&index| self.blocks.get_mut(index as usize)) else {
            return;
        };
        let kept = block.nodes.iter().rposition(|node| node.kind != NodeKind::Trivia).map_or(0, |last| last + 1);
        let tail = block.nodes.split_off(kept);
        self.extend_block(position.saturating_sub(1), tail);
    }
}

fn check_name(name: &str) -> Result<(), EditError> {
    if parse::is_name(name.as_bytes()) { Ok(()) } else { Err(EditError::Name) }
}

fn check_value(value: &str) -> Result<(), EditError> {
    if value.contains('\0') { Err(EditError::Value) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NETWORK, id, package, text};
    use super::*;

    #[test]
    fn setting_keeps_line_comment_and_all_else() {
        let mut package = package();
        let lan = id(&package, "lan");
        assert_eq!(package.set(lan, "device", "br-lan"), Ok(false));
        assert!(!package.is_changed());
        assert_eq!(package.set(lan, "device", "it's"), Ok(true));
        assert_eq!(text(&package), NETWORK.replace("\"br-lan\"", "'it'\\''s'"));
        assert_eq!(package.set(lan, "device", ""), Ok(true));
        assert_eq!(text(&package), NETWORK.replace("\toption device \"br-lan\"   # a bridge\n", ""));
        assert_eq!(package.set(lan, "mtu", "1400"), Ok(true));
        assert!(text(&package).contains("\toption empty ''\n\toption mtu '1400'\n\nconfig route\n"));
    }

    #[test]
    fn lists_change_only_the_items_that_differ() {
        let mut package = package();
        let lan = id(&package, "lan");
        assert_eq!(package.set_list(lan, "dns", &["1.1.1.1", "9.9.9.9"]), Ok(false));
        assert_eq!(package.set_list(lan, "dns", &["1.1.1.1", "8.8.8.8", "9.9.9.9"]), Ok(true));
        assert_eq!(text(&package), NETWORK.replace("\tlist dns 9", "\tlist dns '8.8.8.8'\n\tlist dns 9"));
        assert_eq!(package.set_list(lan, "dns", &["9.9.9.9"]), Ok(true));
        assert_eq!(text(&package), NETWORK.replace("\tlist dns '1.1.1.1'\n", ""));
        assert_eq!(package.set_list(lan, "dns", &["::1", "9.9.9.9"]), Ok(true));
        assert_eq!(text(&package), NETWORK.replace("1.1.1.1", "::1"));
        assert_eq!(package.set_list(lan, "dns", &[]), Ok(true));
        assert!(!package.remove(lan, "dns"));
    }

    #[test]
    fn what_is_added_and_removed_again_leaves_no_trace() {
        let mut package = package();
        let new = package.add_section("redirect", Some("cwmp_1")).unwrap();
        package.set(new, "target", "DNAT").unwrap();
        assert_eq!(text(&package), format!("{NETWORK}\nconfig redirect 'cwmp_1'\n\toption target 'DNAT'\n"));
        assert!(package.remove_section(new));
        assert_eq!(text(&package), NETWORK);
        assert!(package.section(new).is_none() && !package.remove_section(new));
        assert_ne!(package.add_section("redirect", Some("cwmp_1")).unwrap(), new);
    }

    #[test]
    fn removing_and_moving_sections_keeps_comments() {
        let mut package = package();
        let (wan, lan) = (id(&package, "wan"), id(&package, "lan"));
        assert!(package.move_section(wan, Some(lan)));
        let moved = "\n# The way out.\nconfig interface wan\n        option proto dhcp\n";
        assert_eq!(text(&package), format!("{moved}{}", NETWORK.replace(moved, "")));
        assert!(!package.move_section(wan, Some(lan)));
        assert!(package.move_section(wan, None));
        assert_eq!(text(&package), format!("{}{moved}", NETWORK.replace(moved, "")));
        assert!(package.remove_section(wan));
        assert!(text(&package).ends_with("config route\n\n# The way out.\n"));
    }

    #[test]
    fn renaming_names_also_the_anonymous() {
        let mut package = package();
        let route = id(&package, "@route[0]");
        assert_eq!(package.rename_section(route, "lan"), Err(EditError::NameTaken));
        assert_eq!(package.rename_section(route, "a-b"), Err(EditError::Name));
        assert_eq!(package.rename_section(route, "office"), Ok(true));
        assert_eq!(package.rename_section(route, "office"), Ok(false));
        assert_eq!(id(&package, "office"), route);
        assert_eq!(text(&package), NETWORK.replacen("config route\n", "config route 'office'\n", 1));
        assert_eq!(package.rename_section(route, "home"), Ok(true));
        assert!(package.find("office").is_none());
        assert!(package.add_section("x", Some("office")).is_ok());
    }

    #[test]
    fn what_uci_cannot_carry_is_refused() {
        let mut package = package();
        let lan = id(&package, "lan");
        assert_eq!(package.set(lan, "a.b", "x"), Err(EditError::Name));
        assert_eq!(package.set(lan, "a", "x\0y"), Err(EditError::Value));
        assert_eq!(package.set_list(lan, "a", &["x", "\0"]), Err(EditError::Value));
        assert_eq!(package.add_section("two words", None), Err(EditError::Kind));
        assert_eq!(package.add_section("x", Some("")), Err(EditError::Name));
        assert_eq!(package.set(SectionId(99), "a", "x"), Err(EditError::NoSection));
        assert!(!package.is_changed());
    }
}
