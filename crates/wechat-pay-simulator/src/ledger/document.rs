//! One document of the ledger for a store: its kind, its name, its JSON.
//!
//! Changed documents are collected in [`super::journal`].

use std::fmt;

use serde::Serialize;

use super::order::OrderKey;

/// The kind and the name of a stored document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Document {
    /// An order with its refunds and notifications.
    Order(OrderKey),
    /// A number that was closed before it was ordered.
    Burnt(OrderKey),
    Grants,
    AuthCodes,
    BillLinks,
    /// The keys of WeChat's side for one merchant.
    Platform(String),
    /// The clock's advance.
    Clock,
}

/// A stored document. It may contain an openid: it must not be logged.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoredDocument {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) json: String,
}

impl fmt::Debug for StoredDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredDocument({} {})", self.kind, self.name)
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
        Document::Order(key) if key.is_combined => {
            json(&(&key.mchid, "combined", &key.out_trade_no))
        }
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
