//! The code of an order's hosted page as a picture, for emails and receipts.

use http::StatusCode;
use qr_code::QrCode;
use serde_json::json;

use crate::test_server::{Answer, MERCHANT, TestServer};

async fn picture(server: &TestServer, token: &str, kind: &str) -> Answer {
    server
        .get(&format!("/v1/checkouts/{token}/code.{kind}"))
        .await
}

/// The pixels of a PNG, row by row: true is dark.
fn pixels(picture: &[u8]) -> (u32, Vec<bool>) {
    let decoder = png::Decoder::new(std::io::Cursor::new(picture));
    let mut reader = decoder.read_info().unwrap();
    let mut rows = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rows).unwrap();
    assert_eq!(info.width, info.height);
    assert_eq!(info.bit_depth, png::BitDepth::One);
    let side = info.width as usize;
    let dark = |at: usize| {
        let (x, y) = (at % side, at / side);
        rows[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 0
    };
    (info.width, (0..side * side).map(dark).collect())
}

#[tokio::test]
async fn the_picture_leads_to_the_hosted_page_and_has_its_quiet_zone() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let code = QrCode::encode(&format!("{MERCHANT}/c/{token}")).unwrap();
    let svg = picture(&server, &token, "svg").await;
    assert_eq!(svg.status, StatusCode::OK);
    assert_eq!(svg.headers["content-type"], "image/svg+xml");
    assert!(svg.text().contains(&code.path_data()), "{}", svg.text());
    let png = picture(&server, &token, "png").await;
    assert_eq!(png.headers["content-type"], "image/png");
    let (side_px, dark) = pixels(&png.body);
    let module_px = side_px / code.side_modules_with_quiet_zone();
    assert!(module_px >= 4, "it can be scanned from a screen");
    for (at, is_dark) in dark.into_iter().enumerate() {
        let at = u32::try_from(at).unwrap();
        let (x, y) = (at % side_px / module_px, at / side_px / module_px);
        assert_eq!(is_dark, code.is_dark(x, y), "{x} {y}");
        let is_margin = |place: u32| !(4..code.side_modules_with_quiet_zone() - 4).contains(&place);
        assert!(!is_dark || !(is_margin(x) || is_margin(y)), "{x} {y}");
    }
    for answer in [svg, png] {
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn a_picture_starts_and_ends_nothing_and_stays_the_same_in_every_state() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let before = [
        picture(&server, &token, "svg").await.body,
        picture(&server, &token, "png").await.body,
    ];
    assert_eq!(server.checkout(&token).await.number("attempt"), 0);
    server.attempt(&token, &[("product", "native")]).await;
    server.wechat.take_sent();
    let attempted = server.checkout(&token).await.json;
    for (kind, known) in ["svg", "png"].iter().zip(&before) {
        assert_eq!(picture(&server, &token, kind).await.body, known);
    }
    assert_eq!(server.checkout(&token).await.json, attempted);
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    server.call("POST", "/v1/orders/tea-0001/close").await;
    for (kind, known) in ["svg", "png"].iter().zip(&before) {
        assert_eq!(picture(&server, &token, kind).await.body, known, "closed");
    }
}

#[tokio::test]
async fn an_unknown_token_has_no_picture() {
    let server = TestServer::open().await;
    server
        .post_order(&json!({"total_fen": 1, "description": "tea"}))
        .await;
    for kind in ["svg", "png"] {
        let unknown = picture(&server, "AAAAAAAAAAAAAAAAAAAAAA", kind).await;
        assert_eq!(unknown.code(), "CHECKOUT_UNKNOWN");
        assert_eq!(unknown.headers["cache-control"], "no-store");
    }
}
