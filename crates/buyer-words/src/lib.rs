//! Every sentence that a buyer reads, in Chinese and English side by side. The element and the
//! server's pages take their sentences from this crate, so both show the same sentence in the same
//! state: one page replaces the other while the buyer looks at it.
//!
//! This crate contains only sentences. The element's view and the server's pages decide when each
//! sentence is shown. A sentence is a constant, so a program contains only the sentences that it
//! uses.

#![no_std]

/// One sentence in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The sentence in Simplified Chinese.
    pub zh_cn: &'static str,
    /// The sentence in English.
    pub en: &'static str,
}

macro_rules! sentences {
    ($($(#[$about:meta])* $name:ident: $zh_cn:literal, $en:literal;)*) => {
        $(
            #[doc = concat!("“", $en, "”")]
            #[doc = ""]
            $(#[$about])*
            pub const $name: Words = Words { zh_cn: $zh_cn, en: $en };
        )*

        #[cfg(test)]
        const ALL: &[(&str, Words)] = &[$((stringify!($name), $name)),*];
    };
}

sentences! {
    // The order, and how it can be paid.

    /// The name above the order, as WeChat writes it.
    BRAND:
        "微信支付",
        "WeChat Pay";
    TEST_RIBBON:
        "测试环境，不会真实扣款",
        "Test mode. No money moves.";
    /// For a screen reader: what the page is for.
    HEADING:
        "支付订单",
        "Pay for your order";
    LOADING:
        "正在加载订单…",
        "Loading your order…";
    ORDER_NUMBER:
        "订单号",
        "Order";
    OFFER_JSAPI:
        "点击后将打开微信支付",
        "WeChat Pay will open";
    OFFER_H5:
        "点击后将跳转到微信完成支付",
        "You will go to WeChat to pay";
    PAY:
        "立即支付",
        "Pay now";
    PAY_IN_WECHAT:
        "打开微信支付",
        "Pay in WeChat";
    SHOW_CODE:
        "显示支付二维码",
        "Show the payment code";
    SCAN_INSTEAD:
        "改用扫码支付",
        "Scan a code instead";

    // A code to scan.

    SCAN:
        "请使用微信“扫一扫”扫码支付",
        "Scan with WeChat to pay";
    SCAN_ELSEWHERE:
        "请使用另一台设备上的微信扫码支付",
        "Scan with WeChat on another device";
    /// What a screen reader reads for the picture.
    CODE_LABEL:
        "微信支付二维码",
        "WeChat Pay QR code";
    /// Before the countdown.
    CODE_VALID_FOR:
        "二维码有效时间",
        "Code valid for";
    /// Announced during the countdown; # is 5 or 3.
    MINUTES_LEFT:
        "二维码将在 # 分钟内失效",
        "The code is valid for less than # minutes";
    /// Spoken; # is 60 or 30.
    SECONDS_LEFT:
        "二维码将在 # 秒内失效",
        "The code is valid for less than # seconds";
    CODE_EXPIRED:
        "二维码已失效",
        "This code has expired";
    NEW_CODE:
        "刷新二维码",
        "Get a new code";

    // A payment under way.

    STARTING:
        "正在发起支付…",
        "Starting your payment…";
    TRYING_AGAIN:
        "网络不稳定，正在重试…",
        "The connection is weak, trying again…";
    MAKING_SURE:
        "正在确认上一次支付的结果，请稍候…",
        "Making sure of your last payment, one moment…";
    OPENING_CASHIER:
        "正在打开微信支付…",
        "Opening WeChat Pay…";
    LEAVING:
        "正在打开微信…",
        "Opening WeChat…";
    STUCK:
        "未能打开微信？请重试，或用系统浏览器打开本页面",
        "WeChat did not open? Try once more, or open this page in your phone's own browser.";
    OPEN_AGAIN:
        "重新打开",
        "Open again";
    CASHIER:
        "请在微信支付页面完成支付",
        "Finish your payment in WeChat";
    CASHIER_SILENT:
        "如果已经支付，请点击“我已完成支付”",
        "If you have paid, tell us below";
    CONFIRMING:
        "正在确认支付结果…",
        "Confirming your payment…";
    WAITING:
        "等待支付，付款后这里会自动显示结果",
        "Waiting for your payment. The result will show here.";
    STATUS:
        "支付状态",
        "Payment status";
    STATUS_CHANGED:
        "订单状态有更新",
        "The order status has changed";
    SHOW_STATUS:
        "查看",
        "Show it";
    RETURNED:
        "请确认支付是否已完成",
        "Did you finish your payment?";
    I_HAVE_PAID:
        "我已完成支付",
        "I have paid";
    I_HAD_A_PROBLEM:
        "支付遇到问题",
        "I had a problem";
    NOT_PAID_YET:
        "暂未查到付款。如已扣款，请稍后再查，请勿重复支付",
        "No payment found yet. If you were charged, check again later and do not pay twice.";
    CANCELLED:
        "支付未完成，可重新支付",
        "Not paid. You can try again.";
    /// Beside the offer after a problem: WeChat refuses H5 if the network changes in between.
    SAME_NETWORK:
        "请关闭 VPN，支付过程中不要切换网络",
        "Stay on one network while you pay, without a VPN.";
    CONTINUED_ELSEWHERE:
        "已在另一台设备上继续支付",
        "Your payment continues on another device";
    TAKE_OVER:
        "改为在此支付",
        "Pay here instead";
    BEGUN_ELSEWHERE:
        "这笔订单刚刚在另一个页面或设备上发起了支付。您可以改在这里支付",
        "This payment was just begun on another page or device. You can pay here instead.";

    // The end of an order.

    PAID:
        "支付成功",
        "Payment received";
    /// Before the amount that the payer paid, if coupons reduced it.
    YOU_PAID:
        "实付",
        "You paid";
    /// Before the amount that was refunded.
    REFUNDED:
        "已退款",
        "Refunded";
    REFUNDED_IN_FULL:
        "已全额退款",
        "Refunded in full";
    CLOSED:
        "订单已关闭",
        "This order is closed";
    EXPIRED:
        "订单支付超时",
        "The time to pay this order is over";
    ORDER_AGAIN:
        "请返回商家页面重新下单",
        "Please go back to the shop and order again";
    BACK_TO_SHOP:
        "返回商家",
        "Back to the shop";
    BACK_TO_ORDER:
        "返回订单",
        "Back to the order";
    /// In place of a receipt, if WeChat's own receipt is shown.
    SEE_WECHAT:
        "付款结果请以微信支付账单为准",
        "Please look at your payment in WeChat.";

    // No way to pay here.

    NOT_POSSIBLE:
        "暂时无法支付",
        "Payment is not possible right now";
    NOTHING_FITS:
        "当前环境没有可用的支付方式，请联系商家",
        "This shop has no way to pay here. Please contact the shop.";
    OPEN_ON_COMPUTER:
        "当前环境没有可用的支付方式，请用电脑浏览器打开本页面",
        "This shop has no way to pay here. Please open this page in a desktop browser.";
    OPEN_IN_BROWSER:
        "请用手机自带的浏览器打开本页面支付",
        "Please open this page in your phone's own browser.";
    /// Also if this app has no cashier, as in an old WeChat.
    OPEN_IN_WECHAT:
        "请在手机上用最新版微信打开本页面支付",
        "Please open this page in the newest WeChat on your phone.";
    MINI_PROGRAM:
        "小程序内的网页无法直接支付，请在小程序中下单，或用浏览器打开本页面",
        "A page inside a mini-program cannot take payments. Order in the mini-program, or open this page in a browser.";
    WECHAT_TOO_OLD:
        "当前微信版本过低，请升级微信后再支付",
        "This version of WeChat is too old. Please update it and pay then.";
    NEEDS_SCRIPT:
        "微信支付需要 JavaScript，请在浏览器设置中开启后重试",
        "WeChat Pay needs JavaScript. Turn it on in your browser's settings and try again.";

    // A problem, and who can fix it.

    PROBLEM_OF_MERCHANT:
        "商家的支付设置有误，请联系商家",
        "The shop's payment settings are wrong. Please contact the shop.";
    PROBLEM_OF_NETWORK:
        "网络连接失败，请检查网络后重试",
        "No connection. Check your network and try again.";
    PROBLEM_OF_WECHAT:
        "微信支付暂无响应，请稍后重试",
        "WeChat Pay does not answer right now. Please try again later.";
    PROBLEM_OF_SYSTEM:
        "支付系统出现异常，请稍后重试",
        "Something went wrong on our side. Please try again later.";
    PROBLEM_OF_BUYER:
        "请重新发起支付",
        "Please start your payment again";
    /// On iOS, WeChat checks the address that the buyer first opened (LANDING_URL_DENIED).
    RELOAD_TO_PAY:
        "请刷新页面后重新支付，如仍无法支付请联系商家",
        "Reload this page and pay then. If that does not help, please contact the shop.";
    CONTACT_SHOP:
        "暂时无法支付，请联系商家",
        "Payment is not possible right now. Please contact the shop.";
    ORDER_UNKNOWN:
        "未找到该订单，请返回商家页面",
        "There is no such order. Please go back to the shop.";
    STEP_OVER:
        "页面已过期，请返回商家页面重新支付",
        "This step was used already or took too long. Go back to the shop's page and tap pay again.";
    OPEN_FROM_SHOP:
        "请返回商家页面，重新打开付款页",
        "This page cannot be opened that way. Go back to the shop's page.";
    PAYER_UNKNOWN:
        "未能获取您的微信账号信息，请改用电脑浏览器打开本页面扫码支付",
        "WeChat did not say who pays. Please open this page in a desktop browser and scan the code.";
    CHOOSE_ANOTHER_WAY:
        "该支付方式暂不可用，请返回订单选择其他方式",
        "This way to pay is not available. Please go back and choose another one.";
    TOO_OFTEN:
        "操作过于频繁，请稍后再试",
        "Too many tries. Please wait a moment and try again.";
    LAST_PAYMENT_UNCLEAR:
        "正在确认上一次支付的结果，请稍后再试",
        "Making sure of your last payment. Please try again in a moment.";

    // Help, and the network.

    RETRY:
        "重试",
        "Try again";
    /// The link of `support-url`.
    SUPPORT:
        "联系商家",
        "Contact the shop";
    /// Before the contact from the configuration.
    CUSTOMER_SERVICE:
        "商家客服",
        "Customer service";
    OFFLINE:
        "网络已断开，恢复后会自动更新",
        "You are offline. This updates when you are back.";
    RECONNECTING:
        "网络不稳定，正在重新连接…",
        "The connection is weak, reconnecting…";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn each_sentence_is_there_in_both_languages_and_in_one_line() {
        let is_chinese = |text: &str| text.chars().any(|letter| letter > '\u{4e00}');
        for (name, words) in ALL {
            assert!(is_chinese(words.zh_cn), "{name}");
            assert!(!words.en.is_empty() && !is_chinese(words.en), "{name}");
            // The widget keeps a language as one text with a line for each sentence.
            assert!(
                !words.zh_cn.contains('\n') && !words.en.contains('\n'),
                "{name}"
            );
        }
    }

    #[test]
    fn no_sentence_has_two_names() {
        for (place, (name, words)) in ALL.iter().enumerate() {
            for (other, others) in &ALL[..place] {
                let is_twice = words.zh_cn == others.zh_cn || words.en == others.en;
                assert!(!is_twice, "{name} is {other}");
            }
        }
    }
}
