//! The data model engine: names, types, tables, instances, transactions and attributes; free of IO.

pub mod value;
