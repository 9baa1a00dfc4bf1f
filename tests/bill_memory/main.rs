//! A bill of any length is compared with the ledger in the same memory. A process of its own, because the
//! memory of a process is measured.

#![cfg(target_os = "linux")]

use payment_tests::bill_day::{BillDay, BillVersion, largest_kib};

/// The lines of the small day, which fills the allocator's and the database's caches.
const FEW: u32 = 2_000;
/// The lines of the large day. Its payments alone would need some 10 MiB.
const MANY: u32 = 40_000;
/// What the process may grow by, in KiB.
const MOST_GROWTH_KIB: u64 = 4_096;

#[tokio::test]
async fn a_bill_of_any_length_is_compared_in_the_same_memory() {
    let (few, many) = (BillDay::of(FEW).await, BillDay::of(MANY).await);
    for version in [BillVersion::V3, BillVersion::V2] {
        few.compare(version).await;
        let before_kib = largest_kib();
        let done = many.compare(version).await;
        let grown_kib = largest_kib() - before_kib;
        assert_eq!(done.first, [""; 0], "{version:?}");
        assert_eq!(done.compared.comparison.payments.count, u64::from(MANY));
        assert!(grown_kib < MOST_GROWTH_KIB, "{version:?}: {grown_kib} KiB");
    }
    // Each line is a difference: they are passed on, and not kept.
    few.forget_payments().await;
    many.forget_payments().await;
    few.compare(BillVersion::V3).await;
    let before_kib = largest_kib();
    let done = many.compare(BillVersion::V3).await;
    assert_eq!(done.compared.differences, u64::from(MANY));
    assert!(done.first[0].contains("payment_missing_here"), "{done:?}");
    let grown_kib = largest_kib() - before_kib;
    assert!(grown_kib < MOST_GROWTH_KIB, "{grown_kib} KiB");
}
