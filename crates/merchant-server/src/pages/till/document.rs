//! The till's page: all its screens at once, of which the script shows one. Fields have no `name`, so
//! that no browser can send them, and nothing here depends on who asks.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use merchant_core::config::ServiceContact;

use super::files::{SCRIPT_PATH, STYLE_PATH};
use super::words;
use crate::extract::Language;

/// The page in this language.
pub(super) fn page(is_live: bool, contact: Option<&ServiceContact>, language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    let is_test = !is_live;
    let sign = language.yuan_sign();
    html! {
        (DOCTYPE)
        (PreEscaped(format!("<html lang=\"{}\">", language.tag())))
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="robots" content="noindex";
            meta name="color-scheme" content="light dark";
            title { (say(words::TITLE)) " · " (say(buyer_words::BRAND)) }
            // The page has no icon; without this line the browser would request an icon.
            link rel="icon" href="data:,";
            link rel="stylesheet" href=(STYLE_PATH);
            script type="module" src=(SCRIPT_PATH) {}
        }
        body {
            main #till data-sign=(sign) {
                header {
                    p .brand { strong { (say(words::TITLE)) } " " span #place {} }
                    button #sign-out .link type="button" hidden { (say(words::SIGN_OUT)) }
                }
                @if is_test { p .ribbon { (say(buyer_words::TEST_RIBBON)) } }
                noscript { p .notice { (say(words::NO_SCRIPT)) } }
                p #offline .notice role="status" hidden { (say(words::OFFLINE)) }
                div .card {
                    p #due .amount hidden {}
                    p #notice .notice role="alert" hidden {}
                    (sign_in(language))
                    (amount(language))
                    (scan(language))
                    (progress(language))
                    (outcomes(language))
                    p #order .quiet hidden { (say(buyer_words::ORDER_NUMBER)) " " span #order-no {} }
                }
                dl #notices hidden {
                    @for (name, sentence) in words::NOTICES {
                        dt { (name) } dd { (say(*sentence)) }
                    }
                }
            }
            (receipt(is_live, contact, language))
        }
        (PreEscaped("</html>"))
    }
}

fn sign_in(language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    html! {
        section data-screen="sign-in" hidden {
            h1 tabindex="-1" { (say(words::SIGN_IN)) }
            form #sign-in autocomplete="off" {
                label for="key" { (say(words::KEY)) }
                input #key type="password" required autocomplete="off" spellcheck="false"
                    autocapitalize="off" aria-describedby="key-help";
                p #key-help .help { (say(words::KEY_HELP)) }
                label for="store" { (say(words::STORE)) }
                input #store required maxlength="32" autocomplete="off" aria-describedby="store-help";
                p #store-help .help { (say(words::STORE_HELP)) }
                label for="device" { (say(words::DEVICE)) }
                input #device maxlength="32" autocomplete="off";
                label for="description" { (say(words::DESCRIPTION)) }
                // WeChat takes 127 bytes, and a Chinese character has three.
                input #description required maxlength="42" autocomplete="off"
                    value=(say(words::DESCRIPTION_DEFAULT));
                div #sub hidden {
                    label for="sub-mchid" { (say(words::SUB_MERCHANT)) }
                    select #sub-mchid {}
                }
                button type="submit" { (say(words::OPEN)) }
            }
        }
    }
}

fn amount(language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    html! {
        section data-screen="amount" hidden {
            form #amount autocomplete="off" {
                h1 tabindex="-1" { label for="yuan" { (say(words::AMOUNT)) } }
                input #yuan .large inputmode="decimal" autocomplete="off" required;
                button type="submit" { (say(words::NEXT_STEP)) }
            }
        }
    }
}

fn scan(language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    html! {
        section data-screen="scan" hidden {
            h1 tabindex="-1" { (say(words::SCAN)) }
            p .quiet { (say(words::SCAN_HELP)) }
            form #scan autocomplete="off" {
                label for="code" { (say(words::CODE)) }
                input #code .large inputmode="numeric" autocomplete="off" required;
                button type="submit" { (say(words::CHARGE)) }
                button .lesser data-cancel type="button" { (say(words::CANCEL)) }
            }
        }
    }
}

fn progress(language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    let spinner = html! { div .spinner aria-hidden="true" {} };
    html! {
        section data-screen="paying" hidden {
            (spinner)
            h1 tabindex="-1" { (say(words::PAYING)) }
            p .quiet { (say(words::PAYING_HELP)) }
        }
        section data-screen="password" hidden {
            (spinner)
            h1 tabindex="-1" { (say(words::PASSWORD)) }
            p .quiet { (say(words::PASSWORD_HELP)) }
            button .lesser data-cancel type="button" { (say(words::CANCEL)) }
        }
        section .doubt data-screen="doubt" hidden {
            div .mark aria-hidden="true" { "?" }
            h1 tabindex="-1" { (say(words::DOUBT)) }
            ul { @for sentence in words::DOUBT_HELP { li { (say(sentence)) } } }
            button .lesser data-cancel type="button" { (say(words::CANCEL)) }
        }
        section data-screen="reversing" hidden {
            (spinner)
            h1 tabindex="-1" { (say(words::REVERSING)) }
            p .quiet { (say(words::REVERSING_HELP)) }
            div #alone hidden {
                p .notice { (say(words::REVERSING_ALONE)) }
                button .lesser data-next type="button" { (say(words::NEXT_SALE)) }
            }
        }
    }
}

fn outcomes(language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    html! {
        section .paid data-screen="paid" hidden {
            div .mark aria-hidden="true" { "✓" }
            h1 tabindex="-1" { (say(words::PAID)) }
            p #paid-less hidden { (say(words::PAID_LESS)) " " strong #paid-less-amount {} }
            button data-next type="button" { (say(words::NEXT_SALE)) }
            button #print .lesser type="button" { (say(words::PRINT)) }
        }
        section data-screen="ended" hidden {
            h1 tabindex="-1" { (say(words::ENDED)) }
            button data-next type="button" { (say(words::NEXT_SALE)) }
        }
    }
}

/// What the printer gets; the screen never shows it.
fn receipt(is_live: bool, contact: Option<&ServiceContact>, language: Language) -> Markup {
    let say = |sentence| language.say(sentence);
    let rows = [
        (words::RECEIPT_STORE, "store"),
        (words::RECEIPT_DEVICE, "device"),
        (words::RECEIPT_TOTAL, "total"),
        (words::RECEIPT_PAID, "paid"),
        (words::RECEIPT_TIME, "time"),
        (buyer_words::ORDER_NUMBER, "order"),
        (words::RECEIPT_TRANSACTION, "transaction"),
    ];
    html! {
        section #receipt aria-hidden="true" {
            @if let Some(contact) = contact { p .shop { (contact.text) } }
            h2 { (say(words::RECEIPT)) }
            @if !is_live { p { (say(buyer_words::TEST_RIBBON)) } }
            p data-receipt="description" {}
            dl {
                @for (name, field) in rows {
                    div { dt { (say(name)) } dd data-receipt=(field) {} }
                }
                div { dt { (say(words::RECEIPT_BY)) } dd { (say(buyer_words::BRAND)) } }
            }
        }
    }
}
