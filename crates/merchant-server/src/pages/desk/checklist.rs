//! `/desk/checklist`: what has to be right before real money moves, each point green or red. What this
//! server knows by itself is there at once. What only WeChat can say (`check-config --live`) is asked by a
//! button, and a check that is slow or fails is a point of its own: the page does not wait for it longer
//! than a while.

use axum::response::{IntoResponse as _, Response};
use buyer_words::Words;
use maud::{Markup, html};
use merchant_core::live_check::{Verdict, check_running};
use merchant_core::orders::desk::{KeyInUse, keys_in_use};

use super::address::CHECKLIST as PATH;
use super::form::Posted;
use super::frame::{Frame, page as framed, token};
use super::patience::within;
use super::session::Desk;
use super::words;

/// How long the page waits for all checks together, in milliseconds.
const PATIENCE_MS: i64 = 20_000;

/// A point of the list.
struct Point {
    subject: String,
    colour: Colour,
    explanation: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Green,
    Yellow,
    Red,
}

/// `GET /desk/checklist`
pub(super) async fn page(desk: Desk) -> Response {
    let own = own_points(&desk).await;
    shown(&desk, &own, None)
}

/// `POST /desk/checklist`: asks WeChat too. No order is made, and nothing changes.
pub(super) async fn run(Posted { desk, .. }: Posted) -> Response {
    let own = own_points(&desk).await;
    let asked = asked_points(&desk).await;
    shown(&desk, &own, Some(&asked))
}

/// What this server knows by itself.
async fn own_points(desk: &Desk) -> Vec<Point> {
    let payments = desk.payments();
    let config = payments.config();
    let now_s = payments.clock().now_ms().div_euclid(1000);
    let point = |subject: Words, is_good: bool, otherwise: Colour, explanation: Words| Point {
        subject: desk.view.language.say(subject).to_owned(),
        colour: if is_good { Colour::Green } else { otherwise },
        explanation: if is_good {
            String::new()
        } else {
            desk.view.language.say(explanation).to_owned()
        },
    };
    let ends = |key: &KeyInUse| key.ends_ms.is_none_or(|ends_ms| ends_ms > now_s * 1000);
    let mut points = vec![
        point(
            words::CHECK_LIVE,
            config.gateway.is_live(),
            Colour::Red,
            words::CHECK_LIVE_NOT,
        ),
        point(
            words::CHECK_HTTPS,
            config.public_base_url.scheme() == "https",
            Colour::Red,
            words::CHECK_HTTPS_NOT,
        ),
        point(
            words::CHECK_DATABASE,
            payments.can_write().await,
            Colour::Red,
            words::CHECK_DATABASE_NOT,
        ),
        point(
            words::CHECK_TRUST,
            payments.can_verify(),
            Colour::Red,
            words::CHECK_TRUST_NOT,
        ),
        point(
            words::CHECK_KEYS,
            keys_in_use(payments).iter().all(ends),
            Colour::Red,
            words::CHECK_KEYS_NOT,
        ),
        point(
            words::CHECK_WEBHOOKS,
            !config.webhooks.is_empty(),
            Colour::Yellow,
            words::NO_TARGET,
        ),
        point(
            words::CHECK_CONTACT,
            config.service_contact.is_some(),
            Colour::Yellow,
            words::CHECK_CONTACT_NOT,
        ),
    ];
    points.extend(config.warnings(now_s).into_iter().map(|warning| Point {
        subject: desk.view.language.say(words::CHECK_WARNING).to_owned(),
        colour: Colour::Yellow,
        explanation: warning,
    }));
    points
}

/// What WeChat says. A failure is a point too.
async fn asked_points(desk: &Desk) -> Vec<Point> {
    let failed = |explanation: String| {
        vec![Point {
            subject: desk.view.language.say(words::CHECK_WECHAT).to_owned(),
            colour: Colour::Red,
            explanation,
        }]
    };
    match within(desk, PATIENCE_MS, Box::pin(check_running(desk.payments()))).await {
        None => failed(desk.view.language.say(words::CHECK_SLOW).to_owned()),
        Some(Err(error)) => failed(error.to_string()),
        Some(Ok(report)) => {
            let points = report.proofs.into_iter().map(|proof| Point {
                subject: proof.subject,
                colour: match proof.verdict {
                    Verdict::Proved => Colour::Green,
                    Verdict::NotProved => Colour::Yellow,
                    Verdict::Wrong => Colour::Red,
                },
                explanation: proof.explanation,
            });
            points.collect()
        }
    }
}

fn shown(desk: &Desk, own: &[Point], asked: Option<&[Point]>) -> Response {
    let say = |sentence| desk.view.language.say(sentence);
    let content = html! {
        h1 { (say(words::CHECKLIST)) }
        section .card { h2 { (say(words::CHECK_HERE)) } (list(desk, own)) }
        section .card {
            h2 { (say(words::CHECK_WECHAT)) }
            @match asked {
                Some(points) => (list(desk, points)),
                None => p .quiet { (say(words::CHECK_HELP)) },
            }
            form method="post" action=(PATH) {
                (token(desk))
                button type="submit" { (say(words::CHECK_RUN)) }
            }
        }
    };
    framed(desk, &Frame::new(say(words::CHECKLIST), PATH), &content).into_response()
}

fn list(desk: &Desk, points: &[Point]) -> Markup {
    let say = |sentence| desk.view.language.say(sentence);
    html! {
        ul .checks { @for point in points {
            li {
                @match point.colour {
                    Colour::Green => span .state.good { "✓ " (say(words::GREEN)) },
                    Colour::Yellow => span .state.due { "? " (say(words::YELLOW)) },
                    Colour::Red => span .state.bad { "✕ " (say(words::RED)) },
                }
                div { strong { (point.subject) } @if !point.explanation.is_empty() { p .quiet { (point.explanation) } } }
            }
        } }
    }
}
