//! The note of what a person has just done, on the page to which that leads.

use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::session::Desk;
use super::words;

/// What a person has just done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    pub(super) said: String,
}

/// Leads to a page that says what was done, or that it had been done before.
pub(super) fn lead_to(path: &str, done: &str, is_new: bool) -> Response {
    let said = if is_new { done } else { "repeated" };
    Redirect::to(&format!("{path}?said={said}")).into_response()
}

impl Said {
    /// The note of what was done.
    pub(super) fn notice(&self, desk: &Desk) -> Markup {
        let sentence = match self.said.as_str() {
            "refunded" => words::SAID_REFUNDED,
            "settled" => words::SAID_SETTLED,
            "resent" => words::SAID_RESENT,
            "done" => words::SAID_DONE,
            "disabled" => words::SAID_DISABLED,
            "repeated" => words::SAID_REPEATED,
            _ => return html! {},
        };
        html! { p .notice .good role="status" { (desk.view.language.say(sentence)) } }
    }
}
