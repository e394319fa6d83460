//! The servers of an XMPP domain: the question to the DNS, its answer (RFC 1035 4, RFC 2782), and the order in which they are tried. Free of IO.

/// What stands before the domain (RFC 6120 3.2.1).
const SERVICE: &[&str] = &["_xmpp-client", "_tcp"];

const TYPE_SRV: u16 = 33;
const CLASS_IN: u16 = 1;
const NO_SUCH_NAME: u16 = 3;

/// More are not looked at.
const MOST_SERVERS: usize = 16;

/// The most pointers that a name is followed through.
const MOST_POINTERS: usize = 8;

/// A server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// The least goes first.
    pub priority: u16,
    /// How often it is the first among those of its priority.
    pub weight: u16,
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The question for the servers of a domain; `None` where the domain is no name.
#[must_use]
pub fn question(id: u16, domain: &str) -> Option<Vec<u8>> {
    // One question, and recursion is wanted.
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let begin = message.len();
    for label in SERVICE.iter().copied().chain(domain.trim_end_matches('.').split('.')) {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        message.push(length);
        message.extend(label.bytes());
    }
    message.push(0);
    if message.len().saturating_sub(begin) > 255 {
        return None;
    }
    message.extend(TYPE_SRV.to_be_bytes());
    message.extend(CLASS_IN.to_be_bytes());
    Some(message)
}

