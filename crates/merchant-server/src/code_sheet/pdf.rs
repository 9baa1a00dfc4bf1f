//! The sheet as a PDF (ISO 32000): filled rectangles, and ASCII text in Helvetica, which every reader
//! has. Nothing is compressed, so the file can be read as text.

use std::fmt::Write as _;

use super::printed_code::{GAP_MM, MARGIN_MM, PAPER_MM, PrintedCode, TEXT_MM, grid};

/// The numbers of the objects that every file has. A sheet and its content follow for each sheet.
const CATALOG: usize = 1;
const SHEETS: usize = 2;
const FONT: usize = 3;
/// A thousandth of a point, of which an inch has 72: coordinates are whole numbers of it.
const MILLI_POINTS_PER_INCH: u64 = 72_000;

/// A PDF of all codes, on as many sheets of A4 as they need.
pub fn pdf(codes: &[PrintedCode], side_mm: u32) -> Vec<u8> {
    let (columns, rows) = grid(side_mm);
    let contents: Vec<String> = codes
        .chunks(columns * rows)
        .map(|codes| content(codes, side_mm, columns))
        .collect();
    let mut file = File::new();
    file.object(
        CATALOG,
        &format!("<< /Type /Catalog /Pages {SHEETS} 0 R >>"),
    );
    let number_of = |place: usize| FONT + 1 + 2 * place;
    let kids: Vec<_> = (0..contents.len())
        .map(|place| format!("{} 0 R", number_of(place)))
        .collect();
    let kids = kids.join(" ");
    let count = contents.len();
    file.object(
        SHEETS,
        &format!("<< /Type /Pages /Kids [{kids}] /Count {count} >>"),
    );
    file.object(
        FONT,
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    );
    for (place, content) in contents.iter().enumerate() {
        let number = number_of(place);
        let (width, height) = (points(PAPER_MM.0), points(PAPER_MM.1));
        file.object(
            number,
            &format!(
                "<< /Type /Page /Parent {SHEETS} 0 R /MediaBox [0 0 {width} {height}] \
                 /Resources << /Font << /F1 {FONT} 0 R >> >> /Contents {} 0 R >>",
                number + 1
            ),
        );
        file.object(
            number + 1,
            &format!(
                "<< /Length {} >>\nstream\n{content}endstream",
                content.len()
            ),
        );
    }
    file.finish()
}

/// One sheet. The origin of a PDF is at the bottom left.
fn content(codes: &[PrintedCode], side_mm: u32, columns: usize) -> String {
    let mut content = String::new();
    for (place, code) in codes.iter().enumerate() {
        let at = |place: usize| u32::try_from(place).unwrap_or(0);
        let left_mm = MARGIN_MM + at(place % columns) * (side_mm + GAP_MM);
        let top_mm = MARGIN_MM + at(place / columns) * (side_mm + TEXT_MM + GAP_MM);
        let bottom_mm = PAPER_MM.1 - top_mm - side_mm;
        draw(&mut content, code, left_mm, bottom_mm, side_mm);
        write_text(&mut content, code, left_mm, bottom_mm, side_mm);
    }
    content
}

/// The dark modules, each row as runs. One matrix turns modules into points, so that neighbours have
/// the same edge.
fn draw(content: &mut String, code: &PrintedCode, left_mm: u32, bottom_mm: u32, side_mm: u32) {
    let side = code.symbol.side_modules_with_quiet_zone();
    let scale = micro_points(side_mm) / u64::from(side);
    // Writing to a text cannot fail.
    let _ = writeln!(
        content,
        "q\n{scale} 0 0 {scale} {left} {bottom} cm",
        scale = decimal(scale, 6),
        left = points(left_mm),
        bottom = points(bottom_mm)
    );
    for y in 0..side {
        let mut x = 0;
        while x < side {
            let dark = (x..side).take_while(|x| code.symbol.is_dark(*x, y)).count();
            let dark = u32::try_from(dark).unwrap_or(0);
            if dark > 0 {
                let _ = writeln!(content, "{x} {} {dark} 1 re", side - 1 - y);
            }
            x += dark + 1;
        }
    }
    content.push_str("f\nQ\n");
}

/// The number and the price, in the middle below the code.
fn write_text(
    content: &mut String,
    code: &PrintedCode,
    left_mm: u32,
    bottom_mm: u32,
    side_mm: u32,
) {
    let price = code.price_yuan().map(|price| format!("CNY {price}"));
    let lines = std::iter::once(code.product_id.clone()).chain(price);
    for (place, line) in lines.enumerate() {
        let place = u64::try_from(place).unwrap_or(0);
        let middle = milli_points(left_mm) + milli_points(side_mm) / 2;
        let width = width_milli_points(&line);
        let x = middle.saturating_sub(width / 2);
        let y = milli_points(bottom_mm).saturating_sub(SIZE_PT * 1_200 * (place + 1));
        let _ = writeln!(
            content,
            "BT /F1 {SIZE_PT} Tf {} {} Td ({line}) Tj ET",
            decimal(x, 3),
            decimal(y, 3)
        );
    }
}

/// The size of the text, in points.
const SIZE_PT: u64 = 9;

/// About the width of a text: letters of Helvetica are half as wide as high, some wider.
fn width_milli_points(line: &str) -> u64 {
    u64::try_from(line.len()).unwrap_or(0) * SIZE_PT * 550
}

