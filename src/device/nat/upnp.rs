//! The port mappings that hosts have asked miniupnpd for, as its file of leases has them. They are its own: the ACS can only read them.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::device::layers;
use crate::error::{Error, Result};
use crate::model::access::uci_truth;
use crate::model::context::{Context, Row, RowId};

/// The UCI package of miniupnpd.
const PACKAGE: &str = "upnpd";
/// Where it keeps its leases, unless it is told otherwise.
const LEASES: &str = "/var/run/miniupnpd.leases";
/// No more than these are shown, so that no host can leave the ACS without room for mappings of its own.
const MOST: usize = 128;

/// A mapping of miniupnpd.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lease {
    pub(super) protocol: &'static str,
    pub(super) external: u16,
    pub(super) client: Ipv4Addr,
    pub(super) internal: u16,
    /// When it ends, in seconds since 1970; 0 for one that has no end.
    end: u64,
    pub(super) description: String,
}

impl Lease {
    /// `TCP:6881:192.168.1.142:6881:1790000000:Description`
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.splitn(6, ':');
        let protocol = match fields.next()? {
            "TCP" => "TCP",
            "UDP" => "UDP",
            _ => return None,
        };
        let external = fields.next()?.parse().ok()?;
        let client = fields.next()?.parse().ok()?;
        let internal = fields.next()?.parse().ok()?;
        let end = fields.next()?.parse().ok()?;
        let description = fields.next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(256).collect();
        Some(Self { protocol, external, client, internal, end, description })
    }

    /// No section can have a name with a colon.
    fn key(&self) -> String {
        format!("{}:{}", self.protocol, self.external)
    }

    /// What is left of it in seconds; 0 for one that has no end.
    pub(super) fn left(&self, now: SystemTime) -> u64 {
        if self.end == 0 {
            return 0;
        }
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
        self.end.saturating_sub(now).clamp(1, u64::from(u32::MAX))
    }
}

/// All leases, read once a request; none while miniupnpd is switched off.
fn all(cx: &mut Context) -> Result<Rc<Vec<Lease>>> {
    cx.memo("miniupnpd leases", |cx| {
        let config = cx.package(PACKAGE)?.find("config");
        let off = config.and_then(|config| config.get("enabled")).and_then(uci_truth) == Some(false);
        let file = config.and_then(|config| config.get("upnp_lease_file")).filter(|file| file.starts_with('/'));
        let file = String::from(file.unwrap_or(LEASES));
        let text = if off { Rc::from("") } else { cx.file(&file).unwrap_or_else(|_| Rc::from("")) };
        Ok(text.lines().filter_map(Lease::parse).take(MOST).collect())
    })
}

/// What the rows of the leases are known by.
pub(super) fn keys(cx: &mut Context) -> Result<Vec<String>> {
    Ok(all(cx)?.iter().map(Lease::key).collect())
}

/// The lease of a row; `None` for a row that is a section.
pub(super) fn lease(cx: &mut Context, row: &Row) -> Result<Option<Lease>> {
    let RowId::Key(key) = row.id() else { return Ok(None) };
    let lease = all(cx)?.iter().find(|lease| lease.key() == **key).cloned();
    lease.map(Some).ok_or_else(|| Error::other("miniupnpd has ended the mapping"))
}

/// The logical interface that its mappings lead in from.
pub(super) fn interface(cx: &mut Context) -> Result<String> {
    let config = cx.package(PACKAGE)?.find("config");
    match config.and_then(|config| config.get("external_iface")).filter(|name| !name.is_empty()) {
        Some(name) => Ok(String::from(name)),
        None => layers::way(cx),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_line_is_a_lease() {
        let lease = Lease::parse("TCP:6881:192.168.1.142:6882:1000:A: b").unwrap();
        assert_eq!((lease.key().as_str(), lease.internal, lease.description.as_str()), ("TCP:6881", 6882, "A: b"));
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!((lease.left(at(400)), lease.left(at(2000))), (600, 1));
        assert_eq!(Lease::parse("UDP:1:192.168.1.2:1:0:").unwrap().left(at(5)), 0);
        for line in ["", "TCP:6881", "SCTP:1:192.168.1.2:1:0:", "TCP:70000:192.168.1.2:1:0:", "TCP:1:host:1:0:"] {
            assert_eq!(Lease::parse(line), None, "{line}");
        }
    }
}
