//! The buyer's side of a payment link: what its page shows, and the order that its button makes.
//!
//! The number of the order is a hash of the link, the page's form key and what the buyer entered. So the
//! same form, sent twice or by two servers at once, is one order, and what the buyer changes before the
//! form is sent again is another one.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use merchant_api::{CreateLink, CreateOrder, CreatedOrder, ErrorCode, OrderState};
use payment_values::Fen;
use wechat_pay::lower_hex;

use super::form::order_request;
use super::over::refusal;
use crate::input::plain_text;
use crate::ledger::{LinkOver, LinkUse, PaymentLink};
use crate::orders::creation;
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::surroundings::{is_unguessable, unguessable};

/// What the page of a link shows.
#[derive(Clone, Debug)]
pub struct LinkPage {
    /// Who is paid, if the configuration has a name.
    pub payee: Option<String>,
    /// Partner mode: the sub-merchant that is paid.
    pub sub_mchid: Option<String>,
    /// What is sold.
    pub description: String,
    /// What it costs.
    pub amount: LinkAmount,
    /// The longest note that the buyer may leave, in characters; `None`: no note.
    pub note_max_chars: Option<u64>,
    /// Why no order can be made now.
    pub over: Option<ErrorCode>,
    /// The shop's address, if the link names one.
    pub return_url: Option<String>,
    /// The token of this browser's last order of the link.
    pub last_order: Option<String>,
}

/// The amount of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkAmount {
    /// The merchant's price.
    Fixed(Fen),
    /// The buyer chooses it within these bounds.
    Open {
        /// The least amount.
        min: Fen,
        /// The greatest amount.
        max: Fen,
    },
}

/// What a buyer's form has.
#[derive(Clone, Copy, Debug)]
pub struct BuyerForm<'a> {
    /// The key that the form came with.
    pub key: &'a str,
    /// An open amount in yuan, as the buyer typed it. A fixed amount does not read it.
    pub amount: &'a str,
    /// The note; empty if there is none.
    pub note: &'a str,
}

/// What the page of a link shows now. `last_order` is the token that the browser kept. It changes nothing.
pub async fn look(
    payments: &Payments,
    id: &str,
    last_order: Option<&str>,
) -> Result<LinkPage, Refusal> {
    let link = find(payments, id).await?;
    let over = match link.over_at(payments.clock.now_ms()) {
        None if link.uses_max.is_some() => {
            let uses = payments.ledger.link_uses(id).await?;
            uses.over(link.uses_max)
        }
        over => over,
    };
    let sub_mchid = link.request.sub_mchid.as_deref();
    Ok(LinkPage {
        payee: payments.config.payee(sub_mchid).map(str::to_owned),
        amount: amount_of(&link.request),
        over: over.map(|over| refusal(over).code()),
        last_order: own_order(payments, id, last_order).await?,
        note_max_chars: link.request.note_max_chars,
        return_url: link.request.return_url,
        description: link.request.description,
        sub_mchid: link.request.sub_mchid,
    })
}

/// A key for a form of a link's page.
pub fn new_form_key(payments: &Payments) -> Result<String, Refusal> {
    Ok(unguessable(payments.randomness.bytes()?))
}

/// Makes the order of a form, or finds the one that this form has made. `field` of a refusal is `key`,
/// `amount` or `note` where the form is to be sent again.
pub async fn order(
    payments: &Payments,
    id: &str,
    form: &BuyerForm<'_>,
) -> Result<CreatedOrder, Refusal> {
    let link = find(payments, id).await?;
    if !is_unguessable(form.key) {
        return Err(Refusal::invalid(
            "key",
            "must be the key that the form came with",
        ));
    }
    let total_fen = match amount_of(&link.request) {
        LinkAmount::Fixed(fen) => fen.count(),
        LinkAmount::Open { min, max } => chosen(form.amount, min, max)?.count(),
    };
    let note = read_note(form.note, link.request.note_max_chars)?;
    let number = number(&link, form.key, total_fen, note.as_deref());
    let request = CreateOrder {
        order_no: Some(number),
        ..order_request(&link.request, total_fen)
    };
    let link_use = LinkUse {
        link_id: link.id.clone(),
        note,
    };
    creation::create_of_link(payments, &request, link_use, link.expires_ms).await
}

async fn find(payments: &Payments, id: &str) -> Result<PaymentLink, Refusal> {
    let link = payments.ledger.link(id).await?;
    link.ok_or_else(|| refusal(LinkOver::Unknown))
}

fn amount_of(link: &CreateLink) -> LinkAmount {
    match (link.total_fen, link.max_fen) {
        (None, Some(max)) => LinkAmount::Open {
            min: Fen::saturating(link.min_fen.unwrap_or(1)),
            max: Fen::saturating(max),
        },
        (fixed, _) => LinkAmount::Fixed(Fen::saturating(fixed.unwrap_or_default())),
    }
}

