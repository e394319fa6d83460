//! The servers of an XMPP domain: the question to the DNS, its answer (RFC 2782), and the order in which they are tried. Free of IO.

use crate::dns::{self, NO_SUCH_NAME, SRV, Server};

/// More are not looked at.
const MOST_SERVERS: usize = 16;

/// The name of the service in a domain (RFC 6120 3.2.1); `None` where there is no domain.
fn service(domain: &str) -> Option<String> {
    let domain = domain.trim_end_matches('.');
    (!domain.is_empty()).then(|| format!("_xmpp-client._tcp.{domain}"))
}

/// The question for the servers of a domain; `None` where the domain is no name.
#[must_use]
pub fn question(id: u16, domain: &str) -> Option<Vec<u8>> {
    dns::question(id, &service(domain)?, SRV)
}

/// The servers in the answer to the question with this id for this domain: none where the domain has none, `None` where this is no answer to it.
#[must_use]
pub fn servers(id: u16, domain: &str, answer: &[u8]) -> Option<Vec<Server>> {
    let answer = dns::answer(answer)?;
    let is_ours = answer.id == id && answer.kind == SRV && answer.name.eq_ignore_ascii_case(&service(domain)?);
    match answer.code {
        _ if !is_ours => None,
        0 => Some(answer.servers.into_iter().filter(|server| !server.host.is_empty()).take(MOST_SERVERS).collect()),
        NO_SUCH_NAME => Some(Vec::new()),
        _ => None,
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
            servers(0x1234, "example.com", &answer(0x8180, &[OTHER, FIRST])),
            Some(vec![server(5, 7, "x1.example.com", 5222)])
        );
        assert_eq!(
            servers(0x1234, "example.com", &answer(0x8180, &[NOBODY])),
            Some(Vec::new()),
            "the domain has no such service"
        );
        assert_eq!(servers(0x1234, "example.com", &answer(0x8183, &[])), Some(Vec::new()));
        for domain in ["", "a..b", &"x".repeat(64), &"x.".repeat(200)] {
            assert_eq!(question(1, domain), None, "{domain}");
        }
    }

    #[test]
    fn k05_what_is_no_answer_is_not_taken() {
        assert_eq!(servers(0x1234, "example.com", QUESTION), None, "a question");
        assert_eq!(servers(0x1234, "example.com", &answer(0x8182, &[])), None, "a failure of the name server");
        let mut foreign = answer(0x8180, &[FIRST]);
        foreign[0] = 0;
        assert_eq!(servers(0x1234, "example.com", &foreign), None, "another id");
        foreign[0] = 0x12;
        foreign[14] = b'y';
        assert_eq!(servers(0x1234, "example.com", &foreign), None, "another question");
        let whole = answer(0x8180, &[FIRST]);
        for length in 0..whole.len() {
            assert!(
                servers(0x1234, "example.com", &whole[..length]).is_none_or(|found| found.is_empty()),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn k05_names_that_point_in_a_circle_end() {
        let circle = b"\xc0\x2f\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x08\x00\x00\x00\x00\x14\x66\xc0\x2f";
        assert_eq!(servers(0x1234, "example.com", &answer(0x8180, &[circle])), None);
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
            prop_assert!(servers(0x1234, "example.com", &message).is_none_or(|found| found.len() <= MOST_SERVERS));
            let mut found: Vec<Server> = weights.iter().map(|(p, w)| server(*p, *w, "x", 1)).collect();
            order(&mut found, &mut || chance);
            prop_assert!(found.is_sorted_by_key(|server| server.priority));
            prop_assert_eq!(found.len(), weights.len());
        }
    }
}
