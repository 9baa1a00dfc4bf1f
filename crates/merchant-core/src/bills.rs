//! A day's bill: downloaded, its hash checked, and compared with the ledger. Days are in
//! Asia/Shanghai, like WeChat's. Nothing here changes an order: differences are for a person. A
//! refund that only the bill has is queried, and added to the ledger if WeChat confirms it.

mod comparison;
pub mod csv;
mod download;
mod failure;
mod kind;
mod places;
mod run;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use bytes::Bytes;
use comparison::Comparison;
use download::{BillRequest, fetch, save, write_text};
use failure::BillFailure;
use futures_util::{Stream, StreamExt as _, stream};
use jiff::civil::Date;
use jiff::tz::Offset;
pub use kind::{BillKind, read_account};
use merchant_api::{BillComparison, BillDifference};
use run::ComparisonRun;
pub use run::TakeDifference;

use crate::config::Config;
use crate::ledger::{Ledger, LedgerError, Span};
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::surroundings::Surroundings;
use crate::wechat::{BillFile, WechatClient};

/// A day's comparison in JSON, as [`BillComparison`], in a file.
pub struct WrittenComparison {
    /// The length in bytes.
    pub length: u64,
    head: Bytes,
    differences: BillFile,
}

impl WrittenComparison {
    /// The text, piece by piece.
    pub fn pieces(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        let end = Bytes::from_static(COMPARISON_END.as_bytes());
        let once = |text| stream::once(async { Ok(text) });
        once(self.head)
            .chain(self.differences.pieces())
            .chain(once(end))
    }
}

/// How a comparison without differences ends.
const COMPARISON_END: &str = "]}";

/// Compares the trade bill of a day with the ledger, row by row: the whole bill, or in partner mode
/// the bill of one sub-merchant.
pub async fn compare(
    payments: &Payments,
    day: Date,
    sub_mchid: Option<&str>,
) -> Result<WrittenComparison, Refusal> {
    let folder = payments.config.files_dir();
    let mut file = io::BufWriter::new(tempfile::tempfile_in(folder).map_err(BillFailure::Disk)?);
    let mut is_first = true;
    let mut take = |difference: &BillDifference| {
        if !std::mem::take(&mut is_first) {
            file.write_all(b",")?;
        }
        Ok(serde_json::to_writer(&mut file, difference)?)
    };
    let (wechat, ledger) = (&payments.wechat, &payments.ledger);
    let compared = compare_in(wechat, ledger, folder, day, sub_mchid, &mut take).await?;
    Ok(written(&compared.comparison, file).await?)
}

/// The same with the first differences in memory, for a page: at most `shown_max`.
pub async fn compare_for_page(
    payments: &Payments,
    day: Date,
    sub_mchid: Option<&str>,
    shown_max: usize,
) -> Result<ComparedBill, Refusal> {
    let folder = payments.config.files_dir();
    let mut shown = Vec::new();
    let mut take = |difference: &BillDifference| {
        if shown.len() < shown_max {
            shown.push(difference.clone());
        }
        Ok(())
    };
    let (wechat, ledger) = (&payments.wechat, &payments.ledger);
    let mut compared = compare_in(wechat, ledger, folder, day, sub_mchid, &mut take).await?;
    compared.comparison.differences = shown;
    Ok(compared)
}

/// Puts the differences in the file into the rest of the comparison.
async fn written(
    comparison: &BillComparison,
    file: io::BufWriter<File>,
) -> Result<WrittenComparison, BillFailure> {
    let head = serde_json::to_string(comparison).map_err(io::Error::from)?;
    let head = head.strip_suffix(COMPARISON_END).unwrap_or(&head);
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    let length = head.len() + COMPARISON_END.len();
    let length = file.metadata()?.len() + length as u64;
    let differences = BillFile::of(file);
    differences.rewind().await?;
    Ok(WrittenComparison {
        length,
        head: Bytes::copy_from_slice(head.as_bytes()),
        differences,
    })
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

/// A day that was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedBill {
    /// The result; its list of differences is empty, or for a page the first of them.
    pub comparison: BillComparison,
    /// How many differences there are.
    pub differences: u64,
}

/// Compares WeChat's trade bill of a day in Asia/Shanghai with the ledger: the whole bill, or in
/// partner mode one sub-merchant's. `take` gets each difference.
pub async fn compare_bill(
    config: &Config,
    surroundings: &Surroundings,
    day: Date,
    sub_mchid: Option<&str>,
    take: &mut TakeDifference<'_>,
) -> Result<ComparedBill, NoBill> {
    let wechat = WechatClient::new(config, surroundings);
    let ledger = Ledger::open_as_it_is(config).await?;
    let folder = config.files_dir();
    Ok(compare_in(&wechat, &ledger, folder, day, sub_mchid, take).await?)
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
    take: &mut TakeDifference<'_>,
) -> Result<ComparedBill, BillFailure> {
    let request = BillRequest::new(wechat, BillKind::Trade, day, sub_mchid)?;
    // The calendar's last day has no next day.
    let day_ms = start_ms(day)..day.tomorrow().map_or(i64::MAX, start_ms);
    let span = Span {
        from_ms: day_ms.start,
        to_ms: day_ms.end,
        sub_mchid,
    };
    let file = fetch(wechat, &request, folder).await?;
    let mut run = ComparisonRun {
        comparison: Comparison::new(day_ms, request.sub_mchid.clone()),
        ledger,
        now_ms: wechat.clock.now_ms(),
        differences: 0,
        take,
    };
    if let Some((file, seal)) = file {
        run.take_file(&file, &seal).await?;
    }
    run.take_missing(span).await?;
    let Comparison {
        payments, refunds, ..
    } = run.comparison;
    Ok(ComparedBill {
        comparison: BillComparison {
            day: day.to_string(),
            sub_mchid: request.sub_mchid,
            live: wechat.gateway.is_live(),
            payments,
            refunds,
            differences: Vec::new(),
        },
        differences: run.differences,
    })
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
