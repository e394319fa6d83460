//! Whether anybody uses the line to the ACS, for downloads that are to wait until nobody does (CONFORMANCE F-21, `3 When Idle`).

use std::time::Duration;

use crate::platform::System;

/// How often the counters are looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// Less than so many bytes a second, in both directions together, is what a quiet network says to itself.
const QUIET: u64 = 8 << 10;

/// What the counters of a device have shown.
#[derive(Clone, Default, Debug)]
pub(super) struct Line {
    last: Option<(Duration, u64)>,
    idle: bool,
}

impl Line {
    /// Whether it was idle in the last period.
    pub(super) fn is_idle(&self) -> bool {
        self.idle
    }

    /// When to look again.
    pub(super) fn due(&self, now: Duration) -> Duration {
        self.last.map_or(now, |(at, _)| at.saturating_add(PERIOD))
    }

    /// Nobody wants to know any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Looks at the counters, if it is time. A line that nobody can look at counts as idle.
    pub(super) fn look(&mut self, system: &dyn System, device: Option<&str>, now: Duration) {
        if self.due(now) > now {
            return;
        }
        let Some(bytes) = device.and_then(|device| transferred(system, device)) else {
            self.last = Some((now, 0));
            self.idle = true;
            return;
        };
        if let Some((at, before)) = self.last {
            let seconds = now.saturating_sub(at).as_secs().max(1);
            // Counters that were reset say nothing.
            self.idle = bytes.checked_sub(before).is_some_and(|bytes| bytes / seconds < QUIET);
        }
        self.last = Some((now, bytes));
    }
}

fn transferred(system: &dyn System, device: &str) -> Option<u64> {
    let count = |name: &str| -> Option<u64> {
        let content = system.read_file(&format!("/sys/class/net/{device}/statistics/{name}"), 64).ok()?;
        std::str::from_utf8(&content).ok()?.trim().parse().ok()
    };
    count("rx_bytes")?.checked_add(count("tx_bytes")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::live::Live;

    #[test]
    fn f21_a_line_is_idle_when_little_goes_over_it() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("sys/class/net/wan/statistics");
        std::fs::create_dir_all(&directory).unwrap();
        let live = Live::new(root.path()).unwrap();
        let mut line = Line::default();
        let mut at = |seconds: u64, bytes: u64| {
            std::fs::write(directory.join("rx_bytes"), format!("{bytes}\n")).unwrap();
            std::fs::write(directory.join("tx_bytes"), "1000\n").unwrap();
            line.look(&live, Some("wan"), Duration::from_secs(seconds));
            line.is_idle()
        };
        assert!(!at(100, 5000), "one look says nothing");
        assert!(!at(104, 5000), "too early to look again");
        assert!(at(105, 15_000));
        assert!(!at(110, 100_000));
        assert!(!at(115, 0), "the counters were reset");
        assert!(at(120, 100));
    }

    #[test]
    fn f21_a_line_that_nobody_can_look_at_is_idle() {
        let root = tempfile::tempdir().unwrap();
        let live = Live::new(root.path()).unwrap();
        let mut line = Line::default();
        line.look(&live, None, Duration::ZERO);
        assert!(line.is_idle());
        assert_eq!(line.due(Duration::ZERO), PERIOD);
        line.forget();
        assert!(!line.is_idle());
    }
}
