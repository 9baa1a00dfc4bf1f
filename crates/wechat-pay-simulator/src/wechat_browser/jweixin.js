// Replaces WeChat's JS-SDK (jweixin 1.6.0) in the simulator's WeChat browser: the calls that pay and
// that open a page of the mini-program, over the bridge as in the real SDK.
// The signature of wx.config is not checked: the simulator issues no jsapi_ticket.
(() => {
  "use strict";
  let config = {};

  /** Every call sends the arguments of wx.config; without them WeChat gets no appId. */
  function call(name, params, options) {
    if (!window.WeixinJSBridge) return;
    const { appId, timestamp, nonceStr, signature } = config;
    const verified = {
      ...params,
      appId,
      verifyAppId: appId,
      verifySignType: "sha1",
      verifyTimestamp: `${timestamp}`,
      verifyNonceStr: nonceStr,
      verifySignature: signature,
    };
    WeixinJSBridge.invoke(name, verified, (result) => settle(name, result, options));
  }

  /** The page gets the SDK's name of the call, and neither err_code nor err_desc. */
  function settle(name, result, options) {
    const cause = result.err_msg.slice(result.err_msg.indexOf(":") + 1).replace(/^fail_/, "");
    const outcome = cause.replaceAll("_", " ").toLowerCase() || "fail";
    const known = name === "getBrandWCPayRequest" ? "chooseWXPay" : name;
    const told = { errMsg: `${known}:${outcome}` };
    if (outcome === "ok") options.success?.(told);
    else if (outcome === "cancel") options.cancel?.(told);
    else options.fail?.(told);
    options.complete?.(told);
  }

  function whenReady(then) {
    if (window.WeixinJSBridge) then();
    else document.addEventListener("WeixinJSBridgeReady", then, { once: true });
  }

  const ofMiniProgram = (name) => (options = {}) => {
    whenReady(() => call("invokeMiniProgramAPI", { name, arg: { url: options.url } }, options));
  };

  window.wx = window.jWeixin = {
    config(given) {
      config = given;
    },
    ready: whenReady,
    error() {},
    chooseWXPay(options) {
      const { timestamp, nonceStr, package: prepay, paySign, signType = "SHA1" } = options;
      const params = { timeStamp: `${timestamp}`, nonceStr, package: prepay, paySign, signType };
      call("getBrandWCPayRequest", params, options);
    },
    miniProgram: {
      navigateTo: ofMiniProgram("navigateTo"),
      getEnv: (then) => whenReady(() => then({ miniprogram: window.__wxjs_environment === "miniprogram" })),
    },
  };
})();
