//! A day's bill: downloaded, its hash checked, and compared with the ledger. Days are those of
//! Asia/Shanghai, as WeChat's are. Nothing here changes an order: a difference is for a person. A
//! refund that only the bill knows is asked about, and taken in as WeChat vouches for it.

mod comparison;

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use jiff::civil::Date;
use jiff::tz::Offset;
use merchant_api::{ApiError, BillComparison, BillDifference, ErrorCode};
use wechat_pay::bill::{
    BillAccount, BillError, BillTicket, BillType, FundFlowBillRequest, Packing, TradeBillRequest,
    TradeBillRow, TradeBillSummary, read_bill,
};
use wechat_pay::{InvalidField, Operation, RequestParts};

use crate::api_key::Backend;
use crate::config::Scope;
use crate::error::Failure;
use crate::ledger::{Business, Ledger, LedgerError};
use crate::server::MerchantServer;
use crate::wechat_client::{CallError, WechatClient};

/// When a bill that is being made is worth another try, in milliseconds: WeChat's own advice.
const CREATING_RETRY_MS: u64 = 30 * 60_000;
/// When a download that failed is.
const FAILED_RETRY_MS: u64 = 10_000;

/// Which bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillKind {
    /// Payments and refunds.
    Trade,
    /// What moved on an account.
    FundFlow(BillAccount),
}

