//! The symbol: a text as dark and light modules. It never draws.

use qrcode::bits::Bits;
use qrcode::canvas::Canvas;
use qrcode::types::QrError;
use qrcode::{Color, EcLevel, Version};

use crate::error_correction::interleaved;

/// Light modules on each side. They are part of the symbol, as the standard (and WeChat) requires.
pub(crate) const QUIET_ZONE_MODULES: u32 = 4;

/// Smallest side of the picture, in CSS pixels. Measured with OpenCV's `wechat_qrcode` on blurred
/// and tilted photos: at 240 px at least 97 % were read, at smaller sizes fewer.
const SIDE_MIN_PX: u32 = 240;

/// Error correction: M, which restores 15 % of the symbol.
const LEVEL: EcLevel = EcLevel::M;

/// The text does not fit into the largest symbol: 2,331 bytes at error correction M.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// A finished symbol. Coordinates are in modules, quiet zone included: (0, 0) is the light corner
/// at the top left, the first dark module is at (4, 4).
#[derive(Clone)]
pub struct QrCode {
    /// Without the quiet zone.
    side: u32,
    /// Row by row.
    modules: Vec<Color>,
}

impl QrCode {
    /// Encodes the UTF-8 bytes of `text` into the smallest standard symbol that holds them.
    pub fn encode(text: &str) -> Result<Self, TooLong> {
        (1..=40_u8)
            .find_map(|version| Self::of_version(text.as_bytes(), version).ok())
            .ok_or(TooLong)
    }

    /// Uses the parts of `qrcode` and not its `QrCode::new`, whose optimiser looks for segments of
    /// other modes. Payment links mix cases and punctuation, so these modes gain nothing, and the
    /// optimiser would be a large part of this crate's code.
    fn of_version(bytes: &[u8], number: u8) -> Result<Self, QrError> {
        let version = Version::Normal(number.into());
        let mut bits = Bits::new(version);
        bits.push_byte_data(bytes)?;
        bits.push_terminator(LEVEL)?;
        let (data, correction) = interleaved(&bits.into_bytes(), number.into());
        let mut canvas = Canvas::new(version, LEVEL);
        canvas.draw_all_functional_patterns();
        canvas.draw_data(&data, &correction);
        Ok(Self {
            side: version.width().unsigned_abs().into(),
            modules: canvas.apply_best_mask().into_colors(),
        })
    }

    /// The side of the whole picture in modules, for `viewBox="0 0 n n"`. A box whose width is a
    /// multiple of this number (in device pixels) shows every module with the same size.
    pub const fn side_modules_with_quiet_zone(&self) -> u32 {
        self.side + 2 * QUIET_ZONE_MODULES
    }

    /// The side at which a screen shows the picture, in CSS pixels. With an even number of pixels,
    /// each module has whole pixels on a screen of 1.5, too.
    pub const fn side_px(&self) -> u32 {
        let side = self.side_modules_with_quiet_zone();
        side * SIDE_MIN_PX.div_ceil(side * 2) * 2
    }

    /// Whether the module in column `x`, row `y` is dark. The quiet zone, and everything outside of
    /// the picture, is light.
    pub fn is_dark(&self, x: u32, y: u32) -> bool {
        let within = |at: u32| {
            at.checked_sub(QUIET_ZONE_MODULES)
                .filter(|at| *at < self.side)
        };
        let (Some(column), Some(row)) = (within(x), within(y)) else {
            return false;
        };
        let module = self.modules.get((row * self.side + column) as usize);
        module == Some(&Color::Dark)
    }
}
