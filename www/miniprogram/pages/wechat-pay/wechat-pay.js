/**
 * The page that `<wechat-pay>` opens from a web-view: shows where the payment stands, and goes back
 * when it is paid. What a payment is, is in `payment.js`.
 */
const { merchantApi } = require("./config.js");
const own = require("./own.js");
const { createPayment } = require("./payment.js");
const wordsOf = require("./words.js");

/** How long the buyer sees the success, in milliseconds. */
const SUCCESS_MS = 1200;

/** What the buyer can do in a state: the first is the way on. */
const BUTTONS = {
  unpaid: ["pay", "back"],
  later: ["check", "back"],
  elsewhere: ["takeOver", "back"],
  closed: ["back"],
  problem: ["pay", "back"],
};

Page({
  data: { state: "starting", text: "", buttons: [] },

  onLoad(query) {
    const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : wx.getSystemInfoSync();
    this.words = wordsOf(own(info, "language"));
    let token = "";
    try {
      token = decodeURIComponent(own(query, "token") || "");
    } catch {
      // Not an address of ours: the payment says so.
    }
    this.payment = createPayment({ wx, merchantApi, token, show: (state) => this.show(state) });
    this.payment.pay();
  },

  onUnload() {
    this.payment.end();
    clearTimeout(this.leaving);
  },

  /** A button of the page: `data-does` names what it does. */
  tap(event) {
    const does = event.currentTarget.dataset.does;
    if (does === "back") this.leave();
    else if (does === "pay" || does === "check" || does === "takeOver") this.payment[does]();
  },

  show(state) {
    const buttons = (own(BUTTONS, state) || []).map((does) => ({ does, label: this.words[does] }));
    this.setData({ state, text: this.words[state], buttons });
    if (state === "paid") this.leaving = setTimeout(() => this.leave(), SUCCESS_MS);
  },

  /** Back to the web-view, whose element asks the backend when it is seen again. */
  leave() {
    wx.navigateBack({ delta: 1 });
  },
});
