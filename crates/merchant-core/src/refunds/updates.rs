//! WeChat's reports about refunds, in one form for the ledger. Answers, notifications and the rows
//! of a bill all end here, so that there is one decision and not three.

use merchant_api::RefundState;
use wechat_pay::v2::{RefundNotification, RefundStatus as V2Status};
use wechat_pay::{Notification, OutRefundNo, RefundNotice, Unreadable};

use super::query_plan::first_look_ms;
use crate::config::SubMerchant;
use crate::ledger::{
    Evidence, LedgerError, Parties, RefundRecorded, RefundUpdate, refund_state_of,
};
use crate::payments::Payments;
use crate::query::QueryError;
use crate::wechat::{CallError, RefundReport, RefundStatus};

/// Records WeChat's answer to a refund call or a query that was sent at `sent_ms`.
pub(super) async fn record_answer(
    payments: &Payments,
    RefundReport {
        refund: refund_report,
        json,
    }: &RefundReport,
    sent_ms: i64,
) -> Result<RefundRecorded, QueryError> {
    let now_ms = payments.clock.now_ms();
    let Some(state) = refund_state_of(&refund_report.status) else {
        // An unknown status has no effect.
        let problem = Unreadable::unknown_word("status");
        return Err(CallError::unreadable(problem).into());
    };
    let update = RefundUpdate {
        out_refund_no: refund_report.out_refund_no.clone(),
        refund_id: refund_report.refund_id.clone(),
        out_trade_no: refund_report.out_trade_no.clone(),
        transaction_id: refund_report.transaction_id.clone(),
        state,
        total_fen: refund_report.amount.total,
        amount_fen: refund_report.amount.refund,
        payer_refund_fen: refund_report.amount.payer_refund,
        user_received_account: some_text(&refund_report.user_received_account),
        success_time: refund_report.success_time.clone(),
        sent_ms: Some(sent_ms),
        next_look_ms: first_look_ms(state, now_ms),
        misfit: None,
        resource: json.clone(),
    };
    Ok(record(payments, &Evidence::Query, &update, now_ms).await?)
}

/// The result of a notification about a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoticeRecorded {
    /// It is in the ledger.
    Recorded,
    /// This version does not know the status in it: nothing was recorded.
    UnknownStatus,
}

/// Records a notification of version 3; it was verified.
pub(crate) async fn record_notice(
    payments: &Payments,
    evidence: &Evidence,
    notification: &Notification,
    notice: &RefundNotice,
) -> Result<NoticeRecorded, LedgerError> {
    let now_ms = payments.clock.now_ms();
    let Some(state) = refund_state_of(&notice.refund_status) else {
        return Ok(NoticeRecorded::UnknownStatus);
    };
    let mchid = notice.mchid.as_deref().or(notice.sp_mchid.as_deref());
    let is_ours = mchid == Some(payments.config.merchant.key.mchid())
        && notice.sub_mchid == sub_mchid(payments, &notice.out_trade_no).await?;
    let update = RefundUpdate {
        out_refund_no: notice.out_refund_no.clone(),
        refund_id: notice.refund_id.clone(),
        out_trade_no: notice.out_trade_no.clone(),
        transaction_id: notice.transaction_id.clone(),
        state,
        total_fen: notice.amount.total,
        amount_fen: notice.amount.refund,
        payer_refund_fen: notice.amount.payer_refund,
        user_received_account: some_text(&notice.user_received_account),
        success_time: notice.success_time.clone(),
        sent_ms: None,
        next_look_ms: first_look_ms(state, now_ms),
        misfit: (!is_ours).then_some("mchid"),
        resource: String::from_utf8_lossy(&notification.plaintext).into_owned(),
    };
    record(payments, evidence, &update, now_ms).await?;
    Ok(NoticeRecorded::Recorded)
}

/// Records a notification of version 2. It is unsigned, so WeChat is queried before it has an
/// effect.
pub(crate) async fn record_unverified(
    payments: &Payments,
    evidence: &Evidence,
    hint: &RefundNotification,
) -> Result<(), LedgerError> {
    let hinted = match hint.refund_status {
        Some(V2Status::Success) => Some(RefundState::Succeeded),
        Some(V2Status::Change) => Some(RefundState::Abnormal),
        Some(V2Status::RefundClose) => Some(RefundState::Closed),
        _ => None,
    };
    let refund = &hint.out_refund_no;
    let payment = hint.out_trade_no.as_deref().unwrap_or_default();
    let now_ms = payments.clock.now_ms();
    payments
        .ledger
        .record_unverified_refund(evidence, refund, payment, hinted, now_ms)
        .await
}

/// The result of a query about a refund that is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learned {
    /// WeChat knows the refund, and its answer is in the ledger.
    Recorded,
    /// WeChat has no such refund: perhaps too early, and not always signed.
    NotFound,
    /// No refund can have this number.
    NotANumber,
}

