//! What the pages say, in Chinese first and in English below it.

use maud::{Markup, Render, html};
use merchant_api::ErrorCode;

/// One sentence in both languages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words(pub(super) &'static str, pub(super) &'static str);

impl Render for Words {
    fn render(&self) -> Markup {
        html! { (self.0) " " span lang="en" { (self.1) } }
    }
}

pub(super) const PAY_IN_WECHAT: Words = Words("打开微信支付", "Pay in WeChat");
pub(super) const PAY_BY_H5: Words = Words("去微信支付", "Go to WeChat and pay");
pub(super) const SHOW_CODE: Words = Words("显示付款二维码", "Show the payment code");
pub(super) const NEW_CODE: Words = Words("获取新二维码", "Get a new code");
pub(super) const SCAN: Words = Words("打开微信“扫一扫”，扫码支付", "Scan with WeChat to pay");
pub(super) const SCAN_ELSEWHERE: Words = Words(
    "请使用另一台设备上的微信扫码支付",
    "Scan with WeChat on another device",
);
pub(super) const CODE_EXPIRED: Words = Words("二维码已失效", "This code has expired");
pub(super) const RETURNED: Words = Words("请确认支付是否已完成", "Did you finish your payment?");
pub(super) const I_HAVE_PAID: Words = Words("我已完成支付", "I have paid");
pub(super) const I_HAD_A_PROBLEM: Words = Words("支付遇到问题", "I had a problem");
pub(super) const NOT_PAID_YET: Words = Words(
    "暂未查到付款。若已扣款，请稍后再查，不要重复支付。",
    "No payment found yet. If you were charged, check again later and do not pay twice.",
);
pub(super) const PAID: Words = Words("支付成功", "Payment received");
pub(super) const CLOSED: Words = Words("订单已关闭", "This order is closed");
pub(super) const EXPIRED: Words = Words("订单已超过支付时间", "The time to pay this order is over");
pub(super) const ORDER_AGAIN: Words = Words(
    "请返回商家页面重新下单。",
    "Please go back to the shop and order again.",
);
pub(super) const BACK_TO_SHOP: Words = Words("返回商家", "Back to the shop");
pub(super) const BACK_TO_ORDER: Words = Words("返回订单", "Back to the order");
pub(super) const NOTHING_FITS: Words = Words(
    "商家未开通适合当前环境的支付方式，请用电脑浏览器打开本页面。",
    "This shop has no way to pay here. Please open this page in a desktop browser.",
);
pub(super) const MINI_PROGRAM: Words = Words(
    "小程序内的网页不能直接支付，请在小程序中下单或用浏览器打开。",
    "A page inside a mini-program cannot take payments. Order in the mini-program, or open this page in a browser.",
);
pub(super) const WECHAT_TOO_OLD: Words = Words(
    "当前微信版本过低，请升级微信后再支付。",
    "This version of WeChat is too old. Please update it and pay then.",
);
pub(super) const OPENING_CASHIER: Words = Words("正在打开微信收银台…", "Opening WeChat's cashier…");
pub(super) const NEEDS_SCRIPT: Words = Words(
    "请开启浏览器的 JavaScript，微信收银台需要它。",
    "Turn on JavaScript: WeChat's cashier needs it.",
);
pub(super) const CONTACT: Words = Words("客服", "Service");

/// What a buyer reads where a step was refused, and may do about it.
pub(super) const fn of_refusal(code: ErrorCode) -> Words {
    match code {
        ErrorCode::CheckoutExpired => EXPIRED,
        ErrorCode::PayerUnavailable => Words(
            "微信没有提供付款人信息，请改用扫码支付。",
            "WeChat did not say who pays. Please scan a code instead.",
        ),
        ErrorCode::PayerInvalid => Words("请重新发起支付。", "Please start your payment again."),
        ErrorCode::RateLimited => Words(
            "操作过于频繁，请稍后再试。",
            "Too many tries. Please wait a moment.",
        ),
        ErrorCode::AttemptInDoubt => Words(
            "正在确认上一次支付的结果，请稍候再试。",
            "Your last payment is being made sure of. Please try again in a moment.",
        ),
        ErrorCode::WechatUnavailable | ErrorCode::Internal => Words(
            "微信支付暂时没有响应，请稍后重试。",
            "WeChat Pay does not answer right now. Please try again later.",
        ),
        _ => Words(
            "暂时无法支付，请联系商家。",
            "Payment is not possible right now. Please contact the shop.",
        ),
    }
}
