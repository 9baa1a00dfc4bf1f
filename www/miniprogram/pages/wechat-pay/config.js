/** The base address of the merchant API: https, without a slash at the end. */
module.exports = { merchantApi: "https://pay.shop.example/v1" };
