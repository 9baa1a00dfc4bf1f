//! Every sentence that a cashier reads, in Chinese and English. The script has no sentence of its own: it
//! shows those that the page holds.

use buyer_words::Words;

/// The till is for the shop's people, and speaks no Traditional Chinese: see
/// [`Language::for_staff`](crate::extract::Language::for_staff).
const fn words(zh_cn: &'static str, en: &'static str) -> Words {
    Words {
        zh_cn,
        zh_hant: zh_cn,
        en,
    }
}

pub(super) const TITLE: Words = words("收银台", "Till");
pub(super) const NO_SCRIPT: Words = words(
    "收银台需要启用 JavaScript。",
    "The till needs JavaScript. Allow it in this browser.",
);
pub(super) const SIGN_OUT: Words = words("退出", "Sign out");
pub(super) const OFFLINE: Words = words(
    "连接不上服务器，正在重试。恢复之前，请勿用其他方式重复收款。",
    "No connection to the server. The till tries again. Until then, do not charge for this sale in another way.",
);

// Signing in.
pub(super) const SIGN_IN: Words = words("开始收银", "Open the till");
pub(super) const KEY: Words = words("收银密钥", "The till's API key");
pub(super) const KEY_HELP: Words = words(
    "由管理员提供，权限仅为 till。关闭此窗口后需重新输入。",
    "From the person who runs the server; its only scope is till. It is forgotten when this window closes.",
);
pub(super) const STORE: Words = words("门店编号", "Store number");
pub(super) const STORE_HELP: Words = words(
    "您自己的门店编号，微信支付要求填写。",
    "Your own number of this store. WeChat Pay requires one.",
);
pub(super) const DEVICE: Words = words("收银机编号（可选）", "Till number (optional)");
pub(super) const DESCRIPTION: Words =
    words("顾客账单上的商品名称", "What buyers see on their bill");
pub(super) const DESCRIPTION_DEFAULT: Words = words("门店消费", "In-store purchase");
pub(super) const SUB_MERCHANT: Words = words("特约商户号", "Sub-merchant");
pub(super) const OPEN: Words = words("进入收银台", "Open");

// A sale.
pub(super) const AMOUNT: Words = words("收款金额（元）", "Amount in yuan");
pub(super) const NEXT_STEP: Words = words("下一步：扫码", "Next: scan");
pub(super) const SCAN: Words = words("请扫描顾客的付款码", "Scan the buyer's payment code");
pub(super) const SCAN_HELP: Words = words(
    "请顾客打开微信，依次点“我”“服务”“收付款”，出示付款码。",
    "The buyer opens WeChat and taps Me, Services, Money.",
);
pub(super) const CODE: Words = words("付款码（18 位数字）", "Payment code (18 digits)");
pub(super) const CHARGE: Words = words("收款", "Charge");
pub(super) const CANCEL: Words = words("取消收款", "Cancel the sale");
pub(super) const PAYING: Words = words("正在收款…", "Charging…");
pub(super) const PAYING_HELP: Words = words(
    "正在等待微信支付的结果，请勿重复扫码。",
    "Waiting for WeChat Pay. Do not scan again.",
);
pub(super) const PASSWORD: Words = words("等待顾客输入密码", "The buyer types the password");
pub(super) const PASSWORD_HELP: Words = words(
    "请顾客在手机上确认付款。半分钟内未付款，将自动撤销，不会扣款。",
    "The buyer confirms on the phone. Without it, the payment is taken back after half a minute, and nothing is charged.",
);
pub(super) const DOUBT: Words = words("支付结果尚不确定", "Not known yet whether it is paid");
pub(super) const DOUBT_HELP: [Words; 3] = [
    words(
        "先不要交付商品，也不要用其他方式再收一次款。",
        "Do not hand over the goods, and do not charge in another way.",
    ),
    words(
        "收银台会一直查询，结果出来后立即显示。",
        "The till goes on asking, and shows the result as soon as it is known.",
    ),
    words(
        "顾客不愿再等时，请点“取消收款”：如果已经扣款，款项会退还给顾客。",
        "If the buyer cannot wait, cancel the sale: if money was taken, the buyer gets it back.",
    ),
];
pub(super) const REVERSING: Words = words("正在撤销…", "Taking the payment back…");
pub(super) const REVERSING_HELP: Words = words(
    "等待微信支付确认。确认之前，请勿用其他方式再收一次款。",
    "Waiting until WeChat Pay confirms it. Until then, do not charge for this sale in another way.",
);
pub(super) const REVERSING_ALONE: Words = words(
    "服务器会自行完成撤销。请记下订单号，然后可以开始下一笔。",
    "The server completes this by itself. Note the order number; then you can begin the next sale.",
);
pub(super) const PAID: Words = words("收款成功", "Paid");
pub(super) const PAID_LESS: Words = words("顾客实付", "The buyer paid, after WeChat's discount:");
pub(super) const ENDED: Words = words("已取消，顾客无需付款", "Cancelled. The buyer pays nothing.");
pub(super) const PRINT: Words = words("打印小票", "Print the receipt");
pub(super) const NEXT_SALE: Words = words("下一笔", "Next sale");

