// The receipt page speaks to WeChat's page around it, and to nobody else. It says within three
// seconds which receipt is to be shown, and leads away only when the buyer taps.
(function () {
  "use strict";

  var receipt = document.getElementById("receipt");
  if (!receipt || window.parent === window) return;

  // WeChat's page has one of a few origins; where the browser says which, that one is told.
  var parents = receipt.dataset.parents.split(" ");
  var around = location.ancestorOrigins && location.ancestorOrigins[0];
  var origin = parents.indexOf(around) < 0 ? parents[0] : around;

  function tell(message) {
    window.parent.postMessage(JSON.stringify(message), origin);
  }

  tell({ action: "onIframeReady", displayStyle: receipt.dataset.display });

  var leave = document.getElementById("leave");
  if (leave) {
    leave.addEventListener("click", function (event) {
      event.preventDefault();
      tell({ action: "jumpOut", jumpOutUrl: leave.href });
    });
  }
})();
