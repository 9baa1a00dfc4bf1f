//! Payment links: an address that the merchant gives away or prints, for a fixed amount or for one that the
//! buyer chooses. The link's page makes an order, which is like any other from then on.
//!
//! An order holds one use of its link from the moment it is made. It gives the use back if it is closed
//! unpaid, and keeps it once it is paid, also after a refund. So a link for one use is never paid twice: a
//! closed order that is paid late, when another order has its use, is refunded like a duplicate payment.
//!
//! Nothing here takes a text from a browser for what is sold, nor an amount outside of the merchant's
//! bounds. Looking at a link never makes an order.

mod form;
pub(super) mod over;
mod sale;

use form::check;
use merchant_api::{CreateLink, ErrorCode, LinkDetails, LinkList, LinkState};
use over::refusal;
pub use sale::{BuyerForm, LinkAmount, LinkPage, look, new_form_key, order};

use crate::ledger::{LinkCreated, LinkOver, NewLink, PaymentLink, UsedLink, cut, timestamp};
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::surroundings::{is_unguessable, unguessable};

/// Creates a link, or finds the same one; returns whether the link is new.
pub async fn create(
    payments: &Payments,
    request: &CreateLink,
) -> Result<(LinkDetails, bool), Refusal> {
    let expires_ms = check(payments, request)?;
    let now_ms = payments.clock.now_ms();
    let new = NewLink {
        id: unguessable(payments.randomness.bytes()?),
        given: request.clone(),
        request: serde_json::to_string(request)
            .map_err(|error| Refusal::Internal(error.to_string()))?,
        created_ms: now_ms,
        expires_ms,
    };
    if expires_ms.is_some_and(|end_ms| end_ms <= now_ms) {
        // The same call again gets its link even after the link's time.
        return match find_same(payments, request).await? {
            Some(known) => Ok((details(payments, known), false)),
            None => Err(Refusal::invalid("expires_at", "must be in the future")),
        };
    }
    match payments.ledger.create_link(&new).await? {
        LinkCreated::New(link) => {
            tracing::info!(event = "link.created", "a payment link is made");
            Ok((details(payments, link), true))
        }
        LinkCreated::Same(link) => Ok((details(payments, link), false)),
        LinkCreated::NumberUsed => Err(Refusal::field(
            ErrorCode::LinkNoUsed,
            "link_no",
            "is in use with other values",
        )),
    }
}

/// A link with its uses.
pub async fn show(payments: &Payments, id: &str) -> Result<LinkDetails, Refusal> {
    let link = payments.ledger.used_link(id).await?;
    let link = link.ok_or_else(|| refusal(LinkOver::Unknown))?;
    Ok(details(payments, link))
}

/// Links, newest first. `before` is the id of the last link that was seen.
pub async fn list(
    payments: &Payments,
    link_no: Option<&str>,
    before: Option<&str>,
    limit: u32,
) -> Result<LinkList, Refusal> {
    let before_no = match before {
        None => None,
        Some(before) => {
            let last_seen = payments.ledger.link(before).await?;
            let last_seen = last_seen.ok_or_else(|| Refusal::invalid("before", "names no link"))?;
            Some(last_seen.no)
        }
    };
    let ledger = &payments.ledger;
    let mut links = ledger.used_links(link_no, before_no, limit + 1).await?;
    Ok(LinkList {
        next_before: cut(&mut links, limit).map(|last| last.link.id.clone()),
        links: links
            .into_iter()
            .map(|link| details(payments, link))
            .collect(),
    })
}

/// Disables a link, and returns it. Its open orders stay as they are.
pub async fn disable(payments: &Payments, id: &str) -> Result<LinkDetails, Refusal> {
    payments
        .ledger
        .disable_link(id, payments.clock.now_ms())
        .await?;
    show(payments, id).await
}

/// Whether a text has the form of a link's id.
pub fn is_link_id(text: &str) -> bool {
    is_unguessable(text)
}

async fn find_same(payments: &Payments, request: &CreateLink) -> Result<Option<UsedLink>, Refusal> {
    let Some(link_no) = &request.link_no else {
        return Ok(None);
    };
    let found = payments.ledger.used_links(Some(link_no), None, 1).await?;
    let mut found = found.into_iter();
    Ok(found.find(|known| known.link.request == *request))
}

fn details(payments: &Payments, used: UsedLink) -> LinkDetails {
    let UsedLink { link, uses } = used;
    let state = match link.over_at(payments.clock.now_ms()) {
        Some(LinkOver::Disabled) => LinkState::Disabled,
        Some(_) => LinkState::Expired,
        None if uses.over(link.uses_max).is_some() => LinkState::UsedUp,
        None => LinkState::Active,
    };
    LinkDetails {
        url: address(payments, &link),
        state,
        uses_open: uses.open,
        uses_paid: uses.paid,
        created_at: timestamp(link.created_ms),
        disabled_at: link.disabled_ms.map(timestamp),
        live: payments.config.gateway.is_live(),
        id: link.id,
        given: link.request,
    }
}

fn address(payments: &Payments, link: &PaymentLink) -> String {
    let mut page = payments.config.public_base_url.clone();
    page.set_path(&format!("/p/{}", link.id));
    page.into()
}
