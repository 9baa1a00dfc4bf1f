//! Paths of the gateway, and the method that each takes.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::ledger::order::Product;

/// A path that the gateway knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Order(Product, Role),
    /// The merchant's number, decoded.
    QueryByNumber(String, Role),
    /// WeChat's number, decoded.
    QueryById(String, Role),
    /// The merchant's number, decoded.
    Close(String, Role),
    /// The merchant's number, decoded.
    Reverse(String, Role),
    /// A combined order.
    Combine(Product),
    /// The combining merchant's number, decoded.
    QueryCombined(String),
    /// The combining merchant's number, decoded.
    CloseCombined(String),
    Refund,
    /// The merchant's number of the refund, decoded.
    QueryRefund(String),
    /// WeChat's number of the refund, decoded.
    AbnormalRefund(String),
    /// Adds a receiver of shares.
    AddReceiver,
    DeleteReceiver,
    Share,
    Unfreeze,
    /// The merchant's number of the share, decoded.
    QueryShare(String),
    ShareReturn,
    /// The merchant's number of the return, decoded.
    QueryShareReturn(String),
    /// WeChat's number of the payment, decoded.
    Unsplit(String),
    TradeBill,
    FundFlowBill,
    SubMerchantFundFlowBill,
    BillFile(&'static str),
    Certificates,
}

/// The mode of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The signing merchant's own orders.
    Merchant,
    /// A partner (服务商) for another merchant.
    Partner,
}

impl Route {
    pub(super) fn find(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/v3/")?;
        let segments: Vec<&str> = rest.split('/').collect();
        match segments.as_slice() {
            ["pay", "partner", "transactions", rest @ ..] => Self::transaction(rest, Role::Partner),
            ["pay", "transactions", rest @ ..] => Self::transaction(rest, Role::Merchant),
            ["combine-transactions", rest @ ..] => Self::combined(rest),
            ["refund", "domestic", "refunds"] => Some(Self::Refund),
            ["refund", "domestic", "refunds", number] => Some(Self::QueryRefund(decode(number)?)),
            ["refund", "domestic", "refunds", id, "apply-abnormal-refund"] => {
                Some(Self::AbnormalRefund(decode(id)?))
            }
            ["profitsharing", rest @ ..] => Self::sharing(rest),
            ["bill", "tradebill"] => Some(Self::TradeBill),
            ["bill", "fundflowbill"] => Some(Self::FundFlowBill),
            ["bill", "sub-merchant-fundflowbill"] => Some(Self::SubMerchantFundFlowBill),
            ["billdownload", "file"] => Some(Self::BillFile("/v3/billdownload/file")),
            ["bill", "downloadurl"] => Some(Self::BillFile("/v3/bill/downloadurl")),
            ["certificates"] => Some(Self::Certificates),
            _ => None,
        }
    }

    fn transaction(segments: &[&str], role: Role) -> Option<Self> {
        match segments {
            ["jsapi"] => Some(Self::Order(Product::Jsapi, role)),
            ["h5"] => Some(Self::Order(Product::H5, role)),
            ["native"] => Some(Self::Order(Product::Native, role)),
            ["app"] => Some(Self::Order(Product::App, role)),
            ["codepay"] => Some(Self::Order(Product::CodePay, role)),
            ["out-trade-no", number] => Some(Self::QueryByNumber(decode(number)?, role)),
            ["out-trade-no", number, "close"] => Some(Self::Close(decode(number)?, role)),
            ["out-trade-no", number, "reverse"] => Some(Self::Reverse(decode(number)?, role)),
            ["id", id] => Some(Self::QueryById(decode(id)?, role)),
            _ => None,
        }
    }

    fn combined(segments: &[&str]) -> Option<Self> {
        match segments {
            ["jsapi"] => Some(Self::Combine(Product::Jsapi)),
            ["h5"] => Some(Self::Combine(Product::H5)),
            ["native"] => Some(Self::Combine(Product::Native)),
            ["app"] => Some(Self::Combine(Product::App)),
            ["out-trade-no", number] => Some(Self::QueryCombined(decode(number)?)),
            ["out-trade-no", number, "close"] => Some(Self::CloseCombined(decode(number)?)),
            _ => None,
        }
    }

    fn sharing(segments: &[&str]) -> Option<Self> {
        match segments {
            ["receivers", "add"] => Some(Self::AddReceiver),
            ["receivers", "delete"] => Some(Self::DeleteReceiver),
            ["orders"] => Some(Self::Share),
            ["orders", "unfreeze"] => Some(Self::Unfreeze),
            ["orders", number] => Some(Self::QueryShare(decode(number)?)),
            ["return-orders"] => Some(Self::ShareReturn),
            ["return-orders", number] => Some(Self::QueryShareReturn(decode(number)?)),
            ["transactions", id, "amounts"] => Some(Self::Unsplit(decode(id)?)),
            _ => None,
        }
    }

    pub(super) fn method(&self) -> Method {
        match self {
            Self::Order(..)
            | Self::Close(..)
            | Self::Reverse(..)
            | Self::Combine(_)
            | Self::CloseCombined(_)
            | Self::Refund
            | Self::AbnormalRefund(_)
            | Self::AddReceiver
            | Self::DeleteReceiver
            | Self::Share
            | Self::Unfreeze
            | Self::ShareReturn => Method::POST,
            _ => Method::GET,
        }
    }

