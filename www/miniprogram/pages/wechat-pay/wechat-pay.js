/**
 * The page that `<wechat-pay>` opens from a web-view. It shows the state of the payment, and returns to
 * the web-view when the order is paid. The payment itself is in `payment.js`.
 */
const { merchantApi } = require("./config.js");
const own = require("./own.js");
const { createPayment } = require("./payment.js");
const wordsOf = require("./words.js");

/** How long the success is shown, in milliseconds. */
const SUCCESS_MS = 1200;

/** The buttons of each state; the first is the primary one. */
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
      // An invalid token: the payment shows the problem.
    }
    this.payment = createPayment({ wx, merchantApi, token, show: (state) => this.show(state) });
    this.payment.pay();
  },

  onUnload() {
    this.payment.end();
    clearTimeout(this.leaving);
  },

  /** Handles a tap on a button; `data-does` names the action. */
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

  /** Returns to the web-view, whose element polls the backend when it is visible again. */
  leave() {
    wx.navigateBack({ delta: 1 });
  },
});
