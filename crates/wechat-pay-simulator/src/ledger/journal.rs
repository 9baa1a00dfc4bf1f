//! The changed documents for a store, and the ledger from stored ones. The store does not read the
//! documents, and the ledger does not know where they are stored.

use serde::de::DeserializeOwned;

use super::document::{Document, StoredDocument, json, kind_of, name_of};
use super::order::OrderKey;
use super::{Entry, Ledger};

impl Ledger {
    /// The documents that changed since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<StoredDocument> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .iter()
            .map(|document| StoredDocument {
                kind: kind_of(document).to_owned(),
                name: name_of(document),
                json: match document {
                    Document::Order(key) => json(&self.orders.get(key)),
                    Document::Burnt(_) => "true".to_owned(),
                    Document::Grants => json(&self.grants),
                    Document::AuthCodes => json(&self.auth_codes),
                    Document::BillLinks => json(&self.bill_links),
                    Document::Platform(mchid) => json(&self.platforms.get(mchid)),
                    Document::Clock => json(&self.advanced_s),
                },
            })
            .collect()
    }

    /// The ledger from stored documents. The error names a document that cannot be read.
    pub(crate) fn restore(kept: &[StoredDocument]) -> Result<Self, String> {
        let mut ledger = Self::default();
        for document in kept {
            match document.kind.as_str() {
                "order" => ledger.insert(read(document)?),
                "burnt" => {
                    let (mchid, sub_mchid, out_trade_no) = serde_json::from_str(&document.name)
                        .map_err(|error| format!("{document:?}: {error}"))?;
                    ledger.burnt.insert(OrderKey {
                        mchid,
                        sub_mchid,
                        out_trade_no,
                        is_combined: false,
                    });
                }
                "grants" => ledger.grants = read(document)?,
                "auth_codes" => ledger.auth_codes = read(document)?,
                "bill_links" => ledger.bill_links = read(document)?,
                "platform" => {
                    let platform = read(document)?;
                    ledger.platforms.insert(document.name.clone(), platform);
                }
                "clock" => ledger.advanced_s = read(document)?,
                _ => {}
            }
        }
        Ok(ledger)
    }

    /// Without a store: discards the list of changes.
    pub(crate) fn forget_changes(&mut self) {
        self.changed.clear();
    }

    /// Marks documents as changed again, after the store could not save them.
    pub(crate) fn mark_changed(&mut self, kept: &[StoredDocument]) {
        let keys: Vec<OrderKey> = self.orders.keys().chain(&self.burnt).cloned().collect();
        for document in kept {
            let named = |changed: &Document| name_of(changed) == document.name;
            let keys = keys.iter().cloned();
            let changed = match document.kind.as_str() {
                "order" => keys.map(Document::Order).find(named),
                "burnt" => keys.map(Document::Burnt).find(named),
                "grants" => Some(Document::Grants),
                "auth_codes" => Some(Document::AuthCodes),
                "bill_links" => Some(Document::BillLinks),
                "platform" => Some(Document::Platform(document.name.clone())),
                "clock" => Some(Document::Clock),
                _ => None,
            };
            self.changed.extend(changed);
        }
    }

    pub(crate) fn advanced_s(&self) -> i64 {
        self.advanced_s
    }

    pub(crate) fn note_advanced_s(&mut self, advanced_s: i64) {
        if self.advanced_s != advanced_s {
            self.advanced_s = advanced_s;
            self.changed.insert(Document::Clock);
        }
    }

    fn insert(&mut self, entry: Entry) {
        let key = entry.order.request.key.clone();
        for link in &entry.order.links {
            self.by_prepay_id
                .insert(link.prepay_id.clone(), key.clone());
            if let Some(code_url) = &link.code_url {
                self.by_code_url.insert(code_url.clone(), key.clone());
            }
        }
        if let Some(payment) = &entry.order.payment
            && !key.is_combined
        {
            self.by_transaction_id
                .insert(payment.transaction_id.clone(), key.clone());
        }
        for refund in &entry.refunds {
            self.by_refund.insert(refund.key(&key), key.clone());
            self.by_refund_id
                .insert(refund.refund_id.clone(), key.clone());
            if refund.is_under_way() {
                self.refunds_under_way.insert(key.clone());
            }
        }
        if entry.sharing.results_due().next().is_some() {
            self.shares_under_way.insert(key.clone());
        }
        if entry.notices.iter().any(|notice| notice.due_at.is_some()) {
            self.notices_open.insert(key.clone());
        }
        self.orders.insert(key, entry);
    }
}

fn read<T: DeserializeOwned>(document: &StoredDocument) -> Result<T, String> {
    serde_json::from_str(&document.json).map_err(|error| format!("{document:?}: {error}"))
}
