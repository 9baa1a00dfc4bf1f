//! A day's bill: downloaded, its hash checked, and compared with the ledger. Days are those of
//! Asia/Shanghai, as WeChat's are. Nothing here changes an order: a difference is for a person. A
//! refund that only the bill knows is asked about, and taken in as WeChat vouches for it.

mod comparison;

use axum::Json;
use axum::extract::{RawQuery, State};
use jiff::civil::Date;
use jiff::tz::Offset;
use merchant_api::{ApiError, BillComparison, BillDifference, ErrorCode};
use wechat_pay::bill::{
    BillAccount, BillError, BillReader, BillText, BillTicket, BillType, FundFlowBillRequest,
    Packing, TradeBillRequest, TradeBillRow, TradeBillSummary,
};
use wechat_pay::{InvalidField, Operation, RequestParts};

use crate::api_key::Backend;
use crate::bill_file::BillFile;
use crate::config::Scope;
use crate::error::Failure;
use crate::folder::folder_of;
use crate::ledger::{Ledger, LedgerError};
use crate::path_text::PathText;
use crate::query;
use crate::server::MerchantServer;
use crate::wechat_client::{CallError, WechatClient};
use comparison::Comparison;

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
    /// The bill of somebody whom this merchant does not act for; the rule that it breaks.
    #[error("sub_mchid {0}")]
    SubMchid(&'static str),
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
    /// This machine's disk.
    #[error("the bill's file cannot be kept: {0}")]
    Disk(#[from] std::io::Error),
}

/// How files travel: a day's text packs to a tenth of itself.
const PACKING: Packing = Packing::Gzip;

/// `GET /v1/bills/{day}?sub_mchid`
pub(crate) async fn compare_bill(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(day): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<BillComparison>, Failure> {
    backend.may(Scope::Bills)?;
    let mut sub_mchid = None;
    for (name, value) in query::parameters(&query.unwrap_or_default())? {
        match &*name {
            "sub_mchid" => sub_mchid = Some(value.into_owned()),
            _ => return Err(Failure::invalid(&name, "is not a parameter of a bill")),
        }
    }
    let day = read_day(&day).ok_or_else(|| Failure::invalid("day", DAY_RULE))?;
    let (wechat, ledger) = (&server.wechat, &server.ledger);
    let folder = server.config.files_dir();
    let compared = compare(wechat, ledger, folder, day, sub_mchid.as_deref()).await?;
    Ok(Json(compared))
}

/// Downloads the trade bill of a day and compares it, row by row: the whole one, or in partner mode
/// one sub-merchant's. The file goes into the folder meanwhile.
pub(crate) async fn compare(
    wechat: &WechatClient,
    ledger: &Ledger,
    folder: &std::path::Path,
    day: Date,
    sub_mchid: Option<&str>,
) -> Result<BillComparison, BillFailure> {
    let wanted = Wanted::new(wechat, BillKind::Trade, day, sub_mchid)?;
    // After the calendar's last day there is none.
    let day_ms = start_ms(day)..day.tomorrow().map_or(i64::MAX, start_ms);
    let here = ledger.business(day_ms.start, day_ms.end, sub_mchid).await?;
    let mut comparison = Comparison::new(day_ms, wanted.sub_mchid.clone(), here);
    let mut summary = None;
    if let Some((file, ticket)) = fetch(wechat, &wanted, folder).await? {
        // No row is believed before the whole file is.
        unpack(&file, &ticket, std::io::sink()).await?;
        let mut reader = BillReader::new(PACKING, &ticket)?;
        let mut piece = Vec::new();
        file.rewind().await?;
        while file.read_piece(&mut piece).await? {
            for row in reader.push(&piece)? {
                take(&mut comparison, ledger, &TradeBillRow::read(&row)?).await?;
            }
        }
        let (rest, sums) = reader.finish()?;
        for row in rest {
            take(&mut comparison, ledger, &TradeBillRow::read(&row)?).await?;
        }
        summary = Some(TradeBillSummary::read(&sums)?);
    }
    let compared = comparison.finish(summary.as_ref());
    learn_refunds(ledger, &compared.differences, wechat.clock.now_ms()).await?;
    Ok(BillComparison {
        day: day.to_string(),
        sub_mchid: wanted.sub_mchid,
        live: wechat.gateway.is_live(),
        payments: compared.payments,
        refunds: compared.refunds,
        differences: compared.differences,
    })
}

/// A row beside what the ledger has under its number, be it of that day or not.
async fn take(
    comparison: &mut Comparison,
    ledger: &Ledger,
    row: &TradeBillRow,
) -> Result<(), LedgerError> {
    match &row.refund {
        None => {
            let mut ours = comparison.named_payment(&row.out_trade_no);
            if ours.is_none() {
                ours = ledger.payment_here(&row.out_trade_no).await?;
            }
            comparison.take_payment(row, ours.as_ref());
        }
        Some(refund) => {
            let mut ours = comparison.named_refund(&refund.out_refund_no);
            if ours.is_none() {
                ours = ledger.refund_here(&refund.out_refund_no).await?;
            }
            comparison.take_refund(row, refund, ours.as_ref());
        }
    }
    Ok(())
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

/// A bill as WeChat has it, unpacked into a new file, which others cannot read: it names buyers.
/// Gives its length in bytes; `None` where nothing happened on that day.
pub(crate) async fn save(
    wechat: &WechatClient,
    kind: BillKind,
    day: Date,
    sub_mchid: Option<&str>,
    to: &std::path::Path,
) -> Result<Option<u64>, BillFailure> {
    let wanted = Wanted::new(wechat, kind, day, sub_mchid)?;
    let folder = folder_of(to);
    // It gets its name when it is whole and has its hash, and never that of another file.
    let mut saved = tempfile::NamedTempFile::new_in(folder)?;
    let Some((file, ticket)) = fetch(wechat, &wanted, folder).await? else {
        return Ok(None);
    };
    let length = unpack(&file, &ticket, saved.as_file_mut()).await?;
    saved.as_file().sync_all()?;
    saved.persist_noclobber(to).map_err(|error| error.error)?;
    Ok(Some(length))
}

/// Goes through a file from its beginning: it must have the hash of its ticket. Gives the length of
/// its text in bytes.
async fn unpack(
    file: &BillFile,
    ticket: &BillTicket,
    mut to: impl std::io::Write,
) -> Result<u64, BillFailure> {
    let mut unpacking = BillText::new(PACKING, ticket)?;
    let (mut piece, mut text) = (Vec::new(), Vec::new());
    let mut length = 0;
    file.rewind().await?;
    while file.read_piece(&mut piece).await? {
        text.clear();
        unpacking.push(&piece, &mut text)?;
        length += text.len() as u64;
        to.write_all(&text)?;
    }
    text.clear();
    unpacking.finish(&mut text)?;
    to.write_all(&text)?;
    Ok(length + text.len() as u64)
}

/// A bill that can be asked for.
struct Wanted {
    kind: BillKind,
    day: Date,
    /// Partner mode: one sub-merchant's bill alone.
    sub_mchid: Option<String>,
}

impl Wanted {
    fn new(
        wechat: &WechatClient,
        kind: BillKind,
        day: Date,
        sub_mchid: Option<&str>,
    ) -> Result<Self, BillFailure> {
        if let Some(sub_mchid) = sub_mchid {
            let known = wechat.merchant.known_sub_merchant(sub_mchid);
            known.map_err(BillFailure::SubMchid)?;
        }
        Ok(Self {
            kind,
            day,
            sub_mchid: sub_mchid.map(str::to_owned),
        })
    }

    fn request(&self) -> Result<RequestParts, InvalidField> {
        let packing = PACKING;
        match self.kind {
            BillKind::Trade => TradeBillRequest {
                bill_date: self.day,
                bill_type: BillType::All,
                packing,
                sub_mchid: self.sub_mchid.clone(),
            }
            .request(),
            BillKind::FundFlow(account) => Ok(FundFlowBillRequest {
                bill_date: self.day,
                account,
                packing,
            }
            .request()),
        }
    }
}

/// Downloads a bill's file, which is not to be believed before it is gone through ([`unpack`]). `None`
/// where nothing happened on that day.
async fn fetch(
    wechat: &WechatClient,
    wanted: &Wanted,
    folder: &std::path::Path,
) -> Result<Option<(BillFile, BillTicket)>, BillFailure> {
    let reply = match wechat.send(Operation::Bill, wanted.request()?).await {
        Ok(reply) => reply,
        // Nobody paid anything on that day.
        Err(error) if error.wechat_code() == Some("NO_STATEMENT_EXIST") => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let ticket: BillTicket = reply.parse().map_err(CallError::from)?;
    let file = BillFile::new_in(folder)?;
    wechat.fetch(&ticket.download()?, &file).await?;
    Ok(Some((file, ticket)))
}

/// What a day must be.
pub const DAY_RULE: &str = "must be a day in Asia/Shanghai, such as 2026-11-21";

/// A day as it is written for a bill, in the one way that there is.
#[must_use]
pub fn read_day(text: &str) -> Option<Date> {
    text.parse()
        .ok()
        .filter(|day: &Date| day.to_string() == text)
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
            BillFailure::SubMchid(rule) => Self::invalid("sub_mchid", rule),
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
            BillFailure::Request(_) | BillFailure::Ledger(_) | BillFailure::Disk(_) => {
                Self::Internal(error.to_string())
            }
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
            assert_eq!(read_day(text), None, "{text}");
        }
    }
}
