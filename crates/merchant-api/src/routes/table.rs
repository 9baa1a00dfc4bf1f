//! The rows of the table: the routes of the buyer's page, then those of the merchant's backend.

use super::RouteContent::{Csv, Json, Nothing, Picture};
use super::forms::{AttemptFormObject, CancelFormObject};
use super::{
    Parameter, ParameterKind, ParameterPlace, Refusal, RequestBody, Route, RouteAccess,
    RouteAnswer, RouteMethod, SchemaOf,
};
use crate::answer::CheckoutAnswerObject;
use crate::bill::BillComparison;
use crate::error::ErrorCode as Code;
use crate::mismatch::{FinishMismatch, MismatchDetails, MismatchList};
use crate::order::link::{CreateLink, LinkDetails, LinkList};
use crate::order::{CreateOrder, CreatedOrder};
use crate::order_details::{OrderDetails, OrderList, WebhookDetails, WebhookList, WebhooksResent};
use crate::refund::{ApplyAbnormalRefund, CreateRefund, RefundDetails, RefundList};
use crate::sharing::{
    AddReceiver, CreateShare, CreateShareReturn, DeleteReceiver, FrozenMoney, ReceiverDetails,
    ShareDetails, ShareList, UnfreezeOrder,
};
use crate::shipping::{CreateShipping, ShippingDetails};
use crate::started_attempt::{StartAttempt, StartedAttempt};

