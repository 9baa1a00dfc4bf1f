//! What tabs with the same order send to each other. How it travels is decided by the shell.

/// The messages between tabs with the same order, so that one of them polls for all. A message is
/// only a hint: each tab learns the order's state from the backend itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerMessage {
    /// The tab polls the backend; the backend may hold that poll for this many milliseconds.
    Polling(u64),
    /// The tab stopped polling.
    Stopped,
    /// The backend gave the tab a new version of the order.
    Changed,
}
