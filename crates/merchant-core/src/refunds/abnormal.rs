//! Sending an abnormal refund another way. The card number and the buyer's name are encrypted for
//! WeChat here and go nowhere else: not into the ledger, not into a log, not into an error.

use merchant_api::{
    AbnormalRefundType, ApiError, ApplyAbnormalRefund, ErrorCode, RefundDetails, RefundState,
};
use wechat_pay::{AbnormalRefund, AbnormalRefundTo, Operation, RetryWith, SealedRequestError};

use super::lookup::{find, shown};
use super::query_plan::first_look_ms;
use super::updates;
use crate::ledger::{LedgerError, Refund};
use crate::payments::{Payments, Queue};
use crate::refusal::{DOUBT_RETRY_MS, Refusal};
use crate::wechat::{ApplyError, CallError};

/// Sends an abnormal refund another way, and returns the refund in its new state.
pub async fn apply_abnormal(
    payments: &Payments,
    refund_no: &str,
    request: ApplyAbnormalRefund,
) -> Result<RefundDetails, Refusal> {
    let to = check(request)?;
    let order_id = find(payments, refund_no).await?.order_id;
    let _lock = payments.lock_order(order_id, Queue::Backend).await?;
    let refund = find(payments, refund_no).await?;
    if refund.state != RefundState::Abnormal {
        return Err(not_abnormal(&refund));
    }
    apply(payments, &refund, to).await?;
    shown(payments, find(payments, refund_no).await?).await
}

/// WeChat accepts this once each time a refund becomes abnormal, so a repetition is harmless.
async fn apply(payments: &Payments, refund: &Refund, to: AbnormalRefundTo) -> Result<(), Refusal> {
    let refund_id = refund.refund_id.clone();
    let refund_id = refund_id.ok_or(LedgerError::Column("refunds.refund_id"))?;
    let application = AbnormalRefund {
        refund_id,
        out_refund_no: refund.out_refund_no.clone(),
        to,
        sub_mchid: updates::sub_mchid(payments, refund.out_trade_no.as_str()).await?,
    };
    let sent_ms = payments.clock.now_ms();
    match payments.wechat.apply_abnormal_refund(&application).await {
        Ok(refund_report) => {
            let now_ms = payments.clock.now_ms();
            let look_ms = first_look_ms(RefundState::Processing, now_ms);
            payments
                .ledger
                .note_application(refund, look_ms.unwrap_or(now_ms), now_ms)
                .await?;
            updates::record_answer(payments, &refund_report, sent_ms).await?;
            Ok(())
        }
        Err(ApplyError::Call(error)) => {
            // Due work finds the result, whatever it is.
            let now_ms = payments.clock.now_ms();
            payments
                .ledger
                .schedule_refund(&refund.out_refund_no, now_ms, now_ms)
                .await?;
            Err(of_call(&error))
        }
        Err(error) => Err(of_fields(&error)),
    }
}

fn check(request: ApplyAbnormalRefund) -> Result<AbnormalRefundTo, Refusal> {
    let ApplyAbnormalRefund {
        to,
        bank_type,
        bank_account,
        real_name,
    } = request;
    let fields = [
        ("bank_type", bank_type),
        ("bank_account", bank_account),
        ("real_name", real_name),
    ];
    match to {
        AbnormalRefundType::MerchantBankCard => {
            match fields.into_iter().find(|(_, value)| value.is_some()) {
                Some((field, _)) => Err(Refusal::invalid(
                    field,
                    "must not come with MERCHANT_BANK_CARD",
                )),
                None => Ok(AbnormalRefundTo::MerchantBankCard),
            }
        }
        AbnormalRefundType::UserBankCard => {
            let [bank_type, bank_account, real_name] = fields.map(|(field, value)| {
                value.ok_or_else(|| Refusal::invalid(field, "must come with USER_BANK_CARD"))
            });
            Ok(AbnormalRefundTo::UserBankCard {
                bank_type: bank_type?,
                bank_account: bank_account?,
                real_name: real_name?,
            })
        }
    }
}

/// The refusal of a wrong field, before anything is sent. It does not repeat the value.
fn of_fields(error: &ApplyError) -> Refusal {
    match error {
        ApplyError::Field(SealedRequestError::Field(error)) => {
            Refusal::invalid(error.field, &error.rule.to_string())
        }
        ApplyError::Field(SealedRequestError::Sealing { field, error }) => {
            Refusal::invalid(field, &error.to_string())
        }
        ApplyError::OnlyV3 => Refusal::new(ErrorCode::WechatRefused, error.to_string()),
        error => Refusal::Internal(error.to_string()),
    }
}

fn of_call(error: &CallError) -> Refusal {
    if error.is_ours() {
        return Refusal::Internal(error.to_string());
    }
    let is_refusal = error
        .wechat()
        .is_some_and(|said| said.retry_with(Operation::AbnormalRefund) == RetryWith::AfterFix);
    let code = if is_refusal {
        ErrorCode::WechatRefused
    } else {
        ErrorCode::RefundInDoubt
    };
    let mut answer = ApiError::new(code, error.to_string());
    answer.wechat_code = error.wechat_code().map(str::to_owned);
    if answer.retryable {
        answer.retry_after_ms = Some(DOUBT_RETRY_MS);
    }
    Refusal::from(answer)
}

fn not_abnormal(refund: &Refund) -> Refusal {
    Refusal::new(
        ErrorCode::RefundNotAbnormal,
        format!("the refund is {}, not abnormal", refund.state.as_str()),
    )
}
