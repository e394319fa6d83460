//! NSLookupDiagnostics: questions to a name server (TR-181 2.17 Device.DNS.Diagnostics.NSLookupDiagnostics.).

use std::net::IpAddr;

use serde_json::json;

use super::ask::{self, Asked};
use super::{Kind, OTHER, Report, Test, Trouble, Version, Way, address_text, millis};
use crate::dns::{self, A, AAAA, Answer, NO_SUCH_NAME, PTR};
use crate::platform::System;

/// The test.
pub static NAME_LOOKUP: Kind = Kind { path: "Device.DNS.Diagnostics.NSLookupDiagnostics.", run };

/// There is no name server to be asked.
const NO_SERVER: &str = "Error_DNSServerNotResolved";

/// More addresses than this have no place in a result.
const MOST_ADDRESSES: usize = 10;

/// A row of the results.
#[derive(Default)]
struct Outcome {
    status: &'static str,
    /// AnswerType
    kind: &'static str,
    name: String,
    addresses: Vec<IpAddr>,
    server: String,
    /// Milliseconds until the first answer.
    time: u32,
}

fn run(test: &Test<'_>) -> Result<Report, Trouble> {
    let way = Way::of(test)?;
    let servers = servers(test)?;
    let name = test.text("HostName");
    test.tell(&format!("look up {name}"));
    let (mut outcomes, mut report) = (Vec::new(), Report::new());
    for _ in 0..test.number("NumberOfRepetitions").max(1) {
        let Some(outcome) = test.in_time(look_up(test, &way, &servers, name))? else {
            report.state = OTHER;
            break;
        };
        let addresses: Vec<String> = outcome.addresses.iter().copied().map(address_text).collect();
        test.tell(&format!("{}: {} {} {}", outcome.server, outcome.status, outcome.name, addresses.join(" ")));
        outcomes.push(outcome);
    }
    report.set("SuccessCount", outcomes.iter().filter(|outcome| outcome.status == "Success").count());
    let columns = ["Status", "AnswerType", "HostNameReturned", "IPAddresses", "DNSServerIP", "ResponseTime"];
    report.table("Result", &columns, outcomes.into_iter().map(row));
    Ok(report)
}

fn row(outcome: Outcome) -> Vec<String> {
    let addresses: Vec<String> = outcome.addresses.into_iter().map(address_text).collect();
    vec![
        outcome.status.into(),
        outcome.kind.into(),
        outcome.name,
        addresses.join(","),
        outcome.server,
        outcome.time.to_string(),
    ]
}

/// The servers to ask: the one that is named, those of the interface, or those of the system.
fn servers(test: &Test<'_>) -> Result<Vec<IpAddr>, Trouble> {
    let named = test.text("DNSServer");
    if !named.is_empty() {
        let found = test.resolve(named, 53, Version::Any);
        return match found {
            Ok(found) => Ok(found.into_iter().map(|address| address.ip()).collect()),
            Err(trouble) => {
                test.goes_on()?;
                Err(Trouble::new(NO_SERVER, trouble.text))
            }
        };
    }
    let interface = test.text("Interface");
    let mut servers = Vec::new();
    if !interface.is_empty() {
        let status = test.live.ubus_call(&format!("network.interface.{interface}"), "status", &json!({}));
        let status = status.unwrap_or_default();
        let listed = status.get("dns-server").and_then(serde_json::Value::as_array).into_iter().flatten();
        servers.extend(listed.filter_map(|server| server.as_str()?.parse::<IpAddr>().ok()));
    }
    if servers.is_empty() {
        servers = ask::servers(test);
    }
    match servers.is_empty() {
        true => Err(Trouble::new(NO_SERVER, "the router knows no name server")),
        false => Ok(servers),
    }
}