fn milli_points(mm: u32) -> u64 {
    u64::from(mm) * MILLI_POINTS_PER_INCH * 10 / 254
}

fn micro_points(mm: u32) -> u64 {
    u64::from(mm) * MILLI_POINTS_PER_INCH * 10_000 / 254
}

fn points(mm: u32) -> String {
    decimal(milli_points(mm), 3)
}

/// A whole number of small parts as a decimal number.
fn decimal(parts: u64, places: usize) -> String {
    let one = 10_u64.pow(u32::try_from(places).unwrap_or(0));
    format!("{}.{:0places$}", parts / one, parts % one)
}

/// The file, and where each object begins in it.
struct File {
    bytes: Vec<u8>,
    offsets: Vec<usize>,
}

impl File {
    fn new() -> Self {
        Self {
            bytes: b"%PDF-1.4\n".to_vec(),
            offsets: Vec::new(),
        }
    }

    /// Adds an object. The numbers begin at 1 and have no gap.
    fn object(&mut self, number: usize, text: &str) {
        self.offsets.push(self.bytes.len());
        self.bytes
            .extend_from_slice(format!("{number} 0 obj\n{text}\nendobj\n").as_bytes());
    }

    fn finish(mut self) -> Vec<u8> {
        let table = self.bytes.len();
        let size = self.offsets.len() + 1;
        let mut end = format!("xref\n0 {size}\n0000000000 65535 f \n");
        for offset in &self.offsets {
            let _ = writeln!(end, "{offset:010} 00000 n ");
        }
        let _ = write!(
            end,
            "trailer\n<< /Size {size} /Root {CATALOG} 0 R >>\nstartxref\n{table}\n%%EOF\n"
        );
        self.bytes.extend_from_slice(end.as_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use payment_values::Fen;

    use super::*;

    fn codes(count: usize) -> Vec<PrintedCode> {
        let code = |place| {
            let link = format!("weixin://wxpay/bizpayurl?sign=A&product_id=tea-{place}");
            let price = Some(Fen::saturating(1_990));
            PrintedCode::new(format!("tea-{place}"), "茶", price, &link).unwrap()
        };
        (0..count).map(code).collect()
    }

    fn text(codes: &[PrintedCode], side_mm: u32) -> String {
        String::from_utf8(pdf(codes, side_mm)).unwrap()
    }

    #[test]
    fn each_entry_of_the_table_points_at_its_object() {
        let file = text(&codes(30), 40);
        let (_, end) = file.rsplit_once("startxref\n").unwrap();
        let table: usize = end.lines().next().unwrap().parse().unwrap();
        let entries = file[table..].lines().skip(3);
        let mut count = 0;
        for (place, entry) in entries.take_while(|line| line.ends_with(" n ")).enumerate() {
            let offset: usize = entry[..10].parse().unwrap();
            assert!(file[offset..].starts_with(&format!("{} 0 obj\n", place + 1)));
            count += 1;
        }
        // Thirty codes of 40 mm need two sheets.
        assert_eq!(count, 3 + 2 * 2);
        assert!(file.contains("/Count 2"));
    }

    #[test]
    fn the_length_of_a_content_is_its_length() {
        let file = text(&codes(1), 60);
        let (_, rest) = file.split_once("/Length ").unwrap();
        let (length, rest) = rest.split_once(" >>\nstream\n").unwrap();
        let (content, _) = rest.split_once("endstream").unwrap();
        assert_eq!(content.len(), length.parse::<usize>().unwrap());
    }

    #[test]
    fn the_rectangles_are_the_dark_modules_and_the_quiet_zone_is_free() {
        let codes = codes(1);
        let file = text(&codes, 40);
        let symbol = &codes[0].symbol;
        let side = symbol.side_modules_with_quiet_zone();
        let mut dark = std::collections::BTreeSet::new();
        for line in file.lines().filter(|line| line.ends_with(" 1 re")) {
            let numbers: Vec<u32> = line
                .split(' ')
                .take(3)
                .map(|word| word.parse().unwrap())
                .collect();
            let [x, y, width] = numbers[..] else {
                panic!("{line}");
            };
            dark.extend((x..x + width).map(|x| (x, side - 1 - y)));
        }
        let expected = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
        let expected: std::collections::BTreeSet<_> =
            expected.filter(|(x, y)| symbol.is_dark(*x, *y)).collect();
        assert_eq!(dark, expected);
        let is_quiet = |(x, y): &(u32, u32)| *x < 4 || *y < 4 || *x >= side - 4 || *y >= side - 4;
        assert!(!dark.iter().any(is_quiet));
    }

    #[test]
    fn a_code_has_the_size_that_was_requested() {
        let codes = codes(1);
        let side = codes[0].symbol.side_modules_with_quiet_zone();
        let file = text(&codes, 40);
        let matrix = file.lines().find(|line| line.ends_with(" cm")).unwrap();
        let scale: f64 = matrix.split(' ').next().unwrap().parse().unwrap();
        let side_mm = scale * f64::from(side) * 25.4 / 72.0;
        assert!((side_mm - 40.0).abs() < 0.01, "{side_mm}");
        assert!(file.contains("(tea-0) Tj"), "{file}");
        assert!(file.contains("(CNY 19.90) Tj"), "{file}");
    }
}
