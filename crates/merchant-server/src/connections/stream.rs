//! A connection's socket. If a client does not read its answer for too long, the server closes the
//! connection. The bytes pass unchanged; those of a parked request pass again (`parking.rs`).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use merchant_core::surroundings::{Clock, Sleep};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::progress::Progress;

/// How long a client may leave its answer unread, in milliseconds.
const STALLED_MS: i64 = 30_000;

pub(super) struct Stream {
    tcp: TcpStream,
    /// Bytes that are read before those of the socket.
    first: io::Cursor<Box<[u8]>>,
    progress: Arc<Progress>,
    clock: Arc<dyn Clock>,
    /// The time by which the client must accept more bytes; set while it accepts none.
    stalled: Option<Sleep>,
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, progress: Arc<Progress>, clock: Arc<dyn Clock>) -> Self {
        Self {
            tcp,
            first: io::Cursor::default(),
            progress,
            clock,
            stalled: None,
        }
    }

    /// The next reads give these bytes, then those of the socket.
    pub(super) fn read_first(&mut self, bytes: Box<[u8]>) {
        self.first = io::Cursor::new(bytes);
    }

    /// Returns when the client has closed the connection. If the client has sent more, that is not
    /// known before those bytes are read, and this never returns.
    pub(super) async fn closed(&mut self) {
        match self.tcp.peek(&mut [0]).await {
            Ok(0) | Err(_) => {}
            Ok(_) => std::future::pending().await,
        }
    }

    /// The result of a write, or an error after a write was blocked for too long.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.progress.set_writing(true);
        self.progress.set_stalled(outcome.is_pending());
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let clock = &self.clock;
        let stalled = self
            .stalled
            .get_or_insert_with(|| clock.sleep_ms(STALLED_MS));
        stalled
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let first = Pin::new(&mut self.first).poll_read(cx, buffer);
        if !buffer.filled().is_empty() {
            return first;
        }
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.tcp).poll_write_vectored(cx, slices);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    /// hyper flushes when it has handed over all its bytes.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.tcp).poll_flush(cx);
        if flushed.is_ready() {
            self.progress.set_writing(false);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