/// The token, if it is that of an order of this link. An order that is over is none to go back to, unless it
/// was paid.
async fn own_order(
    payments: &Payments,
    id: &str,
    token: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let Some(token) = token else {
        return Ok(None);
    };
    let checkout = payments.ledger.checkout_by_token(token).await?;
    let order = checkout.map(|checkout| checkout.order);
    let order = order.filter(|order| order.link_id.as_deref() == Some(id));
    let now_ms = payments.clock.now_ms();
    let order = order.filter(|order| match order.state {
        OrderState::Open => !order.is_closing && order.expires_ms > now_ms,
        OrderState::Paid => true,
        OrderState::Closed => false,
    });
    Ok(order.map(|order| order.token))
}

/// An amount as a person types it: in yuan, with the signs and the wide digits that a Chinese keyboard may
/// write.
fn chosen(text: &str, min: Fen, max: Fen) -> Result<Fen, Refusal> {
    let refused = |rule: &str| Refusal::field(ErrorCode::AmountInvalid, "amount", rule);
    let plain: String = text.chars().map(narrow).collect();
    let plain = plain.trim().trim_start_matches(['¥', '￥']);
    let plain = plain.trim_end_matches('元').trim();
    let fen =
        Fen::from_yuan_text(plain).map_err(|error| refused(&format!("cannot be read: {error}")))?;
    if (min..=max).contains(&fen) {
        return Ok(fen);
    }
    let (min, max) = (min.to_yuan_text(), max.to_yuan_text());
    Err(refused(&format!("must be from {min} to {max} yuan")))
}

/// The narrow form of a wide digit or point.
fn narrow(letter: char) -> char {
    match letter {
        '０'..='９' => {
            char::from_digit(u32::from(letter) - u32::from('０'), 10).unwrap_or(letter)
        }
        '．' | '。' => '.',
        letter => letter,
    }
}

fn read_note(text: &str, max_chars: Option<u64>) -> Result<Option<String>, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let refused = |rule: &str| Refusal::invalid("note", rule);
    let max_chars = max_chars.ok_or_else(|| refused("is not a field of this link"))?;
    let count = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    if count > max_chars {
        return Err(refused(&format!(
            "must have at most {max_chars} characters, has {count}"
        )));
    }
    match plain_text::broken_rule(text) {
        Some(rule) => Err(refused(rule)),
        None => Ok(Some(text.to_owned())),
    }
}

/// The number of the order: 32 hex digits.
fn number(link: &PaymentLink, key: &str, total_fen: u64, note: Option<&str>) -> String {
    let parts: [Cow<'_, str>; 4] = [
        link.id.as_str().into(),
        key.into(),
        total_fen.to_string().into(),
        note.unwrap_or_default().into(),
    ];
    let mut whole = Vec::new();
    for part in parts {
        whole.extend_from_slice(part.as_bytes());
        // No part has such a character.
        whole.push(0);
    }
    lower_hex(&digest(&SHA256, &whole).as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_people_write_it_and_never_outside_its_bounds() {
        let (min, max) = (Fen::saturating(100), Fen::saturating(5_000));
        let cases = [
            ("1", Some(100)),
            ("50", Some(5_000)),
            (" 12.5 ", Some(1_250)),
            ("¥12.50", Some(1_250)),
            ("￥ 12.50 元", Some(1_250)),
            ("１２．５", Some(1_250)),
            ("12。5", Some(1_250)),
            ("", None),
            ("0", None),
            ("0.99", None),
            ("50.01", None),
            ("-12", None),
            ("12.345", None),
            ("1,2", None),
            ("1e1", None),
            ("十", None),
            ("99999999999999999999", None),
        ];
        for (text, expected) in cases {
            let found = chosen(text, min, max).map(Fen::count);
            assert_eq!(found.as_ref().ok(), expected.as_ref(), "{text:?}");
            if let Err(refusal) = found {
                assert_eq!(refusal.code(), ErrorCode::AmountInvalid, "{text:?}");
            }
        }
    }

    #[test]
    fn a_note_is_one_visible_line_of_at_most_so_many_characters() {
        let cases = [
            ("", Some(3), Ok(None)),
            ("  ", None, Ok(None)),
            (" 7号 ", Some(3), Ok(Some("7号"))),
            ("🍵🍵🍵", Some(3), Ok(Some("🍵🍵🍵"))),
            ("<b>", Some(3), Ok(Some("<b>"))),
            ("四个汉字", Some(3), Err(())),
            ("7", None, Err(())),
            ("a\nb", Some(3), Err(())),
            ("a\u{202e}b", Some(3), Err(())),
            ("\u{200b}", Some(3), Err(())),
        ];
        for (text, max_chars, expected) in cases {
            let found = read_note(text, max_chars).map_err(|refusal| {
                assert_eq!(refusal.api_error().field.as_deref(), Some("note"));
            });
            let expected = expected.map(|note: Option<&str>| note.map(str::to_owned));
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
