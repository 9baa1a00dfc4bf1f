//! WeChat's older API closes no order in its first five minutes, so a new attempt has to wait for the
//! present one: the backend answers `ATTEMPT_IN_DOUBT` with the time that is left.

use checkout::{Failure, Intent, Options, Screen};
use merchant_api::{Action, ApiError, ErrorCode, Product};

use crate::page::{CODE, DESKTOP, H5_URL, Page, TABLET, attempted, code_shown, open_order, paid};

/// Four and a half minutes.
const LEFT_MS: u64 = 270_000;

fn refuse_for_now(page: &mut Page) {
    let (id, _) = page
        .start_in_flight()
        .expect("a request for an attempt is in flight");
    let mut error = ApiError::new(ErrorCode::AttemptInDoubt, "no");
    error.retry_after_ms = Some(LEFT_MS);
    let answer = None;
    page.fail(id, Failure::Refused { error, answer });
}

#[test]
fn a_buyer_with_another_method_continues_the_present_attempt_at_once() {
    let mut page = Page::opened(TABLET, Options::default(), open_order(1));
    page.want(Intent::Start);
    let h5 = || Some(Action::H5Url(H5_URL.into()));
    page.answer_start(attempted(2, 1, Product::H5, h5()));
    page.want(Intent::Resume);
    page.want(Intent::ReportTrouble);
    let (id, query) = page.poll_in_flight().unwrap();
    assert!(query.ask);
    page.answer(id, attempted(2, 1, Product::H5, None));
    page.expect_screen("offer");
    page.want(Intent::StartFallback);
    refuse_for_now(&mut page);
    assert!(
        matches!(
            page.screen(),
            Screen::Offer {
                product: Product::H5,
                fallback: Some(Product::Native),
                ..
            }
        ),
        "{:?}",
        page.screen()
    );
    page.want(Intent::Start);
    let (_, form) = page.start_in_flight().unwrap();
    assert_eq!((form.product, form.after), (Product::H5, Some(1)));
    page.answer_start(attempted(2, 1, Product::H5, h5()));
    assert_eq!(page.navigations(), [H5_URL, H5_URL]);
}

#[test]
fn a_buyer_without_another_method_waits_and_is_not_refused() {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    refuse_for_now(&mut page);
    page.expect_screen("starting");
    page.pass(LEFT_MS - 1_000);
    page.expect_screen("starting");
    assert_eq!(page.start_in_flight(), None, "not before its time");
    page.pass(2_000);
    page.answer_start(code_shown(2, 2, CODE));
    page.expect_screen("qr");
    assert_eq!(page.problems(), [""; 0]);
}

#[test]
fn a_payment_of_the_present_attempt_ends_the_wait() {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    refuse_for_now(&mut page);
    page.pass(20_000);
    let (id, _) = page.poll_in_flight().expect("polling continues");
    page.answer(id, paid(2));
    page.expect_screen("paid");
}
