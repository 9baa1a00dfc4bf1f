// @ts-check
/** The language of the buyer's sentences, by a language tag. `Locale::from_tag` in `locale.rs` is the same. */

/**
 * `zh-CN`, which the widget has itself, or the name of a file of words: `zh-Hant`, or `en` for all
 * others. The script comes before the region: `zh-Hans-HK` is Simplified Chinese.
 *
 * @param {string} tag
 */
export function languageOf(tag) {
  if (!/^zh(?![a-z\d])/i.test(tag)) return "en";
  const [, said = "hans"] = /[-_](hans|hant|hk|mo|tw)(?![a-z\d])/i.exec(tag) || [];
  return /hans/i.test(said) ? "zh-CN" : "zh-Hant";
}
