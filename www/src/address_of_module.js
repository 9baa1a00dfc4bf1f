// @ts-check
/**
 * A module's own address without `import.meta.url`, which Chrome 61 to 63 cannot parse. The build
 * puts it in place of `import.meta.url` in the module that pages load, and in no other file.
 */

// Every engine begins the stack of an error with the address, line and column of this file. A page
// may have switched stacks off; then the page's own script element has the address.
const [, address] = /([\w+.-]+:\/\/.+?):\d+:\d+/.exec(String(new Error().stack)) || [];
const element = /** @type {HTMLScriptElement | null} */ (document.querySelector("script[src*='wechat-pay']"));

export const OWN_ADDRESS = address || (element && element.src) || document.baseURI;
