//! Every sentence of the desk, in Chinese and English.

use buyer_words::Words;
use merchant_api::ErrorCode;

macro_rules! sentences {
    ($($name:ident: $zh_cn:literal, $en:literal;)*) => {
        // For the shop's people, as the till: see `Language::for_staff`.
        $(pub(super) const $name: Words = Words { zh_cn: $zh_cn, zh_hant: $zh_cn, en: $en };)*

        #[cfg(test)]
        const SENTENCES: &[(&str, Words)] = &[$((stringify!($name), $name)),*];
    };
}

sentences! {
    TITLE: "商户后台", "Desk";
    SKIP: "跳到正文", "Skip to the content";
    SIGNED_IN_AS: "当前密钥：", "Signed in with";
    SIGN_IN: "登录", "Sign in";
    SIGN_OUT: "退出登录", "Sign out";
    KEY: "API 密钥", "API key";
    KEY_HELP: "由管理员提供，权限为 desk:look 等。登录在 30 分钟无操作或 12 小时后失效。",
        "From the person who runs the server; its scopes are desk:look and others of the desk. You are signed out after 30 minutes without use, and after 12 hours.";
    KEY_WRONG: "密钥不正确。", "This key is not known.";
    KEY_LACKS_LOOK: "该密钥没有 desk:look 权限。", "This key lacks the scope desk:look.";
    KEY_TOO_STRONG: "该密钥还有后台以外的权限，不能在浏览器中使用。请换用只有 desk 权限的密钥。",
        "This key may do more than the desk needs, so it must not be used in a browser. Use a key whose scopes are those of the desk only.";
    TOO_MANY_TRIES: "尝试次数过多，请稍后再试。", "Too many tries. Wait a while.";
    ENDED_IDLE: "长时间没有操作，已自动退出。", "You were signed out because nothing happened for a while.";
    ENDED_OLD: "登录已超过 12 小时，请重新登录。", "You were signed out after 12 hours.";
    ENDED_REVOKED: "该密钥已停用或权限已变更。", "The key was withdrawn, or its scopes changed.";
    ENDED_UNKNOWN: "登录已失效，请重新登录。", "This session has ended.";
    ENDED_NOT_DONE: "登录已失效，刚才的操作没有执行。请重新登录后再试。",
        "You are not signed in any more, so nothing was done. Sign in and try again.";
    SIGNED_OUT: "已退出登录。", "You are signed out.";

    // Refusals.
    REFUSED: "操作未执行", "This was not done";
    TO_DESK: "返回首页", "To the overview";
    BACK: "返回", "Back";
    FORM_EXPIRED: "此页面来自之前的登录，表单已失效，操作没有执行。请重新打开页面。",
        "This form is from an earlier session, so nothing was done. Open the page again.";
    FORM_FOREIGN: "请求不是来自本页面，操作没有执行。", "The form was not sent by a page of this server, so nothing was done.";
    FORM_DOUBLE: "表单中有重复的字段。", "A field of the form comes twice.";
    SCOPE_MISSING: "当前密钥没有此操作的权限。", "The key that you signed in with may not do this.";
    REFUND_TOO_MUCH: "金额超过可退余额。", "The amount is more than is left of the payment.";
    NOTHING_REFUNDABLE: "该订单没有可退的金额。", "Nothing of this order can be refunded.";
    BILL_SLOW: "微信支付的账单下载时间过长，请稍后再试。", "WeChat's bill takes too long to come. Try again later.";
    REFUSAL_UNKNOWN: "没有找到。", "There is nothing with this number.";
    REFUSAL_INVALID: "输入不符合要求。", "A value is not valid.";
    REFUSAL_WECHAT: "微信支付没有受理。", "WeChat Pay did not accept it.";
    REFUSAL_LATER: "暂时无法完成，请稍后再试。重复提交不会执行两次。", "This cannot be done now. Try again later; a repetition has no second effect.";
    REFUSAL_STATE: "当前状态不允许此操作。", "The present state does not allow this.";
    REFUSAL_OURS: "服务器出错，请查看日志。", "The server has a fault. Its log has the reason.";

    // Rooms.
    OVERVIEW: "概览", "Overview";
    ORDERS: "订单", "Orders";
    TASKS: "待处理", "To do";
    WEBHOOKS: "回调消息", "Webhooks";
    LINKS: "付款链接", "Payment links";
    BILLS: "对账", "Bills";
    KEYS: "证书与密钥", "Keys";
    CHECKLIST: "上线检查", "Going live";
    JOURNAL: "操作记录", "Journal";

    // Overview.
    TODAY: "今日收款", "Today";
    PAYMENTS: "支付笔数", "Payments";
    REFUNDS: "退款", "Refunds";
    REFUNDED: "已退款", "Refunded";
    TASKS_OPEN: "有待处理的事项：", "Waiting for you:";
    BY_DAY: "近 30 天", "The last 30 days";
    BY_HOUR: "按小时（近 30 天合计）", "By the hour of the day, 30 days together";
    DAY: "日期", "Day";
    HOUR: "小时", "Hour";
    TOTAL: "合计", "Total";
    NOTHING_YET: "还没有收款。", "No payment yet.";
    AS_TABLE: "以表格查看", "As a table";
    CONVERSION: "转化（近 30 天创建的订单）", "Conversion of the orders of the last 30 days";
    CREATED: "已创建", "Created";
    SHOWN: "已展示", "Shown to a buyer";
    STARTED: "已发起支付", "Payment begun";
    PAID: "已支付", "Paid";
    WHERE_LOST: "未支付的订单", "Orders that were not paid";
    LOST_NOT_SHOWN: "未展示", "Never shown";
    LOST_NOT_BEGUN: "已展示，未发起支付", "Shown, payment never begun";
    LOST_WAITING: "等待支付", "Waiting for the buyer";
    LOST_GIVEN_UP: "发起后未支付", "Begun and not paid";
    LOST_REFUSED: "被微信支付拒绝", "Refused by WeChat Pay";
    BUYER_PROBLEMS: "买家遇到的问题（近 30 天）", "Problems that buyers met in the last 30 days";
    BUYER_SENTENCE: "买家看到的提示", "What the buyer read";
    PROBLEM_CODE: "错误码", "Code";
    TIMES: "次数", "Times";
    NO_PROBLEM: "暂无", "None";
    CONVERSION_LIMITS: "只发生在买家浏览器中的错误（例如断网）不在统计之内。",
        "Problems that only the buyer's browser saw, such as a lost network, are not counted.";

    // Scenes.
    SCENE: "支付方式", "Scene";
    SCENE_JSAPI: "微信内（JSAPI）", "In WeChat (JSAPI)";
    SCENE_H5: "手机浏览器（H5）", "Phone browser (H5)";
    SCENE_NATIVE: "扫码（Native）", "QR code (Native)";
    SCENE_MINI_PROGRAM: "小程序", "Mini-program";
    SCENE_APP: "App", "App";
    SCENE_CODE_PAY: "付款码", "Payment code";

    // Orders.
    SEARCH: "商户订单号开头、out_trade_no 或 transaction_id", "Start of the order number, out_trade_no or transaction_id";
    FIND: "查询", "Find";
    ALL: "全部", "All";
    NEWEST: "最新", "Newest";
    OLDER: "更早", "Older";
    NOTHING_FOUND: "没有符合条件的记录。", "Nothing matches.";
    ORDER: "订单", "Order";
    AMOUNT: "金额", "Amount";
    STATE: "状态", "State";
    GOODS: "商品", "Description";
    CREATED_AT: "创建时间", "Created";
    EXPIRES_AT: "支付截止", "Can be paid until";
    PAID_AT: "支付时间", "Paid at";
    TRANSACTION: "微信支付单号", "Transaction";
    REFUNDABLE: "可退金额", "Can be refunded";
    SUB_MERCHANT: "特约商户号", "Sub-merchant";
    ATTACH: "附加数据", "Attach";
    PAYMENT_LINK: "付款链接", "Payment link";
    BUYERS_NOTE: "买家备注", "The buyer's note";
    STORY: "时间线", "Timeline";
    SUB_ORDERS: "子单", "Sub-orders";
    SUB_ORDER: "子单号", "Sub-order";
    SELLER: "收款商户号", "Merchant paid";
    NUMBERS: "out_trade_no 与微信支付单号", "out_trade_no and transaction";

    // States.
    STATE_OPEN: "待支付", "open";
    STATE_PAID: "已支付", "paid";
    STATE_CLOSED: "已关闭", "closed";
    STATE_CLOSING: "关闭中", "closing";
    STATE_PREPARED: "发送中", "prepared";
    STATE_REFUSED: "被拒绝", "refused";
    STATE_SURPLUS: "重复支付", "surplus";
    STATE_REQUESTED: "已提交", "requested";
    STATE_PROCESSING: "退款中", "processing";
    STATE_SUCCEEDED: "已到账", "succeeded";
    STATE_ABNORMAL: "退款异常", "abnormal";
    STATE_PENDING: "待发送", "pending";
    STATE_DELIVERED: "已送达", "delivered";
    STATE_FAILED: "发送失败", "failed";
    STATE_UNADDRESSED: "无接收地址", "unaddressed";
    STATE_ACTIVE: "可用", "active";
    STATE_USED_UP: "次数已用完", "used up";
    STATE_EXPIRED: "已过期", "expired";
    STATE_DISABLED: "已停用", "disabled";
    STATE_DONE: "完成", "done";
    STATE_REPEATED: "重复提交，未再次执行", "repeated, no effect";

    // Timeline.
    EVENT_CREATED: "订单创建", "Order created";
    EVENT_SHOWN: "买家首次打开支付页面", "A page showed the order to a buyer";
    EVENT_EXPIRED: "支付时间截止", "The time to pay ended";
    EVENT_ATTEMPT: "发起支付", "Attempt";
    EVENT_ACCEPTED: "微信支付已受理下单", "WeChat accepted the attempt";
    EVENT_NOTIFICATION: "收到微信通知", "Notification of WeChat";
    EVENT_QUERIED: "最近一次查单", "Last query at WeChat";
    ANSWERED: "已答复", "answered";
    NOT_ANSWERED: "未答复", "not answered";
    EVENT_PAID: "支付成功", "Paid";
    EVENT_SURPLUS: "重复支付", "Paid a second time";
    EVENT_REFUND_SEEN: "微信显示已退款，但本系统没有对应的退款单", "WeChat reports a refund that is not known here";
    EVENT_REFUND: "提交退款", "Refund";
    EVENT_REFUND_STATE: "退款状态", "State of the refund";
    EVENT_SHARE: "发起分账", "Share";
    EVENT_UNFREEZE: "解冻剩余资金", "Release of the rest";
    EVENT_SHARE_RETURN: "分账回退", "Return of a share";
    EVENT_SHARE_STATE: "分账状态", "State of the share";
    SHARE_PROCESSING: "处理中", "under way";
    SHARE_FINISHED: "已完成", "finished";
    SHARE_ARRIVED: "到账", "arrived";
    EVENT_WEBHOOK: "回调消息", "Webhook";
    TRIES: "次数", "Tries";
    OUTCOME: "结果", "Outcome";
    ORIGIN_MERCHANT: "商户发起", "by the merchant";
    ORIGIN_SURPLUS: "重复支付自动退款", "by this server, for a second payment";
    ORIGIN_EXTERNAL: "商户平台等其他渠道发起", "in WeChat's portal or elsewhere";

    // What was done.
    SAID_REFUNDED: "退款已提交，到账情况见时间线。", "The refund is on its way. The timeline shows when it arrives.";
    SAID_SETTLED: "异常退款已重新提交。", "The abnormal refund was sent another way.";
    SAID_RESENT: "消息将重新发送。", "The message will be sent again.";
    SAID_DISABLED: "链接已停用，不能再下单；已下的订单不受影响。", "The link is disabled. Orders that it made stay as they are.";
    SAID_DONE: "已标记为完成。", "It is marked as done.";
    SAID_REPEATED: "之前已提交过，没有重复执行。", "This was done before, and was not done again.";

    // Refund.
    REFUND: "退款", "Refund";
    REFUND_AMOUNT: "退款金额（元）", "Amount in yuan";
    REFUND_REASON: "退款原因", "Reason";
    REFUND_REASON_HELP: "选填，会显示给买家。", "Optional. The buyer sees it.";
    REFUND_NO: "退款单号", "Refund number";
    CONTINUE: "下一步", "Continue";
    REFUND_ASK: "确认退款", "Refund this?";
    REFUND_WARNING: "退款提交后不能撤回。", "A refund cannot be taken back.";
    REFUND_CONFIRM: "确认退款", "Refund";

    // Abnormal refunds and mismatches.
    ABNORMAL: "异常退款", "Abnormal refunds";
    ABNORMAL_HELP: "买家的账户无法收款。请联系买家，改退到银行卡；或退到商户账户后自行转给买家。",
        "The buyer's account does not take the money. Ask the buyer for a bank card, or have it sent to your own account and pay the buyer from there.";
    NOTHING_OPEN: "没有待处理的事项。", "Nothing waits.";
    SINCE: "时间", "Since";
    ACCOUNT: "收款账户", "Account";
    SETTLE: "处理异常退款", "Send another way";
    SETTLE_HELP: "银行卡号和姓名加密后发送给微信支付，不会保存在服务器上。",
        "The card's number and the name are encrypted for WeChat, and are kept nowhere.";
    SETTLE_BUYER: "退到买家银行卡", "To a bank card of the buyer";
    SETTLE_MERCHANT: "退到商户账户", "To your own account";
    SETTLE_MERCHANT_HELP: "之后由商户自行转给买家。", "You pay the buyer from there.";
    SETTLE_SEND: "提交", "Send";
    SETTLE_NOT_ABNORMAL: "该退款已不是异常状态。", "This refund is not abnormal any more.";
    BANK_TYPE: "银行类型（如 ICBC_DEBIT）", "Bank, as WeChat's code (such as ICBC_DEBIT)";
    BANK_ACCOUNT: "银行卡号", "Card number";
    REAL_NAME: "开户人姓名", "Name of the card's owner";
    SURE: "我已核对，确认提交。", "I have checked this.";
    MISMATCHES: "对不上的通知与付款", "Mismatches";
    MISMATCHES_DONE: "已处理的事项", "Mismatches that are done";
    TO_OPEN: "查看待处理", "Show what is open";
    TO_DONE: "查看已处理", "Show what is done";
    KIND_PAYMENT: "对不上的付款", "A payment without an order";
    KIND_REFUND: "对不上的退款", "A refund that does not match";
    KIND_NOTIFICATION: "无法识别的通知", "A notification that was not understood";
    DO_PAYMENT: "在微信支付商户平台查找该笔付款，核实后退款或补单，然后标记为完成。",
        "Find the payment in WeChat's merchant portal. Refund it there, or deliver what was bought; then mark it as done.";
    DO_REFUND: "在商户平台核对该退款的金额和状态，更正账目后标记为完成。",
        "Compare the refund with WeChat's merchant portal, correct your books, then mark it as done.";
    DO_NOTIFICATION: "查看通知内容；如与订单有关，请在商户平台核实，然后标记为完成。",
        "Read what WeChat reported. If it is about an order, check that in WeChat's portal; then mark it as done.";
    REASON: "原因", "Reason";
    TOLD: "微信通知的内容", "What WeChat reported";
    NOTE: "备注", "Note";
    DONE_AT: "处理时间", "Done at";
    MARK_DONE: "标记为完成", "Mark as done";

    // Webhooks.
    HEALTH: "送达情况", "Delivery";
    TARGET: "接收地址", "Target";
    NO_TARGET: "没有配置 webhooks，订单消息不会推送给您的系统。", "No webhook target is configured, so your backend gets no messages.";
    FAILED_HELP: "有消息在多次重试后仍未送达。请检查接收地址，然后重新发送。",
        "Some messages were not accepted after the last try. Repair the target, then send them again.";
    EVENT: "事件", "Event";
    LAST_OUTCOME: "最近结果", "Last result";
    RESEND: "重新发送", "Send again";
    ACTION: "操作", "Action";

    // Payment links.
    LINKS_HELP: "链接由您的系统通过 API 创建（POST /v1/links）。停用后买家不能再用它下单。",
        "Your backend creates links by the API (POST /v1/links). A disabled link makes no more orders.";
    NO_LINK: "还没有付款链接。", "There is no payment link yet.";
    USES: "已支付次数", "Paid";
    USABLE_UNTIL: "有效期至", "Usable until";
    PRINT_CODE: "打印二维码", "Print its code";
    DISABLE: "停用", "Disable";

    // Bills.
    LAST_DAYS: "最近的日期", "The last days";
    BILLS_HELP: "前一天的账单一般在上午 10 点后生成。", "WeChat makes the bill of a day on the next morning, at about ten.";
    COMPARE: "对账", "Compare";
    DIFFERENCES: "差异", "Differences";
    DIFFERENCES_HELP: "最多显示 200 条，全部差异可用命令行 bill compare 或 API 获取。",
        "The first 200 are shown. The command line and the API have all of them.";
    NO_DIFFERENCE: "账单与本系统一致。", "The bill and the ledger agree.";
    KIND: "类型", "Kind";
    HERE: "本系统", "Here";
    AT_WECHAT: "微信支付", "WeChat";

    // Keys.
    KEY_OF: "证书或密钥", "Key";
    KEY_OURS: "商户 API 证书", "Merchant certificate";
    KEY_WECHATS_CERTIFICATE: "微信支付平台证书", "WeChat Pay certificate";
    KEY_WECHATS_PUBLIC: "微信支付公钥", "WeChat Pay public key";
    SERIAL: "序列号或 ID", "Serial or id";
    ENDS: "到期时间", "Ends";
    LEFT: "剩余", "Left";
    NO_END: "无到期时间", "no end known";
    DAYS: "天", "days";
    KEYS_HELP: "平台证书由服务器自动更新；商户证书请在到期前 30 天内更换。",
        "The server renews WeChat's certificates by itself. Replace your own certificate in its last 30 days.";

    // Going live.
    CHECK_HERE: "服务器自检", "Known here";
    CHECK_WECHAT: "微信支付侧检查", "Asked at WeChat";
    CHECK_HELP: "向微信支付验证各项配置，不会下单，也不会修改任何数据。", "Asks WeChat about each value of the configuration. No order is made, and nothing changes.";
    CHECK_RUN: "开始检查", "Check now";
    CHECK_SLOW: "20 秒内没有完成，请稍后重试，或在命令行运行 check-config --live。",
        "Not finished in 20 seconds. Try again later, or run check-config --live.";
    GREEN: "通过", "right";
    YELLOW: "未证实", "not proved";
    RED: "未通过", "wrong";
    CHECK_LIVE: "连接正式环境", "Real money";
    CHECK_LIVE_NOT: "当前为模拟环境，不会真实扣款。", "This server works with a simulator. No money moves.";
    CHECK_HTTPS: "使用 https", "https";
    CHECK_HTTPS_NOT: "public_base_url 必须是 https 地址。", "public_base_url has to be an https address.";
    CHECK_DATABASE: "数据库可写", "The database takes writes";
    CHECK_DATABASE_NOT: "数据库无法写入，请检查磁盘和连接。", "A write did not work. Look at the disk and the connection.";
    CHECK_TRUST: "可以验证微信支付的签名", "WeChat's signatures can be checked";
    CHECK_TRUST_NOT: "没有可用的平台证书或公钥。", "No certificate or public key of WeChat's is known.";
    CHECK_KEYS: "证书在有效期内", "All certificates are valid";
    CHECK_KEYS_NOT: "有证书已过期，见“证书与密钥”。", "A certificate has ended: see Keys.";
    CHECK_WEBHOOKS: "已配置回调地址", "Webhooks are configured";
    CHECK_CONTACT: "已配置客服联系方式", "A service contact is shown to buyers";
    CHECK_CONTACT_NOT: "建议配置 service_contact，让买家能联系到您。", "Set service_contact, so that buyers can reach you.";
    CHECK_WARNING: "提醒", "Warning";

    // Journal.
    TIME: "时间", "Time";
    WHO: "密钥", "Key";
    SUBJECT: "对象", "Subject";
    ACTION_SIGN_IN: "登录", "signed in";
    ACTION_SIGN_OUT: "退出登录", "signed out";
    ACTION_REFUND: "退款", "refunded";
    ACTION_SETTLE: "处理异常退款", "sent an abnormal refund another way";
    ACTION_RESEND: "重新发送消息", "sent a message again";
    ACTION_DONE: "标记完成", "marked as done";
    ACTION_DISABLE_LINK: "停用付款链接", "disabled a payment link";
    ACTION_OTHER: "其他操作", "another action";
    OUTCOME_UNKNOWN: "结果未知", "not known";
}

