//! A rasteriser of this test draws the path, and an independent decoder (`rqrr`) reads it back. So
//! the test checks what a buyer's phone would see, not what the encoder believes.

#![expect(
    clippy::unwrap_used,
    reason = "the rasteriser and the reader are test code too: a panic is the report"
)]

use proptest::prelude::*;
use qr_code::{QrCode, TooLong};

/// Payloads in the forms that WeChat returns (published examples; lengths 35 to 61 bytes), each
/// with the side of its symbol without quiet zone: version 3 is 29 modules, version 4 is 33.
const PAYLOADS: &[(&str, u32)] = &[
    ("weixin://wxpay/bizpayurl?pr=AbCdEfG", 29),
    ("weixin://wxpay/bizpayurl?pr=JyC91EIz1", 29),
    ("weixin://wxpay/bizpayurl?pr=9xFPmlUzz", 29),
    ("weixin://wxpay/bizpayurl?pr=aB3dE5gH7jK9mN", 29),
    ("weixin://wxpay/bizpayurl?pr=aB3dE5gH7jK9mNp", 33),
    ("weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00", 33),
    (
        "weixin://pay.weixin.qq.com/bizpayurl/up?pr=NwY5Mz9&groupid=00",
        33,
    ),
];

#[test]
fn every_wechat_payload_is_read_back_byte_for_byte_in_the_expected_size() {
    for (payload, side) in PAYLOADS {
        let code = QrCode::encode(payload).unwrap();
        assert_eq!(code.side_modules_with_quiet_zone(), side + 8, "{payload}");
        let (meta, text) = read(&Raster::of_path(&code));
        assert_eq!(&text, payload);
        // rqrr counts the levels in the order of the symbol's own bits: M is 0.
        assert_eq!(meta.ecc_level, 0, "{payload}");
    }
}

#[test]
fn the_path_covers_exactly_the_dark_modules_and_leaves_the_quiet_zone_empty() {
    for (payload, _) in PAYLOADS {
        let code = QrCode::encode(payload).unwrap();
        let raster = Raster::of_path(&code);
        let end = raster.side - 4;
        for y in 0..raster.side {
            for x in 0..raster.side {
                let drawn = raster.is_dark(x, y);
                assert_eq!(drawn, code.is_dark(x, y), "{payload}: {x} {y}");
                let in_quiet_zone = x < 4 || y < 4 || x >= end || y >= end;
                assert!(!(drawn && in_quiet_zone), "{payload}: {x} {y}");
            }
        }
        // The finder patterns' outer corners touch the quiet zone: it is not wider than it should be.
        assert!(raster.is_dark(4, 4) && raster.is_dark(end - 1, 4) && raster.is_dark(4, end - 1));
    }
}

#[test]
fn the_path_stays_small_enough_for_a_page() {
    let path = QrCode::encode(PAYLOADS[1].0).unwrap().path_data();
    assert!(path.starts_with("M4 4v1h7v-1h"), "{path}");
    assert!(path.len() < 2_300, "{} bytes", path.len());
}

#[test]
fn a_text_longer_than_the_largest_symbol_is_refused_and_the_longest_is_not() {
    assert_eq!(QrCode::encode(&"x".repeat(2_332)).err(), Some(TooLong));
    let longest = QrCode::encode(&"x".repeat(2_331)).unwrap();
    assert_eq!(longest.side_modules_with_quiet_zone(), 177 + 8);
}

#[test]
fn the_shortest_text_is_a_standard_symbol_and_never_a_micro_one() {
    for text in ["", "1", "A"] {
        let code = QrCode::encode(text).unwrap();
        assert_eq!(code.side_modules_with_quiet_zone(), 21 + 8);
        assert_eq!(read(&Raster::of_path(&code)).1, text);
    }
}

#[test]
fn modules_outside_the_symbol_are_light() {
    let code = QrCode::encode("weixin://").unwrap();
    assert!(!code.is_dark(u32::MAX, 4) && !code.is_dark(4, u32::MAX));
}

