//! The progress of a connection: whether it waits for its client or is being answered. This module
//! decides nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

/// No request, or a half-sent head.
const WAITING: u8 = 0;
/// A head, and an incomplete body.
const BODY: u8 = 1;
/// A whole request.
const ANSWERING: u8 = 2;

/// The progress of one connection.
#[derive(Debug)]
pub(super) struct Progress {
    step: AtomicU8,
    /// Bytes of an answer are being sent to the client.
    is_writing: AtomicBool,
    /// The client does not read them at the moment.
    is_stalled: AtomicBool,
    /// How many connections of the server have a whole request that is not answered yet.
    answering: Arc<AtomicUsize>,
}

impl Progress {
    pub(super) fn new(answering: Arc<AtomicUsize>) -> Self {
        Self {
            step: AtomicU8::new(WAITING),
            is_writing: AtomicBool::new(false),
            is_stalled: AtomicBool::new(false),
            answering,
        }
    }

    /// Records the start of a request. The connection is being answered until the result is
    /// dropped.
    pub(super) fn begin(self: &Arc<Self>, is_whole: bool) -> Answering {
        self.set(if is_whole { ANSWERING } else { BODY });
        Answering(Arc::clone(self))
    }

    /// Records that the request's body is complete.
    pub(super) fn is_whole(&self) {
        let was_body =
            self.step
                .compare_exchange(BODY, ANSWERING, Ordering::Relaxed, Ordering::Relaxed);
        if was_body.is_ok() {
            self.answering.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn set_writing(&self, is_writing: bool) {
        self.is_writing.store(is_writing, Ordering::Relaxed);
    }

    /// Whether bytes of an answer are still to be sent.
    pub(super) fn is_writing(&self) -> bool {
        self.is_writing.load(Ordering::Relaxed)
    }

    pub(super) fn set_stalled(&self, is_stalled: bool) {
        self.is_stalled.store(is_stalled, Ordering::Relaxed);
    }

    /// Whether closing the connection now would lose an answer.
    pub(super) fn is_being_answered(&self) -> bool {
        self.step.load(Ordering::Relaxed) == ANSWERING || self.is_writing()
    }

    /// Whether the client does not read its answer.
    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Relaxed)
    }

    fn set(&self, step: u8) {
        let before = self.step.swap(step, Ordering::Relaxed);
        match (before == ANSWERING, step == ANSWERING) {
            (false, true) => self.answering.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.answering.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Answering(Arc<Progress>);

impl Answering {
    /// Records that the answer exists, so that the rest of the request is not needed any more.
    pub(super) fn has_answer(&self) {
        self.0.set(ANSWERING);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.set(WAITING);
    }
}
