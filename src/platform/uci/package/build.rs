//! From the text of a file to its nodes and blocks.

use super::super::parse::{Cursor, Keyword, Scanner, Statement, Word};
use super::{Ending, MAX_OPENED, NONE, Node, NodeKind, Package, Place, Section, SectionId, Span};

/// Builds a package from its text.
pub(super) struct Loader<'p> {
    package: &'p mut Package,
    cursor: Cursor,
    /// The section that options belong to.
    section: u32,
    /// How much of the text belongs to nodes.
    done: usize,
    /// The last statement of the present line.
    last: Option<Place>,
}

impl<'p> Loader<'p> {
    pub fn new(package: &'p mut Package) -> Self {
        Self { package, cursor: Cursor::default(), section: NONE, done: 0, last: None }
    }

    pub fn run(mut self) {
        loop {
            let line_start = self.cursor.line_end();
            if !self.scan(|scanner| scanner.begin_line()) {
                break;
            }
            let line = self.cursor.line();
            self.last = None;
            let mut in_section = self.section != NONE;
            while let Some(result) = self.scan(|scanner| scanner.statement(in_section)) {
                match result {
                    Ok(statement) => self.take(&statement, line, line_start),
                    Err(reason) => {
                        self.package.problem(line, reason);
                        break;
                    }
                }
                in_section = self.section != NONE;
            }
            self.end_line();
        }
        let open = !self.package.base().is_empty() && !self.package.base().ends_with(b"\n");
        let rest = self.trivia(self.done, self.package.base, if open { Ending::Open } else { Ending::Closed });
        self.push(rest);
        if let Some(nul) = self.package.base().iter().position(|&byte| byte == 0) {
            let before = self.package.base().iter().take(nul).filter(|&&byte| byte == b'\n').count();
            self.package.problem(before + 1, "NUL byte");
        }
        self.settle();
        self.package.text.shrink_to_fit();
        self.package.blocks.shrink_to_fit();
        self.package.order.shrink_to_fit();
        self.package.sections.shrink_to_fit();
    }

    /// Gives back what the block reached has not used, before the next one: a package with many sections must not take more to read than to keep.
    fn settle(&mut self) {
        if let Some(block) = self.package.order.last().and_then(|&index| self.package.blocks.get_mut(index as usize)) {
            block.nodes.shrink_to_fit();
        }
    }

    /// Lets a scanner do something at the place reached.
    fn scan<T>(&mut self, what: impl FnOnce(&mut Scanner<'_>) -> T) -> T {
        let mut scanner = Scanner::resume(self.package.base(), self.cursor);
        let result = what(&mut scanner);
        self.cursor = scanner.cursor();
        result
    }

    fn take(&mut self, statement: &Statement, line: usize, line_start: usize) {
        if let Some(complaint) = statement.complaint {
            self.package.problem(line, complaint);
        }
        let kind = match statement.keyword {
            // A file holds one package, so the line means nothing; it stays where it is.
            Keyword::Package => return,
            Keyword::Config => NodeKind::Config,
            Keyword::Option => NodeKind::Option,
            Keyword::List => NodeKind::List,
        };
        let start = match self.last {
            Some(place) => {
                self.end_node(place, self.done, Ending::Shared);
                self.done
            }
            None => line_start,
        };
        let node = Node {
            bytes: span(start, self.cursor.position()),
            first: self.intern(&statement.first),
            second: self.intern(&statement.second),
            kind,
            ending: Ending::Closed,
        };
        if kind == NodeKind::Config {
            let above = self.heading(start);
            let rest = self.trivia(self.done, above, Ending::Closed);
            self.push(rest);
            self.settle();
            let mut nodes: Vec<Node> = self.trivia(above, start, Ending::Closed).into_iter().collect();
            nodes.push(node);
            let section = self.open(node, line);
            self.package.push_block(section, nodes);
        } else {
            let above = self.trivia(self.done, start, Ending::Closed);
            self.push(above);
            self.push(Some(node));
        }
        self.done = self.cursor.position();
        self.last = self.package.last_before(self.package.order.len());
    }

    /// Finds the section of a `config` line, or makes it.
    fn open(&mut self, header: Node, line: usize) -> u32 {
        let name = self.package.str(header.second);
        let known = if name.is_empty() { None } else { self.package.lookup(name) };
        let Some(section) = known else {
            self.section = self.package.open_section(header);
            return self.section;
        };
        let other_kind =
            self.package.section(SectionId(section)).map(Section::kind) != Some(self.package.str(header.first));
        if other_kind {
            self.package.problem(line, "section of another type has the same name");
        }
        // libuci takes options under the first two `config` lines of a section; after a further one it has no section at all.
        let lost = self.package.chain(section).nth(MAX_OPENED - 1).is_some();
        self.section = if lost { NONE } else { section };
        if let Some(entry) = self.package.sections.get_mut(section as usize) {
            entry.kind = header.first;
        }
        section
    }

    fn end_line(&mut self) {
        let Some(place) = self.last else { return };
        let end = self.cursor.line_end();
        let closed = !self.cursor.starved() && self.package.base().get(..end).is_some_and(|read| read.ends_with(b"\n"));
        self.end_node(place, end, if closed { Ending::Closed } else { Ending::Open });
        self.done = end;
    }

    fn end_node(&mut self, at: Place, end: usize, ending: Ending) {
        if let Some(node) =
            self.package.blocks.get_mut(at.block as usize).and_then(|block| block.nodes.get_mut(at.node))
        {
            node.bytes = span(node.bytes.start as usize, end);
            node.ending = ending;
        }
    }

    fn trivia(&self, start: usize, end: usize, ending: Ending) -> Option<Node> {
        (start < end).then(|| Node::trivia(span(start, end), ending))
    }

    /// Adds to the block reached.
    fn push(&mut self, node: Option<Node>) {
        self.package.extend_block(self.package.order.len().saturating_sub(1), node.into_iter().collect());
    }

    /// Where the comment lines right above `end`, and the blank lines above them, start.
    fn heading(&self, end: usize) -> usize {
        let text = self.package.base();
        let mut start = end;
        let mut comments = true;
        while start > self.done {
            let above = text.get(self.done..start - 1).unwrap_or_default();
            let line_start =
                above.iter().rposition(|&byte| byte == b'\n').map_or(self.done, |newline| self.done + newline + 1);
            match text.get(line_start..start).unwrap_or_default().trim_ascii_start() {
                [] => comments = false,
                [b'#', ..] if comments => {}
                _ => break,
            }
            start = line_start;
        }
        start
    }

    fn intern(&mut self, word: &Word) -> Span {
        let text = self.package.base();
        let lossy = match word.value() {
            Ok(range) => match std::str::from_utf8(word.bytes(text)) {
                Ok(_) => return span(range.start, range.end),
                Err(_) => String::from_utf8_lossy(word.bytes(text)).into_owned(),
            },
            Err(decoded) => String::from_utf8_lossy(decoded).into_owned(),
        };
        let start = self.package.text.len();
        self.package.text.extend_from_slice(lossy.as_bytes());
        span(start, self.package.text.len())
    }
}

/// Texts are limited so that these numbers suffice.
fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, len: (end - start) as u32 }
}
