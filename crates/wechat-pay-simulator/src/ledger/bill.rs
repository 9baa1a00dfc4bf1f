//! Bills of one day, made only from the ledger, so that they agree with it to the fen: trade bills (all, paid, refunded) and the flow of funds.
//!
//! UTF-8 with a byte order mark, commas, a backtick before every cell of data, yuan with two
//! decimals; then a heading and a line of sums. A comma in a buyer's text becomes `\ `.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use wechat_pay::{TradeState, beijing_time};

use super::Ledger;
use super::order::{Order, Payment};
use super::refund::{Refund, RefundStatus};

/// The kind of a trade bill: its rows and its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TradeBill {
    All,
    Success,
    Refund,
}

/// The account of a flow of funds. The simulator uses only the basic one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    Basic,
    Operation,
    Fees,
}

/// The heading of the sums of a trade bill.
const TRADE_SUMS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
const FLOW: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号";
const FLOW_SUMS: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

impl Ledger {
    /// The trade bill of a merchant's day in Beijing, for all merchants that it acts for or for one
    /// of them; `None` if it would be empty.
    pub(crate) fn trade_bill(
        &self,
        mchid: &str,
        sub_mchid: Option<&str>,
        day: Date,
        kind: TradeBill,
    ) -> Option<String> {
        let mut rows: Vec<(Timestamp, TradeRow<'_>)> = Vec::new();
        for (order, refunds) in self.orders() {
            let Some(payment) = paid_of(order, mchid) else {
                continue;
            };
            if sub_mchid.is_some() && order.request.key.sub_mchid.as_deref() != sub_mchid {
                continue;
            }
            if kind != TradeBill::Refund && beijing_day(payment.paid_at) == day {
                rows.push((payment.paid_at, TradeRow::paid(order, payment)));
            }
            if kind == TradeBill::Success {
                continue;
            }
            for (refund, fee_back) in with_fees(refunds) {
                if beijing_day(refund.created_at) == day {
                    let row = TradeRow::refunded(order, payment, refund, fee_back);
                    rows.push((refund.created_at, row));
                }
            }
        }
        if rows.is_empty() {
            return None;
        }
        // The newest first, as WeChat has them.
        rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let rows: Vec<TradeRow<'_>> = rows.into_iter().map(|(_, row)| row).collect();
        Some(trade_csv(&rows, kind))
    }

    /// The flow of funds of a merchant's day in Beijing; `None` if it would be empty. The money of
    /// a partner's orders for another merchant flows to that merchant, `sub_mchid`, and not to the
    /// partner.
    pub(crate) fn fund_flow(
        &self,
        mchid: &str,
        sub_mchid: Option<&str>,
        day: Date,
        account: Account,
    ) -> Option<String> {
        if account != Account::Basic {
            return None;
        }
        let mut flows: Vec<Flow> = self
            .orders()
            .filter(|(order, _)| order.request.key.sub_mchid.as_deref() == sub_mchid)
            .filter_map(|(order, refunds)| Some((order, paid_of(order, mchid)?, refunds)))
            .flat_map(|(order, payment, refunds)| flows_of(order, payment, refunds))
            .collect();
        flows.sort_by(|a, b| (a.at, &a.number).cmp(&(b.at, &b.number)));
        let mut balance = 0;
        let mut csv = format!("\u{feff}{FLOW}\r\n");
        let (mut count, mut incomes, mut income, mut expense) = (0, 0, 0, 0);
        for flow in flows {
            balance += flow.fen;
            if beijing_day(flow.at) != day {
                continue;
            }
            count += 1;
            if flow.fen >= 0 {
                incomes += 1;
                income += flow.fen;
            } else {
                expense -= flow.fen;
            }
            push_row(&mut csv, &flow.cells(balance));
        }
        if count == 0 {
            return None;
        }
        csv.push_str(FLOW_SUMS);
        csv.push_str("\r\n");
        push_row(
            &mut csv,
            &[
                count.to_string(),
                incomes.to_string(),
                yuan(income),
                (count - incomes).to_string(),
                yuan(expense),
            ],
        );
        Some(csv)
    }
}

/// The day in Beijing.
pub(crate) fn beijing_day(at: Timestamp) -> Date {
    Offset::constant(8).to_datetime(at).date()
}

/// 0.60 %, to the nearest fen.
fn fee(fen: i64) -> i64 {
    i64::try_from((i128::from(fen) * 6 + 500) / 1000).unwrap_or(i64::MAX)
}

fn paid_of<'a>(order: &'a Order, mchid: &str) -> Option<&'a Payment> {
    let own = order.request.key.mchid == mchid;
    order.payment.as_ref().filter(|_| own)
}

/// Each refund that took money, with the part of the fee that is returned. All refunds of an order
/// together return at most its whole fee, whatever the rounding.
fn with_fees(refunds: &[Refund]) -> Vec<(&Refund, i64)> {
    let mut before = 0;
    refunds
        .iter()
        .filter(|refund| refund.status != RefundStatus::Closed)
        .map(|refund| {
            let so_far = before + refund.refund.get();
            let fee_back = fee(so_far) - fee(before);
            before = so_far;
            (refund, fee_back)
        })
        .collect()
}

