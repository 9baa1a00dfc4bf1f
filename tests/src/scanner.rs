//! The buyer's phone, as far as it looks at a screen. The input is a screenshot; the output is the
//! text of the QR code on it. The scanner never reads the page's own data.

use crate::picture::Picture;

/// The texts of all QR codes on a screenshot (PNG).
pub fn scan(screenshot: &[u8]) -> Vec<String> {
    let screen = Picture::decoded(screenshot);
    let grey = |x: usize, y: usize| {
        let [x, y] = [x, y].map(|place| u32::try_from(place).unwrap());
        let sum: u16 = screen.pixel(x, y).map(u16::from).iter().sum();
        u8::try_from(sum / 3).unwrap()
    };
    let [width, height] = [screen.width, screen.height].map(|side| side as usize);
    rqrr::PreparedImage::prepare_from_greyscale(width, height, grey)
        .detect_grids()
        .iter()
        .filter_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
        .collect()
}
