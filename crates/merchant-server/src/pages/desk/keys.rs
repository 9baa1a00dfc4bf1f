//! `/desk/keys`: the certificates and keys in use, and when each ends.

use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use merchant_core::orders::desk::{KeyInUse, keys_in_use};

use super::address::KEYS as PATH;
use super::figure::time;
use super::frame::{Frame, page as framed, table};
use super::session::Desk;
use super::words;
use crate::extract::Language;

const DAY_MS: i64 = 24 * 3_600_000;
/// The server warns from here on, too.
const SOON_DAYS: i64 = 30;

/// `GET /desk/keys`
pub(super) async fn page(desk: Desk) -> Response {
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let now_ms = desk.payments().clock().now_ms();
    let headings = [
        say(words::KEY_OF),
        say(words::SERIAL),
        say(words::ENDS),
        say(words::LEFT),
    ];
    let row = |key: &KeyInUse| {
        let owner = match (key.is_ours, key.ends_ms) {
            (true, _) => words::KEY_OURS,
            (false, Some(_)) => words::KEY_WECHATS_CERTIFICATE,
            (false, None) => words::KEY_WECHATS_PUBLIC,
        };
        vec![
            html! { (say(owner)) },
            html! { code { (key.serial) } },
            key.ends_ms.map_or_else(|| html! { "—" }, time),
            left(key.ends_ms, now_ms, language),
        ]
    };
    let rows: Vec<_> = keys_in_use(desk.payments()).iter().map(row).collect();
    let content = html! {
        h1 { (say(words::KEYS)) }
        div .card { (table(say(words::KEYS), &headings, &rows)) }
        p .quiet { (say(words::KEYS_HELP)) }
    };
    framed(&desk, &Frame::new(say(words::KEYS), PATH), &content).into_response()
}

fn left(ends_ms: Option<i64>, now_ms: i64, language: Language) -> Markup {
    let Some(ends_ms) = ends_ms else {
        return html! { span .state { (language.say(words::NO_END)) } };
    };
    let days = (ends_ms - now_ms).div_euclid(DAY_MS);
    let kind = match days {
        ..0 => "state bad",
        0..SOON_DAYS => "state due",
        _ => "state good",
    };
    html! { span class=(kind) { (days) " " (language.say(words::DAYS)) } }
}