struct TradeRow<'a> {
    order: &'a Order,
    payment: &'a Payment,
    refund: Option<&'a Refund>,
    /// The fee of a payment, or the negative returned fee of a refund.
    fee: i64,
}

impl<'a> TradeRow<'a> {
    fn paid(order: &'a Order, payment: &'a Payment) -> Self {
        Self {
            order,
            payment,
            refund: None,
            fee: fee(payment.payer_total.get()),
        }
    }

    fn refunded(order: &'a Order, payment: &'a Payment, refund: &'a Refund, fee_back: i64) -> Self {
        Self {
            order,
            payment,
            refund: Some(refund),
            fee: -fee_back,
        }
    }

    fn total(&self) -> i64 {
        match self.refund {
            None => self.payment.payer_total.get(),
            Some(_) => 0,
        }
    }

    fn back(&self) -> i64 {
        self.refund.map_or(0, |refund| refund.refund.get())
    }

    /// Every column of any trade bill, and for each kind (all, paid, refunded) whether that kind
    /// has the column.
    fn columns(&self) -> Vec<(&'static str, [bool; 3], String)> {
        const ALWAYS: [bool; 3] = [true, true, true];
        const NOT_PAID: [bool; 3] = [true, false, true];
        const REFUNDED: [bool; 3] = [false, false, true];
        let request = &self.order.request;
        let refund = self.refund;
        let none = || "0".to_owned();
        let device = request.body.pointer("/scene_info/device_id");
        let state = match (self.order.reversed, refund) {
            (true, _) => "REVOKED",
            (false, Some(_)) => "REFUND",
            (false, None) => "SUCCESS",
        };
        let when = |at: Option<Timestamp>| at.map(plain_time).unwrap_or_default();
        vec![
            ("交易时间", ALWAYS, plain_time(self.payment.paid_at)),
            ("公众账号ID", ALWAYS, request.appid.clone()),
            ("商户号", ALWAYS, request.key.mchid.clone()),
            (
                "特约商户号",
                ALWAYS,
                request.key.sub_mchid.clone().unwrap_or_else(none),
            ),
            (
                "设备号",
                ALWAYS,
                device.and_then(|id| id.as_str()).unwrap_or_default().into(),
            ),
            ("微信订单号", ALWAYS, self.payment.transaction_id.clone()),
            ("商户订单号", ALWAYS, request.key.out_trade_no.clone()),
            ("用户标识", ALWAYS, self.payment.openid.clone()),
            ("交易类型", ALWAYS, self.order.trade_type().as_str().into()),
            ("交易状态", ALWAYS, state.into()),
            ("付款银行", ALWAYS, "OTHERS".into()),
            ("货币种类", ALWAYS, "CNY".into()),
            ("应结订单金额", ALWAYS, yuan(self.total())),
            ("代金券金额", ALWAYS, yuan(0)),
            ("退款申请时间", REFUNDED, when(refund.map(|r| r.created_at))),
            (
                "退款成功时间",
                REFUNDED,
                when(refund.and_then(|r| r.success_at)),
            ),
            (
                "微信退款单号",
                NOT_PAID,
                refund.map_or_else(none, |r| r.refund_id.clone()),
            ),
            (
                "商户退款单号",
                NOT_PAID,
                refund.map_or_else(none, |r| r.out_refund_no.clone()),
            ),
            ("退款金额", NOT_PAID, yuan(self.back())),
            ("充值券退款金额", NOT_PAID, yuan(0)),
            (
                "退款类型",
                NOT_PAID,
                refund.map_or("", |_| "ORIGINAL").into(),
            ),
            (
                "退款状态",
                NOT_PAID,
                refund.map_or("", |r| status_word(r.status)).into(),
            ),
            ("商品名称", ALWAYS, request.description.clone()),
            (
                "商户数据包",
                ALWAYS,
                request.attach.clone().unwrap_or_default(),
            ),
            ("手续费", ALWAYS, yuan(self.fee)),
            ("费率", ALWAYS, "0.60%".into()),
            ("订单金额", ALWAYS, yuan(self.total())),
            ("申请退款金额", NOT_PAID, yuan(self.back())),
            ("费率备注", ALWAYS, String::new()),
        ]
    }
}

fn status_word(status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Success => "SUCCESS",
        RefundStatus::Processing => "PROCESSING",
        RefundStatus::Abnormal => "CHANGE",
        RefundStatus::Closed => "FAIL",
    }
}

