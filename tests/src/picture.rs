//! A picture in memory: what a screenshot shows, as red, green and blue. It is read from PNG files, and never
//! from a page.

use std::io::Cursor;

/// Rows of pixels from the top, each of three bytes: red, green, blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The width, in pixels.
    pub width: u32,
    /// The height, in pixels.
    pub height: u32,
    /// `width` times `height` times three bytes.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// The picture of a PNG file in colours; what is transparent is left out.
    pub fn decoded(file: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(Cursor::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let shown = reader.next_frame(&mut pixels).unwrap();
        let samples = shown.color_type.samples();
        assert!(samples >= 3, "a picture in colours");
        let rgb = |pixel: &[u8]| [pixel[0], pixel[1], pixel[2]];
        Self {
            width: shown.width,
            height: shown.height,
            pixels: pixels.chunks_exact(samples).flat_map(rgb).collect(),
        }
    }

    /// The pixel in this column and row.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let start = (y * self.width + x) as usize * 3;
        let pixel = &self.pixels[start..start + 3];
        pixel.try_into().unwrap()
    }

    /// The mean of each square with sides of `side` pixels. What is left at the edges is left out.
    #[must_use]
    pub fn means(&self, side: u32) -> Self {
        let [width, height] = [self.width / side, self.height / side];
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x * side, y * side)));
        let pixels = places.flat_map(|(left, top)| self.mean(left, top, side));
        Self {
            width,
            height,
            pixels: pixels.collect(),
        }
    }

    fn mean(&self, left: u32, top: u32, side: u32) -> [u8; 3] {
        let mut sums = [0_u32; 3];
        for y in top..top + side {
            for x in left..left + side {
                let pixel = self.pixel(x, y);
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(value);
                }
            }
        }
        sums.map(|sum| u8::try_from(sum / (side * side)).unwrap())
    }
}
