//! The hardened XML reader and the writer: the only modules that know how XML is spelled; free of IO.

pub mod reader;
pub mod writer;