// The receipt.
pub(super) const RECEIPT: Words = words("消费小票", "Receipt");
pub(super) const RECEIPT_TOTAL: Words = words("金额", "Total");
pub(super) const RECEIPT_PAID: Words = words("实付", "Paid");
pub(super) const RECEIPT_BY: Words = words("支付方式", "Paid by");
pub(super) const RECEIPT_TIME: Words = words("支付时间", "Paid at");
pub(super) const RECEIPT_TRANSACTION: Words = words("微信支付单号", "WeChat Pay number");
pub(super) const RECEIPT_STORE: Words = words("门店", "Store");
pub(super) const RECEIPT_DEVICE: Words = words("收银机", "Till");

/// The notices, by the name that the script uses: an own name, a code of the merchant API, or WeChat's
/// code of a refusal. WeChat's two versions write some codes differently.
pub(super) const NOTICES: &[(&str, Words)] = &[
    (
        "UNAUTHORIZED",
        words(
            "密钥不存在，请核对后重新输入。",
            "This key is not known. Check it, and type it again.",
        ),
    ),
    (
        "FORBIDDEN",
        words(
            "此密钥没有收银权限（till）。",
            "This key lacks the scope till.",
        ),
    ),
    (
        "KEY_TOO_STRONG",
        words(
            "此密钥的权限超出收银需要，请勿在柜台使用。请改用仅有 till 权限的密钥。",
            "This key may do more than a till needs, so it does not belong at a counter. Use a key whose only scope is till.",
        ),
    ),
    (
        "NOT_OFFERED",
        words(
            "服务器未开通付款码收款：配置项 products 中缺少 code_pay。",
            "This server takes no payment codes: code_pay is missing in its setting products.",
        ),
    ),
    (
        "NO_STORAGE",
        words(
            "浏览器不允许保存数据，收银台无法保证不重复收款。请允许本网站保存数据后刷新。",
            "This browser does not keep data, so the till could not prevent a second charge. Allow this site to keep data, and reload.",
        ),
    ),
    (
        "NO_CONNECTION",
        words(
            "连接不上服务器，尚未收款。请检查网络后重试。",
            "No connection to the server. Nothing was charged. Check the network, and try again.",
        ),
    ),
    (
        "AMOUNT",
        words(
            "请输入 0.01 到 10000000 元之间的金额，最多两位小数，例如 19.90。",
            "Type an amount from 0.01 to 10000000 yuan, with at most two decimals: 19.90.",
        ),
    ),
    (
        "CODE_AS_AMOUNT",
        words(
            "这是付款码。请先输入金额，再扫码。",
            "That was a payment code. Type the amount first, and scan then.",
        ),
    ),
    (
        "NOT_A_CODE",
        words(
            "这不是微信付款码。微信付款码是以 10 至 15 开头的 18 位数字。",
            "That is not a payment code of WeChat: those have 18 digits and begin with 10 to 15.",
        ),
    ),
    (
        "UNFINISHED",
        words(
            "这笔收款之前没有完成，目前没有扣款。请继续扫码，或取消收款。",
            "This sale was not finished, and nothing has been charged for it. Scan a code, or cancel the sale.",
        ),
    ),
    (
        "NOT_SENT",
        words(
            "网络中断，付款没有开始，未扣款。请让顾客刷新付款码后重新扫码。",
            "The connection was lost before the payment began. Nothing was charged. Scan a fresh code.",
        ),
    ),
    (
        "NOT_PAID",
        words(
            "顾客未付款或支付失败，这次付款已撤销，不会扣款。可以重新扫码，或取消收款。",
            "The buyer did not pay, or the payment failed. It was taken back, and nothing is charged. Scan again, or cancel the sale.",
        ),
    ),
    (
        "CHECKOUT_EXPIRED",
        words(
            "这笔收款时间太久，未收款。请取消后重新开始。",
            "This sale is too old. Nothing was charged. Cancel it, and begin again.",
        ),
    ),
    (
        "PRODUCT_UNAVAILABLE",
        words(
            "该订单不能用付款码支付，未收款。",
            "This order cannot be paid by a payment code. Nothing was charged.",
        ),
    ),
    (
        "REFUSED",
        words(
            "微信支付拒绝了这次付款，未扣款。可以换一个付款码重试，或取消收款。",
            "WeChat Pay refused this payment. Nothing was charged. Try another code, or cancel the sale.",
        ),
    ),
    (
        "NOT_ACCEPTED",
        words(
            "服务器拒绝了这笔收款，未扣款。请联系管理员。",
            "The server refused this sale. Nothing was charged. Tell the person who runs the server.",
        ),
    ),
    ("AUTH_CODE_INVALID", CODE_INVALID),
    ("AUTH_CODE_ERROR", CODE_INVALID),
    ("AUTHCODEEXPIRE", CODE_EXPIRED),
    ("AUTH_CODE_EXPIRED", CODE_EXPIRED),
    ("NOTENOUGH", NOT_ENOUGH),
    ("NOT_ENOUGH", NOT_ENOUGH),
    ("NOTSUPORTCARD", CARD_REFUSED),
    ("BANKERROR", CARD_REFUSED),
    ("BANK_ERROR", CARD_REFUSED),
    ("BUYER_MISMATCH", OTHER_BUYER),
    ("RULE_LIMIT", LIMIT),
    ("RULELIMIT", LIMIT),
    ("ACCOUNT_ERROR", ACCOUNT),
    ("USER_ACCOUNT_ABNORMAL", ACCOUNT),
    ("NO_AUTH", SET_UP),
    ("NOAUTH", SET_UP),
    ("APPID_NOT_EXIST", SET_UP),
    ("APPID_MCHID_NOT_MATCH", SET_UP),
    ("MCHID_NOT_EXIST", SET_UP),
    ("MCH_NOT_EXISTS", SET_UP),
    ("SIGN_ERROR", SET_UP),
    ("SIGNERROR", SET_UP),
];

