//! One code to print, and the measures of a sheet. It writes the code alone, as SVG.

use std::fmt::Write as _;

use payment_values::Fen;
use qr_code::QrCode;

/// The least and the greatest side of a code, quiet zone included. A phone reads a code from about ten
/// times its side.
pub const SIDE_MM: std::ops::RangeInclusive<u32> = 30..=180;
/// The paper's size: A4.
pub(super) const PAPER_MM: (u32, u32) = (210, 297);
/// The margin that every printer leaves free.
pub(super) const MARGIN_MM: u32 = 12;
/// The space for the text below a code, and between two codes.
pub(super) const TEXT_MM: u32 = 14;
pub(super) const GAP_MM: u32 = 6;

/// One code to print.
#[derive(Clone)]
pub struct PrintedCode {
    pub(super) product_id: String,
    pub(super) name: String,
    pub(super) price_fen: Option<Fen>,
    pub(super) symbol: QrCode,
}

impl std::fmt::Debug for PrintedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrintedCode")
            .field("product_id", &self.product_id)
            .finish_non_exhaustive()
    }
}

impl PrintedCode {
    /// A code of this link. `None`: the link is too long for a QR code.
    pub fn new(
        product_id: impl Into<String>,
        name: impl Into<String>,
        price_fen: Option<Fen>,
        link: &str,
    ) -> Option<Self> {
        Some(Self {
            product_id: product_id.into(),
            name: name.into(),
            price_fen,
            symbol: QrCode::encode(link).ok()?,
        })
    }

    /// The code alone, as an SVG file of this size.
    pub fn svg(&self, side_mm: u32) -> String {
        let side = self.symbol.side_modules_with_quiet_zone();
        let mut svg = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        // Writing to a text cannot fail.
        let _ = writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{side_mm}mm\" height=\"{side_mm}mm\" \
             viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><title>{}</title>\
             <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{}\"/></svg>",
            self.product_id,
            self.symbol.path_data()
        );
        svg
    }

    /// `19.90`; `None` if the backend names the price of each scan.
    pub(super) fn price_yuan(&self) -> Option<String> {
        self.price_fen
            .map(|price| format!("{}.{:02}", price.count() / 100, price.count() % 100))
    }
}

/// The columns and rows of a sheet.
pub(super) fn grid(side_mm: u32) -> (usize, usize) {
    let fits = |paper_mm: u32, each_mm: u32| {
        let free_mm = paper_mm - 2 * MARGIN_MM + GAP_MM;
        usize::try_from(free_mm / each_mm).unwrap_or(1).max(1)
    };
    let columns = fits(PAPER_MM.0, side_mm + GAP_MM);
    let rows = fits(PAPER_MM.1, side_mm + TEXT_MM + GAP_MM);
    (columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_holds_as_many_codes_as_fit_between_its_margins() {
        for (side_mm, expected) in [(30, (5, 5)), (40, (4, 4)), (60, (2, 3)), (180, (1, 1))] {
            assert_eq!(grid(side_mm), expected, "{side_mm}");
        }
    }

    #[test]
    fn an_svg_file_has_its_size_in_millimetres_and_the_quiet_zone() {
        let code = PrintedCode::new("tea-1", "茶", None, "weixin://wxpay/bizpayurl?a=b").unwrap();
        let side = code.symbol.side_modules_with_quiet_zone();
        let svg = code.svg(40);
        let expected = format!("width=\"40mm\" height=\"40mm\" viewBox=\"0 0 {side} {side}\"");
        assert!(svg.contains(&expected), "{svg}");
        assert!(svg.contains(&code.symbol.path_data()));
    }
}
