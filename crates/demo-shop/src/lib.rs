//! A small shop that sells three items through the merchant server. It shows what a storefront's
//! own backend has to do to embed `<wechat-pay>`, and no more.
//!
//! The shop creates the order (number, price and text come from the shop, never from the browser),
//! gives its token to the page, and asks the merchant server before it treats an order as paid. It
//! never talks to WeChat, never holds a WeChat key, and never trusts an event from a browser.

mod config;
mod gallery;
mod goods;
mod merchant;
mod order_number;
mod page;
mod purchase;
mod routes;

pub use config::{ApiKey, ShopConfig};
pub use goods::{GOODS, Item};
pub use routes::app;
