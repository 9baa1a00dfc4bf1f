//! The calls of each scene in order: a sequence diagram and its place in the page, from what a journey recorded
//! (`tests/journeys/sequences.rs`). Nothing is drawn that no journey did.

use std::fmt::Write as _;

use crate::docs::page::{Book, Page};
use crate::docs::svg::Drawing;
use crate::failure::Failure;

pub(super) const CALLS: &str = "tests/journeys/goldens/sequences.tsv";

/// The parties from left to right, with their names in both languages.
const PARTIES: [(&str, [&str; 2]); 5] = [
    ("buyer", ["buyer", "买家"]),
    ("page", ["element, in the page", "页面中的组件"]),
    ("server", ["merchant server", "商户服务器"]),
    ("shop", ["shop's backend", "商家系统"]),
    ("wechat", ["WeChat Pay", "微信支付"]),
];

/// The scenes with the files of their drawings, their headings and what happens in them.
const SCENES: [Scene; 4] = [
    Scene {
        name: "desk",
        files: ["docs/en/sequence-desk.svg", "docs/zh/sequence-desk.svg"],
        heading: ["At a desk", "电脑上扫码支付"],
        about: [
            "The attempt's answer has the code. The page's next request is held until something changes, so it is answered \
             in the moment in which WeChat's notification is recorded.",
            "下单的应答中带有二维码。页面随后的查询会被服务器挂起，收到微信支付通知并入账后立即返回。",
        ],
    },
    Scene {
        name: "wechat",
        files: ["docs/en/sequence-wechat.svg", "docs/zh/sequence-wechat.svg"],
        heading: ["Inside WeChat", "微信内支付"],
        about: [
            "The first attempt is answered by the way to the openid. The server reads it from WeChat and gives the page a \
             handle. What the cashier says is never believed: the page asks the server.",
            "首次发起支付时需要获取 openid：由服务器向微信换取，页面只得到一个凭据。收银台的返回值不作为支付结果，\
             以服务器的答复为准。",
        ],
    },
    Scene {
        name: "phone",
        files: ["docs/en/sequence-phone.svg", "docs/zh/sequence-phone.svg"],
        heading: ["In a phone's browser", "手机浏览器支付"],
        about: [
            "The page leaves for WeChat and is loaded again at the address to which WeChat leads back. It shows no result \
             before the server has one.",
            "页面跳转到微信，支付后返回并重新加载；在服务器确认之前不显示支付结果。",
        ],
    },
    Scene {
        name: "lost-notification",
        files: [
            "docs/en/sequence-lost-notification.svg",
            "docs/zh/sequence-lost-notification.svg",
        ],
        heading: ["If WeChat's notification is lost", "未收到微信支付通知时"],
        about: [
            "The server queries each open attempt by itself.",
            "服务器会主动查单。",
        ],
    },
];

struct Scene {
    name: &'static str,
    files: [&'static str; 2],
    heading: [&'static str; 2],
    about: [&'static str; 2],
}

/// What persons do, in both languages.
const ACTS: [(&str, [&str; 2]); 2] = [
    ("presses", ["presses “Pay”", "点击支付"]),
    ("pays", ["pays in WeChat", "在微信中付款"]),
];

const COLUMN_PX: u32 = 250;
const MARGIN_PX: u32 = 90;
const HEAD_PX: u32 = 64;
const ROW_PX: u32 = 30;
const BOX_PX: (u32, u32) = (170, 30);

/// A line of the record.
struct Said<'a> {
    is_answer: bool,
    from: u32,
    to: u32,
    what: &'a str,
}

/// The pages, and the drawings of each language.
pub(super) fn pages(calls: &str) -> Result<Vec<Page>, Failure> {
    let mut pages = Vec::new();
    for book in [Book::English, Book::Chinese] {
        for scene in &SCENES {
            let said = said_in(scene.name, calls)?;
            pages.push((scene.files[book as usize], drawing(scene, &said, book)));
        }
    }
    pages.push(("docs/en/sequences.md", page(Book::English)));
    pages.push(("docs/zh/sequences.md", page(Book::Chinese)));
    Ok(pages)
}

fn said_in<'a>(scene: &str, calls: &'a str) -> Result<Vec<Said<'a>>, Failure> {
    let mut said = Vec::new();
    for line in calls.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let Ok([of, kind, from, to, what]) = <[&str; 5]>::try_from(fields) else {
            return Err(wrong(
                line,
                "it is not scene, kind, from, to and what was said",
            ));
        };
        if SCENES.iter().all(|known| known.name != of) {
            return Err(wrong(of, "the page has no heading for this scene"));
        }
        if of == scene {
            said.push(Said {
                is_answer: kind == "answer",
                from: column(from)?,
                to: column(to)?,
                what,
            });
        }
    }
    if said.is_empty() {
        return Err(wrong(scene, "no journey recorded this scene"));
    }
    Ok(said)
}

