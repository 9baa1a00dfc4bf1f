//! Where the buyer is, and which way of paying works there, with the reason.
//!
//! Two vocabularies, kept apart: a [`Decision`] is what an environment calls for, a
//! [`Product`] is what a merchant has. [`scene`] brings them together.

mod environment;

pub use environment::{Environment, EnvironmentKind, Os, decide};
use merchant_api::Product;

use crate::facts::{Facts, Options};

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

    /// Whether the first way may turn out not to work, so that the second is offered beside it.
    const fn is_uncertain(self) -> bool {
        matches!(
            self,
            Self::JsapiGuarded | Self::H5Guarded | Self::H5OrNative | Self::MiniProgram
        )
    }

    /// The same in a frame: the bridge lives in the top window, and `h5_url` has to leave with the
    /// whole page, which a frame may be forbidden. So both are tried with the other way in view.
    const fn in_frame(self, is_framed: bool) -> Self {
        match self {
            Self::Jsapi if is_framed => Self::JsapiGuarded,
            Self::H5 if is_framed => Self::H5Guarded,
            decision => decision,
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
    /// The merchant has nothing that works here; where it has something that works, if anywhere.
    NothingFits(Option<Instead>),
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
            Self::NothingFits(_) => "nothing_fits",
            Self::MiniProgram => "mini_program",
            Self::WeChatTooOld => "wechat_too_old",
            Self::Robot => "robot",
        }
    }
}

/// Where a buyer goes who cannot pay here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instead {
    /// A computer, which shows a code.
    Computer,
    /// The phone's own browser, which goes to `h5_url`.
    PhoneBrowser,
    /// WeChat on the phone, which has the cashier.
    WeChat,
}

impl Instead {
    /// Where this merchant can be paid. A mini-program alone is no place for a page.
    pub fn of(has: impl Fn(&Product) -> bool) -> Option<Self> {
        let places = [
            (Product::Native, Self::Computer),
            (Product::H5, Self::PhoneBrowser),
            (Product::Jsapi, Self::WeChat),
        ];
        let found = places.into_iter().find(|(product, _)| has(product));
        found.map(|(_, place)| place)
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
        self.environment.is_handheld
    }
}

