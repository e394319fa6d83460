//! Sends lightweight notifications, from a thread that may wait for a name server.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use super::agent::Mail;
use super::{MEDIUM_STACK, Shared, thread};
use crate::acs::{Resolve, SystemResolver};

/// Sends what is due; nobody waits for it.
pub fn send(shared: &Arc<Shared>) {
    let Some(mail) = shared.lock().lightweight_mail() else { return };
    let sender = shared.clone();
    let send = move || {
        let sent = post(&mail);
        if sent.is_ok() {
            for message in &mail.messages {
                let text = String::from_utf8_lossy(message);
                sender.trace.tell(&format!("--> to {}:{} over UDP\n{text}\n", mail.host, mail.port));
            }
        }
        sender.lock().lightweight_sent(sent);
        sender.wake();
    };
    if let Err(error) = thread("lightweight", MEDIUM_STACK, Box::new(send)) {
        shared.lock().lightweight_sent(Err(error));
    }
}

fn post(mail: &Mail) -> io::Result<()> {
    let addresses = SystemResolver.resolve(&mail.host, mail.port)?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", mail.host));
    for address in addresses {
        match post_to(address, &mail.messages) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn post_to(address: SocketAddr, messages: &[Vec<u8>]) -> io::Result<()> {
    let socket = match address {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)),
    }?;
    messages.iter().try_for_each(|message| socket.send_to(message, address).map(drop))
}
