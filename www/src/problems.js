// @ts-check
/**
 * The cause and the fix of each problem, for the merchant's engineer, in Chinese and English. The script
 * that buyers load does not contain this table: `problems.html` is generated from it, and a backend's log
 * or a support tool may import it.
 */

/**
 * @typedef {{cause: string, fix: string}} Explanation
 * @typedef {{zh: Explanation, en: Explanation}} InBoth
 */

/** @param {string} causeZh @param {string} fixZh @param {string} causeEn @param {string} fixEn */
const both = (causeZh, fixZh, causeEn, fixEn) => ({
  zh: { cause: causeZh, fix: fixZh },
  en: { cause: causeEn, fix: fixEn },
});

/** By the event's `code`. @type {Record<string, InBoth>} */
export const BY_CODE = {
  // The element's own attributes.
  TOKEN_INVALID: both("没有 token，或者它不是 8 到 256 个 URL 安全字符", "填入 POST /v1/orders 返回的 token", "There is no token, or it is not 8 to 256 URL-safe characters", "Set the token that POST /v1/orders returned"),
  MERCHANT_API_INVALID: both("merchant-api 缺失，或不是 http(s) 地址或以 / 开头的路径", "填入例如 https://pay.shop.example/v1，不带查询参数；使用 transport 时不需要；React 服务端渲染（hydration）不会设置对象属性，请使用 wechat-pay-widget/react", "merchant-api is missing, or is neither an http(s) address nor a path that starts with /", "Set for example https://pay.shop.example/v1, without a query. It is not needed with a transport. React sets no object properties when it hydrates a page: use wechat-pay-widget/react there"),
  SCENE_INVALID: both("scene 不是 auto、native、h5、jsapi 或 mini_program", "改正拼写；组件已按 auto 继续", "scene is none of auto, native, h5, jsapi, mini_program", "Correct the value; the element continues with auto"),
  SCENE_IMPOSSIBLE: both("页面用 scene 要求的支付产品在这里无法支付：微信外没有微信收银台（jsapi、mini_program），微信内不能用 native 和 h5，或商户没有该产品。raw 是该产品。组件已按买家的环境继续", "去掉 scene（或写 auto），由组件选择；确实需要时，只在对应的环境里设置", "The page requires a product by scene that nobody can pay here: WeChat's cashier outside WeChat (jsapi, mini_program), native or h5 inside WeChat, or a product that the merchant does not have. raw is the product. The element continues with what the buyer's environment allows", "Leave scene out (or set auto), so that the element decides; set a product only where it can be paid"),
  AUTO_START_INVALID: both("auto-start 既不是 true 也不是 false", "写 auto-start（或 auto-start=\"true\"）表示开启，去掉该属性或写 auto-start=\"false\" 表示关闭；组件已按关闭继续", "auto-start is neither true nor false", "Write auto-start (or auto-start=\"true\") to switch it on; leave it out or write auto-start=\"false\" to switch it off. The element continues with it switched off"),
  SUCCESS_URL_INVALID: both("success-url 不是 https 地址（http 仅限本机）", "填入 https 地址，或 https 页面上的路径；支付照常进行，只是不跳转", "success-url is not an https address (http is only for this machine)", "Set an https address, or a path on an https page. The payment continues, without this navigation"),
  RETURN_URL_INVALID: both("return-url 不是 http(s) 地址", "填入 https 地址或路径；组件已改用当前页面地址", "return-url is not an http(s) address", "Set an https address or a path. The element uses the page's own address"),
  SUPPORT_URL_INVALID: both("support-url 不是 http(s)、mailto 或 tel 地址", "改正地址；组件不显示该链接", "support-url is not an http(s), mailto or tel address", "Correct the address. The element does not show the link"),
  CHECKOUT_URL_INVALID: both("checkout-url 不是 http(s) 地址（只有 Rust 组件会报告）", "改正地址", "checkout-url is not an http(s) address (reported by the Rust component only)", "Correct the address"),
  LOCALE_INVALID: both("locale 不是语言标签，例如 zh-CN、en", "改正标签；组件已使用页面的语言", "locale is not a language tag such as zh-CN or en", "Correct the tag. The element uses the page's language"),
  THEME_INVALID: both("theme 不是 auto、light 或 dark", "改正拼写；组件已按页面的 color-scheme 显示", "theme is none of auto, light, dark", "Correct the value. The element uses the page's color-scheme"),
  WASM_UNAVAILABLE: both("WebAssembly 用不了：策略（CSP）没有 'wasm-unsafe-eval'，.wasm 文件没有送达，或浏览器禁用了 WebAssembly（锁定模式、坚盾模式）。支付照常进行，组件以 JavaScript 运行，多下载约 66 KB", "在 CSP 的 script-src 中加入 'wasm-unsafe-eval'；确认 .wasm 文件与脚本在同一目录，并以 application/wasm 类型提供；浏览器自己禁用时无需处理", "There is no WebAssembly: the policy has no 'wasm-unsafe-eval', the .wasm file did not arrive, or the browser forbids it (Lockdown Mode). The payment continues: the widget runs as JavaScript, which is a download of some 66 KB more", "Add 'wasm-unsafe-eval' to script-src of the policy. Check that the .wasm file is beside the script and is served as application/wasm. If the browser itself forbids it, there is nothing to do"),
  WORDS_UNAVAILABLE: both("英文或繁体中文的文字文件没有送达，或超过 5 秒。支付照常进行，买家看到简体中文", "确认 .en.json 和 .zh-Hant.json 与脚本在同一目录；CSP 的 connect-src 需要允许脚本所在的来源", "The file with the English or Traditional Chinese sentences did not arrive, or took more than 5 seconds. The payment continues, and the buyer reads Simplified Chinese", "Check that the .en.json and .zh-Hant.json files are beside the script, and that connect-src of the policy allows the script's origin"),
  WIDGET_UNAVAILABLE: both("组件没有加载成功：.wasm 与代替它的 .nowasm.js 都没有送达（网络、文件缺失、策略）", "查看 raw 与控制台：两个文件都要在脚本旁边；CSP 的 script-src 需要允许 .nowasm.js 或 'wasm-unsafe-eval'，限定 Trusted Types 策略名时加上 wechat-pay；设置 checkout-url，买家便可打开收银台页面", "The widget did not load: neither the .wasm file nor the .nowasm.js file in its place arrived (network, missing files, a policy)", "See raw and the console. Both files have to be beside the script. script-src of the policy has to allow 'wasm-unsafe-eval' or the .nowasm.js file; a list of Trusted Types policies has to name wechat-pay. Set checkout-url, so that buyers can open the hosted page"),
  WIDGET_LATE: both("WebAssembly 在 10 秒内没有加载完：网络慢，或下载中途停住。买家先看到其他支付方式，组件加载完成后会自动接上", "检查文件的托管与压缩（应为 brotli），并在页面中预加载脚本和 WebAssembly；设置 checkout-url，买家便可打开收银台页面", "The WebAssembly had not loaded after 10 seconds: a slow network, or a download that stalled. The buyer sees another way to pay, and the widget takes over when it arrives", "Check how the files are hosted and compressed (brotli), and preload the script and the WebAssembly in the page. Set checkout-url, so that buyers can open the hosted page"),
  WIDGET_STOPPED: both("组件内部出错并已停止；订单不受影响", "把控制台内容提交为问题报告；买家可刷新页面或使用 checkout-url", "The element failed internally and has stopped; the order is not affected", "Report the text in the console. The buyer can reload the page, or use checkout-url"),
  // The contract.
  UNREACHABLE: both("没有收到商户接口的任何响应：域名、端口、证书、网络，页面 CSP 的 connect-src，或自建后端的响应没有 Access-Control-Allow-Origin", "在浏览器网络面板查看控制台给出的请求；自建后端的错误响应也要带上该响应头。本项目服务器对未登记的来源会回答 ORIGIN_NOT_ALLOWED", "The page received no readable response from the merchant API: domain, port, certificate, network, the policy's connect-src, or your own backend answers without Access-Control-Allow-Origin", "In the browser's network panel, look at the request that the console names. Your own backend must send the header on errors too. Our server answers ORIGIN_NOT_ALLOWED to an unknown origin"),
  REFUSED: both("后端拒绝，但没有使用接口约定的错误码（例如代理的错误页，或 transport 抛出的异常）", "raw 是状态码或异常信息；按它排查后端", "The backend refused without a code of the contract (a proxy's error page, or an exception of a transport)", "raw is the status or the exception's message; use it to find the fault in the backend"),
  ANSWER_MALFORMED: both("后端的回答不符合接口约定", "field 是字段，raw 是规则；对照 openapi.json 修正", "The backend's answer breaks the contract", "field is the field and raw is the rule; compare with openapi.json"),
  ACTION_UNEXPECTED: both("回答中没有该支付产品的动作（例如 native 没有 code_url）", "让 attempts 按 product 返回对应字段", "The answer lacks the product's action (for example native without code_url)", "Let attempts return the field that belongs to the product"),
  INVALID_REQUEST: both("商户接口不接受该请求", "field 是字段", "The merchant API does not accept the request", "field is the invalid field"),
  CHECKOUT_UNKNOWN: both("没有这个 token 的订单", "token 是否完整？是否来自另一个环境的服务器？", "There is no order with this token", "Is the token complete? Is it from this server, and not from another environment?"),
  CHECKOUT_EXPIRED: both("订单的支付时间已过", "重新下单", "The time to pay this order is over", "Create a new order"),
  ORIGIN_NOT_ALLOWED: both("页面的来源（协议、域名和端口）不在商户服务器的 allowed_origins 中", "把 raw 中的来源原样加入 allowed_origins，然后重新加载配置", "The page's origin (scheme, host and port) is not in the merchant server's allowed_origins", "Add the origin in raw to allowed_origins, unchanged, and reload the configuration"),
  ROUTE_UNKNOWN: both("后端没有这个接口：merchant-api 的路径不对", "检查 merchant-api（本项目服务器为 /v1）", "The backend has no such route: the path of merchant-api is wrong", "Check merchant-api (for our server it ends in /v1)"),
  METHOD_NOT_ALLOWED: both("后端的这个接口不接受该请求方法：merchant-api 的路径不对，或代理改了请求", "检查 merchant-api 和代理", "The route does not support this method: the path of merchant-api is wrong, or a proxy changes requests", "Check merchant-api and the proxy"),
  ATTEMPT_SUPERSEDED: both("另一台设备已发起更新的支付", "无需处理；买家可选择“改在本设备支付”", "Another device has started a newer attempt", "Nothing to do. The buyer can continue the payment here"),
  PRODUCT_UNAVAILABLE: both("商户未开通该支付产品", "在微信支付商户平台开通，或从 products 中去掉", "The merchant account does not have this product", "Apply for it in WeChat Pay's merchant platform, or remove it from products"),
  PAYER_UNAVAILABLE: both("无法取得买家的 openid（拒绝授权，或公众号未配置网页授权域名）", "检查公众号的网页授权域名", "The buyer's openid is not available (the buyer refused, or the official account has no authorised OAuth domain)", "Check the official account's OAuth domain"),
  PAYER_INVALID: both("授权结果已被使用或已过期", "买家重试即可", "The result of the authorisation is used up or expired", "The buyer can try again"),
  RETURN_URL_REFUSED: both("返回地址的域名不在 return_origins 中", "加入该域名；它也必须是微信支付登记的 H5 域名", "The domain of the return address is not in return_origins", "Add the domain. It must also be registered at WeChat Pay as an H5 domain"),
  TOO_LARGE: both("请求过大", "检查描述等字段", "The request is too large", "Check the description and similar fields"),
  RATE_LIMITED: both("请求过于频繁", "稍后自动重试；若经常出现，检查 trusted_proxies", "Too many requests", "The element retries later. If this is frequent, check trusted_proxies"),
  WECHAT_REFUSED: both("微信支付拒绝下单", "raw 是微信的错误码；在服务器日志中查看详情", "WeChat Pay refused the order", "raw is WeChat's error code; the server's log has the details"),
  ATTEMPT_IN_DOUBT: both("上一次支付的结果尚不确定，为避免重复扣款暂不新建", "自动重试；若持续，检查服务器到微信支付的网络", "The result of the last attempt is not known, and a new attempt could lead to a second payment", "The element retries. If this persists, check the network between the server and WeChat Pay"),
  WECHAT_UNAVAILABLE: both("微信支付没有响应", "自动重试", "WeChat Pay does not answer", "The element retries"),
  DATABASE_UNAVAILABLE: both("商户服务器的数据库暂不可用", "自动重试；若持续，检查数据库的连接、权限和磁盘", "The merchant server's database cannot be used at the moment", "The element retries. If this persists, check the database: its connection, its rights, its disk"),
  INTERNAL: both("商户服务器内部错误", "按 request id 查看服务器日志", "The merchant server failed internally", "Find the request id in the server's log"),
  // Addresses that an answer gave, and that were not followed.
  CODE_URL_REFUSED: both("code_url 不是 weixin:// 地址", "原样返回微信给的 code_url，不要改写或缩短", "code_url is not a weixin:// address", "Return WeChat's code_url unchanged, neither rewritten nor shortened"),
  H5_URL_REFUSED: both("h5_url 不是 https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb", "原样返回微信给的 h5_url，不要经过中间跳转", "h5_url is not https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb", "Return WeChat's h5_url unchanged, without a redirect in between"),
  AUTHORIZE_URL_REFUSED: both("authorize_url 不是 open.weixin.qq.com 的授权地址", "检查后端拼接的授权地址", "authorize_url is not an OAuth address of open.weixin.qq.com", "Check how the backend builds the address"),
  SUCCESS_URL_REFUSED: both("后端给的 success_url 不是 https 地址（http 仅限本机）", "检查订单中的地址", "The backend's success_url is not an https address (http is only for this machine)", "Check the address in the order"),
  MINI_PROGRAM_PATH_REFUSED: both("mini_program_path 不以 / 开头", "填入小程序页面路径，例如 /pages/pay/pay", "mini_program_path does not start with /", "Set the path of the mini-program's page, for example /pages/pay/pay"),
  MINI_PROGRAM_UNREACHABLE: both("无法从网页打开小程序页面", "确认该路径存在于小程序中，且网页域名已配置为业务域名；若仍不行，在页面中引入 jweixin，组件会改用 wx.miniProgram", "The mini-program's page could not be opened from the web page", "Check that the page exists in the mini-program, and that the site is one of its business domains. If both are right, load jweixin in the page: the element then uses wx.miniProgram"),
  // WeChat's cashier.
  BRIDGE_MISSING: both("WeixinJSBridge 在限定时间内没有出现", "页面是否在微信内打开？是否被放在 iframe 里？", "WeixinJSBridge did not appear in time", "Is the page open inside WeChat? Is it in an iframe?"),
  CASHIER_FAILED: both("微信收银台失败，且未说明原因", "raw 是微信返回的原文；对照下表", "WeChat's cashier failed without a reason", "raw is WeChat's original message; see the table below"),
  CASHIER_DENIED: both("页面不在商户的支付授权目录内，或域名、appid 不匹配。有的微信版本只弹出提示并返回 cancel，组件会当作买家取消，不报告本问题", "在商户平台登记支付授权目录（协议、大小写、www 都要一致），约 5 分钟生效", "The page is outside the merchant's authorised payment directories, or its domain or appid does not match. Some WeChat versions only show a dialog and return cancel: the element treats this as a cancel by the buyer and reports no problem", "Register the directory in the merchant platform (scheme, letter case and www must match). It takes effect after about five minutes"),
  LANDING_URL_DENIED: both("iOS 微信按买家最初打开的地址检查授权目录，而不是单页应用当前的地址。有的版本只弹出提示并返回 cancel，组件会当作买家取消，不报告本问题", "登记根目录，或以整页跳转进入支付页", "On iOS, WeChat checks the address that the buyer opened first, and not the current address of a single-page application. Some versions only show a dialog and return cancel: the element treats this as a cancel by the buyer and reports no problem", "Register the root directory, or open the payment page by a full navigation"),
  SIGNATURE_REFUSED: both("paySign 校验失败", "APIv3：签名串为 appId、timeStamp、nonceStr、package 四行，signType 为 RSA，检查商户私钥与 appid。APIv2：signType 须与下单时一致（MD5 或 HMAC-SHA256），用 APIv2 密钥签名并转为大写", "WeChat refuses paySign", "APIv3: sign the four lines appId, timeStamp, nonceStr and package, with signType RSA, and check the merchant's private key and the appid. APIv2: signType must be the one of the order (MD5 or HMAC-SHA256); sign with the APIv2 key, in capital letters"),
  PREPAY_ID_REFUSED: both("prepay_id 已过期（2 小时）、属于另一个 appid，或 package 缺少 prepay_id= 前缀", "重新发起支付；检查 package", "prepay_id has expired (two hours), belongs to another appid, or package lacks the prefix prepay_id=", "Start the payment again. Check package"),
  CASHIER_PARAMETER_MISSING: both("六个参数缺少一个，或不是字符串（iOS 要求 timeStamp 为字符串）", "全部以字符串返回，注意大小写", "One of the six parameters is missing, or is not a string (iOS requires timeStamp as a string)", "Return all of them as strings, with WeChat's letter case"),
  CASHIER_UNSUPPORTED: both("该客户端没有收银台（微信电脑版、部分企业微信）", "提供 native，组件会显示二维码", "This client has no cashier (WeChat on a computer, some versions of WeCom)", "Offer native: the element then shows a QR code"),
};

