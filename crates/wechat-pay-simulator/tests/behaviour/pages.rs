//! The pages for people: configuration of SDKs, the ledger, the controls.

use axum::body::Body;
use http::{Request, StatusCode, header};

use crate::harness::{Harness, send, text};

async fn post(harness: &Harness, path: &str, form: &str) -> http::Response<bytes::Bytes> {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    send(harness.simulator.app(), request).await
}

#[tokio::test]
async fn the_first_page_shows_the_address_for_every_sdk_and_no_secret() {
    let harness = Harness::new();
    let page = harness.get("/").await;
    let page = text(&page);
    let merchant = harness.merchant();
    for sdk in [
        "merchant-server",
        "wechatpayv3",
        "wechatpay-axios-plugin",
        "wechatpay-php",
        "wechatpay-go",
        "wechatpay-java",
    ] {
        assert!(page.contains(sdk), "{sdk}");
    }
    assert!(page.contains(&merchant.mchid) && page.contains(crate::harness::BASE_URL));
    for secret in [
        &merchant.api_v3_key,
        &merchant.api_v2_key,
        &merchant.app_secret,
    ] {
        assert!(!page.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn the_first_page_explains_the_setting_trust_and_the_address() {
    for (now, other) in [
        ("trust=public_key", "--set trust=certificates"),
        ("trust=certificates", "--set trust=public_key"),
    ] {
        let harness = Harness::with_settings(&[now]);
        let page = harness.get("/").await;
        let page = text(&page);
        assert!(page.contains(&format!("Now {now}:")), "{now}");
        for part in [
            other,
            "--public-base-url",
            "--allow-remote",
            crate::harness::BASE_URL,
        ] {
            assert!(page.contains(part), "{now}: {part}");
        }
    }
}

#[tokio::test]
async fn the_ledger_shows_buyers_orders_refunds_and_each_try() {
    let harness = Harness::new();
    harness.answer_notifications(Ok(StatusCode::IM_A_TEAPOT));
    harness.pay_native("T00001").await;
    harness.simulator.run_due().await;
    let page = harness.get("/ledger").await;
    let page = text(&page);
    for part in [
        "T00001",
        "¥19.90",
        "SUCCESS",
        "TRANSACTION.SUCCESS",
        "418",
        "2026-01-01T12:00:00",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[tokio::test]
async fn the_control_page_advances_the_clock_adds_faults_and_changes_settings() {
    let harness = Harness::new();
    for (path, form, shown) in [
        ("/control/clock", "advance_s=900", "2026-01-01T12:15:00"),
        (
            "/control/faults",
            "route=order&kind=error_after&rate=0.5&count=&seed=&delay_ms=&seconds=&code=",
            "order error_after 0.5",
        ),
        (
            "/control/faults",
            "route=refund&kind=refused&rate=1&count=2&seed=7&code=NOT_ENOUGH",
            "refund refused 1 count=2 seed=7 code=NOT_ENOUGH",
        ),
        ("/control/migrate", "", "1‰"),
        ("/control/settings", "line=payers%3D7", "7"),
    ] {
        let answer = post(&harness, path, form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        let page = harness.get("/control").await;
        assert!(text(&page).contains(shown), "{shown}");
    }
    for (path, form) in [
        ("/control/clock", "advance_s=-1"),
        ("/control/faults", "route=nowhere&kind=error_after&rate=1"),
        ("/control/faults", "route=order&kind=error_after&rate=often"),
        (
            "/control/faults",
            "route=order&kind=latency&rate=1&count=few",
        ),
        (
            "/control/faults",
            "route=order&kind=refused&rate=1&code=NOT_ENOUGH",
        ),
        ("/control/settings", "line=nonsense"),
    ] {
        let answer = post(&harness, path, form).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{form}");
        assert!(text(&answer).contains("role=\"alert\""));
    }
    post(&harness, "/control/faults/clear", "").await;
    let before = harness.get("/control").await;
    post(&harness, "/control/rotate", "").await;
    let after = harness.get("/control").await;
    assert!(
        text(&after).len() > text(&before).len(),
        "a second certificate"
    );
}

#[tokio::test]
async fn the_ledger_page_offers_what_happens_without_the_merchant() {
    let harness = Harness::new();
    harness.native("T00001").await;
    let mchid = harness.merchant().mchid.clone();
    let number = wechat_pay::OutTradeNo::parse("T00001").unwrap();
    harness
        .send(wechat_pay::close(
            &wechat_pay::Account::new(&mchid, None),
            &number,
        ))
        .await
        .unwrap();
    let order = format!("mchid={mchid}&out_trade_no=T00001");
    let shown = async || text(&harness.get("/ledger").await).to_owned();
    assert!(shown().await.contains("action=\"/ledger/pay\""));
    let landed = post(&harness, "/ledger/pay", &format!("{order}&outcome=success")).await;
    assert_eq!(landed.status(), StatusCode::SEE_OTHER);
    assert!(shown().await.contains("out_trade_no") && shown().await.contains("PAID"));
    let again = post(&harness, "/ledger/pay", &format!("{order}&outcome=success")).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);

    for (yuan, status) in [
        ("0.5", 303),
        ("much", 400),
        ("0", 400),
        ("99", 409),
        ("0.5", 429),
    ] {
        let refunded = post(&harness, "/ledger/refund", &format!("{order}&yuan={yuan}")).await;
        assert_eq!(refunded.status().as_u16(), status, "{yuan}");
    }
    let refund = harness.simulator.ledger_view(None).refunds.remove(0);
    assert_eq!((refund.refund.get(), refund.status), (50, "PROCESSING"));
    let decision = format!("{order}&out_refund_no={}&outcome=", refund.out_refund_no);
    for (outcome, status) in [("lost", 400), ("abnormal", 303), ("success", 404)] {
        let decided = post(
            &harness,
            "/ledger/refund/outcome",
            &format!("{decision}{outcome}"),
        )
        .await;
        assert_eq!(decided.status().as_u16(), status, "{outcome}");
    }
    assert!(shown().await.contains("ABNORMAL"));
}

#[tokio::test]
async fn a_phone_logs_in_to_the_mini_program() {
    let harness = Harness::new();
    let page = post(&harness, "/phone/login", "").await;
    let merchant = harness.merchant();
    assert!(text(&page).contains(&merchant.mini_program_appid));
    let code = text(&page).split_once("<code>").unwrap().1;
    let code = code.split_once("</code>").unwrap().0;
    let path = format!(
        "/sns/jscode2session?appid={}&secret={}&js_code={code}&grant_type=authorization_code",
        merchant.mini_program_appid, merchant.mini_program_secret,
    );
    let session = harness.get(&path).await;
    assert!(text(&session).contains(&harness.simulator.openid(&merchant.mini_program_appid)));
}

#[tokio::test]
async fn a_phone_can_be_handed_to_another_buyer() {
    let harness = Harness::new();
    let answer = post(&harness, "/phone/payer", "payer=2").await;
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("simulator_payer=2;"), "{cookie}");
    let code_url = harness.native("T00001").await;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("code_url", &code_url)
        .append_pair("outcome", "success")
        .finish();
    let request = Request::post("/phone/pay")
        .header(header::COOKIE, "other=1; simulator_payer=2")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let paid = send(harness.simulator.app(), request).await;
    assert_eq!(paid.status(), StatusCode::OK);
    harness.simulator.run_due().await;
    let wechat_pay::NotifiedResource::Transaction(paid) = harness.notified().remove(0).resource
    else {
        panic!("a payment was made");
    };
    let second = harness.simulator.openid_of(2, &harness.merchant().appid);
    assert_eq!(paid.openid(), Some(second.as_str()));
    let shown = post(&harness, "/phone/code", "").await;
    assert!(text(&shown).contains("auth_code"));
}

#[tokio::test]
async fn a_form_over_the_limit_is_refused() {
    let harness = Harness::new();
    let large = "a".repeat(300 * 1024);
    assert_eq!(
        post(&harness, "/phone/pay", &large).await.status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let answer = post(&harness, "/_simulator/pay", &large).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}
