//! Reads JSON as a type of ours, and names the field that does not fit and the rule that it
//! breaks. Each kind of misfit comes from a typed call of serde, never from the wording of its
//! messages. A value is never repeated: it can be a card's number or a key.

use std::fmt;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer as _, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde_json::Number;

/// JSON as it was received: every field, in its place, even if a name comes twice.
#[derive(Clone, Debug, PartialEq)]
pub enum GivenJson {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object, with its fields in their order.
    Object(Vec<(String, Self)>),
}

/// Why JSON cannot be read as a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The field, with the fields around it: `from[0].amount_fen`. Empty for the whole.
    pub path: String,
    /// What is wrong with it.
    pub rule: FormRule,
}

/// A rule of the form, as opposed to a rule of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormRule {
    /// The type has no such field; it has these.
    Unknown(&'static [&'static str]),
    /// The field is required.
    Missing,
    /// The field comes twice.
    Twice,
    /// The value must be something else, in these words.
    MustBe(String),
}

impl GivenJson {
    /// Reads this value as a type.
    pub fn read<'de, T: Deserialize<'de>>(&'de self) -> Result<T, Misfit> {
        T::deserialize(self)
    }
}

impl Misfit {
    fn of(path: impl Into<String>, rule: FormRule) -> Self {
        Self {
            path: path.into(),
            rule,
        }
    }

    fn must_be(what: impl Into<String>) -> Self {
        Self::of("", FormRule::MustBe(what.into()))
    }

    fn inside_field(mut self, name: &str) -> Self {
        if !self.path.is_empty() && !self.path.starts_with('[') {
            self.path.insert(0, '.');
        }
        self.path.insert_str(0, name);
        self
    }

    fn inside_entry(mut self, place: usize) -> Self {
        if !self.path.is_empty() && !self.path.starts_with('[') {
            self.path.insert(0, '.');
        }
        self.path.insert_str(0, &format!("[{place}]"));
        self
    }
}

impl std::error::Error for Misfit {}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.rule {
            FormRule::Unknown(_) => write!(f, "{path} is not known"),
            FormRule::Missing => write!(f, "{path} is missing"),
            FormRule::Twice => write!(f, "{path} must not come twice"),
            FormRule::MustBe(what) => write!(f, "{path} must be {what}"),
        }
    }
}

impl serde::de::Error for Misfit {
    /// The message can quote the value.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::must_be("of the contract's form")
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::must_be(expected.to_string())
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::must_be(expected.to_string())
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::must_be(expected.to_string())
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::must_be(one_of(known))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::of(name, FormRule::Unknown(known))
    }

    fn missing_field(name: &'static str) -> Self {
        Self::of(name, FormRule::Missing)
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::of(name, FormRule::Twice)
    }
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [only] => only.clone(),
        [first, second] => format!("{first} or {second}"),
        more => format!("one of {}", more.join(", ")),
    }
}

macro_rules! whole_numbers {
    ($($method:ident, $visit:ident, $number:ty, $given:ident, $words:literal;)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            let number = match self {
                GivenJson::Number(number) => number.$given(),
                _ => None,
            };
            let number = number.and_then(|number| <$number>::try_from(number).ok());
            visitor.$visit(number.ok_or_else(|| Misfit::must_be($words))?)
        }
    )+};
}

