//! What the buyer reads. Words only: the view decides when, the machine decides why.

mod en;
mod zh_cn;

/// A language that the widget speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locale {
    /// Simplified Chinese.
    ZhCn,
    /// English.
    En,
}

impl Locale {
    /// Chinese of any region reads Simplified Chinese; everybody else reads English.
    pub fn from_tag(tag: &str) -> Self {
        let language = tag.get(..2).unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") {
            Self::ZhCn
        } else {
            Self::En
        }
    }

    /// The language tag of the text.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    pub(crate) const fn words(self) -> &'static Words {
        match self {
            Self::ZhCn => &zh_cn::WORDS,
            Self::En => &en::WORDS,
        }
    }
}

/// Every sentence, by where it stands.
pub(crate) struct Words {
    pub(crate) test_ribbon: &'static str,
    pub(crate) loading: &'static str,
    pub(crate) pay: &'static str,
    pub(crate) pay_in_wechat: &'static str,
    pub(crate) show_code: &'static str,
    pub(crate) offer_jsapi: &'static str,
    pub(crate) offer_h5: &'static str,
    pub(crate) offer_native: &'static str,
    pub(crate) cancelled: &'static str,
    pub(crate) starting: &'static str,
    pub(crate) trying_again: &'static str,
    pub(crate) making_sure: &'static str,
    pub(crate) scan: &'static str,
    pub(crate) scan_elsewhere: &'static str,
    pub(crate) code_label: &'static str,
    pub(crate) code_valid_for: &'static str,
    pub(crate) code_expired: &'static str,
    pub(crate) new_code: &'static str,
    pub(crate) confirming: &'static str,
    pub(crate) cashier: &'static str,
    pub(crate) cashier_silent: &'static str,
    pub(crate) leaving: &'static str,
    pub(crate) stuck: &'static str,
    pub(crate) open_again: &'static str,
    pub(crate) returned: &'static str,
    pub(crate) i_have_paid: &'static str,
    pub(crate) i_had_a_problem: &'static str,
    pub(crate) not_paid_yet: &'static str,
    pub(crate) elsewhere: &'static str,
    pub(crate) take_over: &'static str,
    pub(crate) paid: &'static str,
    pub(crate) closed: &'static str,
    pub(crate) expired: &'static str,
    pub(crate) order_again: &'static str,
    pub(crate) problem: &'static str,
    pub(crate) problem_of_merchant: &'static str,
    pub(crate) problem_of_network: &'static str,
    pub(crate) problem_of_wechat: &'static str,
    pub(crate) problem_of_buyer: &'static str,
    pub(crate) order_number: &'static str,
    pub(crate) retry: &'static str,
    pub(crate) nothing_fits: &'static str,
    pub(crate) mini_program: &'static str,
    pub(crate) wechat_too_old: &'static str,
    pub(crate) offline: &'static str,
    pub(crate) reconnecting: &'static str,
}
