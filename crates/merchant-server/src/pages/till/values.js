// The values of a sale as texts: amounts, payment codes, order numbers, times. Nothing here knows the
// page or the server.

const MAX_FEN = 1000000000;
const CODE = /^1[0-5][0-9]{16}$/;
// Crockford's 32 letters: none looks like another.
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// What was typed, without blanks. Chinese input methods type wide digits, and 。 for the point.
export function typed(text) {
  return text
    .replace(/\s/g, "")
    .replace(/。/g, ".")
    .replace(/[．０-９]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0));
}

// Whether a text is a payment code of WeChat's (付款码).
export function isCode(text) {
  return CODE.test(text);
}

// Whole fen of an amount in yuan; 0 if it is none. A comma is refused: it may mean a decimal point.
export function fenOf(text) {
  const parts = /^[¥￥]?([0-9]{1,8})(?:\.([0-9]{1,2}))?$/.exec(text);
  if (!parts) return 0;
  const fen = Number(parts[1]) * 100 + Number(((parts[2] || "") + "00").slice(0, 2));
  return fen <= MAX_FEN ? fen : 0;
}

// `1,990.00` of 199000 fen.
export function yuanOf(fen) {
  const yuan = String(Math.floor(fen / 100)).replace(/\B(?=([0-9]{3})+$)/g, ",");
  return yuan + "." + String(fen % 100).padStart(2, "0");
}

// `2026-11-21 17:20:00` by this machine's clock; a text that is no time stays as it is.
export function localTime(moment) {
  const time = new Date(moment);
  if (Number.isNaN(time.getTime())) return String(moment);
  const two = (number) => String(number).padStart(2, "0");
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return day + " " + [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
}

// A number that no other till makes: the day for people, and 80 random bits.
export function newOrderNo() {
  const day = localTime(Date.now()).slice(0, 10).replace(/-/g, "");
  const random = crypto.getRandomValues(new Uint8Array(16));
  return "T" + day + Array.from(random, (byte) => LETTERS[byte % 32]).join("");
}