/// Every route of the contract.
pub const ROUTES: &[Route] = &[
    Route {
        method: RouteMethod::Post,
        path: "/checkouts/{token}/attempts",
        access: RouteAccess::Token,
        operation_id: "start_attempt",
        tag: "checkout",
        summary: "Starts an attempt, or gives the current one again while its action is fresh.",
        description: "",
        parameters: &[TOKEN],
        body: Some(form::<AttemptFormObject>()),
        answers: &[json::<CheckoutAnswerObject<'_>>(
            200,
            "The answer, with an action unless it is paid or closed",
        )],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::CheckoutUnknown),
            Refusal::noted(Code::AttemptSuperseded, WITH_ANSWER),
            Refusal::of(Code::ProductUnavailable),
            Refusal::of(Code::PayerUnavailable),
            Refusal::of(Code::CheckoutExpired),
            Refusal::of(Code::PayerInvalid),
            Refusal::of(Code::ReturnUrlRefused),
            Refusal::of(Code::WechatRefused),
            Refusal::of(Code::AttemptInDoubt),
            Refusal::of(Code::WechatUnavailable),
        ],
    },
    Route {
        method: RouteMethod::Get,
        path: "/checkouts/{token}",
        access: RouteAccess::Token,
        operation_id: "read_checkout",
        tag: "checkout",
        summary: "Reads the checkout. With `wait` the answer may be held until the version is no \
            longer `seen`.",
        description: "",
        parameters: &[
            TOKEN,
            number(
                "wait",
                "Hold the answer for at most this many seconds (25 at most); a server may ignore \
                 it",
            ),
            number("seen", "The version that the page has"),
            number("ask", "1: query WeChat now, once for all pages that wait"),
        ],
        body: None,
        answers: &[json::<CheckoutAnswerObject<'_>>(
            200,
            "The answer; paid and closed are answers, never errors",
        )],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::noted(
                Code::OriginNotAllowed,
                "the page's origin is not one of the shop's; every origin may read this answer",
            ),
            Refusal::of(Code::CheckoutUnknown),
        ],
    },
    Route {
        method: RouteMethod::Post,
        path: "/checkouts/{token}/cancel",
        access: RouteAccess::Token,
        operation_id: "cancel_attempt",
        tag: "checkout",
        summary: "Ends the attempt, never the order. Optional: a 404 here means \"not offered\".",
        description: "",
        parameters: &[TOKEN],
        body: Some(form::<CancelFormObject>()),
        answers: &[json::<CheckoutAnswerObject<'_>>(200, "The answer")],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::CheckoutUnknown),
            Refusal::noted(Code::AttemptSuperseded, WITH_ANSWER),
            Refusal::of(Code::AttemptInDoubt),
        ],
    },
    picture(
        "/checkouts/{token}/code.svg",
        "read_code_svg",
        "The code of the order's hosted page, as SVG, for emails and receipts.",
        &[picture_of("image/svg+xml")],
    ),
    picture(
        "/checkouts/{token}/code.png",
        "read_code_png",
        "The code of the order's hosted page, as PNG, for emails and receipts.",
        &[picture_of("image/png")],
    ),
    Route {
        method: RouteMethod::Post,
        path: "/orders",
        access: ORDERS_WRITE,
        operation_id: "create_order",
        tag: "orders",
        summary: "Creates an order (private side).",
        description: OR_TILL,
        parameters: &[],
        body: Some(json_body::<CreateOrder>()),
        answers: &[
            json::<CreatedOrder>(201, "Created"),
            json::<CreatedOrder>(200, "The order existed already, with the same values"),
        ],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::AmountInvalid),
            Refusal::of(Code::DescriptionInvalid),
            Refusal::of(Code::OrderNoInvalid),
            Refusal::noted(Code::OrderNoUsed, "the number is in use with other values"),
            Refusal::of(Code::ReturnUrlRefused),
            Refusal::noted(Code::RateLimited, OVERLOAD),
        ],
    },
    Route {
        method: RouteMethod::Post,
        path: "/orders/{order_no}/close",
        access: ORDERS_WRITE,
        operation_id: "close_order",
        tag: "orders",
        summary: "Closes an order at WeChat, finally (private side). Only this route closes an \
            order.",
        description: OR_TILL,
        parameters: &[ORDER_NO],
        body: None,
        answers: &[json::<CheckoutAnswerObject<'_>>(
            200,
            "Closed, now or before",
        )],
        own_refusals: &[
            Refusal::of(Code::OrderUnknown),
            Refusal::noted(Code::OrderPaid, "it was paid first"),
            Refusal::noted(Code::RateLimited, ORDER_BUSY),
            Refusal::noted(
                Code::AttemptInDoubt,
                "it is closed as soon as WeChat can be queried",
            ),
        ],
    },
    Route {
        method: RouteMethod::Post,
        path: "/orders/{order_no}/attempts",
        access: ORDERS_WRITE,
        operation_id: "start_order_attempt",
        tag: "orders",
        summary: "Starts an attempt for an app, a mini-program, a till or a page of the backend's \
            own, or gives the current one again (private side).",
        description: "`code_pay` is paid at once or waits for the buyer's password. The server \
            queries WeChat until the result is known, and reverses the payment after half a \
            minute. An API key with the scope `till` may start this product and no other.",
        parameters: &[ORDER_NO],
        body: Some(json_body::<StartAttempt>()),
        answers: &[json::<StartedAttempt>(
            200,
            "The order, with the next step unless it is paid or closed",
        )],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::OrderUnknown),
            Refusal::noted(
                Code::AttemptSuperseded,
                "with the fields of the checkout's answer",
            ),
            Refusal::of(Code::ProductUnavailable),
            Refusal::of(Code::PayerUnavailable),
            Refusal::of(Code::CheckoutExpired),
            Refusal::of(Code::PayerInvalid),
            Refusal::of(Code::ReturnUrlRefused),
            Refusal::noted(Code::RateLimited, ORDER_BUSY),
            Refusal::noted(
                Code::WechatRefused,
                "wechat_code says why, AUTHCODEEXPIRE and the like",
            ),
            Refusal::of(Code::AttemptInDoubt),
            Refusal::of(Code::WechatUnavailable),
        ],
    },
    Route {
        method: RouteMethod::Get,
        path: "/orders/{order_no}",
        access: ORDERS_READ,
        operation_id: "get_order",
        tag: "orders",
        summary: "Reads an order with its attempts (private side).",
        description: OR_TILL,
        parameters: &[ORDER_NO],
        body: None,
        answers: &[json::<OrderDetails>(200, "The order")],
        own_refusals: &[Refusal::of(Code::OrderUnknown)],
    },
    Route {
        method: RouteMethod::Get,
        path: "/orders",
        access: ORDERS_READ,
        operation_id: "list_orders",
        tag: "orders",
        summary: "Lists orders, newest first (private side). An unknown parameter is refused.",
        description: "",
        parameters: &[
            text("state", "open, paid or closed"),
            text("created_from", "Created at or after this time (RFC 3339)"),
            text("created_to", "Created before this time (RFC 3339)"),
            text("order_no_prefix", "The first characters of order_no"),
            text(
                "sub_mchid",
                "Partner mode: the sub-merchant of the order, or of one of its sub-orders",
            ),
            text(
                "transaction_id",
                "WeChat's number of a payment, also of a sub-order's: the order that it paid",
            ),
            text(
                "out_trade_no",
                "The number at WeChat of any attempt, or of a sub-order in one: the order that it belongs to",
            ),
            text("link_id", "The payment link that made the order"),
            LIMIT,
            text("before", NEXT_PAGE),
        ],
        body: None,
        answers: &[json::<OrderList>(200, "A page of orders")],
        own_refusals: &[Refusal::of(Code::InvalidRequest)],
    },
    Route {
        method: RouteMethod::Post,
        path: "/orders/{order_no}/refunds",
        access: REFUNDS_WRITE,
        operation_id: "create_refund",
        tag: "refunds",
        summary: "Refunds a payment, in part or whole (private side). The same number with the \
            same values is the same refund, however often it is sent; a refund that WeChat refused \
            is tried once more.",
        description: "",
        parameters: &[ORDER_NO],
        body: Some(json_body::<CreateRefund>()),
        answers: &[
            json::<RefundDetails>(
                201,
                "Recorded. requested: WeChat has not confirmed it yet, and the server continues \
                 without another call; processing: WeChat accepted it",
            ),
            json::<RefundDetails>(200, "The refund existed already, with the same values"),
        ],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::AmountInvalid),
            Refusal::of(Code::OrderUnknown),
            Refusal::of(Code::OrderNotPaid),
            Refusal::of(Code::RefundNoUsed),
            Refusal::of(Code::RefundTooMuch),
            Refusal::of(Code::RefundTooMany),
            Refusal::noted(Code::RateLimited, ORDER_BUSY),
            Refusal::noted(
                Code::WechatRefused,
                "nothing was refunded; wechat_code says why",
            ),
        ],
    },
    Route {
        method: RouteMethod::Get,
        path: "/orders/{order_no}/refunds",
        access: REFUNDS_READ,
        operation_id: "list_refunds",
        tag: "refunds",
        summary: "Lists the refunds of an order of every origin, oldest first (private side).",
        description: "",
        parameters: &[ORDER_NO],
        body: None,
        answers: &[json::<RefundList>(200, "The refunds")],
        own_refusals: &[Refusal::of(Code::OrderUnknown)],
    },
    Route {
        method: RouteMethod::Post,
        path: "/orders/{order_no}/shipping",
        access: ORDERS_WRITE,
        operation_id: "create_shipping",
        tag: "orders",
        summary: "Tells WeChat what was sent to the buyer of a mini-program (发货信息管理) (private \
            side). The same values are the same shipping, however often they are sent; a shipping \
            that WeChat refused is tried once more.",
        description: "WeChat lets the shipping of a payment be changed once. A shipping with other \
            values is such a change, unless it adds the next parcels of a `split` delivery.",
        parameters: &[ORDER_NO],
        body: Some(json_body::<CreateShipping>()),
        answers: &[
            json::<ShippingDetails>(
                201,
                "Recorded. requested: WeChat has not confirmed it yet, and the server continues \
                 without another call; uploaded: WeChat has it",
            ),
            json::<ShippingDetails>(200, "The shipping existed already, with the same values"),
        ],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::OrderUnknown),
            Refusal::noted(Code::OrderNotPaid, "so nothing can be sent for it"),
            Refusal::noted(
                Code::ProductUnavailable,
                "it was not paid in a mini-program, or its secret is not configured",
            ),
            Refusal::noted(Code::RateLimited, ORDER_BUSY),
            Refusal::noted(
                Code::WechatRefused,
                "wechat_code says why, message says what to do",
            ),
        ],
    },
    Route {
        method: RouteMethod::Get,
        path: "/refunds/{refund_no}",
        access: REFUNDS_READ,
        operation_id: "get_refund",
        tag: "refunds",
        summary: "Reads a refund (private side).",
        description: "",
        parameters: &[REFUND_NO],
        body: None,
        answers: &[json::<RefundDetails>(200, "The refund")],
        own_refusals: &[Refusal::of(Code::RefundUnknown)],
    },
    Route {
        method: RouteMethod::Post,
        path: "/refunds/{refund_no}/apply-abnormal-refund",
        access: REFUNDS_WRITE,
        operation_id: "apply_abnormal_refund",
        tag: "refunds",
        summary: "Redirects an abnormal refund to another account, because the buyer's account \
            does not accept it (private side).",
        description: "",
        parameters: &[REFUND_NO],
        body: Some(json_body::<ApplyAbnormalRefund>()),
        answers: &[json::<RefundDetails>(200, "The refund is under way again")],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::RefundUnknown),
            Refusal::of(Code::RefundNotAbnormal),
            Refusal::noted(Code::RateLimited, ORDER_BUSY),
            Refusal::of(Code::WechatRefused),
            Refusal::noted(
                Code::RefundInDoubt,
                "WeChat is queried; read the refund, and redirect it again if it is still abnormal",
            ),
        ],
    },
    Route {
        method: RouteMethod::Post,
        path: "/links",
        access: LINKS_WRITE,
        operation_id: "create_link",
        tag: "links",
        summary: "Creates a payment link (private side).",
        description: "The answer's `url` is for buyers. Its page starts nothing; the page's button makes an \
            order and leads to the order's hosted page. An order holds one use of the link from the moment it \
            is made, gives it back if it is closed unpaid, and keeps it once it is paid.",
        parameters: &[],
        body: Some(json_body::<CreateLink>()),
        answers: &[
            json::<LinkDetails>(201, "Created"),
            json::<LinkDetails>(200, "The link existed already, with the same values"),
        ],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::AmountInvalid),
            Refusal::of(Code::DescriptionInvalid),
            Refusal::of(Code::LinkNoUsed),
            Refusal::of(Code::ReturnUrlRefused),
        ],
    },
    Route {
        method: RouteMethod::Post,
        path: "/receivers",
        access: SHARING,
        operation_id: "add_receiver",
        tag: "sharing",
        summary: "Adds a receiver, so that money can be shared with it (添加分账接收方) (private side). \
            Harmless to repeat.",
        description: "The receiver's name is encrypted for WeChat; the server keeps no receiver.",
        parameters: &[],
        body: Some(json_body::<AddReceiver>()),
        answers: &[json::<ReceiverDetails>(200, "WeChat has it, now or before")],
        own_refusals: RECEIVER_REFUSALS,
    },
    Route {
        method: RouteMethod::Post,
        path: "/receivers/delete",
        access: SHARING,
        operation_id: "delete_receiver",
        tag: "sharing",
        summary: "Deletes a receiver: nothing can be shared with it after that (private side).",
        description: "",
        parameters: &[],
        body: Some(json_body::<DeleteReceiver>()),
        answers: &[json::<ReceiverDetails>(200, "WeChat has deleted it")],
        own_refusals: RECEIVER_REFUSALS,
    },
    Route {
        method: RouteMethod::Post,
        path: "/orders/{order_no}/shares",
        access: SHARING,
        operation_id: "create_share",
        tag: "sharing",
        summary: "Shares a part of an order's payment with receivers (请求分账) (private side). The \
            same number with the same values is the same share, however often it is sent; a share \
            that WeChat refused is tried once more.",
        description: "WeChat takes shares from a minute after the payment on, and carries them out \
            later. The server sends and queries without another call; `share.finished` reports \
            the end.",
        parameters: &[ORDER_NO],
        body: Some(json_body::<CreateShare>()),
        answers: SHARE_ANSWERS,
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::OrderUnknown),
            Refusal::noted(Code::OrderNotPaid, "so nothing can be shared"),
            Refusal::of(Code::OrderNotFrozen),
            Refusal::of(Code::ShareNoUsed),
            Refusal::of(Code::ShareTooMuch),
            Refusal::of(Code::ShareTooMany),
            Refusal::noted(Code::ProductUnavailable, ONLY_V3),
            Refusal::noted(Code::RateLimited, ORDER_BUSY),
            Refusal::noted(Code::WechatRefused, NOTHING_MOVED),
        ],
    },
    Route {
        method: RouteMethod::Get,
        path: "/links",
        access: LINKS_READ,
        operation_id: "list_links",
        tag: "links",
        summary: "Lists payment links, newest first (private side). An unknown parameter is refused.",
        description: "",
        parameters: &[
            text("link_no", "The merchant's own number of the link"),
            LIMIT,
            text("before", NEXT_PAGE),
        ],
        body: None,
        answers: &[json::<LinkList>(200, "A page of links")],
        own_refusals: &[Refusal::of(Code::InvalidRequest)],
    },
    Route {
        method: RouteMethod::Get,
        path: "/links/{id}",
        access: LINKS_READ,
        operation_id: "get_link",
        tag: "links",
        summary: "Reads a payment link with its uses (private side).",
        description: "",
        parameters: &[LINK_ID],
        body: None,
        answers: &[json::<LinkDetails>(200, "The link")],
        own_refusals: &[Refusal::of(Code::LinkUnknown)],
    },
    Route {
        method: RouteMethod::Post,
        path: "/links/{id}/disable",
        access: LINKS_WRITE,
        operation_id: "disable_link",
        tag: "links",
        summary: "Disables a payment link, finally (private side). Harmless to repeat.",
        description: "No order is made from then on. Orders that were made before can still be paid: close \
            them with `POST /orders/{order_no}/close`.",
        parameters: &[LINK_ID],
        body: None,
        answers: &[json::<LinkDetails>(200, "Disabled, now or before")],
        own_refusals: &[Refusal::of(Code::LinkUnknown)],
    },
    printed_link(
        "/links/{id}/code.svg",
        "read_link_svg",
        "The code of a payment link to print, as SVG (private side).",
        &[picture_of("image/svg+xml")],
    ),
    printed_link(
        "/links/{id}/code.pdf",
        "read_link_pdf",
        "The code of a payment link to print, with its number and price, as a PDF on A4 (private side).",
        &[picture_of("application/pdf")],
    ),
    Route {
        method: RouteMethod::Get,
        path: "/orders/{order_no}/shares",
        access: SHARING,
        operation_id: "list_shares",
        tag: "sharing",
        summary: "Lists the shares, releases and returns of an order, oldest first, with what can \
            still be shared (private side).",
        description: "",
        parameters: &[ORDER_NO],
        body: None,
        answers: &[json::<ShareList>(200, "The shares")],
        own_refusals: &[Refusal::of(Code::OrderUnknown)],
    },
    Route {
        method: RouteMethod::Post,
        path: "/shares/{share_no}/returns",
        access: SHARING,
        operation_id: "create_share_return",
        tag: "sharing",
        summary: "Returns shared money from a merchant that got it (请求分账回退) (private side). The \
            same number with the same values is the same return, however often it is sent; a \
            return that WeChat refused is tried once more.",
        description: "The money goes to the balance of the merchant that shared, and is not held \
            again. WeChat does it within 180 days, if the receiver allowed it in its merchant \
            portal.",
        parameters: &[SHARE_NO],
        body: Some(json_body::<CreateShareReturn>()),
        answers: SHARE_ANSWERS,
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::ShareUnknown),
            Refusal::of(Code::ShareNoUsed),
            Refusal::noted(
                Code::ShareTooMuch,
                "more than the receiver got by this share and has not returned yet",
            ),
            Refusal::noted(Code::RateLimited, ORDER_BUSY),
            Refusal::noted(Code::WechatRefused, NOTHING_MOVED),
        ],
    },
    Route {
        method: RouteMethod::Post,
        path: "/orders/{order_no}/unfreeze",
        access: SHARING,
        operation_id: "unfreeze_order",
        tag: "sharing",
        summary: "Releases what is left of an order's payment to the merchant (解冻剩余资金) (private \
            side). The same number with the same values is the same release.",
        description: "Nothing can be shared after that. WeChat releases the rest by itself after \
            30 days, for a service provider's sub-merchant after 180.",
        parameters: &[ORDER_NO],
        body: Some(json_body::<UnfreezeOrder>()),
        answers: SHARE_ANSWERS,
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::OrderUnknown),
            Refusal::noted(Code::OrderNotPaid, "so nothing is held"),
            Refusal::of(Code::OrderNotFrozen),
            Refusal::of(Code::ShareNoUsed),
            Refusal::noted(Code::ProductUnavailable, ONLY_V3),
            Refusal::noted(Code::RateLimited, ORDER_BUSY),
            Refusal::noted(Code::WechatRefused, NOTHING_MOVED),
        ],
    },
    Route {
        method: RouteMethod::Get,
        path: "/orders/{order_no}/frozen",
        access: SHARING,
        operation_id: "get_frozen_money",
        tag: "sharing",
        summary: "Asks WeChat what it still holds of an order's payment (查询剩余待分金额) (private \
            side).",
        description: "",
        parameters: &[ORDER_NO],
        body: None,
        answers: &[json::<FrozenMoney>(200, "WeChat's answer")],
        own_refusals: &[
            Refusal::of(Code::OrderUnknown),
            Refusal::noted(Code::OrderNotPaid, "so nothing is held"),
            Refusal::noted(Code::ProductUnavailable, ONLY_V3),
            Refusal::of(Code::WechatRefused),
            Refusal::of(Code::WechatUnavailable),
        ],
    },
    export(
        "/exports/orders",
        ORDERS_READ,
        "export_orders",
        "Exports the orders that were created in a span of time, as CSV (private side).",
    ),
    export(
        "/exports/payments",
        ORDERS_READ,
        "export_payments",
        "Exports the payments of a span of time, duplicate payments included, as CSV (private side). \
         The time is WeChat's `success_time`.",
    ),
    export(
        "/exports/refunds",
        REFUNDS_READ,
        "export_refunds",
        "Exports the refunds that were created in a span of time, of every origin, as CSV (private \
         side).",
    ),
    Route {
        method: RouteMethod::Get,
        path: "/webhooks",
        access: WEBHOOKS,
        operation_id: "list_webhooks",
        tag: "webhooks",
        summary: "Lists the messages to the backend, newest first (private side). An unknown \
            parameter is refused.",
        description: "",
        parameters: &[
            text("state", "pending, delivered, failed or unaddressed"),
            text("type", "payment.succeeded and the like"),
            LIMIT,
            text("before", NEXT_PAGE),
        ],
        body: None,
        answers: &[json::<WebhookList>(200, "A page of messages")],
        own_refusals: &[Refusal::of(Code::InvalidRequest)],
    },
    Route {
        method: RouteMethod::Post,
        path: "/webhooks/resend",
        access: WEBHOOKS,
        operation_id: "resend_webhooks",
        tag: "webhooks",
        summary: "Sends all messages of a state again, each under its id, to the targets that have \
            not taken them (private side).",
        description: "",
        parameters: &[
            Parameter {
                place: ParameterPlace::QueryRequired,
                ..text("state", "failed or unaddressed")
            },
            text(
                "type",
                "payment.succeeded and the like; if absent, all types",
            ),
        ],
        body: None,
        answers: &[json::<WebhooksResent>(200, "The messages are sent at once")],
        own_refusals: &[Refusal::of(Code::InvalidRequest)],
    },
    Route {
        method: RouteMethod::Post,
        path: "/webhooks/{id}/resend",
        access: WEBHOOKS,
        operation_id: "resend_webhook",
        tag: "webhooks",
        summary: "Sends a message again, under the same id (private side).",
        description: "",
        parameters: &[path_text("id", "The message's webhook-id")],
        body: None,
        answers: &[json::<WebhookDetails>(200, "The message is sent at once")],
        own_refusals: &[Refusal::of(Code::WebhookUnknown)],
    },
    Route {
        method: RouteMethod::Get,
        path: "/mismatches",
        access: ORDERS_READ,
        operation_id: "list_mismatches",
        tag: "mismatches",
        summary: "Lists payments and refunds that WeChat signed and that do not match the \
            ledger, newest first (private side). An unknown parameter is refused.",
        description: "",
        parameters: &[
            text("state", "open or done"),
            LIMIT,
            number("before", NEXT_PAGE),
        ],
        body: None,
        answers: &[json::<MismatchList>(200, "A page of mismatches")],
        own_refusals: &[Refusal::of(Code::InvalidRequest)],
    },
    Route {
        method: RouteMethod::Post,
        path: "/mismatches/{no}/done",
        access: ORDERS_WRITE,
        operation_id: "finish_mismatch",
        tag: "mismatches",
        summary: "Marks a mismatch as resolved; it stops alerting (private side). Harmless to \
            repeat.",
        description: "",
        parameters: &[Parameter {
            kind: ParameterKind::U64,
            ..path_text("no", "The mismatch's number")
        }],
        body: Some(json_body::<FinishMismatch>()),
        answers: &[json::<MismatchDetails>(
            200,
            "The mismatch is resolved, now or before",
        )],
        own_refusals: &[
            Refusal::of(Code::InvalidRequest),
            Refusal::of(Code::MismatchUnknown),
        ],
    },
    Route {
        method: RouteMethod::Get,
        path: "/bills/{day}",
        access: BILLS,
        operation_id: "compare_bill",
        tag: "private",
        summary: "Downloads WeChat's trade bill of a day and compares it with the ledger. A day's \
            bill is ready at about ten o'clock of the next day in Asia/Shanghai, and is kept for \
            three months. An unknown parameter is refused.",
        description: "",
        parameters: &[
            DAY,
            text(
                "sub_mchid",
                "Partner mode: one sub-merchant's bill; if absent, the bill of all",
            ),
        ],
        body: None,
        answers: &[json::<BillComparison>(
            200,
            "Both sides, and each difference; an unreadable line of the bill counts as a \
             difference",
        )],
        own_refusals: &[
            Refusal::noted(
                Code::InvalidRequest,
                "the day, or a sub_mchid that is not configured",
            ),
            Refusal::noted(Code::WechatRefused, "wechat_code says why"),
            Refusal::noted(Code::BillUnreadable, BILL_UNREADABLE),
            Refusal::noted(
                Code::WechatUnavailable,
                "with wechat_code STATEMENT_CREATING the bill is not ready yet",
            ),
        ],
    },
    Route {
        method: RouteMethod::Get,
        path: "/bills/{day}/file",
        access: BILLS,
        operation_id: "read_bill_file",
        tag: "private",
        summary: "Returns WeChat's bill of a day unchanged, if its hash is the one that WeChat \
            signed: the trade bill, or an account's flow of funds. An unknown parameter is \
            refused.",
        description: "",
        parameters: &[
            DAY,
            text(
                "fund_flow",
                "basic, operation or fees: the flow of funds of that account; if absent, the \
                 trade bill",
            ),
            text(
                "sub_mchid",
                "Partner mode: one sub-merchant's bill; if absent, the trade bill of all, or the \
                 provider's own flow of funds",
            ),
        ],
        body: None,
        answers: &[
            RouteAnswer {
                status: 200,
                description: "The bill, UTF-8 with a byte order mark, with a file name in \
                    Content-Disposition",
                content: Csv,
            },
            RouteAnswer {
                status: 204,
                description: "Nothing happened on that day: WeChat has no bill",
                content: Nothing,
            },
        ],
        own_refusals: &[
            Refusal::noted(
                Code::InvalidRequest,
                "the day, the account, or a sub_mchid that is not configured",
            ),
            Refusal::noted(Code::WechatRefused, "wechat_code says why"),
            Refusal::noted(Code::BillUnreadable, BILL_UNREADABLE),
            Refusal::noted(
                Code::WechatUnavailable,
                "also if the file's hash is wrong; with wechat_code STATEMENT_CREATING the bill \
                 is not ready yet",
            ),
        ],
    },
];

