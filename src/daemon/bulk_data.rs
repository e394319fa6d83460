//! Makes reports of bulk data and sends them, from a thread that may wait for a collector (TR-181 2.17 Device.BulkData.; TR-157 Annex A).

use std::sync::Arc;

use super::agent::{Agent, BulkJob};
use super::{Beside, Shared, start};
use crate::acs::{FileClient, Settings};
use crate::bulk_data::{
    Csv, Encoding, Json, Report, Timestamp, http_date, object_path, report_name, size_of_value, with_query,
};
use crate::cwmp::answers::{text_of, values_of};
use crate::model::context::Context;
use crate::soap::body::{Body, Compression};
use crate::soap::rpc::ParameterValue;
use crate::sorted::Set;

/// What a report may hold, in bytes of memory; what comes after that is left out.
const LARGEST: usize = 1 << 20;

/// Sends what is due; nobody waits for it.
pub fn send(shared: &Arc<Shared>) {
    let Some(job) = shared.lock().bulk_job() else { return };
    let beside = Beside::new(shared, Agent::abandon_bulk_data);
    if start("bulk data", Box::new(move || run(&beside.shared, job))).is_none() {
        shared.lock().abandon_bulk_data();
    }
}

fn run(shared: &Arc<Shared>, job: BulkJob) {
    let mut context = shared.lock().model.context();
    let mut profile = Profile { context: &mut context, path: &job.path };
    let mut reports = job.unsent;
    if job.collect {
        reports.push(Report { time: job.clock, values: profile.collect() });
    }
    let encoding = profile.encoding();
    let identity = [("oui", &job.device.oui), ("pc", &job.device.product_class), ("sn", &job.device.serial_number)];
    let mut query: Vec<(String, String)> =
        identity.into_iter().map(|(name, value)| (String::from(name), value.clone())).collect();
    query.extend(profile.query());
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let settings = Settings {
        url: with_query(&profile.text("HTTP.URL"), &query),
        username: profile.text("HTTP.Username"),
        // It is hidden from whoever asks for its value.
        password: profile.context.own(&format!("{}HTTP.Password", job.path)).unwrap_or_default(),
        ..job.settings
    };
    let date = job.utc.filter(|_| profile.is("HTTP.UseDateHeader")).map(http_date);
    let mut headers = vec![("Content-Type", encoding.content_type()), ("BBF-Report-Format", encoding.report_format())];
    headers.extend(date.as_deref().map(|date| ("Date", date)));
    let body = Body::bytes(encoding.encode(&reports));
    let (mut body, coding) = match profile.text("HTTP.Compression").as_str() {
        "GZIP" => (body.compressed(Compression::Gzip), Some("gzip")),
        "Deflate" => (body.compressed(Compression::Deflate), Some("deflate")),
        _ => (body, None),
    };
    headers.extend(coding.map(|coding| ("Content-Encoding", coding)));
    let put = profile.text("HTTP.Method") == "PUT";
    drop(context);
    let sent = FileClient::new(&settings, &shared.tls, &shared.cancel)
        .and_then(|mut client| {
            let status = client.send(put, &headers, &mut body);
            if client.used_basic_without_tls() {
                log::warn!("a collector got its password as it is, over http without TLS (basic_over_http)");
            }
            status
        })
        .map_err(|error| error.to_string().replace("the file server", "the collector"));
    let sent = sent.and_then(|status| match status {
        200..=299 => Ok(()),
        status => Err(format!("the collector answers with status {status}")),
    });
    shared.lock().bulk_data_sent(&job.path, reports, sent);
}

/// A profile as it is when its report is made.
struct Profile<'a> {
    context: &'a mut Context,
    path: &'a str,
}

impl Profile<'_> {
    fn text(&mut self, name: &str) -> String {
        text_of(self.context, &format!("{}{name}", self.path)).unwrap_or_default()
    }

    fn is(&mut self, name: &str) -> bool {
        self.text(name) == "true"
    }

    fn encoding(&mut self) -> Encoding {
        if self.text("EncodingType") == "CSV" {
            return Encoding::Csv(Csv {
                field: self.text("CSVEncoding.FieldSeparator"),
                row: self.text("CSVEncoding.RowSeparator"),
                escape: self.text("CSVEncoding.EscapeCharacter"),
                per_row: self.text("CSVEncoding.ReportFormat") == "ParameterPerRow",
                timestamp: Timestamp::parse(&self.text("CSVEncoding.RowTimestamp")),
            });
        }
        Encoding::Json(Json {
            hierarchy: self.text("JSONEncoding.ReportFormat") == "ObjectHierarchy",
            timestamp: Timestamp::parse(&self.text("JSONEncoding.ReportTimestamp")),
        })
    }

    /// Name, Reference and Exclude of the rows of a table of references.
    fn references(&mut self, table: &str) -> Vec<(String, String, bool)> {
        let (mut rows, mut name, mut exclude) = (Vec::new(), String::new(), false);
        // The parameters of a row come in the order of their names.
        for value in values_of(self.context, &format!("{}{table}", self.path)) {
            match value.name.rsplit('.').next() {
                Some("Exclude") => exclude = value.value.text == "true",
                Some("Name") => name = value.value.text,
                Some("Reference") => rows.push((std::mem::take(&mut name), value.value.text, exclude)),
                _ => {}
            }
        }
        rows.retain(|(_, reference, _)| !reference.is_empty());
        rows
    }

    /// The values of all references, under the names that they have in reports. Each source is read once.
    fn collect(&mut self) -> Vec<ParameterValue> {
        let references = self.references("Parameter.");
        let mut excluded = Set::new();
        for (_, reference, _) in references.iter().filter(|(_, _, exclude)| *exclude) {
            excluded.extend(values_of(self.context, &object_path(reference)).into_iter().map(|value| value.name));
        }
        let mut values = Vec::new();
        let mut size = 0_usize;
        for (name, reference, _) in references.iter().filter(|(_, _, exclude)| !exclude) {
            let found = values_of(self.context, &object_path(reference));
            if found.is_empty() {
                log::debug!("{}: there is no {reference} to report", self.path);
            }
            for mut value in found.into_iter().filter(|value| !excluded.contains(&value.name)) {
                value.name = report_name(name, reference, &value.name);
                size = size.saturating_add(size_of_value(&value));
                if size > LARGEST {
                    log::warn!("{}: the report ends after {} values: it is too large", self.path, values.len());
                    return values;
                }
                values.push(value);
            }
        }
        values
    }

    /// What goes to the end of the URL besides who we are.
    fn query(&mut self) -> Vec<(String, String)> {
        let mut query = Vec::new();
        for (name, reference, _) in self.references("HTTP.RequestURIParameter.") {
            let Some(value) = text_of(self.context, &reference) else { continue };
            query.push((if name.is_empty() { reference } else { name }, value));
        }
        query
    }
}
