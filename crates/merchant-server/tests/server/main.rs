//! Tests the merchant server through its routes, against the simulator in the same process: no
//! socket, no sleeping, one clock that stands still. The simulator never loses an answer or refuses
//! without reason; the fault injector makes such faults on the way.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic there is the report"
)]

mod app_and_mini_program;
mod attempts;
mod bills;
mod call_limits;
mod checkout_codes;
mod clock_set;
mod cluster;
mod code_pay;
mod combined_orders;
mod command_line;
mod commit_in_doubt;
mod configuration;
mod configured_values;
mod connections;
mod contract;
mod crash_points;
mod cross_origin;
mod database;
mod dead_targets;
mod desk;
mod due_work;
mod event_orders;
mod exports;
mod fault_injector;
mod field_values;
mod first_code;
mod foreign_lock;
mod full_disk;
mod hosted_page;
mod hostile;
mod inbox;
mod instances;
mod lanes;
mod links;
mod live_check;
mod log;
mod merchant_faults;
mod merchant_keys;
mod merchants;
mod metrics;
mod mismatches;
mod moved_ledger;
mod newer_database;
mod notifications;
mod oauth;
mod operations;
mod order_forms;
mod orders;
mod overload;
mod pages;
mod parked_polls;
mod partner;
mod partner_bills;
mod payee;
mod payers;
mod pictures;
mod polls;
mod postgres_cost;
mod postgres_database;
mod postgres_trouble;
mod private_api;
mod process;
mod product_codes;
mod reconciliation;
mod refunds;
mod restored_ledger;
mod route_refusals;
mod security;
mod sharing;
mod shipping;
mod test_server;
mod till;
mod trust;
mod unknown_routes;
mod unread_notifications;
mod version_2;
mod webhooks;
mod wechat_calls;
mod wechat_events;
mod wxpay_server;
