//! How long a page waits for WeChat: a slow answer is a sentence in the page, not a page that does not
//! come.

use super::session::Desk;

/// What the work comes to; `None` if it takes longer than this. Work that is given up has no effect.
pub(super) async fn within<T>(
    desk: &Desk,
    wait_ms: i64,
    work: impl Future<Output = T>,
) -> Option<T> {
    let patience = desk.payments().clock().sleep_ms(wait_ms);
    tokio::select! {
        biased;
        done = work => Some(done),
        () = patience => None,
    }
}
