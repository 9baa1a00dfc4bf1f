//! The sources of the values: the file, and the variables that override it.
//!
//! A malformed value is refused with its place and its rule. The value is never repeated, because
//! text in a wrong place, or without a quote, can be a key.

use figment::Figment;
use figment::error::{Actual, Kind, OneOf};
use figment::providers::{Env, Format as _, Serialized, Toml};
use figment::value::{Dict, Value};

use super::ConfigError;
use super::file::{ConfigFile, MerchantJson};
use crate::input::json_form::{FormRule, GivenJson, Misfit};

/// Prefix of the environment variables; `MERCHANT_SERVER__GATEWAY__BASE_URL` is
/// `gateway.base_url`.
pub const ENVIRONMENT_PREFIX: &str = "MERCHANT_SERVER__";

/// All values, before their types are checked.
pub(super) struct Sources(Figment);

impl Sources {
    /// The values of the file.
    pub(super) fn file(text: &str) -> Result<Self, ConfigError> {
        let values: Dict = Toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(text.len(), |span| span.start);
            let before = text.get(..place).unwrap_or(text);
            let line_begins = before.rfind('\n').map_or(0, |end| end + 1);
            ConfigError::Syntax {
                line: before.matches('\n').count() + 1,
                column: before[line_begins..].chars().count() + 1,
            }
        })?;
        Ok(Self(Figment::from(Serialized::defaults(values))))
    }

    /// The values with the overrides of the environment.
    pub(super) fn with_variables(self) -> Self {
        let variables = Env::prefixed(ENVIRONMENT_PREFIX).split("__");
        let overridden = variables.iter().fold(self.0, |figment, (field, text)| {
            figment.merge(Serialized::default(field.as_str(), variable(&text)))
        });
        Self(overridden)
    }

    /// Reads the values into the file's types.
    pub(super) fn read(self) -> Result<ConfigFile, ConfigError> {
        // Lossy: a variable is text, and so is a number in it.
        self.0.extract_lossy().map_err(|error| {
            let rule = rule_of(&error.kind);
            let mut path = error.path;
            if let Some(name) = name_of(&error.kind).filter(|name| path.last() != Some(name)) {
                path.push(name);
            }
            ConfigError::Form {
                field: dotted(&path),
                rule,
            }
        })
    }
}

/// The path of a field. A merchant of several is named by its place: `merchants[1].appid`.
fn dotted(path: &[String]) -> String {
    match path {
        [list, place, rest @ ..] if list == "merchants" => {
            let parts = [format!("merchants[{place}]")];
            let parts: Vec<_> = parts.iter().chain(rest).map(String::as_str).collect();
            parts.join(".")
        }
        path => path.join("."),
    }
}

/// Reads the simulator's `merchant.json`.
pub(super) fn merchant_json(json: &[u8]) -> Result<MerchantJson, ConfigError> {
    serde_json::from_slice(json).map_err(|error| ConfigError::MerchantFile {
        line: error.line(),
        column: error.column(),
        reason: reason_of(json),
    })
}

/// What is wrong, without a value.
fn reason_of(json: &[u8]) -> String {
    let given = serde_json::from_slice::<GivenJson>(json);
    let Ok(given) = given.as_ref().map(GivenJson::read::<MerchantJson>) else {
        return "this is not JSON".to_owned();
    };
    match given {
        Err(Misfit {
            path,
            rule: FormRule::Missing,
        }) => format!("`{path}` is missing"),
        _ => "a value is not of its type".to_owned(),
    }
}

/// The value of a variable: a list, a table or a quoted text as in TOML, and anything else as it
/// is. Numbers of merchants and keys are texts that can be all digits, with zeros in front.
fn variable(text: &str) -> Value {
    match text.parse() {
        Ok(value @ (Value::Array(..) | Value::Dict(..))) => value,
        Ok(value @ Value::String(..)) if text.trim_start().starts_with('"') => value,
        _ => Value::from(text.trim()),
    }
}

/// The field that an error is about, if it is not the one that was read.
fn name_of(kind: &Kind) -> Option<String> {
    match kind {
        Kind::UnknownField(name, _) => Some(name.clone()),
        Kind::MissingField(name) => Some(name.to_string()),
        Kind::DuplicateField(name) => Some((*name).to_owned()),
        _ => None,
    }
}

/// What a value must be, without the value.
fn rule_of(kind: &Kind) -> String {
    match kind {
        // The messages of our own types and of address types: each one is a fixed sentence.
        Kind::Message(rule) => rule.clone(),
        Kind::InvalidType(found, expected) => {
            format!("must be {expected}, and is {}", sort_of(found))
        }
        Kind::InvalidValue(_, expected) => format!("must be {expected}"),
        Kind::InvalidLength(found, expected) => format!("must be {expected}, and has {found}"),
        Kind::UnknownVariant(_, known) => format!("must be {}", OneOf(known)),
        Kind::UnknownField(_, known) => format!("is not known; there is {}", OneOf(known)),
        Kind::MissingField(_) => "is missing".to_owned(),
        Kind::DuplicateField(_) => "must not come twice".to_owned(),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "is out of range".to_owned(),
        Kind::Unsupported(_) | Kind::UnsupportedKey(..) => {
            "is of a type that has no place here".to_owned()
        }
    }
}

const fn sort_of(value: &Actual) -> &'static str {
    match value {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "something else",
    }
}
