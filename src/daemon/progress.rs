//! How far a file is, told now and then.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How often progress is noted for `cwmpd status`, and how often it is logged.
const NOTE: Duration = Duration::from_millis(250);
const LOG: Duration = Duration::from_secs(10);

/// Hears of every piece, and passes on what is worth it: to `note`, and to the log under this name.
pub(super) fn now_and_then(name: String, note: impl Fn(u64, Option<u64>)) -> impl Fn(u64, Option<u64>) {
    let noted = Cell::new(Instant::now());
    let logged = Cell::new(Instant::now());
    move |done, total| {
        if noted.get().elapsed() < NOTE {
            return;
        }
        noted.set(Instant::now());
        note(done, total);
        if logged.get().elapsed() >= LOG {
            logged.set(Instant::now());
            match total {
                Some(total) => log::info!("{name}: {done} of {total} bytes"),
                None => log::info!("{name}: {done} bytes"),
            }
        }
    }
}
