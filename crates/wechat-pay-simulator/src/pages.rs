//! Pages for people: the phone that scans codes, and the H5 page with its cashier.
//!
//! Plain HTML from the server, Chinese first and English beside it, each with a notice that this is a
//! simulator. They work without JavaScript; the only script refreshes the list of codes.

mod cashier;
mod control;
mod faults;
mod form;
mod guide;
mod h5;
mod layout;
mod ledger;
pub(crate) mod payer;
mod phone;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header;
pub(crate) use layout::{layout, with_page_headers};

use crate::simulator::Simulator;

pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/assets/simulator.css", get(style))
        .route("/assets/phone.js", get(script))
        .merge(control::routes())
        .merge(guide::routes())
        .merge(ledger::routes())
        .merge(payer::routes())
        .merge(phone::routes())
        .merge(h5::routes())
}

async fn style() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("pages/simulator.css"),
    )
}

async fn script() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
        include_str!("pages/phone.js"),
    )
}