/** iOS and Android show different messages for this cause. */
const SECOND_ACCOUNT = both("同一个 h5_url 被第二个微信账号打开（iOS 提示“签名验证失败”，Android 提示“系统繁忙”）；或微信系统繁忙", "由第一个账号支付，或重新点击支付以取得新的 h5_url", "A second WeChat account opened the same h5_url (the message on iOS is 签名验证失败, on Android 系统繁忙), or WeChat is busy", "Pay with the first account, or press the button again to get a new h5_url");

const NO_PRODUCT = both("商户号没有开通该支付产品，或特约商户没有授权给服务商", "在微信支付商户平台的产品中心开通该产品；服务商检查特约商户的授权", "The merchant number does not have this product, or the sub-merchant has not authorised the service provider", "Apply for the product in WeChat Pay's merchant platform (产品中心). A service provider checks the sub-merchant's authorisation");
const UNBOUND = both("appid 与商户号没有绑定", "在商户平台的 AppID 账号管理中关联两者，并在公众号中确认；check-config --live --place-order 可以验证", "The appid and the merchant number are not bound to each other", "Bind them in the merchant platform (AppID 账号管理), and confirm in the official account. check-config --live --place-order proves it");
const WRONG_KEY = both("服务器对微信支付的请求签名不对：密钥或证书序列号与商户平台中的不一致", "APIv2：核对 APIv2 密钥；APIv3：核对商户私钥与 serial_no；用 check-config --live 验证", "The signature of the server's call to WeChat Pay is wrong: the key or the certificate's serial number is not the one in the merchant platform", "APIv2: compare the APIv2 key. APIv3: compare the merchant's private key and serial_no. check-config --live proves it");

