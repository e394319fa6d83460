//! The time windows of a ScheduleDownload (TR-069a6 A.4.1.8, CONFORMANCE F-21).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::soap::rpc::TimeWindow;
use crate::time::{Deadline, Now};

/// How many windows a ScheduleDownload has at most.
const MOST: usize = 2;

/// Within a window the next try comes after this part of its length, and no later than [`LONGEST_PAUSE`] after the last.
const PAUSES: u32 = 10;
const LONGEST_PAUSE: u32 = 300;

/// When within its window a transfer is done.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Mode {
    /// `1 At Any Time` and `2 Immediately`: the CPE is free in the first case and takes the same moment, the beginning.
    AtOnce,
    /// `3 When Idle`: when nobody uses the line to the ACS.
    WhenIdle,
}

/// A window that was checked.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Window {
    /// WindowStart
    pub start: Deadline,
    /// WindowEnd
    pub end: Deadline,
    /// WindowMode
    pub mode: Mode,
    /// MaxRetries; `None` leaves it to the CPE, which tries as long as the window lasts.
    pub retries: Option<u32>,
    /// Seconds between two tries.
    pub pause: u32,
}

impl Window {
    /// The windows of a request that has come now.
    ///
    /// # Errors
    /// 9003 unless there are one or two, in order, each with its end after its start, and in a mode that the router knows: it has nobody to ask
    /// for a confirmation.
    pub fn list(windows: &[TimeWindow], now: Now) -> Result<Vec<Self>, Fault> {
        if windows.is_empty() || windows.len() > MOST {
            return Err(Fault::arguments(format!("TimeWindowList must have 1 or {MOST} entries")));
        }
        let mut list: Vec<Self> = Vec::new();
        let mut free_from = 0;
        for window in windows {
            if window.start >= window.end {
                return Err(Fault::arguments("WindowEnd must be greater than WindowStart"));
            }
            if window.start < free_from {
                return Err(Fault::arguments("the second time window must not begin before the first has ended"));
            }
            free_from = window.end;
            list.push(Self {
                start: Deadline::after(window.start, now),
                end: Deadline::after(window.end, now),
                mode: mode(&window.mode)?,
                retries: u32::try_from(window.max_retries).ok(),
                pause: ((window.end - window.start) / PAUSES).clamp(1, LONGEST_PAUSE),
            });
        }
        Ok(list)
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self, now: Now) -> bool {
        self.start.is_over(now) && !self.end.is_over(now)
    }

    /// When the next try is due after one that failed now.
    #[must_use]
    pub fn next_try(&self, now: Now) -> Duration {
        now.monotonic.saturating_add(Duration::from_secs(self.pause.into()))
    }
}

fn mode(text: &str) -> Result<Mode, Fault> {
    match text {
        "1 At Any Time" | "2 Immediately" => Ok(Mode::AtOnce),
        "3 When Idle" => Ok(Mode::WhenIdle),
        "4 Confirmation Needed" => Err(Fault::arguments("this router has nobody who could confirm a download")),
        _ => Err(Fault::arguments("WindowMode is not one of the standard")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { monotonic: Duration::from_secs(100), utc: None };

    fn window(start: u32, end: u32, mode: &str) -> TimeWindow {
        TimeWindow { start, end, mode: mode.into(), user_message: String::new(), max_retries: 2 }
    }

    fn list(windows: &[TimeWindow]) -> Result<Vec<Window>, u16> {
        Window::list(windows, NOW).map_err(|fault| fault.code.0)
    }

    #[test]
    fn f21_only_windows_in_order_and_in_a_mode_that_works_are_taken() {
        let good = || window(10, 20, "1 At Any Time");
        assert_eq!(list(&[good()]).unwrap().len(), 1);
        assert_eq!(list(&[good(), window(20, 21, "2 Immediately")]).unwrap().len(), 2);
        assert_eq!(list(&[window(0, u32::MAX, "3 When Idle")]).unwrap().len(), 1);
        let bad: &[&[TimeWindow]] = &[
            &[],
            &[good(), window(20, 30, "1 At Any Time"), window(30, 40, "1 At Any Time")],
            &[window(10, 10, "1 At Any Time")],
            &[window(11, 10, "1 At Any Time")],
            &[good(), window(19, 30, "1 At Any Time")],
            &[window(20, 30, "1 At Any Time"), good()],
            &[window(10, 20, "4 Confirmation Needed")],
            &[window(10, 20, "5 Whenever")],
            &[window(10, 20, "1")],
        ];
        for windows in bad {
            assert_eq!(list(windows), Err(9003), "{windows:?}");
        }
    }

    #[test]
    fn f21_a_window_is_open_from_its_start_to_its_end() {
        let it = list(&[window(10, 20, "2 Immediately")]).unwrap()[0];
        let open = |seconds| it.is_open(Now { monotonic: Duration::from_secs(seconds), utc: None });
        assert_eq!([109, 110, 119, 120].map(open), [false, true, true, false]);
        assert_eq!(it.retries, Some(2));
        let free = TimeWindow { max_retries: -1, ..window(0, 60, "1 At Any Time") };
        assert_eq!(list(&[free]).unwrap()[0].retries, None);
    }
}
