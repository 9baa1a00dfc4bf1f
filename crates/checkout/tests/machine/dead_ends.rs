//! No state leaves the buyer without a next step: a wait that does not end, an offer after trouble, a
//! product that nobody can pay here.

use checkout::{
    Alternative, Event, Facts, Failure, Injected, Intent, Notice, Options, Reason, Screen,
};
use merchant_api::{CheckoutAnswer, Product};

use crate::page::{DESKTOP, PHONE, Page, QQ, WECHAT, attempted, browser, open_order, paid};

/// Lets time pass, and fails each poll at once.
fn pass_unreached(page: &mut Page, ms: u64) {
    for _ in 0..ms / 100 {
        if let Some((id, _)) = page.poll_in_flight() {
            page.fail(id, Failure::Unreachable);
        }
        page.pass(100);
    }
}

fn is_late(page: &Page) -> bool {
    page.screen() == Screen::Loading { is_late: true }
}

#[test]
fn a_merchant_api_that_is_not_reached_leaves_another_try_after_15_seconds() {
    for fails_at_once in [true, false] {
        let mut page = Page::new(DESKTOP, Options::default());
        page.happen(Event::Connected);
        let wait = |page: &mut Page, ms| {
            if fails_at_once {
                pass_unreached(page, ms);
            } else {
                page.pass(ms);
            }
        };
        wait(&mut page, 14_900);
        assert!(!is_late(&page), "{fails_at_once}");
        wait(&mut page, 200);
        assert!(is_late(&page), "{fails_at_once}");
        // The buyer's try is sent at once, and shows that it is under way.
        wait(&mut page, 1_000);
        page.want(Intent::Resume);
        assert!(!is_late(&page));
        assert!(page.poll_in_flight().is_some());
        wait(&mut page, 5_000);
        assert!(is_late(&page));
        // It polls on by itself.
        for _ in 0..600 {
            if page.poll_in_flight().is_none() {
                page.pass(100);
            }
        }
        page.answer_poll(open_order(1));
        page.expect_screen("starting");
    }
}

#[test]
fn another_try_before_the_first_answer_pays_nothing_by_itself() {
    let mut page = Page::new(PHONE, Options::default());
    page.happen(Event::Connected);
    pass_unreached(&mut page, 16_000);
    page.want(Intent::Resume);
    page.answer_poll(open_order(1));
    page.expect_screen("offer");
    assert_eq!(page.start_in_flight(), None);
}

#[test]
fn a_page_that_was_hidden_is_not_late_when_the_buyer_looks() {
    let mut page = Page::new(DESKTOP, Options::default());
    page.happen(Event::Connected);
    page.happen(Event::Hidden);
    page.pass(60_000);
    page.happen(Event::Resumed);
    assert!(!is_late(&page));
    page.pass(15_000);
    assert!(is_late(&page));
}

#[test]
fn a_first_answer_in_time_is_never_late() {
    let mut page = Page::opened(PHONE, Options::default(), open_order(1));
    page.pass(60_000);
    page.expect_screen("offer");
}

/// The buyer reported a problem, and WeChat has no payment: paying again is offered beside another
/// query, because the buyer may have paid all the same.
fn after_trouble() -> Page {
    let returned = Options {
        returned: true,
        ..Options::default()
    };
    let mut page = Page::opened(PHONE, returned, attempted(2, 1, Product::H5, None));
    page.want(Intent::ReportTrouble);
    page.answer_poll(attempted(2, 1, Product::H5, None));
    page
}

fn warns(page: &Page) -> bool {
    matches!(
        page.screen(),
        Screen::Offer {
            notice: Some(Notice::NotPaidYet),
            ..
        }
    )
}

#[test]
fn after_trouble_the_buyer_can_query_again_and_does_not_have_to_pay_again() {
    let mut page = after_trouble();
    assert!(warns(&page), "{:?}", page.screen());
    page.want(Intent::CheckPayment);
    assert!(page.poll_in_flight().unwrap().1.ask, "WeChat is queried");
    assert!(matches!(
        page.screen(),
        Screen::Returned {
            is_asking: true,
            ..
        }
    ));
    page.answer_poll(attempted(2, 1, Product::H5, None));
    assert!(warns(&page), "the same offer: {:?}", page.screen());
    page.want(Intent::CheckPayment);
    page.answer_poll(paid(3));
    page.expect_screen("paid");
    assert_eq!(page.start_in_flight(), None);
}

#[test]
fn after_trouble_the_buyer_can_pay_again() {
    let mut page = after_trouble();
    page.want(Intent::Start);
    assert_eq!(page.start_in_flight().unwrap().1.product, Product::H5);
}

#[test]
fn an_offer_without_a_payment_in_doubt_queries_nothing() {
    let mut page = Page::opened(PHONE, Options::default(), open_order(1));
    page.want(Intent::CheckPayment);
    page.expect_screen("offer");
    assert!(!page.poll_in_flight().is_some_and(|(_, poll)| poll.ask));
}

#[test]
fn a_product_that_nobody_can_pay_here_is_reported_and_the_environment_decides() {
    let options = |product| Options {
        product: Some(product),
        ..Options::default()
    };
    let everything = || CheckoutAnswer {
        products: Some(vec![Product::Native, Product::H5, Product::Jsapi]),
        ..open_order(1)
    };
    for (user_agent, product, screen, is_reported) in [
        (DESKTOP, Product::Jsapi, "starting", true),
        (DESKTOP, Product::MiniProgram, "starting", true),
        (PHONE, Product::Jsapi, "offer", true),
        (WECHAT, Product::Native, "offer", true),
        (DESKTOP, Product::Native, "starting", false),
        (WECHAT, Product::Jsapi, "offer", false),
        (QQ, Product::Jsapi, "offer", false),
    ] {
        let page = Page::opened(user_agent, options(product), everything());
        page.expect_screen(screen);
        let reported = page.problems() == ["SCENE_IMPOSSIBLE"];
        assert_eq!(reported, is_reported, "{user_agent} {product:?}");
        let waits = page.effects.contains(&checkout::Effect::AwaitBridge);
        assert!(!(waits && is_reported), "{user_agent} waits for no bridge");
    }
}

#[test]
fn a_page_that_knows_its_web_view_may_require_the_cashier() {
    let facts = Facts {
        injected: Injected {
            bridge: true,
            ..Injected::default()
        },
        ..browser(DESKTOP)
    };
    let options = Options {
        product: Some(Product::Jsapi),
        ..Options::default()
    };
    let mut page = Page::of(facts, options);
    page.happen(Event::Connected);
    page.answer_poll(open_order(1));
    page.expect_screen("offer");
    assert_eq!(page.problems(), [""; 0]);
}

#[test]
fn a_shop_with_a_mini_program_alone_sends_the_buyer_there() {
    let products = |products: &[Product]| CheckoutAnswer {
        products: Some(products.to_vec()),
        ..open_order(1)
    };
    for (given, place) in [
        (&[Product::MiniProgram][..], Some(Alternative::MiniProgram)),
        (&[], None),
    ] {
        let page = Page::opened(DESKTOP, Options::default(), products(given));
        let expected = Screen::Unavailable(Reason::NothingFits(place));
        assert_eq!(page.screen(), expected);
    }
}
