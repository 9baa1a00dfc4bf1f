//! The whole server as one router: the gateway, OAuth, the pages and the control interface.
//!
//! No route is described here; each is beside its handler.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::StatusCode;

use crate::simulator::Simulator;
use crate::{control, gateway, oauth, pages};

/// No page, form or question to the control interface is longer. The gateway has its own limit.
const BODY_LIMIT_BYTES: usize = 256 * 1024;

impl Simulator {
    /// Every route of WeChat's, the phone, and the control interface.
    pub fn app(&self) -> Router {
        Router::new()
            .merge(gateway::routes())
            .merge(oauth::routes())
            .merge(pages::routes())
            .merge(control::routes())
            .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
            .layer(middleware::from_fn_with_state(self.clone(), keep))
            .with_state(self.clone())
    }
}

/// Nothing is answered before it is kept: a merchant must not believe what a restart forgets.
pub(crate) async fn keep(
    State(simulator): State<Simulator>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    match simulator.persist().await {
        Ok(()) => response,
        Err(error) => {
            tracing::error!(%error, "the state was not kept");
            gateway::empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}
