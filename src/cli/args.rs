//! What the arguments say.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value};
use log::LevelFilter;

use crate::config::parse_log_level;
use crate::daemon::Options;
use crate::daemon::operations::Command;

/// What `--help` prints.
pub const HELP: &str = "\
cwmpd: the TR-069 (CWMP) agent for OpenWrt routers

Usage: cwmpd [--root DIR] [--config FILE] [--log-level LEVEL] [--stderr] [COMMAND]

Commands:
  run                       the daemon, in the foreground (also with no command)
  get PATH...               print values, one name=value a line; a path that ends
                            with a dot gives everything below it
  set NAME=VALUE...         write values, all or none, and apply them
  names [PATH] [--next-level]
                            print names, each with its access (rw, ro) and type
  add OBJECT.               add an instance and print its number
  del OBJECT.i.             delete an instance
  inform [EVENT]            ask the running daemon for a session now and wait for
                            its end; EVENT such as '6 CONNECTION REQUEST', default
                            '2 PERIODIC'
  status [--last]           state of the running daemon; with --last how the last
                            session went, step by step, and why it or the last
                            connection request failed
  trace                     follow the messages of sessions, secrets masked
  check                     check the configuration and the vendor model files

Options:
  --root DIR                every path and program lies beneath DIR (default /)
  --config FILE             the configuration (default /etc/config/cwmpd)
  --log-level LEVEL         err, warning, notice, debug or trace (default: the
                            option log_level of the configuration)
  --stderr                  log to standard error instead of the system log
  --json                    JSON instead of text, on every command that reads
  -h, --help                this text
  -V, --version             the version

Exit status: 0 done; 1 refused or failed, with the reason on standard error and the
CWMP fault code where there is one; 2 wrong usage.
";

/// Everything that was said on the command line.
#[derive(Clone)]
pub struct Arguments {
    /// What concerns every command.
    pub options: Options,
    /// Whether to print JSON.
    pub json: bool,
    /// `status --last`.
    pub last: bool,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Clone)]
pub enum Action {
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Be the daemon.
    Run,
    /// Check files.
    Check,
    /// Carry out a test.
    #[cfg(feature = "diagnostics")]
    Diagnose(super::diagnose::Request),
    /// A command for the daemon or the model.
    Model(Command),
}

/// Reads the arguments; the first is the name of the program.
///
/// # Errors
/// What is wrong with them, in one line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, String> {
    let mut parser = lexopt::Parser::from_iter(arguments);
    let mut options = Options::default();
    let (mut json, mut last, mut next_level) = (false, false, false);
    let mut action = None;
    let mut words: Vec<String> = Vec::new();
    // Those of a test, with their values.
    let mut settings: Vec<(String, String)> = Vec::new();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Long("root") => options.root = path(&mut parser)?,
            Long("config") => options.config = Some(path(&mut parser)?),
            Long("log-level") => options.log_level = Some(level(&mut parser)?),
            Long("stderr") => options.stderr = true,
            Long("json") => json = true,
            Long("last") => last = true,
            Long("next-level") => next_level = true,
            Long("help") | Short('h') => action = Some(Action::Help),
            Long("version") | Short('V') => action = Some(Action::Version),
            Long(name) if is_test(&words) => {
                let name = String::from(name);
                let value = parser.value().map_err(|error| error.to_string())?;
                settings.push((name, value.to_string_lossy().into_owned()));
            }
            Short(version @ ('4' | '6')) if is_test(&words) => {
                settings.push(("ip".into(), format!("IPv{version}")));
            }
            Value(word) => {
                words.push(word.into_string().map_err(|word| format!("{} is not UTF-8", word.to_string_lossy()))?);
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    let action = match action {
        Some(action) => action,
        #[cfg(feature = "diagnostics")]
        None if is_test(&words) => {
            Action::Diagnose(super::diagnose::request(words.get(1..).unwrap_or_default(), &settings)?)
        }
        None => command(&words, next_level)?,
    };
    let is_status = matches!(action, Action::Model(Command::Status));
    if last && !is_status {
        return Err("--last goes with status".into());
    }
    if next_level && !matches!(action, Action::Model(Command::Names { .. })) {
        return Err("--next-level goes with names".into());
    }
    Ok(Arguments { options, json, last, action })
}

/// Whether the command is one that has options of its own.
fn is_test(words: &[String]) -> bool {
    cfg!(feature = "diagnostics") && words.first().is_some_and(|word| word == "diagnose")
}

fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, String> {
    parser.value().map(PathBuf::from).map_err(|error| error.to_string())
}

fn level(parser: &mut lexopt::Parser) -> Result<LevelFilter, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    let name = value.to_string_lossy();
    parse_log_level(&name).ok_or_else(|| format!("{name} is no level: use err, warning, notice, debug or trace"))
}

fn command(words: &[String], next_level: bool) -> Result<Action, String> {
    let Some((name, rest)) = words.split_first() else { return Ok(Action::Run) };
    let none = |action: Action| match rest.first() {
        None => Ok(action),
        Some(word) => Err(format!("{name} takes no {word}")),
    };
    let one = |what: &str| match rest {
        [word] => Ok(word.clone()),
        _ => Err(format!("{name} takes one {what}")),
    };
    Ok(Action::Model(match name.as_str() {
        "run" => return none(Action::Run),
        "check" => return none(Action::Check),
        "status" => return none(Action::Model(Command::Status)),
        "trace" => return none(Action::Model(Command::Trace)),
        "get" if rest.is_empty() => return Err("get takes at least one PATH".into()),
        "get" => Command::Get { names: rest.to_vec() },
        "set" if rest.is_empty() => return Err("set takes at least one NAME=VALUE".into()),
        "set" => {
            let pair = |word: &String| {
                let (name, value) = word.split_once('=').ok_or_else(|| format!("{word} is not NAME=VALUE"))?;
                Ok((String::from(name), String::from(value)))
            };
            Command::Set { values: rest.iter().map(pair).collect::<Result<_, String>>()? }
        }
        "names" => match rest {
            [] => Command::Names { path: String::new(), next_level },
            [path] => Command::Names { path: path.clone(), next_level },
            _ => return Err("names takes at most one PATH".into()),
        },
        "add" => Command::Add { object: one("OBJECT.")? },
        "del" => Command::Del { object: one("OBJECT.i.")? },
        "inform" => match rest {
            [] => Command::Inform { event: "2 PERIODIC".into() },
            [event] => Command::Inform { event: event.clone() },
            _ => return Err("inform takes at most one EVENT: put it into quotes".into()),
        },
        _ => return Err(format!("{name} is no command")),
    }))
}
