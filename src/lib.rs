//! `<wechat-pay>`, the browser half: the shell around the payment machine, and its view.
//!
//! This package is the only one that names a browser. It decides nothing about a payment: the
//! machine (`checkout`) says what to do and what to show, `shell` does it, `view` shows it.
//! There is no logic under `cfg(target_arch)`, so the host's compiler and linter see all of it.
//!
//! Rust users take the [`WechatPay`] component; JavaScript gets [`embed`] through
//! `www/src/element.js`.

#[cfg(all(feature = "bundle", target_family = "wasm"))]
mod allocator;
mod component;
#[cfg(all(test, target_arch = "wasm32"))]
mod counting_page;
pub mod embed;
mod environment;
mod locale;
mod object;
mod options;
mod shadow;
mod shell;
mod transport;
mod view;

pub use checkout::{Failure, Intent, Request};
pub use component::{PaymentHandle, WechatPay};
pub use locale::{Locale, Messages, Word};
pub use merchant_api::{
    Action, ApiError, AttemptForm, CancelForm, CheckoutAnswer, CurrentAttempt, ErrorCode,
    Malformed, OrderState, PayParameters, PollQuery, Product,
};
pub use options::{Appearance, OptionError, Theme, WidgetOptions};
pub use shell::PageEvent;
pub use transport::{Reply, Transport};
