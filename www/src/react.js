"use client";
/**
 * `<wechat-pay>` as a React component, for pages that a server renders. When React hydrates such a
 * page, it gives a custom element neither its object properties (`messages`, `transport`) nor its
 * event handlers, and React 18 never gives them. This component does, with React 18 and 19.
 *
 * The component contains no copy of the element: the page loads `wechat-pay-widget`, or the script,
 * as usual. It creates the element after the page is hydrated, because an element in the server's
 * HTML would start without its `transport`, and its first events would have no listener. Until then
 * the children are shown in its place.
 */
import { createElement, forwardRef, useEffect, useImperativeHandle, useLayoutEffect, useRef, useSyncExternalStore } from "react";

/** The element's events. */
const EVENTS = ["ready", "scene-decided", "qr-shown", "redirecting", "state-change", "paid", "closed", "problem", "telemetry"];

/** Before the browser paints: the element starts right after it is in the page. A server has no layout. */
const useCommit = typeof document === "undefined" ? useEffect : useLayoutEffect;

const never = () => () => {};

export const WechatPay = forwardRef(function WechatPay({ messages, transport, children, ...rest }, ref) {
  const element = useRef(null);
  const isHydrated = useSyncExternalStore(never, () => true, () => false);
  const [handlers, attributes] = sorted(rest);
  const latest = useRef(handlers);

  useImperativeHandle(ref, () => element.current, [isHydrated]);
  useCommit(() => {
    latest.current = handlers;
  });
  useCommit(() => {
    if (element.current) element.current.messages = messages || null;
  }, [messages, isHydrated]);
  useCommit(() => {
    if (element.current) element.current.transport = transport || null;
  }, [transport, isHydrated]);
  useCommit(() => {
    const target = element.current;
    if (!target) return undefined;
    // One listener for each event, however often the page renders with a new function.
    const listener = (event) => latest.current[`on${event.type}`]?.(event);
    for (const name of EVENTS) target.addEventListener(name, listener);
    return () => {
      for (const name of EVENTS) target.removeEventListener(name, listener);
    };
  }, [isHydrated]);

  return isHydrated ? createElement("wechat-pay", { ...attributes, ref: element }, children) : children ?? null;
});

/** Handlers of the element's events, and all other properties. */
function sorted(properties) {
  const handlers = {};
  const attributes = {};
  for (const [name, value] of Object.entries(properties)) {
    const isHandler = name.startsWith("on") && EVENTS.includes(name.slice(2));
    (isHandler ? handlers : attributes)[name] = value;
  }
  return [handlers, attributes];
}
