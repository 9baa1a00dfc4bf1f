//! Text to one SVG path, for the widget and for the server's page.
//!
//! What WeChat's scanner needs is fixed here and is no option: a standard QR code (never Micro
//! QR), error correction M, and four light modules of quiet zone inside the `viewBox`, so that no
//! style sheet of the page around it can take them away. The text is encoded byte for byte: one
//! changed letter, or one added parameter, makes a `code_url` "expired".
//!
//! It never draws, never looks at what the text means, and never formats: every buyer downloads
//! this crate, so it holds integers and string pushes only.

mod error_correction;
mod path;
mod svg;
mod symbol;

pub use symbol::{QrCode, TooLong};
