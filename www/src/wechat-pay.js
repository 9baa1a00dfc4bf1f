// @ts-check
/**
 * What a page loads: this file defines `<wechat-pay>` and fetches the widget from beside this file,
 * from the same origin and no other.
 */
import { imports, mount, start, theme } from "./bindings/wechat_pay_widget.js";
import { PROBLEMS, define } from "./element.js";
import { instantiateScript } from "./without_wasm.js";

/** The widget as WebAssembly. Bundlers recognise this form, and copy the file. */
const WASM = new URL("./wechat-pay.wasm", import.meta.url).href;
/** The widget as JavaScript. */
const SCRIPT = new URL("./wechat-pay.nowasm.js", import.meta.url).href;
/** The sentences of the languages that the widget does not have itself. */
const WORDS = { en: new URL("./wechat-pay.en.json", import.meta.url).href, "zh-Hant": new URL("./wechat-pay.zh-Hant.json", import.meta.url).href };
/** How long they may take. A buyer who waits longer reads Chinese. */
const WORDS_MS = 5_000;
/** The beginning of every WebAssembly file, and the smallest one. */
const EMPTY = [0, 97, 115, 109, 1, 0, 0, 0];

/** @type {Promise<import("./wechat-pay").Bindings> | undefined} */
let loading;

function loadBindings() {
  if (!loading) {
    loading = load().catch((error) => {
      // The next element tries again.
      loading = undefined;
      throw error;
    });
  }
  return loading;
}

/** @type {Record<string, Promise<Record<string, string> | undefined>>} */
const words = {};

/**
 * The sentences of a language, or undefined if they cannot be loaded. The next element tries again.
 *
 * @param {"en" | "zh-Hant"} language
 */
function loadWords(language) {
  words[language] = words[language] || wordsInTime(language);
  return words[language];
}

/** @param {"en" | "zh-Hant"} language */
async function wordsInTime(language) {
  let timer = 0;
  const late = new Promise((_, reject) => (timer = setTimeout(reject, WORDS_MS, "late")));
  try {
    return await Promise.race([fetchWords(WORDS[language]), late]);
  } catch (error) {
    delete words[language];
    console.warn(`<wechat-pay> WORDS_UNAVAILABLE: ${error}. ${PROBLEMS}#WORDS_UNAVAILABLE`);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} address */
async function fetchWords(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}

async function load() {
  start(await instantiate().catch(instantiateScriptAfter));
  return { mount, theme };
}

/** @param {unknown} error why there is no WebAssembly */
async function instantiateScriptAfter(error) {
  try {
    const instance = await instantiateScript(SCRIPT, imports());
    console.warn(`<wechat-pay> WASM_UNAVAILABLE: ${error}. ${PROBLEMS}#WASM_UNAVAILABLE`);
    return instance;
  } catch (second) {
    throw new Error(`${error}; ${second}`);
  }
}

async function instantiate() {
  // Throws at once, without a download, where WebAssembly is missing or forbidden.
  new WebAssembly.Module(new Uint8Array(EMPTY));
  // A file that did not arrive whole is fetched once more.
  return fetchInstance().catch(fetchInstance);
}

async function fetchInstance() {
  const response = await fetch(WASM);
  if (!response.ok) throw new Error(`${WASM}: ${response.status}`);
  // Safari streams since version 15, and no browser streams a response with another content type.
  const isStreamed =
    WebAssembly.instantiateStreaming && response.headers.get("content-type") === "application/wasm";
  const { instance } = await (isStreamed
    ? WebAssembly.instantiateStreaming(response, imports())
    : WebAssembly.instantiate(await response.arrayBuffer(), imports()));
  return instance;
}

// Not on a server that renders pages, and not if another copy of this file was loaded first.
if (typeof customElements === "object" && !customElements.get("wechat-pay")) {
  // The page will need the widget, so it loads while the rest of the page is still being read.
  loadBindings().catch(() => {});
  define({ loadBindings, loadWords });
}