/// The servers in the answer to a question: none where the domain has none, `None` where this is no answer to it.
#[must_use]
pub fn servers(question: &[u8], answer: &[u8]) -> Option<Vec<Server>> {
    let (ours, asked) = question.split_at_checked(12)?;
    let mut reader = Reader { message: answer, at: 0 };
    let id = reader.number()?;
    let flags = reader.number()?;
    let (questions, answers) = (reader.number()?, reader.number()?);
    reader.skip(4)?;
    let echoed = reader.skip(asked.len())?;
    let is_answer = ours.starts_with(&id.to_be_bytes()) && flags & 0xf800 == 0x8000;
    if !is_answer || questions != 1 || !echoed.eq_ignore_ascii_case(asked) {
        return None;
    }
    let mut servers = Vec::new();
    match flags & 15 {
        0 => {}
        NO_SUCH_NAME => return Some(servers),
        _ => return None,
    }
    for _ in 0..answers {
        // What was cut off is missed, and what came before it is good.
        let Some(server) = reader.record() else { break };
        servers.extend(server.filter(|server| !server.host.is_empty()));
        if servers.len() >= MOST_SERVERS {
            break;
        }
    }
    Some(servers)
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn skip(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.message.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.skip(2)?.try_into().ok()?))
    }

    /// A record of the answer, with the server if it is one.
    fn record(&mut self) -> Option<Option<Server>> {
        self.name()?;
        let (kind, class) = (self.number()?, self.number()?);
        self.skip(4)?;
        let length = self.number()?;
        let end = self.at.checked_add(length.into())?;
        if end > self.message.len() {
            return None;
        }
        let mut server = None;
        if kind == TYPE_SRV && class == CLASS_IN {
            let (priority, weight, port) = (self.number()?, self.number()?, self.number()?);
            server = Some(Server { priority, weight, host: self.name()?, port });
        }
        self.at = end;
        Some(server)
    }

    /// A name, without the dot at its end; the reader stands behind it then.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut behind = None;
        let mut pointers = 0;
        loop {
            let length = self.skip(1)?.first().copied()?;
            match length {
                0 => break,
                1..=63 => {
                    let label = std::str::from_utf8(self.skip(length.into())?).ok()?;
                    if name.len() > 255 || !label.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.') {
                        return None;
                    }
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.push_str(label);
                }
                192.. => {
                    let low = self.skip(1)?.first().copied()?;
                    behind = behind.or(Some(self.at));
                    self.at = usize::from(u16::from_be_bytes([length & 63, low]));
                    pointers += 1;
                    if pointers > MOST_POINTERS {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        self.at = behind.unwrap_or(self.at);
        Some(name)
    }
}

/// Puts servers into the order in which they are tried (RFC 2782): by priority, and by chance and weight within one. `random` gives any number.
pub fn order(servers: &mut [Server], random: &mut dyn FnMut() -> u32) {
    servers.sort_by_key(|server| (server.priority, server.weight));
    let mut rest = servers;
    while let Some(first) = rest.first() {
        let priority = first.priority;
        let same = || rest.iter().take_while(|server| server.priority == priority);
        let all: u32 = same().map(|server| u32::from(server.weight)).sum();
        let mut chance = random() % all.saturating_add(1);
        let chosen = same().position(|server| {
            let hit = chance <= u32::from(server.weight);
            chance = chance.saturating_sub(server.weight.into());
            hit
        });
        if let Some(part) = rest.get_mut(..=chosen.unwrap_or(0)) {
            part.rotate_right(1);
        }
        rest = rest.get_mut(1..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUESTION: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
        \x0c_xmpp-client\x04_tcp\x07example\x03com\x00\x00\x21\x00\x01";

    /// An answer with these records behind the question.
    fn answer(flags: u16, records: &[&[u8]]) -> Vec<u8> {
        let mut message = QUESTION.to_vec();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[7] = u8::try_from(records.len()).unwrap();
        message.extend(records.concat());
        message
    }

    fn server(priority: u16, weight: u16, host: &str, port: u16) -> Server {
        Server { priority, weight, host: host.into(), port }
    }

    // Names point at the question and at `example.com` in it.
    const FIRST: &[u8] = b"\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x0b\x00\x05\x00\x07\x14\x66\x02x1\xc0\x1e";
    const OTHER: &[u8] = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x1e";
    const NOBODY: &[u8] = b"\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x07\x00\x00\x00\x00\x00\x00\x00";

    #[test]
    fn k05_question_and_answer() {
        assert_eq!(question(0x1234, "example.com.").unwrap(), QUESTION);
        assert_eq!(
            servers(QUESTION, &answer(0x8180, &[OTHER, FIRST])),
            Some(vec![server(5, 7, "x1.example.com", 5222)])
        );
        assert_eq!(servers(QUESTION, &answer(0x8180, &[NOBODY])), Some(Vec::new()), "the domain has no such service");
        assert_eq!(servers(QUESTION, &answer(0x8183, &[])), Some(Vec::new()));
        for domain in ["", "a..b", &"x".repeat(64), &"x.".repeat(200)] {
            assert_eq!(question(1, domain), None, "{domain}");
        }
    }

    #[test]
    fn k05_what_is_no_answer_is_not_taken() {
        assert_eq!(servers(QUESTION, QUESTION), None, "a question");
        assert_eq!(servers(QUESTION, &answer(0x8182, &[])), None, "a failure of the name server");
        let mut foreign = answer(0x8180, &[FIRST]);
        foreign[0] = 0;
        assert_eq!(servers(QUESTION, &foreign), None, "another id");
        foreign[0] = 0x12;
        foreign[14] = b'y';
        assert_eq!(servers(QUESTION, &foreign), None, "another question");
        let whole = answer(0x8180, &[FIRST]);
        for length in 0..whole.len() {
            assert!(servers(QUESTION, &whole[..length]).is_none_or(|found| found.is_empty()), "{length} bytes");
        }
    }

    #[test]
    fn k05_names_that_point_in_a_circle_end() {
        let circle = b"\xc0\x2d\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x08\x00\x00\x00\x00\x14\x66\xc0\x2d";
        assert_eq!(servers(QUESTION, &answer(0x8180, &[circle])), Some(Vec::new()));
    }

    #[test]
    fn k05_servers_go_by_priority_and_weight() {
        let all = [server(2, 0, "c", 1), server(1, 1, "b", 1), server(1, 9, "a", 1)];
        let ordered = |chance: u32| {
            let mut servers = all.to_vec();
            order(&mut servers, &mut || chance);
            servers.iter().map(|server| server.host.clone()).collect::<String>()
        };
        assert_eq!(ordered(0), "bac");
        assert_eq!(ordered(2), "abc");
        let first = (0..11).filter(|chance| ordered(*chance).starts_with('a')).count();
        assert_eq!(first, 9);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_harm(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
            weights in proptest::collection::vec((0_u16..3, any::<u16>()), 0..20),
            chance in any::<u32>(),
        ) {
            let mut message = answer(0x8180, &[]);
            message[7] = 20;
            message.extend(&bytes);
            prop_assert!(servers(QUESTION, &message).is_some_and(|found| found.len() <= MOST_SERVERS));
            let _ = servers(&bytes, &message);
            let mut found: Vec<Server> = weights.iter().map(|(p, w)| server(*p, *w, "x", 1)).collect();
            order(&mut found, &mut || chance);
            prop_assert!(found.is_sorted_by_key(|server| server.priority));
            prop_assert_eq!(found.len(), weights.len());
        }
    }
}
