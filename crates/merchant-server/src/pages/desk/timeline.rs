//! The story of an order as a list, oldest first.

use buyer_words::Words;
use maud::{Markup, html};
use merchant_api::{ShareKind, ShareState};
use merchant_core::config::Scope;
use merchant_core::orders::desk::{Event, Story, What};
use payment_values::Fen;

use super::figure::{money, scene, state, time};
use super::session::Desk;
use super::{journal, refund, webhooks, words};
use crate::extract::Language;

/// All events.
pub(super) fn timeline(desk: &Desk, story: &Story) -> Markup {
    html! {
        ol .timeline {
            @for event in &story.events {
                li { (time(event.at_ms)) div { (told(desk, event)) } }
            }
        }
    }
}

fn told(desk: &Desk, event: &Event) -> Markup {
    let language = desk.view.language;
    let say = |sentence: Words| language.say(sentence);
    match &event.what {
        What::Created => html! { strong { (say(words::EVENT_CREATED)) } },
        What::Shown => html! { strong { (say(words::EVENT_SHOWN)) } },
        What::Expired => html! { strong { (say(words::EVENT_EXPIRED)) } },
        What::Attempt {
            number,
            product,
            out_trade_no,
            state: word,
        } => html! {
            strong { (say(words::EVENT_ATTEMPT)) " " (number) } " · " (say(scene(*product)))
            " " (state(word, language))
            p .quiet { code { (out_trade_no) } }
        },
        What::Accepted { number } => html! { (say(words::EVENT_ACCEPTED)) " (" (number) ")" },
        What::Notification {
            event_type,
            refund_no,
            outcome,
        } => html! {
            strong { (say(words::EVENT_NOTIFICATION)) } " " code { (event_type) }
            p .quiet { (say(words::OUTCOME)) ": " (outcome) @if let Some(no) = refund_no { " · " code { (no) } } }
        },
        What::Queried { is_answered } => html! {
            (say(words::EVENT_QUERIED)) " "
            span .quiet { (say(if *is_answered { words::ANSWERED } else { words::NOT_ANSWERED })) }
        },
        What::Paid {
            transaction_id,
            payer_total_fen,
            bank_type,
            is_surplus,
        } => html! {
            strong { (say(if *is_surplus { words::EVENT_SURPLUS } else { words::EVENT_PAID })) }
            @if let Some(fen) = payer_total_fen { " " (money(*fen, language)) }
            p .quiet { code { (transaction_id) } @if let Some(bank) = bank_type { " · " (bank) } }
        },
        What::RefundSeen => html! { strong { (say(words::EVENT_REFUND_SEEN)) } },
        What::RefundBegun {
            refund_no,
            amount_fen,
            origin,
            reason,
        } => html! {
            strong { (say(words::EVENT_REFUND)) } " " (money(*amount_fen, language))
            " · " (say(refund::origin(*origin)))
            p .quiet { code { (refund_no) } @if let Some(reason) = reason { " · " (reason) } }
        },
        What::RefundState {
            refund_no,
            state: refund_state,
            account,
            wechat_message,
        } => html! {
            (say(words::EVENT_REFUND_STATE)) " " (state(refund_state.as_str(), language))
            p .quiet {
                code { (refund_no) }
                @if let Some(account) = account { " · " (account) }
                @if let Some(message) = wechat_message { " · WeChat: " (message) }
            }
        },
        What::ShareBegun {
            number,
            kind,
            amount_fen,
        } => share_begun(language, number, *kind, *amount_fen),
        What::ShareState {
            number,
            state,
            succeeded_fen,
            wechat_message,
        } => html! {
            (share_state(language, *state))
            (share_result(language, number, *succeeded_fen, wechat_message.as_deref()))
        },
        What::Webhook {
            id,
            event_type,
            state: word,
            tries,
            last_outcome,
        } => html! {
            strong { (say(words::EVENT_WEBHOOK)) } " " code { (event_type) } " " (state(word, language))
            p .quiet {
                (say(words::TRIES)) ": " (tries)
                @if let Some(outcome) = last_outcome { " · " (outcome) }
            }
            @if desk.has(Scope::DeskSettle) {
                (webhooks::resend_form(desk, id, *tries, "order"))
            }
        },
        What::Desk(entry) => html! {
            strong { (entry.key_name) } " · " (say(journal::action(&entry.action)))
            " " (journal::outcome(entry, language))
            @if let Some(subject) = &entry.subject { p .quiet { code { (subject) } } }
        },
    }
}

fn share_begun(language: Language, number: &str, kind: ShareKind, amount_fen: Fen) -> Markup {
    let sentence = match kind {
        ShareKind::Share | ShareKind::ShareAndUnfreeze => words::EVENT_SHARE,
        ShareKind::Unfreeze => words::EVENT_UNFREEZE,
        ShareKind::Return => words::EVENT_SHARE_RETURN,
    };
    html! {
        strong { (language.say(sentence)) }
        @if amount_fen > Fen::ZERO { " " (money(amount_fen, language)) }
        p .quiet { code { (number) } }
    }
}

fn share_state(language: Language, share_state: ShareState) -> Markup {
    html! {
        (language.say(words::EVENT_SHARE_STATE)) " "
        @match share_state {
            ShareState::Processing => { (language.say(words::SHARE_PROCESSING)) }
            ShareState::Finished => { (language.say(words::SHARE_FINISHED)) }
            other => { (state(other.as_str(), language)) }
        }
    }
}

fn share_result(
    language: Language,
    number: &str,
    succeeded_fen: Fen,
    wechat_message: Option<&str>,
) -> Markup {
    html! {
        p .quiet {
            code { (number) }
            @if succeeded_fen > Fen::ZERO {
                " · " (language.say(words::SHARE_ARRIVED)) " " (money(succeeded_fen, language))
            }
            @if let Some(message) = wechat_message { " · WeChat: " (message) }
        }
    }
}
