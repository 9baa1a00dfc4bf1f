// @ts-check
/**
 * Recognises a desk, before the machine does by all its rules (`checkout::scene`): only where there
 * is no doubt, so whatever this calls a desk is one for the machine, too.
 */

/** Desktop browsers. */
const DESK = /^Mozilla\/5\.0 \((Windows NT|Macintosh|X11)/;
const NO_DESK = /mobile|phone|ipad|ipod|android|harmony|ohos|arkweb|micromessenger|wxwork|wechat|miniprogram|bot|spider|crawler|http|inspection|lighthouse/i;

/**
 * Whether this is beyond doubt a desk. A tablet that claims to be a Mac or a PC with Linux has more
 * than one touch point.
 *
 * @param {{ userAgent: string, maxTouchPoints: number }} browser
 */
export function isDesk({ userAgent, maxTouchPoints }) {
  return DESK.test(userAgent) && !NO_DESK.test(userAgent) && (maxTouchPoints <= 1 || /Windows/.test(userAgent));
}
