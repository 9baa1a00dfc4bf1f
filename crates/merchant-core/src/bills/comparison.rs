//! Compares a day's bill with a day of the ledger, row by row. This module does no I/O: it takes
//! rows and returns differences. Of each row it keeps a bit and the sums, so that a day of any size
//! is compared in the same memory.

use std::ops::{Range, RangeInclusive};

use merchant_api::{BillDifference, BillTotal};
use wechat_pay::Fen;
use wechat_pay::bill::{BillError, BillRow, TradeBillRefund, TradeBillRow, TradeBillSummary};

use super::places::Places;
use crate::ledger::{PaymentHere, PaymentRow, RefundHere, RefundRow};

/// The bill has a refund that the ledger does not have.
pub(super) const REFUND_MISSING_HERE: &str = "refund_missing_here";
/// The currency of every order here.
const CURRENCY: &str = "CNY";
/// A line of the bill cannot be read.
const LINE_UNREADABLE: &str = "line_unreadable";
/// A refund that was requested so close to midnight, in milliseconds, may be in the bill of either
/// day: WeChat's clock decides.
const MIDNIGHT_MS: i64 = 60_000;

/// A comparison in progress.
pub(super) struct Comparison {
    /// The day.
    day_ms: Range<i64>,
    /// The sub-merchant of the bill, if it is one sub-merchant's.
    sub_mchid: Option<String>,
    /// The day's payments in the ledger that a row has named.
    named_payments: Places,
    /// The same for refunds.
    named_refunds: Places,
    /// The sums of the rows so far, as the bill's last line counts.
    sums: Sums,
    /// The payments in the bill so far.
    pub(super) payments: BillTotal,
    /// The refunds in the bill so far.
    pub(super) refunds: BillTotal,
}

/// The sums of the bill's last line that can be computed from its rows. Fees are not among them:
/// rows have five digits after the yuan's point, and the last line has fewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    rows: u64,
    /// The number of unreadable lines. Their amounts are not in the sums.
    unread: u64,
    settlement_fen: Fen,
    refund_fen: Fen,
    coupon_refund_fen: Fen,
    total_fen: Fen,
    requested_refund_fen: Fen,
}

impl Comparison {
    /// Starts a comparison.
    pub(super) fn new(day_ms: Range<i64>, sub_mchid: Option<String>) -> Self {
        Self {
            day_ms,
            sub_mchid,
            named_payments: Places::default(),
            named_refunds: Places::default(),
            sums: Sums::default(),
            payments: BillTotal::default(),
            refunds: BillTotal::default(),
        }
    }

    /// Compares the row of a payment with the ledger's entry of its number, of any day.
    pub(super) fn take_payment(
        &mut self,
        row: &TradeBillRow,
        ours: Option<&PaymentHere>,
    ) -> Vec<BillDifference> {
        self.sums.add(row);
        let is_repeated = !self.name_payment(ours);
        if is_revoked(row) && !ours.is_some_and(is_paid) {
            return Vec::new();
        }
        add(&mut self.payments, total_of(row));
        let mut found = of_payment(row, ours, &self.day_ms);
        found.extend(is_repeated.then(|| BillDifference {
            there: Some(fen(total_of(row))),
            ..difference("payment_repeated", Some(&row.out_trade_no))
        }));
        found.extend(self.of_account(row, None));
        found
    }

    /// The same for the row of a refund.
    pub(super) fn take_refund(
        &mut self,
        row: &TradeBillRow,
        refund: &TradeBillRefund,
        ours: Option<&RefundHere>,
    ) -> Vec<BillDifference> {
        self.sums.add(row);
        let is_repeated = !self.name_refund(ours);
        if is_revoked(row) && ours.is_none() {
            return Vec::new();
        }
        add(&mut self.refunds, amount_of(refund));
        let mut found = of_refund(row, refund, ours);
        found.extend(is_repeated.then(|| BillDifference {
            out_refund_no: Some(refund.out_refund_no.clone()),
            there: Some(fen(amount_of(refund))),
            ..difference("refund_repeated", Some(&row.out_trade_no))
        }));
        found.extend(self.of_account(row, Some(refund)));
        found
    }

