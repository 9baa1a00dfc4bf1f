//! The QR code: one path, always dark on white, whole modules of at least 240 px in all.

use super::Want;
use super::action::intent_word;
use crate::locale::Words;
use checkout::Intent;
use leptos::prelude::*;

/// Smallest side of the picture, in CSS pixels (research: scans below it begin to fail).
const SIDE_MIN_PX: u32 = 240;

/// What lies over a code. A dimmed one is taken by no scanner.
pub(super) enum Cover {
    Bare,
    Dimmed,
    /// Dimmed, with a button on it.
    Button(&'static str, Intent),
}

/// A code, good for scanning or covered.
#[component]
pub(super) fn QrCode(
    code_url: String,
    cover: Cover,
    words: &'static Words,
    want: Want,
) -> impl IntoView {
    let Ok(code) = qr_code::QrCode::encode(&code_url) else {
        // A code_url is bounded far below what a QR code holds, so this is out of reach.
        return ().into_any();
    };
    let side = code.side_modules_with_quiet_zone();
    let side_px = (side * SIDE_MIN_PX.div_ceil(side)).to_string();
    let mut view_box = String::from("0 0 ");
    view_box.push_str(&side.to_string());
    view_box.push(' ');
    view_box.push_str(&side.to_string());
    let class = match cover {
        Cover::Bare => "qr",
        Cover::Dimmed | Cover::Button(..) => "qr dim",
    };
    let button = match cover {
        Cover::Button(label, intent) => Some((label, intent)),
        Cover::Bare | Cover::Dimmed => None,
    };
    let button = button.map(|(label, intent)| {
        view! {
            <button type="button" part="primary" class="primary" data-intent=intent_word(intent)
                on:click=move |_| want.call(intent)>
                {label}
            </button>
        }
        .into_any()
    });
    view! {
        <div class=class>
            <svg part="qr" role="img" aria-label=words.code_label viewBox=view_box
                width=side_px.clone() height=side_px shape-rendering="crispEdges">
                <path fill="#fff" d="M0 0h999v999H0z"></path>
                <path fill="#000" d=code.path_data()></path>
            </svg>
            {button}
        </div>
    }
    .into_any()
}
