//! Every sentence, by where it stands, in both languages side by side. The names are those of the
//! `messages` property, where a page gives words of its own.
//!
//! Each language is one text with a line for each word, and not a list of texts: a list has an
//! address and a length for each, which hardly compress.

macro_rules! words {
    ($($(#[$about:meta])* $word:ident $name:literal: $zh_cn:literal, $en:literal;)*) => {
        /// A word or a sentence of the widget.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the two texts say what each is")]
        pub enum Word {
            $($(#[$about])* $word,)*
        }

        impl Word {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$word),*];
        }

        /// The names in `messages`, a line each.
        pub(super) const NAMES: &str = concat!($($name, "\n"),*);
        pub(super) const ZH_CN: &str = concat!($($zh_cn, "\n"),*);
        pub(super) const EN: &str = concat!($($en, "\n"),*);
    };
}

words! {
    /// BCP 47 tag of the text: the `lang` attribute, and how amounts are written.
    Language "language":
        "zh-CN",
        "en";
    /// `ltr` or `rtl`.
    Direction "direction":
        "ltr",
        "ltr";
    /// The name above the order, as WeChat writes it.
    Brand "brand":
        "微信支付",
        "WeChat Pay";
    TestRibbon "test_ribbon":
        "测试环境，不会真实扣款",
        "Test mode. No money moves.";
    Loading "loading":
        "正在加载订单…",
        "Loading your order…";
    Pay "pay":
        "立即支付",
        "Pay now";
    PayInWechat "pay_in_wechat":
        "打开微信支付",
        "Pay in WeChat";
    ShowCode "show_code":
        "改用扫码支付",
        "Scan a code instead";
    OfferJsapi "offer_jsapi":
        "点击后将打开微信支付",
        "WeChat Pay will open";
    OfferH5 "offer_h5":
        "点击后将跳转到微信完成支付",
        "You will go to WeChat to pay";
    OfferNative "offer_native":
        "显示支付二维码",
        "Show the payment code";
    Cancelled "cancelled":
        "支付未完成，可重新支付",
        "Not paid. You can try again.";
    Starting "starting":
        "正在发起支付…",
        "Starting your payment…";
    TryingAgain "trying_again":
        "网络不稳定，正在重试…",
        "The connection is weak, trying again…";
    MakingSure "making_sure":
        "正在确认上一次支付的结果，请稍候…",
        "Making sure of your last payment, one moment…";
    Scan "scan":
        "请使用微信“扫一扫”扫码支付",
        "Scan with WeChat to pay";
    ScanElsewhere "scan_elsewhere":
        "请使用另一台设备上的微信扫码支付",
        "Scan with WeChat on another device";
    /// What a screen reader says of the picture.
    CodeLabel "code_label":
        "微信支付二维码",
        "WeChat Pay QR code";
    /// Before the countdown.
    CodeValidFor "code_valid_for":
        "二维码有效时间",
        "Code valid for";
    /// Spoken as the countdown goes on; # is 5 or 3.
    MinutesLeft "minutes_left":
        "二维码将在 # 分钟内失效",
        "The code is valid for less than # minutes";
    /// Spoken; # is 60 or 30.
    SecondsLeft "seconds_left":
        "二维码将在 # 秒内失效",
        "The code is valid for less than # seconds";
    CodeExpired "code_expired":
        "二维码已失效",
        "This code has expired";
    NewCode "new_code":
        "刷新二维码",
        "Get a new code";
    Confirming "confirming":
        "正在确认支付结果…",
        "Confirming your payment…";
    Cashier "cashier":
        "请在微信支付页面完成支付",
        "Finish your payment in WeChat";
    CashierSilent "cashier_silent":
        "如果已经支付，请点击“我已完成支付”",
        "If you have paid, tell us below";
    Leaving "leaving":
        "正在打开微信…",
        "Opening WeChat…";
    Stuck "stuck":
        "未能打开微信？请重试，或用系统浏览器打开本页面",
        "WeChat did not open? Try once more, or open this page in your phone's own browser.";
    OpenAgain "open_again":
        "重新打开",
        "Open again";
    Returned "returned":
        "请确认支付是否已完成",
        "Did you finish your payment?";
    IHavePaid "i_have_paid":
        "我已完成支付",
        "I have paid";
    IHadAProblem "i_had_a_problem":
        "支付遇到问题",
        "I had a problem";
    NotPaidYet "not_paid_yet":
        "暂未查到付款。如已扣款，请稍后再查，请勿重复支付",
        "No payment found yet. If you were charged, check again later and do not pay twice.";
    /// Beside the offer after a problem: WeChat refuses H5 where the network changes in between.
    SameNetwork "same_network":
        "请关闭 VPN，支付过程中不要切换网络",
        "Stay on one network while you pay, without a VPN.";
    Elsewhere "elsewhere":
        "已在另一台设备上继续支付",
        "Your payment continues on another device";
    TakeOver "take_over":
        "改为在此支付",
        "Pay here instead";
    Paid "paid":
        "支付成功",
        "Payment received";
    /// Before what the payer gave, where coupons took something off.
    YouPaid "you_paid":
        "实付",
        "You paid";
    Closed "closed":
        "订单已关闭",
        "This order is closed";
    Expired "expired":
        "订单支付超时",
        "The time to pay this order is over";
    OrderAgain "order_again":
        "请返回商家页面重新下单",
        "Please go back to the shop and order again";
    Problem "problem":
        "暂时无法支付",
        "Payment is not possible right now";
    ProblemOfMerchant "problem_of_merchant":
        "商家的支付设置有误，请联系商家",
        "The shop's payment settings are wrong. Please contact the shop.";
    /// On iOS, WeChat checks the address that the buyer first opened (LANDING_URL_DENIED).
    ReloadToPay "reload_to_pay":
        "请刷新页面后重新支付，如仍无法支付请联系商家",
        "Reload this page and pay then. If that does not help, please contact the shop.";
    ProblemOfNetwork "problem_of_network":
        "网络连接失败，请检查网络后重试",
        "No connection. Check your network and try again.";
    ProblemOfWechat "problem_of_wechat":
        "微信支付暂无响应，请稍后重试",
        "WeChat Pay does not answer right now. Please try again later.";
    ProblemOfSystem "problem_of_system":
        "支付系统出现异常，请稍后重试",
        "Something went wrong on our side. Please try again later.";
    ProblemOfBuyer "problem_of_buyer":
        "请重新发起支付",
        "Please start your payment again";
    OrderNumber "order_number":
        "订单号",
        "Order";
    Retry "retry":
        "重试",
        "Try again";
    NothingFits "nothing_fits":
        "当前环境没有可用的支付方式，请用电脑浏览器打开本页面",
        "This shop has no way to pay here. Please open this page in a desktop browser.";
    OpenInBrowser "open_in_browser":
        "请用手机自带的浏览器打开本页面支付",
        "Please open this page in your phone's own browser.";
    /// Also where this app has no cashier, as in an old WeChat.
    OpenInWechat "open_in_wechat":
        "请在手机上用最新版微信打开本页面支付",
        "Please open this page in the newest WeChat on your phone.";
    MiniProgram "mini_program":
        "小程序内的网页无法直接支付，请在小程序中下单，或用浏览器打开本页面",
        "A page inside a mini-program cannot take payments. Order in the mini-program, or open this page in a browser.";
    WechatTooOld "wechat_too_old":
        "当前微信版本过低，请升级微信后再支付",
        "This version of WeChat is too old. Please update it and pay then.";
    /// The link of `support-url`.
    Support "support":
        "联系商家",
        "Contact the shop";
    Offline "offline":
        "网络已断开，恢复后会自动更新",
        "You are offline. This updates when you are back.";
    Reconnecting "reconnecting":
        "网络不稳定，正在重新连接…",
        "The connection is weak, reconnecting…";
}
