//! The hosted page for a browser without script: forms in, pages and redirects out.

use axum::body::Body;
use buyer_words::{
    BRAND, CLOSED, EXPIRED, I_HAD_A_PROBLEM, I_HAVE_PAID, MINI_PROGRAM, NOT_PAID_YET, NOT_POSSIBLE,
    OFFER_H5, OFFER_JSAPI, ORDER_AGAIN, ORDER_NUMBER, PAID, PAY, PAY_IN_WECHAT, RETURNED, SCAN,
    SCAN_ELSEWHERE, SCAN_INSTEAD, SHOW_CODE, TEST_RIBBON, WECHAT_TOO_OLD, Words,
};
use http::{Request, StatusCode};
use serde_json::json;

use crate::bills;
use crate::test_server::{Answer, MERCHANT, MINUTE_MS, SHOP, TestServer};

const DESK: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/111.0.0.0 Mobile Safari/537.36";
const WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) Language/zh_CN";
const OLD_WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 6_0 like Mac OS X) MicroMessenger/4.5";
const IN_MINI_PROGRAM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) Language/zh_CN miniProgram/wx0123456789abcdef";

async fn look(server: &TestServer, user_agent: &str, path: &str) -> String {
    let request = Request::get(path).header("user-agent", user_agent);
    let page = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    page.text()
}

async fn start(server: &TestServer, token: &str, fields: &[(&str, &str)]) -> Answer {
    server.form(&format!("/c/{token}/start"), fields).await
}

#[track_caller]
fn leads_to(answer: &Answer, address: &str) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(answer.headers["location"], address);
    assert_eq!(
        answer.headers["referrer-policy"],
        "strict-origin-when-cross-origin"
    );
}

#[tokio::test]
async fn only_the_button_requests_a_code_which_is_shown_until_it_is_paid() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/c/{token}");
    let page = look(&server, DESK, &path).await;
    assert!(page.contains(&format!("action=\"/c/{token}/start\"")));
    assert!(page.contains("显示支付二维码"), "{page}");
    assert!(!page.contains("<svg") && !page.contains("<iframe"));
    assert_eq!(server.wechat.take_sent(), [], "looking orders nothing");

    let began = start(&server, &token, &[("product", "native"), ("after", "0")]).await;
    leads_to(&began, &path);
    server.wechat.take_sent();
    let page = look(&server, DESK, &path).await;
    assert!(page.contains("<svg") && page.contains("扫一扫"), "{page}");
    let frame =
        format!("<noscript><iframe class=\"status\" title=\"支付状态\" src=\"{path}/status?seen=");
    assert!(page.contains(&frame), "{page}");
    assert!(!page.contains("http-equiv"), "the page itself stays");

    server.pay("tea-0001").await;
    leads_to(
        &server.form(&format!("{path}/check"), &[]).await,
        &format!("{path}?checked=1"),
    );
    let page = look(&server, DESK, &format!("{path}?checked=1")).await;
    assert!(page.contains("支付成功"), "{page}");
    assert!(!page.contains("<form") && !page.contains("<iframe"));
    server.later(5 * 24 * 60 * MINUTE_MS).await;
    assert!(look(&server, DESK, &path).await.contains("支付成功"));
}

#[tokio::test]
async fn on_a_phone_only_the_buyers_choice_shows_a_code() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/c/{token}");
    start(&server, &token, &[("product", "native"), ("after", "0")]).await;
    let page = look(&server, PHONE, &path).await;
    assert!(
        !page.contains("<svg") && page.contains("value=\"h5\""),
        "{page}"
    );
    let chosen = Request::post(format!("{path}/start"))
        .header("user-agent", PHONE)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("product=native&after=1"));
    leads_to(
        &server.send(chosen.unwrap()).await,
        &format!("{path}?code=1"),
    );
    let page = look(&server, PHONE, &format!("{path}?code=1")).await;
    assert!(
        page.contains("<svg") && page.contains("另一台设备"),
        "{page}"
    );
}

