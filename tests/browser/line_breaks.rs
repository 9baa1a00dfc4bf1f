//! Where Chinese sentences break: after punctuation and beside blanks, and inside a word never. Measured
//! on the browser's own lines, for each sentence in each width of a card. Not in WebKit, which has no such
//! rule: with `word-break: keep-all` it breaks after no punctuation.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::gallery::Gallery;

in_browsers! {
    chinese_sentences_break_at_punctuation_and_not_inside_words: chromium firefox;
}

/// The width of the element: on a page of 320 px with a shop's margins, and on one of 420 px and more.
const WIDTHS_PX: [u32; 3] = [288, 320, 420];

/// The sentences that are titles, in a larger type.
const TITLES: [buyer_words::Words; 5] = [
    buyer_words::PAID,
    buyer_words::CLOSED,
    buyer_words::EXPIRED,
    buyer_words::NOT_POSSIBLE,
    buyer_words::LOAD_FAILED,
];

/// Shows each sentence in the card, and returns those lines that end inside a word, as `支付方|式`.
const BROKEN_WORDS: &str = "
    const [sentences, className, lang, widthPx] = arguments;
    const host = document.querySelector('wechat-pay');
    host.style.width = `${widthPx}px`;
    const base = host.shadowRoot.querySelector('[part=base]');
    base.lang = lang;
    const body = base.querySelector('.body');
    const broken = [];
    let lines = 0;
    for (const sentence of sentences) {
        const shown = document.createElement('p');
        shown.className = className;
        const text = document.createTextNode(sentence);
        shown.append(text);
        body.append(shown);
        let before;
        for (let at = 0; at < sentence.length; at += 1) {
            const range = document.createRange();
            range.setStart(text, at);
            range.setEnd(text, at + 1);
            const [place] = range.getClientRects();
            if (!place || /\\s/.test(sentence[at])) continue;
            // Some engines give a letter of another font another top, but never half a line away.
            if (before && place.top > before.top + before.height / 2) {
                lines += 1;
                const isBreak = /[，。？！…、」”\\s]$/.test(sentence.slice(0, at)) || /^[「“]/.test(sentence.slice(at));
                if (!isBreak) broken.push(`${sentence.slice(0, at)}|${sentence.slice(at)}`);
                before = place;
            }
            before = before || place;
        }
        shown.remove();
    }
    return { broken, lines }";

async fn chinese_sentences_break_at_punctuation_and_not_inside_words(engine: Engine) {
    let gallery = Gallery::open().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        gallery.show(browser, "offer-h5", "zh-CN", "light").await;
        let all: Vec<_> = buyer_words::ALL.iter().map(|(_, words)| *words).collect();
        for (sentences, class) in [(&all[..], "lead"), (&all, "advice"), (&TITLES, "title")] {
            measure(browser, sentences, class).await;
        }
    })
    .await;
}

async fn measure(browser: &Browser, sentences: &[buyer_words::Words], class: &str) {
    let languages = [
        (
            "zh-CN",
            sentences
                .iter()
                .map(|words| words.zh_cn)
                .collect::<Vec<_>>(),
        ),
        (
            "zh-Hant",
            sentences.iter().map(|words| words.zh_hant).collect(),
        ),
    ];
    for (lang, sentences) in &languages {
        for width_px in WIDTHS_PX {
            let arguments = vec![json!(sentences), json!(class), json!(lang), json!(width_px)];
            let found = browser.look(BROKEN_WORDS, arguments).await;
            assert_eq!(found["broken"], json!([]), "{lang}, {class}, {width_px} px");
            // In a narrow card some sentence needs a second line, or nothing was measured.
            let lines = found["lines"].as_u64().expect("a number");
            assert!(class == "title" || width_px > 400 || lines > 0, "{found}");
        }
    }
}