const fn picture(
    path: &'static str,
    operation_id: &'static str,
    summary: &'static str,
    answers: &'static [RouteAnswer],
) -> Route {
    Route {
        method: RouteMethod::Get,
        path,
        access: RouteAccess::Token,
        operation_id,
        tag: "checkout",
        summary,
        description: "It starts and ends nothing, however often and by whomever it is fetched. The \
            code stays the same in every state of the order.",
        parameters: &[TOKEN],
        body: None,
        answers,
        own_refusals: PICTURE_REFUSALS,
    }
}

const fn picture_of(media_type: &'static str) -> RouteAnswer {
    RouteAnswer {
        status: 200,
        description: "Black on white, with the quiet zone that a scanner needs",
        content: Picture(media_type),
    }
}

const fn printed_link(
    path: &'static str,
    operation_id: &'static str,
    summary: &'static str,
    answers: &'static [RouteAnswer],
) -> Route {
    Route {
        method: RouteMethod::Get,
        path,
        access: LINKS_READ,
        operation_id,
        tag: "links",
        summary,
        description: "The code is the same in every state of the link. An unknown parameter is refused.",
        parameters: PRINTED_LINK_PARAMETERS,
        body: None,
        answers,
        own_refusals: PRINTED_LINK_REFUSALS,
    }
}

