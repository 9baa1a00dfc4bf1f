//! Reading an answer field by field, from whatever holds the fields: a JavaScript object in the
//! widget, `serde_json` in tests and servers. The reader never allocates its own tree, and never
//! panics on a backend's data.

use crate::{TEXT_MAX_BYTES, URL_MAX_BYTES};

/// An object whose fields can be looked up by name.
///
/// An absent field and a `null` are the same thing: `Ok(None)`. A field of another type is
/// [`Malformed`]; nothing is coerced, so `"100"` is not a number and `1` is not a flag.
pub trait Fields: Sized {
    /// A text.
    fn text(&self, name: &'static str) -> Result<Option<String>, Malformed>;
    /// A whole number that JavaScript can hold exactly (below 2^53 in magnitude).
    fn integer(&self, name: &'static str) -> Result<Option<i64>, Malformed>;
    /// `true` or `false`.
    fn flag(&self, name: &'static str) -> Result<Option<bool>, Malformed>;
    /// An object, to be read in the same way.
    fn object(&self, name: &'static str) -> Result<Option<Self>, Malformed>;
    /// A list of texts; entries of another type are left out, because they may come from a later
    /// version of the contract.
    fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, Malformed>;
}

/// A field that breaks the contract, and the rule that it breaks.
///
/// Both are `&'static str` so that the widget carries no formatting code for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The field's name in the contract.
    pub field: &'static str,
    /// The rule in a few words, for a merchant's engineer.
    pub rule: &'static str,
}

impl Malformed {
    /// A field that has another type.
    pub const fn not(field: &'static str, rule: &'static str) -> Self {
        Self { field, rule }
    }
}

/// Reads the fields of one object, one after another, and keeps the first fault. Stopping at the
/// fault would add an early return for every field, and each return drops the values read before.
pub(crate) struct Reader<'a, F> {
    fields: &'a F,
    fault: Option<Malformed>,
}

impl<'a, F: Fields> Reader<'a, F> {
    pub(crate) const fn of(fields: &'a F) -> Self {
        Self {
            fields,
            fault: None,
        }
    }

    /// The value that was read, if nothing in the object breaks the contract.
    pub(crate) fn finish<T>(self, read: T) -> Result<T, Malformed> {
        match self.fault {
            None => Ok(read),
            Some(fault) => Err(fault),
        }
    }

    /// A text of at most [`TEXT_MAX_BYTES`].
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.bounded(name, TEXT_MAX_BYTES)
    }

    /// A text of at most [`URL_MAX_BYTES`]. The code that uses the URL decides whether it may be
    /// *followed*.
    pub(crate) fn url(&mut self, name: &'static str) -> Option<String> {
        self.bounded(name, URL_MAX_BYTES)
    }

    /// A required text.
    pub(crate) fn required_text(&mut self, name: &'static str) -> String {
        let text = self.text(name);
        self.required(name, text)
    }

    /// A whole number that is not negative: an amount, a duration or a count.
    pub(crate) fn unsigned(&mut self, name: &'static str) -> Option<u64> {
        let number = self.fields.integer(name);
        let number = u64::try_from(self.sound(number)?);
        self.keep(number.map_err(|_| Malformed::not(name, "must not be negative")))
    }

    /// A required number.
    pub(crate) fn required_unsigned(&mut self, name: &'static str) -> u64 {
        let number = self.unsigned(name);
        self.required(name, number)
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let flag = self.fields.flag(name);
        self.sound(flag)
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let texts = self.fields.texts(name);
        self.sound(texts)
    }

    /// An object, which the given function reads.
    pub(crate) fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&F) -> Result<T, Malformed>,
    ) -> Option<T> {
        let object = self.fields.object(name);
        let object = self.sound(object)?;
        self.keep(read(&object))
    }

    /// Keeps a fault that shows only in the values that were read.
    pub(crate) fn fault(&mut self, fault: Malformed) {
        self.fault.get_or_insert(fault);
    }

    fn bounded(&mut self, name: &'static str, max_bytes: usize) -> Option<String> {
        let text = self.fields.text(name);
        let text = self.sound(text)?;
        if text.len() > max_bytes {
            self.fault(Malformed::not(name, "is too long"));
            return None;
        }
        Some(text)
    }

    fn required<T: Default>(&mut self, name: &'static str, value: Option<T>) -> T {
        value.unwrap_or_else(|| {
            self.fault(Malformed::not(name, "is missing"));
            T::default()
        })
    }

    fn sound<T>(&mut self, read: Result<Option<T>, Malformed>) -> Option<T> {
        self.keep(read).flatten()
    }

    fn keep<T>(&mut self, read: Result<T, Malformed>) -> Option<T> {
        read.map_err(|fault| self.fault(fault)).ok()
    }
}

#[cfg(feature = "serde")]
mod json {
    //! `serde_json` as a holder of fields, so that goldens and fuzzing run natively.

    use serde_json::Value;

    use super::{Fields, Malformed};

    impl Fields for Value {
        fn text(&self, name: &'static str) -> Result<Option<String>, Malformed> {
            match present(self, name) {
                None => Ok(None),
                Some(Value::String(text)) => Ok(Some(text.clone())),
                Some(_) => Err(Malformed::not(name, "must be a text")),
            }
        }

        fn integer(&self, name: &'static str) -> Result<Option<i64>, Malformed> {
            const EXACT: i64 = 1 << 53;
            let Some(value) = present(self, name) else {
                return Ok(None);
            };
            match value.as_i64() {
                Some(number) if number.abs() < EXACT => Ok(Some(number)),
                _ => Err(Malformed::not(name, "must be a whole number")),
            }
        }

        fn flag(&self, name: &'static str) -> Result<Option<bool>, Malformed> {
            match present(self, name) {
                None => Ok(None),
                Some(Value::Bool(flag)) => Ok(Some(*flag)),
                Some(_) => Err(Malformed::not(name, "must be true or false")),
            }
        }

        fn object(&self, name: &'static str) -> Result<Option<Self>, Malformed> {
            match present(self, name) {
                None => Ok(None),
                Some(object @ Value::Object(_)) => Ok(Some(object.clone())),
                Some(_) => Err(Malformed::not(name, "must be an object")),
            }
        }

        fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, Malformed> {
            match present(self, name) {
                None => Ok(None),
                Some(Value::Array(entries)) => Ok(Some(
                    entries
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                )),
                Some(_) => Err(Malformed::not(name, "must be a list of texts")),
            }
        }
    }

    fn present<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
        object.get(name).filter(|value| !value.is_null())
    }
}
