// The few lines of script of the hosted page, for where the element cannot run. They decide
// nothing: whatever the cashier says, the next page shows what the server knows.
(function () {
  "use strict";

  var cashier = document.getElementById("cashier");
  if (cashier) openCashier(cashier.dataset);

  // The element failed and the page's own content is in view: look again as a page without
  // script does.
  document.addEventListener("problem", function (event) {
    var code = event.detail && event.detail.code;
    if (code !== "WIDGET_UNAVAILABLE" && code !== "WIDGET_STOPPED") return;
    if (document.querySelector("[data-waits]")) {
      setTimeout(function () { location.reload(); }, 5000);
    }
  });

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
