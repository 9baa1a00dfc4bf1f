//! Reading what a backend posts. Unknown fields are refused by the types; here their refusal gets
//! the contract's form, with the field by its name.

use merchant_api::ErrorCode;
use merchant_core::plain_text;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::error::Failure;

/// Reads a body as `T`, which has no object in it. `what` says in the refusal what it was to be:
/// "an order".
pub(crate) fn read<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Failure> {
    let body = without_byte_order_mark(body);
    let value = read_form(body, what)?;
    refuse_what_no_field_takes(body)?;
    Ok(value)
}

/// The same for a body with objects in it.
pub(crate) fn read_nested<T: DeserializeOwned + Serialize>(
    body: &[u8],
    what: &str,
) -> Result<T, Failure> {
    let body = without_byte_order_mark(body);
    let value = read_form(body, what)?;
    refuse_lists_for_objects(body, &value)?;
    refuse_what_no_field_takes(body)?;
    Ok(value)
}

/// Reads names and kinds of values, by the type.
fn read_form<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Failure> {
    refuse_what_is_no_object(body)?;
    let mut json = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| refusal(&error.path().to_string(), error.inner(), what, body))?;
    json.end().map_err(|_| not_json())?;
    Ok(value)
}

/// RFC 8259 (8.1) lets a reader ignore a byte order mark, and some backends write one.
pub(crate) fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// serde reads an object from a list of its values, too, by their places: a refund's number alone
/// would then be a refund of everything. Nobody means that: what was given as a list must be one.
fn refuse_what_is_no_object(body: &[u8]) -> Result<(), Failure> {
    if body.trim_ascii_start().starts_with(b"{") {
        return Ok(());
    }
    serde_json::from_slice::<IgnoredAny>(body).map_err(|_| not_json())?;
    Err(Failure::new(
        ErrorCode::InvalidRequest,
        "the body is not a JSON object",
    ))
}

/// The rules that hold for every value of every field, those of later fields included: the fields'
/// own rules come after these.
fn refuse_what_no_field_takes(body: &[u8]) -> Result<(), Failure> {
    let given: Value = serde_json::from_slice(body).map_err(|_| not_json())?;
    let Some((path, rule)) = first_broken(&given) else {
        return Ok(());
    };
    let field = path.trim_start_matches('.');
    let code = match field {
        "description" => ErrorCode::DescriptionInvalid,
        "order_no" => ErrorCode::OrderNoInvalid,
        _ => ErrorCode::InvalidRequest,
    };
    Err(Failure::field(code, field, rule))
}

/// serde reads a null for an optional field as if the field were absent: `{"amount_fen": null}`
/// would be a refund of everything, where a program has lost its amount. No field of the contract
/// is nullable.
fn broken_rule(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => Some("must not be null; leave the field out where it has no value"),
        Value::String(text) => plain_text::broken_rule(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The first value that breaks a rule, by its path: written as serde's, `.from[0].amount_fen`.
fn first_broken(given: &Value) -> Option<(String, &'static str)> {
    if let Some(rule) = broken_rule(given) {
        return Some((String::new(), rule));
    }
    match given {
        Value::Array(entries) => entries.iter().enumerate().find_map(|(place, entry)| {
            first_broken(entry).map(|(path, rule)| (format!("[{place}]{path}"), rule))
        }),
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            first_broken(field).map(|(path, rule)| (format!(".{name}{path}"), rule))
        }),
        _ => None,
    }
}

/// The same for the objects in it.
fn refuse_lists_for_objects<T: Serialize>(body: &[u8], read: &T) -> Result<(), Failure> {
    let given: Value = serde_json::from_slice(body).unwrap_or_default();
    let read = serde_json::to_value(read).unwrap_or_default();
    match list_for_object(&given, &read) {
        None => Ok(()),
        Some(path) => Err(Failure::field(
            ErrorCode::InvalidRequest,
            path.trim_start_matches('.'),
            "must be an object",
        )),
    }
}

