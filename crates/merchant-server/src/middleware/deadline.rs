//! The deadline of a request. Each wait below has a bound of its own (a place in the ledger, a lock, a
//! call to WeChat), but a slow database can make their sum longer than anybody waits for an answer.
//! Then the caller gets an answer that it can repeat the call after. This module ends nothing else: what
//! a call has recorded stays recorded, and due work finishes it, as after a page that was closed.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use merchant_api::{ApiError, ErrorCode};
use merchant_core::Refusal;
use tokio::time::timeout;

use crate::error::Failure;

/// When a request is answered at the latest: longer than the longest poll (25 s), and shorter than a
/// reverse proxy waits (nginx: 60 s).
const DEADLINE: Duration = Duration::from_secs(30);
/// When the caller may try again, in milliseconds.
const RETRY_MS: u64 = 1_000;

/// Answers 503 if the handler takes longer than the deadline.
pub(crate) async fn in_time(request: Request, next: Next) -> Response {
    within(DEADLINE, next.run(request)).await
}

async fn within(deadline: Duration, answer: impl Future<Output = Response>) -> Response {
    match timeout(deadline, answer).await {
        Ok(response) => response,
        Err(_) => too_late().into_response(),
    }
}

fn too_late() -> Failure {
    let message = "the server did not answer in time; what the call has begun goes on: repeat it";
    let mut error = ApiError::new(ErrorCode::DatabaseUnavailable, message);
    error.retry_after_ms = Some(RETRY_MS);
    Failure(Refusal::from(error))
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn a_call_that_takes_too_long_is_answered_with_the_time_of_the_next_try() {
        let answered = within(Duration::ZERO, ready("ready".into_response())).await;
        assert_eq!(answered.status(), StatusCode::OK);
        let refused = within(Duration::ZERO, pending()).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "1");
    }
}
