//! The buyer who holds the phone, in a cookie. The phone page sets it; the WeChat browser on another
//! port gets it too, because cookies belong to a host and not to a port.

use axum::Router;
use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use http::{HeaderMap, header};
use maud::{Markup, html};

use super::form::value_of;
use crate::simulator::{Buyer, Simulator};

const COOKIE: &str = "simulator_payer";

pub(super) fn routes() -> Router<Simulator> {
    Router::new().route("/phone/payer", post(choose))
}

/// The chosen buyer, if any.
pub(crate) fn chosen(simulator: &Simulator, headers: &HeaderMap) -> Option<u8> {
    let cookies = headers.get_all(header::COOKIE).iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .and_then(|(_, value)| value.parse().ok())
        .filter(|payer| (1..=simulator.settings().payers).contains(payer))
}

/// The chosen buyer for the cashier.
pub(crate) fn buyer(simulator: &Simulator, headers: &HeaderMap) -> Buyer {
    chosen(simulator, headers).map_or(Buyer::Anybody, Buyer::Payer)
}

/// The form that chooses the buyer.
pub(super) fn choice(simulator: &Simulator, held_by: u8) -> Markup {
    html! {
        form.card method="post" action="/phone/payer" {
            label for="payer" { "付款人 · " span lang="en" { "Who holds the phone" } }
            select #payer name="payer" {
                @for payer in 1..=simulator.settings().payers {
                    option value=(payer) selected[payer == held_by] { "用户 " (payer) " · Buyer " (payer) }
                }
            }
            button { "切换 · " span lang="en" { "Switch" } }
        }
    }
}

async fn choose(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let payer = value_of(&form, "payer")
        .and_then(|text| text.parse::<u8>().ok())
        .filter(|payer| (1..=simulator.settings().payers).contains(payer))
        .unwrap_or(1);
    let cookie = format!("{COOKIE}={payer}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/phone")).into_response()
}
