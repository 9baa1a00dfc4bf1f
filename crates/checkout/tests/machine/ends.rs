//! The ends of an order: what the buyer keeps of the payment, and where the shop continues.

use checkout::{Event, Failure, Options, Screen, SuccessUrl};
use merchant_api::{ApiError, CheckoutAnswer, ErrorCode};

use crate::page::{CODE, DESKTOP, Page, closed, code_shown, open_order, paid};

const SHOP: &str = "https://shop.example/orders/1";
const OF_PAGE: &str = "https://shop.example/thanks";

fn with_way_back(answer: CheckoutAnswer) -> CheckoutAnswer {
    CheckoutAnswer {
        success_url: Some(SHOP.into()),
        ..answer
    }
}

fn of_page() -> Options {
    Options {
        success_url: SuccessUrl::parse(OF_PAGE),
        ..Options::default()
    }
}

fn back(page: &Page) -> Option<String> {
    let back = page.machine.view(page.now_ms).back?;
    Some(back.as_str().to_owned())
}

/// At a desk, the first answer of an order that is over may be followed by a last query.
fn over(options: Options, answer: &CheckoutAnswer) -> Page {
    let mut page = Page::opened(DESKTOP, options, answer.clone());
    while page.poll_in_flight().is_some() {
        page.answer_poll(answer.clone());
        page.pass(0);
    }
    page
}

#[test]
fn only_a_payment_leads_to_the_address_after_a_payment() {
    let expired = CheckoutAnswer {
        remaining_ms: Some(0),
        checked_ms_ago: Some(0),
        ..open_order(2)
    };
    let page = over(Options::default(), &with_way_back(paid(2)));
    assert_eq!(back(&page).as_deref(), Some(SHOP));
    let page = over(of_page(), &with_way_back(paid(2)));
    assert_eq!(back(&page).as_deref(), Some(OF_PAGE));
    let unsafe_way = CheckoutAnswer {
        success_url: Some("javascript:alert(1)".into()),
        ..paid(2)
    };
    for answer in [paid(2), unsafe_way] {
        assert_eq!(back(&over(Options::default(), &answer)), None);
    }
    for (answer, screen) in [(closed(2), "closed"), (expired, "expired")] {
        let page = over(of_page(), &with_way_back(answer));
        page.expect_screen(screen);
        assert_eq!(back(&page), None, "{screen}");
    }
}

#[test]
fn an_order_that_the_backend_has_forgotten_leads_nowhere() {
    let mut page = Page::new(DESKTOP, of_page());
    page.happen(Event::Connected);
    let (id, _) = page.poll_in_flight().unwrap();
    let error = ApiError::new(ErrorCode::CheckoutExpired, "over");
    page.fail(
        id,
        Failure::Refused {
            error,
            answer: None,
        },
    );
    page.expect_screen("expired");
    assert_eq!(back(&page), None);
}

#[test]
fn an_order_that_can_still_be_paid_leads_nowhere_else() {
    let code = with_way_back(code_shown(2, 1, CODE));
    let page = Page::opened(DESKTOP, of_page(), code);
    page.expect_screen("qr");
    assert_eq!(back(&page), None);
}

#[test]
fn a_paid_order_has_its_receipt_from_the_answer_that_paid_it() {
    let mut page = Page::opened(DESKTOP, Options::default(), code_shown(2, 1, CODE));
    page.answer_poll(CheckoutAnswer {
        payer_total_fen: Some(5_910),
        success_time: Some("2026-11-26T20:04:05+08:00".into()),
        ..paid(3)
    });
    let order = page.machine.view(page.now_ms).order.unwrap();
    assert_eq!(order.payer_total_fen, Some(5_910));
    assert_eq!(
        order.success_time.as_deref(),
        Some("2026-11-26T20:04:05+08:00")
    );
    assert_eq!(order.refunded_fen, 0);
}

#[test]
fn only_the_whole_price_is_a_refund_in_full() {
    let total_fen = paid(2).total_fen;
    for (refunded_fen, is_refunded) in [
        (None, false),
        (Some(0), false),
        (Some(total_fen - 1), false),
        (Some(total_fen), true),
        // A backend may count more than the price.
        (Some(total_fen + 1), true),
    ] {
        let answer = CheckoutAnswer {
            refunded_fen,
            ..paid(2)
        };
        let page = Page::opened(DESKTOP, Options::default(), answer);
        assert_eq!(page.screen(), Screen::Paid { is_refunded });
        let order = page.machine.view(page.now_ms).order.unwrap();
        assert_eq!(order.refunded_fen, refunded_fen.unwrap_or_default());
    }
}
