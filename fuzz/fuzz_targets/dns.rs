#![no_main]

use cwmpd::diagnostics::icmp;
use cwmpd::dns;

// What comes back from a name server, and from whoever is pinged.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(answer) = dns::answer(data) {
        // What was asked for can be asked for again, unless it has characters that were not printable or in no name.
        if let Some(question) = dns::question(answer.id, &answer.name, answer.kind) {
            let mut question = question;
            if let Some(flags) = question.get_mut(2) {
                *flags |= 0x80;
            }
            let again = dns::answer(&question).expect("a question that became an answer");
            assert_eq!((again.id, again.name, again.kind), (answer.id, answer.name, answer.kind));
        }
    }
    for family in [icmp::Family::V4, icmp::Family::V6] {
        let _ = (icmp::reply(family, true, data), icmp::reply(family, false, data));
    }
});
