//! The poll loop that owns everything which lives as long as the process.
