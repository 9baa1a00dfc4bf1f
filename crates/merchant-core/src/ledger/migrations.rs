//! The migrations of each engine. The newest version means the same tables and columns in both.
//!
//! Forward only: a released migration is never changed; a new one is added, with the same number for
//! both engines. Some numbers are missing: a number is reserved before the work begins, and the work
//! for number 7 needed no migration. Only the order of the numbers counts.

use ledger_database::Migration;

macro_rules! migrations {
    ($engine:literal $($version:literal $description:literal $file:literal)+) => {
        &[$(Migration {
            version: $version,
            description: $description,
            statements: include_str!(concat!("../../migrations/", $engine, "/", $file)),
        }),+]
    };
}

pub(super) const SQLITE: &[Migration] = migrations! {
    "sqlite"
    1 "orders and attempts" "0001_orders_and_attempts.sql"
    2 "what the private API shows" "0002_private_api.sql"
    3 "webhooks" "0003_webhooks.sql"
    4 "refunds" "0004_refunds.sql"
    5 "surplus is refunded" "0005_surplus.sql"
    6 "all order forms" "0006_order_forms.sql"
    8 "when it was paid" "0008_when_it_was_paid.sql"
    13 "mismatches are seen to" "0013_mismatches_seen_to.sql"
    14 "webhooks without a target" "0014_webhooks_without_a_target.sql"
    15 "whose it is" "0015_whose_it_is.sql"
    21 "work keeps its wait" "0021_waits.sql"
    22 "what others repeat and say" "0022_what_others_repeat_and_say.sql"
    24 "which API made it" "0024_which_api.sql"
    31 "notify_url of an order" "0031_notify_url.sql"
    50 "several merchants" "0050_several_merchants.sql"
    60 "product codes" "0060_product_codes.sql"
    80 "payers" "0080_payers.sql"
    81 "payments by number" "0081_payments_by_number.sql"
    82 "shippings" "0082_shippings.sql"
    90 "the desk" "0090_desk.sql"
    100 "who is paid" "0100_payee.sql"
    110 "payment links" "0110_payment_links.sql"
    120 "shares" "0120_shares.sql"
    130 "figures of buyers' pages" "0130_buyer_figures.sql"
    140 "combined orders" "0140_combined_orders.sql"
};

/// PostgreSQL came with version 22: its first migration makes the tables of that version.
pub(super) const POSTGRES: &[Migration] = migrations! {
    "postgres"
    22 "all tables" "0022_all_tables.sql"
    24 "which API made it" "0024_which_api.sql"
    31 "notify_url of an order" "0031_notify_url.sql"
    50 "several merchants" "0050_several_merchants.sql"
    60 "product codes" "0060_product_codes.sql"
    80 "payers" "0080_payers.sql"
    81 "payments by number" "0081_payments_by_number.sql"
    82 "shippings" "0082_shippings.sql"
    90 "the desk" "0090_desk.sql"
    100 "who is paid" "0100_payee.sql"
    110 "payment links" "0110_payment_links.sql"
    120 "shares" "0120_shares.sql"
    130 "figures of buyers' pages" "0130_buyer_figures.sql"
    140 "combined orders" "0140_combined_orders.sql"
};
