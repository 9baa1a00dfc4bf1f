//! The whole server as one router: the gateway, OAuth, the pages and the control interface.
//!
//! No route is described here; each is beside its handler.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::StatusCode;

use crate::simulator::Simulator;
use crate::{control, gateway, mini_program, oauth, pages};

/// The most bytes of a body, except for the gateway, which has its own limit.
const BODY_LIMIT_BYTES: usize = 256 * 1024;

impl Simulator {
    /// All routes: WeChat's, the phone's, and the control interface.
    pub fn app(&self) -> Router {
        Router::new()
            .merge(gateway::routes())
            .merge(oauth::routes())
            .merge(mini_program::routes())
            .merge(pages::routes())
            .merge(control::routes())
            .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
            .layer(middleware::from_fn_with_state(self.clone(), keep))
            .with_state(self.clone())
    }
}

/// Saves changes before an answer: a merchant must not rely on state that a restart would lose.
pub(crate) async fn keep(
    State(simulator): State<Simulator>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    match simulator.persist().await {
        Ok(()) => response,
        Err(error) => {
            tracing::error!(%error, "the state could not be saved");
            gateway::empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}
