//! A phone's browser: to WeChat's middle page and back.

use checkout::{Effect, Event, Failure, Intent, Notice, Options, ReturnUrl, Screen};
use merchant_api::{Action, CheckoutAnswer, ErrorCode, Product};

use crate::page::{CODE, H5_URL, PHONE, Page, QQ, TABLET, attempted, code_shown, open_order, paid};

const HOME: &str = "https://shop.example/pay/1";

fn options() -> Options {
    Options {
        return_url: ReturnUrl::parse(HOME),
        auto_start: true,
        ..Options::default()
    }
}

fn leaving() -> Page {
    let mut page = Page::opened(PHONE, options(), open_order(1));
    page.want(Intent::Start);
    let action = Some(Action::H5Url(H5_URL.into()));
    page.answer_start(attempted(2, 1, Product::H5, action));
    page
}

#[test]
fn h5_waits_for_the_buyers_gesture_even_with_auto_start() {
    let mut page = Page::opened(PHONE, options(), open_order(1));
    page.expect_screen("offer");
    page.pass(60_000);
    assert_eq!(page.start_in_flight(), None);
    page.want(Intent::Start);
    let (_, form) = page.start_in_flight().unwrap();
    assert_eq!(
        (form.product, form.return_url.as_deref()),
        (Product::H5, Some(HOME))
    );
    page.want(Intent::Start);
    assert_eq!(
        page.effects
            .iter()
            .filter(|effect| is_start(effect))
            .count(),
        1,
        "a double click"
    );
}

fn is_start(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Send {
            request: checkout::Request::Start(_),
            ..
        }
    )
}

#[test]
fn where_only_h5_is_offered_and_may_fail_another_browser_is_suggested() {
    let cases: [(&str, &[Product], bool); 3] = [
        (QQ, &[Product::H5], true),
        (QQ, &[Product::H5, Product::Native], false),
        (PHONE, &[Product::H5], false),
    ];
    for (user_agent, products, expected) in cases {
        let order = CheckoutAnswer {
            products: Some(products.to_vec()),
            ..open_order(1)
        };
        let page = Page::opened(user_agent, options(), order);
        let is_as_expected = matches!(
            page.screen(),
            Screen::Offer { product: Product::H5, is_guarded, .. } if is_guarded == expected
        );
        assert!(
            is_as_expected,
            "{user_agent} {products:?}: {:?}",
            page.screen()
        );
    }
}

#[test]
fn the_page_navigates_to_the_h5_url_unchanged_and_marks_that_it_left() {
    let page = leaving();
    assert_eq!(page.navigations(), [H5_URL], "never edited");
    assert!(page.effects.contains(&Effect::MarkDeparture(true)));
    page.expect_screen("leaving");
}

#[test]
fn a_return_causes_no_query_until_the_buyer_asks_for_it() {
    let mut page = Page::opened(
        PHONE,
        Options {
            returned: true,
            ..options()
        },
        attempted(2, 1, Product::H5, None),
    );
    assert!(page.effects.contains(&Effect::StripAddress));
    page.expect_screen("returned");
    assert!(!page.poll_in_flight().unwrap().1.ask);
    assert!(
        matches!(page.screen(), Screen::Returned { notice: None, .. }),
        "no verdict without the buyer's request"
    );
    page.want(Intent::CheckPayment);
    assert!(page.poll_in_flight().unwrap().1.ask);
    page.answer_poll(attempted(2, 1, Product::H5, None));
    assert!(matches!(
        page.screen(),
        Screen::Returned {
            notice: Some(Notice::NotPaidYet),
            is_asking: false
        }
    ));
    page.want(Intent::CheckPayment);
    page.answer_poll(paid(3));
    page.expect_screen("paid");
    assert!(page.effects.contains(&Effect::MarkDeparture(false)));
}

/// A buyer who saw an error may have paid, and is not sent to pay again before a query.
#[test]
fn trouble_after_a_return_causes_a_query_and_then_a_new_h5_url() {
    let left_alone = attempted(2, 1, Product::H5, None);
    let returned = || {
        let options = Options {
            returned: true,
            ..options()
        };
        let mut page = Page::opened(PHONE, options, left_alone.clone());
        page.want(Intent::ReportTrouble);
        assert!(page.poll_in_flight().unwrap().1.ask);
        page.expect_screen("returned");
        page
    };
    let mut page = returned();
    page.want(Intent::Start);
    assert_eq!(
        page.start_in_flight(),
        None,
        "not before WeChat was queried"
    );
    page.answer_poll(paid(3));
    page.expect_screen("paid");

    let mut page = returned();
    assert!(!page.effects.contains(&Effect::MarkDeparture(false)));
    page.answer_poll(left_alone.clone());
    assert!(matches!(
        page.screen(),
        Screen::Offer {
            product: Product::H5,
            notice: Some(Notice::NotPaidYet),
            ..
        }
    ));
    assert!(page.effects.contains(&Effect::MarkDeparture(false)));
    page.want(Intent::Start);
    assert_eq!(
        page.start_in_flight().unwrap().1.after,
        Some(1),
        "never a replayed h5_url"
    );
}

#[test]
fn a_page_restored_after_the_return_shows_the_return_panel() {
    let mut page = leaving();
    page.happen(Event::Hidden);
    page.pass(45_000);
    page.happen(Event::Resumed);
    page.expect_screen("returned");
    assert!(!page.poll_in_flight().unwrap().1.ask);
}

