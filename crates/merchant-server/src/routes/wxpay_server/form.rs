//! The form of a call to the payment service: each field once, known, and a text that can be shown.
//! Rules of single values that are not about the form are checked by those who use the value.

use std::borrow::Cow;
use std::str::Utf8Error;

use merchant_core::Refusal;
use merchant_core::input::plain_text;
use payment_values::TransactionId;
use percent_encoding::percent_decode;

/// The fields of a form in their order. An empty field counts as absent, because many programs send
/// one for every optional field.
pub(super) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// Reads a body of the type `application/x-www-form-urlencoded`.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        let mut fields: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
        for pair in body
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let name = text(parts.next().unwrap_or_default())
                .ok()
                .filter(|name| !name.is_empty() && plain_text::broken_rule(name).is_none())
                .ok_or_else(nameless)?;
            let value = text(parts.next().unwrap_or_default())
                .map_err(|_| Refusal::invalid(&name, "must be UTF-8"))?;
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::invalid(&name, "must not come twice"));
            }
            if let Some(rule) = plain_text::broken_rule(&value) {
                return Err(Refusal::invalid(&name, rule));
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// Refuses a field that the call does not have.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.0.iter().find(|(name, _)| !known.contains(&&**name)) {
            Some((name, _)) => Err(Refusal::invalid(name, "is not a field of this call")),
            None => Ok(()),
        }
    }

    /// The value of a field; `None` if it is absent or empty.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(&**value).filter(|value| !value.is_empty())
    }

    /// The value of a field that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name)
            .ok_or_else(|| Refusal::invalid(name, "is missing"))
    }
}

/// The numbers that name an order in a query or a close.
pub(super) struct OrderNumbers {
    pub(super) out_trade_no: String,
    pub(super) transaction_id: Option<TransactionId>,
}

impl OrderNumbers {
    pub(super) fn of(form: &Form<'_>) -> Result<Self, Refusal> {
        form.only(&["transaction_id", "out_trade_no"])?;
        let out_trade_no = form.required("out_trade_no")?.to_owned();
        let transaction_id = form.optional("transaction_id").map(|text| {
            TransactionId::parse(text)
                .map_err(|error| Refusal::invalid("transaction_id", &error.rule.to_string()))
        });
        Ok(Self {
            out_trade_no,
            transaction_id: transaction_id.transpose()?,
        })
    }
}

/// A name or a value, decoded. Other decoders replace bytes that are not UTF-8, and the text would be
/// another one.
fn text(encoded: &[u8]) -> Result<Cow<'_, str>, Utf8Error> {
    if !encoded.contains(&b'+') {
        return percent_decode(encoded).decode_utf8();
    }
    let spaced: Vec<u8> = encoded
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let decoded = percent_decode(&spaced).decode_utf8()?;
    Ok(Cow::Owned(decoded.into_owned()))
}

fn nameless() -> Refusal {
    Refusal::new(
        merchant_api::ErrorCode::InvalidRequest,
        "the body has a field without a name that can be read",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        match Form::read(body.as_bytes()) {
            Err(Refusal::Refused(error)) => error.message,
            _ => panic!("{body} was taken"),
        }
    }

    #[test]
    fn values_are_decoded_and_empty_ones_are_absent() {
        let form = Form::read("a=%E8%8C%B6+%2B1&&b=&c=x=y&d".as_bytes()).unwrap();
        assert_eq!(form.optional("a"), Some("茶 +1"));
        assert_eq!(form.optional("b"), None);
        assert_eq!(form.optional("c"), Some("x=y"));
        assert_eq!(form.optional("d"), None);
        assert!(form.only(&["a", "b", "c", "d"]).is_ok());
        assert!(form.only(&["a", "b", "c"]).is_err());
    }

    #[test]
    fn a_broken_form_is_refused_with_the_name_of_the_field() {
        for (body, message) in [
            ("=x", "the body has a field without a name that can be read"),
            (
                "%FF=x",
                "the body has a field without a name that can be read",
            ),
            ("a=%FF", "a must be UTF-8"),
            ("a=1&a=1", "a must not come twice"),
            (
                "a=x%00",
                "a must not have control characters or line breaks",
            ),
        ] {
            assert_eq!(refused(body), message, "{body}");
        }
    }
}
