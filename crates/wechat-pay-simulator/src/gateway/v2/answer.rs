//! Answers of version 2: always 200 and `text/plain`, the values in CDATA.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use wechat_pay::v2::{Fields, Route, failure_body, refusal_answer, success_answer};

use super::caller::Caller;
use super::refusal::Refusal;
use crate::faults::{CallFaults, FaultKind};
use crate::simulator::Simulator;

/// A success.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Fields, to be signed.
    Fields(Fields),
    /// A bill, which is not signed.
    File { bytes: Vec<u8>, gzip: bool },
}

/// The page of WeChat's front, before any message is read: the connection presented no certificate.
pub(super) fn no_certificate() -> Response {
    tracing::info!("refused: the connection presented no certificate");
    let page = "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n\
        <body>\r\n<center><h1>400 Bad Request</h1></center>\r\n\
        <center>No required SSL certificate was sent</center>\r\n</body>\r\n</html>\r\n";
    let mut response = text(Bytes::from_static(page.as_bytes()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let html = HeaderValue::from_static("text/html");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// A refusal before the merchant is known.
pub(super) fn unsigned(path: &str, refusal: &Refusal) -> Response {
    let message = match refusal {
        Refusal::Protocol { message }
        | Refusal::Bill { message, .. }
        | Refusal::Business { message, .. } => message,
    };
    tracing::info!(path, message, "refused");
    text(failure_body(message))
}

/// The answer to a request with a valid signature.
pub(super) fn of(
    simulator: &Simulator,
    route: Route,
    caller: &Caller,
    hits: &CallFaults,
    answered: Result<Answer, Refusal>,
) -> Response {
    let stamp = simulator.random().stamp(simulator.clock().wall());
    let (key, kind) = (&caller.key, caller.sign_type);
    let body = match answered {
        Ok(Answer::File { bytes, gzip }) => return file(bytes, gzip),
        Ok(Answer::Fields(fields)) => success_answer(fields, key, kind, &stamp),
        Err(Refusal::Bill { message, code }) => {
            tracing::info!(path = route.path(), code, message, "refused");
            return text(bill_refusal(&message, code));
        }
        Err(Refusal::Business {
            code,
            message,
            recall,
        }) => {
            tracing::info!(path = route.path(), code, message, "refused");
            let mut fields = caller.parties();
            fields.set_optional("recall", recall);
            refusal_answer(fields, &code, &message, key, kind, &stamp)
        }
        Err(refusal) => return unsigned(route.path(), &refusal),
    };
    if hits.has(FaultKind::WrongSignature) {
        return text(with_another_nonce(
            &body,
            &simulator.random().alphanumeric(32),
        ));
    }
    text(body)
}

/// The answer after its signature was made over another nonce.
fn with_another_nonce(body: &[u8], nonce: &str) -> Bytes {
    // What the gateway wrote can be read.
    let mut fields = Fields::read(body).unwrap_or_default();
    fields.set("nonce_str", nonce);
    fields.to_xml()
}

fn bill_refusal(message: &str, code: &str) -> Bytes {
    let fields: Fields = [
        ("return_code", "FAIL"),
        ("return_msg", message),
        ("error_code", code),
    ]
    .into_iter()
    .collect();
    fields.to_xml()
}

fn file(bytes: Vec<u8>, gzip: bool) -> Response {
    let mut response = text(bytes.into());
    if gzip {
        let packed = HeaderValue::from_static("application/x-gzip");
        response.headers_mut().insert(header::CONTENT_TYPE, packed);
    }
    response
}

pub(super) fn text(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("nginx"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
