//! A share, a release or a return as a transfer: what it sends, how it is queried, and what becomes of it
//! when WeChat refuses it. Its course is that of every transfer ([`course`]).

use merchant_api::{ShareKind, ShareState};
use payment_values::{OutOrderNo, OutReturnNo};
use wechat_pay::Operation;

use super::payment;
use super::report::{self, Misfit};
use crate::ledger::{LedgerError, Sending, Share, ShareRefusal};
use crate::payments::Payments;
use crate::query::QueryError;
use crate::query::course::{self, Answer, Recorded, Said, Stage, Transfer};
use crate::wechat::{CallError, ShareReport, ShareStatus};

/// WeChat takes shares of a payment from a minute after it on: before, it answers that the order is still
/// being processed.
const AFTER_PAYMENT_MS: i64 = 60_000;

/// Brings a share as far as possible now. Returns the time of the next step, unless it is scheduled
/// already or there is none. `tries` counts the tries before this one.
pub(crate) async fn advance(
    payments: &Payments,
    number: &str,
    tries: u64,
) -> Result<Option<i64>, QueryError> {
    let Some(share) = payments.ledger.share(number).await? else {
        return Ok(None);
    };
    let _lock = payments.lock_order_for_due_work(share.order_id).await?;
    // The previous holder of the lock may have advanced it.
    let Some(share) = payments.ledger.share(number).await? else {
        return Ok(None);
    };
    course::step(payments, &share, tries).await
}

impl Transfer for Share {
    const OPERATION: Operation = Operation::Share;
    const NOUN: &'static str = "share";

    fn number(&self) -> &str {
        &self.number
    }

    fn stage(&self) -> Stage {
        match self.state {
            ShareState::Requested => Stage::ToSend,
            ShareState::Processing => Stage::UnderWay,
            ShareState::Refused | ShareState::Finished => Stage::Over,
        }
    }

    fn was_sent(&self) -> bool {
        self.sent_ms.is_some()
    }

    async fn claim(&self, payments: &Payments, now_ms: i64) -> Result<Sending, LedgerError> {
        if let Some(at_ms) = not_before_ms(self, payments).await?
            && now_ms < at_ms
        {
            return Ok(Sending::NotBefore(at_ms));
        }
        payments.ledger.claim_share(self, now_ms).await
    }

    async fn send(&self, payments: &Payments, _sent_ms: i64) -> Result<Recorded, QueryError> {
        let wechat = &payments.wechat;
        let report = wechat.send_share(self.kind, self.body.clone()).await?;
        record(payments, self, &report).await
    }

    async fn query(&self, payments: &Payments) -> Result<Answer, QueryError> {
        let payment = payment::of_share(payments, self).await?;
        let sub_mchid = payment.parties.sub_mchid.as_deref();
        let wechat = &payments.wechat;
        let status = match (self.kind, &self.share_number) {
            (ShareKind::Return, Some(share_number)) => {
                let share_number = share_no(share_number)?;
                let number = OutReturnNo::parse(&*self.number)
                    .map_err(|_| LedgerError::Column("shares.number"))?;
                wechat
                    .query_share_return(&number, &share_number, sub_mchid)
                    .await?
            }
            _ => {
                let number = share_no(&self.number)?;
                let transaction_id = &self.transaction_id;
                wechat
                    .query_share(&number, transaction_id, sub_mchid)
                    .await?
            }
        };
        match status {
            ShareStatus::Known(report) => {
                Ok(Answer::Recorded(record(payments, self, &report).await?))
            }
            ShareStatus::Unknown { is_signed } => Ok(Answer::Unknown { is_signed }),
        }
    }

    async fn postpone(
        &self,
        payments: &Payments,
        wechat_code: &str,
        wechat_message: &str,
    ) -> Result<(), LedgerError> {
        let ledger = &payments.ledger;
        ledger
            .postpone_share(self, Some(wechat_code), wechat_message)
            .await
    }

    async fn refuse(&self, payments: &Payments, said: Said) -> Result<Option<i64>, LedgerError> {
        tracing::error!(
            event = "share.refused",
            share_no = self.number,
            kind = self.kind.as_str(),
            wechat_code = said.wechat_code,
            message = said.wechat_message,
            "WeChat does not take a share of a payment"
        );
        let refusal = ShareRefusal {
            sent_ms: said.sent_ms,
            wechat_code: said.wechat_code,
            wechat_message: said.wechat_message,
        };
        let now_ms = payments.clock.now_ms();
        payments.ledger.refuse_share(self, &refusal, now_ms).await?;
        Ok(None)
    }

    async fn schedule(
        &self,
        payments: &Payments,
        now_ms: i64,
        at_ms: i64,
    ) -> Result<(), LedgerError> {
        let ledger = &payments.ledger;
        ledger.schedule_share(&self.number, now_ms, at_ms).await
    }
}

/// When WeChat takes shares of the payment; `None`: at any time.
async fn not_before_ms(share: &Share, payments: &Payments) -> Result<Option<i64>, LedgerError> {
    let number = share.out_trade_no.as_str();
    let attempt = payments.ledger.attempt_by_out_trade_no(number).await?;
    let paid_at = attempt
        .and_then(|attempt| attempt.success_time)
        .and_then(|text| text.parse::<jiff::Timestamp>().ok());
    Ok(paid_at.map(|paid_at| paid_at.as_millisecond() + AFTER_PAYMENT_MS))
}

fn share_no(number: &str) -> Result<OutOrderNo, LedgerError> {
    OutOrderNo::parse(number).map_err(|_| LedgerError::Column("shares.number"))
}

/// Records WeChat's report. One that does not fit what was sent is logged, and has no effect.
async fn record(
    payments: &Payments,
    share: &Share,
    report: &ShareReport,
) -> Result<Recorded, QueryError> {
    let now_ms = payments.clock.now_ms();
    let update = match report::update(share, report, now_ms) {
        Ok(update) => update,
        Err(Misfit::Unreadable(problem)) => return Err(CallError::unreadable(problem).into()),
        Err(Misfit::Differs(field)) => {
            tracing::error!(
                event = "share.mismatch",
                share_no = share.number,
                kind = share.kind.as_str(),
                field,
                "what WeChat says of a share does not fit what we know"
            );
            let message = format!("{field} of WeChat's answer differs from what was sent");
            let ledger = &payments.ledger;
            ledger.postpone_share(share, None, &message).await?;
            return Ok(Recorded::Kept);
        }
    };
    let moved = payments.ledger.record_share(share, &update, now_ms).await?;
    let Some(moved) = moved else {
        return Ok(Recorded::Kept);
    };
    tracing::info!(
        event = "share.moved",
        share_no = moved.number,
        kind = moved.kind.as_str(),
        state = moved.state.as_str(),
        succeeded_fen = moved.succeeded_fen().count(),
        "a share of a payment has a new state"
    );
    Ok(Recorded::Moved)
}