#[test]
fn the_svg_is_dark_on_white_with_its_title_escaped() {
    let code = QrCode::encode(PAYLOADS[1].0).unwrap();
    let svg = code.svg("<b>\"茶\" & \u{1}");
    assert!(
        svg.contains(
            r#"viewBox="0 0 37 37" width="296" height="296" shape-rendering="crispEdges""#
        )
    );
    assert!(svg.contains("<title>&lt;b&gt;&quot;茶&quot; &amp; \u{fffd}</title>"));
    assert!(svg.contains(r##"<rect width="100%" height="100%" fill="#fff"/>"##));
    assert!(svg.contains(&format!(
        r##"<path fill="#000" d="{}"/></svg>"##,
        code.path_data()
    )));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_is_read_back(text in "([ -~]{0,200}|\\PC{1,60})") {
        let code = QrCode::encode(&text).unwrap();
        prop_assert_eq!(read(&Raster::of_path(&code)).1, text);
    }
}

/// The picture with one cell per module, filled by the non-zero rule.
struct Raster {
    side: u32,
    winding: Vec<i32>,
}

impl Raster {
    /// Fills what the path encloses. The function supports `M`, `h` and `v` with integers, and
    /// closes an open subpath as SVG does; any other command fails the test.
    fn of_path(code: &QrCode) -> Self {
        let side = code.side_modules_with_quiet_zone();
        let mut raster = Self {
            side,
            winding: vec![0; (side * side) as usize],
        };
        let path = code.path_data();
        let (mut at, mut start) = ((0, 0), (0, 0));
        for (command, numbers) in commands(&path) {
            match (command, numbers.as_slice()) {
                ('M', &[x, y]) => {
                    raster.vertical_edge(at.0, at.1, start.1);
                    assert_eq!(
                        at.1, start.1,
                        "a row ends where it began, else closing it is oblique"
                    );
                    at = (x, y);
                    start = at;
                }
                ('h', &[dx]) => at.0 += dx,
                ('v', &[dy]) => {
                    raster.vertical_edge(at.0, at.1, at.1 + dy);
                    at.1 += dy;
                }
                other => panic!("not a command of this crate: {other:?}"),
            }
            assert!((0..=side.cast_signed()).contains(&at.0));
            assert!((0..=side.cast_signed()).contains(&at.1));
        }
        assert_eq!(at.1, start.1);
        raster
    }

    fn vertical_edge(&mut self, x: i32, from_y: i32, to_y: i32) {
        let side = self.side.cast_signed();
        for y in from_y.min(to_y)..from_y.max(to_y) {
            for column in x..side {
                let cell = usize::try_from(y * side + column).unwrap();
                self.winding[cell] += (to_y - from_y).signum();
            }
        }
    }

    fn is_dark(&self, x: u32, y: u32) -> bool {
        self.winding[(y * self.side + x) as usize] != 0
    }
}

fn commands(path: &str) -> Vec<(char, Vec<i32>)> {
    let mut commands: Vec<(char, Vec<i32>)> = Vec::new();
    let mut rest = path;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let end = rest
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let numbers = rest[..end]
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        commands.push((letter, numbers));
        rest = &rest[end..];
    }
    commands
}

/// Reads the picture as a camera would: at six pixels for each module, without its position.
fn read(raster: &Raster) -> (rqrr::MetaData, String) {
    const PIXELS_PER_MODULE: u32 = 6;
    let side_px = (raster.side * PIXELS_PER_MODULE) as usize;
    let mut image = rqrr::PreparedImage::prepare_from_bitmap(side_px, side_px, |x, y| {
        let module = |px: usize| u32::try_from(px).unwrap() / PIXELS_PER_MODULE;
        raster.is_dark(module(x), module(y))
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one symbol in the picture");
    grids[0].decode().unwrap()
}
