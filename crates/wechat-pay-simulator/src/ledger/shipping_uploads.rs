//! The ledger's side of mini-programs: their tokens, and uploads of shippings by WeChat's rules.

use super::Ledger;
use super::document::Document;
use super::order::OrderKey;
use super::shipping::{ShippingRefusal, Upload};
use super::stable_token::StableTokens;

impl Ledger {
    /// The tokens of mini-programs.
    pub(crate) fn stable_tokens(&mut self) -> &mut StableTokens {
        &mut self.stable_tokens
    }

    /// Takes the shipping of a paid order.
    pub(crate) fn take_shipping(
        &mut self,
        key: &OrderKey,
        upload: Upload,
    ) -> Result<(), ShippingRefusal> {
        let Some(entry) = self.orders.get_mut(key) else {
            return Ok(());
        };
        let shipping = &mut entry.shipping;
        let is_same = |known: &Upload| {
            let with_time = Upload {
                uploaded_at: upload.uploaded_at,
                ..known.clone()
            };
            with_time == upload
        };
        if shipping.uploads.iter().any(is_same) {
            return Err(ShippingRefusal::Unchanged);
        }
        if let Some(last) = shipping.uploads.last() {
            if upload.uploaded_at <= last.uploaded_at {
                return Err(ShippingRefusal::Older);
            }
            let is_change = last.is_all_delivered
                || last.delivery_mode != upload.delivery_mode
                || last.logistics_type != upload.logistics_type;
            if is_change && std::mem::replace(&mut shipping.is_changed, true) {
                return Err(ShippingRefusal::ChangedBefore);
            }
        }
        shipping.uploads.push(upload);
        self.changed.insert(Document::Order(key.clone()));
        Ok(())
    }
}
