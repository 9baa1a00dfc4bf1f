//! What a merchant does on the days after: `reconcile --since` over the whole chaos, and `bill` of
//! each of its days. Both commands must find no difference. The bills must also add up to what
//! WeChat's ledger holds, because a comparison that overlooks everything finds no difference
//! either.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use crate::ledgers::{WechatOrder, WechatRefund};
use crate::programs::MerchantServer;

/// The number of payments and refunds, and their sums in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    payments: u64,
    paid_fen: u64,
    refunds: u64,
    refunded_fen: u64,
}

impl Totals {
    /// The figures of WeChat's ledger for one merchant. A payment that never succeeded and a refund
    /// that was closed moved no money and are in no bill. A code payment that was taken back after
    /// the buyer had paid is a line of the bill, but `bill` counts it as little as the ledger does.
    pub(crate) fn at_wechat(mchid: &str, orders: &[WechatOrder], refunds: &[WechatRefund]) -> Self {
        let mut totals = Self::default();
        let paid = |order: &&WechatOrder| {
            order.mchid == mchid && order.transaction_id.is_some() && order.trade_state != "REVOKED"
        };
        for order in orders.iter().filter(paid) {
            totals.payments += 1;
            totals.paid_fen += order.payer_total_fen;
        }
        let moved = |refund: &&WechatRefund| refund.mchid == mchid && refund.status != "CLOSED";
        for refund in refunds.iter().filter(moved) {
            totals.refunds += 1;
            totals.refunded_fen += refund.amount_fen;
        }
        totals
    }

    /// The last line of `bill`, as in `2026-11-21: 2 payments of 30 fen and 1 refunds of 5 fen …`.
    fn of_line(line: &str) -> Option<Self> {
        let (_, numbers) = line.split_once(": ")?;
        let (numbers, _) = numbers.split_once(" at WeChat")?;
        let mut numbers = numbers.split(' ').filter_map(|word| word.parse().ok());
        Some(Self {
            payments: numbers.next()?,
            paid_fen: numbers.next()?,
            refunds: numbers.next()?,
            refunded_fen: numbers.next()?,
        })
    }

    fn add(&mut self, other: Self) {
        self.payments += other.payments;
        self.paid_fen += other.paid_fen;
        self.refunds += other.refunds;
        self.refunded_fen += other.refunded_fen;
    }
}

/// Reconciles everything since a moment. Returns each line that reports a difference.
pub(crate) fn reconcile(server: &MerchantServer, since_ms: i64) -> Vec<String> {
    let since = Timestamp::from_millisecond(since_ms).unwrap().to_string();
    let ran = server.command(&["reconcile", "--since", &since]);
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let mut lines: Vec<_> = said
        .lines()
        .map(|line| format!("reconcile: {line}"))
        .collect();
    match lines.pop() {
        Some(last) if last.ends_with(" 0 did not agree") && ran.status.success() => {}
        last => lines.push(format!(
            "reconcile: {} {last:?} {}",
            ran.status,
            String::from_utf8_lossy(&ran.stderr)
        )),
    }
    lines
}

/// Compares the bill of each day in Asia/Shanghai from one moment to another. Returns each
/// difference, and the difference between the sum of all days and `expected`.
pub(crate) fn bills(
    server: &MerchantServer,
    from_ms: i64,
    to_ms: i64,
    expected: Totals,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut sum = Totals::default();
    let mut day = day_of(from_ms);
    while day <= day_of(to_ms) {
        let ran = server.command(&["bill", &day.to_string()]);
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let mut lines: Vec<_> = said.lines().collect();
        let totals = lines.pop().and_then(Totals::of_line);
        found.extend(lines.iter().map(|line| format!("bill {day}: {line}")));
        match totals {
            Some(totals) => sum.add(totals),
            None => found.push(format!(
                "bill {day}: {} {said} {}",
                ran.status,
                String::from_utf8_lossy(&ran.stderr)
            )),
        }
        day = day.checked_add(1.day()).unwrap();
    }
    if sum != expected {
        found.push(format!(
            "the bills come to {sum:?}, and WeChat's ledger has {expected:?}"
        ));
    }
    found
}

fn day_of(at_ms: i64) -> Date {
    let at = Timestamp::from_millisecond(at_ms).unwrap();
    Offset::constant(8).to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_payment_that_was_taken_back_is_in_no_total() {
        let order = |trade_state: &str| WechatOrder {
            mchid: "1900000001".to_owned(),
            out_trade_no: "order".to_owned(),
            trade_state: trade_state.to_owned(),
            transaction_id: Some("42001".to_owned()),
            total_fen: 30,
            payer_total_fen: 30,
            refunded_fen: 0,
            is_notifying: false,
        };
        let orders = [order("SUCCESS"), order("REVOKED")];
        let totals = Totals::at_wechat("1900000001", &orders, &[]);
        assert_eq!((totals.payments, totals.paid_fen), (1, 30));
    }

    #[test]
    fn the_last_line_of_a_bill_is_read() {
        let line =
            "2026-11-21: 2 payments of 30 fen and 1 refunds of 5 fen at WeChat; 0 differences";
        let totals = Totals {
            payments: 2,
            paid_fen: 30,
            refunds: 1,
            refunded_fen: 5,
        };
        assert_eq!(Totals::of_line(line), Some(totals));
        assert_eq!(Totals::of_line("no such day"), None);
    }
}
