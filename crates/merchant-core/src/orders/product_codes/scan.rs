//! One scan of a product code: WeChat's callback, the order, and the answer.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use merchant_api::{AttemptProduct, CreateOrder, ScanConfirmation};
use payment_values::Fen;
use wechat_pay::lower_hex;
use wechat_pay::v2::{ApiV2Key, NativeAnswer, NativeCallback, SignType};

use super::confirmation;
use crate::attempts;
use crate::ledger::{ProductCode, ProductScan};
use crate::orders::creation;
use crate::payments::Payments;
use crate::refusal::Refusal;

/// The signature of the callback and of its answer. WeChat names no other one for mode 1.
const SIGN_TYPE: SignType = SignType::Md5;
/// An order is offered again only if the buyer has this much time left to pay it.
const TIME_TO_PAY_MS: i64 = 60_000;
/// WeChat's limit of `err_code_des`, in bytes.
const MESSAGE_MAX_BYTES: usize = 128;

// What WeChat shows to the buyer.
const NOT_SOLD: &str = "该商品已下架";
const PRICE_CHANGED: &str = "商品信息已更新，请重新扫码";
const OVER: &str = "该订单已支付或已关闭，请重新扫码";
const BUSY: &str = "商家系统繁忙，请稍后重新扫码";

/// The answer to WeChat's callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanAnswer {
    /// A signed message: the `prepay_id`, or a refusal that WeChat shows to the buyer.
    Signed(Bytes),
    /// The callback is not believed. Nothing was done.
    NotBelieved,
    /// No answer can be signed: the configuration has no key of version 2, or there is no randomness.
    NotSigned,
}

/// Why a scan gets no order.
enum NoOrder {
    /// The buyer is told this.
    Told(String),
    /// An order or an attempt failed.
    Failed(Refusal),
    /// The backend gave no usable answer.
    Unconfirmed(confirmation::NoConfirmation),
}

impl<E: Into<Refusal>> From<E> for NoOrder {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Answers WeChat's callback about a scanned code.
pub async fn answer_scan(payments: &Payments, body: &[u8]) -> ScanAnswer {
    let merchant = &payments.config.merchant;
    let Some(key) = &merchant.api_v2_key else {
        tracing::error!(
            event = "scan.unreadable",
            "a scan of a product code needs merchant.api_v2_key"
        );
        return ScanAnswer::NotSigned;
    };
    let callback = match NativeCallback::open(body, key, SIGN_TYPE) {
        Ok(callback) => callback,
        Err(error) => {
            tracing::warn!(event = "scan.refused", %error, "a scan of a product code is not believed");
            return ScanAnswer::NotBelieved;
        }
    };
    if callback.appid != merchant.appid || callback.mch_id != merchant.key.mchid() {
        tracing::warn!(event = "scan.refused", "a scan names another merchant");
        return ScanAnswer::NotBelieved;
    }
    // The nonce is read after the signature is verified.
    let nonce = wechat_pay::v2::Fields::read(body)
        .ok()
        .and_then(|fields| fields.get("nonce_str").map(str::to_owned))
        .unwrap_or_default();
    let answer = match prepare(payments, &callback, &nonce).await {
        Ok(prepay_id) => NativeAnswer::Prepared { prepay_id },
        Err(reason) => NativeAnswer::Refused {
            message: told(&callback, reason),
        },
    };
    sign(payments, key, &callback, &answer)
}

/// The order of the scan, made now or before, and its `prepay_id`.
async fn prepare(
    payments: &Payments,
    callback: &NativeCallback,
    nonce: &str,
) -> Result<String, NoOrder> {
    let buyer = hash(&[callback.openid.as_str()]);
    let id = hash(&[&callback.product_id, callback.openid.as_str(), nonce]);
    let scan = ProductScan {
        id: &id,
        product_id: &callback.product_id,
        buyer: &buyer,
        scanned_ms: payments.clock.now_ms(),
    };
    let order_id = match payments.ledger.order_of_scan(&id).await? {
        Some(order_id) => order_id,
        None => {
            let order_id = place(payments, callback, &scan).await?;
            payments.ledger.record_scan(&scan, order_id).await?
        }
    };
    let prepay_id = attempts::start_for_scan(payments, order_id).await?;
    prepay_id.ok_or_else(|| NoOrder::Told(OVER.to_owned()))
}

/// Makes the order of a new scan by the rule of its code.
async fn place(
    payments: &Payments,
    callback: &NativeCallback,
    scan: &ProductScan<'_>,
) -> Result<i64, NoOrder> {
    let code = payments.ledger.product_code(scan.product_id).await?;
    let code = code.ok_or_else(|| NoOrder::Told(NOT_SOLD.to_owned()))?;
    let terms = match code.price_fen {
        Some(price_fen) => {
            let payable_at_ms = scan.scanned_ms + TIME_TO_PAY_MS;
            let ledger = &payments.ledger;
            let open = ledger.open_order_of_buyer(scan, price_fen, payable_at_ms);
            if let Some(order_id) = open.await? {
                return Ok(order_id);
            }
            Terms::fixed(price_fen)
        }
        None => {
            let confirmed = confirmation::ask(payments, &code, callback, scan.id).await;
            Terms::confirmed(confirmed.map_err(NoOrder::Unconfirmed)?)?
        }
    };
    let request = terms.order(&code, scan.id);
    let (created, _) = creation::create(payments, &request).await?;
    let order = payments
        .ledger
        .checkout_by_order_no(created.order_no.as_str());
    let order = order.await?.map(|checkout| checkout.order.id);
    order.ok_or_else(|| NoOrder::Failed(Refusal::Internal("a new order is gone".to_owned())))
}

/// What an order of scanned goods says.
struct Terms {
    total_fen: u64,
    description: Option<String>,
    order_no: Option<String>,
    attach: Option<String>,
}

impl Terms {
    fn fixed(price_fen: Fen) -> Self {
        Self {
            total_fen: price_fen.count(),
            description: None,
            order_no: None,
            attach: None,
        }
    }

