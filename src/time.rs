//! Dates, time zones and clocks.