#[tokio::test]
async fn the_frame_of_a_page_without_script_reloads_until_the_status_changes() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    start(&server, &token, &[("product", "native"), ("after", "0")]).await;
    let version = server.checkout(&token).await.number("version");
    let path = format!("/c/{token}/status?seen={version}");
    let frame = look(&server, DESK, &path).await;
    let again = "<meta http-equiv=\"refresh\" content=\"5\">";
    assert!(frame.contains(again) && !frame.contains("<a"), "{frame}");
    let older = look(&server, DESK, &format!("/c/{token}/status?seen=0")).await;
    assert!(
        older.contains("有更新") && !older.contains(again),
        "{older}"
    );
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    let frame = look(&server, DESK, &path).await;
    let news = format!("<a class=\"button\" href=\"/c/{token}\" target=\"_top\">");
    assert!(
        frame.contains("支付成功") && frame.contains(&news),
        "{frame}"
    );
    assert!(!frame.contains(again), "{frame}");
}

#[tokio::test]
async fn each_page_speaks_the_language_of_its_reader() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    for (accepted, tag, words) in [
        ("zh-CN,en;q=0.5", "zh-CN", "未找到该订单"),
        ("zh-TW,en;q=0.5", "zh-Hant", "找不到此訂單"),
        ("en-US,zh;q=0.5", "en", "We can't find this order"),
        ("fr", "en", "We can't find this order"),
    ] {
        for (path, is_order) in [
            (format!("/c/{token}"), true),
            ("/c/nobody".to_owned(), false),
        ] {
            let request = Request::get(&path)
                .header("accept-language", accepted)
                .header("user-agent", DESK);
            let page = server.send(request.body(Body::empty()).unwrap()).await;
            let text = page.text();
            assert!(text.contains(&format!("<html lang=\"{tag}\">")), "{text}");
            assert_eq!(text.contains(words), !is_order, "{text}");
            for (language, ribbon) in [("zh-CN", "测试环境"), ("zh-Hant", "測試環境")] {
                let expected = is_order && tag == language;
                assert_eq!(text.contains(ribbon), expected, "{text}");
            }
            let varies = page.headers["vary"].to_str().unwrap();
            assert!(varies.starts_with("accept-language"), "{varies}");
        }
    }
}

#[tokio::test]
async fn only_the_button_queries_wechat_and_only_then_the_page_shows_not_paid() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/c/{token}");
    start(&server, &token, &[("product", "native")]).await;
    server.wechat.take_sent();
    for path in [&*path, &*format!("{path}?wechat_pay_return=x")] {
        let page = look(&server, PHONE, path).await;
        assert!(!page.contains("暂未查询到支付结果"), "{page}");
    }
    assert_eq!(server.wechat.take_sent(), []);
    leads_to(
        &server.form(&format!("{path}/check"), &[]).await,
        &format!("{path}?checked=1"),
    );
    assert_eq!(server.wechat.take_sent().len(), 1);
    // A second press within the interval is answered without a query.
    server.form(&format!("{path}/check"), &[]).await;
    assert_eq!(server.wechat.take_sent(), []);
    let page = look(&server, PHONE, &format!("{path}?checked=1")).await;
    assert!(page.contains("暂未查询到支付结果"), "{page}");
}

#[tokio::test]
async fn a_phone_is_sent_to_wechat_and_comes_back_to_this_page() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/c/{token}");
    let page = look(&server, PHONE, &path).await;
    let (h5, native) = (page.find("value=\"h5\""), page.find("value=\"native\""));
    assert!(h5.is_some() && h5 < native, "{page}");
    // The return address in a form is ignored.
    let fields = [
        ("product", "h5"),
        ("after", "0"),
        ("return_url", "http://evil.example/"),
    ];
    let began = start(&server, &token, &fields).await;
    assert_eq!(began.status, StatusCode::SEE_OTHER);
    let address = url::Url::parse(began.headers["location"].to_str().unwrap()).unwrap();
    assert!(address.path().ends_with("/checkmweb"), "{address}");
    let back = address
        .query_pairs()
        .find(|(name, _)| name == "redirect_url")
        .map(|(_, value)| value.into_owned())
        .unwrap();
    assert!(
        back.starts_with(&format!("{MERCHANT}{path}?wechat_pay_return=")),
        "{back}"
    );
    let page = look(&server, PHONE, back.strip_prefix(MERCHANT).unwrap()).await;
    assert!(page.contains("我已完成支付") && page.contains("支付遇到问题"));
    assert!(!page.contains("name=\"product\""), "{page}");
}

