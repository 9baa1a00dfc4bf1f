/** The buyer's texts: for each state, and for each button. */
const ZH = {
  starting: "正在发起支付…",
  paying: "请在微信收银台完成支付",
  confirming: "正在确认支付结果…",
  paid: "支付成功",
  unpaid: "支付未完成，可重新支付",
  later: "暂未查询到支付结果。如已扣款，请稍后再查询，请勿重复支付",
  elsewhere: "该订单正在另一台设备上支付",
  closed: "订单已关闭",
  problem: "暂时无法支付，请稍后重试或联系商家",
  pay: "支付",
  check: "我已完成支付",
  takeOver: "改在本设备支付",
  back: "返回",
};

const EN = {
  starting: "Starting your payment…",
  paying: "Finish your payment in WeChat's cashier",
  confirming: "Confirming your payment…",
  paid: "Payment received",
  unpaid: "Not paid. You can try again.",
  later: "No payment found yet. If you were charged, check again later and do not pay twice.",
  elsewhere: "This order is being paid on another device",
  closed: "This order is closed",
  problem: "We can't take this payment right now. Try again later, or contact the shop.",
  pay: "Pay",
  check: "I have paid",
  takeOver: "Pay on this device",
  back: "Back",
};

const HANT = {
  starting: "正在發起付款…",
  paying: "請在微信收銀台完成付款",
  confirming: "正在確認付款結果…",
  paid: "付款成功",
  unpaid: "付款未完成，可重新付款",
  later: "暫未查詢到付款結果。如已扣款，請稍後再查詢，請勿重複付款",
  elsewhere: "此訂單正在另一部裝置上付款",
  closed: "訂單已關閉",
  problem: "暫時無法付款，請稍後重試或聯絡商家",
  pay: "付款",
  check: "我已完成付款",
  takeOver: "改在本裝置付款",
  back: "返回",
};

/**
 * The texts for a language as WeChat names it (`zh_CN`, `zh_TW`, `zh_HK`, `en`); Simplified Chinese if it
 * is unknown.
 */
module.exports = (language) => {
  if (/^en/i.test(language || "")) return EN;
  return /^zh[-_](hant|tw|hk|mo)/i.test(language || "") ? HANT : ZH;
};
