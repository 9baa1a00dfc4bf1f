//! `/v1/checkouts/{token}/code.svg` and `code.png`: a picture for emails, receipts and printed bills, which
//! run no script. Its code leads to the hosted page of the order, and never to WeChat itself: mail programs
//! fetch pictures without a person and keep them, and a code of WeChat's is valid for two hours at most.
//! So the picture starts and ends nothing, and stays right for as long as the order can be paid; after
//! that the page says how the order ended.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;
use merchant_core::{Merchants, Refusal, checkouts};
use qr_code::QrCode;

use crate::error::Failure;
use crate::extract::{PathText, merchant_of_token};

/// The pixels of a module in the PNG: a code of the page's address has some 360 pixels.
const MODULE_PX: u32 = 8;

/// `GET /v1/checkouts/{token}/code.svg`
pub(crate) async fn svg(
    State(merchants): State<Merchants>,
    PathText(token): PathText,
) -> Result<Response, Failure> {
    let code = code(&merchants, &token).await?;
    let picture = code.svg(buyer_words::CODE_LABEL.zh_cn);
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}

/// `GET /v1/checkouts/{token}/code.png`
pub(crate) async fn png(
    State(merchants): State<Merchants>,
    PathText(token): PathText,
) -> Result<Response, Failure> {
    let code = code(&merchants, &token).await?;
    let picture = write_png(&code).map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "image/png")], picture).into_response())
}

/// The code of an order's hosted page. An unknown token is refused.
async fn code(merchants: &Merchants, token: &str) -> Result<QrCode, Failure> {
    let payments = merchant_of_token(merchants, token).await?;
    let (checkout, _) = checkouts::show(&payments, token).await?;
    let mut page = payments.config().public_base_url.clone();
    page.set_path(&format!("/c/{}", checkout.order.token));
    let code = QrCode::encode(page.as_str());
    code.map_err(|_| {
        let reason = "the address of the hosted page is too long for a code";
        Refusal::Internal(reason.to_owned()).into()
    })
}

/// Black on white with the quiet zone, one bit a pixel.
fn write_png(code: &QrCode) -> Result<Vec<u8>, png::EncodingError> {
    let side_px = code.side_modules_with_quiet_zone() * MODULE_PX;
    let mut picture = Vec::new();
    let mut encoder = png::Encoder::new(&mut picture, side_px, side_px);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    let mut rows = Vec::new();
    for y in 0..side_px {
        // A module is a whole byte of eight pixels: set bits are white.
        rows.extend((0..side_px / MODULE_PX).map(|x| {
            if code.is_dark(x, y / MODULE_PX) {
                0x00
            } else {
                0xff
            }
        }));
    }
    writer.write_image_data(&rows)?;
    writer.finish()?;
    Ok(picture)
}

const _: () = assert!(MODULE_PX == 8, "a module is written as one byte");
