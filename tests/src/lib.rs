//! Tests across crates; nothing here is shipped.
