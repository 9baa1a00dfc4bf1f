//! What WeChat says about a share, a release or a return, in the ledger's form. A report that does not fit
//! what was sent has no effect.

use merchant_api::{ReceiverType, ShareKind, ShareResult, ShareState, SharedWith};
use wechat_pay::{
    ReceiverOutcome, ReceiverResult, ShareOrder, ShareOrderState, ShareReturn, ShareReturnResult,
    Unreadable,
};

use crate::ledger::{Share, ShareUpdate};
use crate::query::course::QUERY_PLAN_MS;
use crate::wechat::ShareReport;

/// Why a report has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It has a word that this version does not know, on which everything depends.
    Unreadable(Unreadable),
    /// It does not fit what was sent; the field that differs.
    Differs(&'static str),
}

/// The effect of a report on a share.
pub(super) fn update(
    share: &Share,
    report: &ShareReport,
    now_ms: i64,
) -> Result<ShareUpdate, Misfit> {
    let (state, wechat_number, receivers) = match report {
        ShareReport::Share(order) if share.kind != ShareKind::Return => of_share(share, order)?,
        ShareReport::Return(returned) if share.kind == ShareKind::Return => {
            of_return(share, returned)?
        }
        _ => return Err(Misfit::Differs("kind")),
    };
    Ok(ShareUpdate {
        state,
        wechat_number,
        receivers,
        next_look_ms: (state == ShareState::Processing).then(|| now_ms + QUERY_PLAN_MS[0]),
    })
}

type Effect = (ShareState, String, Vec<SharedWith>);

fn of_share(share: &Share, order: &ShareOrder) -> Result<Effect, Misfit> {
    if order.out_order_no != share.number {
        return Err(Misfit::Differs("out_order_no"));
    }
    if order.transaction_id != share.transaction_id.as_str() {
        return Err(Misfit::Differs("transaction_id"));
    }
    let state = match order.state {
        ShareOrderState::Processing => ShareState::Processing,
        ShareOrderState::Finished => ShareState::Finished,
        _ => return Err(Misfit::Unreadable(Unreadable::unknown_word("state"))),
    };
    let receivers = match share.kind {
        // A release has no receivers of ours: WeChat names the merchant itself.
        ShareKind::Unfreeze => order
            .receivers
            .iter()
            .map(reported)
            .collect::<Result<_, _>>()?,
        _ => matched(share, &order.receivers)?,
    };
    Ok((state, order.order_id.clone(), receivers))
}

/// Our receivers with WeChat's results. WeChat adds the merchant itself where the rest is released.
fn matched(share: &Share, reports: &[ReceiverResult]) -> Result<Vec<SharedWith>, Misfit> {
    let mut left: Vec<&ReceiverResult> = reports.iter().collect();
    let mut receivers = Vec::new();
    for ours in &share.receivers {
        let place = left.iter().position(|report| {
            report.kind.as_str() == ours.kind.as_str()
                && report.account == ours.account
                && report.amount == ours.amount_fen
        });
        let place = place.ok_or(Misfit::Differs("receivers"))?;
        let report = left.remove(place);
        receivers.push(SharedWith {
            // As it was given: WeChat may shorten it.
            reason: ours.reason.clone(),
            ..reported(report)?
        });
    }
    Ok(receivers)
}

fn reported(report: &ReceiverResult) -> Result<SharedWith, Misfit> {
    let unknown = |field| Misfit::Unreadable(Unreadable::unknown_word(field));
    Ok(SharedWith {
        kind: ReceiverType::from_word(report.kind.as_str())
            .ok_or_else(|| unknown("receivers.type"))?,
        account: report.account.clone(),
        amount_fen: report.amount,
        reason: report.description.clone(),
        result: match report.result {
            ReceiverOutcome::Pending => ShareResult::Pending,
            ReceiverOutcome::Success => ShareResult::Succeeded,
            ReceiverOutcome::Closed => ShareResult::Closed,
            _ => return Err(unknown("receivers.result")),
        },
        fail_reason: report.fail_reason.as_ref().map(ToString::to_string),
        detail_id: report.detail_id.clone(),
        finish_time: report.finish_time.clone(),
    })
}

fn of_return(share: &Share, returned: &ShareReturn) -> Result<Effect, Misfit> {
    let giving = share.receivers.first();
    let giving = giving.ok_or(Misfit::Differs("receivers"))?;
    let checks = [
        (returned.out_return_no == share.number, "out_return_no"),
        (
            Some(&returned.out_order_no) == share.share_number.as_ref(),
            "out_order_no",
        ),
        (returned.return_mchid == giving.account, "return_mchid"),
        (returned.amount == giving.amount_fen, "amount"),
    ];
    if let Some((_, field)) = checks.into_iter().find(|(fits, _)| !fits) {
        return Err(Misfit::Differs(field));
    }
    let (state, result) = match returned.result {
        ShareReturnResult::Processing => (ShareState::Processing, ShareResult::Pending),
        ShareReturnResult::Success => (ShareState::Finished, ShareResult::Succeeded),
        ShareReturnResult::Failed => (ShareState::Finished, ShareResult::Closed),
        _ => return Err(Misfit::Unreadable(Unreadable::unknown_word("result"))),
    };
    let receiver = SharedWith {
        result,
        fail_reason: returned.fail_reason.as_ref().map(ToString::to_string),
        finish_time: returned.finish_time.clone(),
        ..giving.clone()
    };
    Ok((state, returned.return_id.clone(), vec![receiver]))
}
