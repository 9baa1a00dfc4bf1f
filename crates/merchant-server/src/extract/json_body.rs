//! Reads the JSON bodies that a backend posts. The types refuse unknown fields; this module gives
//! the refusal the contract's form, which names the field.

use merchant_api::ErrorCode;
use merchant_core::input::json_form::{FormRule, GivenJson, Misfit};
use merchant_core::input::plain_text;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;

use crate::error::Failure;

/// Reads a body as `T`. `what` names it in a refusal: "an order".
pub(crate) fn read<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Failure> {
    let body = without_byte_order_mark(body);
    let mut json = serde_json::Deserializer::from_slice(body);
    let given = GivenJson::deserialize(&mut json).map_err(|_| not_json())?;
    if !matches!(given, GivenJson::Object(_)) {
        json.end().map_err(|_| not_json())?;
        let message = "the body is not a JSON object";
        return Err(Failure::new(ErrorCode::InvalidRequest, message));
    }
    let value = given.read().map_err(|misfit| refusal(&misfit, what))?;
    json.end().map_err(|_| not_json())?;
    match first_broken(&given) {
        None => Ok(value),
        Some(broken) => Err(broken.refusal()),
    }
}

/// RFC 8259 (8.1) lets a reader ignore a byte order mark, and some backends write one.
pub(crate) fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// A value that no field takes, whatever the field's type. The fields' own rules are checked after
/// this.
struct BrokenValue {
    path: String,
    rule: &'static str,
}

impl BrokenValue {
    fn refusal(&self) -> Failure {
        let field = self.path.trim_start_matches('.');
        let code = match field {
            "description" => ErrorCode::DescriptionInvalid,
            "order_no" => ErrorCode::OrderNoInvalid,
            _ => ErrorCode::InvalidRequest,
        };
        Failure::field(code, field, self.rule)
    }
}

/// The first value that breaks a rule, by its path.
fn first_broken(given: &GivenJson) -> Option<BrokenValue> {
    if let Some(rule) = broken_rule(given) {
        let path = String::new();
        return Some(BrokenValue { path, rule });
    }
    let inside = |broken: BrokenValue, step: String| BrokenValue {
        path: step + &broken.path,
        ..broken
    };
    match given {
        GivenJson::List(entries) => entries.iter().enumerate().find_map(|(place, entry)| {
            first_broken(entry).map(|broken| inside(broken, format!("[{place}]")))
        }),
        GivenJson::Object(fields) => fields.iter().find_map(|(name, field)| {
            first_broken(field).map(|broken| inside(broken, format!(".{name}")))
        }),
        _ => None,
    }
}

/// serde reads a null for an optional field as if the field were absent. A program that has lost
/// the amount would send `{"amount_fen": null}` and refund everything. No field of the contract is
/// nullable.
fn broken_rule(value: &GivenJson) -> Option<&'static str> {
    match value {
        GivenJson::Null => Some("must not be null; omit the field if it has no value"),
        GivenJson::Text(text) => plain_text::broken_rule(text),
        _ => None,
    }
}

fn refusal(misfit: &Misfit, what: &str) -> Failure {
    let rule = match &misfit.rule {
        FormRule::Unknown(_) => format!("is not a field of {what}"),
        FormRule::Missing => "is missing".to_owned(),
        FormRule::Twice => "must not come twice".to_owned(),
        FormRule::MustBe(expected) => format!("must be {expected}"),
    };
    if misfit.path.is_empty() || misfit.path.ends_with('.') {
        let message = "the body has a field without a name";
        return Failure::new(ErrorCode::InvalidRequest, message);
    }
    Failure::invalid(&misfit.path, &rule)
}

fn not_json() -> Failure {
    Failure::new(ErrorCode::InvalidRequest, "the body is not JSON")
}

#[cfg(test)]
mod tests {
    use merchant_api::{ApplyAbnormalRefund, CreateRefund};
    use merchant_core::Refusal;

    use super::*;

