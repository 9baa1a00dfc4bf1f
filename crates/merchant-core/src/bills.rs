//! A day's bill: downloaded, its hash checked, and compared with the ledger. Days are in
//! Asia/Shanghai, like WeChat's. Nothing here changes an order: differences are for a person. A
//! refund that only the bill has is queried, and added to the ledger if WeChat confirms it.

mod comparison;
mod download;
mod failure;
mod kind;

use std::io;
use std::path::Path;

use bytes::Bytes;
use comparison::Comparison;
use download::{BillRequest, PACKING, fetch, save, unpack, write_text};
use failure::BillFailure;
use futures_util::Stream;
use jiff::civil::Date;
use jiff::tz::Offset;
pub use kind::{BillKind, read_account};
use merchant_api::{BillComparison, BillDifference};
use wechat_pay::bill::{BillError, BillReader, BillRow, TradeBillRow, TradeBillSummary};

use crate::config::Config;
use crate::ledger::{Ledger, LedgerError};
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::surroundings::Surroundings;
use crate::wechat::{BillFile, WechatClient};

/// Compares the trade bill of a day with the ledger, row by row: the whole bill, or in partner mode
/// the bill of one sub-merchant.
pub async fn compare(
    payments: &Payments,
    day: Date,
    sub_mchid: Option<&str>,
) -> Result<BillComparison, Refusal> {
    let folder = payments.config.files_dir();
    let (wechat, ledger) = (&payments.wechat, &payments.ledger);
    Ok(compare_in(wechat, ledger, folder, day, sub_mchid).await?)
}

/// A bill of WeChat, unpacked. The hash of the whole file matched the hash that WeChat signed.
pub struct FetchedBill {
    /// A file name that differs from those of other bills.
    pub name: String,
    /// The length in bytes.
    pub length: u64,
    text: BillFile,
}

impl FetchedBill {
    /// The text, piece by piece.
    pub fn pieces(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        self.text.pieces()
    }
}

/// Fetches a bill; `None` if nothing happened on that day.
pub async fn fetch_file(
    payments: &Payments,
    kind: BillKind,
    day: Date,
    sub_mchid: Option<&str>,
) -> Result<Option<FetchedBill>, Refusal> {
    let request = BillRequest::new(&payments.wechat, kind, day, sub_mchid)?;
    let folder = payments.config.files_dir();
    let disk = BillFailure::Disk;
    let mut text = tempfile::tempfile_in(folder).map_err(disk)?;
    let Some(length) = write_text(&payments.wechat, &request, folder, &mut text).await? else {
        return Ok(None);
    };
    let text = BillFile::of(text);
    text.rewind().await.map_err(disk)?;
    Ok(Some(FetchedBill {
        name: request.file_name(),
        length,
        text,
    }))
}

/// Why a day's bill could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum NoBill {
    /// The sub-merchant is not configured; the rule that it breaks.
    #[error("sub_mchid {0}")]
    SubMchid(&'static str),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The download, the file or the disk failed.
    #[error("{0}")]
    Failed(String),
}

impl From<BillFailure> for NoBill {
    fn from(error: BillFailure) -> Self {
        match error {
            BillFailure::SubMchid(rule) => Self::SubMchid(rule),
            BillFailure::Ledger(error) => Self::Ledger(error),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Compares WeChat's trade bill of a day in Asia/Shanghai with the ledger: the whole bill, or in
/// partner mode one sub-merchant's.
pub async fn compare_bill(
    config: &Config,
    surroundings: &Surroundings,
    day: Date,
    sub_mchid: Option<&str>,
) -> Result<BillComparison, NoBill> {
    let wechat = WechatClient::new(config, surroundings);
    let ledger = Ledger::open_as_it_is(config).await?;
    Ok(compare_in(&wechat, &ledger, config.files_dir(), day, sub_mchid).await?)
}

/// Saves WeChat's bill to a new file after checking its hash; returns its length in bytes. `None`
/// if nothing happened on that day: there is no file then.
pub async fn save_bill(
    config: &Config,
    surroundings: &Surroundings,
    kind: BillKind,
    day: Date,
    sub_mchid: Option<&str>,
    to: &Path,
) -> Result<Option<u64>, NoBill> {
    let wechat = WechatClient::new(config, surroundings);
    Ok(save(&wechat, kind, day, sub_mchid, to).await?)
}

/// Downloads the trade bill of a day and compares it row by row: the whole bill, or in partner mode
/// one sub-merchant's. The file is in the folder meanwhile.
async fn compare_in(
    wechat: &WechatClient,
    ledger: &Ledger,
    folder: &Path,
    day: Date,
    sub_mchid: Option<&str>,
) -> Result<BillComparison, BillFailure> {
    let request = BillRequest::new(wechat, BillKind::Trade, day, sub_mchid)?;
    // The calendar's last day has no next day.
    let day_ms = start_ms(day)..day.tomorrow().map_or(i64::MAX, start_ms);
    let here = ledger.business(day_ms.start, day_ms.end, sub_mchid).await?;
    let mut comparison = Comparison::new(day_ms, request.sub_mchid.clone(), here);
    let mut summary = None;
    if let Some((file, ticket)) = fetch(wechat, &request, folder).await? {
        // No row is used before the whole file is verified.
        unpack(&file, &ticket, std::io::sink()).await?;
        let mut reader = BillReader::new(PACKING, &ticket)?;
        let mut piece = Vec::new();
        file.rewind().await?;
        while file.read_piece(&mut piece).await? {
            for row in reader.push(&piece)? {
                take_line(&mut comparison, ledger, &row).await?;
            }
        }
        let (rest, sums) = reader.finish()?;
        for row in rest {
            take_line(&mut comparison, ledger, &row).await?;
        }
        match TradeBillSummary::read(&sums) {
            Ok(sums) => summary = Some(sums),
            Err(error) => comparison.take_unread_summary(&error),
        }
    }
    let compared = comparison.finish(summary.as_ref());
    learn_refunds(ledger, &compared.differences, wechat.clock.now_ms()).await?;
    Ok(BillComparison {
        day: day.to_string(),
        sub_mchid: request.sub_mchid,
        live: wechat.gateway.is_live(),
        payments: compared.payments,
        refunds: compared.refunds,
        differences: compared.differences,
    })
}

/// Compares one line of the bill. A line that cannot be read is a difference, and the other lines
/// are still compared. A bill without a needed column cannot be compared at all.
async fn take_line(
    comparison: &mut Comparison,
    ledger: &Ledger,
    line: &BillRow,
) -> Result<(), BillFailure> {
    match TradeBillRow::read(line) {
        Ok(row) => take(comparison, ledger, &row).await?,
        Err(error @ BillError::ColumnMissing(_)) => return Err(error.into()),
        Err(error) => {
            tracing::error!(event = "bill.line_unreadable", line = line.line(), %error, "a line of WeChat's bill cannot be read");
            comparison.take_unread(line, &error);
        }
    }
    Ok(())
}

/// Compares a row with the ledger's entry of the same number, of any day.
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

/// A refund that only the bill has was made in WeChat's portal or by another program. Due work
/// queries it and adds it to the ledger; its payment need not be ours.
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

/// The rule for a day.
pub const DAY_RULE: &str = "must be a day in Asia/Shanghai, such as 2026-11-21";

/// Reads a day in the form `2026-11-21`.
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
