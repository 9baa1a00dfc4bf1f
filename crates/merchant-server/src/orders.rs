//! Orders: made and closed by the merchant's own backend, and shown to it.

mod creation;
mod details;

pub(crate) use creation::{close_order, create_order, find};
pub(crate) use details::{attempt_details, details};
