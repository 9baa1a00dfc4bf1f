//! Shipping information of a payment in a mini-program (小程序发货信息管理): WeChat keeps the money of some
//! mini-programs until it knows what was sent. Names and rules are WeChat's.

use serde::{Deserialize, Serialize};

use crate::refund::words;

/// `POST {base}/orders/{order_no}/shipping`. The same values again are the same shipping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateShipping {
    /// How the goods reach the buyer.
    pub logistics_type: LogisticsType,
    /// Whether they come as one parcel or as several.
    pub delivery_mode: DeliveryMode,
    /// `split` alone: whether these are the last parcels. WeChat tells the buyer only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_all_delivered: Option<bool>,
    /// The parcels: one for `unified`, 1 to 15 for `split`.
    pub shipping_list: Vec<Parcel>,
}

/// One parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parcel {
    /// The number of the parcel at the express company, at most 128 bytes. Required for `express`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_no: Option<String>,
    /// The express company by WeChat's code (`SF`, `ZTO`), at most 128 bytes. Required for `express`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub express_company: Option<String>,
    /// What is in it, as the buyer reads it: at most 120 characters.
    pub item_desc: String,
    /// The receiver's telephone number. The server masks it (`189****1234`) before it is recorded or
    /// sent. `SF` needs this one or `consignor_contact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver_contact: Option<String>,
    /// The sender's telephone number, masked in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consignor_contact: Option<String>,
}

macro_rules! numbered {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal, $number:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $name {
            $(
                $(#[$doc])*
                #[serde(rename = $word)]
                #[cfg_attr(feature = "openapi", schema(rename = $word))]
                $variant,
            )+
        }

        impl $name {
            /// WeChat's number of it.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)+ }
            }
        }
    };
}

numbered! {
    /// How goods reach a buyer (`logistics_type`).
    LogisticsType {
        /// By an express company (实体物流配送).
        Express = "express", 1,
        /// Within the city (同城配送).
        SameCity = "same_city", 2,
        /// Nothing is sent (虚拟商品).
        Virtual = "virtual", 3,
        /// The buyer fetches them (用户自提).
        SelfPickup = "self_pickup", 4,
    }
}

numbered! {
    /// Whether goods come as one parcel (`delivery_mode`).
    DeliveryMode {
        /// As one (统一发货).
        Unified = "unified", 1,
        /// As several (分拆发货): by an express company alone.
        Split = "split", 2,
    }
}

words! {
    /// The state of a shipping.
    ShippingState {
        /// Recorded; WeChat has not confirmed it yet. The server continues without another call.
        Requested = "requested",
        /// WeChat has it.
        Uploaded = "uploaded",
        /// WeChat refused it; `wechat_code` says why. The same call again tries once more.
        Refused = "refused",
    }
}

/// A shipping of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShippingDetails {
    /// 1 for the first one of the order.
    pub number: u64,
    /// The state.
    pub state: ShippingState,
    /// When the state last changed, RFC 3339.
    pub state_since: String,
    /// WeChat's `upload_time`, RFC 3339: the same on every try.
    pub upload_time: String,
    /// As given, with masked telephone numbers.
    #[serde(flatten)]
    pub given: CreateShipping,
    /// WeChat's code at the last try, if it did not take the shipping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_code: Option<String>,
    /// WeChat's message with that code, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_message: Option<String>,
}
