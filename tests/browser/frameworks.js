// Pages as applications make them: React in its strict mode, and Vue with a kept-alive view. Each
// function puts one element into the page and gives what a test needs to move it.
import { StrictMode, createElement, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { KeepAlive, createApp, h, ref } from "vue";

/** React 19 renders the element; each `render` makes new objects of all properties. */
export function reactElement(into, id, token, merchantApi) {
  const root = createRoot(into);
  const render = (locale) =>
    root.render(
      createElement(
        StrictMode,
        null,
        createElement("wechat-pay", { id, token, "merchant-api": merchantApi, locale, messages: {} }),
      ),
    );
  render("zh-CN");
  return { render, unmount: () => root.unmount() };
}

/** An effect makes the element; strict mode runs it, takes it back, and runs it again. */
export function reactEffect(into, id, token, merchantApi) {
  window.effects = 0;
  function Checkout() {
    const place = useRef(null);
    const [isShown] = useState(true);
    useEffect(() => {
      window.effects += 1;
      const element = Object.assign(document.createElement("wechat-pay"), { id, token, merchantApi });
      place.current.append(element);
      return () => element.remove();
    }, [isShown]);
    return createElement("div", { ref: place });
  }
  const root = createRoot(into);
  root.render(createElement(StrictMode, null, createElement(Checkout)));
  return { unmount: () => root.unmount() };
}

/** Vue keeps the view with the element alive while another one is shown. */
export function vueKeepAlive(into, id, token, merchantApi) {
  const isShown = ref(true);
  const Checkout = { name: "Checkout", render: () => h("wechat-pay", { id, token, "merchant-api": merchantApi }) };
  const Other = { name: "Other", render: () => h("p", "another view") };
  const app = createApp({ render: () => h(KeepAlive, null, [h(isShown.value ? Checkout : Other)]) });
  app.config.compilerOptions = { isCustomElement: (tag) => tag === "wechat-pay" };
  app.mount(into);
  return { show: (shown) => (isShown.value = shown), unmount: () => app.unmount() };
}

/** Vue renders the names of several words as its templates write them, and a flag that is false. */
export function vueCamelCase(into, id, token, merchantApi) {
  const shown = ref(token);
  const Checkout = { render: () => h("wechat-pay", { id, token: shown.value, merchantApi, "auto-start": false, supportUrl: "/help" }) };
  const app = createApp(Checkout);
  app.mount(into);
  return { show: (other) => (shown.value = other), unmount: () => app.unmount() };
}
