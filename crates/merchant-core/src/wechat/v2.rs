//! Version 2: what WeChat can be asked, in XML. Nothing here decides what an answer means for an
//! order.

use merchant_api::AttemptProduct;
use payment_values::{OutRefundNo, OutTradeNo};
use wechat_pay::v2::{
    self, AnswerError, ApiV2Key, Fields, NativePrepared, ReadAnswer, RefundQuery, Refunds, Request,
    Reversed, Route, SignType, VerifiedFields,
};
use wechat_pay::{
    AppOrdered, AppPayment, H5Ordered, JsapiOrdered, JsapiPayment, NativeOrdered, Orderer, Refund,
    Transaction, Unreadable,
};

use super::call_error::{CallError, Reason};
use super::client::WechatClient;
use super::questions::Questions;
use super::reports::{Closing, OrderReport, Placed, RefundReport, RefundStatus, TradeStatus};
use crate::ledger::{Attempt, Parties};

/// The wait after WeChat refused to close an order that is old enough by our clock: WeChat got it
/// later than it was recorded.
const CLOSE_AGAIN_MS: i64 = 15_000;

/// The client, speaking version 2.
pub(super) struct V2<'a> {
    pub(super) client: &'a WechatClient,
    pub(super) key: &'a ApiV2Key,
    pub(super) kind: SignType,
}

impl Questions for V2<'_> {
    async fn place(&self, attempt: &Attempt) -> Result<Placed, CallError> {
        let read: ReadLink = match attempt.product {
            AttemptProduct::H5 => |fields| Ok(H5Ordered::read_answer(fields)?.h5_url),
            AttemptProduct::Native => |fields| Ok(NativeOrdered::read_answer(fields)?.code_url),
            AttemptProduct::Jsapi | AttemptProduct::MiniProgram => {
                |fields| Ok(JsapiOrdered::read_answer(fields)?.prepay_id)
            }
            AttemptProduct::App => |fields| Ok(AppOrdered::read_answer(fields)?.prepay_id),
            AttemptProduct::CodePay => {
                let fields = self.replay(Route::MicroPay, &attempt.body).await?;
                return Ok(Placed::Status(TradeStatus::of(order_report(&fields)?)?));
            }
        };
        let fields = self.replay(Route::UnifiedOrder, &attempt.body).await?;
        // A `code_url` is enough for a page: without a `prepay_id` the order still counts.
        let prepared = NativePrepared::read_answer(&fields).ok();
        Ok(Placed::Link {
            text: read(&fields).map_err(unreadable)?,
            prepay_id: prepared.map(|prepared| prepared.prepay_id),
        })
    }

    async fn query(
        &self,
        number: &OutTradeNo,
        parties: &Parties,
    ) -> Result<TradeStatus, CallError> {
        let request = v2::query_by_out_trade_no(&self.orderer(parties), number)?;
        match self.send(request).await {
            Ok(fields) => TradeStatus::of(order_report(&fields)?),
            Err(error) if error.reason() == Some(Reason::OrderUnknown) => Ok(TradeStatus::Unknown),
            Err(error) => Err(error),
        }
    }

    /// An order that WeChat does not know cannot be closed, and no buyer can have its link.
    async fn close(&self, attempt: &Attempt) -> Result<Closing, CallError> {
        let orderer = self.orderer(&attempt.parties);
        let request = v2::close(&orderer, &attempt.out_trade_no)?;
        match self.send(request).await {
            Ok(_) => Ok(Closing::Closed),
            Err(error) => match error.reason() {
                Some(Reason::Paid) => Ok(Closing::Paid),
                // Only a signed answer ends an order: an unsigned one can be forged.
                Some(Reason::Closed | Reason::OrderUnknown) if error.is_signed() => {
                    Ok(Closing::Closed)
                }
                _ => self.too_early(attempt, error),
            },
        }
    }

    async fn reverse(&self, attempt: &Attempt) -> Result<Closing, CallError> {
        let orderer = self.orderer(&attempt.parties);
        let request = v2::reverse(&orderer, &attempt.out_trade_no)?;
        match self.send(request).await {
            Ok(fields) if Reversed::read_answer(&fields).map_err(unreadable)?.recall => {
                Err(CallError::Recall)
            }
            Ok(_) => Ok(Closing::Closed),
            Err(error) if error.reason() == Some(Reason::OrderUnknown) && error.is_signed() => {
                Ok(self.unknown_code_payment(attempt))
            }
            Err(error) => Err(error),
        }
    }

    fn pay_parameters(
        &self,
        parties: &Parties,
        prepay_id: &str,
    ) -> Result<JsapiPayment, CallError> {
        let stamp = self.client.stamp()?;
        let appid = &parties.payer_appid;
        Ok(v2::jsapi_payment(
            appid, prepay_id, self.key, self.kind, &stamp,
        ))
    }

    fn app_parameters(&self, parties: &Parties, prepay_id: &str) -> Result<AppPayment, CallError> {
        let stamp = self.client.stamp()?;
        let mchid = self.client.merchant.key.mchid();
        let partnerid = parties.sub_mchid.as_deref().unwrap_or(mchid);
        let appid = &parties.payer_appid;
        Ok(v2::app_payment(
            appid, partnerid, prepay_id, self.key, self.kind, &stamp,
        ))
    }

    async fn send_refund(&self, body: Vec<u8>) -> Result<RefundReport, CallError> {
        let fields = self.replay(Route::Refund, &body).await?;
        Ok(RefundReport {
            refund: Refund::read_answer(&fields).map_err(unreadable)?,
            json: json(fields.fields()),
        })
    }

    async fn query_refund(
        &self,
        number: &OutRefundNo,
        parties: &Parties,
    ) -> Result<RefundStatus, CallError> {
        let query = RefundQuery::OutRefundNo(number.clone());
        let request = v2::query_refunds(&self.orderer(parties), &query, None)?;
        let fields = match self.send(request).await {
            Ok(fields) => fields,
            Err(error) if error.reason() == Some(Reason::ResourceUnknown) => {
                return Ok(RefundStatus::Unknown {
                    is_signed: error.is_signed(),
                });
            }
            Err(error) => return Err(error),
        };
        let found = Refunds::read_answer(&fields).map_err(unreadable)?.refunds;
        let record = found
            .into_iter()
            .find(|record| record.refund.out_refund_no == number.as_str());
        let record =
            record.ok_or_else(|| unreadable(Unreadable::unknown_word("out_refund_no_0")))?;
        Ok(RefundStatus::Known(Box::new(RefundReport {
            refund: record.refund,
            json: json(fields.fields()),
        })))
    }
}

