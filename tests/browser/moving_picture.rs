//! The moving picture of the README: a code in the shop, the phone that pays, and the page that shows it. Each run makes
//! it from real pages; `BLESS=1` keeps it in `docs/payment.png` (an animated PNG).

#![expect(
    clippy::unwrap_used,
    reason = "all of it is test code: a panic is the report"
)]

use std::io::Cursor;
use std::path::Path;

use payment_tests::browser::{Browser, Visitor, visit_together};
use payment_tests::picture::Picture;
use payment_tests::servers::Servers;

use crate::gallery::keep;
use crate::native::buy;

const FILE: &str = "../docs/payment.png";
/// A README has to load at once.
const SIZE_MAX_BYTES: usize = 400_000;
/// The width of the desk, of the phone, and the height of both, in pixels.
const SIZE: [u32; 3] = [640, 390, 844];
/// How long each frame stays, in hundredths of a second.
const STAYS_CS: [u16; 4] = [200, 150, 200, 350];

#[tokio::test]
async fn the_readmes_picture_is_made_of_a_payment_and_stays_small() {
    let servers = Servers::start().await;
    visit_together(Visitor::Desktop, Visitor::Phone, async |desk, phone| {
        let [desk_width, phone_width, height] = SIZE;
        let scanner = format!("{}/phone", servers.wechat.address);
        phone.open(&scanner).await;
        let code_url = buy(&servers, desk).await;
        desk.resize(desk_width, height).await;
        let into_view = "document.querySelector('wechat-pay').scrollIntoView({block: 'center'})";
        desk.look(into_view, vec![]).await;
        let shows_code = pixels(desk, desk_width).await;
        let scans = pixels(phone, phone_width).await;
        phone.type_into("#code_url", &code_url).await;
        phone.click("form[action='/phone/scan'] button").await;
        phone
            .until("document.querySelector('button[value=success]')")
            .await;
        let asks = pixels(phone, phone_width).await;
        phone.click("button[value='success']").await;
        phone.until("document.querySelector('[role=status]')").await;
        let has_paid = pixels(phone, phone_width).await;
        // The desk knows it at about the same time, so its picture with the code is of before.
        desk.until_element_is(&["paid"]).await;
        let shows_paid = pixels(desk, desk_width).await;
        let frames = [
            beside(&shows_code, &scans),
            beside(&shows_code, &asks),
            beside(&shows_code, &has_paid),
            beside(&shows_paid, &has_paid),
        ];

        keep(desk, "moving-picture-desk").await;
        keep(phone, "moving-picture-phone").await;
        let picture = animated(&frames);
        assert!(picture.len() < SIZE_MAX_BYTES, "{} bytes", picture.len());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &picture).unwrap();
        }
        let kept = png::Decoder::new(Cursor::new(std::fs::read(&file).unwrap()));
        let kept = kept.read_info().unwrap();
        let animation = kept.info().animation_control.expect("it moves");
        assert_eq!(animation.num_frames as usize, STAYS_CS.len());
        assert_eq!(kept.info().width, desk_width + phone_width);
    })
    .await;
}

/// The desk and the phone side by side, as rows of RGB pixels.
fn beside(desk: &[u8], phone: &[u8]) -> Vec<u8> {
    let rows = desk
        .chunks(SIZE[0] as usize * 3)
        .zip(phone.chunks(SIZE[1] as usize * 3));
    rows.flat_map(|(desk, phone)| [desk, phone].concat())
        .collect()
}

/// A browser's picture with this width; the mean of each square, where the screen has more pixels.
async fn pixels(browser: &Browser, width: u32) -> Vec<u8> {
    let screen = Picture::decoded(&browser.screenshot().await);
    let scale = screen.width / width;
    assert_eq!(
        [screen.width, screen.height],
        [width, SIZE[2]].map(|side| side * scale)
    );
    screen.means(scale).pixels
}

/// One file that shows the frames in turn. Of each frame it has only the part that differs from the one before.
fn animated(frames: &[Vec<u8>]) -> Vec<u8> {
    let [width, height] = [SIZE[0] + SIZE[1], SIZE[2]];
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder
        .set_animated(u32::try_from(frames.len()).unwrap(), 0)
        .unwrap();
    let mut writer = encoder.write_header().unwrap();
    let mut before: Option<&Vec<u8>> = None;
    for (frame, stays_cs) in frames.iter().zip(STAYS_CS) {
        let part = before.map_or([0, 0, width, height], |before| {
            changed(before, frame, width)
        });
        let [x, y, part_width, part_height] = part;
        writer.set_frame_delay(stays_cs, 100).unwrap();
        if before.is_some() {
            // The new size would be measured at the old place.
            writer.set_frame_position(0, 0).unwrap();
            writer.set_frame_dimension(part_width, part_height).unwrap();
            writer.set_frame_position(x, y).unwrap();
        }
        writer.write_image_data(&cut(frame, width, part)).unwrap();
        before = Some(frame);
    }
    writer.finish().unwrap();
    file
}

/// The smallest rectangle with all that differs: its left, its top, its width and its height.
fn changed(before: &[u8], after: &[u8], width: u32) -> [u32; 4] {
    let places: Vec<_> = (0..)
        .zip(before.chunks(3).zip(after.chunks(3)))
        .filter(|(_, (before, after))| before != after)
        .map(|(place, _): (u32, _)| (place % width, place / width))
        .collect();
    let columns = || places.iter().map(|(x, _)| *x);
    let rows = || places.iter().map(|(_, y)| *y);
    let (left, right) = (columns().min(), columns().max());
    let (top, bottom) = (rows().min(), rows().max());
    let [left, right, top, bottom] =
        [left, right, top, bottom].map(|edge| edge.expect("two frames of a payment differ"));
    [left, top, right - left + 1, bottom - top + 1]
}

fn cut(frame: &[u8], width: u32, [x, y, part_width, part_height]: [u32; 4]) -> Vec<u8> {
    let row = |y: u32| {
        let start = (y * width + x) as usize * 3;
        &frame[start..start + part_width as usize * 3]
    };
    (y..y + part_height).flat_map(row).copied().collect()
}

#[test]
fn only_what_differs_is_in_a_later_frame() {
    let before = vec![0; 4 * 3 * 3];
    let mut after = before.clone();
    for (x, y) in [(1, 1), (2, 2)] {
        after[(y * 4 + x) * 3] = 9;
    }
    let part = changed(&before, &after, 4);
    assert_eq!(part, [1, 1, 2, 2]);
    let cut = cut(&after, 4, part);
    assert_eq!(cut, [9, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0]);
}