#[test]
fn a_page_that_never_left_offers_to_try_again() {
    let mut page = leaving();
    page.pass(5_000);
    assert!(matches!(
        page.screen(),
        Screen::Leaving {
            is_stuck: true,
            product: Some(Product::H5),
            fallback: None,
        }
    ));
    page.want(Intent::Start);
    assert_eq!(page.start_in_flight().unwrap().1.product, Product::H5);
}

#[test]
fn where_h5_may_fail_the_code_is_offered_when_wechat_does_not_open() {
    let mut page = Page::opened(QQ, options(), open_order(1));
    page.want(Intent::Start);
    let action = Some(Action::H5Url(H5_URL.into()));
    page.answer_start(attempted(2, 1, Product::H5, action));
    page.want(Intent::StartFallback);
    assert_eq!(
        page.start_in_flight(),
        None,
        "not while the page may still navigate"
    );
    page.pass(5_000);
    assert!(matches!(
        page.screen(),
        Screen::Leaving {
            is_stuck: true,
            fallback: Some(Product::Native),
            ..
        }
    ));
    page.want(Intent::StartFallback);
    let (_, form) = page.start_in_flight().unwrap();
    assert_eq!((form.product, form.after), (Product::Native, Some(1)));
    page.answer_start(code_shown(3, 2, CODE));
    page.expect_screen("qr");
}

/// A way in which a start fails.
type Fail<'a> = &'a dyn Fn(&mut Page);

/// A final refusal is reported. The payment can continue while the other method has not been tried.
#[test]
fn on_a_tablet_a_refused_method_leaves_the_other_one() {
    let hostile = |page: &mut Page| {
        let action = Some(Action::H5Url("javascript:alert(1)".into()));
        page.answer_start(attempted(2, 1, Product::H5, action));
    };
    let unreachable = |page: &mut Page| {
        for _ in 0..4 {
            let (id, _) = page.start_in_flight().unwrap();
            page.fail(id, Failure::Unreachable);
            page.pass(20_000);
        }
    };
    let refused = |code| move |page: &mut Page| page.refuse_start(code, None);
    let cases: [(&str, Fail<'_>); 5] = [
        (
            "PRODUCT_UNAVAILABLE",
            &refused(ErrorCode::ProductUnavailable),
        ),
        ("WECHAT_REFUSED", &refused(ErrorCode::WechatRefused)),
        ("RETURN_URL_REFUSED", &refused(ErrorCode::ReturnUrlRefused)),
        ("H5_URL_REFUSED", &hostile),
        ("UNREACHABLE", &unreachable),
    ];
    for (code, fail) in cases {
        let mut page = Page::opened(TABLET, options(), open_order(1));
        page.want(Intent::Start);
        fail(&mut page);
        assert_eq!(page.problems(), [code]);
        assert!(
            matches!(
                page.screen(),
                Screen::Offer {
                    product: Product::H5,
                    fallback: Some(Product::Native),
                    notice: Some(Notice::Cancelled),
                    ..
                }
            ),
            "{code}: {:?}",
            page.screen()
        );
        page.want(Intent::StartFallback);
        assert_eq!(page.start_in_flight().unwrap().1.product, Product::Native);
        page.refuse_start(ErrorCode::ProductUnavailable, None);
        page.expect_screen("problem");
    }
}

#[test]
fn an_attempt_on_a_desktop_does_not_stop_the_phone_from_offering_h5() {
    let mut page = Page::opened(PHONE, options(), code_shown(2, 1, CODE));
    page.expect_screen("offer");
    page.want(Intent::Start);
    assert_eq!(page.start_in_flight().unwrap().1.after, Some(1));
}

#[test]
fn a_failing_network_is_retried_and_then_left_to_the_buyer() {
    let mut page = Page::opened(PHONE, options(), open_order(1));
    page.want(Intent::Start);
    for _ in 0..4 {
        let (id, _) = page.start_in_flight().unwrap();
        page.fail(id, Failure::Unreachable);
        page.pass(20_000);
    }
    page.expect_screen("problem");
    assert_eq!(page.problems(), ["UNREACHABLE"]);
    page.want(Intent::Start);
    assert!(page.start_in_flight().is_some());
}

#[test]
fn an_expired_order_is_shown_as_expired_and_offers_nothing() {
    let mut page = Page::opened(PHONE, options(), open_order(1));
    page.want(Intent::Start);
    page.refuse_start(ErrorCode::CheckoutExpired, None);
    page.expect_screen("expired");
}

/// A buyer who pays at the last moment and opens the page again is not told that the order expired.
#[test]
fn an_order_that_expired_before_the_page_opened_is_queried_first() {
    let over = |checked_ms_ago| CheckoutAnswer {
        remaining_ms: Some(0),
        checked_ms_ago,
        ..open_order(1)
    };
    for answers in [vec![over(None)], vec![over(Some(5_000)), over(Some(0))]] {
        let mut page = Page::opened(PHONE, options(), over(Some(60_000)));
        for answer in answers {
            page.expect_screen("loading");
            page.pass(2_000);
            assert!(page.poll_in_flight().unwrap().1.ask);
            page.answer_poll(answer);
        }
        page.expect_screen("expired");
    }
    let mut page = Page::opened(PHONE, options(), over(None));
    page.answer_poll(paid(2));
    page.expect_screen("paid");
}
