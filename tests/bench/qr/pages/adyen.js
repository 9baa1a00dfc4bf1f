// Adyen's WeChat Pay component in a page, as Adyen's documentation has a merchant embed it: the
// backend starts the payment, and the component shows the action that the backend got.
// Adyen's hosts are this page's own: nothing leaves the machine, and Adyen's two further
// connections cost nothing here. A live key goes with hosts that have "live" in their address.
import { AdyenCheckout, WeChat } from "@adyen/adyen-web";

const hosts = new URL("/adyen-live/", location.href).href;
// A component ends after a quarter of an hour if it is not told otherwise.
const countdownTime = new URLSearchParams(location.search).get("minutes");

const response = await fetch("/api/pay", { method: "POST", body: "{}" });
const { code_url, order_no } = await response.json();
AdyenCheckout.register(WeChat);
const checkout = await AdyenCheckout({
  clientKey: `live_${"A".repeat(32)}`,
  environment: "live",
  _environmentUrls: { api: hosts, analytics: hosts, cdn: { images: hosts, translations: hosts } },
  countryCode: "CN",
  locale: "en-US",
  amount: { currency: "CNY", value: 6910 },
  analytics: { enabled: false },
  onError: (error) => console.error(error),
  onPaymentCompleted: () => {},
  onAdditionalDetails: () => {},
});
const action = { type: "qrCode", paymentMethodType: "wechatpayQR", qrCodeData: code_url, paymentData: order_no };
checkout
  .createFromAction(action, countdownTime ? { countdownTime: Number(countdownTime) } : {})
  .mount("#payment");