/// A state of the ledger in words; `None` for a word that this version does not know.
pub(super) fn state(word: &str) -> Option<Words> {
    Some(match word {
        "open" => STATE_OPEN,
        "paid" => STATE_PAID,
        "closed" => STATE_CLOSED,
        "closing" => STATE_CLOSING,
        "prepared" => STATE_PREPARED,
        "refused" => STATE_REFUSED,
        "surplus" => STATE_SURPLUS,
        "requested" => STATE_REQUESTED,
        "processing" => STATE_PROCESSING,
        "succeeded" => STATE_SUCCEEDED,
        "abnormal" => STATE_ABNORMAL,
        "pending" => STATE_PENDING,
        "delivered" => STATE_DELIVERED,
        "failed" => STATE_FAILED,
        "unaddressed" => STATE_UNADDRESSED,
        "active" => STATE_ACTIVE,
        "used_up" => STATE_USED_UP,
        "expired" => STATE_EXPIRED,
        "disabled" => STATE_DISABLED,
        "done" => STATE_DONE,
        "repeated" => STATE_REPEATED,
        _ => return None,
    })
}

/// What a refusal means to the person at the desk.
pub(super) fn refusal(code: ErrorCode) -> Words {
    match code {
        ErrorCode::OrderUnknown
        | ErrorCode::RefundUnknown
        | ErrorCode::WebhookUnknown
        | ErrorCode::MismatchUnknown
        | ErrorCode::LinkUnknown => REFUSAL_UNKNOWN,
        ErrorCode::InvalidRequest | ErrorCode::AmountInvalid | ErrorCode::TooLarge => {
            REFUSAL_INVALID
        }
        ErrorCode::RefundTooMuch => REFUND_TOO_MUCH,
        ErrorCode::WechatRefused => REFUSAL_WECHAT,
        ErrorCode::Internal => REFUSAL_OURS,
        code if code.is_retryable() => REFUSAL_LATER,
        _ => REFUSAL_STATE,
    }
}

#[cfg(test)]
mod tests {
    use super::SENTENCES;

    #[test]
    fn each_sentence_has_both_languages_and_no_blank_at_its_ends() {
        for (name, words) in SENTENCES {
            for text in [words.zh_cn, words.en] {
                assert!(!text.is_empty() && text.trim() == text, "{name}: {text:?}");
            }
        }
    }
}