    /// Records a line that cannot be read. If its numbers can be read, the ledger's entries of
    /// these numbers are not reported as missing in the bill.
    pub(super) fn take_unread(
        &mut self,
        line: &BillRow,
        error: &BillError,
        payment: Option<&PaymentHere>,
        refund: Option<&RefundHere>,
    ) -> BillDifference {
        let LineNumbers {
            out_trade_no,
            out_refund_no,
        } = LineNumbers::of(line);
        if out_refund_no.is_some() {
            self.name_refund(refund);
        } else {
            self.name_payment(payment);
        }
        self.sums.unread += 1;
        if !matches!(error, BillError::AfterSummary { .. }) {
            self.sums.rows += 1;
        }
        BillDifference {
            out_refund_no: out_refund_no.map(str::to_owned),
            there: Some(error.to_string()),
            ..difference(LINE_UNREADABLE, out_trade_no)
        }
    }

    /// Notes that a row names an entry; `false` if an earlier row named it. Only entries of the day
    /// are noted: no others can be missing.
    fn name_payment(&mut self, ours: Option<&PaymentHere>) -> bool {
        let in_day = |ours: &&PaymentHere| {
            let at_ms = ours.success_ms;
            at_ms.is_some_and(|at_ms| self.day_ms.contains(&at_ms))
        };
        let place = ours.filter(in_day).and_then(|ours| ours.place);
        place.is_none_or(|place| self.named_payments.insert(place))
    }

    fn name_refund(&mut self, ours: Option<&RefundHere>) -> bool {
        let in_day = |ours: &&RefundHere| self.day_ms.contains(&ours.created_ms);
        let place = ours.filter(in_day).map(|ours| ours.place);
        place.is_none_or(|place| self.named_refunds.insert(place))
    }

    /// A row of another merchant in one sub-merchant's bill, or of another currency.
    fn of_account(
        &self,
        row: &TradeBillRow,
        refund: Option<&TradeBillRefund>,
    ) -> Vec<BillDifference> {
        let found = |kind, here: Option<String>, there: Option<String>| BillDifference {
            out_refund_no: refund.map(|refund| refund.out_refund_no.clone()),
            here,
            there,
            ..difference(kind, Some(&row.out_trade_no))
        };
        let mut differences = Vec::new();
        if self.sub_mchid.is_some() && self.sub_mchid != row.sub_mchid {
            let (here, there) = (self.sub_mchid.clone(), row.sub_mchid.clone());
            differences.push(found("bill_sub_mchid", here, there));
        }
        if !matches!(row.currency.as_str(), "" | CURRENCY) {
            let (here, there) = (CURRENCY.to_owned(), row.currency.clone());
            differences.push(found("bill_currency", Some(here), Some(there)));
        }
        differences
    }

    /// Whether the bill had no line so far, readable or not.
    pub(super) fn has_no_line(&self) -> bool {
        self.sums == Sums::default()
    }

    /// Compares the bill's last line with the sums of its rows. To be called after the last row.
    pub(super) fn take_summary(&self, summary: &TradeBillSummary) -> Vec<BillDifference> {
        self.sums.differences(summary)
    }

    /// A payment of the day is missing in the bill, if no row has named it.
    pub(super) fn missing_payment(&self, ours: &PaymentRow) -> Option<BillDifference> {
        let payment = &ours.payment;
        let is_named = |place| self.named_payments.contains(place);
        let is_missing = is_paid(payment) && !payment.place.is_some_and(is_named);
        is_missing.then(|| BillDifference {
            here: Some(fen(payment.total_fen)),
            ..difference("payment_missing_there", Some(ours.out_trade_no.as_str()))
        })
    }