fn column(party: &str) -> Result<u32, Failure> {
    let place = PARTIES.iter().position(|(name, _)| *name == party);
    place
        .and_then(|place| u32::try_from(place).ok())
        .ok_or_else(|| wrong(party, "the drawing has no place for this party"))
}

fn page(book: Book) -> String {
    let [title, introduction] = [
        [
            "Call sequences",
            "`cargo xtask docs` draws these from what the tests' own journeys recorded (`tests/journeys/sequences.rs`): the \
             element's machine, the merchant server and the simulator, with every signature made and checked. A dashed \
             line is an answer. `{token}` is the order's token.",
        ],
        [
            "调用时序",
            "以下时序图由 `cargo xtask docs` 根据测试的实际运行记录绘制（`tests/journeys/sequences.rs`）：\
             组件状态机、商户服务器和模拟器之间的每次调用都真实签名并验签。虚线为应答，`{token}` 为订单的令牌。",
        ],
    ][book as usize];
    let mut page = format!("# {title}\n\n{introduction}\n");
    for scene in &SCENES {
        let heading = scene.heading[book as usize];
        let file = scene.files[book as usize]
            .rsplit('/')
            .next()
            .unwrap_or_default();
        // A String never refuses text.
        let _ = write!(
            page,
            "\n## {heading}\n\n{}\n\n![{heading}]({file})\n",
            scene.about[book as usize]
        );
    }
    page
}

fn drawing(scene: &Scene, said: &[Said<'_>], book: Book) -> String {
    let rows = u32::try_from(said.len()).unwrap_or_default();
    let columns = u32::try_from(PARTIES.len()).unwrap_or_default();
    let width = 2 * MARGIN_PX + (columns - 1) * COLUMN_PX;
    let height = HEAD_PX + (rows + 1) * ROW_PX;
    let mut drawing = Drawing::new(width, height, scene.heading[book as usize]);
    for (place, (_, names)) in (0..).zip(PARTIES) {
        let middle = MARGIN_PX + place * COLUMN_PX;
        drawing.line((middle, 10 + BOX_PX.1), (middle, height - 10), "life");
        drawing.named_box(
            (middle - BOX_PX.0 / 2, 10),
            BOX_PX,
            [names[book as usize], ""],
        );
    }
    for (row, line) in (0..).zip(said) {
        let y = HEAD_PX + ROW_PX / 2 + row * ROW_PX;
        let [from, to] = [line.from, line.to].map(|column| MARGIN_PX + column * COLUMN_PX);
        let class = if line.is_answer { "answer" } else { "call" };
        drawing.line((from, y), (to, y), class);
        let text = words(line.what, book);
        drawing.text((from.midpoint(to), y - 5), "small", text);
    }
    drawing.finish()
}

fn words(what: &str, book: Book) -> &str {
    let known = ACTS.iter().find(|(act, _)| *act == what);
    known.map_or(what, |(_, words)| words[book as usize])
}

fn wrong(what: &str, why: &str) -> Failure {
    Failure::File {
        path: CALLS.into(),
        why: format!("`{what}`: {why} (xtask/src/docs/sequences.rs)"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Book, SCENES, drawing, said_in};

    const SAMPLE: &str = "desk\tcall\tshop\tserver\tPOST /v1/orders\n\
                          desk\tanswer\tserver\tshop\t201 token\n\
                          desk\tact\tbuyer\twechat\tpays\n\
                          phone\tcall\tpage\tserver\tGET /v1/checkouts/{token}\n";

    #[test]
    fn each_call_is_a_line_and_each_answer_a_dashed_one() {
        let said = said_in("desk", SAMPLE).unwrap();
        let drawn = drawing(&SCENES[0], &said, Book::Chinese);
        assert_eq!(drawn.matches("class=\"call\"").count(), 2, "{drawn}");
        assert_eq!(drawn.matches("class=\"answer\"").count(), 1, "{drawn}");
        assert!(drawn.contains("在微信中付款"), "{drawn}");
        assert!(!drawn.contains("{token}"), "another scene's: {drawn}");
    }

    #[test]
    fn a_record_that_cannot_be_drawn_is_refused_by_its_word() {
        for (line, word) in [
            ("desk\tcall\tmoon\tserver\tGET /\n", "`moon`"),
            ("moon\tcall\tpage\tserver\tGET /\n", "`moon`"),
            ("desk\tcall\tpage\n", "`desk"),
            ("phone\tcall\tpage\tserver\tGET /\n", "`desk`"),
        ] {
            let refusal = said_in("desk", line).err().unwrap().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
    }
}
