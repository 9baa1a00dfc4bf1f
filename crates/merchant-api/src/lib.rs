//! The contract between the element and any merchant backend.
