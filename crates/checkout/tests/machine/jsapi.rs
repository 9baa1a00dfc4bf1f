//! Inside WeChat: the OAuth redirect for the openid, and the cashier.

use checkout::{BridgeReply, Effect, Event, Facts, Injected, Intent, Notice, Options, Screen};
use merchant_api::{Action, CheckoutAnswer, ErrorCode, PAYER_UNAVAILABLE_HANDLE, Product};

use crate::page::{
    AUTHORIZE_URL, CODE, Page, WECHAT, WECOM, attempted, bridge_ready, browser, code_shown,
    open_order, paid, pay_parameters,
};

fn reply(err_msg: &str) -> Event {
    Event::BridgeReplied(BridgeReply {
        err_msg: err_msg.into(),
        err_desc: None,
    })
}

fn with_cashier() -> CheckoutAnswer {
    let action = Some(Action::Jsapi(pay_parameters()));
    attempted(2, 1, Product::Jsapi, action)
}

fn at_cashier() -> Page {
    let mut page = Page::opened(WECHAT, Options::default(), open_order(1));
    page.want(Intent::Start);
    page.answer_start(with_cashier());
    page
}

fn invocations(page: &Page) -> usize {
    let is_call = |effect: &&Effect| matches!(effect, Effect::InvokeCashier(_));
    page.effects.iter().filter(is_call).count()
}

#[test]
fn auto_start_opens_the_cashier_except_after_a_return_or_over_another_devices_attempt() {
    let over = |mut answer: CheckoutAnswer| {
        answer.attempt.as_mut().unwrap().remaining_ms = Some(0);
        answer
    };
    let cases = [
        ("a first visit", false, open_order(1), true),
        ("its own cashier", false, with_cashier(), true),
        ("an expired code", false, over(code_shown(2, 1, CODE)), true),
        ("a desktop's code", false, code_shown(2, 1, CODE), false),
        (
            "a phone's attempt",
            false,
            attempted(2, 1, Product::H5, None),
            false,
        ),
        ("a return", true, open_order(1), false),
        ("a return to its own", true, with_cashier(), false),
    ];
    for (case, returned, answer, opens) in cases {
        let options = Options {
            auto_start: true,
            returned,
            ..Options::default()
        };
        let mut page = Page::opened(WECHAT, options, answer);
        page.pass(60_000);
        assert_eq!(page.start_in_flight().is_some(), opens, "{case}");
        if !opens {
            page.expect_screen(if returned { "returned" } else { "offer" });
        }
    }
}

/// WeChat refuses a `prepay_id` that was paid: as a failure, as a cancel, or with a message.
#[test]
fn a_page_that_starts_again_before_its_payment_is_known_ends_as_paid_for_every_reply() {
    let refusals = [
        (
            "get_brand_wcpay_request:fail",
            Some("该订单已支付"),
            "confirming",
        ),
        ("get_brand_wcpay_request:fail", None, "problem"),
        ("get_brand_wcpay_request:cancel", None, "offer"),
    ];
    for (err_msg, err_desc, screen) in refusals {
        let options = Options {
            auto_start: true,
            ..Options::default()
        };
        // The answer holds this page's own earlier attempt, and nothing about its payment.
        let mut page = Page::opened(WECHAT, options, with_cashier());
        page.answer_start(with_cashier());
        assert_eq!(invocations(&page), 1, "{err_msg}");
        page.happen(Event::BridgeReplied(BridgeReply {
            err_msg: err_msg.into(),
            err_desc: err_desc.map(str::to_owned),
        }));
        page.expect_screen(screen);
        assert!(page.poll_in_flight().unwrap().1.ask, "WeChat is queried");
        page.answer_poll(paid(3));
        page.expect_screen("paid");
        page.pass(60_000);
        assert_eq!((page.paid_count(), invocations(&page)), (1, 1), "{err_msg}");
    }
}

fn returned_from_oauth(payer: &str) -> Options {
    Options {
        payer: Some(payer.into()),
        ..Options::default()
    }
}

