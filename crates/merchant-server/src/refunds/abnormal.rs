//! Sending an abnormal refund another way. The card's number and the buyer's name go through this
//! file into the protocol's sealing and nowhere else: not into the ledger, not into a log, not
//! into an error.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use merchant_api::{
    AbnormalRefundType, ApiError, ApplyAbnormalRefund, ErrorCode, RefundDetails, RefundState,
};
use wechat_pay::{
    AbnormalRefund, AbnormalRefundError, AbnormalRefundTo, Operation, OutRefundNo, RefundId,
    RetryWith,
};

use super::{find, progress, shown, updates};
use crate::config::Scope;
use crate::error::{DOUBT_RETRY_MS, Failure};
use crate::extract::{Backend, PathText, json_body, read_body};
use crate::ledger::{LedgerError, Refund};
use crate::payments::{MerchantServer, Queue};
use crate::wechat::{ApplyError, CallError};

/// `POST /v1/refunds/{refund_no}/apply-abnormal-refund`
pub(crate) async fn apply_abnormal_refund(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(refund_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<RefundDetails>, Failure> {
    backend.may(Scope::RefundsWrite)?;
    let wanted: ApplyAbnormalRefund = json_body::read(&read_body(body)?, "an abnormal refund")?;
    let to = check(wanted)?;
    let order_id = find(&server, &refund_no).await?.order_id;
    let _lock = server.lock_order(order_id, Queue::Backend).await?;
    let refund = find(&server, &refund_no).await?;
    if refund.state != RefundState::Abnormal {
        return Err(not_abnormal(&refund));
    }
    apply(&server, &refund, to).await?;
    shown(&server, find(&server, &refund_no).await?)
        .await
        .map(Json)
}

/// WeChat takes this once for each time that a refund is abnormal, so a repetition is harmless.
async fn apply(
    server: &MerchantServer,
    refund: &Refund,
    to: AbnormalRefundTo,
) -> Result<(), Failure> {
    let number = OutRefundNo::parse(&*refund.out_refund_no)
        .map_err(|_| LedgerError::Column("refunds.out_refund_no"))?;
    let refund_id = RefundId::parse(refund.refund_id.clone().unwrap_or_default())
        .map_err(|_| LedgerError::Column("refunds.refund_id"))?;
    let wish = AbnormalRefund {
        refund_id,
        out_refund_no: number,
        to,
        sub_mchid: updates::sub_mchid(server, &refund.out_trade_no).await?,
    };
    let asked_ms = server.clock.now_ms();
    match server.wechat.apply_abnormal_refund(&wish).await {
        Ok(told) => {
            let now_ms = server.clock.now_ms();
            let look_ms = progress::first_look_ms(RefundState::Processing, now_ms);
            server
                .ledger
                .note_application(refund, look_ms.unwrap_or(now_ms), now_ms)
                .await?;
            updates::record_answer(server, &told, asked_ms).await?;
            Ok(())
        }
        Err(ApplyError::Call(error)) => {
            // Whatever became of it, due work finds out.
            let now_ms = server.clock.now_ms();
            server
                .ledger
                .schedule_refund(&refund.out_refund_no, now_ms, now_ms)
                .await?;
            Err(of_call(&error))
        }
        Err(error) => Err(of_fields(&error)),
    }
}

fn check(wanted: ApplyAbnormalRefund) -> Result<AbnormalRefundTo, Failure> {
    let ApplyAbnormalRefund {
        to,
        bank_type,
        bank_account,
        real_name,
    } = wanted;
    let fields = [
        ("bank_type", bank_type),
        ("bank_account", bank_account),
        ("real_name", real_name),
    ];
    match to {
        AbnormalRefundType::MerchantBankCard => {
            match fields.into_iter().find(|(_, value)| value.is_some()) {
                Some((field, _)) => Err(Failure::invalid(
                    field,
                    "must not come with MERCHANT_BANK_CARD",
                )),
                None => Ok(AbnormalRefundTo::MerchantBankCard),
            }
        }
        AbnormalRefundType::UserBankCard => {
            let [bank_type, bank_account, real_name] = fields.map(|(field, value)| {
                value.ok_or_else(|| Failure::invalid(field, "must come with USER_BANK_CARD"))
            });
            Ok(AbnormalRefundTo::UserBankCard {
                bank_type: bank_type?,
                bank_account: bank_account?,
                real_name: real_name?,
            })
        }
    }
}

/// What is wrong with the fields, before anything was sent. Their values stay out of it.
fn of_fields(error: &ApplyError) -> Failure {
    match error {
        ApplyError::Field(AbnormalRefundError::Field(error)) => {
            Failure::invalid(error.field, &error.rule.to_string())
        }
        ApplyError::Field(AbnormalRefundError::Sealing { field, error }) => {
            Failure::invalid(field, &error.to_string())
        }
        error => Failure::Internal(error.to_string()),
    }
}

fn of_call(error: &CallError) -> Failure {
    if error.is_ours() {
        return Failure::Internal(error.to_string());
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
    Failure::from(answer)
}

fn not_abnormal(refund: &Refund) -> Failure {
    Failure::new(
        ErrorCode::RefundNotAbnormal,
        format!("the refund is {}, not abnormal", refund.state.as_str()),
    )
}
