// The few lines of script of the hosted page, for where the element cannot run. They decide
// nothing: whatever the cashier says, the next page shows what the server knows.
(function () {
  "use strict";

  var LOOK_EVERY_MS = 5000;

  var cashier = document.getElementById("cashier");
  if (cashier) openCashier(cashier.dataset);

  var waiting = document.querySelector("[data-waits]");
  if (waiting) setTimeout(look, LOOK_EVERY_MS);

  // A browser with script and without the element (too old, or the element has failed) is told by
  // nobody. The page turns once there is news, and not before: the buyer may be reading it.
  function look() {
    setTimeout(look, LOOK_EVERY_MS);
    var isInView = waiting.getClientRects().length > 0;
    if (!isInView || document.hidden || !window.fetch) return;
    var token = waiting.closest("wechat-pay").getAttribute("token");
    fetch("/v1/checkouts/" + token, { credentials: "omit" })
      .then(function (response) { return response.json(); })
      .then(function (checkout) {
        var isNews = checkout.state && String(checkout.version) !== waiting.dataset.waits;
        if (isNews) location.replace(location.pathname);
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
        // "ok" is a hint and no proof, and so is "cancel".
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