/** By WeChat's own messages, shown to the buyer or in `raw`. @type {(InBoth & {says: string})[]} */
export const BY_WORDS = [
  { says: "当前页面的URL未注册", ...BY_CODE.CASHIER_DENIED },
  { says: "access_denied", ...BY_CODE.CASHIER_DENIED },
  { says: "access_control:not_allow", ...BY_CODE.CASHIER_DENIED },
  { says: "access_not_allow", ...both("支付测试目录只允许白名单中的微信号支付；或页面不在支付授权目录内", "把测试人员的微信号加入白名单，正式上线请登记支付授权目录", "A payment test directory allows only accounts on its whitelist; or the page is outside the authorised directories", "Add the tester's WeChat account to the whitelist; for real use, register the payment directory") },
  { says: "没有权限支付本次交易", ...both("下单所用的 appid 没有支付权限：appid 写错，或公众号的微信支付没有审核通过", "核对 appid；在公众平台确认微信支付各项审核均已通过", "The appid of the order has no right to pay: it is the wrong one, or the official account's WeChat Pay is not approved", "Check the appid. In the official account's platform, check that all reviews of WeChat Pay are passed") },
  { says: "无效的商户号", ...both("商户号写错、没有开通，或没有与该 appid 绑定", "核对商户号；在公众平台确认审核已通过，并绑定 appid", "The merchant number is wrong, not approved, or not bound to the appid", "Check the merchant number, its approval, and its binding to the appid") },
  { says: "支付签名无效", ...BY_CODE.SIGNATURE_REFUSED },
  { says: "产品权限未开通", ...NO_PRODUCT },
  { says: "NO_AUTH", ...NO_PRODUCT },
  { says: "NOAUTH", ...NO_PRODUCT },
  { says: "APPID_MCHID_NOT_MATCH", ...UNBOUND },
  { says: "appid和mch_id不匹配", ...UNBOUND },
  { says: "appid和商户号不匹配", ...UNBOUND },
  { says: "SIGN_ERROR", ...WRONG_KEY },
  { says: "SIGNERROR", ...WRONG_KEY },
  { says: "签名错误", ...WRONG_KEY },
  { says: "fail_no permission to execute", ...BY_CODE.CASHIER_DENIED },
  { says: "fail_invalid appid", ...both("appid 与页面或商户号不匹配", "检查 appid 与 mchid 的绑定及支付授权目录", "The appid does not match the page or the merchant number", "Check the binding of appid and mchid, and the payment directories") },
  { says: "permission denied", ...BY_CODE.CASHIER_DENIED },
  { says: "permission value is offline verifying", ...both("wx.config 尚未完成验证就调用了 wx.chooseWXPay", "在 wx.ready 之后再让组件开始；检查 wx.config 的签名与 jsApiList", "wx.chooseWXPay was called before wx.config was verified", "Start the element after wx.ready. Check the signature of wx.config and its jsApiList") },
  { says: "支付验证签名失败", ...BY_CODE.SIGNATURE_REFUSED },
  { says: "Unable to verify signature", ...BY_CODE.SIGNATURE_REFUSED },
  { says: "缺少参数:total_fee", ...BY_CODE.PREPAY_ID_REFUSED },
  { says: "缺少参数", ...BY_CODE.CASHIER_PARAMETER_MISSING },
  { says: "fail_nosupport", ...BY_CODE.CASHIER_UNSUPPORTED },
  { says: "function_not_exist", ...BY_CODE.CASHIER_UNSUPPORTED },
  { says: "function_not_implement", ...BY_CODE.CASHIER_UNSUPPORTED },
  { says: "商家参数格式有误", ...both("打开 h5_url 时没有 Referer", "组件自己的链接总会带上来源；自行跳转时不要使用 no-referrer 或 rel=noreferrer；App 内嵌页需由 App 设置 Referer", "h5_url was opened without a Referer", "The element's own link always sends a Referer, whatever the page's policy. If you navigate by yourself, do not use no-referrer or rel=noreferrer. An app must set the Referer of its web-view") },
  { says: "商家存在未配置的参数", ...both("页面域名或 redirect_url 的域名不是登记的 H5 域名", "在商户平台登记 H5 支付域名", "The domain of the page or of redirect_url is not a registered H5 domain", "Register the H5 payment domain in the merchant platform") },
  { says: "支付请求已失效", ...both("h5_url 超过 5 分钟", "重新点击支付；不要缓存 h5_url", "h5_url is older than five minutes", "Press the button again. Do not cache h5_url") },
  { says: "网络环境未能通过安全验证", ...both("下单时上送的买家 IP 与支付时不一致", "检查 trusted_proxies，让服务器得到买家真实 IP；买家换网络后需重试", "The buyer's IP address at the order differs from the one at the payment", "Check trusted_proxies, so that the server gets the buyer's real address. After a change of network the buyer must try again") },
  { says: "签名验证失败", ...SECOND_ACCOUNT },
  { says: "系统繁忙", ...SECOND_ACCOUNT },
  { says: "请在微信外打开订单", ...both("在微信内使用了 H5 支付", "微信内请使用 jsapi", "H5 was used inside WeChat", "Use jsapi inside WeChat") },
  { says: "暂不支持通过长按识别二维码", ...both("Native 二维码只能扫描，不能长按或从相册识别", "手机上请使用 jsapi 或 h5，或用另一台设备扫码", "A Native code can only be scanned; it cannot be long-pressed or read from the album", "On a phone, use jsapi or h5, or scan with another device") },
  { says: "商家订单信息有误", ...both("同一订单被第二个微信账号打开", "由第一个账号支付，或重新下单", "A second WeChat account opened the same order", "Pay with the first account, or create a new order") },
  { says: "该交易方式存在风险", ...both("把 code_url 当作链接打开", "code_url 只能生成二维码", "code_url was opened as a link", "code_url can only be shown as a QR code") },
  { says: "无效的openid", ...both("openid 不属于下单所用的 appid", "用同一个 appid 授权和下单", "The openid does not belong to the appid of the order", "Use the same appid for the authorisation and the order") },
];

