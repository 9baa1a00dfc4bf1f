//! The merchant server: the checkout contract in front, WeChat Pay APIv3 behind.
//!
//! A shop runs this server beside its backend, which can be in any language, to accept WeChat Pay.
//! The server holds the keys, creates orders at WeChat, verifies each answer of WeChat before it
//! uses the answer, and answers the pages that wait.
//!
//! This crate is the HTTP side: [`MerchantServer`] is the state, [`app`] the routes, [`serve`] the
//! listener with the loops for due work. [`merchant_core`] has what a call does.
//!
//! The server never decides that money moved (WeChat decides), and never takes an amount from a
//! browser, but for one that a payment link lets the buyer choose, within the merchant's bounds.

pub mod code_sheet;
mod connections;
mod error;
mod extract;
mod metrics;
mod middleware;
mod pages;
mod routes;
mod serve;
mod server;
mod service_transport;

pub use merchant_core::bills::{
    BillKind, ComparedBill, DAY_RULE, NoBill, TakeDifference, compare_bill, read_day, save_bill,
};
pub use merchant_core::config::{
    Api, ApiKey, Bundle, Config, ConfigError, ConnectionBounds, Database, ENVIRONMENT_PREFIX,
    EmbeddedFile, Environment, Gateway, Merchant, MerchantCertificate, MiniProgram, RateLimits,
    Scope, Secret, SecretHash, ServiceContact, SubMerchant, VerificationFile, WebhookTarget,
};
pub use merchant_core::ledger::{
    LedgerError, Moved, MovedTable, NotMoved, Sums, back_up, migrate, move_ledger,
};
pub use merchant_core::live_check::{
    LiveCheckError, LiveReport, OrderCheck, Proof, Verdict, check_live,
};
pub use merchant_core::mismatches::{NotFinished, finish_mismatch, list_mismatches};
pub use merchant_core::orders::exports::{ExportKind, ExportSpan, NotExported, write_export};
pub use merchant_core::orders::product_codes;
pub use merchant_core::orders::show_order;
pub use merchant_core::reconciliation::{Finding, Reconciled};
pub use merchant_core::refunds::RefundRefused;
pub use merchant_core::surroundings::{
    Call, Clock, Download, HttpTransport, ManualClock, NoRandomness, Randomness, SeededRandomness,
    Sleep, Surroundings, SystemClock, SystemRandomness, TransportError, TryTimeout,
    WechatTransport, new_api_key, surroundings,
};
pub use merchant_core::wechat::{KnownKey, RefreshError, Refreshed, known_keys};
pub use routes::app;
pub use serve::{ServeError, serve};
pub use server::MerchantServer;
pub use service_transport::ServiceTransport;
