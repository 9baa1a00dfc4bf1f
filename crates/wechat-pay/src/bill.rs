//! Bills: request one, download its file, read it.
//!
//! 1. [`TradeBillRequest`] or [`FundFlowBillRequest`]; the answer is a [`BillTicket`], signed.
//! 2. [`BillTicket::download`]: a request to the address in the ticket, valid for five minutes.
//!    WeChat never signs the file; only [`BillDownload::file`] accepts an unsigned success. The
//!    ticket's hash, which is signed, authenticates the file.
//! 3. [`read_bill`] checks the hash first and then reads. For files that do not fit into memory:
//!    [`BillText`] checks the hash piece by piece, and [`BillReader`] does both in one pass.
//!
//! A sub-merchant's flow of funds, which its provider requests, comes encrypted and perhaps in
//! parts: [`SubMerchantFundFlowBillRequest`], [`SealedBillTickets`], [`read_sealed_bill`].
//!
//! Columns are found by name, because their set differs from kind to kind and grows; the names from
//! before 2018 are known as well. A line that cannot be read does not hide the others: its row says
//! why ([`BillRow::check`]).

mod error;
mod fund_flow;
mod limits;
mod reader;
mod request;
mod row;
mod sealed;
mod trade;
mod unpacking;

pub use error::BillError;
pub use fund_flow::{FundFlowDirection, FundFlowRow, FundFlowSummary};
pub use limits::{MAX_BILL_BYTES, MAX_LINE_BYTES};
use reader::read_parts;
pub use reader::{Bill, BillReader, BillText, read_bill};
pub use request::{
    BillAccount, BillDownload, BillTicket, BillType, FundFlowBillRequest, Packing, TradeBillRequest,
};
pub use row::BillRow;
pub use sealed::{
    SealedBillTicket, SealedBillTickets, SubMerchantFundFlowBillRequest, read_sealed_bill,
    seal_bill,
};
pub use trade::{TradeBillRefund, TradeBillRow, TradeBillSummary};
