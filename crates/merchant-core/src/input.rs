//! Input from outside as text: JSON, and the texts that are shown to buyers or sent to WeChat. The
//! input is checked here and never changed.

pub mod json_form;
pub mod payee;
pub mod plain_text;
