// One call of the merchant server. It sends nothing twice: the till decides about that.

const CALL_MS = 15000;

// The reply: {ok, status, body, code, field, wechatCode, retryMs}. It has status 0 if no answer came in
// time, or none that this server wrote. The key is only in the header.
export function call(method, address, key, body) {
  const sent = fetch(address, {
    method,
    headers: { authorization: "Bearer " + key, "content-type": "application/json" },
    body: body ? JSON.stringify(body) : undefined,
    credentials: "omit",
    cache: "no-store",
  }).then((response) => response.json().then((json) => replyOf(response, json)));
  const late = new Promise((resolve, reject) => setTimeout(reject, CALL_MS));
  return Promise.race([sent, late]).catch(() => ({ ok: false, status: 0 }));
}

function replyOf(response, json) {
  const error = json.error || {};
  return {
    ok: response.ok,
    status: response.status,
    body: json,
    code: error.code,
    field: error.field,
    wechatCode: error.wechat_code,
    retryMs: error.retry_after_ms,
  };
}

// Whether the key is the reason of a refusal.
export function isOfKey(reply) {
  return reply.code === "UNAUTHORIZED" || reply.code === "FORBIDDEN";
}

// Whether the call may have had an effect, or may have one later. WECHAT_REFUSED (502) is an answer.
export function isLost(reply) {
  if (reply.code === "WECHAT_REFUSED") return false;
  return reply.status === 0 || reply.status === 429 || reply.status >= 500;
}