    fn confirmed(answer: ScanConfirmation) -> Result<Self, NoOrder> {
        if let Some(refusal) = answer.refusal {
            return Err(NoOrder::Told(refusal));
        }
        let total_fen = answer.total_fen.ok_or_else(|| {
            let missing = "total_fen is missing".to_owned();
            NoOrder::Unconfirmed(confirmation::NoConfirmation::Nonsense(missing))
        })?;
        Ok(Self {
            total_fen,
            description: answer.description,
            order_no: answer.order_no,
            attach: answer.attach,
        })
    }

    /// The same scan always has the same number, unless the backend names one.
    fn order(self, code: &ProductCode, scan_id: &str) -> CreateOrder {
        CreateOrder {
            order_no: Some(self.order_no.unwrap_or_else(|| scan_id.to_owned())),
            total_fen: self.total_fen,
            description: self.description.unwrap_or_else(|| code.name.clone()),
            attach: self.attach.or_else(|| Some(code.product_id.clone())),
            products: Some(vec![AttemptProduct::Native]),
            ..CreateOrder::default()
        }
    }
}

/// What the buyer reads; the log has the reason.
fn told(callback: &NativeCallback, reason: NoOrder) -> String {
    let product_id = &callback.product_id;
    let message = match reason {
        NoOrder::Told(message) => {
            tracing::info!(
                event = "scan.no_order",
                product_id,
                message,
                "a scan is refused"
            );
            message
        }
        NoOrder::Unconfirmed(error) => {
            tracing::error!(event = "scan.unconfirmed", product_id, %error, "the backend did not confirm a scan");
            BUSY.to_owned()
        }
        NoOrder::Failed(refusal) => {
            refusal.log();
            tracing::error!(event = "scan.failed", product_id, %refusal, "a scan gets no order");
            match &refusal {
                Refusal::Refused(error)
                    if error.code == Some(merchant_api::ErrorCode::OrderNoUsed) =>
                {
                    PRICE_CHANGED.to_owned()
                }
                _ => BUSY.to_owned(),
            }
        }
    };
    shortened(message)
}

fn sign(
    payments: &Payments,
    key: &ApiV2Key,
    callback: &NativeCallback,
    answer: &NativeAnswer,
) -> ScanAnswer {
    match payments.wechat.stamp() {
        Ok(stamp) => ScanAnswer::Signed(callback.answer(answer, key, SIGN_TYPE, &stamp)),
        Err(error) => {
            tracing::error!(event = "scan.failed", %error, "an answer cannot be signed");
            ScanAnswer::NotSigned
        }
    }
}

/// 32 hex digits of texts that may hold anything.
fn hash(texts: &[&str]) -> String {
    let mut whole = Vec::new();
    for text in texts {
        whole.extend_from_slice(text.as_bytes());
        whole.push(0);
    }
    lower_hex(&digest(&SHA256, &whole).as_ref()[..16])
}

/// The beginning of a message, as long as WeChat takes it.
fn shortened(mut message: String) -> String {
    let end = (0..=MESSAGE_MAX_BYTES).rfind(|end| message.is_char_boundary(*end));
    message.truncate(end.unwrap_or(0).min(message.len()));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_between_two_characters() {
        assert_eq!(shortened("short".to_owned()), "short");
        let long = shortened("已".repeat(60));
        assert_eq!(long, "已".repeat(42));
        assert_eq!(shortened("a".repeat(200)).len(), 128);
    }

    #[test]
    fn different_scans_have_different_ids_and_the_same_one_has_the_same() {
        assert_eq!(hash(&["tea", "o1", "n"]), hash(&["tea", "o1", "n"]));
        for other in [["tea", "o1", "m"], ["tea", "o2", "n"], ["te", "ao1", "n"]] {
            assert_ne!(hash(&["tea", "o1", "n"]), hash(&other));
        }
        assert_eq!(hash(&["tea"]).len(), 32);
    }
}
