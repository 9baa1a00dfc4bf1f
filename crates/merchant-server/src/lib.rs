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

mod attempts;
mod bills;
mod checkouts;
mod config;
mod connections;
mod due_work;
mod error;
mod extract;
mod ledger;
mod live_check;
mod metrics;
mod middleware;
mod mismatches;
mod notifications;
mod operations;
mod orders;
mod pages;
mod payments;
mod plain_text;
mod query;
mod reconciliation;
mod refunds;
mod routes;
mod serve;
mod settlement;
mod surroundings;
mod webhooks;
mod wechat;

pub use bills::{BillKind, DAY_RULE, read_day};
pub use config::{
    ApiKey, Config, ConfigError, ConnectionBounds, Database, ENVIRONMENT_PREFIX, Environment,
    Gateway, Merchant, MerchantCertificate, MiniProgram, RateLimits, Scope, Secret, SecretHash,
    ServiceContact, SubMerchant, VerificationFile, WebhookTarget,
};
pub use ledger::LedgerError;
pub use live_check::{LiveCheckError, LiveReport, OrderCheck, Proof, Verdict, check_live};
pub use operations::{
    KnownKey, NoBill, NotFinished, back_up, compare_bill, finish_mismatch, known_keys,
    list_mismatches, migrate, new_api_key, save_bill, show_order,
};
pub use payments::MerchantServer;
pub use reconciliation::{Finding, Reconciled};
pub use refunds::RefundRefused;
pub use routes::app;
pub use serve::{ServeError, serve};
pub use surroundings::{
    Call, Clock, Download, HttpTransport, ManualClock, NoRandomness, Randomness, SeededRandomness,
    ServiceTransport, Sleep, Surroundings, SystemClock, SystemRandomness, TransportError,
    TryTimeout, WechatTransport, surroundings,
};
pub use wechat::{RefreshError, Refreshed};
