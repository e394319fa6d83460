//! TR-181 itself: one table an object.
