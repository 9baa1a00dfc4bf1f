//! The merchant server: the checkout contract in front, WeChat Pay APIv3 behind.
//!
//! A shop's backend, in any language, runs it beside itself and has WeChat Pay. It holds the keys,
//! orders at WeChat, believes WeChat only after verifying, and answers the pages that wait.
//!
//! Rooms:
//! - [`Config`]: what it needs to know, checked as a whole before anything starts;
//! - [`MerchantServer`] and [`app`]: the state and its routes; [`MerchantServer::run_due`]: the
//!   work that is due at a time, as data in the ledger and not as sleeping tasks;
//! - [`Clock`], [`Randomness`], [`WechatTransport`]: the world, handed in. A journey hands in a
//!   clock that it moves, randomness that it can repeat, and a simulator in the same process;
//! - the ledger (SQLite) behind one boundary; no SQL outside of it.
//!
//! What it never does: decide that money moved (WeChat does), take an amount from a browser, or
//! write a secret, an openid or a whole token anywhere but into its ledger.

mod allowance;
mod api_key;
mod bill_file;
mod bills;
mod checkout;
mod client_address;
mod clock;
mod clock_steps;
mod config;
mod connections;
mod cross_origin;
mod due_work;
mod error;
mod folder;
mod forwarded_hops;
mod hosted_page;
mod json_body;
mod lanes;
mod language;
mod ledger;
mod live_check;
mod metrics;
mod mismatches;
mod notify;
mod oauth;
mod openapi;
mod operations;
mod order_attempts;
mod order_details;
mod order_list;
mod order_locks;
mod orders;
mod path_text;
mod payer_mask;
mod plain_text;
mod query;
mod question;
mod quiet_log;
mod randomness;
mod rate_limit;
mod readiness;
mod receipt_page;
mod reconciliation;
mod refunds;
mod request_id;
mod return_address;
mod routes;
mod secret;
mod serve;
mod server;
mod settlement;
mod unknown_route;
mod unread_notifications;
mod webhooks;
mod wechat_client;
mod wechat_openid;
mod wechat_orders;
mod wechat_refunds;
mod wechat_transport;

pub use bills::{BillKind, DAY_RULE, read_day};
pub use clock::{Clock, ManualClock, Sleep, SystemClock};
pub use config::{
    ApiKey, Config, ConfigError, ConnectionBounds, Database, ENVIRONMENT_PREFIX, Environment,
    Gateway, Merchant, MerchantCertificate, MiniProgram, RateLimits, Scope, ServiceContact,
    SubMerchant, VerificationFile, WebhookTarget,
};
pub use ledger::LedgerError;
pub use live_check::{LiveCheckError, LiveReport, OrderCheck, Proof, Verdict, check_live};
pub use operations::{
    KnownKey, NoBill, NotFinished, back_up, compare_bill, finish_mismatch, known_keys,
    list_mismatches, migrate, new_api_key, save_bill, show_order, surroundings,
};
pub use randomness::{NoRandomness, Randomness, SeededRandomness, SystemRandomness};
pub use reconciliation::{Finding, Reconciled};
pub use refunds::RefundRefused;
pub use routes::app;
pub use secret::{Secret, SecretHash};
pub use serve::{ServeError, serve};
pub use server::{MerchantServer, Surroundings};
pub use wechat_client::{RefreshError, Refreshed};
pub use wechat_transport::{
    Call, Download, HttpTransport, ServiceTransport, TransportError, TryTimeout, WechatTransport,
};
