//! The look of a view, and the language of its sentences. This module draws nothing.

use crate::locale::{Locale, Words};
use crate::options::{Appearance, Theme};

/// The language and the looks of a view, from the page's options.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(super) words: Words,
    pub(super) theme: Theme,
    pub(super) support_url: Option<String>,
    pub(super) checkout_url: Option<String>,
}

impl From<&Appearance> for Look {
    fn from(appearance: &Appearance) -> Self {
        let locale = appearance.locale.unwrap_or(Locale::ZH_CN);
        Self {
            words: Words::new(locale, appearance.messages.clone()),
            theme: appearance.theme,
            support_url: appearance.support_url.clone(),
            checkout_url: appearance.checkout_url.clone(),
        }
    }
}

impl Look {
    /// The buyer's sentences in the view's language; the page's own sentences take precedence.
    pub(crate) const fn words(&self) -> &Words {
        &self.words
    }
}
