//! Every sentence that a buyer reads, in three languages side by side. The element and the
//! server's pages take their sentences from this crate, so both show the same sentence in the same
//! state: one page replaces the other while the buyer looks at it.
//!
//! This crate contains only sentences. The element's view and the server's pages decide when each
//! sentence is shown. A sentence is a constant, so a program contains only the sentences that it
//! uses.

#![no_std]

/// One sentence in each language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The sentence in Simplified Chinese.
    pub zh_cn: &'static str,
    /// The sentence in Traditional Chinese, as in Hong Kong and Taiwan.
    pub zh_hant: &'static str,
    /// The sentence in English.
    pub en: &'static str,
}

macro_rules! sentences {
    ($($(#[$about:meta])* $name:ident: $zh_cn:literal, $zh_hant:literal, $en:literal;)*) => {
        $(
            #[doc = concat!("“", $en, "”")]
            #[doc = ""]
            $(#[$about])*
            pub const $name: Words = Words { zh_cn: $zh_cn, zh_hant: $zh_hant, en: $en };
        )*

        /// Every sentence by its name, for tests.
        pub const ALL: &[(&str, Words)] = &[$((stringify!($name), $name)),*];
    };
}

sentences! {
    // The order, and how it can be paid.

    /// The name above the order, as WeChat writes it.
    BRAND:
        "微信支付",
        "微信支付",
        "WeChat Pay";
    TEST_RIBBON:
        "测试环境，不会真实扣款",
        "測試環境，不會真實扣款",
        "Test mode. No money moves.";
    /// For a screen reader: what the page is for.
    HEADING:
        "支付订单",
        "支付訂單",
        "Pay for your order";
    LOADING:
        "正在加载订单…",
        "正在載入訂單…",
        "Loading your order…";
    ORDER_NUMBER:
        "订单号",
        "訂單編號",
        "Order";
    OFFER_JSAPI:
        "点击后将打开微信支付",
        "點按後將開啟微信支付",
        "WeChat Pay opens next";
    OFFER_H5:
        "点击后将跳转到微信完成支付",
        "點按後將前往微信完成付款",
        "You'll continue in WeChat";
    PAY:
        "立即支付",
        "立即付款",
        "Pay now";
    PAY_AGAIN:
        "重新支付",
        "重新付款",
        "Try to pay again";
    PAY_IN_WECHAT:
        "打开微信支付",
        "開啟微信付款",
        "Pay in WeChat";
    SHOW_CODE:
        "显示支付二维码",
        "顯示付款 QR Code",
        "Show the payment code";
    SCAN_INSTEAD:
        "改用扫码支付",
        "改用掃碼付款",
        "Scan a code instead";

    // A code to scan.

    SCAN:
        "打开微信“扫一扫”，扫码完成支付",
        "開啟微信「掃一掃」，掃碼完成付款",
        "Scan with WeChat to pay";
    SCAN_ELSEWHERE:
        "请用另一台设备的微信扫码",
        "請用另一部裝置的微信掃碼",
        "Scan with WeChat on another device";
    /// What a screen reader reads for the picture.
    CODE_LABEL:
        "微信支付二维码",
        "微信支付 QR Code",
        "WeChat Pay QR code";
    /// # is the time, as 29:57.
    CODE_VALID_FOR:
        "请在 # 内完成支付",
        "請在 # 內完成付款",
        "Pay within #";
    /// Announced during the countdown; # is 5 or 3.
    MINUTES_LEFT:
        "二维码将在 # 分钟内失效",
        "QR Code 將在 # 分鐘內失效",
        "Less than # minutes left on this code";
    /// Spoken; # is 60 or 30.
    SECONDS_LEFT:
        "二维码将在 # 秒内失效",
        "QR Code 將在 # 秒內失效",
        "Less than # seconds left on this code";
    CODE_EXPIRED:
        "二维码已失效",
        "QR Code 已失效",
        "This code has expired";
    NEW_CODE:
        "刷新二维码",
        "更新 QR Code",
        "Get a new code";

    // A payment under way.

    STARTING:
        "正在发起支付…",
        "正在發起付款…",
        "Starting your payment…";
    TRYING_AGAIN:
        "网络不稳定，正在重试…",
        "網絡不穩定，正在重試…",
        "The connection is weak, trying again…";
    MAKING_SURE:
        "正在与微信支付确认订单状态",
        "正在與微信支付確認訂單狀態",
        "Checking your order with WeChat Pay…";
    OPENING_CASHIER:
        "正在打开微信支付…",
        "正在開啟微信支付…",
        "Opening WeChat Pay…";
    LEAVING:
        "正在打开微信…",
        "正在開啟微信…",
        "Opening WeChat…";
    STUCK:
        "未能打开微信？请重试，或在手机浏览器中打开本页面",
        "未能開啟微信？請重試，或在手機瀏覽器中開啟本頁面",
        "WeChat didn't open? Try again, or open this page in your phone's own browser.";
    OPEN_AGAIN:
        "重新打开微信",
        "重新開啟微信",
        "Open WeChat again";
    CASHIER:
        "请在微信支付页面完成支付",
        "請在微信支付頁面完成付款",
        "Finish your payment in WeChat";
    CASHIER_SILENT:
        "已完成支付？请点击“我已完成支付”",
        "已完成付款？請點按「我已完成付款」",
        "Already paid? Tap “I have paid”";
    CONFIRMING:
        "正在确认支付结果…",
        "正在確認付款結果…",
        "Confirming your payment…";
    WAITING:
        "等待支付，付款成功后将自动更新",
        "等待付款，付款成功後將自動更新",
        "Waiting for your payment. The result will show here.";
    STATUS:
        "支付状态",
        "付款狀態",
        "Payment status";
    STATUS_CHANGED:
        "订单状态有更新",
        "訂單狀態已更新",
        "The order status has changed";
    SHOW_STATUS:
        "查看订单",
        "查看訂單",
        "View the order";
    RETURNED:
        "请确认支付是否已完成",
        "請確認付款是否已完成",
        "Did you finish your payment?";
    I_HAVE_PAID:
        "我已完成支付",
        "我已完成付款",
        "I have paid";
    I_HAD_A_PROBLEM:
        "支付遇到问题",
        "付款遇到問題",
        "I had a problem";
    /// Beside the button that pays again, if the last payment may have succeeded.
    CHECK_RESULT:
        "查询支付结果",
        "查詢付款結果",
        "Check my payment";
    NOT_PAID_YET:
        "暂未查询到支付结果。如已扣款，请稍后再查询，请勿重复支付",
        "暫未查詢到付款結果。如已扣款，請稍後再查詢，請勿重複付款",
        "No payment found yet. If you were charged, check again later and do not pay twice.";
    CANCELLED:
        "支付未完成，可重新支付",
        "付款未完成，可重新付款",
        "Not paid. You can try again.";
    /// Beside the offer after a problem: WeChat refuses H5 if the network changes in between.
    SAME_NETWORK:
        "请关闭 VPN，支付过程中不要切换网络",
        "請關閉 VPN，付款過程中請勿切換網絡",
        "Turn off any VPN and stay on the same network while you pay.";
    CONTINUED_ELSEWHERE:
        "该订单正在另一台设备上支付",
        "此訂單正在另一部裝置上付款",
        "This order is being paid on another device";
    TAKE_OVER:
        "改在本设备支付",
        "改在本裝置付款",
        "Pay on this device";

    // The end of an order.

    PAID:
        "支付成功",
        "付款成功",
        "Payment received";
    /// Before the amount that the payer paid, if coupons reduced it.
    YOU_PAID:
        "实付",
        "實付",
        "You paid";
    /// Before the time of the payment.
    PAID_AT:
        "支付时间",
        "付款時間",
        "Paid on";
    /// Before the amount that was refunded.
    REFUNDED:
        "已退款",
        "已退款",
        "Refunded";
    REFUNDED_IN_FULL:
        "已全额退款",
        "已全額退款",
        "Refunded in full";
    CLOSED:
        "订单已关闭",
        "訂單已關閉",
        "This order is closed";
    EXPIRED:
        "支付超时，订单已失效",
        "付款逾時，訂單已失效",
        "Payment time has run out";
    ORDER_AGAIN:
        "请返回商家页面重新下单",
        "請返回商家頁面重新下單",
        "Please go back to the shop and order again";
    BACK_TO_SHOP:
        "返回商家",
        "返回商家",
        "Back to the shop";
    BACK_TO_ORDER:
        "返回订单",
        "返回訂單",
        "Back to the order";
    /// In place of a receipt, if WeChat's own receipt is shown.
    SEE_WECHAT:
        "付款结果请以微信支付账单为准",
        "付款結果請以微信支付帳單為準",
        "Please look at your payment in WeChat.";

    // No way to pay here.

    NOT_POSSIBLE:
        "暂时无法支付",
        "暫時無法付款",
        "We can't take this payment right now.";
    NOTHING_FITS:
        "当前环境没有可用的支付方式，请联系商家",
        "目前環境沒有可用的付款方式，請聯絡商家",
        "This shop can't take payments in this browser. Please contact the shop.";
    OPEN_ON_COMPUTER:
        "当前环境没有可用的支付方式，请用电脑浏览器打开本页面",
        "目前環境沒有可用的付款方式，請用電腦瀏覽器開啟本頁面",
        "This shop can't take payments in this browser. Please open this page in a desktop browser.";
    OPEN_IN_BROWSER:
        "请在手机浏览器中打开本页面，再支付",
        "請在手機瀏覽器中開啟本頁面，再付款",
        "Please open this page in your phone's own browser.";
    /// Also if this app has no cashier, as in an old WeChat.
    OPEN_IN_WECHAT:
        "请用手机上的最新版微信，打开本页面支付",
        "請用手機上的最新版微信，開啟本頁面付款",
        "Please open this page in the latest version of WeChat on your phone.";
    /// If the shop takes payments in its mini-program only.
    OPEN_MINI_PROGRAM:
        "请在微信中打开商家小程序，下单并支付",
        "請在微信中開啟商家小程式，下單並付款",
        "Please open the shop's mini-program in WeChat, and order and pay there.";
    MINI_PROGRAM:
        "小程序内的网页无法直接支付，请在小程序中下单，或用浏览器打开本页面",
        "小程式內的網頁無法直接付款，請在小程式中下單，或用瀏覽器開啟本頁面",
        "A page inside a mini-program can't take payments. Order in the mini-program, or open this page in a browser.";
    WECHAT_TOO_OLD:
        "当前微信版本过低，请升级微信后再支付",
        "目前微信版本過舊，請更新微信後再付款",
        "Please update WeChat, then try again.";
    NEEDS_SCRIPT:
        "微信支付需要 JavaScript，请在浏览器设置中开启后重试",
        "微信支付需要 JavaScript，請在瀏覽器設定中開啟後重試",
        "WeChat Pay needs JavaScript. Turn it on in your browser's settings and try again.";

    // A problem, and who can fix it.

    PROBLEM_OF_MERCHANT:
        "商家的支付设置有误，请联系商家",
        "商家的付款設定有誤，請聯絡商家",
        "The shop's payment settings are wrong. Please contact the shop.";
    PROBLEM_OF_NETWORK:
        "网络连接失败，请检查网络后重试",
        "網絡連線失敗，請檢查網絡後重試",
        "No connection. Check your network and try again.";
    PROBLEM_OF_WECHAT:
        "微信支付暂无响应，请稍后重试",
        "微信支付暫無回應，請稍後重試",
        "WeChat Pay isn't answering right now. Please try again later.";
    PROBLEM_OF_SYSTEM:
        "支付系统出现异常，请稍后重试",
        "付款系統出現異常，請稍後重試",
        "Something went wrong on our side. Please try again later.";
    PROBLEM_OF_BUYER:
        "请重新发起支付",
        "請重新發起付款",
        "Please start your payment again";
    /// The cashier failed, and WeChat does not say why.
    PAYMENT_FAILED:
        "支付未成功，请重新支付，如仍无法支付，请联系商家",
        "付款未成功，請重新付款，如仍無法付款，請聯絡商家",
        "Your payment didn't go through. Try again. If it still fails, contact the shop.";
    /// Another try may help; otherwise only the merchant can fix it.
    TRY_THEN_CONTACT:
        "请重试，如仍无法支付，请联系商家",
        "請重試，如仍無法付款，請聯絡商家",
        "Try again. If it still fails, contact the shop.";
    /// On iOS, WeChat checks the address that the buyer first opened (LANDING_URL_DENIED).
    RELOAD_TO_PAY:
        "请刷新页面后重试，如仍无法支付，请联系商家",
        "請重新整理頁面後重試，如仍無法付款，請聯絡商家",
        "Reload this page and try again. If it still fails, contact the shop.";
    CONTACT_SHOP:
        "暂时无法支付，请联系商家",
        "暫時無法付款，請聯絡商家",
        "We can't take this payment right now. Please contact the shop.";
    ORDER_UNKNOWN:
        "未找到该订单，请返回商家页面",
        "找不到此訂單，請返回商家頁面",
        "We can't find this order. Please go back to the shop.";
    STEP_OVER:
        "页面已过期，请返回商家页面重新支付",
        "頁面已過期，請返回商家頁面重新付款",
        "This step was used already or took too long. Go back to the shop's page and tap pay again.";
    OPEN_FROM_SHOP:
        "请返回商家页面，重新打开付款页",
        "請返回商家頁面，重新開啟付款頁",
        "This page cannot be opened that way. Go back to the shop's page.";
    PAYER_UNKNOWN:
        "未能获取您的微信账号，请在电脑上打开本页面，再扫码支付",
        "未能取得您的微信帳號，請在電腦上開啟本頁面，再掃碼付款",
        "WeChat didn't say who pays. Please open this page in a desktop browser and scan the code.";
    CHOOSE_ANOTHER_WAY:
        "该支付方式暂不可用，请返回订单选择其他方式",
        "此付款方式暫不可用，請返回訂單選擇其他方式",
        "This way to pay is not available. Please go back and choose another one.";
    TOO_OFTEN:
        "操作过于频繁，请稍后再试",
        "操作過於頻繁，請稍後再試",
        "Too many tries. Please wait a moment and try again.";

    // The page of a payment link.

    /// For a screen reader: what the page is for.
    LINK_HEADING:
        "向商家付款",
        "向商家付款",
        "Pay the shop";
    /// The label of the field.
    LINK_AMOUNT:
        "付款金额（元）",
        "付款金額（元）",
        "Amount in yuan";
    /// The bounds are shown below the field.
    LINK_AMOUNT_REFUSED:
        "请输入范围内的金额，最多两位小数",
        "請輸入範圍內的金額，最多兩位小數",
        "Enter an amount within the bounds, with at most two decimals.";
    /// The label of the field; # is the number of characters.
    LINK_NOTE:
        "备注（选填，最多 # 字）",
        "備註（選填，最多 # 字）",
        "Note (optional, at most # characters)";
    LINK_NOTE_REFUSED:
        "备注过长，或含有无法显示的字符",
        "備註過長，或含有無法顯示的字元",
        "The note is too long, or has characters that cannot be shown.";
    LINK_FORM_REFUSED:
        "页面已过期，请重新提交",
        "頁面已過期，請重新提交",
        "This form was too old. Please send it again.";
    LINK_UNKNOWN:
        "未找到该付款链接，请联系商家",
        "找不到此付款連結，請聯絡商家",
        "We can't find this payment link. Please contact the shop.";
    LINK_DISABLED:
        "该付款链接已停用，请联系商家",
        "此付款連結已停用，請聯絡商家",
        "This payment link is switched off. Please contact the shop.";
    LINK_EXPIRED:
        "该付款链接已过期，请联系商家",
        "此付款連結已過期，請聯絡商家",
        "This payment link has expired. Please contact the shop.";
    LINK_USED_UP:
        "该付款链接的次数已用完，请联系商家",
        "此付款連結的次數已用完，請聯絡商家",
        "This payment link has been used up. Please contact the shop.";
    LINK_IN_USE:
        "有人正在使用该链接付款，请稍后再试",
        "有人正在使用此連結付款，請稍後再試",
        "Someone is paying with this link right now. Please try again later.";

    // Help, and the network.

    RETRY:
        "重试",
        "重試",
        "Try again";
    /// The link of `support-url`.
    SUPPORT:
        "联系商家",
        "聯絡商家",
        "Contact the shop";
    /// Before the contact from the configuration.
    CUSTOMER_SERVICE:
        "商家客服",
        "商家客服",
        "Customer service";
    OFFLINE:
        "网络已断开，恢复后会自动更新",
        "網絡已中斷，恢復後將自動更新",
        "You're offline. This page updates when you're back online.";
    RECONNECTING:
        "网络不稳定，正在重新连接…",
        "網絡不穩定，正在重新連線…",
        "The connection is weak, reconnecting…";

    // In place of the element, if it cannot run. The script has these sentences too, because it
    // needs them when nothing else loads.

    LOAD_FAILED:
        "支付页面加载失败",
        "付款頁面載入失敗",
        "The payment page could not load";
    RELOAD:
        "刷新页面",
        "重新整理頁面",
        "Reload";
    OPEN_CHECKOUT:
        "打开收银台",
        "開啟收銀台",
        "Open the checkout page";
}

#[cfg(test)]
mod tests {
    use super::{ALL, Words};

    /// Letters of our sentences that only Simplified Chinese has.
    const SIMPLIFIED: &str = "两围数输选链长与为会关内击动单发号后启响备复实将开异当态扫择无时显暂机没测浏状环现电码确稳级结络统维网联脑获览订认设试询该误请败账转载过连选钟闭问页频题额";

    fn languages(words: Words) -> [&'static str; 3] {
        [words.zh_cn, words.zh_hant, words.en]
    }

    #[test]
    fn each_sentence_is_there_in_each_language_and_in_one_line() {
        let is_chinese = |text: &str| text.chars().any(|letter| letter > '\u{4e00}');
        for (name, words) in ALL {
            assert!(is_chinese(words.zh_cn), "{name}");
            assert!(is_chinese(words.zh_hant), "{name}");
            assert!(!words.en.is_empty() && !is_chinese(words.en), "{name}");
            // The widget keeps a language as one text with a line for each sentence.
            let is_one_line = |text: &str| !text.contains('\n');
            assert!(languages(*words).into_iter().all(is_one_line), "{name}");
        }
    }

    #[test]
    fn no_sentence_has_two_names() {
        for (place, (name, words)) in ALL.iter().enumerate() {
            for (other, others) in &ALL[..place] {
                let [some, others] = [*words, *others].map(languages);
                let is_twice = some.iter().zip(others).any(|(one, other)| *one == other);
                assert!(!is_twice, "{name} is {other}");
            }
        }
    }

    #[test]
    fn traditional_chinese_has_no_simplified_letter() {
        let is_simplified = |letter: &char| SIMPLIFIED.contains(*letter);
        for (name, words) in ALL {
            let found = words.zh_hant.chars().find(is_simplified);
            assert_eq!(found, None, "{name}");
        }
        // The list is worth nothing if the sentences do not use its letters.
        let is_used = |words: &Words| words.zh_cn.chars().any(|letter| is_simplified(&letter));
        let used = ALL.iter().filter(|(_, words)| is_used(words)).count();
        assert!(used * 4 > ALL.len() * 3, "{used} of {}", ALL.len());
    }

    /// A `#` stands for a number, so each language needs it.
    #[test]
    fn a_number_has_its_place_in_each_language() {
        for (name, words) in ALL {
            let [zh_cn, zh_hant, en] = languages(*words).map(|text| text.matches('#').count());
            assert!(zh_cn == zh_hant && zh_cn == en && en <= 1, "{name}");
        }
    }
}
