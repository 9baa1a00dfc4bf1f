//! The fields of a message of version 2: named texts. All of them are kept, the unknown ones too,
//! because the signature covers all of them.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use payment_values::Fen;

use super::xml::{XmlError, read_flat, write_flat};
use crate::json::Unreadable;

/// Fields by name. A field without a value counts as absent, as in the signature.
///
/// `Debug` shows the names alone: values name buyers and carry payment codes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<String, String>);

/// Fields of a message whose signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedFields(Fields);

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a message. Nothing in it is authenticated yet.
    pub fn read(xml: &[u8]) -> Result<Self, XmlError> {
        Self::read_root(xml, "xml")
    }

    pub(super) fn read_root(xml: &[u8], root: &str) -> Result<Self, XmlError> {
        read_flat(xml, root).map(Self)
    }

    /// Sets a field.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Sets a field if there is a value.
    pub fn set_optional(&mut self, name: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Removes a field.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The value of a field; `None` also for an empty one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All fields by name, the empty ones too.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The message, with `return_code` and `return_msg` in front, as WeChat writes it.
    #[must_use]
    pub fn to_xml(&self) -> Bytes {
        const FIRST: [&str; 2] = ["return_code", "return_msg"];
        let first = FIRST
            .iter()
            .filter_map(|name| self.0.get_key_value(*name))
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let rest = self.iter().filter(|(name, _)| !FIRST.contains(name));
        let fields: Vec<_> = first.chain(rest).collect();
        write_flat("xml", &fields).into()
    }

    pub(super) fn optional(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub(super) fn text(&self, name: &str) -> Result<String, Unreadable> {
        self.optional(name).ok_or_else(|| Unreadable::missing(name))
    }

    /// An amount in fen, if it is one.
    pub(super) fn optional_fen(&self, name: &str) -> Option<Fen> {
        read_fen(self.get(name)?)
    }

    /// An amount in fen on which money depends: it has to be there, and to be digits alone.
    pub(super) fn fen(&self, name: &str) -> Result<Fen, Unreadable> {
        let text = self.get(name).ok_or_else(|| Unreadable::missing(name))?;
        read_fen(text).ok_or_else(|| Unreadable::undocumented_form(name))
    }

    /// A small count.
    pub(super) fn count(&self, name: &str) -> Result<usize, Unreadable> {
        let text = self.get(name).ok_or_else(|| Unreadable::missing(name))?;
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let count = digits.then(|| text.parse().ok()).flatten();
        count.ok_or_else(|| Unreadable::undocumented_form(name))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Fields {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(fields: I) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self(fields.into_iter().map(owned).collect())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl VerifiedFields {
    /// Only for fields whose signature was checked.
    pub(super) fn new(fields: Fields) -> Self {
        Self(fields)
    }

    /// The fields.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.0
    }
}

/// Digits alone: a sign, a blank or a decimal point is no number of fen.
fn read_fen(text: &str) -> Option<Fen> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
        .and_then(|fen| Fen::new(fen).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_digits_alone() {
        for (text, expected) in [
            ("1", Some(1)),
            ("0", Some(0)),
            ("007", Some(7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("1.00", None),
            ("69.105", None),
            ("69.", None),
            ("-1", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("1e2", None),
            ("0x1", None),
            ("１", None),
        ] {
            let mut fields = Fields::new();
            fields.set("total_fee", text);
            let read = fields.fen("total_fee");
            assert_eq!(read.as_ref().ok().map(|fen| fen.get()), expected, "{text}");
            assert_eq!(fields.optional_fen("total_fee").map(Fen::get), expected);
            if let Err(error) = read {
                let said = "total_fee is not in the documented form";
                assert_eq!(error.to_string(), said);
            }
        }
        let missing = Fields::new().fen("total_fee").unwrap_err();
        assert_eq!(missing.to_string(), "total_fee is missing");
    }

    #[test]
    fn what_is_written_has_the_return_code_in_front_and_is_read_alike() {
        let mut fields = Fields::new();
        fields.set("appid", "wx1");
        fields.set("return_msg", "OK");
        fields.set("empty", "");
        fields.set("return_code", "SUCCESS");
        fields.set_optional("absent", None::<String>);
        let xml = fields.to_xml();
        assert_eq!(
            std::str::from_utf8(&xml).unwrap(),
            "<xml><return_code><![CDATA[SUCCESS]]></return_code>\n\
             <return_msg><![CDATA[OK]]></return_msg>\n\
             <appid><![CDATA[wx1]]></appid>\n<empty><![CDATA[]]></empty>\n</xml>"
        );
        let read = Fields::read(&xml).unwrap();
        assert_eq!(read, fields);
        assert_eq!((read.get("empty"), read.get("appid")), (None, Some("wx1")));
        assert!(!format!("{read:?}").contains("wx1"));
    }
}
