//! The buyer's phone, as far as it looks at a screen. The input is a screenshot; the output is the
//! text of the QR code on it. The scanner never reads the page's own data.

/// The texts of all QR codes on a screenshot (PNG).
pub fn scan(screenshot: &[u8]) -> Vec<String> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(screenshot));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let samples = frame.color_type.samples();
    let (width, height) = (frame.width as usize, frame.height as usize);
    let grey = |x: usize, y: usize| {
        let pixel = &pixels[(y * width + x) * samples..][..samples.min(3)];
        let sum: usize = pixel.iter().map(|sample| usize::from(*sample)).sum();
        u8::try_from(sum / pixel.len()).unwrap()
    };
    rqrr::PreparedImage::prepare_from_greyscale(width, height, grey)
        .detect_grids()
        .iter()
        .filter_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
        .collect()
}
