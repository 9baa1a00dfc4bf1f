//! Measures the comparison of a day's bill with the ledger, in both versions: lines a second, and the
//! memory of the process. The bill is downloaded over HTTP from this process.
//!
//! `cargo xtask bench bills --lines 1000000` builds it for speed and runs it.

#![expect(
    clippy::print_stdout,
    reason = "a program to be looked at: its output is what it is for"
)]

use payment_tests::bill_day::{BillDay, BillVersion, largest_kib};

/// The day before, so that the caches are filled.
const WARM_UP_LINES: u32 = 1_000;

#[tokio::main]
async fn main() {
    let lines = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let lines: u32 = lines.unwrap_or(100_000);
    BillDay::of(WARM_UP_LINES)
        .await
        .compare(BillVersion::V3)
        .await;
    let day = BillDay::of(lines).await;
    for version in [BillVersion::V3, BillVersion::V2] {
        let before_kib = largest_kib();
        let done = day.compare(version).await;
        assert_eq!(done.compared.differences, 0, "{:?}", done.first);
        let seconds = done.took.as_secs_f64();
        println!(
            "{version:?}: {lines} lines in {seconds:.1} s, {:.0} lines/s; peak memory {} MB, before {} MB",
            f64::from(lines) / seconds,
            largest_kib() / 1024,
            before_kib / 1024,
        );
    }
}