const CODE_INVALID: Words = words(
    "付款码无效，未扣款。请让顾客刷新付款码后重新扫码。",
    "This code is not valid. Nothing was charged. The buyer taps the code to renew it; then scan again.",
);
const CODE_EXPIRED: Words = words(
    "付款码已过期，未扣款。请让顾客刷新付款码后重新扫码。",
    "This code has expired. Nothing was charged. The buyer taps the code to renew it; then scan again.",
);
const NOT_ENOUGH: Words = words(
    "顾客余额不足，未扣款。请顾客换一张银行卡后重新扫码。",
    "The buyer's balance is too low. Nothing was charged. The buyer chooses another card; then scan again.",
);
const CARD_REFUSED: Words = words(
    "顾客的银行卡无法支付，未扣款。请顾客换一张银行卡后重新扫码。",
    "The buyer's card cannot pay. Nothing was charged. The buyer chooses another card; then scan again.",
);
const OTHER_BUYER: Words = words(
    "这笔收款已由另一位顾客开始支付，未扣款。请取消后重新开始。",
    "Another buyer began to pay this sale. Nothing was charged. Cancel it, and begin again.",
);
const LIMIT: Words = words(
    "超出微信支付的交易限制，未扣款。请顾客换一种方式付款。",
    "WeChat Pay's limit for this buyer or shop is reached. Nothing was charged. The buyer pays in another way.",
);
const ACCOUNT: Words = words(
    "顾客的微信支付账户异常，未扣款。请顾客换一种方式付款。",
    "The buyer's WeChat Pay account cannot pay. Nothing was charged. The buyer pays in another way.",
);
const SET_UP: Words = words(
    "商户的付款码收款未开通或配置有误，未扣款。请把下面的代码告诉管理员。",
    "Payment codes are not set up for this merchant. Nothing was charged. Tell the code below to the person who runs the server.",
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::NOTICES;

    #[test]
    fn each_notice_has_one_sentence_in_each_language() {
        let names: BTreeSet<_> = NOTICES.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), NOTICES.len());
        let is_chinese = |letter: char| ('\u{4e00}'..'\u{a000}').contains(&letter);
        for (name, words) in NOTICES {
            assert!(words.zh_cn.contains(is_chinese), "{name}");
            assert!(!words.en.contains(is_chinese), "{name}");
        }
    }

    #[test]
    fn each_notice_that_the_script_names_is_in_the_page() {
        let script = include_str!("till.js");
        let is_name = |text: &&str| {
            text.len() > 4
                && text
                    .chars()
                    .all(|letter| letter == '_' || letter.is_ascii_uppercase())
        };
        let named: BTreeSet<_> = script
            .split('"')
            .skip(1)
            .step_by(2)
            .filter(is_name)
            .collect();
        // Codes of the merchant API that the script compares, and no notices.
        let compared = BTreeSet::from([
            "ATTEMPT_IN_DOUBT",
            "ATTEMPT_SUPERSEDED",
            "ORDER_PAID",
            "ORDER_UNKNOWN",
            "WECHAT_REFUSED",
        ]);
        let known: BTreeSet<_> = NOTICES.iter().map(|(name, _)| *name).collect();
        let unknown: Vec<_> = named
            .difference(&compared)
            .filter(|name| !known.contains(*name))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(named.len() > 10, "{named:?}");
    }
}
