//! Where uhttpd listens, and which of its ports are open to the outside.
//!
//! `listen_http` and `listen_https` of the section `main` have items such as `0.0.0.0:80`, `[::]:443` or `8080`. The ports that can be reached from the
//! zone towards the internet are those of one rule of the firewall.

use super::REMOTE_ACCESS;
use crate::device::nat::zone;
use crate::error::{Error, Fault, Result};
use crate::model::access::uci_truth;
use crate::model::context::Context;
use crate::platform::uci::EditError;

/// The UCI package, and its section for the web interface.
const PACKAGE: &str = "uhttpd";
const MAIN: &str = "main";

/// Every address of IPv4 and IPv6.
pub(super) const EVERYWHERE: [&str; 2] = ["0.0.0.0", "[::]"];

/// One port that is listened on with one protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Listener {
    pub(super) protocol: &'static str,
    pub(super) port: u16,
    /// As uhttpd writes them; empty texts for an item that is a port alone.
    pub(super) addresses: Vec<String>,
}

fn option(protocol: &str) -> &'static str {
    if protocol == "HTTPS" { "listen_https" } else { "listen_http" }
}

fn parse(item: &str) -> Option<(&str, u16)> {
    let (address, port) = item.rsplit_once(':').unwrap_or(("", item));
    Some((address, port.parse().ok().filter(|port| *port != 0)?))
}

fn items(cx: &mut Context, protocol: &str) -> Result<Vec<String>> {
    let Some(main) = cx.package(PACKAGE)?.find(MAIN) else { return Ok(Vec::new()) };
    let words = main.list(option(protocol)).into_iter().flat_map(str::split_ascii_whitespace);
    Ok(words.map(String::from).collect())
}

/// All listeners, in the order of the file.
pub(super) fn all(cx: &mut Context) -> Result<Vec<Listener>> {
    let mut found: Vec<Listener> = Vec::new();
    for protocol in ["HTTP", "HTTPS"] {
        for item in items(cx, protocol)? {
            let Some((address, port)) = parse(&item) else { continue };
            match found.iter_mut().find(|known| (known.protocol, known.port) == (protocol, port)) {
                Some(known) => known.addresses.push(String::from(address)),
                None => found.push(Listener { protocol, port, addresses: vec![String::from(address)] }),
            }
        }
    }
    Ok(found)
}

/// Takes a listener away, and puts another one in its place or at the end.
pub(super) fn replace(cx: &mut Context, before: Option<&Listener>, after: Option<&Listener>) -> Result<(), Fault> {
    let id = cx.package(PACKAGE)?.find(MAIN).map(|main| main.id());
    let id = id.ok_or_else(|| Fault::value("there is no web server"))?;
    for protocol in ["HTTP", "HTTPS"] {
        let former = items(cx, protocol)?;
        let mut items = former.clone();
        let mut place = items.len();
        if let Some(before) = before.filter(|before| before.protocol == protocol) {
            let is_it = |item: &String| parse(item).is_some_and(|(_, port)| port == before.port);
            place = items.iter().position(is_it).unwrap_or(place);
            items.retain(|item| !is_it(item));
        }
        if let Some(after) = after.filter(|after| after.protocol == protocol) {
            for address in after.addresses.iter().rev() {
                let colon = if address.is_empty() { "" } else { ":" };
                items.insert(place.min(items.len()), format!("{address}{colon}{}", after.port));
            }
        }
        if items != former {
            let items: Vec<&str> = items.iter().map(String::as_str).collect();
            cx.package_mut(PACKAGE)?.set_list(id, option(protocol), &items).map_err(refused)?;
        }
    }
    Ok(())
}

/// The ports that can be reached from outside.
pub(super) fn remote_ports(cx: &mut Context) -> Result<Vec<u16>> {
    let rule = cx.package("firewall")?.find(REMOTE_ACCESS);
    let rule = rule.filter(|rule| rule.get("enabled").and_then(uci_truth) != Some(false));
    let words = rule.map(|rule| rule.list("dest_port")).unwrap_or_default();
    Ok(words.into_iter().flat_map(str::split_ascii_whitespace).filter_map(|word| word.parse().ok()).collect())
}

/// Opens these ports to the outside, and no others.
pub(super) fn set_remote_ports(cx: &mut Context, ports: &[u16]) -> Result<(), Fault> {
    if remote_ports(cx)? == ports {
        return Ok(());
    }
    let found = cx.package("firewall")?.find(REMOTE_ACCESS).map(|rule| rule.id());
    if ports.is_empty() {
        if let Some(id) = found {
            cx.package_mut("firewall")?.remove_section(id);
        }
        return Ok(());
    }
    let outside = zone::outside(cx)?.ok_or_else(|| Fault::value("no zone of the firewall leads to the internet"))?;
    let package = cx.package_mut("firewall")?;
    let id = match found {
        Some(id) => id,
        None => package.add_section("rule", Some(REMOTE_ACCESS)).map_err(refused)?,
    };
    package.remove(id, "enabled");
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let options = [
        ("name", "Remote access"),
        ("src", &outside.name),
        ("proto", "tcp"),
        ("dest_port", &ports.join(" ")),
        ("target", "ACCEPT"),
    ];
    for (option, value) in options {
        package.set(id, option, value).map_err(refused)?;
    }
    Ok(())
}

fn refused(error: EditError) -> Fault {
    Fault::from(Error::other(error.to_string()))
}
