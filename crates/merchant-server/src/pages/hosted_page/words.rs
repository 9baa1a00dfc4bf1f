//! What the pages say. Where the element says the same, it is in the same words: one page becomes
//! the other under the buyer's eyes.

use merchant_api::ErrorCode;

use crate::extract::Words;

pub(crate) const BRAND: Words = Words("微信支付", "WeChat Pay");
pub(super) const TEST: Words = Words("测试环境，不会真实扣款", "Test mode. No money moves.");
pub(super) const HEADING: Words = Words("支付订单", "Pay for your order");
pub(super) const OFFER_JSAPI: Words = Words("点击后将打开微信支付", "WeChat Pay will open");
pub(super) const OFFER_H5: Words =
    Words("点击后将跳转到微信完成支付", "You will go to WeChat to pay");
pub(super) const PAY: Words = Words("立即支付", "Pay now");
pub(super) const PAY_BY_H5: Words = Words("打开微信支付", "Pay in WeChat");
pub(super) const SHOW_CODE: Words = Words("显示支付二维码", "Show the payment code");
pub(super) const CODE_INSTEAD: Words = Words("改用扫码支付", "Scan a code instead");
pub(super) const NEW_CODE: Words = Words("刷新二维码", "Get a new code");
pub(super) const CODE_LABEL: Words = Words("微信支付二维码", "WeChat Pay QR code");
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
    "暂未查到付款。若已扣款，请稍后再查，不要重复支付",
    "No payment found yet. If you were charged, check again later and do not pay twice.",
);
pub(super) const BEGUN_ELSEWHERE: Words = Words(
    "这笔订单刚刚在另一个页面或设备上发起了支付。您可以改在这里支付",
    "This payment was just begun on another page or device. You can pay here instead.",
);
pub(super) const WAITING: Words = Words(
    "等待支付，付款后这里会自动显示结果",
    "Waiting for your payment. The result will show here.",
);
pub(super) const STATUS: Words = Words("支付状态", "Payment status");
pub(super) const NEWS: Words = Words("订单状态有更新", "There is news of your order");
pub(super) const SHOW: Words = Words("查看", "Show it");
pub(crate) const PAID: Words = Words("支付成功", "Payment received");
/// Before what the payer gave, where coupons took something off.
pub(super) const YOU_PAID: Words = Words("实付", "You paid");
/// Before what went back of it.
pub(super) const REFUNDED: Words = Words("已退款", "Refunded");
pub(super) const REFUNDED_WHOLE: Words = Words("已全额退款", "Refunded in full");
pub(super) const CLOSED: Words = Words("订单已关闭", "This order is closed");
pub(super) const EXPIRED: Words = Words("订单支付已超时", "The time to pay this order is over");
pub(super) const ORDER_AGAIN: Words = Words(
    "请返回商家页面重新下单",
    "Please go back to the shop and order again",
);
pub(crate) const BACK_TO_SHOP: Words = Words("返回商家", "Back to the shop");
pub(super) const BACK_TO_ORDER: Words = Words("返回订单", "Back to the order");
pub(super) const NO_WAY: Words = Words("暂时无法支付", "Payment is not possible right now");
pub(super) const NOTHING_FITS: Words = Words(
    "当前环境没有可用的支付方式，请联系商家",
    "This shop has no way to pay here. Please contact the shop.",
);
pub(super) const OPEN_ON_COMPUTER: Words = Words(
    "当前环境没有可用的支付方式，请用电脑浏览器打开本页面",
    "This shop has no way to pay here. Please open this page in a desktop browser.",
);
pub(super) const OPEN_IN_BROWSER: Words = Words(
    "请用手机自带的浏览器打开本页面支付",
    "Please open this page in your phone's own browser.",
);
pub(super) const OPEN_IN_WECHAT: Words = Words(
    "请在手机上用最新版微信打开本页面支付",
    "Please open this page in the newest WeChat on your phone.",
);
pub(super) const MINI_PROGRAM: Words = Words(
    "小程序内的网页不能直接支付，请在小程序中下单或用浏览器打开",
    "A page inside a mini-program cannot take payments. Order in the mini-program, or open this page in a browser.",
);
pub(super) const WECHAT_TOO_OLD: Words = Words(
    "当前微信版本过低，请升级微信后再支付",
    "This version of WeChat is too old. Please update it and pay then.",
);
pub(super) const OPENING_CASHIER: Words = Words("正在打开微信支付…", "Opening WeChat Pay…");
pub(super) const NEEDS_SCRIPT: Words = Words(
    "微信支付需要 JavaScript，请在浏览器设置中开启后重试",
    "WeChat Pay needs JavaScript. Turn it on in your browser's settings and try again.",
);
pub(crate) const ORDER_NO: Words = Words("订单号", "Order");
pub(super) const CONTACT: Words = Words("商家客服", "Customer service");
pub(super) const UNKNOWN: Words = Words(
    "未找到该订单，请返回商家页面",
    "There is no such order. Please go back to the shop.",
);
pub(crate) const STEP_OVER: Words = Words(
    "页面已过期，请返回商家页面重新支付",
    "This step was used already or took too long. Go back to the shop's page and tap pay again.",
);

/// What a buyer reads where a step was refused, and may do about it.
pub(super) const fn of_refusal(code: ErrorCode) -> Words {
    match code {
        ErrorCode::CheckoutUnknown => UNKNOWN,
        ErrorCode::CheckoutExpired => EXPIRED,
        ErrorCode::MethodNotAllowed => Words(
            "请返回商家页面，重新打开付款页",
            "This page cannot be opened that way. Go back to the shop's page.",
        ),
        ErrorCode::PayerUnavailable => Words(
            "未能获取您的微信账号信息，请改用电脑浏览器打开本页面扫码支付",
            "WeChat did not say who pays. Please open this page in a desktop browser and scan the code.",
        ),
        ErrorCode::PayerInvalid => Words("请重新发起支付", "Please start your payment again"),
        ErrorCode::ProductUnavailable => Words(
            "该支付方式暂不可用，请返回订单选择其他方式",
            "This way to pay is not available. Please go back and choose another one.",
        ),
        ErrorCode::RateLimited => Words(
            "操作过于频繁，请稍后再试",
            "Too many tries. Please wait a moment and try again.",
        ),
        ErrorCode::AttemptInDoubt => Words(
            "正在确认上一次支付的结果，请稍后再试",
            "Making sure of your last payment. Please try again in a moment.",
        ),
        ErrorCode::WechatUnavailable => Words(
            "微信支付暂时没有响应，请稍后重试",
            "WeChat Pay does not answer right now. Please try again later.",
        ),
        ErrorCode::Internal => Words(
            "支付系统出现异常，请稍后重试",
            "Something went wrong on our side. Please try again later.",
        ),
        _ => Words(
            "暂时无法支付，请联系商家",
            "Payment is not possible right now. Please contact the shop.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use merchant_api::ErrorCode;

    use super::of_refusal;
    use crate::extract::Language;

    #[test]
    fn each_refusal_is_said_in_both_languages() {
        for code in ErrorCode::ALL {
            let words = of_refusal(*code);
            let is_chinese = |text: &str| text.chars().any(|letter| letter > '\u{4e00}');
            assert!(is_chinese(words.say(Language::ZhCn)), "{code:?}");
            let english = words.say(Language::En);
            assert!(!english.is_empty() && !is_chinese(english), "{code:?}");
        }
    }
}