/// Where a list was given and an object was read.
fn list_for_object(given: &Value, read: &Value) -> Option<String> {
    match (given, read) {
        (Value::Array(_), Value::Object(_)) => Some(String::new()),
        (Value::Array(given), Value::Array(read)) => {
            given
                .iter()
                .zip(read)
                .enumerate()
                .find_map(|(place, (given, read))| {
                    list_for_object(given, read).map(|path| format!("[{place}]{path}"))
                })
        }
        (Value::Object(given), Value::Object(read)) => given.iter().find_map(|(name, given)| {
            let path = list_for_object(given, read.get(name)?)?;
            Some(format!(".{name}{path}"))
        }),
        _ => None,
    }
}

/// serde has one sentence for each case. Some of them quote the value, which can be a card's
/// number: only names and what was expected are repeated.
fn refusal(path: &str, error: &serde_json::Error, what: &str, body: &[u8]) -> Failure {
    if error.is_syntax() || error.is_eof() {
        // serde calls a number a fault of syntax, too, where one of some words belongs.
        let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
        return if is_json {
            Failure::invalid(path, "must be one of the words of the contract")
        } else {
            not_json()
        };
    }
    let text = error.to_string();
    let name = text.split('`').nth(1).unwrap_or_default();
    let rules = [
        ("unknown field", format!("is not a field of {what}")),
        ("missing field", "is missing".to_owned()),
        ("duplicate field", "must not come twice".to_owned()),
    ];
    for (beginning, rule) in &rules {
        if text.starts_with(beginning) {
            if name.is_empty() {
                let message = "the body has a field without a name";
                return Failure::new(ErrorCode::InvalidRequest, message);
            }
            return Failure::invalid(&inside(path, name), rule);
        }
    }
    let expected = text.rsplit_once("expected ").map(|(_, rest)| {
        let end = rest.rfind(" at line ").unwrap_or(rest.len());
        &rest[..end]
    });
    let expected = expected.map_or("of the contract's form", in_words);
    let rule = format!("must be {expected}");
    if path == "." {
        return Failure::new(ErrorCode::InvalidRequest, format!("the body {rule}"));
    }
    Failure::invalid(path, &rule)
}

/// Rust's names of what was expected, in the words of JSON.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" => "a whole number of at least 0",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a sequence" | "sequence" => "a list",
        "a map" | "map" => "an object",
        named if named.starts_with("struct ") => "an object",
        other => other,
    }
}

/// A field's name with the fields around it. The path of an unknown one ends with it already.
fn inside(path: &str, name: &str) -> String {
    let is_whole = path == name || path.ends_with(&format!(".{name}"));
    match path {
        "." => name.to_owned(),
        path if is_whole => path.to_owned(),
        path => format!("{path}.{name}"),
    }
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
                "amount_fen must not be null; leave the field out where it has no value",
            ),
            (
                r#"{"refund_no":"R","goods_detail":[{"merchant_goods_id":"tea","goods_name":null,
                   "unit_price_fen":1,"refund_amount_fen":1,"refund_quantity":1}]}"#,
                Some("goods_detail[0].goods_name"),
                "goods_detail[0].goods_name must not be null; leave the field out where it has no value",
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
        let plain: CreateRefund = read(body.as_bytes(), "a refund").unwrap();
        let nested: CreateRefund = read_nested(body.as_bytes(), "a refund").unwrap();
        for refund in [plain, nested] {
            assert_eq!((&*refund.refund_no, refund.amount_fen), ("R", Some(1)));
        }
        // It is no blank: a second one, or one inside, is not JSON.
        for body in ["\u{feff}\u{feff}{}", "{\u{feff}}", "\u{feff}"] {
            assert_eq!(refused::<CreateRefund>(body).1, "the body is not JSON");
        }
    }

    #[test]
    fn a_list_is_not_read_as_an_object_by_its_places() {
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
            match read_nested::<CreateRefund>(body.as_bytes(), "a refund") {
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
