//! The extractors: parts of a request that handlers use, each checked by its own rules. They do not
//! decide what a call does.

mod api_key;
mod body;
mod client_address;
mod forwarded_hops;
pub(crate) mod json_body;
mod language;
mod merchant;
mod path_text;
pub(crate) mod query;

pub(crate) use api_key::{API_KEY_FIELD, Backend};
pub(crate) use body::read_body;
pub(crate) use client_address::{Caller, network_of};
pub(crate) use forwarded_hops::UnreadForms;
pub(crate) use language::Language;
pub(crate) use merchant::{MERCHANT_FIELD, merchant_of_token, note_merchant};
pub(crate) use path_text::PathText;