/**
 * By what a person sees where no message comes: WeChat's own list of frequent mistakes, and what this
 * element and its server do about each.
 *
 * @type {(InBoth & {seen: {zh: string, en: string}})[]}
 */
export const BY_SYMPTOM = [
  { seen: { zh: "点击支付按钮后没有反应", en: "The pay button does nothing" }, ...both("页面不在支付授权目录内，或页面没有 WeixinJSBridge。组件会报告 CASHIER_DENIED 或 BRIDGE_MISSING；收银台一直没有回应时，买家会看到“我已支付”和“再次打开”", "登记支付授权目录，并在微信内打开页面", "The page is outside the authorised directories, or it has no WeixinJSBridge. The element reports CASHIER_DENIED or BRIDGE_MISSING. If the cashier stays silent, the buyer can say that it is paid, or open it again", "Register the payment directory, and open the page inside WeChat") },
  { seen: { zh: "点击支付页面的链接后没有反应", en: "The link to the payment page does nothing" }, ...both("测试目录下的页面只能由白名单用户在公众号会话内打开", "把链接发到公众号会话里再点开，或登记正式的支付授权目录", "A page of a test directory opens only from the official account's chat, for accounts on the whitelist", "Send the link into that chat and open it there, or register the directory for real use") },
  { seen: { zh: "支付完成后又回到输入密码的页面，被扣了两次款", en: "After a payment the buyer is asked for the password again, and pays twice" }, ...both("一次购买下了两个单。组件同时只发起一次支付；服务器用新单号之前先查询并关闭旧单。仍然发生的第二笔付款记为 surplus，并以 payment.surplus 通知后端", "每次购买只创建一个订单（POST /v1/orders 的 order_no）；对 payment.surplus 退款", "Two orders were made for one purchase. The element runs one attempt at a time, and the server queries and closes the old number before it uses a new one. A second payment that happens all the same is a surplus: the backend gets payment.surplus", "Make one order for one purchase (order_no of POST /v1/orders), and refund a payment.surplus") },
  { seen: { zh: "收不到支付结果通知", en: "No notification of the payment arrives" }, ...both("通知地址在外网打不开，或被防火墙、登录页拦截。没有通知时服务器会自行查询，买家照样看到已支付", "确认外网能访问 notify_url；check-config --live 会检查该地址", "The address is not reachable from outside, or a firewall or a login page is in front of it. Without notifications the server queries by itself, and the buyer still sees that it is paid", "Check that notify_url is reachable from outside; check-config --live tries it") },
  { seen: { zh: "参数大小写、类型或时间戳不对", en: "Letter case, type or timestamp of a parameter is wrong" }, ...both("签名要大写，所有参数都是字符串，timeStamp 是 10 位秒数的字符串。本项目的服务器自己生成并签名这些参数", "自建后端请照此返回；组件发现缺少或不是字符串的参数时报告 CASHIER_PARAMETER_MISSING", "Signatures are in capital letters, all parameters are strings, and timeStamp is a string of ten digits. Our server makes and signs the parameters itself", "Let your own backend return them so. The element reports CASHIER_PARAMETER_MISSING if one is missing or is not a string") },
  { seen: { zh: "订单号重复，或支付失败后换了新订单号", en: "An order number is used twice, or a new number is used after a failure" }, ...both("同一商户号下 out_trade_no 必须唯一，失败后要用原单号重试。本项目的服务器对一个单号始终发送相同内容，结果不明时不会启用新单号（ATTEMPT_IN_DOUBT）", "不要让其他系统在同一商户号下使用相同的单号", "out_trade_no must be unique for the merchant number, and a failed order is retried under its own number. Our server sends the same content for a number every time, and starts no new number while the result is unknown (ATTEMPT_IN_DOUBT)", "Let no other system use the same numbers under this merchant number") },
];

/**
 * Explains a problem: by WeChat's message in `raw` if it is known, otherwise by the problem's code.
 *
 * @param {{code: string, raw?: string | null}} problem
 * @param {string} [language] a language tag: Chinese for every Chinese tag, otherwise English
 * @returns {Explanation | null}
 */
export function explain(problem, language = "en") {
  // Only own properties count: `constructor` is not a problem's code.
  const { code, raw } = /** @type {{code: string, raw?: string | null}} */ ({ __proto__: null, ...problem });
  const words = (raw || "").toLowerCase().replace(/：/g, ":");
  const said = BY_WORDS.find(({ says }) => words.includes(says.toLowerCase()));
  const found = said || new Map(Object.entries(BY_CODE)).get(code);
  if (!found) return null;
  return /^zh/i.test(language) ? found.zh : found.en;
}
