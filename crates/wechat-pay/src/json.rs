//! Reads the JSON that WeChat sends. A field is required only if money or identity depends on it;
//! any other field may be absent, `null`, or of another form than documented. The types show the
//! difference: a required field has neither `Option` nor `#[serde(default)]`.
//!
//! A field that cannot be read is removed, and the rest is read again. If the type does not require
//! that field, the result names it; otherwise the error names it. A value is never part of a path
//! or an error, because it may name a buyer.
//!
//! This module never checks a signature: its callers do that first.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Number, Value};
use serde_path_to_error::{Path, Segment};

/// RFC 8259 lets a reader ignore a byte order mark in front of JSON.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A value, and the fields that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadJson<T> {
    /// The value.
    pub value: T,
    /// The paths of optional fields that were present in another form than documented, such as
    /// `amount.payer_total`. The value was read as if they were absent.
    pub left_out: Vec<String>,
}

/// Why JSON of WeChat's cannot be read: the field and the rule, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct Unreadable {
    /// The path of the field, such as `amount.total`; `the body` for all of it.
    pub field: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

impl Unreadable {
    /// A field whose value this version does not know, and on which everything depends.
    #[must_use]
    pub fn unknown_word(field: &str) -> Self {
        Self::new(field, "has a value that this version does not know")
    }

    pub(crate) fn contradiction(field: &str) -> Self {
        Self::new(field, "contradicts the notification's event")
    }

    pub(crate) fn unexpected(field: &str) -> Self {
        Self::new(field, "is not what was requested")
    }

    pub(crate) fn missing(field: &str) -> Self {
        Self::new(field, "is missing")
    }

    pub(crate) fn undocumented_form(field: &str) -> Self {
        Self::new(field, UNDOCUMENTED_FORM)
    }

    fn new(field: &str, rule: &'static str) -> Self {
        Self {
            field: field.to_owned(),
            rule,
        }
    }
}

/// Reads JSON as `T`, as far as `T` needs it.
pub fn read_json<T: DeserializeOwned>(json: &[u8]) -> Result<ReadJson<T>, Unreadable> {
    let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
    let mut json: Value =
        serde_json::from_slice(json).map_err(|_| Unreadable::new("the body", "is not JSON"))?;
    if !json.is_object() {
        return Err(Unreadable::new("the body", "is not a JSON object"));
    }
    let mut left_out = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(Strict(&json)) {
            Ok(value) => return Ok(ReadJson { value, left_out }),
            Err(error) => error,
        };
        if let Misfit::Missing(name) = error.inner() {
            return Err(missing(error.path(), name, &left_out));
        }
        match take_out(&mut json, error.path()) {
            // The same as absent.
            Some(Value::Null) => {}
            Some(_) => left_out.push(error.path().to_string()),
            None => return Err(Unreadable::new(&path_text(error.path()), UNDOCUMENTED_FORM)),
        }
    }
}

/// A value from which a struct is read only if the value is an object. serde would also read a
/// struct from a list of its values, by their positions: an amount must not come from a list.
struct Strict<'a>(&'a Value);

/// Why a value does not fit its type, from the typed calls of serde.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Misfit {
    /// A required field is absent.
    Missing(&'static str),
    /// The value is of another form than the type's.
    Odd,
}

impl std::error::Error for Misfit {}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Odd => f.write_str(UNDOCUMENTED_FORM),
        }
    }
}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Odd
    }

    fn missing_field(name: &'static str) -> Self {
        Self::Missing(name)
    }
}

impl<'de> Deserializer<'de> for Strict<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Array(list) => visitor.visit_seq(SeqDeserializer::new(list.iter().map(Strict))),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| (&**name, Strict(value)));
                visitor.visit_map(MapDeserializer::new(fields))
            }
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => read_number(number, visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if self.0.is_object() {
            return self.deserialize_any(visitor);
        }
        Err(Misfit::Odd)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn read_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Misfit> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(number), _, _) => visitor.visit_u64(number),
        (None, Some(number), _) => visitor.visit_i64(number),
        (None, None, Some(number)) => visitor.visit_f64(number),
        (None, None, None) => Err(Misfit::Odd),
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for Strict<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

const UNDOCUMENTED_FORM: &str = "is not in the documented form";

/// A required field that is absent, or that was taken out because of its form.
fn missing(parent: &Path, name: &str, left_out: &[String]) -> Unreadable {
    let field = match path_text(parent).as_str() {
        "the body" => name.to_owned(),
        parent => format!("{parent}.{name}"),
    };
    let rule = if left_out.contains(&field) {
        UNDOCUMENTED_FORM
    } else {
        "is missing"
    };
    Unreadable { field, rule }
}

