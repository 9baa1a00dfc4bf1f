//! Text to one SVG path, for the widget and for the server's page.
//!
//! The requirements of WeChat's scanner are fixed here and are not options: a standard QR code
//! (never Micro QR), error correction M, and four light modules of quiet zone inside the `viewBox`,
//! so that no style sheet of the surrounding page can remove them. The text is encoded byte for
//! byte: if one letter is changed or one parameter is added, WeChat reports a `code_url` as
//! "expired".
//!
//! ```
//! let code = qr_code::QrCode::encode("weixin://wxpay/bizpayurl?pr=JyC91EIz1").expect("it fits");
//!
//! // One path for a page's own `<svg>`, in modules.
//! assert!(code.path_data().starts_with("M4 4v1h7v-1"));
//! assert_eq!(code.side_modules_with_quiet_zone(), 37);
//! // Or a whole picture.
//! assert!(code.svg("Scan to pay").starts_with("<svg "));
//! ```
//!
//! This crate never draws, never interprets the text, and never formats: every buyer downloads it,
//! so it uses only integers and string pushes.

mod error_correction;
mod path;
mod svg;
mod symbol;

pub use symbol::{QrCode, TooLong};
