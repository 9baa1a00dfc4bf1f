//! Where the buyer is, and which way of paying works there, with the reason.
//!
//! Two vocabularies, kept apart: a [`Decision`] is what an environment calls for, a
//! [`Product`] is what a merchant has. [`scene`] brings them together.

mod environment;

pub use environment::{Environment, EnvironmentKind, Os, decide};

use crate::facts::{Facts, Options};
use merchant_api::Product;

/// What an environment calls for (research: the `scene` column of the corpus).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// WeChat's own page: call the cashier.
    Jsapi,
    /// WeCom: try the cashier, with a QR code in view.
    JsapiGuarded,
    /// A mini-program's web-view: only the mini-program's own page can pay.
    MiniProgram,
    /// A phone's browser: go to `h5_url`.
    H5,
    /// Another app's web-view: try `h5_url`, with "open in the browser" in view.
    H5Guarded,
    /// A tablet: offer both.
    H5OrNative,
    /// A desk: show the QR code.
    Native,
    /// A WeChat from before payments: say so.
    Upgrade,
    /// A robot: order nothing.
    None,
}

impl Decision {
    /// The word of the corpus.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsapi => "jsapi",
            Self::JsapiGuarded => "jsapi_guarded",
            Self::MiniProgram => "miniprogram",
            Self::H5 => "h5",
            Self::H5Guarded => "h5_guarded",
            Self::H5OrNative => "h5_or_native",
            Self::Native => "native",
            Self::Upgrade => "upgrade",
            Self::None => "none",
        }
    }
}

/// Why this way, in a word for the `scene-decided` event and for the page's engineer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The page set the `scene` attribute.
    ChosenByPage,
    /// The environment calls for it and the merchant has it.
    Environment,
    /// The page insists on what WeChat refuses here (a native code or `h5_url` inside WeChat), so
    /// the environment decides after all.
    ChoiceImpossible,
    /// The page is in a frame, where the way that the environment calls for is uncertain.
    Framed,
    /// The merchant lacks what the environment calls for; this is the next best.
    ProductMissing,
    /// The merchant has nothing that works here.
    NothingFits,
    /// A mini-program's web-view cannot pay by itself.
    MiniProgram,
    /// WeChat is too old.
    WeChatTooOld,
    /// A robot reads the page.
    Robot,
}

impl Reason {
    /// The word in the event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChosenByPage => "chosen_by_page",
            Self::Environment => "environment",
            Self::ChoiceImpossible => "choice_impossible",
            Self::Framed => "framed",
            Self::ProductMissing => "product_missing",
            Self::NothingFits => "nothing_fits",
            Self::MiniProgram => "mini_program",
            Self::WeChatTooOld => "wechat_too_old",
            Self::Robot => "robot",
        }
    }
}

/// The way of paying that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayOut {
    /// What is started or offered first.
    pub product: Product,
    /// What is offered beside it.
    pub fallback: Option<Product>,
}

/// Where the buyer is and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// What the browser is.
    pub environment: Environment,
    /// What it calls for.
    pub decision: Decision,
    /// The way that is taken, or `None` where there is honestly none.
    pub way_out: Option<WayOut>,
    /// Why.
    pub reason: Reason,
}

impl Scene {
    /// Whether the buyer holds the very device that would have to scan a QR code.
    pub fn is_handheld(&self) -> bool {
        self.environment.kind.is_handheld()
    }
}

/// Decides the scene from facts, the page's wish and what the merchant has (`None`: unknown,
/// so whatever the scene wants may be tried).
pub fn scene(facts: &Facts, options: &Options, products: Option<&[Product]>) -> Scene {
    let (environment, decision) = decide(facts);
    let has = |product: &Product| products.is_none_or(|products| products.contains(product));
    let (way_out, reason) = match options.product {
        Some(product) if has(&product) => (Some(only(product)), Reason::ChosenByPage),
        Some(_) => (None, Reason::NothingFits),
        None => way_out(decision, has),
    };
    Scene {
        environment,
        decision,
        way_out,
        reason,
    }
}

