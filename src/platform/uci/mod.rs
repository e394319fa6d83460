//! UCI: reader and writer of the configuration files of OpenWrt.
//!
//! [`Package`] is a file in memory: every value, and every byte between them, so that an edit leaves alone what it does not touch.
//! [`load`] and [`commit()`] are its way from and to the disk, beside other programs that use libuci.

mod commit;
mod exercise;
mod export;
mod package;
mod parse;
mod write;

pub use commit::{CommitError, MAX_LEN, commit, load, load_file, release_replaced};
pub use exercise::exercise;
pub use export::{export, replacing, split_export};
pub use package::{EditError, OptionValue, Package, Problem, Section, SectionId};