    /// The same for a refund.
    pub(super) fn missing_refund(&self, ours: &RefundRow) -> Option<BillDifference> {
        let refund = &ours.refund;
        let is_named = self.named_refunds.contains(refund.place);
        let is_missing = was_surely_sent(refund, &self.day_ms) && !is_named;
        is_missing.then(|| BillDifference {
            out_refund_no: Some(ours.out_refund_no.as_str().to_owned()),
            here: Some(fen(refund.amount_fen)),
            ..difference("refund_missing_there", Some(refund.out_trade_no.as_str()))
        })
    }
}

/// The last line of the bill cannot be read.
pub(super) fn unread_summary(error: &BillError) -> BillDifference {
    BillDifference {
        there: Some(error.to_string()),
        ..difference(LINE_UNREADABLE, None)
    }
}

/// The merchant's numbers in a line, as far as they can be read.
pub(super) struct LineNumbers<'a> {
    pub(super) out_trade_no: Option<&'a str>,
    pub(super) out_refund_no: Option<&'a str>,
}

impl<'a> LineNumbers<'a> {
    pub(super) fn of(line: &'a BillRow) -> Self {
        let number = |column: &str| line.get(column).filter(|text| !matches!(*text, "" | "0"));
        Self {
            out_trade_no: number("商户订单号"),
            out_refund_no: number("商户退款单号"),
        }
    }
}

fn of_payment(
    row: &TradeBillRow,
    ours: Option<&PaymentHere>,
    day_ms: &Range<i64>,
) -> Vec<BillDifference> {
    let there_fen = fen(total_of(row));
    let found = |kind, here: Option<String>, there: Option<String>| BillDifference {
        here,
        there,
        ..difference(kind, Some(&row.out_trade_no))
    };
    let Some(ours) = ours.filter(|ours| is_paid(ours)) else {
        let state = ours.map(|ours| ours.state.clone());
        return vec![found("payment_missing_here", state, Some(there_fen))];
    };
    let mut differences = Vec::new();
    if !totals_of(row).contains(&ours.total_fen) {
        let here = Some(fen(ours.total_fen));
        differences.push(found("payment_amount", here, Some(there_fen)));
    }
    // The row of a payment keeps SUCCESS when it is refunded.
    if row.trade_state != "SUCCESS" {
        let here = Some(ours.state.clone());
        differences.push(found("payment_state", here, Some(row.trade_state.clone())));
    }
    if ours.transaction_id.as_deref() != Some(row.transaction_id.as_str()) {
        differences.push(found(
            "payment_transaction_id",
            ours.transaction_id.clone(),
            Some(row.transaction_id.clone()),
        ));
    }
    if ours
        .success_ms
        .is_some_and(|at_ms| !day_ms.contains(&at_ms))
    {
        let here = ours.success_ms.map(crate::ledger::timestamp);
        differences.push(found("payment_day", here, Some(row.trade_time.clone())));
    }
    if ours.sub_mchid != row.sub_mchid {
        differences.push(found(
            "payment_sub_mchid",
            ours.sub_mchid.clone(),
            row.sub_mchid.clone(),
        ));
    }
    differences
}

fn of_refund(
    row: &TradeBillRow,
    refund: &TradeBillRefund,
    ours: Option<&RefundHere>,
) -> Vec<BillDifference> {
    let there_fen = fen(amount_of(refund));
    let found = |kind, here: Option<String>, there: Option<String>| BillDifference {
        out_refund_no: Some(refund.out_refund_no.clone()),
        here,
        there,
        ..difference(kind, Some(&row.out_trade_no))
    };
    let Some(ours) = ours else {
        return vec![found(REFUND_MISSING_HERE, None, Some(there_fen))];
    };
    let mut differences = Vec::new();
    if ours.amount_fen != amount_of(refund) {
        let here = Some(fen(ours.amount_fen));
        differences.push(found("refund_amount", here, Some(there_fen)));
    }
    if !may_follow(&refund.status, &ours.state) {
        let here = Some(ours.state.clone());
        differences.push(found("refund_state", here, Some(refund.status.clone())));
    }
    if ours.sub_mchid != row.sub_mchid {
        differences.push(found(
            "refund_sub_mchid",
            ours.sub_mchid.clone(),
            row.sub_mchid.clone(),
        ));
    }
    differences
}

