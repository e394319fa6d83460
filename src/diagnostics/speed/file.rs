//! DownloadDiagnostics and UploadDiagnostics: their inputs, and what a test of TR-143 says in the parameters of TR-181 2.17.

use std::time::Duration;

use super::meter::{Carried, Line, Span, Timing};
use super::stamp::Stamps;
use super::transfer::{Settings, rate, run};
use crate::acs::Url;
use crate::diagnostics::{CANNOT_RESOLVE, Kind, OTHER, Report, Test, Trouble, Way, address_text, micros};

/// Fetches a file, or as much of it as comes in a given time.
pub static DOWNLOAD: Kind =
    Kind { path: "Device.IP.Diagnostics.DownloadDiagnostics.", run: |test| carry_out(test, false) };

/// Sends a file, or as much as goes in a given time.
pub static UPLOAD: Kind = Kind { path: "Device.IP.Diagnostics.UploadDiagnostics.", run: |test| carry_out(test, true) };

const TIMES: [&str; 5] = ["TCPOpenRequestTime", "TCPOpenResponseTime", "ROMTime", "BOMTime", "EOMTime"];

fn carry_out(test: &Test<'_>, upload: bool) -> Result<Report, Trouble> {
    let name = if upload { "UploadURL" } else { "DownloadURL" };
    let url = Url::parse(test.text(name)).map_err(|error| Trouble::new(CANNOT_RESOLVE, error.to_string()))?;
    if url.tls {
        return Err(Trouble::new(OTHER, "the tests go over http, not https"));
    }
    let seconds = |name| Duration::from_secs(test.number(name).into());
    let settings = Settings {
        upload,
        url,
        way: Way::of(test)?,
        priority: test.number("EthernetPriority"),
        connections: usize::try_from(test.number("NumberOfConnections")).unwrap_or(1),
        length: test.text("TestFileLength").parse().unwrap_or(0),
        timing: Timing {
            duration: seconds("TimeBasedTestDuration"),
            interval: seconds("TimeBasedTestMeasurementInterval"),
            offset: seconds("TimeBasedTestMeasurementOffset"),
        },
    };
    test.tell(&format!("{} {}", if upload { "upload to" } else { "download of" }, settings.url));
    let stamps = Stamps::of(test.live);
    let outcome = run(&settings, test, &stamps)?;
    let (whole, bytes) = (outcome.meter.whole(), test_bytes(upload));
    let mut report = Report::new();
    report.set("IPAddressUsed", outcome.local.map(address_text).unwrap_or_default());
    for (name, at) in TIMES.iter().zip(times(&whole)) {
        report.set(name, stamps.text(at));
    }
    report.set(bytes, whole.bytes);
    let [received, sent] = totals(whole.carried, whole.bytes, upload);
    report.set("TotalBytesReceived", received);
    report.set("TotalBytesSent", sent);
    let full = outcome.meter.full_loading().unwrap_or_default();
    report.set(&format!("{bytes}UnderFullLoading"), full.bytes);
    let [received, sent] = totals(full.carried, full.bytes, upload);
    report.set("TotalBytesReceivedUnderFullLoading", received);
    report.set("TotalBytesSentUnderFullLoading", sent);
    report.set("PeriodOfFullLoading", micros(full.to.saturating_sub(full.from)));
    let [open, opened, request, begin, end] = TIMES;
    let lines = if test.text("EnablePerConnectionResults") == "true" { outcome.meter.lines() } else { &[] };
    let columns = [open, opened, request, begin, end, bytes, "TotalBytesReceived", "TotalBytesSent"];
    report.table("PerConnectionResult", &columns, lines.iter().map(|line| of_line(line, &stamps, upload)));
    let columns = ["StartTime", "EndTime", bytes, "TotalBytesReceived", "TotalBytesSent"];
    let spans = outcome.meter.intervals().iter();
    report.table("IncrementalResult", &columns, spans.map(|span| of_span(span, &stamps, upload)));
    if let (Some(begin), Some(end)) = (whole.begin, whole.end) {
        let time = end.saturating_sub(begin);
        let rate = rate(whole.bytes, time);
        test.tell(&format!("{} bytes in {} ms, {rate} kbit/s", whole.bytes, time.as_millis()));
    }
    Ok(report)
}

fn test_bytes(upload: bool) -> &'static str {
    if upload { "TestBytesSent" } else { "TestBytesReceived" }
}

/// In the order of [`TIMES`].
fn times(line: &Line) -> [Option<Duration>; 5] {
    [line.open_request, line.open_response, line.request, line.begin, line.end]
}

fn of_line(line: &Line, stamps: &Stamps, upload: bool) -> Vec<String> {
    let mut row: Vec<String> = times(line).into_iter().map(|at| stamps.text(at)).collect();
    row.push(line.bytes.to_string());
    row.extend(totals(line.carried, line.bytes, upload).iter().map(u64::to_string));
    row
}

fn of_span(span: &Span, stamps: &Stamps, upload: bool) -> Vec<String> {
    let mut row = vec![stamps.text(Some(span.from)), stamps.text(Some(span.to)), span.bytes.to_string()];
    row.extend(totals(span.carried, span.bytes, upload).iter().map(u64::to_string));
    row
}

/// TotalBytesReceived and TotalBytesSent. What the test itself has carried went over the device in any case, also where the counters of the kernel
/// were a moment ahead of the socket; without counters both are 0.
fn totals(carried: Carried, bytes: u64, upload: bool) -> [u64; 2] {
    match (carried == Carried::default(), upload) {
        (true, _) => [0, 0],
        (false, false) => [carried.received.max(bytes), carried.sent],
        (false, true) => [carried.received, carried.sent.max(bytes)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_has_carried_at_least_the_test() {
        let carried = Carried { received: 90, sent: 20 };
        assert_eq!(totals(carried, 100, false), [100, 20]);
        assert_eq!(totals(carried, 80, false), [90, 20]);
        assert_eq!(totals(carried, 25, true), [90, 25]);
        assert_eq!(totals(Carried::default(), 100, false), [0, 0], "nobody counts");
    }
}