#[test]
fn the_oauth_redirect_happens_once_and_the_payment_continues_after_it() {
    let mut page = Page::opened(WECHAT, Options::default(), open_order(1));
    page.want(Intent::Start);
    page.answer_start(CheckoutAnswer {
        action: Some(Action::AuthorizeUrl(AUTHORIZE_URL.into())),
        ..open_order(1)
    });
    assert_eq!(page.navigations(), [AUTHORIZE_URL]);

    let mut page = Page::opened(WECHAT, returned_from_oauth("handle-1"), open_order(1));
    assert!(page.effects.contains(&Effect::StripAddress));
    assert_eq!(
        page.start_in_flight().unwrap().1.payer.as_deref(),
        Some("handle-1")
    );
    page.answer_start(with_cashier());
    assert_eq!(invocations(&page), 1);
}

#[test]
fn a_second_try_needs_no_second_redirect_unless_the_handle_is_invalid() {
    let mut page = Page::opened(WECHAT, returned_from_oauth("handle-1"), open_order(1));
    page.answer_start(with_cashier());
    page.happen(reply("get_brand_wcpay_request:cancel"));
    page.want(Intent::Start);
    assert_eq!(
        page.start_in_flight().unwrap().1.payer.as_deref(),
        Some("handle-1")
    );
    page.refuse_start(ErrorCode::PayerInvalid, None);
    page.expect_screen("problem");
    page.want(Intent::Start);
    assert_eq!(page.start_in_flight().unwrap().1.payer, None);
    page.answer_start(CheckoutAnswer {
        action: Some(Action::AuthorizeUrl(AUTHORIZE_URL.into())),
        ..open_order(2)
    });
    assert_eq!(page.navigations(), [AUTHORIZE_URL]);
}

#[test]
fn a_second_oauth_redirect_is_refused() {
    for payer in ["handle-1", PAYER_UNAVAILABLE_HANDLE] {
        let mut page = Page::opened(WECHAT, returned_from_oauth(payer), open_order(1));
        page.answer_start(CheckoutAnswer {
            action: Some(Action::AuthorizeUrl(AUTHORIZE_URL.into())),
            ..open_order(1)
        });
        page.expect_screen("problem");
        assert_eq!(page.problems(), ["PAYER_UNAVAILABLE"]);
        assert!(page.navigations().is_empty());
    }
}

#[test]
fn ok_is_a_hint_and_causes_a_query() {
    let mut page = at_cashier();
    page.happen(reply("get_brand_wcpay_request:ok"));
    page.expect_screen("confirming");
    assert_eq!(page.paid_count(), 0);
    assert!(page.poll_in_flight().unwrap().1.ask);
    page.answer_poll(with_cashier());
    page.expect_screen("confirming");
    page.pass(2_000);
    page.answer_poll(paid(3));
    page.expect_screen("paid");
    assert_eq!(page.paid_count(), 1);
}

#[test]
fn an_unconfirmed_ok_never_asks_the_buyer_to_pay_again() {
    let mut page = at_cashier();
    page.happen(reply("get_brand_wcpay_request:ok"));
    for _ in 0..12 {
        if page.poll_in_flight().is_some() {
            page.answer_poll(with_cashier());
        }
        page.pass(2_000);
    }
    assert!(matches!(
        page.screen(),
        Screen::Returned {
            notice: Some(Notice::NotPaidYet),
            ..
        }
    ));
}

#[test]
fn cancel_causes_a_query_and_offers_the_cashier_again() {
    let mut page = at_cashier();
    page.happen(reply("get_brand_wcpay_request:cancel"));
    assert!(matches!(
        page.screen(),
        Screen::Offer {
            notice: Some(Notice::Cancelled),
            ..
        }
    ));
    assert!(page.poll_in_flight().unwrap().1.ask);
    page.want(Intent::Start);
    assert_eq!(page.start_in_flight().unwrap().1.after, Some(1));
}

#[test]
fn an_ok_after_a_cancel_counts() {
    let mut page = at_cashier();
    page.happen(reply("get_brand_wcpay_request:cancel"));
    page.happen(reply("get_brand_wcpay_request:ok"));
    page.expect_screen("confirming");
    page.happen(reply("get_brand_wcpay_request:cancel"));
    page.expect_screen("confirming");
}

#[test]
fn a_failure_is_reported_with_wechats_message_and_can_be_retried() {
    let cases = [
        ("get_brand_wcpay_request:fail", "CASHIER_FAILED"),
        (
            "get_brand_wcpay_request:fail_invalid appid",
            "LANDING_URL_DENIED",
        ),
        ("system:access_denied", "LANDING_URL_DENIED"),
        ("system:function_not_exist", "CASHIER_UNSUPPORTED"),
    ];
    for (err_msg, code) in cases {
        let mut page = at_cashier();
        page.happen(reply(err_msg));
        page.expect_screen("problem");
        assert_eq!(page.problems(), [code], "{err_msg}");
        assert!(
            page.poll_in_flight().unwrap().1.ask,
            "{err_msg}: money may have moved all the same"
        );
    }
}

