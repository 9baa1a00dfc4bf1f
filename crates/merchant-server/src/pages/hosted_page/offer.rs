//! The products that a page without script offers. The page knows the browser's User-Agent only. It
//! decides as the element does ([`::checkout::decide`]), so both offer the same products.

use ::checkout::{Alternative, Decision, Environment, EnvironmentKind, Facts, Os, decide};
use buyer_words::Words;
use http::HeaderMap;
use merchant_api::Product;

/// The products that a page offers, or why it offers none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// These products, best first; never empty.
    Products(Vec<Product>),
    /// No product works in this browser.
    Unavailable(Unavailable),
}

impl Offer {
    /// The best product, if any product works.
    pub(super) fn first(&self) -> Option<Product> {
        match self {
            Self::Products(products) => products.first().copied(),
            Self::Unavailable(_) => None,
        }
    }

    /// Whether another product than a code is the best one.
    pub(super) fn has_other_way(&self) -> bool {
        self.first().is_some_and(|first| first != Product::Native)
    }
}

/// Why no product works in this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unavailable {
    /// A web-view in a mini-program.
    MiniProgram,
    /// A WeChat version without payments.
    WechatTooOld,
    /// The merchant has no product for this browser. The value says where a product would work.
    NoProductFits(Option<Alternative>),
}

impl Unavailable {
    pub(super) const fn words(self) -> Words {
        match self {
            Self::MiniProgram => buyer_words::MINI_PROGRAM,
            Self::WechatTooOld => buyer_words::WECHAT_TOO_OLD,
            Self::NoProductFits(Some(Alternative::Computer)) => buyer_words::OPEN_ON_COMPUTER,
            Self::NoProductFits(Some(Alternative::PhoneBrowser)) => buyer_words::OPEN_IN_BROWSER,
            Self::NoProductFits(Some(Alternative::WeChat)) => buyer_words::OPEN_IN_WECHAT,
            Self::NoProductFits(Some(Alternative::MiniProgram)) => buyer_words::OPEN_MINI_PROGRAM,
            Self::NoProductFits(None) => buyer_words::NOTHING_FITS,
        }
    }
}

/// The buyer's browser.
#[derive(Clone, Debug)]
pub(super) struct BuyerContext {
    decision: Decision,
    environment: Environment,
    /// The page is on the same device that would have to scan a code on the page.
    pub(super) is_handheld: bool,
}

impl BuyerContext {
    /// Reads the browser from a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let user_agent = headers
            .get(http::header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let facts = Facts {
            user_agent: user_agent.to_owned(),
            ..Facts::default()
        };
        let (environment, decision) = decide(&facts);
        Self {
            decision,
            is_handheld: environment.is_handheld,
            environment,
        }
    }

    /// Whether the element shows a code here without a click.
    pub(super) fn shows_code(&self) -> bool {
        self.decision == Decision::Native
    }

    /// Whether this is certainly a plain browser on a computer, as far as a User-Agent can say. An
    /// app's own window on a computer and a program without a system's name are not.
    pub(super) fn is_desktop_browser(&self) -> bool {
        self.shows_code()
            && self.environment.kind == EnvironmentKind::BrowserDesktop
            && self.environment.os != Os::Unknown
    }

    /// What the page offers of the products that the order allows.
    pub(super) fn offer(&self, products: &[Product]) -> Offer {
        let preferred: &[Product] = match self.decision {
            Decision::Jsapi | Decision::JsapiGuarded => &[Product::Jsapi, Product::Native],
            Decision::H5 | Decision::H5Guarded | Decision::H5OrNative => {
                &[Product::H5, Product::Native]
            }
            // Offer Native to suspected bots too: real bots never click, and misclassified browsers
            // need the button.
            Decision::Native | Decision::None => &[Product::Native],
            Decision::MiniProgram => return Offer::Unavailable(Unavailable::MiniProgram),
            Decision::Upgrade => return Offer::Unavailable(Unavailable::WechatTooOld),
        };
        let offered: Vec<_> = preferred
            .iter()
            .copied()
            .filter(|product| products.contains(product))
            .filter(|product| self.environment.allows(*product))
            .collect();
        if offered.is_empty() {
            let instead = Alternative::among(|product| products.contains(product));
            Offer::Unavailable(Unavailable::NoProductFits(instead))
        } else {
            Offer::Products(offered)
        }
    }
}

#[cfg(test)]
mod tests {
    use Product::{H5, Jsapi, Native};

    use super::*;

    #[test]
    fn each_browser_gets_the_products_that_work_in_it() {
        let phone = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/111.0.0.0 Mobile Safari/537.36";
        let wechat = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) Language/zh_CN";
        let desk =
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0";
        let old = "Mozilla/5.0 (iPhone; CPU iPhone OS 6_0 like Mac OS X) MicroMessenger/4.5";
        let all: &[Product] = &[Native, H5, Jsapi];
        let some = |products: &[Product]| Offer::Products(products.to_vec());
        let instead = |place| Offer::Unavailable(Unavailable::NoProductFits(place));
        let cases = [
            (phone, all, some(&[H5, Native])),
            (phone, &[Native], some(&[Native])),
            (phone, &[Jsapi], instead(Some(Alternative::WeChat))),
            (wechat, all, some(&[Jsapi])),
            (wechat, &[Native], instead(Some(Alternative::Computer))),
            (wechat, &[H5], instead(Some(Alternative::PhoneBrowser))),
            (desk, all, some(&[Native])),
            (desk, &[H5, Jsapi], instead(Some(Alternative::PhoneBrowser))),
            (desk, &[Jsapi], instead(Some(Alternative::WeChat))),
            (
                desk,
                &[Product::MiniProgram],
                instead(Some(Alternative::MiniProgram)),
            ),
            (desk, &[], instead(None)),
            (old, all, Offer::Unavailable(Unavailable::WechatTooOld)),
            ("", all, some(&[Native])),
        ];
        for (user_agent, products, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::USER_AGENT, user_agent.parse().unwrap());
            let offer = BuyerContext::of(&headers).offer(products);
            assert_eq!(offer, expected, "{user_agent} {products:?}");
        }
    }
}