#[tokio::test]
async fn an_older_page_takes_over_nothing() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    start(&server, &token, &[("product", "native"), ("after", "0")]).await;
    let path = format!("/c/{token}?superseded=1");
    leads_to(
        &start(&server, &token, &[("product", "h5"), ("after", "0")]).await,
        &path,
    );
    let page = look(&server, DESK, &path).await;
    assert!(page.contains("该订单正在另一台设备上支付"), "{page}");
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("NOTPAY"));
    let moved = start(&server, &token, &[("product", "h5"), ("after", "1")]).await;
    assert_eq!(moved.status, StatusCode::SEE_OTHER);
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
}

#[tokio::test]
async fn inside_wechat_a_separate_page_opens_the_cashier() {
    let server = TestServer::open().await;
    let token = server
        .order(json!({
            "order_no": "tea-0001", "total_fen": 1990, "description": "tea",
            "payer": {"openid": "oBuyer"},
        }))
        .await;
    let page = look(&server, WECHAT, &format!("/c/{token}")).await;
    assert!(page.contains("value=\"jsapi\"") && !page.contains("value=\"h5\""));
    let cashier = start(&server, &token, &[("product", "jsapi"), ("after", "0")]).await;
    assert_eq!(cashier.status, StatusCode::OK);
    let text = cashier.text();
    for expected in [
        "id=\"cashier\"",
        "data-pay-sign=\"",
        "data-package=\"prepay_id=",
        "data-sign-type=\"RSA\"",
        &*format!("data-back=\"/c/{token}?wechat_pay_return="),
        "<script src=\"/c.js\" defer>",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(!text.contains("oBuyer"), "the openid stays here");
    assert!(!text.contains("<wechat-pay"), "one cashier at a time");
}

#[tokio::test]
async fn a_buyer_without_openid_is_redirected_and_returns_with_the_handle() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let redirect = start(&server, &token, &[("product", "jsapi"), ("after", "0")]).await;
    assert_eq!(redirect.status, StatusCode::SEE_OTHER);
    let address = redirect.headers["location"].to_str().unwrap();
    assert!(address.contains("/connect/oauth2/authorize"), "{address}");
    let page = look(
        &server,
        WECHAT,
        &format!("/c/{token}?wechat_pay_payer=abc%22%3C"),
    )
    .await;
    assert!(
        page.contains("name=\"payer\" value=\"abc&quot;&lt;\""),
        "{page}"
    );
    let path = format!("/c/{token}?wechat_pay_payer=unavailable");
    assert!(
        !look(&server, WECHAT, &path)
            .await
            .contains("name=\"payer\"")
    );
}

#[tokio::test]
async fn an_order_that_cannot_be_paid_says_so_and_offers_nothing() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/c/{token}");
    server.clock.advance_ms(31 * MINUTE_MS);
    let page = look(&server, DESK, &path).await;
    assert!(page.contains("支付超时，订单已失效"), "{page}");
    assert!(!page.contains("/start"), "{page}");
    let refused = start(&server, &token, &[("product", "native")]).await;
    assert_eq!(refused.status, StatusCode::GONE);
    assert!(refused.text().contains("支付超时，订单已失效"));
    server.later(1).await;
    let page = look(&server, DESK, &path).await;
    assert!(
        page.contains("订单已关闭") && !page.contains("<form"),
        "{page}"
    );
}

#[tokio::test]
async fn in_each_state_the_page_shows_the_sentences_of_the_element() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/c/{token}");
    let says = async |user_agent: &str, path: &str, sentences: &[Words]| {
        for (accepted, is_chinese) in [("zh-CN", true), ("en", false)] {
            let request = Request::get(path)
                .header("accept-language", accepted)
                .header("user-agent", user_agent);
            let page = server.send(request.body(Body::empty()).unwrap()).await;
            let text = page.text();
            for words in sentences {
                let sentence = if is_chinese { words.zh_cn } else { words.en };
                assert!(text.contains(sentence), "{sentence} in {text}");
            }
        }
    };
    says(DESK, &path, &[BRAND, TEST_RIBBON, SHOW_CODE, ORDER_NUMBER]).await;
    says(PHONE, &path, &[OFFER_H5, PAY_IN_WECHAT, SCAN_INSTEAD]).await;
    says(WECHAT, &path, &[OFFER_JSAPI, PAY]).await;
    says(OLD_WECHAT, &path, &[NOT_POSSIBLE, WECHAT_TOO_OLD]).await;
    says(IN_MINI_PROGRAM, &path, &[NOT_POSSIBLE, MINI_PROGRAM]).await;
    start(&server, &token, &[("product", "native")]).await;
    says(DESK, &path, &[SCAN, I_HAVE_PAID]).await;
    says(PHONE, &format!("{path}?code=1"), &[SCAN_ELSEWHERE]).await;
    let returned = format!("{path}?wechat_pay_return=x");
    says(PHONE, &returned, &[RETURNED, I_HAVE_PAID, I_HAD_A_PROBLEM]).await;
    says(DESK, &format!("{path}?checked=1"), &[NOT_PAID_YET]).await;
    server.clock.advance_ms(31 * MINUTE_MS);
    says(DESK, &path, &[EXPIRED, ORDER_AGAIN]).await;
    server.later(1).await;
    says(DESK, &path, &[CLOSED, ORDER_AGAIN]).await;
    server.pay_late("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    says(DESK, &path, &[PAID]).await;
}

