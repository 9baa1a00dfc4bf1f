//! Signals of the operating system: reload the configuration, and end.

/// SIGHUP: a running server reads its configuration again.
pub(crate) struct Hangups(Option<tokio::signal::unix::Signal>);

impl Hangups {
    /// From this call on, the signal does not end the process.
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::hangup()) {
            Ok(hangups) => Self(Some(hangups)),
            Err(error) => {
                tracing::warn!(%error, "SIGHUP cannot be listened for; a new configuration needs a restart");
                Self(None)
            }
        }
    }

    pub(crate) async fn next(&mut self) {
        if let Some(hangups) = &mut self.0
            && hangups.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

/// SIGINT or SIGTERM.
pub(crate) async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be listened for; SIGINT ends the server");
            let _ = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
