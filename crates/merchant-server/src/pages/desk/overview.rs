//! `/desk`: what came in today, and how the last thirty days went.

use std::collections::BTreeMap;

use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use merchant_api::{AttemptProduct, ErrorCode};
use merchant_core::orders::desk::{Figures, ScenePart, figures, open_tasks};

use super::address::{DESK as PATH, TASKS};
use super::figure::{money, scene};
use super::frame::{Frame, facts, page as framed, table};
use super::session::Desk;
use super::{plot, words};
use crate::extract::Language;
use crate::pages::hosted_page::sentence;

/// `GET /desk`
pub(super) async fn page(desk: Desk) -> Result<Response, Response> {
    let read = async {
        let figures = figures(desk.payments()).await?;
        Ok((figures, open_tasks(desk.payments()).await?))
    };
    let (figures, open) = read.await.map_err(|refusal| desk.refused(refusal))?;
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let days: Vec<_> = figures
        .days
        .iter()
        .map(|(day, parts)| (day.strftime("%m-%d").to_string(), parts))
        .collect();
    let hours: Vec<_> = figures
        .hours
        .iter()
        .enumerate()
        .map(|(hour, parts)| (format!("{hour:02}"), parts))
        .collect();
    let content = html! {
        h1 { (say(words::OVERVIEW)) }
        @if open > 0 {
            p .notice { a href=(TASKS) { (say(words::TASKS_OPEN)) " " (open) } }
        }
        (today(&figures, language))
        (plotted(words::BY_DAY, words::DAY, &days, language))
        (plotted(words::BY_HOUR, words::HOUR, &hours, language))
        (conversion(&figures, language))
    };
    let frame = Frame::new(say(words::OVERVIEW), PATH);
    Ok(framed(&desk, &frame, &content).into_response())
}

fn today(figures: &Figures, language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    let all = plot::total(&figures.today);
    let refunded = figures.refunded_today;
    html! {
        section .card aria-labelledby="today" {
            h2 #today { (say(words::TODAY)) }
            p .large { (money(all.fen, language)) }
            (facts(&[
                (say(words::PAYMENTS), html! { (all.count) }),
                (say(words::REFUNDED), html! { (money(refunded.fen, language)) " · " (refunded.count) }),
            ]))
            @if !figures.today.is_empty() {
                (facts(&figures.today.iter().map(|(product, part)| (
                    say(scene(*product)),
                    html! { (money(part.fen, language)) " · " (part.count) },
                )).collect::<Vec<_>>()))
            }
        }
    }
}

type Column<'a> = (String, &'a BTreeMap<AttemptProduct, ScenePart>);

/// A plot, and the same as a table.
fn plotted(
    title: buyer_words::Words,
    heading: buyer_words::Words,
    columns: &[Column<'_>],
    language: Language,
) -> Markup {
    let say = |sentence| language.say(sentence);
    let products: Vec<_> = AttemptProduct::ALL
        .into_iter()
        .filter(|product| columns.iter().any(|(_, parts)| parts.contains_key(product)))
        .collect();
    let mut headings = vec![say(heading), say(words::TOTAL)];
    headings.extend(products.iter().map(|product| say(scene(*product))));
    let rows: Vec<Vec<Markup>> = columns
        .iter()
        .map(|(name, parts)| {
            let all = plot::total(parts);
            let each = products.iter().map(|product| {
                let part = parts.get(product).copied().unwrap_or_default();
                html! { (money(part.fen, language)) " · " (part.count) }
            });
            let first = [
                html! { (name) },
                html! { (money(all.fen, language)) " · " (all.count) },
            ];
            first.into_iter().chain(each).collect()
        })
        .collect();
    html! {
        section .card {
            h2 { (say(title)) }
            @if products.is_empty() {
                p .quiet { (say(words::NOTHING_YET)) }
            } @else {
                (plot::bars(say(title), columns, &products, language))
                details { summary { (say(words::AS_TABLE)) } (table(say(title), &headings, &rows)) }
            }
        }
    }
}

fn conversion(figures: &Figures, language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    let part = |count: u64| {
        let tenths = (count * 1000).checked_div(figures.created).unwrap_or(0);
        html! { (count) " " span .quiet { (tenths / 10) "." (tenths % 10) " %" } }
    };
    let lost = figures.lost;
    html! {
        section .card {
            h2 { (say(words::CONVERSION)) }
            (facts(&[
                (say(words::CREATED), html! { (figures.created) }),
                (say(words::SHOWN), part(figures.shown)),
                (say(words::STARTED), part(figures.started)),
                (say(words::PAID), part(figures.paid)),
            ]))
            h3 { (say(words::WHERE_LOST)) }
            (facts(&[
                (say(words::LOST_NOT_SHOWN), part(lost.not_shown)),
                (say(words::LOST_NOT_BEGUN), part(lost.not_begun)),
                (say(words::LOST_WAITING), part(lost.waiting)),
                (say(words::LOST_GIVEN_UP), part(lost.given_up)),
                (say(words::LOST_REFUSED), part(lost.refused)),
            ]))
            (problems(&figures.problems, language))
            p .quiet { (say(words::CONVERSION_LIMITS)) }
        }
    }
}

/// How often buyers' pages were refused something, with the sentence that the buyer read.
fn problems(problems: &[(String, u64)], language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    let headings = [words::BUYER_SENTENCE, words::PROBLEM_CODE, words::TIMES].map(say);
    let rows: Vec<_> = problems
        .iter()
        .map(|(code, count)| {
            let known = ErrorCode::from_word(code).unwrap_or(ErrorCode::Internal);
            vec![
                html! { (say(sentence(known))) },
                html! { code { (code) } },
                html! { (count) },
            ]
        })
        .collect();
    html! {
        h3 { (say(words::BUYER_PROBLEMS)) }
        @if rows.is_empty() {
            p .quiet { (say(words::NO_PROBLEM)) }
        } @else {
            (table(say(words::BUYER_PROBLEMS), &headings, &rows))
        }
    }
}
