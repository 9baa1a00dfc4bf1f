//! The pictures on a buyer's page: the logo of who is paid, and WeChat Pay's sign, where they are
//! configured. Without a sign file the page shows a neutral mark, which its style draws: WeChat Pay's sign
//! is the merchant's to use under WeChat Pay's rules, and not ours to ship.

use maud::{Markup, html};
use merchant_core::config::{Config, Picture};

use crate::extract::Language;

/// The logo of who is paid. The name is beside it, so a screen reader skips it.
pub(crate) fn logo(logo: Option<&Picture>) -> Markup {
    html! {
        @if let Some(logo) = logo { img .logo src=(address(logo)) alt=""; }
    }
}

/// The line that says by what the buyer pays.
pub(crate) fn brand(config: &Config, language: Language) -> Markup {
    html! {
        @if let Some(sign) = &config.wechat_pay_sign {
            p .sign { img src=(address(sign)) alt=(language.say(buyer_words::BRAND)); }
        } @else {
            p .brand { (language.say(buyer_words::BRAND)) }
        }
    }
}

/// Both pictures for the element, which has slots for them.
pub(super) fn in_slots(config: &Config, logo: Option<&Picture>, language: Language) -> Markup {
    html! {
        @if let Some(logo) = logo {
            img slot="logo" src=(address(logo)) alt="";
        }
        @if let Some(sign) = &config.wechat_pay_sign {
            img slot="brand" src=(address(sign)) alt=(language.say(buyer_words::BRAND));
        }
    }
}

fn address(picture: &Picture) -> String {
    format!("/pictures/{}", picture.name)
}