/// Whether a refund may have moved from the bill's state to the ledger's state: a bill does not
/// change, but refunds do.
fn may_follow(there: &str, here: &str) -> bool {
    match there {
        "SUCCESS" => here == "succeeded",
        "PROCESSING" => here != "refused",
        "FAIL" | "CHANGE" => matches!(here, "closed" | "abnormal" | "processing" | "succeeded"),
        _ => false,
    }
}

impl Sums {
    fn add(&mut self, row: &TradeBillRow) {
        self.rows += 1;
        let add = |sum: &mut Fen, amount: Fen| *sum = sum.saturating_add(amount);
        add(&mut self.settlement_fen, row.settlement_total);
        add(&mut self.total_fen, row.total.unwrap_or_default());
        if let Some(refund) = &row.refund {
            add(&mut self.refund_fen, refund.refund);
            add(&mut self.coupon_refund_fen, refund.coupon_refund);
            add(
                &mut self.requested_refund_fen,
                refund.requested.unwrap_or_default(),
            );
        }
    }

    /// Compares the bill's last line with the sums of its rows, and names each sum that differs.
    fn differences(&self, summary: &TradeBillSummary) -> Vec<BillDifference> {
        let fen = |sum: Fen| Some(sum.count());
        let sums = [
            ("rows", self.rows, Some(summary.count)),
            (
                "settlement_total",
                self.settlement_fen.count(),
                fen(summary.settlement_total),
            ),
            (
                "refund_total",
                self.refund_fen.count(),
                fen(summary.refund_total),
            ),
            (
                "coupon_refund_total",
                self.coupon_refund_fen.count(),
                fen(summary.coupon_refund_total),
            ),
            // Older kinds of bills have neither.
            ("total", self.total_fen.count(), summary.total.and_then(fen)),
            (
                "requested_refund_total",
                self.requested_refund_fen.count(),
                summary.requested_refund_total.and_then(fen),
            ),
        ];
        let is_whole = |name: &str| self.unread == 0 || name == "rows";
        let differs = |(name, added, said): (&str, u64, Option<u64>)| {
            let said = said.filter(|said| *said != added && is_whole(name))?;
            Some(BillDifference {
                here: Some(format!("{name} {added}")),
                there: Some(format!("{name} {said}")),
                ..difference("summary", None)
            })
        };
        sums.into_iter().filter_map(differs).collect()
    }
}

/// Whether the row is a code payment that was reversed. Such a payment was charged and returned,
/// and the ledger has neither.
fn is_revoked(row: &TradeBillRow) -> bool {
    row.trade_state == "REVOKED"
}

fn is_paid(payment: &PaymentHere) -> bool {
    matches!(payment.state.as_str(), "paid" | "surplus")
}

/// Whether the refund must be in the bill of that day. A `closed` refund moved no money, and no
/// document says whether it is listed.
fn was_surely_sent(refund: &RefundHere, day_ms: &Range<i64>) -> bool {
    let surely_ms = day_ms.start + MIDNIGHT_MS..day_ms.end - MIDNIGHT_MS;
    matches!(
        refund.state.as_str(),
        "processing" | "succeeded" | "abnormal"
    ) && surely_ms.contains(&refund.created_ms)
        && refund
            .sent_ms
            .is_some_and(|sent_ms| surely_ms.contains(&sent_ms))
}

/// The range of possible order amounts. Bills from before 2018 do not have the order amount. They
/// have the settled amount, which includes some coupons and not others.
fn totals_of(row: &TradeBillRow) -> RangeInclusive<Fen> {
    let settled = row.settlement_total;
    match row.total {
        Some(total) => total..=total,
        None => settled..=settled.saturating_add(row.coupon),
    }
}

/// The order amount, or its maximum.
fn total_of(row: &TradeBillRow) -> Fen {
    *totals_of(row).end()
}

/// The amount of the refund request.
fn amount_of(refund: &TradeBillRefund) -> Fen {
    refund.requested.unwrap_or(refund.refund)
}

