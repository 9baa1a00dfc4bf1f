//! How a view looks, and in which language it speaks. It draws nothing.

use crate::environment;
use crate::locale::Words;
use crate::options::{Appearance, Theme};

/// The language and the looks of a view, from the page's options.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(super) words: Words,
    pub(super) theme: Theme,
    pub(super) support_url: Option<String>,
}

impl From<&Appearance> for Look {
    fn from(appearance: &Appearance) -> Self {
        let locale = appearance.locale.unwrap_or_else(environment::locale);
        Self {
            words: Words::new(locale, appearance.messages.clone()),
            theme: appearance.theme,
            support_url: appearance.support_url.clone(),
        }
    }
}

impl Look {
    /// The buyer's sentences in its language, with the page's own over them.
    pub(crate) const fn words(&self) -> &Words {
        &self.words
    }
}
