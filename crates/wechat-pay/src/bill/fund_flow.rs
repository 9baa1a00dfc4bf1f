//! The rows and the summary of a fund-flow bill (资金账单).

use payment_values::Fen;

use crate::bill::{BillError, BillRow};

/// A movement of funds on one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundFlowRow {
    /// When the movement was booked, in Beijing.
    pub booked_at: String,
    /// WeChat's number of the business that the movement belongs to: a payment, a refund, a
    /// withdrawal.
    pub business_no: String,
    /// WeChat's number of the movement.
    pub flow_no: String,
    /// The name of the business, in Chinese.
    pub business_name: String,
    /// The kind of the business, in Chinese.
    pub business_type: String,
    /// The direction.
    pub direction: FundFlowDirection,
    /// The amount.
    pub amount: Fen,
    /// The balance afterwards, in fen.
    pub balance_fen: i64,
    /// The applicant, who requested the business.
    pub applicant: String,
    /// A remark.
    pub remark: String,
    /// The merchant's number of the business that the movement belongs to.
    pub voucher_no: String,
}

/// The direction of a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FundFlowDirection {
    /// Incoming (收入).
    In,
    /// Outgoing (支出).
    Out,
    /// A value that this crate does not know, as it came.
    Unknown(String),
}

/// The last line of a fund-flow bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundFlowSummary {
    /// The number of movements.
    pub count: u64,
    /// The number of incoming movements.
    pub in_count: u64,
    /// The sum of the incoming movements.
    pub in_total: Fen,
    /// The number of outgoing movements.
    pub out_count: u64,
    /// The sum of the outgoing movements.
    pub out_total: Fen,
}

impl FundFlowRow {
    /// Reads a row of a fund-flow bill.
    pub fn read(row: &BillRow) -> Result<Self, BillError> {
        row.check()?;
        let direction = row.text("收支类型")?;
        Ok(Self {
            booked_at: row.text("记账时间")?,
            business_no: row.text("微信支付业务单号")?,
            flow_no: row.text("资金流水单号")?,
            business_name: row.text("业务名称")?,
            business_type: row.text("业务类型")?,
            direction: match direction.as_str() {
                "收入" => FundFlowDirection::In,
                "支出" => FundFlowDirection::Out,
                _ => FundFlowDirection::Unknown(direction),
            },
            amount: row.fen(either(row, "收支金额(元)", "收支金额（元）"))?,
            balance_fen: row.signed(either(row, "账户结余(元)", "账户结余（元）"), 2)?,
            applicant: row.text("资金变更提交申请人")?,
            remark: row.text("备注")?,
            voucher_no: row.text("业务凭证号")?,
        })
    }
}

impl FundFlowSummary {
    /// Reads the summary of a fund-flow bill.
    pub fn read(row: &BillRow) -> Result<Self, BillError> {
        row.check()?;
        Ok(Self {
            count: row.count("资金流水总笔数")?,
            in_count: row.count("收入笔数")?,
            in_total: row.fen("收入金额")?,
            out_count: row.count("支出笔数")?,
            out_total: row.fen("支出金额")?,
        })
    }
}

/// WeChat's pages write the same column with both kinds of brackets.
fn either(row: &BillRow, ascii: &'static str, wide: &'static str) -> &'static str {
    if row.get(wide).is_some() { wide } else { ascii }
}
