//! How far a connection is: whether it waits for its client, or is being answered. It decides
//! nothing by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// No request, or a half-sent head.
const WAITING: u8 = 0;
/// A head, and a body that is not there whole.
const BODY: u8 = 1;
/// A whole request.
const ANSWERING: u8 = 2;

/// Of one connection.
#[derive(Debug, Default)]
pub(super) struct Progress {
    step: AtomicU8,
    /// Bytes of an answer are on their way to the client.
    is_writing: AtomicBool,
}

impl Progress {
    /// A request has begun; the connection is being answered until the result is dropped.
    pub(super) fn begin(self: &Arc<Self>, is_whole: bool) -> Answering {
        self.set(if is_whole { ANSWERING } else { BODY });
        Answering(Arc::clone(self))
    }

    /// The request is there whole.
    pub(super) fn is_whole(&self) {
        self.set(ANSWERING);
    }

    pub(super) fn set_writing(&self, is_writing: bool) {
        self.is_writing.store(is_writing, Ordering::Relaxed);
    }

    /// Whether ending the connection now would cost somebody an answer.
    pub(super) fn is_being_answered(&self) -> bool {
        self.step.load(Ordering::Relaxed) == ANSWERING || self.is_writing.load(Ordering::Relaxed)
    }

    fn set(&self, step: u8) {
        self.step.store(step, Ordering::Relaxed);
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Answering(Arc<Progress>);

impl Answering {
    /// There is an answer: what is missing of the request does not matter any more.
    pub(super) fn has_answer(&self) {
        self.0.set(ANSWERING);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.set(WAITING);
    }
}
