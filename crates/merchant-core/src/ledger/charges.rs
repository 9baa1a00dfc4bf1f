//! What the buyer is charged under one number at WeChat: an ordinary attempt's whole order, or one sub-order
//! of a combined attempt. It is what WeChat refunds. `combine_out_trade_no` is no charge.

use const_format::formatcp;
use ledger_database::{Executor, query_as, row};
use payment_values::{Fen, OutTradeNo, TransactionId};

use super::column::Word;
use super::{Attempt, AttemptState, Ledger, LedgerError, MerchantNo, Parties, signed};

/// The charges that are ordinary attempts, for a `WHERE` to follow.
const ATTEMPTS: &str = "SELECT attempts.order_id, attempts.number AS attempt, attempts.state,
    attempts.out_trade_no, attempts.transaction_id, orders.total_fen, attempts.appid,
    attempts.payer_appid, attempts.sub_mchid, attempts.sub_appid,
    CAST(NULL AS TEXT) AS sub_order_no, 0 AS place
    FROM attempts JOIN orders ON orders.id = attempts.order_id
    WHERE attempts.is_combined = 0";

/// The same for sub-orders.
const SUB_ORDERS: &str = "SELECT attempts.order_id, attempts.number AS attempt, attempts.state,
    sub_payments.out_trade_no, sub_payments.transaction_id, sub_orders.amount_fen AS total_fen,
    attempts.appid, attempts.payer_appid, sub_orders.sub_mchid, attempts.sub_appid,
    sub_orders.sub_order_no, sub_payments.place
    FROM sub_payments
    JOIN sub_orders ON sub_orders.order_id = sub_payments.order_id
                   AND sub_orders.place = sub_payments.place
    JOIN attempts ON attempts.order_id = sub_payments.order_id
                 AND attempts.number = sub_payments.attempt
    WHERE attempts.is_combined = 1";

/// A charge.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) order_id: i64,
    /// The number of its attempt.
    pub(crate) attempt: u64,
    /// The state of its attempt.
    pub(crate) state: AttemptState,
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) transaction_id: Option<TransactionId>,
    pub(crate) total_fen: Fen,
    /// With the sub-merchant of the sub-order.
    pub(crate) parties: Parties,
    /// The sub-order, by the merchant's number.
    pub(crate) sub_order_no: Option<String>,
}

row! {
    Charge {
        order_id,
        attempt,
        state as Word<AttemptState>,
        out_trade_no,
        transaction_id,
        total_fen,
        sub_order_no;
        .. parties
    }
}

impl Ledger {
    /// The charge with this number at WeChat. Any text may be given, because WeChat and callers also name
    /// numbers that are not ours.
    pub(crate) async fn charge(&self, out_trade_no: &str) -> Result<Option<Charge>, LedgerError> {
        find(self.merchant, &self.readers, out_trade_no).await
    }

    /// The charges of an attempt: itself, or its sub-orders in their order.
    pub(crate) async fn charges_of(&self, attempt: &Attempt) -> Result<Vec<Charge>, LedgerError> {
        let found = query_as(formatcp!(
            "{ATTEMPTS} AND attempts.order_id = ?1 AND attempts.number = ?2
             UNION ALL
             {SUB_ORDERS} AND attempts.order_id = ?1 AND attempts.number = ?2
             ORDER BY place"
        ))
        .bind(attempt.order_id)
        .bind(signed(attempt.number))
        .fetch_all(&self.readers)
        .await?;
        Ok(found)
    }
}

/// The merchant's charge with this number, read in the caller's transaction.
pub(super) async fn find(
    merchant: MerchantNo,
    on: impl Executor,
    out_trade_no: &str,
) -> Result<Option<Charge>, LedgerError> {
    let found = query_as(formatcp!(
        "{ATTEMPTS} AND attempts.merchant = ?1 AND attempts.out_trade_no = ?2
         UNION ALL
         {SUB_ORDERS} AND sub_payments.merchant = ?1 AND sub_payments.out_trade_no = ?2"
    ))
    .bind(merchant)
    .bind(out_trade_no)
    .fetch_optional(on)
    .await?;
    Ok(found)
}