/// Decides the scene from facts, the page's wish and what the merchant has (`None`: unknown,
/// so whatever the scene wants may be tried).
pub fn scene(facts: &Facts, options: &Options, products: Option<&[Product]>) -> Scene {
    let (environment, decision) = decide(facts);
    let has = |product: &Product| products.is_none_or(|products| products.contains(product));
    let chosen = options.product;
    let (way_out, reason) = match chosen {
        Some(product) if environment.lets_through(product) => {
            if has(&product) {
                (Some(only(product)), Reason::ChosenByPage)
            } else {
                // What the page insists on, it insists on everywhere.
                (None, Reason::NothingFits(None))
            }
        }
        _ => way_out(&environment, decision, has),
    };
    let reason = match reason {
        Reason::Environment if chosen.is_some() => Reason::ChoiceImpossible,
        Reason::Environment if facts.framed && decision.is_uncertain() => Reason::Framed,
        reason => reason,
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
/// environment makes the first uncertain.
fn way_out(
    environment: &Environment,
    decision: Decision,
    has: impl Fn(&Product) -> bool,
) -> (Option<WayOut>, Reason) {
    let nothing_fits = Reason::NothingFits(Instead::of(&has));
    let (wanted, none): (&[Product], Reason) = match decision {
        Decision::Jsapi | Decision::JsapiGuarded => {
            (&[Product::Jsapi, Product::Native], nothing_fits)
        }
        Decision::H5 | Decision::H5Guarded | Decision::H5OrNative => {
            (&[Product::H5, Product::Native], nothing_fits)
        }
        Decision::Native => (&[Product::Native], nothing_fits),
        Decision::MiniProgram => (
            &[Product::MiniProgram, Product::Native],
            Reason::MiniProgram,
        ),
        Decision::Upgrade => (&[], Reason::WeChatTooOld),
        Decision::None => (&[], Reason::Robot),
    };
    let fits = |product: &Product| has(product) && environment.lets_through(*product);
    let mut available = wanted.iter().copied().filter(fits);
    let Some(product) = available.next() else {
        return (None, none);
    };
    let reason = if wanted.first() == Some(&product) {
        Reason::Environment
    } else {
        Reason::ProductMissing
    };
    let fallback = available.next().filter(|_| decision.is_uncertain());
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
    const MINI_PROGRAM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.74(0x18004a24) miniProgram/wx71a6af1f91734f18";
    const MINI_PROGRAM_ON_A_MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) MicroMessenger/7.0.20.1781(0x6700143B) MiniProgramEnv/Mac MacWechat/WMPF MacWechat/3.8.7(0x13080712)";
    use Product::{H5, Jsapi, MiniProgram, Native};

    fn facts(user_agent: &str) -> Facts {
        Facts {
            user_agent: user_agent.into(),
            ..Facts::default()
        }
    }

    #[track_caller]
    fn check(
        user_agent: &str,
        products: &[Product],
        expected: Option<(Product, Option<Product>)>,
        reason: Reason,
    ) {
        let scene = scene(&facts(user_agent), &Options::default(), Some(products));
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
        check(
            WECOM,
            &[H5, Native],
            Some((Native, None)),
            Reason::ProductMissing,
        );
    }

    #[test]
    fn where_nothing_fits_the_buyer_is_sent_to_where_something_does() {
        let cases = [
            (WECHAT, [Native].as_slice(), Some(Instead::Computer)),
            (WECHAT, &[Native, H5], Some(Instead::Computer)),
            (WECHAT, &[H5], Some(Instead::PhoneBrowser)),
            (WECHAT, &[MiniProgram], None),
            (DESK, &[H5], Some(Instead::PhoneBrowser)),
            (DESK, &[Jsapi, H5], Some(Instead::PhoneBrowser)),
            (DESK, &[Jsapi], Some(Instead::WeChat)),
            (PHONE, &[Jsapi], Some(Instead::WeChat)),
            (QQ, &[Jsapi], Some(Instead::WeChat)),
            (WECOM, &[H5], Some(Instead::PhoneBrowser)),
        ];
        for (user_agent, products, instead) in cases {
            check(user_agent, products, None, Reason::NothingFits(instead));
        }
    }

    #[test]
    fn inside_wechat_on_a_phone_there_is_never_a_native_code() {
        let on_a_computer = Reason::NothingFits(Some(Instead::Computer));
        check(WECHAT, &[Native], None, on_a_computer);
        check(MINI_PROGRAM, &[Native], None, Reason::MiniProgram);
        let chosen = |product, products: &[Product]| {
            let options = Options {
                product: Some(product),
                ..Options::default()
            };
            let scene = scene(&facts(WECHAT), &options, Some(products));
            (scene.way_out.map(|way| way.product), scene.reason)
        };
        for product in [Native, H5] {
            assert_eq!(
                chosen(product, &[Native, H5, Jsapi]),
                (Some(Jsapi), Reason::ChoiceImpossible)
            );
            assert_eq!(chosen(product, &[Native, H5]), (None, on_a_computer));
        }
    }

    #[test]
    fn a_mini_programs_web_view_hands_over_to_the_mini_program() {
        let all = [Native, H5, Jsapi, MiniProgram];
        check(
            MINI_PROGRAM,
            &all,
            Some((MiniProgram, None)),
            Reason::Environment,
        );
        check(
            MINI_PROGRAM_ON_A_MAC,
            &all,
            Some((MiniProgram, Some(Native))),
            Reason::Environment,
        );
        check(
            MINI_PROGRAM_ON_A_MAC,
            &[Native],
            Some((Native, None)),
            Reason::ProductMissing,
        );
    }

    #[test]
    fn in_a_frame_the_uncertain_ways_are_tried_with_the_other_in_view() {
        let framed = |user_agent: &str| {
            let facts = Facts {
                framed: true,
                ..facts(user_agent)
            };
            let scene = scene(&facts, &Options::default(), Some(&[Jsapi, H5, Native]));
            let way_out = scene.way_out.map(|way| (way.product, way.fallback));
            (scene.decision, way_out, scene.reason)
        };
        assert_eq!(
            framed(PHONE),
            (
                Decision::H5Guarded,
                Some((H5, Some(Native))),
                Reason::Framed
            )
        );
        assert_eq!(
            framed(WECHAT),
            (Decision::JsapiGuarded, Some((Jsapi, None)), Reason::Framed)
        );
        assert_eq!(
            framed(DESK),
            (Decision::Native, Some((Native, None)), Reason::Environment)
        );
    }

    #[test]
    fn the_page_may_insist_on_a_product_but_not_on_one_the_merchant_lacks() {
        let options = Options {
            product: Some(Native),
            ..Options::default()
        };
        let chosen = scene(&facts(PHONE), &options, Some(&[Native, H5]));
        assert_eq!(chosen.way_out, Some(only(Native)));
        assert_eq!(chosen.reason, Reason::ChosenByPage);
        assert!(chosen.is_handheld(), "for another device to scan");
        assert_eq!(scene(&facts(PHONE), &options, Some(&[H5])).way_out, None);
    }
}
