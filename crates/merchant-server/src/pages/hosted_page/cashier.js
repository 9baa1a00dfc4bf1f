// The script of the hosted page, for browsers in which the element does not run. It decides
// nothing: for every reply of the cashier, the next page shows the state on the server.
(function () {
  "use strict";

  var LOOK_EVERY_MS = 5000;

  var cashier = document.getElementById("cashier");
  if (cashier) openCashier(cashier.dataset);

  var waiting = document.querySelector("[data-waits]");
  if (waiting) setTimeout(look, LOOK_EVERY_MS);

  // For a browser with script but without the element (too old, or the element failed). The page
  // reloads only when the order has changed, because the buyer may be reading it.
  function look() {
    setTimeout(look, LOOK_EVERY_MS);
    var isInView = waiting.getClientRects().length > 0;
    if (!isInView || document.hidden || !window.fetch) return;
    var token = waiting.closest("wechat-pay").getAttribute("token");
    fetch("/v1/checkouts/" + token, { credentials: "omit" })
      .then(function (response) { return response.json(); })
      .then(function (checkout) {
        var hasChanged = checkout.state && String(checkout.version) !== waiting.dataset.waits;
        if (hasChanged) location.replace(location.pathname);
      })
      .catch(function () {});
  }

  function openCashier(data) {
    var isOpened = false;
    function invoke() {
      if (isOpened) return;
      isOpened = true;
      window.WeixinJSBridge.invoke("getBrandWCPayRequest", {
        appId: data.appId,
        timeStamp: data.timeStamp,
        nonceStr: data.nonceStr,
        package: data.package,
        signType: data.signType,
        paySign: data.paySign,
      }, function () {
        // Neither "ok" nor "cancel" is a proof; both are hints.
        location.replace(data.back);
      });
    }
    if (window.WeixinJSBridge) {
      invoke();
    } else {
      document.addEventListener("WeixinJSBridgeReady", invoke);
    }
  }
})();
