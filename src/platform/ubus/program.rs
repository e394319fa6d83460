//! Calls through the router's `/bin/ubus`, where ubusd cannot be reached otherwise.

use std::io::ErrorKind;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::super::Program;
use super::super::exec::Runner;
use super::{DEADLINE, UbusError};

/// The longest answer taken, in bytes.
const LIMIT: usize = 1 << 20;

/// How long a missing ubus is taken for missing without another look.
const MISSING: Duration = Duration::from_secs(60);

/// The program, and when it was last seen to be missing.
#[derive(Default)]
pub(super) struct Ubus {
    missing: Mutex<Option<Instant>>,
}

impl Ubus {
    /// Calls a method; starts one process, unless the program is known to be missing.
    pub(super) fn call(
        &self,
        runner: &Runner,
        object: &str,
        method: &str,
        arguments: &Value,
    ) -> Result<Value, UbusError> {
        if self.is_missing() {
            return Err(UbusError::Absent);
        }
        let arguments = arguments.to_string();
        let argv = ["/bin/ubus", "-S", "call", object, method, &arguments];
        let output = runner.run(&Program { argv: &argv, input: b"", deadline: DEADLINE, limit: LIMIT });
        let output = output.map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                self.remember_missing();
                UbusError::Absent
            }
            ErrorKind::TimedOut => UbusError::TimedOut,
            _ => UbusError::Failed(format!("cannot call ubus {object} {method}: {error}")),
        })?;
        match output.status {
            Some(0) => parse(object, method, &output.stdout),
            Some(status) => Err(UbusError::from_status(object, method, status)),
            None => Err(UbusError::Failed(format!("ubus {object} {method} was ended by a signal"))),
        }
    }

    fn is_missing(&self) -> bool {
        // A poisoned lock only means that another call panicked; the time in it is still good.
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.is_some_and(|since| since.elapsed() < MISSING)
    }

    fn remember_missing(&self) {
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

fn parse(object: &str, method: &str, answer: &[u8]) -> Result<Value, UbusError> {
    let answer = answer.trim_ascii();
    if answer.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match crate::json::value(answer) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(UbusError::Failed(format!("ubus {object} {method} does not answer with a JSON object"))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    fn root(script: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("bin")).unwrap();
        let program = directory.path().join("bin/ubus");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        directory
    }

    fn call(script: &str) -> Result<Value, UbusError> {
        let root = root(script);
        Ubus::default().call(&Runner::new(root.path()), "some.object", "method", &json!({"name": "a'b\"c"}))
    }

    #[test]
    fn the_call_is_handed_over_as_arguments_and_answered_with_an_object() {
        let script = r#"[ "$*" = '-S call some.object method {"name":"a'"'"'b\"c"}' ] && echo '{"up":true}'"#;
        assert_eq!(call(script), Ok(json!({"up": true})));
        assert_eq!(call("exit 0"), Ok(json!({})));
    }

    #[test]
    fn every_failure_has_its_kind() {
        assert_eq!(call("exit 2"), Err(UbusError::Arguments));
        assert_eq!(call("exit 3"), Err(UbusError::NoMethod));
        assert_eq!(call("exit 4"), Err(UbusError::NotFound));
        assert_eq!(call("exit 6"), Err(UbusError::Denied));
        assert_eq!(call("exit 7"), Err(UbusError::TimedOut));
        assert_eq!(call("exit 255"), Err(UbusError::Absent));
        for script in ["exit 9", "kill -9 $$", "echo nonsense", "echo '[1]'", "exec cat /dev/zero"] {
            assert!(matches!(call(script), Err(UbusError::Failed(_))), "{script}");
        }
    }

    #[test]
    fn a_missing_program_is_not_tried_again_each_time() {
        let root = root("echo '{}'");
        fs::rename(root.path().join("bin/ubus"), root.path().join("bin/later")).unwrap();
        let (ubus, runner) = (Ubus::default(), Runner::new(root.path()));
        assert_eq!(ubus.call(&runner, "a", "b", &json!({})), Err(UbusError::Absent));
        fs::rename(root.path().join("bin/later"), root.path().join("bin/ubus")).unwrap();
        assert_eq!(ubus.call(&runner, "a", "b", &json!({})), Err(UbusError::Absent));
        assert_eq!(runner.started(), 0);
    }
}
