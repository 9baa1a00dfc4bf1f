//! What the element sends: two small forms and a query string. The element writes them, a backend
//! reads them. Both halves are in this module, so that they cannot drift apart.

use crate::answer::Product;
use crate::decimal::{decimal, push_decimal};
use crate::error::{ApiError, ErrorCode};
use crate::limits::URL_MAX_BYTES;

/// Longest time a poll may be held, in seconds.
pub const WAIT_MAX_S: u64 = 25;

/// `POST {base}/checkouts/{token}/attempts`: start an attempt, or get the current one again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptForm {
    /// The product of the attempt.
    pub product: Product,
    /// The number of the last attempt that the page knows: a compare-and-set.
    pub after: Option<u64>,
    /// The address to which the buyer returns (for H5, and for the OAuth redirect).
    pub return_url: Option<String>,
    /// The one-use handle that the OAuth redirect brought back.
    pub payer: Option<String>,
    /// A mini-program's `wx.login` code, in place of `payer`.
    pub code: Option<String>,
}

impl AttemptForm {
    /// The fields to send, in the contract's order, without absent ones.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("product", self.product.as_str().to_owned())];
        if let Some(after) = self.after {
            fields.push(("after", decimal(after)));
        }
        let texts = [
            ("return_url", &self.return_url),
            ("payer", &self.payer),
            ("code", &self.code),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                fields.push((name, text.clone()));
            }
        }
        fields
    }

    /// Reads a decoded form. Unknown fields are ignored. A repeated field is refused, so that two
    /// readers cannot see two different forms.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ApiError> {
        let [product, after, return_url, payer, code] =
            pick(pairs, ["product", "after", "return_url", "payer", "code"])?;
        let product = product.ok_or_else(|| refused("product", "is missing"))?;
        if payer.is_some() && code.is_some() {
            return Err(refused("code", "must not come together with payer"));
        }
        Ok(Self {
            product: Product::from_word(product)
                .ok_or_else(|| refused("product", "must be jsapi, h5, native or mini_program"))?,
            after: after.map(|text| number("after", text)).transpose()?,
            return_url: return_url.map(|text| url("return_url", text)).transpose()?,
            payer: payer.map(|text| handle("payer", text)).transpose()?,
            code: code.map(|text| handle("code", text)).transpose()?,
        })
    }
}

/// `POST {base}/checkouts/{token}/cancel`: end the attempt, never the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelForm {
    /// The attempt to end; another number means that another page or device has taken over.
    pub after: u64,
}

impl CancelForm {
    /// Reads a decoded form.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ApiError> {
        let [after] = pick(pairs, ["after"])?;
        let after = after.ok_or_else(|| refused("after", "is missing"))?;
        Ok(Self {
            after: number("after", after)?,
        })
    }
}

/// `GET {base}/checkouts/{token}?wait=25&seen=7&ask=1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollQuery {
    /// Hold the answer for this many seconds while the version is still `seen`.
    pub wait_s: Option<u64>,
    /// The version that the page has.
    pub seen: Option<u64>,
    /// Query WeChat now, once for all pages that wait for the answer.
    pub ask: bool,
}

impl PollQuery {
    /// The query string, without the question mark; empty if no field is set.
    pub fn to_query(self) -> String {
        let mut query = String::new();
        let mut put = |name: &str, value: u64| {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(name);
            query.push('=');
            push_decimal(&mut query, value);
        };
        if let Some(wait_s) = self.wait_s {
            put("wait", wait_s);
        }
        if let Some(seen) = self.seen {
            put("seen", seen);
        }
        if self.ask {
            put("ask", 1);
        }
        query
    }

