//! Every sentence of the widget, by its name in the `messages` property, where a page may give its
//! own sentences. The sentences are in the crate `buyer-words`, which the server's pages use too.
//!
//! Each language is one text with a line for each sentence, and not a list of texts: a list has an
//! address and a length for each text, and these hardly compress.

use buyer_words::Words;
use const_format::concatcp;

macro_rules! words {
    ($($(#[$about:meta])* $word:ident $name:literal: $sentence:expr;)*) => {
        /// A word or a sentence of the widget.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the sentence says what each is")]
        pub enum Word {
            $($(#[$about])* $word,)*
        }

        impl Word {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$word),*];
        }

        /// The names in `messages`, a line each.
        pub(super) const NAMES: &str = concat!($($name, "\n"),*);
        pub(super) const ZH_CN: &str = concatcp!($({ $sentence }.zh_cn, "\n"),*);
        pub(super) const ZH_HANT: &str = concatcp!($({ $sentence }.zh_hant, "\n"),*);
        pub(super) const EN: &str = concatcp!($({ $sentence }.en, "\n"),*);
    };
}

/// The sentences of the element's script, by their names in `messages`. The script shows them where
/// the widget cannot run; `open_checkout` and `support` are the widget's, too.
#[cfg(test)]
pub(super) const OF_SCRIPT: [(&str, Words); 3] = [
    ("load_failed", buyer_words::LOAD_FAILED),
    ("load_advice", buyer_words::RELOAD_TO_PAY),
    ("reload", buyer_words::RELOAD),
];

words! {
    /// BCP 47 tag of the text: the `lang` attribute, and how amounts are written.
    Language "language": Words { zh_cn: "zh-CN", zh_hant: "zh-Hant", en: "en" };
    /// `ltr` or `rtl`.
    Direction "direction": Words { zh_cn: "ltr", zh_hant: "ltr", en: "ltr" };
    Brand "brand": buyer_words::BRAND;
    TestRibbon "test_ribbon": buyer_words::TEST_RIBBON;
    Loading "loading": buyer_words::LOADING;
    Pay "pay": buyer_words::PAY;
    PayAgain "pay_again": buyer_words::PAY_AGAIN;
    PayInWechat "pay_in_wechat": buyer_words::PAY_IN_WECHAT;
    ShowCode "show_code": buyer_words::SCAN_INSTEAD;
    OfferJsapi "offer_jsapi": buyer_words::OFFER_JSAPI;
    OfferH5 "offer_h5": buyer_words::OFFER_H5;
    OfferNative "offer_native": buyer_words::SHOW_CODE;
    Cancelled "cancelled": buyer_words::CANCELLED;
    Starting "starting": buyer_words::STARTING;
    TryingAgain "trying_again": buyer_words::TRYING_AGAIN;
    MakingSure "making_sure": buyer_words::MAKING_SURE;
    Scan "scan": buyer_words::SCAN;
    ScanElsewhere "scan_elsewhere": buyer_words::SCAN_ELSEWHERE;
    CodeLabel "code_label": buyer_words::CODE_LABEL;
    CodeValidFor "code_valid_for": buyer_words::CODE_VALID_FOR;
    MinutesLeft "minutes_left": buyer_words::MINUTES_LEFT;
    SecondsLeft "seconds_left": buyer_words::SECONDS_LEFT;
    CodeExpired "code_expired": buyer_words::CODE_EXPIRED;
    NewCode "new_code": buyer_words::NEW_CODE;
    Confirming "confirming": buyer_words::CONFIRMING;
    Cashier "cashier": buyer_words::CASHIER;
    CashierSilent "cashier_silent": buyer_words::CASHIER_SILENT;
    Leaving "leaving": buyer_words::LEAVING;
    Stuck "stuck": buyer_words::STUCK;
    OpenAgain "open_again": buyer_words::OPEN_AGAIN;
    Returned "returned": buyer_words::RETURNED;
    IHavePaid "i_have_paid": buyer_words::I_HAVE_PAID;
    IHadAProblem "i_had_a_problem": buyer_words::I_HAD_A_PROBLEM;
    CheckResult "check_result": buyer_words::CHECK_RESULT;
    NotPaidYet "not_paid_yet": buyer_words::NOT_PAID_YET;
    SameNetwork "same_network": buyer_words::SAME_NETWORK;
    Elsewhere "elsewhere": buyer_words::CONTINUED_ELSEWHERE;
    TakeOver "take_over": buyer_words::TAKE_OVER;
    Paid "paid": buyer_words::PAID;
    YouPaid "you_paid": buyer_words::YOU_PAID;
    PaidAt "paid_at": buyer_words::PAID_AT;
    Refunded "refunded": buyer_words::REFUNDED;
    RefundedInFull "refunded_in_full": buyer_words::REFUNDED_IN_FULL;
    Back "back": buyer_words::BACK_TO_SHOP;
    Closed "closed": buyer_words::CLOSED;
    Expired "expired": buyer_words::EXPIRED;
    OrderAgain "order_again": buyer_words::ORDER_AGAIN;
    Problem "problem": buyer_words::NOT_POSSIBLE;
    ProblemOfMerchant "problem_of_merchant": buyer_words::PROBLEM_OF_MERCHANT;
    TryThenContact "try_then_contact": buyer_words::TRY_THEN_CONTACT;
    PaymentFailed "payment_failed": buyer_words::PAYMENT_FAILED;
    OrderUnknown "order_unknown": buyer_words::ORDER_UNKNOWN;
    PayerUnknown "payer_unknown": buyer_words::PAYER_UNKNOWN;
    TooOften "too_often": buyer_words::TOO_OFTEN;
    ReloadToPay "reload_to_pay": buyer_words::RELOAD_TO_PAY;
    ProblemOfNetwork "problem_of_network": buyer_words::PROBLEM_OF_NETWORK;
    ProblemOfWechat "problem_of_wechat": buyer_words::PROBLEM_OF_WECHAT;
    ProblemOfSystem "problem_of_system": buyer_words::PROBLEM_OF_SYSTEM;
    ProblemOfBuyer "problem_of_buyer": buyer_words::PROBLEM_OF_BUYER;
    OrderNumber "order_number": buyer_words::ORDER_NUMBER;
    Retry "retry": buyer_words::RETRY;
    NoProduct "no_product": buyer_words::NOTHING_FITS;
    NothingFits "nothing_fits": buyer_words::OPEN_ON_COMPUTER;
    OpenInBrowser "open_in_browser": buyer_words::OPEN_IN_BROWSER;
    OpenInWechat "open_in_wechat": buyer_words::OPEN_IN_WECHAT;
    OpenMiniProgram "open_mini_program": buyer_words::OPEN_MINI_PROGRAM;
    MiniProgram "mini_program": buyer_words::MINI_PROGRAM;
    WechatTooOld "wechat_too_old": buyer_words::WECHAT_TOO_OLD;
    OpenCheckout "open_checkout": buyer_words::OPEN_CHECKOUT;
    Support "support": buyer_words::SUPPORT;
    Offline "offline": buyer_words::OFFLINE;
    Reconnecting "reconnecting": buyer_words::RECONNECTING;
}