fn path_text(path: &Path) -> String {
    match path.to_string().as_str() {
        "." | "" => "the body".to_owned(),
        text => text.to_owned(),
    }
}

/// Removes a field from its object. An item of a list is not removed: the others would move.
fn take_out(json: &mut Value, path: &Path) -> Option<Value> {
    let mut segments: Vec<&Segment> = path.iter().collect();
    let Some(Segment::Map { key }) = segments.pop() else {
        return None;
    };
    let mut at = json;
    for segment in segments {
        at = match segment {
            Segment::Map { key } => at.get_mut(key)?,
            Segment::Seq { index } => at.get_mut(index)?,
            Segment::Enum { .. } | Segment::Unknown => return None,
        };
    }
    at.as_object_mut()?.remove(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Sample {
        number: String,
        #[serde(default)]
        summary: String,
        note: Option<String>,
        amount: Option<Amount>,
        #[serde(default)]
        parts: Vec<Part>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Amount {
        total: u32,
        paid: Option<u32>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Part {
        name: String,
        size: Option<u32>,
    }

    fn read(json: &str) -> Result<ReadJson<Sample>, Unreadable> {
        read_json(json.as_bytes())
    }

    #[test]
    fn an_optional_field_can_be_absent_null_or_malformed_and_only_malformed_ones_are_reported() {
        let table: [(&str, &[&str]); 8] = [
            (r#"{"number":"N"}"#, &[]),
            (
                r#"{"number":"N","summary":null,"note":null,"amount":null}"#,
                &[],
            ),
            (r#"{"number":"N","summary":7}"#, &["summary"]),
            (
                r#"{"number":"N","note":{"a":1},"summary":[]}"#,
                &["note", "summary"],
            ),
            (
                r#"{"number":"N","amount":{"total":1,"paid":-1}}"#,
                &["amount.paid"],
            ),
            (r#"{"number":"N","amount":"1.00"}"#, &["amount"]),
            (r#"{"number":"N","amount":[1]}"#, &["amount"]),
            (
                r#"{"number":"N","parts":[{"name":"a"},{"name":"b","size":"x"}]}"#,
                &["parts[1].size"],
            ),
        ];
        for (json, left_out) in table {
            let read = read(json).unwrap();
            assert_eq!(read.left_out, left_out, "{json}");
            assert_eq!(read.value.number, "N", "{json}");
        }
        let read = read("\u{feff} {\"number\":\"N\"}").unwrap();
        assert_eq!(read.value.number, "N");
    }

    #[test]
    fn a_required_field_is_reported_with_its_path_and_the_rule() {
        let missing = "is missing";
        let table = [
            ("", "the body", "is not JSON"),
            ("{", "the body", "is not JSON"),
            ("[\"N\"]", "the body", "is not a JSON object"),
            ("null", "the body", "is not a JSON object"),
            ("{}", "number", missing),
            (r#"{"number":null}"#, "number", missing),
            (r#"{"number":7}"#, "number", UNDOCUMENTED_FORM),
            (r#"{"number":"N","amount":{}}"#, "amount.total", missing),
            (
                r#"{"number":"N","amount":{"total":null}}"#,
                "amount.total",
                missing,
            ),
            (
                r#"{"number":"N","amount":{"total":1.5}}"#,
                "amount.total",
                UNDOCUMENTED_FORM,
            ),
            (
                r#"{"number":"N","parts":[{"name":"a"},{}]}"#,
                "parts[1].name",
                missing,
            ),
            (
                r#"{"number":"N","parts":[7]}"#,
                "parts[0]",
                UNDOCUMENTED_FORM,
            ),
        ];
        for (json, field, rule) in table {
            let error = read(json).unwrap_err();
            assert_eq!((error.field.as_str(), error.rule), (field, rule), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_value_or_an_error(text in "\\PC{0,60}") {
            let _ = read(&text);
        }

        #[test]
        fn no_error_and_no_path_holds_a_value(secret in "[a-z]{12}") {
            for json in [
                format!(r#"{{"number":["{secret}"]}}"#),
                format!(r#"{{"number":"N","note":["{secret}"]}}"#),
                format!(r#"{{"number":"N","parts":[{{"name":["{secret}"]}}]}}"#),
            ] {
                let shown = match read(&json) {
                    Ok(read) => read.left_out.join(" "),
                    Err(error) => error.to_string(),
                };
                prop_assert!(!shown.contains(&secret), "{}", shown);
            }
        }
    }
}
