//! A merchant's calls about refunds in one second, for WeChat's rate limits.

/// The calls of a merchant in one second.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) second: i64,
    pub(super) all: u32,
    pub(super) refused: u32,
    pub(super) queries: u32,
}
