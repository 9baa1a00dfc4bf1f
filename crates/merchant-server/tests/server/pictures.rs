//! The merchant's logo and WeChat Pay's sign: read from files of the configuration, and served from our own
//! origin to the pages that show them.

use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use crate::links::link;
use crate::test_server::{TestServer, sub_merchant, sub_merchant_table};

const LOGO: &[u8] = b"\x89PNG\r\n\x1a\n logo";
const SIGN: &[u8] = b"\xff\xd8\xff\xe0 sign";
const OF_SUB: &[u8] = b"RIFF\x10\0\0\0WEBPVP8 sub";

/// A folder with the pictures.
fn pictures() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("logo.png", LOGO), ("sign.jpg", SIGN), ("sub.webp", OF_SUB)] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// The addresses of the pictures on a page.
fn addresses(page: &str) -> Vec<String> {
    let starts = page.match_indices("src=\"/pictures/");
    let texts = starts.map(|(start, _)| page[start + 5..].split('"').next().unwrap());
    texts.map(str::to_owned).collect()
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers[name].to_str().unwrap()
}

#[tokio::test]
async fn pages_show_the_logo_and_the_sign_and_the_server_has_the_files() {
    let folder = pictures();
    let path = folder.path().display();
    let sign = format!("wechat_pay_sign_file = \"{path}/sign.jpg\"\n");
    let logo = format!("logo_file = \"{path}/logo.png\"\n");
    let server = TestServer::open_with_merchant(&sign, &logo).await;
    let token = server.default_order().await;
    let wanted = json!({ "total_fen": 1990, "description": "一壶茶" });
    let id = link(&server, wanted).await;
    for page in [format!("/c/{token}"), format!("/p/{id}")] {
        let page = server.get(&page).await;
        let policy = text_of(&page.headers, header::CONTENT_SECURITY_POLICY).to_owned();
        assert!(policy.contains("img-src 'self'"), "{policy}");
        let page = page.text();
        assert!(!page.contains("<p class=\"brand\">"), "{page}");
        let addresses = addresses(&page);
        assert!(addresses.len() >= 2, "{page}");
        for address in addresses {
            let (bytes, kind) = if address.contains(".png") {
                (LOGO, "image/png")
            } else {
                (SIGN, "image/jpeg")
            };
            let picture = server.get(&address).await;
            assert_eq!(picture.status, StatusCode::OK, "{address}");
            assert_eq!(picture.body, bytes, "{address}");
            assert_eq!(text_of(&picture.headers, header::CONTENT_TYPE), kind);
            let nosniff = text_of(&picture.headers, header::X_CONTENT_TYPE_OPTIONS);
            assert_eq!(nosniff, "nosniff");
            let cached = text_of(&picture.headers, header::CACHE_CONTROL).to_owned();
            assert!(cached.contains("immutable"), "{cached}");
        }
    }
}

#[tokio::test]
async fn an_order_for_a_sub_merchant_has_its_own_logo_and_never_the_providers() {
    let folder = pictures();
    let path = folder.path().display();
    let [one, two] = [1, 2].map(sub_merchant);
    let table = format!(
        "logo_file = \"{path}/logo.png\"\n{}logo_file = \"{path}/sub.webp\"\n{}",
        sub_merchant_table(&one),
        sub_merchant_table(&two)
    );
    let server = TestServer::open_with_merchant("", &table).await;
    for (sub, expected) in [(&one, Some(OF_SUB)), (&two, None)] {
        let order =
            json!({ "total_fen": 1990, "description": "一壶茶", "sub_mchid": sub.sub_mchid });
        let token = server.order(order).await;
        let page = server.get(&format!("/c/{token}")).await.text();
        let addresses = addresses(&page);
        assert_eq!(addresses.is_empty(), expected.is_none(), "{page}");
        for address in addresses {
            assert_eq!(Some(&*server.get(&address).await.body), expected);
        }
    }
}

#[tokio::test]
async fn without_files_pages_show_a_neutral_mark_and_any_other_picture_is_unknown() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let page = server.get(&format!("/c/{token}")).await.text();
    assert!(page.contains("<p class=\"brand\">微信支付</p>"), "{page}");
    assert_eq!(addresses(&page), [""; 0]);
    for name in ["0123456789abcdef.png", "..%2Fmerchant-server.toml", ""] {
        let unknown = server.get(&format!("/pictures/{name}")).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{name}");
    }
}
