//! ServerSelectionDiagnostics: which of some hosts answers fastest (TR-181 2.17 Device.IP.Diagnostics.ServerSelectionDiagnostics.).

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Instant;

use super::ping::{Plan, ping};
use super::{CANNOT_RESOLVE, Kind, OTHER, Report, Test, Trouble, Way, address_text, micros, spread};

/// The test.
pub static SERVER_SELECTION: Kind = Kind { path: "Device.IP.Diagnostics.ServerSelectionDiagnostics.", run: carry_out };

/// The port of the echo service (RFC 862).
const ECHO: u16 = 7;

/// The bytes of each request.
const SIZE: u32 = 56;

fn carry_out(test: &Test<'_>) -> Result<Report, Trouble> {
    // The object has fewer states than others.
    run(test).map_err(|trouble| match trouble.state {
        CANNOT_RESOLVE => trouble,
        _ => Trouble { state: OTHER, ..trouble },
    })
}

fn run(test: &Test<'_>) -> Result<Report, Trouble> {
    let way = Way::of(test)?;
    let plan =
        Plan { repetitions: test.number("NumberOfRepetitions"), timeout: test.milliseconds("Timeout"), size: SIZE };
    let mut best: Option<(&str, SocketAddr, (u32, u32, u32))> = None;
    let mut trouble = Trouble::new(CANNOT_RESOLVE, "no host is named");
    for host in test.text("HostList").split(',').filter(|host| !host.is_empty()) {
        let times = way.target(test, host, ECHO).and_then(|target| match test.text("Protocol") {
            "UDP Echo" => Ok((target, echo(test, &way, target, plan)?)),
            _ => Ok((target, ping(test, &way, target.ip(), plan)?.0)),
        });
        test.goes_on()?;
        let (target, times) = match times {
            Ok(times) => times,
            Err(other) => {
                test.tell(&format!("{host}: {}", other.text));
                // A host that was found tells more than one that was not.
                if trouble.state == CANNOT_RESOLVE {
                    trouble = other;
                }
                continue;
            }
        };
        if times.is_empty() {
            test.tell(&format!("{host}: no answer"));
            trouble = Trouble::new(OTHER, "no host answers");
            continue;
        }
        let spread = spread(&times);
        test.tell(&format!("{host}: {} us", spread.1));
        if best.is_none_or(|(_, _, (_, mean, _))| spread.1 < mean) {
            best = Some((host, target, spread));
        }
    }
    let Some((host, target, (least, mean, greatest))) = best else { return Err(trouble) };
    let mut report = Report::new();
    report.set("FastestHost", host);
    report.set("MinimumResponseTime", least);
    report.set("AverageResponseTime", mean);
    report.set("MaximumResponseTime", greatest);
    report.set("IPAddressUsed", way.source(target.ip()).map(address_text).unwrap_or_default());
    Ok(report)
}

/// Sends datagrams that come back, one after the other, and gives the times of those that did in microseconds.
fn echo(test: &Test<'_>, way: &Way, target: SocketAddr, plan: Plan) -> Result<Vec<u32>, Trouble> {
    let socket = way.udp(target)?;
    let mut times = Vec::new();
    for number in 0..plan.repetitions {
        let mut data = number.to_be_bytes().to_vec();
        data.resize(usize::try_from(plan.size).unwrap_or(0), 0);
        let sent = Instant::now();
        let until = sent.checked_add(plan.timeout).unwrap_or(sent);
        if socket.send(&data).is_err() {
            continue;
        }
        let mut back = vec![0; data.len().saturating_add(1)];
        while test.wait_readable(&socket, until)? {
            let time = micros(sent.elapsed()).max(1);
            match socket.recv(&mut back) {
                Ok(length) if back.get(..length) == Some(&data) => {
                    times.push(time);
                    break;
                }
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => break,
            }
        }
        if number.saturating_add(1) < plan.repetitions {
            test.pause(super::ping::INTERVAL.saturating_sub(sent.elapsed()))?;
        }
    }
    Ok(times)
}