const PRINTED_LINK_PARAMETERS: &[Parameter] = &[
    LINK_ID,
    number(
        "side_mm",
        "The side of the code with its quiet zone, in millimetres, 30 to 180; if absent, 60",
    ),
];
const PRINTED_LINK_REFUSALS: &[Refusal] = &[
    Refusal::of(Code::InvalidRequest),
    Refusal::of(Code::LinkUnknown),
];

const PICTURE_REFUSALS: &[Refusal] = &[
    Refusal::noted(
        Code::OriginNotAllowed,
        "a script of another origin asks for it; a picture in a page needs no permission",
    ),
    Refusal::of(Code::CheckoutUnknown),
];

const fn export(
    path: &'static str,
    access: RouteAccess,
    operation_id: &'static str,
    summary: &'static str,
) -> Route {
    Route {
        method: RouteMethod::Get,
        path,
        access,
        operation_id,
        tag: "exports",
        summary,
        description: "An unknown parameter is refused. The file is sent while it is written: if the \
            connection is broken off, it is not complete. A number, and a cell that a spreadsheet \
            would compute, begins with a back-tick, as in WeChat's bills.",
        parameters: EXPORT_SPAN,
        body: None,
        answers: &[RouteAnswer {
            status: 200,
            description: "CSV with a heading, UTF-8 with a byte order mark, with a file name in \
                Content-Disposition",
            content: Csv,
        }],
        own_refusals: EXPORT_REFUSALS,
    }
}