/// Each method checks whether the value is of the kind that the type expects. So the text of a
/// misfit is this module's own.
impl<'de> Deserializer<'de> for &'de GivenJson {
    type Error = Misfit;

    whole_numbers! {
        deserialize_u8, visit_u8, u8, as_u64, "a whole number of at least 0";
        deserialize_u16, visit_u16, u16, as_u64, "a whole number of at least 0";
        deserialize_u32, visit_u32, u32, as_u64, "a whole number of at least 0";
        deserialize_u64, visit_u64, u64, as_u64, "a whole number of at least 0";
        deserialize_i8, visit_i8, i8, as_i64, "a whole number";
        deserialize_i16, visit_i16, i16, as_i64, "a whole number";
        deserialize_i32, visit_i32, i32, as_i64, "a whole number";
        deserialize_i64, visit_i64, i64, as_i64, "a whole number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            GivenJson::Null => visitor.visit_unit(),
            GivenJson::Bool(value) => visitor.visit_bool(*value),
            GivenJson::Number(number) => read_number(number, visitor),
            GivenJson::Text(text) => visitor.visit_borrowed_str(text),
            GivenJson::List(entries) => visitor.visit_seq(Entries::of(entries)),
            GivenJson::Object(fields) => visitor.visit_map(FieldsGiven::of(fields)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            GivenJson::Bool(value) => visitor.visit_bool(*value),
            _ => Err(Misfit::must_be("a boolean")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            GivenJson::Number(number) => read_number(number, visitor),
            _ => Err(Misfit::must_be("a number")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            GivenJson::Text(text) => visitor.visit_borrowed_str(text),
            _ => Err(Misfit::must_be("a string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            GivenJson::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            GivenJson::List(entries) => visitor.visit_seq(Entries::of(entries)),
            _ => Err(Misfit::must_be("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            GivenJson::Object(fields) => visitor.visit_map(FieldsGiven::of(fields)),
            _ => Err(Misfit::must_be("an object")),
        }
    }

    /// serde's own formats also read a struct from a list of its values in order. Then a list with
    /// only a refund's number would be a refund of everything, which no caller intends.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self {
            GivenJson::Text(word) => {
                let word: StrDeserializer<'_, Misfit> = word.as_str().into_deserializer();
                visitor.visit_enum(word)
            }
            _ => Err(Misfit::must_be("one of the words of the contract")),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

fn read_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Misfit> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(number), _, _) => visitor.visit_u64(number),
        (None, Some(number), _) => visitor.visit_i64(number),
        (None, None, Some(number)) => visitor.visit_f64(number),
        (None, None, None) => Err(Misfit::must_be("a number")),
    }
}

/// The entries of a list, in their order.
struct Entries<'de> {
    left: std::iter::Enumerate<std::slice::Iter<'de, GivenJson>>,
}

impl<'de> Entries<'de> {
    fn of(entries: &'de [GivenJson]) -> Self {
        Self {
            left: entries.iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let Some((place, entry)) = self.left.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(entry);
        read.map(Some).map_err(|misfit| misfit.inside_entry(place))
    }
}

/// The fields of an object, in their order.
struct FieldsGiven<'de> {
    left: std::slice::Iter<'de, (String, GivenJson)>,
    /// The field whose name was read and whose value comes next.
    current: Option<&'de (String, GivenJson)>,
}

impl<'de> FieldsGiven<'de> {
    fn of(fields: &'de [(String, GivenJson)]) -> Self {
        Self {
            left: fields.iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for FieldsGiven<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        self.current = self.left.next();
        let Some((name, _)) = self.current else {
            return Ok(None);
        };
        let name: StrDeserializer<'de, Misfit> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((name, value)) = self.current.take() else {
            return Err(Misfit::custom("a value was read before its name"));
        };
        seed.deserialize(value)
            .map_err(|misfit| misfit.inside_field(name))
    }
}

impl<'de> Deserialize<'de> for GivenJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor)
    }
}

struct GivenVisitor;

impl<'de> Visitor<'de> for GivenVisitor {
    type Value = GivenJson;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<GivenJson, E> {
        Ok(GivenJson::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<GivenJson, E> {
        Ok(GivenJson::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<GivenJson, E> {
        Ok(GivenJson::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<GivenJson, E> {
        Ok(GivenJson::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<GivenJson, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("not a finite number"))?;
        Ok(GivenJson::Number(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<GivenJson, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E>(self, text: String) -> Result<GivenJson, E> {
        Ok(GivenJson::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<GivenJson, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(GivenJson::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<GivenJson, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = object.next_entry()? {
            fields.push(field);
        }
        Ok(GivenJson::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{GivenJson, Misfit};

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(default)]
        small: Option<u8>,
        #[serde(default)]
        signed: Option<i32>,
        #[serde(default)]
        share: Option<f64>,
        #[serde(default)]
        flag: Option<bool>,
        #[serde(default)]
        word: Option<Word>,
        #[serde(default)]
        list: Vec<Vec<Word>>,
        #[serde(default)]
        inner: Option<Box<Form>>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Yes,
        No,
    }

    fn read(json: &str) -> Result<Form, Misfit> {
        let given: GivenJson = serde_json::from_str(json).unwrap();
        given.read()
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let json = r#"{"small":255,"signed":-7,"share":0.5,"flag":true,"word":"no",
            "list":[[],["yes"]],"inner":{"small":null,"share":3}}"#;
        let form = read(json).unwrap();
        assert_eq!((form.small, form.signed), (Some(255), Some(-7)));
        assert_eq!((form.flag, form.word), (Some(true), Some(Word::No)));
        assert_eq!(form.list, [vec![], vec![Word::Yes]]);
        let inner = form.inner.unwrap();
        assert_eq!((inner.small, inner.share), (None, Some(3.0)));
        assert_eq!(form.share, Some(0.5));
    }

    #[test]
    fn every_misfit_is_named_by_its_path_and_rule() {
        let cases = [
            (r"[]", " must be an object"),
            (
                r#"{"small":256}"#,
                "small must be a whole number of at least 0",
            ),
            (
                r#"{"small":1e2}"#,
                "small must be a whole number of at least 0",
            ),
            (r#"{"signed":2147483648}"#, "signed must be a whole number"),
            (r#"{"share":"1"}"#, "share must be a number"),
            (r#"{"flag":0}"#, "flag must be a boolean"),
            (r#"{"word":"maybe"}"#, "word must be `yes` or `no`"),
            (
                r#"{"word":{"yes":null}}"#,
                "word must be one of the words of the contract",
            ),
            (
                r#"{"list":[["yes"],["yes",7]]}"#,
                "list[1][1] must be one of the words of the contract",
            ),
            (r#"{"list":{}}"#, "list must be a list"),
            (r#"{"list":null}"#, "list must be a list"),
            (r#"{"inner":[1]}"#, "inner must be an object"),
            (
                r#"{"inner":{"inner":{"large":1}}}"#,
                "inner.inner.large is not known",
            ),
            (
                r#"{"inner":{"flag":true,"flag":true}}"#,
                "inner.flag must not come twice",
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(read(json).unwrap_err().to_string(), expected, "{json}");
        }
    }
}
