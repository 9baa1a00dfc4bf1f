//! The buyer's environment, and which payment method works in it, with the reason.
//!
//! Two vocabularies are kept apart: a [`Decision`] is what an environment needs, and a [`Product`]
//! is what a merchant has. [`scene`] combines them.

mod decision;
mod environment;

pub use decision::Decision;
pub use environment::{Environment, EnvironmentKind, Os, decide};
use merchant_api::Product;

use crate::facts::{Facts, Injected, Options};

/// Why this method was chosen: the value for the `scene-decided` event and for the page's engineer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The page set the `scene` attribute.
    ChosenByPage,
    /// The environment needs it and the merchant has it.
    Environment,
    /// The page requires a product that nobody can pay here (Native or `h5_url` inside WeChat, the
    /// cashier outside), so the environment decides.
    ChoiceImpossible,
    /// The page is in a frame, where the environment's method may fail.
    Framed,
    /// The merchant lacks the product that the environment needs; this is the next best.
    ProductMissing,
    /// The merchant has no product that works here. The value says where one works, if anywhere.
    NothingFits(Option<Alternative>),
    /// A mini-program's web-view cannot pay by itself.
    MiniProgram,
    /// WeChat is too old.
    WeChatTooOld,
    /// A bot reads the page.
    Robot,
}

impl Reason {
    /// The value in the event.
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

/// Where a buyer can pay who cannot pay here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alternative {
    /// On a computer, which shows a code.
    Computer,
    /// In the phone's own browser, which navigates to `h5_url`.
    PhoneBrowser,
    /// In WeChat on the phone, which has the cashier.
    WeChat,
    /// In the merchant's mini-program, whose own page pays.
    MiniProgram,
}

impl Alternative {
    /// Where these products can be paid. A mini-program comes last, because it cannot show this page.
    pub fn among(has: impl Fn(&Product) -> bool) -> Option<Self> {
        let places = [
            (Product::Native, Self::Computer),
            (Product::H5, Self::PhoneBrowser),
            (Product::Jsapi, Self::WeChat),
            (Product::MiniProgram, Self::MiniProgram),
        ];
        let found = places.into_iter().find(|(product, _)| has(product));
        found.map(|(_, place)| place)
    }
}

/// The payment method for a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentMethod {
    /// The product that is started or offered first.
    pub product: Product,
    /// The product that is offered beside it.
    pub fallback: Option<Product>,
}

/// The buyer's environment, and the decision for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The environment.
    pub environment: Environment,
    /// What the environment needs.
    pub decision: Decision,
    /// The payment method, or `None` if no method works here.
    pub method: Option<PaymentMethod>,
    /// Why this method was chosen, or why there is none.
    pub reason: Reason,
}

impl Scene {
    /// Whether the page is on the device that would have to scan a QR code.
    pub fn is_handheld(&self) -> bool {
        self.environment.is_handheld
    }
}

/// Decides the scene from the facts, the page's options and the merchant's products. With `None`
/// the products are unknown, so every product may be tried.
pub fn scene(facts: &Facts, options: &Options, products: Option<&[Product]>) -> Scene {
    let (environment, decision) = decide(facts);
    let has = |product: &Product| products.is_none_or(|products| products.contains(product));
    let chosen = options.product;
    // A page that waits for WeChat's bridge in a plain browser waits without end.
    let is_out_of_reach = |product| {
        matches!(product, Product::Jsapi | Product::MiniProgram)
            && environment.kind.is_plain_browser()
            && facts.injected == Injected::default()
    };
    let (method, reason) = match chosen {
        Some(product) if environment.allows(product) && !is_out_of_reach(product) => {
            if has(&product) {
                (Some(only(product)), Reason::ChosenByPage)
            } else {
                // A product that the page requires is required everywhere: there is no alternative
                // place.
                (None, Reason::NothingFits(None))
            }
        }
        _ => choose_method(&environment, decision, has),
    };
    let reason = match reason {
        Reason::Environment | Reason::ProductMissing if chosen.is_some() => {
            Reason::ChoiceImpossible
        }
        Reason::Environment if facts.framed && decision.is_uncertain() => Reason::Framed,
        reason => reason,
    };
    Scene {
        environment,
        decision,
        method,
        reason,
    }
}

const fn only(product: Product) -> PaymentMethod {
    PaymentMethod {
        product,
        fallback: None,
    }
}