/// Queries a refund that is not known here, or differs from WeChat's report, and records the
/// answer. `out_trade_no` is its payment's number, if known.
pub(crate) async fn learn(
    payments: &Payments,
    out_refund_no: &str,
    out_trade_no: &str,
) -> Result<Learned, QueryError> {
    let Ok(number) = OutRefundNo::parse(out_refund_no) else {
        return Ok(Learned::NotANumber);
    };
    let sent_ms = payments.clock.now_ms();
    let refund_report =
        query_for_all(payments, &number, whose(payments, out_trade_no).await?).await?;
    let (learned, answer) = match refund_report {
        Some(refund_report) => {
            record_answer(payments, &refund_report, sent_ms).await?;
            (Learned::Recorded, refund_report.json)
        }
        None => (Learned::NotFound, "RESOURCE_NOT_EXISTS".to_owned()),
    };
    payments
        .ledger
        .note_refund_mismatch_answer(out_refund_no, &answer, sent_ms)
        .await?;
    Ok(learned)
}

/// Queries a refund for one sub-merchant after the other. A failure for one of them, for example a
/// withdrawn permission, does not hide the others' answers.
async fn query_for_all(
    payments: &Payments,
    number: &OutRefundNo,
    whose: Vec<Parties>,
) -> Result<Option<Box<RefundReport>>, QueryError> {
    let known = payments.ledger.refund(number.as_str()).await?;
    // Of a refund that was made elsewhere the version is not known, and each version finds it.
    let api = known.map_or(payments.config.merchant.api, |refund| refund.api);
    let mut failed = None;
    for parties in whose {
        match payments.wechat.query_refund(api, number, &parties).await {
            Ok(RefundStatus::Known(refund_report)) => return Ok(Some(refund_report)),
            Ok(RefundStatus::Unknown { .. }) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(None), |error| Err(error.into()))
}

/// The sub-merchants that a refund can belong to. If the payment is ours, that is the payment's
/// sub-merchant. Otherwise, in partner mode, it can be any sub-merchant.
async fn whose(payments: &Payments, out_trade_no: &str) -> Result<Vec<Parties>, LedgerError> {
    if let Some(charge) = payments.ledger.charge(out_trade_no).await? {
        return Ok(vec![charge.parties]);
    }
    let subs = &payments.config.merchant.sub_merchants;
    if subs.is_empty() {
        return Ok(vec![payments.wechat.parties(None)]);
    }
    let parties = |sub: &SubMerchant| payments.wechat.parties(Some(&sub.sub_mchid));
    Ok(subs.iter().map(parties).collect())
}

/// The parties of a payment. Those of a payment that is not known here are the merchant's own.
pub(super) async fn parties(
    payments: &Payments,
    out_trade_no: &str,
) -> Result<Parties, LedgerError> {
    let charge = payments.ledger.charge(out_trade_no).await?;
    let known = charge.map(|charge| charge.parties);
    Ok(known.unwrap_or_else(|| payments.wechat.parties(None)))
}

/// Partner mode: the sub-merchant of a payment.
pub(super) async fn sub_mchid(
    payments: &Payments,
    out_trade_no: &str,
) -> Result<Option<String>, LedgerError> {
    let charge = payments.ledger.charge(out_trade_no).await?;
    Ok(charge.and_then(|charge| charge.parties.sub_mchid))
}

async fn record(
    payments: &Payments,
    evidence: &Evidence,
    update: &RefundUpdate,
    now_ms: i64,
) -> Result<RefundRecorded, LedgerError> {
    let recorded = payments
        .ledger
        .record_refund(evidence, update, now_ms)
        .await?;
    report(update, &recorded);
    Ok(recorded)
}

fn report(update: &RefundUpdate, recorded: &RefundRecorded) {
    let refund_no = &update.out_refund_no;
    match recorded {
        RefundRecorded::Moved(refund) => {
            let state = refund.state.as_str();
            if refund.state == RefundState::Abnormal {
                tracing::error!(
                    event = "refund.abnormal",
                    refund_no,
                    "the buyer's account does not take a refund: send it another way"
                );
            } else {
                tracing::info!(
                    event = "refund.moved",
                    refund_no,
                    state,
                    "a refund has a new state"
                );
            }
        }
        RefundRecorded::TakenIn(refund) => tracing::warn!(
            event = "refund.external",
            refund_no,
            out_trade_no = refund.out_trade_no.as_str(),
            amount_fen = refund.amount_fen.count(),
            "a refund that was made elsewhere is taken in"
        ),
        RefundRecorded::Known => tracing::debug!(refund_no, "a refund was reported again"),
        RefundRecorded::Mismatch { reason, is_new } => {
            if *is_new {
                tracing::error!(
                    event = "refund.mismatch",
                    refund_no,
                    reason,
                    "what WeChat says of a refund does not fit what we know"
                );
            }
        }
    }
}

fn some_text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