const EXPORT_REFUSALS: &[Refusal] = &[Refusal::of(Code::InvalidRequest)];
const EXPORT_SPAN: &[Parameter] = &[
    Parameter {
        place: ParameterPlace::QueryRequired,
        ..text("from", "At or after this time (RFC 3339)")
    },
    Parameter {
        place: ParameterPlace::QueryRequired,
        ..text("to", "Before this time (RFC 3339)")
    },
    text("sub_mchid", "Partner mode: one sub-merchant's alone"),
];

const SHARE_ANSWERS: &[RouteAnswer] = &[
    json::<ShareDetails>(
        201,
        "Recorded. requested: WeChat has not confirmed it yet, and the server continues without \
         another call; processing: WeChat accepted it",
    ),
    json::<ShareDetails>(200, "It existed already, with the same values"),
];
const RECEIVER_REFUSALS: &[Refusal] = &[
    Refusal::of(Code::InvalidRequest),
    Refusal::noted(Code::ProductUnavailable, ONLY_V3),
    Refusal::of(Code::WechatRefused),
    Refusal::of(Code::WechatUnavailable),
];
const ONLY_V3: &str = "profit sharing needs the key of version 3 in the configuration";
const NOTHING_MOVED: &str = "nothing moved; wechat_code says why";

const ORDERS_READ: RouteAccess = key("orders:read");
const ORDERS_WRITE: RouteAccess = key("orders:write");
const REFUNDS_READ: RouteAccess = key("refunds:read");
const REFUNDS_WRITE: RouteAccess = key("refunds:write");
const LINKS_READ: RouteAccess = key("links:read");
const LINKS_WRITE: RouteAccess = key("links:write");
const SHARING: RouteAccess = key("sharing");
const WEBHOOKS: RouteAccess = key("webhooks");
const BILLS: RouteAccess = key("bills");