    #[track_caller]
    fn refused<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> (Option<String>, String) {
        match read::<T>(body.as_bytes(), "a refund") {
            Err(Failure(Refusal::Refused(error))) => (error.field, error.message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_the_rule() {
        let cases = [
            ("", None, "the body is not JSON"),
            ("{} x", Some("refund_no"), "refund_no is missing"),
            ("[", None, "the body is not JSON"),
            ("7", None, "the body is not a JSON object"),
            (r#"["R-1"]"#, None, "the body is not a JSON object"),
            ("[]", None, "the body is not a JSON object"),
            ("null", None, "the body is not a JSON object"),
            (
                r#"{"refund_no":"R","amount":1}"#,
                Some("amount"),
                "amount is not a field of a refund",
            ),
            (r#"{"":1}"#, None, "the body has a field without a name"),
            (
                r#"{"refund_no":"R","refund_no":"R"}"#,
                Some("refund_no"),
                "refund_no must not come twice",
            ),
            (
                r#"{"refund_no":"R","amount_fen":1.5}"#,
                Some("amount_fen"),
                "amount_fen must be a whole number of at least 0",
            ),
            (
                r#"{"refund_no":"R","amount_fen":-1}"#,
                Some("amount_fen"),
                "amount_fen must be a whole number of at least 0",
            ),
            (
                r#"{"refund_no":"R","amount_fen":"1"}"#,
                Some("amount_fen"),
                "amount_fen must be a whole number of at least 0",
            ),
            (
                r#"{"refund_no":"R","amount_fen":null}"#,
                Some("amount_fen"),
                "amount_fen must not be null; omit the field if it has no value",
            ),
            (
                r#"{"refund_no":"R","goods_detail":[{"merchant_goods_id":"tea","goods_name":null,
                   "unit_price_fen":1,"refund_amount_fen":1,"refund_quantity":1}]}"#,
                Some("goods_detail[0].goods_name"),
                "goods_detail[0].goods_name must not be null; omit the field if it has no value",
            ),
            (
                r#"{"refund_no":null}"#,
                Some("refund_no"),
                "refund_no must be a string",
            ),
            (
                r#"{"refund_no":7}"#,
                Some("refund_no"),
                "refund_no must be a string",
            ),
            (
                r#"{"refund_no":"R" "amount_fen":1}"#,
                None,
                "the body is not JSON",
            ),
            (
                r#"{"refund_no":"R","from":{}}"#,
                Some("from"),
                "from must be a list",
            ),
            (
                r#"{"refund_no":"R","from":[7]}"#,
                Some("from[0]"),
                "from[0] must be an object",
            ),
            (
                r#"{"refund_no":"R","from":[{"account":"BASIC"}]}"#,
                Some("from[0].amount_fen"),
                "from[0].amount_fen is missing",
            ),
            (
                r#"{"refund_no":"R","goods_detail":[{"price":1}]}"#,
                Some("goods_detail[0].price"),
                "goods_detail[0].price is not a field of a refund",
            ),
        ];
        for (body, field, message) in cases {
            let (found_field, found) = refused::<CreateRefund>(body);
            assert_eq!(
                (found_field.as_deref(), &*found),
                (field, message),
                "{body}"
            );
        }
    }

    #[test]
    fn a_byte_order_mark_in_front_changes_nothing() {
        let body = "\u{feff} {\"refund_no\":\"R\",\"amount_fen\":1}";
        let refund: CreateRefund = read(body.as_bytes(), "a refund").unwrap();
        assert_eq!((&*refund.refund_no, refund.amount_fen), ("R", Some(1)));
        // A byte order mark is not a blank: a second mark, or a mark inside, is not JSON.
        for body in ["\u{feff}\u{feff}{}", "{\u{feff}}", "\u{feff}"] {
            assert_eq!(refused::<CreateRefund>(body).1, "the body is not JSON");
        }
    }

    #[test]
    fn an_array_is_not_read_as_an_object_by_position() {
        let cases = [
            (
                r#"{"refund_no":"R","amount_fen":1,"from":[["BASIC",1]]}"#,
                "from[0]",
            ),
            (
                r#"{"refund_no":"R","goods_detail":[["tea",null,null,1,1,1]]}"#,
                "goods_detail[0]",
            ),
        ];
        for (body, field) in cases {
            match read::<CreateRefund>(body.as_bytes(), "a refund") {
                Err(Failure(Refusal::Refused(error))) => {
                    assert_eq!(error.field.as_deref(), Some(field), "{body}");
                    assert_eq!(error.message, format!("{field} must be an object"));
                }
                other => panic!("{other:?}"),
            }
        }
        let (_, message) = refused::<ApplyAbnormalRefund>(r#"["MERCHANT_BANK_CARD"]"#);
        assert_eq!(message, "the body is not a JSON object");
    }

    #[test]
    fn a_value_is_never_repeated() {
        for body in [
            r#"{"type":"6225760009"}"#,
            r#"{"type":"USER_BANK_CARD","bank_account":6225760009}"#,
        ] {
            let (_, message) = refused::<ApplyAbnormalRefund>(body);
            assert!(!message.contains("6225760009"), "{message}");
        }
    }
}
