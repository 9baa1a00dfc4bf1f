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
mod clock_set;
mod code_pay;
mod command_line;
mod configuration;
mod configured_values;
mod connections;
mod contract;
mod crash_points;
mod cross_origin;
mod database;
mod dead_targets;
mod due_work;
mod event_orders;
mod fault_injector;
mod field_values;
mod first_code;
mod foreign_lock;
mod full_disk;
mod hosted_page;
mod hostile;
mod inbox;
mod lanes;
mod live_check;
mod log;
mod merchant_keys;
mod metrics;
mod mismatches;
mod newer_database;
mod notifications;
mod oauth;
mod operations;
mod order_forms;
mod orders;
mod pages;
mod partner;
mod partner_bills;
mod polls;
mod private_api;
mod process;
mod reconciliation;
mod refunds;
mod route_refusals;
mod security;
mod test_server;
mod trust;
mod unknown_routes;
mod unread_notifications;
mod webhooks;
mod wechat_calls;