#[tokio::test]
async fn a_paid_page_is_a_receipt_which_says_what_was_refunded() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/c/{token}");
    start(&server, &token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    let fact = |label: &str, value: &str| {
        format!("<div><dt>{label}</dt><dd dir=\"auto\">{value}</dd></div>")
    };
    let page = look(&server, DESK, &path).await;
    assert!(page.contains(&fact("订单号", "tea-0001")), "{page}");
    let time = server.checkout(&token).await;
    assert_eq!(time.string("success_time"), "2026-11-21T17:20:00+08:00");
    assert!(
        page.contains(&fact("支付时间", "2026年11月21日 17:20")),
        "{page}"
    );
    assert!(
        page.contains("支付成功") && !page.contains("退款"),
        "{page}"
    );
    assert_eq!(page.matches("tea-0001").count(), 1, "in the receipt alone");

    for (refund_no, amount_fen, title, refunded) in [
        ("back-1", 333, "支付成功", "¥3.33"),
        ("back-2", 1_657, "已全额退款", "¥19.90"),
    ] {
        bills::refunded(&server, "tea-0001", refund_no, amount_fen).await;
        server.clock.advance_ms(MINUTE_MS);
        server.simulator.run_due().await;
        for notification in server.take_notifications() {
            server
                .deliver_to("/wechat/notify/refund", &notification)
                .await;
        }
        let page = look(&server, DESK, &path).await;
        let title = format!("<p class=\"title\" role=\"status\">{title}</p>");
        assert!(page.contains(&title), "{page}");
        assert!(page.contains(&fact("已退款", refunded)), "{page}");
    }
}

#[tokio::test]
async fn only_a_payment_leads_to_the_orders_address_and_every_page_has_a_way_to_the_shop() {
    let server = TestServer::open().await;
    let shop = "http://127.0.0.1:8000/orders?a=1&b=2";
    let order = |number: &str| json!({"order_no": number, "total_fen": 1990, "description": "茶", "success_url": shop});
    let way =
        "<p><a class=\"button\" href=\"http://127.0.0.1:8000/orders?a=1&amp;b=2\">返回商家</a></p>";
    let path = async |number| format!("/c/{}", server.order(order(number)).await);
    let (paid, over) = (path("tea-0001").await, path("tea-0002").await);
    assert!(!look(&server, PHONE, &paid).await.contains(way));
    start(&server, &paid[3..], &[("product", "native")]).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    assert!(look(&server, DESK, &paid).await.contains(way));
    server.clock.advance_ms(31 * MINUTE_MS);
    let below = format!("<p><a href=\"{SHOP}\">返回商家</a></p>");
    for state in ["支付超时", "订单已关闭"] {
        let page = look(&server, DESK, &over).await;
        assert!(page.contains(state) && !page.contains(way), "{page}");
        assert!(page.contains(&below), "{page}");
        server.later(1).await;
    }
}

#[tokio::test]
async fn the_service_contact_is_shown_as_text() {
    let server = TestServer::open_with(
        "service_contact = { text = \"<b>400-000</b>\", url = \"tel:400-000\" }",
    )
    .await;
    let token = server.default_order().await;
    let page = look(&server, DESK, &format!("/c/{token}")).await;
    let expected = "<a href=\"tel:400-000\">&lt;b&gt;400-000&lt;/b&gt;</a>";
    assert!(page.contains(expected), "{page}");
}

#[tokio::test]
async fn forms_with_an_unknown_token_or_invalid_fields_get_a_page() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    for path in ["/c/nobody/start", "/c/nobody/check"] {
        let answer = server.form(path, &[("product", "native")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = start(&server, &token, &[("product", "cash")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains(&format!("href=\"/c/{token}\"")));
}