    /// Whether it is a route of orders. WeChat serves these differently: it does not check
    /// `User-Agent` and `Accept`, and messages and headers of its 401 differ.
    pub(super) fn is_of_orders(&self) -> bool {
        matches!(
            self,
            Self::Order(..)
                | Self::QueryByNumber(..)
                | Self::QueryById(..)
                | Self::Close(..)
                | Self::Reverse(..)
                | Self::Combine(_)
                | Self::QueryCombined(_)
                | Self::CloseCombined(_)
        )
    }

    pub(super) fn is_of_code_pay(&self) -> bool {
        matches!(self, Self::Order(Product::CodePay, _) | Self::Reverse(..))
    }

    /// The route's name in the faults.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Order(..) | Self::Combine(_) => "order",
            Self::QueryByNumber(..) | Self::QueryById(..) | Self::QueryCombined(_) => "query",
            Self::Close(..) | Self::CloseCombined(_) => "close",
            Self::Reverse(..) => "reverse",
            Self::Refund => "refund",
            Self::QueryRefund(_) => "refund_query",
            Self::AbnormalRefund(_) => "abnormal_refund",
            Self::AddReceiver | Self::DeleteReceiver => "receiver",
            Self::Share | Self::Unfreeze => "share",
            Self::ShareReturn => "share_return",
            Self::QueryShare(_) | Self::QueryShareReturn(_) | Self::Unsplit(_) => "share_query",
            Self::TradeBill | Self::FundFlowBill | Self::SubMerchantFundFlowBill => "bill",
            Self::BillFile(_) => "bill_file",
            Self::Certificates => "certificates",
        }
    }
}

fn decode(segment: &str) -> Option<String> {
    if segment.is_empty() {
        return None;
    }
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_paths_are_routes() {
        let number = |text: &str| text.to_owned();
        let (own, partner) = (Role::Merchant, Role::Partner);
        let transactions = "/v3/pay/transactions";
        for (path, expected) in [
            ("jsapi", Some(Route::Order(Product::Jsapi, own))),
            ("h5", Some(Route::Order(Product::H5, own))),
            ("native", Some(Route::Order(Product::Native, own))),
            ("app", Some(Route::Order(Product::App, own))),
            ("codepay", Some(Route::Order(Product::CodePay, own))),
            (
                "out-trade-no/A%7C1",
                Some(Route::QueryByNumber(number("A|1"), own)),
            ),
            (
                "out-trade-no/A%7C1/close",
                Some(Route::Close(number("A|1"), own)),
            ),
            (
                "out-trade-no/A%7C1/reverse",
                Some(Route::Reverse(number("A|1"), own)),
            ),
            ("id/42", Some(Route::QueryById(number("42"), own))),
            ("native/", None),
            ("miniprogram", None),
            ("out-trade-no/", None),
            ("out-trade-no//close", None),
            ("out-trade-no/A/B", None),
            ("id/%FF", None),
            ("", None),
        ] {
            let path = format!("{transactions}/{path}");
            assert_eq!(Route::find(&path), expected, "{path}");
        }
        let refunds = "/v3/refund/domestic/refunds";
        for (path, expected) in [
            (
                "/v3/pay/partner/transactions/jsapi",
                Some(Route::Order(Product::Jsapi, partner)),
            ),
            (
                "/v3/pay/partner/transactions/id/1",
                Some(Route::QueryById(number("1"), partner)),
            ),
            (
                "/v3/pay/partner/transactions/codepay",
                Some(Route::Order(Product::CodePay, partner)),
            ),
            (
                "/v3/pay/partner/transactions/out-trade-no/A/reverse",
                Some(Route::Reverse(number("A"), partner)),
            ),
            (refunds, Some(Route::Refund)),
            (
                &format!("{refunds}/R@1"),
                Some(Route::QueryRefund(number("R@1"))),
            ),
            (
                &format!("{refunds}/5/apply-abnormal-refund"),
                Some(Route::AbnormalRefund(number("5"))),
            ),
            ("/v3/profitsharing/receivers/add", Some(Route::AddReceiver)),
            ("/v3/profitsharing/orders", Some(Route::Share)),
            ("/v3/profitsharing/orders/unfreeze", Some(Route::Unfreeze)),
            (
                "/v3/profitsharing/orders/P%7C1",
                Some(Route::QueryShare(number("P|1"))),
            ),
            (
                "/v3/profitsharing/return-orders/R@1",
                Some(Route::QueryShareReturn(number("R@1"))),
            ),
            (
                "/v3/profitsharing/transactions/42/amounts",
                Some(Route::Unsplit(number("42"))),
            ),
            ("/v3/profitsharing/transactions/42", None),
            ("/v3/bill/tradebill", Some(Route::TradeBill)),
            (
                "/v3/bill/sub-merchant-fundflowbill",
                Some(Route::SubMerchantFundFlowBill),
            ),
            ("/v3/certificates", Some(Route::Certificates)),
            ("/v3/certificates/", None),
            ("/v3/", None),
            ("", None),
        ] {
            assert_eq!(Route::find(path), expected, "{path}");
        }
    }

    #[test]
    fn combined_orders_have_routes_of_their_own() {
        let number = |text: &str| text.to_owned();
        for (path, expected) in [
            (
                "/v3/combine-transactions/h5",
                Some(Route::Combine(Product::H5)),
            ),
            ("/v3/combine-transactions/codepay", None),
            (
                "/v3/combine-transactions/out-trade-no/C%7C1",
                Some(Route::QueryCombined(number("C|1"))),
            ),
            (
                "/v3/combine-transactions/out-trade-no/C%7C1/close",
                Some(Route::CloseCombined(number("C|1"))),
            ),
            ("/v3/combine-transactions/id/1", None),
        ] {
            assert_eq!(Route::find(path), expected, "{path}");
        }
    }
}