const fn only(product: Product) -> WayOut {
    WayOut {
        product,
        fallback: None,
    }
}

/// What a decision wants, best first; the second is offered beside the first where the
/// environment makes the first uncertain. Inside WeChat on a phone a native code can only be
/// scanned by another device, and `h5_url` is refused (research: client-realities §1.3).
fn way_out(decision: Decision, has: impl Fn(&Product) -> bool) -> (Option<WayOut>, Reason) {
    let (wanted, is_uncertain): (&[Product], bool) = match decision {
        Decision::Jsapi => (&[Product::Jsapi, Product::Native], false),
        Decision::JsapiGuarded => (&[Product::Jsapi, Product::Native], true),
        Decision::H5 => (&[Product::H5, Product::Native], false),
        Decision::H5Guarded | Decision::H5OrNative => (&[Product::H5, Product::Native], true),
        Decision::Native => (&[Product::Native], false),
        Decision::MiniProgram => return (None, Reason::MiniProgram),
        Decision::Upgrade => return (None, Reason::WeChatTooOld),
        Decision::None => return (None, Reason::Robot),
    };
    let mut available = wanted.iter().copied().filter(has);
    let Some(product) = available.next() else {
        return (None, Reason::NothingFits);
    };
    let reason = if wanted.first() == Some(&product) {
        Reason::Environment
    } else {
        Reason::ProductMissing
    };
    let fallback = available.next().filter(|_| is_uncertain);
    (Some(WayOut { product, fallback }), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) Language/zh_CN";
    const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/111.0.0.0 Mobile Safari/537.36";
    const DESK: &str =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0";
    const WECOM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Mobile/15E148 wxwork/4.1.39 MicroMessenger/7.0.1";
    const QQ: &str =
        "Mozilla/5.0 (Linux; Android 10; wv) Chrome/77.0 Mobile Safari/537.36 QQ/8.4.18.4945";
    const ROBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    use Product::{H5, Jsapi, Native};

    #[track_caller]
    fn check(
        user_agent: &str,
        products: &[Product],
        expected: Option<(Product, Option<Product>)>,
        reason: Reason,
    ) {
        let facts = Facts {
            user_agent: user_agent.into(),
            ..Facts::default()
        };
        let scene = scene(&facts, &Options::default(), Some(products));
        let found = scene.way_out.map(|way| (way.product, way.fallback));
        assert_eq!((found, scene.reason), (expected, reason), "{user_agent}");
    }

    #[test]
    fn each_place_gets_the_way_that_works_there() {
        let all = [Jsapi, H5, Native];
        check(WECHAT, &all, Some((Jsapi, None)), Reason::Environment);
        check(PHONE, &all, Some((H5, None)), Reason::Environment);
        check(DESK, &all, Some((Native, None)), Reason::Environment);
        check(
            WECOM,
            &all,
            Some((Jsapi, Some(Native))),
            Reason::Environment,
        );
        check(QQ, &all, Some((H5, Some(Native))), Reason::Environment);
        check(ROBOT, &all, None, Reason::Robot);
    }

    #[test]
    fn what_the_merchant_lacks_is_replaced_or_said() {
        check(
            PHONE,
            &[Native],
            Some((Native, None)),
            Reason::ProductMissing,
        );
        check(WECHAT, &[H5], None, Reason::NothingFits);
        check(DESK, &[Jsapi, H5], None, Reason::NothingFits);
    }

    #[test]
    fn the_page_may_insist_on_a_product_but_not_on_one_the_merchant_lacks() {
        let facts = Facts {
            user_agent: PHONE.into(),
            ..Facts::default()
        };
        let options = Options {
            product: Some(Native),
            ..Options::default()
        };
        let chosen = scene(&facts, &options, Some(&[Native, H5]));
        assert_eq!(chosen.way_out, Some(only(Native)));
        assert_eq!(chosen.reason, Reason::ChosenByPage);
        assert_eq!(scene(&facts, &options, Some(&[H5])).way_out, None);
    }
}
