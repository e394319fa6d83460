//! Stands in for the file client and the appliers until they are here.

pub mod fetch {
    #![allow(missing_docs)]
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::path::Path;

    use crate::acs::{Body, Cancel, Settings, TlsSessions, Url};
    use crate::error::{Fault, FaultCode};
    use crate::transfer::{Progress, Trouble};

    pub struct Remote<'a> {
        pub url: &'a str,
        pub username: &'a str,
        pub password: &'a str,
    }

    pub fn check_url(url: &str) -> Result<(), Fault> {
        if url.starts_with("http://") { Ok(()) } else { Err(Fault::from(FaultCode(9013))) }
    }

    fn trouble(code: u16) -> impl Fn(std::io::Error) -> Trouble {
        move |error| Trouble::new(FaultCode(code), error.to_string())
    }

    fn open(url: &str) -> Result<(TcpStream, String, String), Trouble> {
        let _ = std::any::type_name::<Url>();
        let rest = url.strip_prefix("http://").unwrap_or_default();
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let stream = TcpStream::connect(host).map_err(trouble(9015))?;
        Ok((stream, host.into(), format!("/{path}")))
    }

    pub fn download(
        _settings: &Settings,
        _sessions: &TlsSessions,
        _cancel: &Cancel,
        from: &Remote<'_>,
        _file_size: u32,
        to: &Path,
        progress: Progress<'_>,
    ) -> Result<u64, Trouble> {
        let (mut stream, host, path) = open(from.url)?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").map_err(trouble(9015))?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map_err(trouble(9017))?;
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0);
        let (head, body) = bytes.split_at(head);
        if !head.starts_with(b"HTTP/1.0 200") && !head.starts_with(b"HTTP/1.1 200") {
            return Err(Trouble::new(FaultCode(9016), "no such file"));
        }
        let body = body.get(4..).unwrap_or_default();
        std::fs::write(to, body).map_err(trouble(9010))?;
        progress(body.len() as u64, Some(body.len() as u64));
        Ok(body.len() as u64)
    }

    pub fn upload(
        _settings: &Settings,
        _sessions: &TlsSessions,
        _cancel: &Cancel,
        to: &Remote<'_>,
        body: &mut dyn Body,
        progress: Progress<'_>,
    ) -> Result<(), Trouble> {
        let (mut stream, host, path) = open(to.url)?;
        write!(stream, "PUT {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n", body.len())
            .map_err(trouble(9015))?;
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(trouble(9011))?;
        stream.write_all(&bytes).map_err(trouble(9011))?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(trouble(9011))?;
        progress(bytes.len() as u64, Some(bytes.len() as u64));
        if answer.starts_with(b"HTTP/1.1 2") { Ok(()) } else { Err(Trouble::new(FaultCode(9011), "refused")) }
    }
}

pub mod apply {
    #![allow(missing_docs)]
    use std::path::Path;

    use crate::error::{Fault, FaultCode};
    use crate::platform::live::Live;
    use crate::platform::{Program, System};
    use crate::transfer::Trouble;

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum Kind {
        Firmware,
        Settings,
        Log,
    }

    pub enum Applied {
        Now,
        Restart,
    }

    pub fn check_file_type(_live: &Live, file_type: &str) -> Result<Kind, Fault> {
        match file_type {
            "1 Firmware Upgrade Image" => Ok(Kind::Firmware),
            "3 Vendor Configuration File" => Ok(Kind::Settings),
            _ => Err(Fault::arguments("FileType")),
        }
    }

    pub fn check_upload_type(_live: &Live, file_type: &str) -> Result<Kind, Fault> {
        match file_type {
            "1 Vendor Configuration File" => Ok(Kind::Settings),
            "2 Vendor Log File" => Ok(Kind::Log),
            _ => Err(Fault::arguments("FileType")),
        }
    }

    pub fn apply(live: &Live, kind: Kind, file: &Path, _target: &str) -> Result<Applied, Trouble> {
        let path = file.strip_prefix(live.root()).map(|path| format!("/{}", path.display())).unwrap_or_default();
        let run = |argv: &[&str]| {
            let deadline = std::time::Duration::from_secs(60);
            let output = live.run(&Program { argv, input: b"", deadline, limit: 1 << 16 });
            match output {
                Ok(output) if output.status == Some(0) => Ok(()),
                Ok(_) => Err(Trouble::new(FaultCode(9018), "refused")),
                Err(error) => Err(Trouble::new(FaultCode(9010), error.to_string())),
            }
        };
        if kind == Kind::Firmware {
            run(&["/sbin/sysupgrade", "-T", &path])?;
            run(&["/sbin/sysupgrade", &path])?;
            return Ok(Applied::Restart);
        }
        run(&["/sbin/sysupgrade", "-r", &path])?;
        Ok(Applied::Now)
    }

    pub fn collect(_live: &Live, _kind: Kind, into: &Path) -> Result<u64, Trouble> {
        std::fs::write(into, b"a file").map_err(|error| Trouble::new(FaultCode(9011), error.to_string()))?;
        Ok(6)
    }

    pub fn firmware_result(live: &Live) -> Option<Result<(), Trouble>> {
        match live.file_info("/etc/cwmpd.upgrading") {
            Ok(_) => Some(Err(Trouble::new(FaultCode(9010), "the old image still runs"))),
            Err(_) => Some(Ok(())),
        }
    }
}