/// Asks one server after the other until one answers.
fn look_up(test: &Test<'_>, way: &Way, servers: &[IpAddr], name: &str) -> Result<Outcome, Trouble> {
    let timeout = test.milliseconds("Timeout");
    let mut outcome = Outcome { status: "Error_Other", kind: "None", ..Outcome::default() };
    let (asked_name, kinds): (String, &[u16]) = match name.parse::<IpAddr>() {
        Ok(address) => (dns::reverse_name(address), &[PTR]),
        Err(_) => (name.into(), &[A, AAAA]),
    };
    if dns::question(0, &asked_name, A).is_none() {
        outcome.status = "Error_HostNameNotResolved";
        return Ok(outcome);
    }
    for server in servers {
        outcome.server = address_text(*server);
        match ask::ask(test, way, *server, (&asked_name, kinds), timeout)? {
            Asked::NotAvailable => outcome.status = "Error_DNSServerNotAvailable",
            Asked::Silence => outcome.status = "Error_Timeout",
            Asked::Answered(answers, time) => {
                outcome.time = millis(time);
                judge(&mut outcome, answers, name.parse().ok());
                break;
            }
        }
    }
    Ok(outcome)
}

/// What the answers of a server come to. `address` was asked for its name.
fn judge(outcome: &mut Outcome, answers: Vec<Answer>, address: Option<IpAddr>) {
    let good = |answer: &Answer| matches!(answer.code, 0 | NO_SUCH_NAME);
    outcome.kind = match answers.iter().any(|answer| answer.authoritative) {
        true => "Authoritative",
        false => "NonAuthoritative",
    };
    let understood = answers.iter().any(good);
    // The addresses may be in what there was no room for: that none came does not say that there are none.
    let all = !answers.iter().any(|answer| answer.cut_off);
    for answer in answers {
        if !answer.found.is_empty() {
            outcome.name = answer.found;
        }
        outcome.addresses.extend(answer.addresses);
    }
    outcome.addresses.truncate(MOST_ADDRESSES);
    outcome.addresses.extend(address.filter(|_| !outcome.name.is_empty()));
    outcome.status = match (outcome.addresses.is_empty(), understood) {
        (false, _) => "Success",
        (true, true) if all => "Error_HostNameNotResolved",
        (true, _) => "Error_Other",
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(answers: Vec<Answer>, address: Option<IpAddr>) -> Outcome {
        let mut outcome = Outcome::default();
        judge(&mut outcome, answers, address);
        outcome
    }

    #[test]
    fn one_answer_of_two_is_enough() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let four = Answer { addresses: vec![address], found: "h.example".into(), ..Answer::default() };
        let outcome = judged(vec![Answer::default(), four.clone()], None);
        assert_eq!((outcome.status, outcome.kind), ("Success", "NonAuthoritative"));
        assert_eq!((outcome.name.as_str(), outcome.addresses.as_slice()), ("h.example", &[address][..]));
        let many = Answer { addresses: vec![address; 20], authoritative: true, ..four };
        let outcome = judged(vec![many], None);
        assert_eq!((outcome.addresses.len(), outcome.kind), (10, "Authoritative"));
    }

    #[test]
    fn no_name_is_told_from_no_answer() {
        let code = |code| Answer { code, ..Answer::default() };
        assert_eq!(judged(vec![code(3), code(3)], None).status, "Error_HostNameNotResolved");
        assert_eq!(judged(vec![code(0)], None).status, "Error_HostNameNotResolved");
        assert_eq!(judged(vec![code(2), code(5)], None).status, "Error_Other");
        let cut_off = Answer { cut_off: true, ..Answer::default() };
        assert_eq!(judged(vec![cut_off, code(0)], None).status, "Error_Other");
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(judged(vec![code(3)], Some(address)).status, "Error_HostNameNotResolved");
        let named = Answer { found: "r.example".into(), ..Answer::default() };
        let outcome = judged(vec![named], Some(address));
        assert_eq!((outcome.status, outcome.addresses.len()), ("Success", 1));
    }
}