/// Why there is no bill.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BillFailure {
    /// The day is none.
    #[error("the day must be written like 2026-11-21")]
    Day,
    /// A number of ours that cannot be asked for.
    #[error(transparent)]
    Request(#[from] InvalidField),
    /// The download.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The file.
    #[error(transparent)]
    Bill(#[from] BillError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// `GET /v1/bills/{day}`
pub(crate) async fn compare_bill(
    State(server): State<MerchantServer>,
    backend: Backend,
    Path(day): Path<String>,
) -> Result<Json<BillComparison>, Failure> {
    backend.may(Scope::OrdersRead)?;
    Ok(Json(compare(&server.wechat, &server.ledger, &day).await?))
}

/// Downloads the trade bill of a day and compares it.
pub(crate) async fn compare(
    wechat: &WechatClient,
    ledger: &Ledger,
    day: &str,
) -> Result<BillComparison, BillFailure> {
    let day = read_day(day)?;
    let day_ms = start_ms(day)..start_ms(day.tomorrow().map_err(|_| BillFailure::Day)?);
    let (rows, summary) = download_trade_bill(wechat, day).await?;
    let here = business(ledger, &rows, &day_ms).await?;
    let compared = comparison::compare(&rows, summary.as_ref(), &here, &day_ms);
    learn_refunds(ledger, &compared.differences, wechat.clock.now_ms()).await?;
    Ok(BillComparison {
        day: day.to_string(),
        live: wechat.gateway.is_live(),
        payments: compared.payments,
        refunds: compared.refunds,
        differences: compared.differences,
    })
}

/// A refund that only the bill knows was made in WeChat's portal or by another program. Due work
/// asks about it and takes it in; what it is about need not be ours.
async fn learn_refunds(
    ledger: &Ledger,
    differences: &[BillDifference],
    now_ms: i64,
) -> Result<(), LedgerError> {
    for difference in differences {
        if let (Some(refund), Some(payment)) = (&difference.out_refund_no, &difference.out_trade_no)
            && difference.kind == comparison::REFUND_MISSING_HERE
        {
            ledger.schedule_learning(refund, payment, now_ms).await?;
        }
    }
    Ok(())
}

/// A bill's file as WeChat has it, unpacked: its hash is the announced one. `None` where nothing
/// happened on that day.
pub(crate) async fn download(
    wechat: &WechatClient,
    kind: BillKind,
    day: &str,
) -> Result<Option<Bytes>, BillFailure> {
    let packing = Packing::Plain;
    let Some((file, ticket)) = fetch(wechat, kind, read_day(day)?, packing).await? else {
        return Ok(None);
    };
    read_bill(&file, packing, &ticket)?;
    Ok(Some(file))
}

async fn download_trade_bill(
    wechat: &WechatClient,
    day: Date,
) -> Result<(Vec<TradeBillRow>, Option<TradeBillSummary>), BillFailure> {
    let packing = Packing::Gzip;
    let Some((file, ticket)) = fetch(wechat, BillKind::Trade, day, packing).await? else {
        return Ok((Vec::new(), None));
    };
    let bill = read_bill(&file, packing, &ticket)?;
    let rows = bill.rows.iter().map(TradeBillRow::read);
    let summary = TradeBillSummary::read(&bill.summary)?;
    Ok((rows.collect::<Result<_, _>>()?, Some(summary)))
}

async fn fetch(
    wechat: &WechatClient,
    kind: BillKind,
    day: Date,
    packing: Packing,
) -> Result<Option<(Bytes, BillTicket)>, BillFailure> {
    let reply = match wechat
        .send(Operation::Bill, request(kind, day, packing)?)
        .await
    {
        Ok(reply) => reply,
        // Nobody paid anything on that day.
        Err(error) if error.wechat_code() == Some("NO_STATEMENT_EXIST") => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let ticket: BillTicket = reply.parse().map_err(CallError::from)?;
    let file = wechat.fetch(&ticket.download()?).await?;
    Ok(Some((file, ticket)))
}

fn request(kind: BillKind, day: Date, packing: Packing) -> Result<RequestParts, InvalidField> {
    match kind {
        BillKind::Trade => TradeBillRequest {
            bill_date: day,
            bill_type: BillType::All,
            packing,
            sub_mchid: None,
        }
        .request(),
        BillKind::FundFlow(account) => Ok(FundFlowBillRequest {
            bill_date: day,
            account,
            packing,
        }
        .request()),
    }
}

/// The day's business, and whatever else the rows name.
async fn business(
    ledger: &Ledger,
    rows: &[TradeBillRow],
    day_ms: &std::ops::Range<i64>,
) -> Result<Business, LedgerError> {
    let mut here = ledger.business(day_ms.start, day_ms.end).await?;
    for row in rows {
        match &row.refund {
            None if !here.payments.contains_key(&row.out_trade_no) => {
                let found = ledger.payment_here(&row.out_trade_no).await?;
                here.payments
                    .extend(found.map(|payment| (row.out_trade_no.clone(), payment)));
            }
            Some(refund) if !here.refunds.contains_key(&refund.out_refund_no) => {
                let found = ledger.refund_here(&refund.out_refund_no).await?;
                here.refunds
                    .extend(found.map(|ours| (refund.out_refund_no.clone(), ours)));
            }
            _ => {}
        }
    }
    Ok(here)
}

fn read_day(text: &str) -> Result<Date, BillFailure> {
    text.parse()
        .ok()
        .filter(|day: &Date| day.to_string() == text)
        .ok_or(BillFailure::Day)
}

/// Midnight in Asia/Shanghai, which has had no other offset since 1991.
fn start_ms(day: Date) -> i64 {
    let midnight = day.at(0, 0, 0, 0);
    Offset::constant(8)
        .to_timestamp(midnight)
        .map_or(i64::MAX, jiff::Timestamp::as_millisecond)
}

impl From<BillFailure> for Failure {
    fn from(error: BillFailure) -> Self {
        let refused = |code, error: &BillFailure, retry_after_ms, wechat_code: Option<&str>| {
            let mut refused = ApiError::new(code, error.to_string());
            refused.wechat_code = wechat_code.map(str::to_owned);
            refused.retry_after_ms = retry_after_ms;
            Self::from(refused)
        };
        match &error {
            BillFailure::Day => Self::field(
                ErrorCode::InvalidRequest,
                "day",
                "must be a day in Asia/Shanghai, such as 2026-11-21",
            ),
            BillFailure::Call(call) if call.is_refusal() => {
                refused(ErrorCode::WechatRefused, &error, None, call.wechat_code())
            }
            BillFailure::Call(call) => {
                let wait_ms = match call.wechat_code() {
                    Some("STATEMENT_CREATING") => CREATING_RETRY_MS,
                    _ => FAILED_RETRY_MS,
                };
                let code = ErrorCode::WechatUnavailable;
                refused(code, &error, Some(wait_ms), call.wechat_code())
            }
            BillFailure::Bill(_) => refused(
                ErrorCode::WechatUnavailable,
                &error,
                Some(FAILED_RETRY_MS),
                None,
            ),
            BillFailure::Request(_) | BillFailure::Ledger(_) => Self::Internal(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_shanghai_and_is_written_in_one_way() {
        let day = read_day("2026-11-21").unwrap();
        // 2026-11-20T16:00:00Z
        assert_eq!(start_ms(day), 1_795_190_400_000);
        for text in [
            "2026-1-21",
            "20261121",
            "2026-11-31",
            "today",
            "",
            "2026-11-21T00:00:00",
        ] {
            assert!(matches!(read_day(text), Err(BillFailure::Day)), "{text}");
        }
    }
}
