// The script of the hosted page. It hands a card with a code over to the element, and does the rest in
// browsers in which the element does not run. It decides nothing: for every reply of the cashier, the
// next page shows the state on the server.
(function () {
  "use strict";

  var LOOK_EVERY_MS = 5000;
  var ELEMENT_COMES_WITHIN_MS = 10000;

  var cashier = document.getElementById("cashier");
  if (cashier) openCashier(cashier.dataset);

  var element = document.querySelector("wechat-pay");
  var served = document.querySelector(".served");
  var waiting = document.querySelector("[data-waits]");
  var clock = document.querySelector("[data-remaining-ms]");
  var bar = document.querySelector(".countdown progress");
  var endMs = clock && Number(clock.dataset.remainingMs) + performance.now();
  var looking, ticking;

  begin();
  if (served) handOver();

  function begin() {
    stop();
    if (waiting) looking = setTimeout(look, LOOK_EVERY_MS);
    if (clock) countDown();
  }

  function stop() {
    clearTimeout(looking);
    clearTimeout(ticking);
  }

  // For a browser with script but without the element (too old, or the element failed). The page
  // reloads only when the order has changed, because the buyer may be reading it.
  function look() {
    looking = setTimeout(look, LOOK_EVERY_MS);
    if (!isInView(waiting) || document.hidden || !window.fetch) return;
    var token = element.getAttribute("token");
    fetch("/v1/checkouts/" + token, { credentials: "omit" })
      .then(function (response) { return response.json(); })
      .then(function (checkout) {
        var hasChanged = checkout.state && String(checkout.version) !== waiting.dataset.waits;
        if (hasChanged) location.replace(location.pathname);
      })
      .catch(function () {});
  }

  // The server's card stays in view until the element shows more than that it is loading. Then it
  // becomes what the element shows if it fails later.
  function handOver() {
    element.addEventListener("state-change", function (event) {
      if (/^(loading|starting)$/.test(event.detail.state)) return;
      give();
      stop();
    });
    element.addEventListener("problem", function (event) {
      if (!/^WIDGET_/.test(event.detail.code)) return;
      give();
      begin();
    });
    setTimeout(standAlone, ELEMENT_COMES_WITHIN_MS);
  }

  function give() {
    if (served.parentNode === element) return;
    var hadFocus = served.contains(document.activeElement);
    served.slot = "fallback";
    element.appendChild(served);
    standAlone();
    var card = element.shadowRoot && element.shadowRoot.querySelector("[part=base]");
    if (hadFocus && card) card.focus();
  }

  function standAlone() {
    served.classList.add("alone");
  }

  // The end of the time is a page of its own.
  function countDown() {
    if (!isInView(clock)) return;
    var leftS = Math.max(0, Math.ceil((endMs - performance.now()) / 1000));
    var texts = [Math.floor(leftS / 60) % 60, leftS % 60];
    if (leftS >= 3600) texts.unshift(Math.floor(leftS / 3600));
    bar.value = 1000 * leftS;
    clock.textContent = texts.map(function (number) { return (number < 10 ? "0" : "") + number; }).join(":");
    if (leftS > 0) ticking = setTimeout(countDown, 1000);
    else location.replace(location.pathname);
  }

  function isInView(node) {
    return node.getClientRects().length > 0;
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
