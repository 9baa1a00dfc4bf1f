// What is compared: each subject opens a page with a payment of its own, and says by which condition
// the page shows the code, and by which that it is paid.

const SHADOW = 'document.querySelector("wechat-pay")?.shadowRoot';

/**
 * @typedef {object} Opened
 * @property {string} url
 * @property {() => Promise<number>} [pay] pays, and gives the moment when that was known to the server
 *
 * @typedef {object} Subject
 * @property {string} name
 * @property {Record<string, string>} conditions
 * @property {number} asksEveryMs how often the page asks whether it is paid; 0 where the server holds the question
 * @property {(minutes?: number) => Promise<Opened>} open for a buyer who needs so many minutes
 */

/**
 * In the order of the table's columns.
 * @param {import("./shop.js").Shop} shop
 * @param {import("../merchant.js").Merchant} merchant
 * @returns {Subject[]}
 */
export function subjects(shop, merchant) {
  const paidAtShop = async () => shop.pay(shop.orders.at(-1));
  const paidAtMerchant = (token) => async () => {
    const known = shop.notificationTimes.length;
    await merchant.pay(await merchant.codeUrl(token));
    while (shop.notificationTimes.length === known) await new Promise((resolve) => setTimeout(resolve, 1));
    return shop.notificationTimes[known];
  };
  const ownConditions = {
    code: `${SHADOW}?.querySelector("svg[part~=qr]") || document.querySelector("main svg")`,
    paid: `${SHADOW}?.querySelector("[part~=base]")?.dataset.state === "paid"`,
  };
  return [
    {
      name: "limit",
      conditions: { code: 'document.querySelector("#code svg")' },
      open: async () => ({ url: `${shop.origin}/limit` }),
      asksEveryMs: 0,
    },
    {
      name: "seed",
      conditions: {
        code: 'document.querySelector("canvas[data-drawn]")',
        paid: 'document.querySelector("[data-paid]")',
      },
      asksEveryMs: 2000,
      open: async () => ({ url: `${shop.origin}/seed`, pay: paidAtShop }),
    },
    {
      name: "element",
      conditions: ownConditions,
      asksEveryMs: 0,
      open: async () => {
        const token = await merchant.order();
        return { url: shop.embed(merchant, token), pay: paidAtMerchant(token) };
      },
    },
    {
      name: "hosted",
      conditions: ownConditions,
      asksEveryMs: 0,
      open: async () => {
        const token = await merchant.order();
        return { url: `${merchant.origin}/c/${token}`, pay: paidAtMerchant(token) };
      },
    },
    {
      name: "Adyen",
      conditions: {
        code: '[...document.images].find(({ src, complete, naturalWidth }) => src.includes("barcode") && complete && naturalWidth)',
        paid: 'document.querySelector(".adyen-checkout__qr-loader--result")',
      },
      asksEveryMs: 2000,
      open: async (minutes = 15) => ({ url: `${shop.origin}/adyen?minutes=${minutes}`, pay: paidAtShop }),
    },
  ];
}
