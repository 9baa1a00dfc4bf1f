//! WeChat Pay as a local server: gateway, payer, notifier.
//!
//! WeChat Pay APIv3 with real signatures in both directions, for development without an
//! account. [`Simulator::app`] is the server; [`wechat_browser::app`] is WeChat's browser around
//! a shop's page. Both are plain routers, time and randomness are injected, and due work is done
//! by [`Simulator::run_due`], so whole payments run in one process without sockets and without sleeping.
//!
//! To measure orders per second: `cargo run --release -p wechat-pay-simulator --example
//! simulator_order_rate`.
//!
//! It never connects to another machine unless an option allows it, and it moves no money. It does not
//! prove that WeChat would answer in the same way: each rule names its source.

mod app;
mod clock;
mod control;
mod faults;
mod gateway;
mod keyring;
mod ledger;
mod mini_program;
mod notifier;
mod oauth;
mod outgoing;
mod pages;
mod random;
mod server;
mod settings;
mod simulator;
mod store;
mod tls;
pub mod wechat_browser;

pub use clock::Clock;
pub use faults::{FaultKind, FaultRule};
pub use keyring::{Keyring, KeyringError, MerchantFile, Pkcs12Error};
pub use ledger::{
    AttemptView, CombinedView, LedgerView, NotificationView, OrderView, Outcome, RefundView,
    ShareReceiverView, ShareReturnView, ShareView, TryView,
};
pub use notifier::NOTIFICATION_TIMEOUT;
pub use outgoing::{Outgoing, OutgoingError};
pub use random::Random;
pub use server::serve;
pub use settings::{
    BillPath, ChangedOrder, Oaep, PaidCode, RateCode, RefundOutcome, Settings, SettingsError,
    TextLimit, Trust, UnknownRoute,
};
pub use simulator::{SUB_MERCHANTS, Simulator, SimulatorOptions, SimulatorParts, SubMerchant};
pub use store::StateError;
pub use tls::{Tls, TlsError, serve_tls};