    /// Reads decoded query pairs; a longer wait than [`WAIT_MAX_S`] is shortened, not refused.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ApiError> {
        let [wait, seen, ask] = pick(pairs, ["wait", "seen", "ask"])?;
        let wait_s = wait.map(|text| number("wait", text)).transpose()?;
        Ok(Self {
            wait_s: wait_s.map(|wait_s| wait_s.min(WAIT_MAX_S)),
            seen: seen.map(|text| number("seen", text)).transpose()?,
            ask: match ask {
                None | Some("0") => false,
                Some("1") => true,
                Some(_) => return Err(refused("ask", "must be 0 or 1")),
            },
        })
    }
}

/// The values of the named fields; a repeated field is refused.
fn pick<'a, const N: usize>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    names: [&'static str; N],
) -> Result<[Option<&'a str>; N], ApiError> {
    let mut found = [None; N];
    for (name, value) in pairs {
        let Some(place) = names.iter().position(|known| *known == name) else {
            continue;
        };
        if found[place].replace(value).is_some() {
            return Err(refused(names[place], "must not come twice"));
        }
    }
    Ok(found)
}

fn number(field: &'static str, text: &str) -> Result<u64, ApiError> {
    let is_plain = !text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| is_plain)
        .ok_or_else(|| refused(field, "must be a whole number"))
}

fn url(field: &'static str, text: &str) -> Result<String, ApiError> {
    if text.is_empty() || text.len() > URL_MAX_BYTES {
        return Err(refused(field, "must be a URL of at most 2048 bytes"));
    }
    Ok(text.to_owned())
}

fn handle(field: &'static str, text: &str) -> Result<String, ApiError> {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-.~|".contains(&byte));
    if text.is_empty() || text.len() > 128 || !is_plain {
        return Err(refused(field, "must be 1 to 128 URL-safe characters"));
    }
    Ok(text.to_owned())
}

fn refused(field: &'static str, rule: &'static str) -> ApiError {
    let mut message = String::from(field);
    message.push(' ');
    message.push_str(rule);
    ApiError::new(ErrorCode::InvalidRequest, message).with_field(field)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field_refused(pairs: &[(&str, &str)]) -> Option<String> {
        AttemptForm::parse(pairs.iter().copied())
            .err()
            .and_then(|error| error.field)
    }

    #[test]
    fn an_invalid_form_is_refused_with_its_field() {
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[], "product"),
            (&[("product", "cash")], "product"),
            (&[("product", "h5"), ("product", "native")], "product"),
            (&[("product", "h5"), ("after", "-1")], "after"),
            (&[("product", "h5"), ("after", "1.5")], "after"),
            (&[("product", "h5"), ("return_url", "")], "return_url"),
            (&[("product", "jsapi"), ("payer", "a b")], "payer"),
        ];
        for (pairs, field) in cases {
            assert_eq!(field_refused(pairs).as_deref(), Some(field), "{pairs:?}");
        }
    }

    #[test]
    fn the_backend_reads_the_fields_that_the_element_sends() {
        let form = AttemptForm {
            product: Product::Jsapi,
            after: Some(2),
            return_url: Some("https://shop.example/pay?x=1".into()),
            payer: Some("abc-123".into()),
            code: None,
        };
        let fields = form.fields();
        let pairs = fields.iter().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(AttemptForm::parse(pairs), Ok(form));
    }

    #[test]
    fn a_long_wait_is_shortened_and_an_unknown_parameter_ignored() {
        let query = PollQuery::parse([("wait", "600"), ("seen", "7"), ("later", "x")]);
        let expected = PollQuery {
            wait_s: Some(WAIT_MAX_S),
            seen: Some(7),
            ask: false,
        };
        assert_eq!(query, Ok(expected));
        assert_eq!(expected.to_query(), "wait=25&seen=7");
    }

    proptest! {
        #[test]
        fn no_form_and_no_query_panics(pairs in proptest::collection::vec((".{0,12}", ".{0,40}"), 0..6)) {
            let pairs = || pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let _ = AttemptForm::parse(pairs());
            let _ = CancelForm::parse(pairs());
            let _ = PollQuery::parse(pairs());
        }
    }
}
