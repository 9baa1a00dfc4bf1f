//! A small shop that sells three things through the merchant server: what a storefront's own
//! backend has to do to embed `<wechat-pay>`, and no more.
//!
//! It creates the order (number, price and text are the shop's, never the browser's), hands the
//! page its token, and asks the merchant server before it calls an order paid. It never talks to
//! WeChat, never holds a WeChat key, and never believes an event from a browser.

mod config;
mod gallery;
mod goods;
mod merchant;
mod page;
mod purchase;
mod routes;
mod unguessable;

pub use config::{ApiKey, ShopConfig};
pub use goods::{GOODS, Item};
pub use routes::{app, serve};
