//! Runs the comparison of a bill with the ledger: reads the file and the ledger piece by piece, and
//! passes each difference on as soon as it is found. What is a difference is decided in
//! `comparison`.

use std::collections::BTreeMap;
use std::io;

use merchant_api::BillDifference;
use wechat_pay::bill::{BillError, BillRow, TradeBillRow, TradeBillSummary};

use super::comparison::{Comparison, LineNumbers, REFUND_MISSING_HERE, unread_summary};
use super::download::{Seal, unpack};
use super::failure::BillFailure;
use crate::ledger::{Ledger, PaymentHere, RefundHere, Span};
use crate::wechat::BillFile;

/// Takes each difference as it is found: a day may have more than fit into memory.
pub type TakeDifference<'a> = dyn FnMut(&BillDifference) -> io::Result<()> + Send + 'a;

/// How many packed bytes are unpacked at once. Their rows are in memory together, and a packed file
/// grows a thousandfold at most.
const STEP_BYTES: usize = 4 * 1024;

/// A comparison in progress, with what it reads and writes.
pub(super) struct ComparisonRun<'a, 'b> {
    pub(super) comparison: Comparison,
    pub(super) ledger: &'a Ledger,
    pub(super) now_ms: i64,
    /// How many differences were found.
    pub(super) differences: u64,
    pub(super) take: &'a mut TakeDifference<'b>,
}

impl ComparisonRun<'_, '_> {
    /// Compares all lines of a file. No line is used before the whole file is verified.
    pub(super) async fn take_file(
        &mut self,
        file: &BillFile,
        seal: &Seal,
    ) -> Result<(), BillFailure> {
        unpack(file, seal, io::sink()).await?;
        let mut reader = seal.reader()?;
        let mut piece = Vec::new();
        file.rewind().await?;
        while file.read_piece(&mut piece).await? {
            for step in piece.chunks(STEP_BYTES) {
                self.take_lines(&reader.push(step)?).await?;
            }
        }
        let (rest, sums) = reader.finish()?;
        self.take_lines(&rest).await?;
        match TradeBillSummary::read(&sums) {
            Ok(sums) => self.note(self.comparison.take_summary(&sums)).await,
            // Neither a line nor a summary: the file is no bill, and no entry is missing in it.
            Err(error) if self.comparison.has_no_line() => Err(error.into()),
            Err(error) => self.note([unread_summary(&error)]).await,
        }
    }

    /// Reports the day's entries that no line has named. A day without a bill has no lines.
    pub(super) async fn take_missing(&mut self, span: Span<'_>) -> Result<(), BillFailure> {
        let mut page = self.ledger.payments_of(span, None).await?;
        while let Some(last) = page.last() {
            let missing = page
                .iter()
                .filter_map(|it| self.comparison.missing_payment(it));
            let missing: Vec<_> = missing.collect();
            let next = self.ledger.payments_of(span, Some(last)).await?;
            self.note(missing).await?;
            page = next;
        }
        let mut page = self.ledger.sub_payments_of(span, None).await?;
        while let Some(last) = page.last() {
            let missing = page
                .iter()
                .filter_map(|it| self.comparison.missing_payment(it));
            let missing: Vec<_> = missing.collect();
            let next = self.ledger.sub_payments_of(span, Some(last)).await?;
            self.note(missing).await?;
            page = next;
        }
        let mut page = self.ledger.refunds_of(span, None).await?;
        while let Some(last) = page.last() {
            let missing = page
                .iter()
                .filter_map(|it| self.comparison.missing_refund(it));
            let missing: Vec<_> = missing.collect();
            let next = self.ledger.refunds_of(span, Some(last)).await?;
            self.note(missing).await?;
            page = next;
        }
        Ok(())
    }

    /// Compares lines, in their order, with the ledger's entries of the same numbers, of any day. A
    /// line that cannot be read is a difference, and the other lines are still compared. A bill
    /// without a needed column cannot be compared at all.
    async fn take_lines(&mut self, lines: &[BillRow]) -> Result<(), BillFailure> {
        let here = Entries::of(self.ledger, lines).await?;
        for line in lines {
            let LineNumbers {
                out_trade_no,
                out_refund_no,
            } = LineNumbers::of(line);
            let payment = out_trade_no.and_then(|number| here.payments.get(number));
            let refund = out_refund_no.and_then(|number| here.refunds.get(number));
            let found = match TradeBillRow::read(line) {
                Ok(row) => match &row.refund {
                    None => self.comparison.take_payment(&row, payment),
                    Some(of_row) => self.comparison.take_refund(&row, of_row, refund),
                },
                Err(error @ BillError::ColumnMissing(_)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(event = "bill.line_unreadable", line = line.line(), %error, "a line of WeChat's bill cannot be read");
                    vec![self.comparison.take_unread(line, &error, payment, refund)]
                }
            };
            self.note(found).await?;
        }
        Ok(())
    }

    /// Passes differences on. A refund that only the bill has was made in WeChat's portal or by
    /// another program: due work queries it and adds it to the ledger. Its payment need not be ours.
    async fn note(
        &mut self,
        found: impl IntoIterator<Item = BillDifference>,
    ) -> Result<(), BillFailure> {
        for difference in found {
            if let (Some(refund), Some(payment)) =
                (&difference.out_refund_no, &difference.out_trade_no)
                && difference.kind == REFUND_MISSING_HERE
            {
                let ledger = self.ledger;
                ledger
                    .schedule_learning(refund, payment, self.now_ms)
                    .await?;
            }
            self.differences += 1;
            (self.take)(&difference)?;
        }
        Ok(())
    }
}

/// The ledger's entries of some lines, by number.
struct Entries {
    payments: BTreeMap<String, PaymentHere>,
    refunds: BTreeMap<String, RefundHere>,
}

impl Entries {
    async fn of(ledger: &Ledger, lines: &[BillRow]) -> Result<Self, BillFailure> {
        let (mut payments, mut refunds) = (Vec::new(), Vec::new());
        for numbers in lines.iter().map(LineNumbers::of) {
            payments.extend(numbers.out_trade_no);
            refunds.extend(numbers.out_refund_no);
        }
        Ok(Self {
            payments: ledger.payments_here(&payments).await?,
            refunds: ledger.refunds_here(&refunds).await?,
        })
    }
}
