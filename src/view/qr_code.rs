//! The QR code: one path, always dark on white, of at least 240 px.

use leptos::prelude::*;
use merchant_api::push_decimal;

use super::countdown::countdown;
use crate::locale::{Word, Words};

/// The picture of the last code. It is kept because the countdown renders the view again each
/// second, and encoding takes longer than the rest of the view.
#[derive(Default)]
pub(super) struct Picture {
    /// How long the code was valid when it was first shown: the length of the countdown's bar.
    longest_ms: u64,
    code_url: String,
    path: String,
    view_box: String,
    side_px: String,
}

impl Picture {
    /// A code that can be scanned.
    pub(super) fn good(&mut self, code_url: &str, words: &Words) -> AnyView {
        self.view("qr", code_url, None, words)
    }

    /// The countdown beneath the code.
    pub(super) fn countdown(&mut self, remaining_ms: u64, words: &Words) -> AnyView {
        self.longest_ms = self.longest_ms.max(remaining_ms);
        countdown(remaining_ms, self.longest_ms, words)
    }

    /// A code that no scanner reads, with an overlay.
    pub(super) fn dim(&mut self, code_url: &str, cover: Option<AnyView>, words: &Words) -> AnyView {
        self.view("qr dim", code_url, cover, words)
    }

    fn view(
        &mut self,
        class: &'static str,
        code_url: &str,
        cover: Option<AnyView>,
        words: &Words,
    ) -> AnyView {
        if self.code_url != code_url {
            *self = Self::of(code_url);
        }
        view! {
            <div class=class>
                <svg
                    part="qr code"
                    role="img"
                    aria-label=words.text(Word::CodeLabel)
                    viewBox=self.view_box.clone()
                    width=self.side_px.clone()
                    height=self.side_px.clone()
                    shape-rendering="crispEdges"
                >
                    <path fill="#fff" d=String::from("M0 0h999v999H0z")></path>
                    <path fill="#000" d=self.path.clone()></path>
                </svg>
                {cover}
            </div>
        }
        .into_any()
    }

    fn of(code_url: &str) -> Self {
        // A `code_url` is limited to far less than a QR code holds. If encoding fails, the picture
        // is empty.
        let Ok(code) = qr_code::QrCode::encode(code_url) else {
            return Self::default();
        };
        let side = code.side_modules_with_quiet_zone();
        let mut side_px = String::new();
        push_decimal(&mut side_px, u64::from(code.side_px()));
        let mut view_box = String::from("0 0 ");
        push_decimal(&mut view_box, u64::from(side));
        view_box.push(' ');
        push_decimal(&mut view_box, u64::from(side));
        Self {
            longest_ms: 0,
            code_url: code_url.to_owned(),
            path: code.path_data(),
            view_box,
            side_px,
        }
    }
}
