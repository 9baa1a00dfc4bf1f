//! One piece of the ledger as a store keeps it: its kind, its name, its JSON.
//!
//! Which pieces changed is [`super::journal`]'s matter.

use std::fmt;

use serde::Serialize;

use super::order::OrderKey;

/// What is kept as one piece.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Document {
    /// An order with its refunds and notifications.
    Order(OrderKey),
    /// A number that was closed before it was ordered.
    Burnt(OrderKey),
    Grants,
    AuthCodes,
    BillLinks,
    /// What one merchant verifies WeChat by.
    Platform(String),
    /// How far the clock was advanced.
    Clock,
}

/// A document as it is kept. It may hold a buyer's name: it is not for logs.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) json: String,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} {})", self.kind, self.name)
    }
}

pub(super) fn kind_of(document: &Document) -> &'static str {
    match document {
        Document::Order(_) => "order",
        Document::Burnt(_) => "burnt",
        Document::Grants => "grants",
        Document::AuthCodes => "auth_codes",
        Document::BillLinks => "bill_links",
        Document::Platform(_) => "platform",
        Document::Clock => "clock",
    }
}

pub(super) fn name_of(document: &Document) -> String {
    match document {
        Document::Order(key) | Document::Burnt(key) => {
            json(&(&key.mchid, &key.sub_mchid, &key.out_trade_no))
        }
        Document::Platform(mchid) => mchid.clone(),
        _ => String::new(),
    }
}

// Plain structs with text keys: there is nothing in them that JSON cannot carry.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
