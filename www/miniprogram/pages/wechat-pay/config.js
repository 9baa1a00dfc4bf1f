/** Base of the merchant API, an https address without a slash at its end. */
module.exports = { merchantApi: "https://pay.shop.example/v1" };
