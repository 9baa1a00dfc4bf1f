// The page that a guide to WeChat Pay has a shop write: ask the backend for a code, draw it on a
// canvas with qrcode.js, then ask every two seconds whether it is paid.
import QRCode from "qrcode";

const ASK_EVERY_MS = 2000;

const canvas = document.getElementById("code");
const status = document.getElementById("status");

async function ask(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

async function order() {
  const { code_url, order_no } = await ask("/api/pay", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ product: "coffee" }),
  });
  await QRCode.toCanvas(canvas, code_url, { width: 240, margin: 4 });
  canvas.dataset.drawn = "";
  status.textContent = "Scan the code with WeChat";
  return order_no;
}

function waitForPayment(order_no) {
  const timer = setInterval(async () => {
    try {
      const { paid } = await ask(`/api/paid?order_no=${order_no}`);
      if (!paid) return;
      clearInterval(timer);
      canvas.remove();
      status.textContent = "Paid. Thank you!";
      status.dataset.paid = "";
    } catch {
      // The next question may be answered.
    }
  }, ASK_EVERY_MS);
}

try {
  waitForPayment(await order());
} catch {
  status.textContent = "That did not work. Please try again.";
}
