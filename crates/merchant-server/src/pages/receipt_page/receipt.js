// The script of the receipt page. It sends messages only to WeChat's page around it: within three
// seconds which receipt to show, and the address to open when the buyer taps.
(function () {
  "use strict";

  var receipt = document.getElementById("receipt");
  if (!receipt || window.parent === window) return;

  // WeChat's page has one of a few origins. If the browser reports its origin, the messages go there.
  var parents = receipt.dataset.parents.split(" ");
  var around = location.ancestorOrigins && location.ancestorOrigins[0];
  var origin = parents.indexOf(around) < 0 ? parents[0] : around;

  function send(message) {
    window.parent.postMessage(JSON.stringify(message), origin);
  }

  send({ action: "onIframeReady", displayStyle: receipt.dataset.display });

  var leave = document.getElementById("leave");
  if (leave) {
    leave.addEventListener("click", function (event) {
      event.preventDefault();
      send({ action: "jumpOut", jumpOutUrl: leave.href });
    });
  }
})();
