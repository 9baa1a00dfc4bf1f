//! Trade bills of version 2 (`downloadbill`): the answer is the file itself, or XML if WeChat
//! refuses. The file is read by [`BillReader::without_hash`], and its rows as those of version 3
//! ([`crate::bill::TradeBillRow`]).

use jiff::civil::Date;
use payment_values::{InvalidField, check_text};

use super::acknowledgement::is_xml;
use super::request::Request;
use super::route::Route;
use crate::bill::{BillReader, Packing};
use crate::orders::account::Orderer;

/// The rows of a bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BillType {
    /// Payments and refunds.
    #[default]
    All,
    /// Only payments.
    Success,
    /// Only refunds.
    Refund,
    /// Only refunds of prepaid credit; the bill has one more column (返还手续费).
    RechargeRefund,
}

/// A bill to download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadBill {
    /// The day, in Beijing.
    pub bill_date: Date,
    /// The rows.
    pub bill_type: BillType,
    /// How the file is packed.
    pub packing: Packing,
    /// Only the rows of one device; at most 32 bytes.
    pub device_info: Option<String>,
}

impl BillType {
    /// WeChat's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Success => "SUCCESS",
            Self::Refund => "REFUND",
            Self::RechargeRefund => "RECHARGE_REFUND",
        }
    }
}

impl DownloadBill {
    /// The request. In partner mode the account names the sub-merchant whose rows are wanted.
    pub fn request(&self, orderer: &Orderer) -> Result<Request, InvalidField> {
        let mut request = Request::of(Route::DownloadBill, orderer)?;
        let date = self.bill_date;
        let (year, month, day) = (date.year(), date.month(), date.day());
        request.set("bill_date", format!("{year:04}{month:02}{day:02}"));
        request.set("bill_type", self.bill_type.as_str());
        request.set_optional(
            "tar_type",
            (self.packing == Packing::Gzip).then_some("GZIP"),
        );
        if let Some(device) = &self.device_info {
            check_text("device_info", device, 32)?;
            request.set("device_info", device.clone());
        }
        Ok(request)
    }
}

/// A reader for the answer to [`DownloadBill`], chosen by its first bytes; `None` if the answer is
/// XML, that is a refusal: read it whole with [`super::Answer::verify`]. A refusal is never packed,
/// and a file is packed only if that was requested.
#[must_use]
pub fn bill_reader(first_bytes: &[u8]) -> Option<BillReader> {
    if is_xml(first_bytes) {
        return None;
    }
    Some(BillReader::without_hash(packing_of_bill(first_bytes)))
}

/// How a bill of version 2 is packed, by its first bytes: nothing else says it.
#[must_use]
pub fn packing_of_bill(first_bytes: &[u8]) -> Packing {
    const GZIP: &[u8] = b"\x1f\x8b";
    if first_bytes.starts_with(GZIP) {
        Packing::Gzip
    } else {
        Packing::Plain
    }
}

#[cfg(test)]
mod tests;
