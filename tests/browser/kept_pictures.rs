//! The look of the element, compared with pictures that are kept in `tests/browser/pictures`: light, dark and
//! forced colours, both scripts and right to left, from 320 px to 4K, and each layout. Each picture is the mean
//! of squares of pixels, so that another version of a font or of a browser changes little of it, and a part
//! that moved, vanished or has another colour changes much. The time is masked.
//!
//! A picture that differs is saved in the tests' folder of `target`. After a wanted change, `BLESS=1` keeps the
//! new pictures.

use std::path::{Path, PathBuf};

use payment_tests::browser::{Browser, Visitor, visit};
use payment_tests::picture::Picture;

use crate::gallery::Gallery;

/// How much a square may differ, of 255, before it counts as another one.
const SQUARE_MAX_DIFFERENCE: u8 = 40;
/// How many squares of a thousand may be others.
const SQUARES_MAX_PERMILLE: usize = 6;

/// What is kept.
struct Look {
    state: &'static str,
    locale: &'static str,
    /// `light`, `dark`, or `forced` for forced colours.
    colours: &'static str,
    layout: &'static str,
    /// The size of the screen, and of the squares.
    width: u32,
    height: u32,
    square: u32,
}

const fn look(state: &'static str, locale: &'static str, colours: &'static str) -> Look {
    Look {
        state,
        locale,
        colours,
        layout: "card",
        width: 420,
        height: 640,
        square: 4,
    }
}

impl Look {
    const fn on(mut self, width: u32, height: u32, square: u32) -> Self {
        self.width = width;
        self.height = height;
        self.square = square;
        self
    }

    const fn laid_out(mut self, layout: &'static str) -> Self {
        self.layout = layout;
        self
    }

    fn name(&self) -> String {
        let Self {
            state,
            locale,
            colours,
            layout,
            width,
            ..
        } = self;
        format!("{state}-{locale}-{colours}-{layout}-{width}")
    }
}

const LOOKS: [Look; 17] = [
    look("qr", "zh-CN", "light"),
    look("qr", "zh-Hant", "dark"),
    look("qr", "en", "forced"),
    look("qr", "ar", "light").on(320, 640, 4),
    look("qr", "zh-CN", "light").on(3840, 2160, 15),
    look("qr-test", "zh-CN", "light"),
    look("qr-expired", "en", "light"),
    look("loading", "zh-CN", "dark"),
    look("offer-h5", "zh-CN", "light").on(320, 640, 4),
    look("offer-jsapi", "en", "dark"),
    look("paid", "zh-CN", "light"),
    look("paid", "zh-Hant", "forced"),
    look("closed", "zh-CN", "light"),
    look("expired", "en", "dark").on(320, 640, 4),
    look("qr", "zh-CN", "light").laid_out("compact"),
    look("qr", "zh-CN", "dark").laid_out("code"),
    look("qr", "zh-CN", "light").on(800, 640, 4).laid_out("row"),
];

#[tokio::test]
async fn the_element_looks_as_it_is_kept() {
    let gallery = Gallery::open().await;
    visit(Visitor::Desktop, async |browser| {
        let mut faults = Vec::new();
        for look in &LOOKS {
            let picture = taken(&gallery, browser, look).await;
            faults.extend(compare(look, &picture));
        }
        assert!(faults.is_empty(), "{faults:#?}");
    })
    .await;
}

#[tokio::test]
async fn another_state_another_colour_and_a_part_that_moved_are_noticed() {
    let gallery = Gallery::open().await;
    let kept = look("qr", "zh-CN", "light");
    let before = kept_picture(&kept).expect("the picture is kept");
    visit(Visitor::Desktop, async |browser| {
        for other in [
            look("qr-expired", "zh-CN", "light"),
            look("qr", "zh-CN", "dark"),
            look("qr", "en", "light"),
        ] {
            let other = taken(&gallery, browser, &other).await;
            assert!(differs(&before, &other) > SQUARES_MAX_PERMILLE);
        }
        taken(&gallery, browser, &kept).await;
        let moved = "document.querySelector('wechat-pay').style.marginTop = '12px'";
        browser.look(moved, vec![]).await;
        let moved = picture(browser, &kept).await;
        assert!(differs(&before, &moved) > SQUARES_MAX_PERMILLE);
    })
    .await;
}

async fn taken(gallery: &Gallery, browser: &Browser, look: &Look) -> Picture {
    let is_forced = look.colours == "forced";
    let forced = if is_forced { "active" } else { "none" };
    let features = [
        ("forced-colors", forced),
        ("prefers-reduced-motion", "reduce"),
    ];
    browser.prefer(&features).await;
    browser.resize(look.width, look.height).await;
    let theme = if is_forced { "light" } else { look.colours };
    let theme = format!("{theme}&layout={}", look.layout);
    gallery.show(browser, look.state, look.locale, &theme).await;
    picture(browser, look).await
}

async fn picture(browser: &Browser, look: &Look) -> Picture {
    let mask = "document.head.insertAdjacentHTML('beforeend', '<style>wechat-pay::part(countdown){visibility:hidden}</style>')";
    browser.look(mask, vec![]).await;
    // In two frames the page is drawn as it is now.
    let frames = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))";
    browser.look_and_wait(frames, vec![]).await;
    let screen = Picture::decoded(&browser.screenshot().await);
    assert_eq!([screen.width, screen.height], [look.width, look.height]);
    screen.means(look.square)
}

/// How many squares of a thousand are others; all of them if the sizes differ.
fn differs(one: &Picture, other: &Picture) -> usize {
    if [one.width, one.height] != [other.width, other.height] {
        return 1_000;
    }
    let pairs = one.pixels.chunks(3).zip(other.pixels.chunks(3));
    let is_other = |(one, other): &(&[u8], &[u8])| {
        let mut channels = one.iter().zip(*other);
        channels.any(|(one, other)| one.abs_diff(*other) > SQUARE_MAX_DIFFERENCE)
    };
    let others = pairs.filter(is_other).count();
    (others * 1_000).div_ceil(one.pixels.len() / 3)
}

/// The fault of a picture, if it differs from the kept one.
fn compare(look: &Look, picture: &Picture) -> Option<String> {
    let name = look.name();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(kept_file(look), encoded(picture)).expect("the picture is kept");
        return None;
    }
    let Some(kept) = kept_picture(look) else {
        return Some(format!("{name} is not kept: BLESS=1 keeps it"));
    };
    let others = differs(&kept, picture);
    if others <= SQUARES_MAX_PERMILLE {
        return None;
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
    std::fs::write(&file, encoded(picture)).expect("the new picture is saved");
    Some(format!(
        "{name}: {others} of 1,000 squares are others; see {}, and BLESS=1 keeps it",
        file.display()
    ))
}

fn kept_file(look: &Look) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/pictures");
    folder.join(format!("{}.png", look.name()))
}

fn kept_picture(look: &Look) -> Option<Picture> {
    Some(Picture::decoded(&std::fs::read(kept_file(look)).ok()?))
}

fn encoded(picture: &Picture) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("a header");
    writer
        .write_image_data(&picture.pixels)
        .expect("the pixels");
    writer.finish().expect("the end");
    file
}
