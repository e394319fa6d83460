//! Whatever an XMPP server sends, and however it is split, it is read the same within the limits, and starts no session without the password.
#![no_main]

use std::time::Duration;

use cwmpd::connreq::xmpp::login::{Account, Login, Step};
use cwmpd::connreq::xmpp::rules::{Access, Rules};
use cwmpd::connreq::xmpp::srv;
use cwmpd::connreq::xmpp::stream::{Broken, Piece, Pieces};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let whole = pieces(data, data.len().max(1));
    assert_eq!(whole, pieces(data, 1), "a split makes no difference");
    log_in(data);
    if let Some(question) = srv::question(0x1234, "example.com") {
        let _ = srv::servers(0x1234, "example.com", data);
        let mut answer = question.clone();
        answer[2..4].copy_from_slice(&[0x81, 0x80]);
        answer[7] = 9;
        answer.extend(data);
        let mut servers = srv::servers(0x1234, "example.com", &answer).unwrap_or_default();
        srv::order(&mut servers, &mut || data.len() as u32);
        assert!(servers.is_sorted_by_key(|server| server.priority));
    }
});

fn pieces(data: &[u8], size: usize) -> Result<Vec<String>, Broken> {
    let mut stream = Pieces::default();
    let mut found = Vec::new();
    for part in data.chunks(size) {
        stream.push(part);
        while let Some(piece) = stream.take()? {
            found.push(match piece {
                Piece::Opened(node) => format!("opened {}", node.local()),
                Piece::Stanza(node) => format!("{} {} {}", node.local(), node.children.len(), node.text),
                Piece::Closed => "closed".into(),
            });
        }
    }
    Ok(found)
}

/// Goes through a login, in which what the server sends after each new stream is what follows.
fn log_in(data: &[u8]) {
    let account = Account {
        username: "cpe".into(),
        password: "secret of the stream".into(),
        domain: "example.com".into(),
        resource: String::new(),
        use_tls: false,
    };
    let mut login = Login::new(account, "nonce".into());
    let mut stream = Pieces::default();
    let mut rules = Rules::default();
    let access = Access { allowed: &[], username: "acs", password: "secret of the request", enabled: true };
    stream.push(data);
    while let Ok(Some(piece)) = stream.take() {
        match login.take(piece) {
            Ok(Step::Asked(request)) => {
                let right = request.username == access.username && request.password == access.password;
                assert!(right || rules.judge(&request, access, Duration::ZERO).is_err());
            }
            Ok(_) => {}
            Err(trouble) => {
                assert!(!trouble.text.contains("secret of"));
                return;
            }
        }
    }
}