/// Chooses from the products that a decision needs, best first. The second is offered beside the
/// first if the environment makes the first uncertain.
fn choose_method(
    environment: &Environment,
    decision: Decision,
    has: impl Fn(&Product) -> bool,
) -> (Option<PaymentMethod>, Reason) {
    let nothing_fits = Reason::NothingFits(Alternative::among(&has));
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
    let fits = |product: &Product| has(product) && environment.allows(*product);
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
    (Some(PaymentMethod { product, fallback }), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) Language/zh_CN";
    const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/111.0.0.0 Mobile Safari/537.36";
    const DESKTOP: &str =
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
        let found = scene.method.map(|way| (way.product, way.fallback));
        assert_eq!((found, scene.reason), (expected, reason), "{user_agent}");
    }

    #[test]
    fn each_environment_gets_the_method_that_works_in_it() {
        let all = [Jsapi, H5, Native];
        check(WECHAT, &all, Some((Jsapi, None)), Reason::Environment);
        check(PHONE, &all, Some((H5, None)), Reason::Environment);
        check(DESKTOP, &all, Some((Native, None)), Reason::Environment);
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
    fn a_product_that_the_merchant_lacks_is_replaced_by_the_next_best() {
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
    fn a_buyer_without_a_method_is_sent_to_where_a_product_works() {
        let cases = [
            (WECHAT, [Native].as_slice(), Some(Alternative::Computer)),
            (WECHAT, &[Native, H5], Some(Alternative::Computer)),
            (WECHAT, &[H5], Some(Alternative::PhoneBrowser)),
            (WECHAT, &[MiniProgram], Some(Alternative::MiniProgram)),
            (DESKTOP, &[MiniProgram], Some(Alternative::MiniProgram)),
            (DESKTOP, &[], None),
            (DESKTOP, &[H5], Some(Alternative::PhoneBrowser)),
            (DESKTOP, &[Jsapi, H5], Some(Alternative::PhoneBrowser)),
            (DESKTOP, &[Jsapi], Some(Alternative::WeChat)),
            (PHONE, &[Jsapi], Some(Alternative::WeChat)),
            (QQ, &[Jsapi], Some(Alternative::WeChat)),
            (WECOM, &[H5], Some(Alternative::PhoneBrowser)),
        ];
        for (user_agent, products, instead) in cases {
            check(user_agent, products, None, Reason::NothingFits(instead));
        }
    }

    #[test]
    fn a_phone_inside_wechat_never_gets_a_native_code() {
        let on_a_computer = Reason::NothingFits(Some(Alternative::Computer));
        check(WECHAT, &[Native], None, on_a_computer);
        check(MINI_PROGRAM, &[Native], None, Reason::MiniProgram);
        let chosen = |product, products: &[Product]| {
            let options = Options {
                product: Some(product),
                ..Options::default()
            };
            let scene = scene(&facts(WECHAT), &options, Some(products));
            (scene.method.map(|way| way.product), scene.reason)
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
    fn a_page_cannot_insist_on_wechats_cashier_where_wechat_is_not() {
        let bridge = Injected {
            bridge: true,
            ..Injected::default()
        };
        let chosen = |user_agent, product, products: &[Product], injected| {
            let options = Options {
                product: Some(product),
                ..Options::default()
            };
            let facts = Facts {
                injected,
                ..facts(user_agent)
            };
            let scene = scene(&facts, &options, Some(products));
            (scene.method.map(|way| way.product), scene.reason)
        };
        let nothing = Injected::default();
        let all = &[Native, H5, Jsapi, MiniProgram];
        let in_wechat = Reason::NothingFits(Some(Alternative::WeChat));
        for (user_agent, product, products, injected, expected) in [
            (
                DESKTOP,
                Jsapi,
                &all[..],
                nothing,
                (Some(Native), Reason::ChoiceImpossible),
            ),
            (
                DESKTOP,
                MiniProgram,
                all,
                nothing,
                (Some(Native), Reason::ChoiceImpossible),
            ),
            (
                PHONE,
                Jsapi,
                all,
                nothing,
                (Some(H5), Reason::ChoiceImpossible),
            ),
            (
                PHONE,
                Jsapi,
                &[Native, Jsapi],
                nothing,
                (Some(Native), Reason::ChoiceImpossible),
            ),
            (DESKTOP, Jsapi, &[Jsapi], nothing, (None, in_wechat)),
            // The page may know its web-view better than the User-Agent shows.
            (
                DESKTOP,
                Jsapi,
                all,
                bridge,
                (Some(Jsapi), Reason::ChosenByPage),
            ),
            (QQ, Jsapi, all, nothing, (Some(Jsapi), Reason::ChosenByPage)),
            (
                WECHAT,
                Jsapi,
                all,
                nothing,
                (Some(Jsapi), Reason::ChosenByPage),
            ),
        ] {
            let found = chosen(user_agent, product, products, injected);
            assert_eq!(found, expected, "{user_agent} {product:?} {products:?}");
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
    fn in_a_frame_an_uncertain_method_is_offered_with_the_other_one() {
        let framed = |user_agent: &str| {
            let facts = Facts {
                framed: true,
                ..facts(user_agent)
            };
            let scene = scene(&facts, &Options::default(), Some(&[Jsapi, H5, Native]));
            let method = scene.method.map(|way| (way.product, way.fallback));
            (scene.decision, method, scene.reason)
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
            framed(DESKTOP),
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
        assert_eq!(chosen.method, Some(only(Native)));
        assert_eq!(chosen.reason, Reason::ChosenByPage);
        assert!(chosen.is_handheld(), "for another device to scan");
        assert_eq!(scene(&facts(PHONE), &options, Some(&[H5])).method, None);
    }
}