const TOKEN: Parameter = path_text("token", "The order's token: it is the authorisation");
const ORDER_NO: Parameter = path_text("order_no", "The merchant's own number");
const LINK_ID: Parameter = path_text("id", "The link's id");
const SHARE_NO: Parameter = path_text("share_no", "The share's number");
const REFUND_NO: Parameter = path_text("refund_no", "The refund's number");
const DAY: Parameter = path_text("day", "The day in Asia/Shanghai, 2026-11-21");
const LIMIT: Parameter = Parameter {
    kind: ParameterKind::U32,
    ..text("limit", "1 to 200; if absent, 50")
};
const NEXT_PAGE: &str = "The next_before of the previous page";

const OR_TILL: &str = "An API key with the scope `till` may call it too.";
const WITH_ANSWER: &str = "with the answer's fields";
const OVERLOAD: &str =
    "more new orders arrive than the server can record; what is under way goes on";
const ORDER_BUSY: &str = "too many calls for this order wait for each other";
const BILL_UNREADABLE: &str = "WeChat's bill cannot be read, now or later";

const fn key(scope: &'static str) -> RouteAccess {
    RouteAccess::ApiKey { scope }
}

const fn path_text(name: &'static str, description: &'static str) -> Parameter {
    Parameter {
        place: ParameterPlace::Path,
        ..text(name, description)
    }
}

const fn text(name: &'static str, description: &'static str) -> Parameter {
    Parameter {
        name,
        place: ParameterPlace::Query,
        kind: ParameterKind::Text,
        description,
    }
}

const fn number(name: &'static str, description: &'static str) -> Parameter {
    Parameter {
        kind: ParameterKind::U64,
        ..text(name, description)
    }
}

const fn json_body<T: utoipa::ToSchema>() -> RequestBody {
    RequestBody {
        content_type: "application/json",
        schema: SchemaOf::type_of::<T>(),
    }
}

const fn form<T: utoipa::ToSchema>() -> RequestBody {
    RequestBody {
        content_type: "application/x-www-form-urlencoded",
        schema: SchemaOf::type_of::<T>(),
    }
}

const fn json<T: utoipa::ToSchema>(status: u16, description: &'static str) -> RouteAnswer {
    RouteAnswer {
        status,
        description,
        content: Json(SchemaOf::type_of::<T>()),
    }
}