#[test]
fn a_payment_whose_callback_never_comes_is_found_by_the_polls() {
    let mut page = at_cashier();
    assert!(
        page.poll_in_flight().is_some(),
        "polling starts when the cashier is called"
    );
    page.pass(31_000);
    assert!(matches!(
        page.screen(),
        Screen::Cashier {
            is_silent: true,
            fallback: None,
        }
    ));
    page.answer_poll(paid(3));
    page.expect_screen("paid");
}

#[test]
fn the_bridge_is_waited_for_and_called_once() {
    let mut page = Page::of(browser(WECHAT), Options::default());
    page.happen(Event::Connected);
    page.answer_poll(open_order(1));
    page.want(Intent::Start);
    page.answer_start(with_cashier());
    assert_eq!(invocations(&page), 0);
    assert!(page.effects.contains(&Effect::AwaitBridge));
    page.happen(bridge_ready());
    page.happen(bridge_ready());
    assert_eq!(invocations(&page), 1);
}

#[test]
fn a_bridge_that_never_appears_is_a_problem_that_can_be_retried() {
    let mut page = Page::new("x MicroMessenger/8.0.1", Options::default());
    page.happen(Event::Connected);
    page.answer_poll(open_order(1));
    page.want(Intent::Start);
    page.answer_start(with_cashier());
    page.pass(10_000);
    assert_eq!(page.problems(), ["BRIDGE_MISSING"]);
    page.want(Intent::Start);
    assert!(page.start_in_flight().is_some());
}

fn wecom(sdk: bool, bridge: bool) -> Page {
    let facts = Facts {
        injected: Injected {
            bridge,
            sdk,
            mini_program: false,
        },
        ..browser(WECOM)
    };
    let mut page = Page::of(facts, Options::default());
    page.happen(Event::Connected);
    page.answer_poll(open_order(1));
    page.want(Intent::Start);
    page.answer_start(with_cashier());
    page
}

fn sdk_calls(page: &Page) -> usize {
    let is_call = |effect: &&Effect| matches!(effect, Effect::InvokeSdk(_));
    page.effects.iter().filter(is_call).count()
}

#[test]
fn wecom_uses_the_pages_sdk_if_there_is_one_and_otherwise_the_bridge() {
    let page = wecom(true, true);
    assert_eq!((sdk_calls(&page), invocations(&page)), (1, 0));
    let page = wecom(false, true);
    assert_eq!((sdk_calls(&page), invocations(&page)), (0, 1));
}

#[test]
fn an_sdk_that_the_page_loads_after_the_element_is_found_when_it_is_needed() {
    let mut page = Page::new(WECOM, Options::default());
    page.happen(Event::Connected);
    page.answer_poll(open_order(1));
    page.happen(Event::Injected(Injected {
        bridge: true,
        sdk: true,
        mini_program: false,
    }));
    page.want(Intent::Start);
    page.answer_start(with_cashier());
    assert_eq!((sdk_calls(&page), invocations(&page)), (1, 0));
}

#[test]
fn wecom_without_a_cashier_shows_the_code_and_reports_the_problem() {
    let mut page = wecom(false, true);
    page.happen(reply("getBrandWCPayRequest:fail_nosupport"));
    assert_eq!(page.problems(), ["CASHIER_UNSUPPORTED"]);
    assert_eq!(page.start_in_flight().unwrap().1.product, Product::Native);

    let mut page = wecom(false, false);
    page.pass(10_000);
    assert_eq!(page.problems(), ["BRIDGE_MISSING"]);
    assert_eq!(page.start_in_flight().unwrap().1.product, Product::Native);
    page.answer_start(code_shown(3, 2, CODE));
    assert!(matches!(
        page.screen(),
        Screen::QrCode {
            is_handheld: true,
            ..
        }
    ));
}

#[test]
fn wecom_with_a_failing_cashier_offers_both_methods() {
    let mut page = wecom(false, true);
    page.happen(reply("get_brand_wcpay_request:fail"));
    assert_eq!(page.problems(), ["CASHIER_FAILED"]);
    assert!(matches!(
        page.screen(),
        Screen::Offer {
            product: Product::Jsapi,
            fallback: Some(Product::Native),
            ..
        }
    ));
}

