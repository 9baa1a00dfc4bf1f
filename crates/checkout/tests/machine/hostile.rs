//! A backend that returns addresses it must not: none is followed, and the page learns which field
//! was refused.

use checkout::{Effect, Event, Failure, Intent, Options, ReturnUrl};
use merchant_api::{Action, Malformed, Product};

use crate::page::{DESKTOP, MINI_PROGRAM, PHONE, Page, WECHAT, attempted, open_order};

#[track_caller]
fn check(user_agent: &str, product: Product, action: Action, code: &str) {
    let options = Options {
        return_url: ReturnUrl::parse("https://shop.example/"),
        ..Options::default()
    };
    let mut page = Page::opened(user_agent, options, open_order(1));
    page.want(Intent::Start);
    page.answer_start(attempted(2, 1, product, Some(action)));
    page.expect_screen("problem");
    assert_eq!(page.problems(), [code]);
    assert!(page.navigations().is_empty());
    let is_call = |effect: &Effect| matches!(effect, Effect::InvokeCashier(_));
    assert!(!page.effects.iter().any(is_call));
}

#[test]
fn an_address_that_is_not_wechats_is_refused_with_its_code() {
    use Product::{H5, Jsapi, Native};
    let other_host = "https://evil.example/cgi-bin/mmpayweb-bin/checkmweb?a=1";
    check(
        PHONE,
        H5,
        Action::H5Url(other_host.into()),
        "H5_URL_REFUSED",
    );
    check(
        PHONE,
        H5,
        Action::H5Url("javascript:alert(1)".into()),
        "H5_URL_REFUSED",
    );
    check(
        DESKTOP,
        Native,
        Action::CodeUrl("https://evil.example".into()),
        "CODE_URL_REFUSED",
    );
    let other_host = "https://evil.example/connect/oauth2/authorize?a=1";
    check(
        WECHAT,
        Jsapi,
        Action::AuthorizeUrl(other_host.into()),
        "AUTHORIZE_URL_REFUSED",
    );
    let loopback = "http://127.0.0.1:9410/connect/oauth2/authorize?a=1";
    check(
        WECHAT,
        Jsapi,
        Action::AuthorizeUrl(loopback.into()),
        "AUTHORIZE_URL_REFUSED",
    );
}

#[test]
fn a_path_that_leaves_the_mini_program_is_refused() {
    for path in [
        "javascript:alert(1)",
        "pages/pay",
        "//evil.example/x",
        "/plugin-private://wx1/pages/x",
    ] {
        check(
            MINI_PROGRAM,
            Product::MiniProgram,
            Action::MiniProgramPath(path.into()),
            "MINI_PROGRAM_PATH_REFUSED",
        );
    }
}

#[test]
fn an_invalid_success_url_is_refused_and_paid_is_still_emitted() {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    page.answer_start(merchant_api::CheckoutAnswer {
        success_url: Some("javascript:alert(1)".into()),
        ..crate::page::paid(2)
    });
    page.expect_screen("paid");
    assert_eq!(page.paid_count(), 1);
    assert_eq!(page.problems(), ["SUCCESS_URL_REFUSED"]);
    page.pass(60_000);
    assert!(page.navigations().is_empty());
}

#[test]
fn the_longest_durations_and_numbers_that_json_can_hold_break_nothing() {
    const LONGEST: u64 = (1 << 53) - 1;
    let mut answer = crate::page::code_shown(LONGEST, LONGEST, crate::page::CODE);
    answer.remaining_ms = Some(LONGEST);
    answer.checked_ms_ago = Some(LONGEST);
    answer.poll_after_ms = Some(LONGEST);
    if let Some(attempt) = &mut answer.attempt {
        attempt.remaining_ms = Some(LONGEST);
    }
    let mut page = Page::opened(DESKTOP, Options::default(), answer.clone());
    page.expect_screen("qr");
    page.answer_poll(answer);
    page.pass(301_000);
    assert_eq!(
        page.polls_in_flight(),
        1,
        "no pause is longer than five minutes"
    );
}

#[test]
fn markup_in_a_text_stays_text() {
    let answer = merchant_api::CheckoutAnswer {
        description: Some("<img src=x onerror=alert(1)>".into()),
        ..open_order(1)
    };
    let page = Page::opened(PHONE, Options::default(), answer);
    let order = page.machine.view(0).order.unwrap();
    assert_eq!(
        order.description.as_deref(),
        Some("<img src=x onerror=alert(1)>")
    );
}

#[test]
fn an_action_of_another_product_is_refused() {
    let h5 = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?a=1";
    check(
        DESKTOP,
        Product::H5,
        Action::H5Url(h5.into()),
        "ACTION_UNEXPECTED",
    );
}

#[test]
fn a_malformed_answer_is_reported_once_and_does_not_remove_a_code_from_the_page() {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    page.answer_start(crate::page::code_shown(2, 1, crate::page::CODE));
    for _ in 0..3 {
        let (id, _) = page.poll_in_flight().unwrap();
        page.fail(
            id,
            Failure::Malformed(Malformed::not("total_fen", "must not be negative")),
        );
        page.pass(60_000);
        if page.poll_in_flight().is_none() {
            break;
        }
    }
    assert_eq!(page.problems(), ["ANSWER_MALFORMED"]);
    assert!(page.screen().name().starts_with("qr"));
}

#[test]
fn an_attempt_answered_with_an_older_version_does_not_hang() {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(7));
    page.answer_start(crate::page::code_shown(3, 1, crate::page::CODE));
    page.expect_screen("problem");
    assert_eq!(page.problems(), ["ANSWER_MALFORMED"]);
}

#[test]
fn a_first_answer_that_breaks_the_contract_is_the_merchants_problem() {
    let mut page = Page::new(DESKTOP, Options::default());
    page.happen(Event::Connected);
    let (id, _) = page.poll_in_flight().unwrap();
    page.fail(
        id,
        Failure::Malformed(Malformed::not("state", "is missing")),
    );
    page.expect_screen("problem");
    assert!(page.is_quiet());
}
