//! How often a merchant asks for refunds, for the limits that WeChat sets by the second.

/// How many calls a merchant made in one second.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) second: i64,
    pub(super) all: u32,
    pub(super) refused: u32,
    pub(super) queries: u32,
}
