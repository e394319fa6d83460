//! The hardened XML reader and the writer.
