//! Parked requests: a poll that waits takes its request out of hyper. hyper's connection, its buffers
//! and the handler's future are freed; the socket, the request's head and the poll are left, some
//! 3 KB in place of 23. When the poll ends, a new hyper connection reads the same head again, and the
//! handler, which finds [`Resumed`], answers at once.
//!
//! Nothing here reads the content of a request. Only a request without a body is parked, and never
//! while bytes of an earlier answer are unsent.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri, Version, header};
use hyper::body::{Body as _, Incoming};
use merchant_core::checkouts::HeldPoll;

use super::progress::Answering;
use super::stream::Stream;

/// A connection's place for one parked request.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot(Arc<Mutex<Option<ParkedPoll>>>);

#[derive(Debug)]
struct ParkedPoll {
    poll: HeldPoll,
    head: Box<[u8]>,
    answering: Arc<Answering>,
}

/// In a request's extensions: this request can be parked.
#[derive(Clone)]
pub(crate) struct Parking {
    slot: Slot,
    head: Arc<Head>,
    answering: Arc<Answering>,
}

/// In a request's extensions: this request was parked, and its poll has ended. It was counted and
/// checked before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resumed;

impl Parking {
    /// Parks the request. Never returns: the connection drops the caller, and the request comes again
    /// when the poll has ended.
    pub(crate) async fn park(self, poll: HeldPoll) {
        let parked = ParkedPoll {
            poll,
            head: self.head.bytes().into(),
            answering: Arc::clone(&self.answering),
        };
        *self.slot.lock() = Some(parked);
        std::future::pending::<()>().await;
    }
}

impl fmt::Debug for Parking {
    /// Without the head: the token is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parking").finish_non_exhaustive()
    }
}

impl Slot {
    /// A request's permission to be parked, if it can be. `answering` is the request's own.
    pub(super) fn parking(
        &self,
        request: &Request<Incoming>,
        answering: &Arc<Answering>,
    ) -> Option<Parking> {
        // A request that is read again must be the same request for hyper.
        let can_come_again = request.method() == Method::GET
            && request.version() == Version::HTTP_11
            && request.body().is_end_stream()
            && !request.headers().contains_key(header::UPGRADE)
            && !request.headers().contains_key(header::EXPECT);
        // No request without a query asks to wait.
        (can_come_again && request.uri().query().is_some()).then(|| Parking {
            slot: self.clone(),
            head: Arc::new(Head {
                uri: request.uri().clone(),
                headers: request.headers().clone(),
            }),
            answering: Arc::clone(answering),
        })
    }

    pub(super) fn is_taken(&self) -> bool {
        self.lock().is_some()
    }

    /// The parked request with its connection's socket; `unread` are the bytes after the request.
    pub(super) fn leave(&self, stream: Stream, unread: &Bytes) -> Option<ParkedRequest> {
        let ParkedPoll {
            poll,
            head,
            answering,
        } = self.lock().take()?;
        let bytes = if unread.is_empty() {
            head
        } else {
            [&head, &unread[..]].concat().into()
        };
        Some(ParkedRequest {
            poll,
            stream,
            bytes,
            answering,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<ParkedPoll>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits without hyper.
pub(super) struct ParkedRequest {
    poll: HeldPoll,
    stream: Stream,
    /// The request's head, and what the client has sent after it.
    bytes: Box<[u8]>,
    answering: Arc<Answering>,
}

impl ParkedRequest {
    /// Waits until the poll ends, and returns the connection: its first bytes are the request's
    /// again. `None`: the client has gone.
    pub(super) async fn resumed(self) -> Option<(Stream, Arc<Answering>)> {
        let Self {
            poll,
            mut stream,
            bytes,
            answering,
        } = self;
        tokio::select! {
            () = poll.end() => {}
            () = stream.closed() => return None,
        }
        stream.read_first(bytes);
        Some((stream, answering))
    }
}

/// The head of a request, in the parts that hyper has read.
struct Head {
    uri: Uri,
    headers: HeaderMap,
}

impl Head {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("GET {} HTTP/1.1\r\n", self.uri).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_head_keeps_every_header_and_every_byte_of_its_values() {
        let mut headers = HeaderMap::new();
        headers.append("accept", HeaderValue::from_static("*/*"));
        headers.append("accept", HeaderValue::from_static("text/html"));
        headers.append(
            "x-shop",
            HeaderValue::from_bytes(b"caf\xc3\xa9 \xff").unwrap(),
        );
        let head = Head {
            uri: Uri::from_static("/v1/checkouts/a%2Fb?wait=25&seen=1"),
            headers,
        };
        let expected: &[u8] = b"GET /v1/checkouts/a%2Fb?wait=25&seen=1 HTTP/1.1\r\n\
            accept: */*\r\naccept: text/html\r\nx-shop: caf\xc3\xa9 \xff\r\n\r\n";
        assert_eq!(head.bytes(), expected);
    }
}
