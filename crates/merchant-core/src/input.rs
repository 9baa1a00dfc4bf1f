//! What comes from outside as text: JSON, and the texts that buyers and WeChat are shown. It is
//! checked here and never changed.

pub mod json_form;
pub mod plain_text;