fn trade_csv(rows: &[TradeRow<'_>], kind: TradeBill) -> String {
    let place = match kind {
        TradeBill::All => 0,
        TradeBill::Success => 1,
        TradeBill::Refund => 2,
    };
    let mut csv = String::from("\u{feff}");
    for (index, row) in rows.iter().enumerate() {
        let columns = row.columns();
        let shown = || columns.iter().filter(|(_, of, _)| of[place]);
        if index == 0 {
            let names: Vec<_> = shown().map(|(name, ..)| *name).collect();
            csv.push_str(&names.join(","));
            csv.push_str("\r\n");
        }
        let cells: Vec<String> = shown().map(|(_, _, cell)| cell.clone()).collect();
        push_row(&mut csv, &cells);
    }
    let total: i64 = rows.iter().map(TradeRow::total).sum();
    let back: i64 = rows.iter().map(TradeRow::back).sum();
    let fees: i64 = rows.iter().map(|row| row.fee).sum();
    csv.push_str(TRADE_SUMS);
    csv.push_str("\r\n");
    push_row(
        &mut csv,
        &[
            rows.len().to_string(),
            yuan(total),
            yuan(back),
            yuan(0),
            yuan(fees),
            yuan(total),
            yuan(back),
        ],
    );
    csv
}

struct Flow {
    at: Timestamp,
    /// WeChat's number of the payment or of the refund that caused the flow.
    number: String,
    kind: &'static str,
    /// Negative for outgoing funds.
    fen: i64,
    remark: String,
    voucher: String,
}

impl Flow {
    fn cells(&self, balance: i64) -> [String; 11] {
        let direction = if self.fen < 0 { "支出" } else { "收入" };
        let suffix = if self.kind == "扣除交易手续费" {
            "2"
        } else {
            "1"
        };
        [
            plain_time(self.at),
            self.number.clone(),
            format!("{}{suffix}", self.number),
            self.kind.to_owned(),
            self.kind.to_owned(),
            direction.to_owned(),
            yuan(self.fen.abs()),
            yuan(balance),
            "system".to_owned(),
            self.remark.clone(),
            self.voucher.clone(),
        ]
    }
}

/// The movements of a payment and its refunds. A reversal returns everything with the fee; a refund
/// takes its amount minus its part of the fee.
fn flows_of(order: &Order, payment: &Payment, refunds: &[Refund]) -> Vec<Flow> {
    let total = payment.payer_total.get();
    if order.trade_state(payment.paid_at) == TradeState::Revoked {
        return Vec::new();
    }
    let flow = |at, number: &str, kind, fen, remark: String, voucher: &str| Flow {
        at,
        number: number.to_owned(),
        kind,
        fen,
        remark,
        voucher: voucher.to_owned(),
    };
    let id = &payment.transaction_id;
    let number = &order.request.key.out_trade_no;
    let mut flows = vec![flow(
        payment.paid_at,
        id,
        "交易",
        total,
        String::new(),
        number,
    )];
    if fee(total) > 0 {
        let remark = format!(
            "结算总金额 {} 元;含手续费 {} 元",
            yuan(total),
            yuan(fee(total))
        );
        let cost = -fee(total);
        flows.push(flow(
            payment.paid_at,
            id,
            "扣除交易手续费",
            cost,
            remark,
            number,
        ));
    }
    for (refund, fee_back) in with_fees(refunds) {
        let fen = refund.refund.get();
        let remark = format!("退款总金额{}元;含手续费{}元", yuan(fen), yuan(fee_back));
        flows.push(flow(
            refund.created_at,
            &refund.refund_id,
            "退款",
            fee_back - fen,
            remark,
            &refund.out_refund_no,
        ));
    }
    flows
}

fn push_row(csv: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| format!("`{}", escape(cell)))
        .collect();
    csv.push_str(&cells.join(","));
    csv.push_str("\r\n");
}

/// A comma becomes a backslash with a blank; a line break becomes a blank.
fn escape(cell: &str) -> String {
    cell.replace(',', "\\ ").replace(['\r', '\n'], " ")
}

/// `2018-06-08 10:34:56` in Beijing.
fn plain_time(at: Timestamp) -> String {
    let text = beijing_time(at);
    text.get(..19).unwrap_or_default().replace('T', " ")
}

/// Yuan with two decimals, and a sign if negative.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_rounded_to_the_nearest_fen() {
        for (fen, expected) in [
            (0, 0),
            (1, 0),
            (83, 0),
            (84, 1),
            (100, 1),
            (1990, 12),
            (10_000, 60),
        ] {
            assert_eq!(fee(fen), expected, "{fen}");
        }
        assert!(fee(i64::MAX) > 0);
    }

    #[test]
    fn yuan_has_two_decimals_and_a_sign_if_negative() {
        for (fen, expected) in [
            (0, "0.00"),
            (5, "0.05"),
            (-1, "-0.01"),
            (123_456, "1234.56"),
        ] {
            assert_eq!(yuan(fen), expected);
        }
    }

    #[test]
    fn cells_cannot_add_columns_or_rows() {
        let mut csv = String::new();
        push_row(&mut csv, &["a,b".into(), "c\r\nd".into(), String::new()]);
        assert_eq!(csv, "`a\\ b,`c  d,`\r\n");
    }
}
