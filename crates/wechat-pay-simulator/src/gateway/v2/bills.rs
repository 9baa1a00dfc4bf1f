//! Trade bills of version 2: the answer is the file itself.

use jiff::civil::Date;

use super::answer::Answer;
use super::caller::Caller;
use super::fields::check;
use super::refusal::Refusal;
use crate::gateway::bills::{BillDay, day_of_bill, pack};
use crate::ledger::bill::TradeBill;
use crate::simulator::Simulator;

/// The trades of a day. Refusals have the numbers of WeChat's documents.
pub(super) fn trade(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    check(caller, &["bill_date"])?;
    let kind = match caller.field("bill_type") {
        None | Some("ALL") => TradeBill::All,
        Some("SUCCESS") => TradeBill::Success,
        Some("REFUND") => TradeBill::Refund,
        // The simulator has no prepaid credit, so nothing was refunded to it.
        Some("RECHARGE_REFUND") => return Err(none()),
        Some(_) => return Err(parameter("invalid bill_type")),
    };
    let gzip = match caller.field("tar_type") {
        None => false,
        Some("GZIP") => true,
        Some(_) => return Err(parameter("invalid tar_type")),
    };
    let day = read_day(caller).ok_or_else(|| parameter("data format error"))?;
    match day_of_bill(simulator, day) {
        BillDay::Ready => {}
        BillDay::InWork => return Err(refused("Bill Creating", "20002")),
        BillDay::TooOld | BillDay::TooNew => return Err(none()),
    }
    simulator.settle_transfers();
    let sub_mchid = caller.sub_merchant(simulator)?.map(|sub| sub.sub_mchid);
    let csv = simulator
        .ledger()
        .trade_bill(&caller.mchid, sub_mchid.as_deref(), day, kind);
    let csv = csv.ok_or_else(none)?;
    let mut bytes = csv.into_bytes();
    if gzip {
        bytes = pack(&bytes).map_err(|_| refused("CompressGZip Error", "20007"))?;
    }
    Ok(Answer::File { bytes, gzip })
}

fn read_day(caller: &Caller) -> Option<Date> {
    let text = caller.field("bill_date")?;
    let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| Date::strptime("%Y%m%d", text).ok())
        .flatten()
}

fn none() -> Refusal {
    refused("No Bill Exist", "20002")
}

fn parameter(message: &str) -> Refusal {
    refused(message, "20001")
}

fn refused(message: &str, code: &'static str) -> Refusal {
    Refusal::Bill {
        message: message.to_owned(),
        code,
    }
}