impl V2<'_> {
    async fn send(&self, request: Request) -> Result<VerifiedFields, CallError> {
        self.client.send_v2(request, self.key, self.kind).await
    }

    /// Sends recorded fields, signed again.
    async fn replay(&self, route: Route, body: &[u8]) -> Result<VerifiedFields, CallError> {
        self.send(Request::replay(route, body)?).await
    }

    fn orderer(&self, parties: &Parties) -> Orderer {
        parties.orderer(self.client.merchant.key.mchid())
    }

    /// WeChat does not document with which code it refuses to close a young order. So each signed
    /// and final refusal counts as this one, while the order is young; the code of the simulator's
    /// at any age.
    fn too_early(&self, attempt: &Attempt, error: CallError) -> Result<Closing, CallError> {
        if !error.is_signed() || !error.is_refusal() {
            return Err(error);
        }
        let created_s = attempt.created_ms.div_euclid(1_000);
        let wait_s = v2::seconds_until_closable(created_s, self.client.now_s());
        match (wait_s, error.wechat_code()) {
            (0, Some("TRADE_STATE_ERROR")) => Ok(Closing::TooEarly {
                retry_after_ms: CLOSE_AGAIN_MS,
            }),
            (0, _) => Err(error),
            (wait_s, _) => Ok(Closing::TooEarly {
                retry_after_ms: wait_s * 1_000,
            }),
        }
    }

    /// A payment by code that WeChat does not know cannot be closed, and the request for it may
    /// still be on its way: it is over once it would have arrived.
    fn unknown_code_payment(&self, attempt: &Attempt) -> Closing {
        let least_age_ms = i64::from(v2::MIN_AGE_TO_REVERSE_S) * 1_000;
        let age_ms = self.client.clock.now_ms() - attempt.created_ms;
        if (0..least_age_ms).contains(&age_ms) {
            let retry_after_ms = least_age_ms - age_ms;
            return Closing::TooEarly { retry_after_ms };
        }
        Closing::Closed
    }
}

/// Takes the link out of a verified answer.
type ReadLink = fn(&VerifiedFields) -> Result<String, Unreadable>;

/// What an answer says about an order.
fn order_report(fields: &VerifiedFields) -> Result<OrderReport, CallError> {
    let transaction = Transaction::read_answer(fields).map_err(unreadable)?;
    Ok(OrderReport::new(
        transaction,
        json(fields.fields()).as_bytes(),
    ))
}

fn unreadable(problem: Unreadable) -> CallError {
    AnswerError::Malformed(problem).into()
}

/// A message of version 2 for the records, which are JSON: each field as a text.
pub(crate) fn json(fields: &Fields) -> String {
    let texts = fields
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()));
    serde_json::Value::Object(texts.collect()).to_string()
}
