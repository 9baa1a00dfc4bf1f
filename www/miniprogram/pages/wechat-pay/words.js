/** The buyer's texts: for each state, and for each button. */
const ZH = {
  starting: "正在发起支付…",
  paying: "请在微信收银台完成支付",
  confirming: "正在确认支付结果…",
  paid: "支付成功",
  unpaid: "未支付，可以重试",
  later: "暂未查到付款。如已扣款，请稍后再看，不要重复支付",
  elsewhere: "支付已在另一台设备上继续",
  closed: "订单已关闭",
  problem: "暂时无法支付，请稍后重试或联系商家",
  pay: "支付",
  check: "我已支付",
  takeOver: "在这里支付",
  back: "返回",
};

const EN = {
  starting: "Starting your payment…",
  paying: "Finish your payment in WeChat's cashier",
  confirming: "Confirming your payment…",
  paid: "Payment received",
  unpaid: "Not paid. You can try again.",
  later: "No payment found yet. If you were charged, check again later and do not pay twice.",
  elsewhere: "Your payment continues on another device",
  closed: "This order is closed",
  problem: "Payment is not possible right now. Try again later, or contact the shop.",
  pay: "Pay",
  check: "I have paid",
  takeOver: "Pay here instead",
  back: "Back",
};

/** The texts for a language as WeChat names it (`zh_CN`, `en`); Chinese if it is unknown. */
module.exports = (language) => (/^en/i.test(language || "") ? EN : ZH);