/// WeCom does not support WeChat's OAuth page, so a buyer who would need it gets the code.
#[test]
fn wecom_shows_the_code_instead_of_an_oauth_redirect() {
    let wecom = |products: &[Product], options| {
        let order = CheckoutAnswer {
            products: Some(products.to_vec()),
            ..open_order(1)
        };
        let mut page = Page::opened(WECOM, options, order);
        page.want(Intent::Start);
        page.answer_start(CheckoutAnswer {
            action: Some(Action::AuthorizeUrl(AUTHORIZE_URL.into())),
            products: Some(products.to_vec()),
            ..open_order(1)
        });
        page
    };
    let both = [Product::Jsapi, Product::Native];
    for options in [
        Options::default(),
        returned_from_oauth(PAYER_UNAVAILABLE_HANDLE),
    ] {
        let page = wecom(&both, options);
        assert!(page.navigations().is_empty());
        assert_eq!(page.problems(), ["PAYER_UNAVAILABLE"]);
        assert_eq!(page.start_in_flight().unwrap().1.product, Product::Native);
    }
    let page = wecom(&[Product::Jsapi], Options::default());
    assert_eq!(
        page.navigations(),
        [AUTHORIZE_URL],
        "tried if there is no other method"
    );
}

#[test]
fn wecom_with_a_silent_cashier_offers_the_code() {
    let mut page = wecom(false, true);
    page.pass(31_000);
    assert!(matches!(
        page.screen(),
        Screen::Cashier {
            is_silent: true,
            fallback: Some(Product::Native),
        }
    ));
    page.want(Intent::StartFallback);
    assert_eq!(page.start_in_flight().unwrap().1.product, Product::Native);
}

#[test]
fn where_the_bridge_never_appears_the_sdk_is_called_once() {
    let facts = Facts {
        injected: Injected {
            sdk: true,
            ..Injected::default()
        },
        ..browser(WECHAT)
    };
    let mut page = Page::of(facts, Options::default());
    page.happen(Event::Connected);
    page.answer_poll(open_order(1));
    page.want(Intent::Start);
    page.answer_start(with_cashier());
    assert_eq!(sdk_calls(&page), 0);
    page.pass(10_000);
    page.happen(bridge_ready());
    assert_eq!((sdk_calls(&page), invocations(&page)), (1, 0));
}

/// On iOS, WeChat checks the address on which the buyer landed, so one reload can help.
#[test]
fn a_page_that_may_not_pay_is_reloaded_once_by_the_buyers_click() {
    let denied = |reloaded| {
        let options = Options {
            reloaded,
            ..Options::default()
        };
        let mut page = Page::opened(WECHAT, options, open_order(1));
        page.want(Intent::Start);
        page.answer_start(with_cashier());
        page.happen(reply("system:access_denied"));
        page
    };
    let mut page = denied(false);
    assert_eq!(page.problems(), ["LANDING_URL_DENIED"]);
    assert!(!page.effects.contains(&Effect::Reload));
    page.want(Intent::Start);
    assert!(page.effects.contains(&Effect::Reload));
    assert_eq!(page.start_in_flight(), None);

    let mut page = denied(true);
    page.want(Intent::Start);
    assert!(!page.effects.contains(&Effect::Reload));
    match page.screen() {
        Screen::Failed(problem) => assert!(!problem.is_recoverable),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cancel_before_the_answer_aborts_the_attempt_and_sends_nothing() {
    let mut page = Page::opened(WECHAT, Options::default(), open_order(1));
    page.want(Intent::Start);
    let (starting, _) = page.start_in_flight().unwrap();
    page.want(Intent::Cancel);
    assert!(page.effects.contains(&Effect::Abort(starting)));
    page.expect_screen("offer");
    page.pass(1_000);
    assert!(page.poll_in_flight().is_some(), "and it is still polled");
}

#[test]
fn no_other_request_is_sent_while_an_attempt_is_in_flight() {
    let mut page = at_cashier();
    page.happen(reply("get_brand_wcpay_request:cancel"));
    page.want(Intent::Start);
    page.happen(reply("get_brand_wcpay_request:ok"));
    page.happen(Event::Resumed);
    assert_eq!(page.open.len(), 1);
    page.answer_start(with_cashier());
    assert!(
        page.poll_in_flight().unwrap().1.ask,
        "the poll for the first call follows"
    );
}
