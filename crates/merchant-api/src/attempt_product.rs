//! Every way in which an attempt can be paid: the products that a page can start, and the products
//! that only the merchant's backend can start (private side). The element never sees this type, so
//! its download does not contain it.

use serde::{Deserialize, Serialize};

use crate::answer::Product;

/// How an attempt is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttemptProduct {
    /// A page inside WeChat calls the cashier.
    Jsapi,
    /// A phone's browser goes to WeChat's middle page.
    H5,
    /// A QR code that WeChat scans.
    Native,
    /// A mini-program page calls `wx.requestPayment`.
    MiniProgram,
    /// A native app calls WeChat through its SDK. Started by the backend alone.
    App,
    /// The till scans the code that the buyer shows (付款码). Started by the backend alone.
    CodePay,
}

impl AttemptProduct {
    /// Every product, in the order in which the contract lists them.
    pub const ALL: [Self; 6] = [
        Self::Jsapi,
        Self::H5,
        Self::Native,
        Self::MiniProgram,
        Self::App,
        Self::CodePay,
    ];

    /// The product's name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsapi => Product::Jsapi.as_str(),
            Self::H5 => Product::H5.as_str(),
            Self::Native => Product::Native.as_str(),
            Self::MiniProgram => Product::MiniProgram.as_str(),
            Self::App => "app",
            Self::CodePay => "code_pay",
        }
    }

    /// The product with this name; `None` for a name that this version does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|product| product.as_str() == word)
    }

    /// The same product as a page knows it; `None` for a product that only a backend can start.
    pub const fn of_a_page(self) -> Option<Product> {
        match self {
            Self::Jsapi => Some(Product::Jsapi),
            Self::H5 => Some(Product::H5),
            Self::Native => Some(Product::Native),
            Self::MiniProgram => Some(Product::MiniProgram),
            Self::App | Self::CodePay => None,
        }
    }
}

impl From<Product> for AttemptProduct {
    fn from(product: Product) -> Self {
        match product {
            Product::Jsapi => Self::Jsapi,
            Product::H5 => Self::H5,
            Product::Native => Self::Native,
            Product::MiniProgram => Self::MiniProgram,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AttemptProduct;
    use crate::Product;

    #[test]
    fn every_product_is_found_again_by_its_word_and_pages_have_theirs() {
        for product in AttemptProduct::ALL {
            assert_eq!(AttemptProduct::from_word(product.as_str()), Some(product));
            let word = serde_json::to_value(product).ok();
            assert_eq!(word, Some(product.as_str().into()));
        }
        for product in Product::ALL {
            assert_eq!(AttemptProduct::from(product).of_a_page(), Some(product));
        }
        assert_eq!(AttemptProduct::from_word("palm"), None);
    }
}
