//! Bodies that record their connection's progress: a request's body must arrive in time, and the
//! end of a response's body ends the answer. They change no byte.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use merchant_core::surroundings::Sleep;

use super::progress::{Answering, Progress};

/// Why a request's body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// The client sends the body too slowly, or has stopped.
    #[error("the request body did not arrive in time")]
    Late,
    /// The connection broke, or the client sent something that is not HTTP.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

/// The body of a request.
pub(super) struct RequestBody {
    body: Incoming,
    progress: Arc<Progress>,
    deadline: Sleep,
}

impl RequestBody {
    /// The whole body must have arrived when `deadline` ends.
    pub(super) fn new(body: Incoming, progress: Arc<Progress>, deadline: Sleep) -> Self {
        Self {
            body,
            progress,
            deadline,
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                if frame.is_none() || this.body.is_end_stream() {
                    this.progress.is_whole();
                }
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)))
            }
            Poll::Pending => {
                let is_late = this.deadline.as_mut().poll(cx).is_ready();
                if is_late {
                    Poll::Ready(Some(Err(BodyError::Late)))
                } else {
                    Poll::Pending
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response.
pub(super) struct ResponseBody {
    body: Body,
    _answering: Arc<Answering>,
}

impl ResponseBody {
    pub(super) fn around(response: Response, answering: Arc<Answering>) -> http::Response<Self> {
        answering.has_answer();
        response.map(|body| Self {
            body,
            _answering: answering,
        })
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