fn add(total: &mut BillTotal, amount: Fen) {
    total.count += 1;
    total.total_fen = total.total_fen.saturating_add(amount);
}

fn fen(amount: Fen) -> String {
    amount.count().to_string()
}

fn difference(kind: &str, out_trade_no: Option<&str>) -> BillDifference {
    BillDifference {
        kind: kind.to_owned(),
        out_trade_no: out_trade_no.map(str::to_owned),
        out_refund_no: None,
        here: None,
        there: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use payment_values::{OutRefundNo, OutTradeNo};

    use super::*;

    /// The ledger's day.
    #[derive(Clone)]
    struct Business {
        payments: BTreeMap<OutTradeNo, PaymentHere>,
        refunds: BTreeMap<OutRefundNo, RefundHere>,
    }

    /// What a comparison found.
    struct Compared {
        payments: BillTotal,
        refunds: BillTotal,
        differences: Vec<BillDifference>,
    }

    const DAY_MS: Range<i64> = 0..86_400_000;
    const NOON_MS: i64 = 43_200_000;

    fn paid_row(number: &str, total_fen: i64) -> TradeBillRow {
        let total = Fen::new(total_fen).unwrap();
        TradeBillRow {
            trade_time: "1970-01-01 12:00:00".into(),
            appid: "wx1".into(),
            mchid: "1900000001".into(),
            sub_mchid: None,
            device_id: None,
            transaction_id: format!("W-{number}"),
            out_trade_no: number.into(),
            openid: "o".into(),
            trade_type: "NATIVE".into(),
            trade_state: "SUCCESS".into(),
            bank_type: "OTHERS".into(),
            currency: "CNY".into(),
            settlement_total: total,
            coupon: Fen::ZERO,
            total: Some(total),
            refund: None,
            description: String::new(),
            attach: String::new(),
            fee_milli_fen: None,
            rate: "0.60%".into(),
            rate_remark: None,
        }
    }

    fn refund_row(number: &str, refund_no: &str, fen: i64, status: &str) -> TradeBillRow {
        let amount = Fen::new(fen).unwrap();
        TradeBillRow {
            trade_state: "REFUND".into(),
            total: Some(Fen::ZERO),
            refund: Some(TradeBillRefund {
                refund_id: "5".into(),
                out_refund_no: refund_no.into(),
                refund: amount,
                coupon_refund: Fen::ZERO,
                requested: Some(amount),
                channel: "ORIGINAL".into(),
                status: status.into(),
            }),
            ..paid_row(number, 0)
        }
    }

    fn paid_here(number: &str, total_fen: u64) -> (OutTradeNo, PaymentHere) {
        let payment = PaymentHere {
            // The last letter tells the payments of a test apart.
            place: number.bytes().last().map(i64::from),
            total_fen: Fen::saturating(total_fen),
            state: "paid".into(),
            transaction_id: Some(format!("W-{number}")),
            success_ms: Some(NOON_MS),
            sub_mchid: None,
        };
        (OutTradeNo::parse(number).unwrap(), payment)
    }

    fn refund_here(number: &str, refund_no: &str, amount_fen: u64) -> (OutRefundNo, RefundHere) {
        let refund = RefundHere {
            place: 1,
            out_trade_no: OutTradeNo::parse(number).unwrap(),
            amount_fen: Fen::saturating(amount_fen),
            state: "succeeded".into(),
            created_ms: NOON_MS,
            sent_ms: Some(NOON_MS),
            sub_mchid: None,
        };
        (OutRefundNo::parse(refund_no).unwrap(), refund)
    }

    /// Everything that both sides agree on; each test changes one thing.
    fn agreed() -> (Vec<TradeBillRow>, Business) {
        let rows = vec![
            paid_row("order-A", 1990),
            paid_row("order-B", 5),
            refund_row("order-A", "R", 333, "SUCCESS"),
        ];
        let here = Business {
            payments: [paid_here("order-A", 1990), paid_here("order-B", 5)].into(),
            refunds: [refund_here("order-A", "R", 333)].into(),
        };
        (rows, here)
    }

    /// The whole bill of the day, or one sub-merchant's.
    fn compare(
        rows: &[TradeBillRow],
        summary: Option<&TradeBillSummary>,
        here: &Business,
        sub_mchid: Option<&str>,
    ) -> Compared {
        let mut comparison = Comparison::new(DAY_MS, sub_mchid.map(str::to_owned));
        let mut differences = Vec::new();
        for row in rows {
            differences.extend(match &row.refund {
                None => comparison.take_payment(row, here.payments.get(&*row.out_trade_no)),
                Some(refund) => {
                    let ours = here.refunds.get(&*refund.out_refund_no);
                    comparison.take_refund(row, refund, ours)
                }
            });
        }
        differences.extend(summary.map_or_else(Vec::new, |it| comparison.take_summary(it)));
        // The ledger gives the day's entries alone.
        let payments = here.payments.clone().into_iter();
        let in_day = |ours: &PaymentHere| ours.success_ms.is_some_and(|it| DAY_MS.contains(&it));
        let payments = payments.filter(|(_, ours)| in_day(ours));
        let payments = payments.map(|(out_trade_no, payment)| PaymentRow {
            out_trade_no,
            payment,
        });
        differences.extend(payments.filter_map(|ours| comparison.missing_payment(&ours)));
        let refunds = here.refunds.clone().into_iter();
        let refunds = refunds.map(|(out_refund_no, refund)| RefundRow {
            out_refund_no,
            refund,
        });
        differences.extend(refunds.filter_map(|ours| comparison.missing_refund(&ours)));
        Compared {
            payments: comparison.payments,
            refunds: comparison.refunds,
            differences,
        }
    }

    #[track_caller]
    fn check(rows: &[TradeBillRow], here: &Business, expected: &[&str]) {
        check_of(None, rows, here, expected);
    }

    #[track_caller]
    fn check_of(
        sub_mchid: Option<&str>,
        rows: &[TradeBillRow],
        here: &Business,
        expected: &[&str],
    ) {
        let compared = compare(rows, None, here, sub_mchid);
        let found: Vec<String> = compared
            .differences
            .iter()
            .map(|found| {
                let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
                format!(
                    "{} {} {} here {} there {}",
                    found.kind,
                    word(&found.out_trade_no),
                    word(&found.out_refund_no),
                    word(&found.here),
                    word(&found.there)
                )
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_day_that_agrees_has_no_difference_and_the_bills_totals() {
        let (rows, here) = agreed();
        let compared = compare(&rows, None, &here, None);
        assert_eq!(compared.differences, []);
        let total = |count, fen| BillTotal {
            count,
            total_fen: Fen::saturating(fen),
        };
        assert_eq!(compared.payments, total(2, 1995));
        assert_eq!(compared.refunds, total(1, 333));
    }

    #[test]
    fn each_difference_is_reported_with_both_sides() {
        type Change = fn(&mut Vec<TradeBillRow>, &mut Business);
        let table: [(Change, &str); 18] = [
            (
                |_, here| drop(here.payments.remove("order-B")),
                "payment_missing_here order-B - here - there 5",
            ),
            (
                |_, here| here.payments.get_mut("order-B").unwrap().state = "closed".into(),
                "payment_missing_here order-B - here closed there 5",
            ),
            (
                |rows, _| drop(rows.remove(1)),
                "payment_missing_there order-B - here 5 there -",
            ),
            (
                |_, here| here.payments.get_mut("order-B").unwrap().total_fen = Fen::saturating(6),
                "payment_amount order-B - here 6 there 5",
            ),
            (
                |rows, _| rows[1].trade_state = "REVOKED".into(),
                "payment_state order-B - here paid there REVOKED",
            ),
            (
                |rows, _| rows[1].transaction_id = "W-X".into(),
                "payment_transaction_id order-B - here W-order-B there W-X",
            ),
            (
                |_, here| here.payments.get_mut("order-B").unwrap().success_ms = Some(86_400_000),
                "payment_day order-B - here 1970-01-02T00:00:00Z there 1970-01-01 12:00:00",
            ),
            (
                |_, here| drop(here.refunds.remove("R")),
                "refund_missing_here order-A R here - there 333",
            ),
            (
                |rows, _| drop(rows.remove(2)),
                "refund_missing_there order-A R here 333 there -",
            ),
            (
                |_, here| here.refunds.get_mut("R").unwrap().amount_fen = Fen::saturating(334),
                "refund_amount order-A R here 334 there 333",
            ),
            (
                |_, here| here.refunds.get_mut("R").unwrap().state = "processing".into(),
                "refund_state order-A R here processing there SUCCESS",
            ),
            (
                |rows, _| rows[1].sub_mchid = Some("160".into()),
                "payment_sub_mchid order-B - here - there 160",
            ),
            (
                |_, here| here.payments.get_mut("order-B").unwrap().sub_mchid = Some("161".into()),
                "payment_sub_mchid order-B - here 161 there -",
            ),
            (
                |rows, here| {
                    rows[2].sub_mchid = Some("160".into());
                    here.refunds.get_mut("R").unwrap().sub_mchid = Some("161".into());
                },
                "refund_sub_mchid order-A R here 161 there 160",
            ),
            (
                |rows, _| rows.push(paid_row("order-B", 5)),
                "payment_repeated order-B - here - there 5",
            ),
            (
                |rows, _| rows.push(refund_row("order-A", "R", 333, "SUCCESS")),
                "refund_repeated order-A R here - there 333",
            ),
            (
                |rows, _| rows[1].currency = "HKD".into(),
                "bill_currency order-B - here CNY there HKD",
            ),
            (
                |rows, _| rows[2].currency = "HKD".into(),
                "bill_currency order-A R here CNY there HKD",
            ),
        ];
        for (change, expected) in table {
            let (mut rows, mut here) = agreed();
            change(&mut rows, &mut here);
            check(&rows, &here, &[expected]);
        }
    }

    #[test]
    fn a_payment_in_a_bill_before_2018_matches_with_and_without_its_coupon() {
        let (mut rows, mut here) = agreed();
        rows[1].total = None;
        rows[1].coupon = Fen::new(3).unwrap();
        for (total_fen, expected) in [
            (4, &["payment_amount order-B - here 4 there 8"][..]),
            (5, &[]),
            (8, &[]),
            (9, &["payment_amount order-B - here 9 there 8"]),
        ] {
            here.payments.get_mut("order-B").unwrap().total_fen = Fen::saturating(total_fen);
            check(&rows, &here, expected);
        }
    }

    #[test]
    fn a_refund_that_changed_after_the_bill_is_no_difference() {
        for (there, here) in [
            ("PROCESSING", "succeeded"),
            ("PROCESSING", "processing"),
            ("PROCESSING", "abnormal"),
            ("FAIL", "closed"),
            ("CHANGE", "abnormal"),
            ("CHANGE", "succeeded"),
        ] {
            assert!(may_follow(there, here), "{there} {here}");
        }
        for (there, here) in [
            ("PROCESSING", "refused"),
            ("SUCCESS", "closed"),
            ("NEW", "succeeded"),
        ] {
            assert!(!may_follow(there, here), "{there} {here}");
        }
    }

    #[test]
    fn a_reversed_code_payment_is_listed_and_no_difference() {
        let (mut rows, mut here) = agreed();
        rows[1].trade_state = "REVOKED".into();
        let ours = here.payments.get_mut("order-B").unwrap();
        ours.state = "closed".into();
        (ours.transaction_id, ours.success_ms) = (None, None);
        check(&rows, &here, &[]);
    }

    #[test]
    fn a_refund_near_midnight_or_without_a_payout_is_not_missing() {
        type Change = fn(&mut RefundHere);
        let table: [Change; 5] = [
            |refund| refund.created_ms = 86_400_000 - 1_000,
            |refund| refund.sent_ms = Some(86_400_000 + 1_000),
            |refund| refund.sent_ms = None,
            |refund| refund.state = "refused".into(),
            |refund| refund.state = "closed".into(),
        ];
        for change in table {
            let (mut rows, mut here) = agreed();
            rows.remove(2);
            change(here.refunds.get_mut("R").unwrap());
            check(&rows, &here, &[]);
        }
    }

    #[test]
    fn a_sub_merchants_bill_has_its_own_rows_and_others_rows_are_reported() {
        let (mut rows, mut here) = agreed();
        for row in &mut rows {
            row.sub_mchid = Some("160".into());
        }
        for payment in here.payments.values_mut() {
            payment.sub_mchid = Some("160".into());
        }
        here.refunds.get_mut("R").unwrap().sub_mchid = Some("160".into());
        check_of(Some("160"), &rows, &here, &[]);
        check_of(None, &rows, &here, &[]);
        // The ledger agrees with the row, but the row is in another sub-merchant's bill.
        rows[1].sub_mchid = Some("161".into());
        rows[2].sub_mchid = Some("161".into());
        here.payments.get_mut("order-B").unwrap().sub_mchid = Some("161".into());
        here.refunds.get_mut("R").unwrap().sub_mchid = Some("161".into());
        let strangers = [
            "bill_sub_mchid order-B - here 160 there 161",
            "bill_sub_mchid order-A R here 160 there 161",
        ];
        check_of(Some("160"), &rows, &here, &strangers);
        check_of(None, &rows, &here, &[]);
    }

    #[test]
    fn a_reversed_payment_is_no_difference_if_the_ledger_has_none() {
        for change in [
            |here: &mut Business| drop(here.payments.remove("order-B")),
            |here: &mut Business| here.payments.get_mut("order-B").unwrap().state = "closed".into(),
        ] {
            let (mut rows, mut here) = agreed();
            rows[1].trade_state = "REVOKED".into();
            change(&mut here);
            check(&rows, &here, &[]);
            let compared = compare(&rows, None, &here, None);
            assert_eq!(compared.payments.count, 1);
        }
    }

    #[test]
    fn a_wrong_total_of_a_bill_is_reported_for_each_sum() {
        type Change = fn(&mut TradeBillSummary);
        let (rows, here) = agreed();
        let fen = |fen| Fen::new(fen).unwrap();
        let agreed = TradeBillSummary {
            count: 3,
            settlement_total: fen(1995),
            refund_total: fen(333),
            coupon_refund_total: Fen::ZERO,
            fee_milli_fen: None,
            total: Some(fen(1995)),
            requested_refund_total: Some(fen(333)),
        };
        let table: [(Change, &str); 8] = [
            (|_| {}, ""),
            (|s| (s.total, s.requested_refund_total) = (None, None), ""),
            (|s| s.count = 4, "rows 3, rows 4"),
            (
                |s| s.settlement_total = Fen::ZERO,
                "settlement_total 1995, settlement_total 0",
            ),
            (
                |s| s.refund_total = Fen::ZERO,
                "refund_total 333, refund_total 0",
            ),
            (
                |s| s.coupon_refund_total = Fen::new(1).unwrap(),
                "coupon_refund_total 0, coupon_refund_total 1",
            ),
            (|s| s.total = Some(Fen::ZERO), "total 1995, total 0"),
            (
                |s| s.requested_refund_total = Some(Fen::ZERO),
                "requested_refund_total 333, requested_refund_total 0",
            ),
        ];
        for (change, expected) in table {
            let mut summary = agreed.clone();
            change(&mut summary);
            let compared = compare(&rows, Some(&summary), &here, None);
            let found: Vec<_> = compared
                .differences
                .iter()
                .map(|found| {
                    assert_eq!(found.kind, "summary");
                    let side = |side: &Option<String>| side.clone().unwrap();
                    format!("{}, {}", side(&found.here), side(&found.there))
                })
                .collect();
            assert_eq!(found.join("; "), expected);
        }
    }
}
