//! Parts of a drawing as SVG that a page shows without a script. It uses no style of the page, because a page shows
//! it as a picture. Numbers are pixels of the drawing.

use std::fmt::Write as _;

/// The height of the labels.
const FONT_PX: u32 = 13;

/// A drawing under way.
pub(super) struct Drawing {
    width: u32,
    height: u32,
    title: String,
    parts: String,
}

impl Drawing {
    pub(super) fn new(width: u32, height: u32, title: &str) -> Self {
        Self {
            width,
            height,
            title: escaped(title),
            parts: String::new(),
        }
    }

    /// A box with a name in it, and a smaller line below the name.
    pub(super) fn named_box(&mut self, (x, y): (u32, u32), (w, h): (u32, u32), lines: [&str; 2]) {
        self.part(&format!(
            r##"<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6" fill="#eef6f0" stroke="#1a7f4b"/>"##
        ));
        let middle = (x + w / 2, y + h / 2);
        let [name, caption] = lines;
        if caption.is_empty() {
            self.text((middle.0, middle.1 + 5), "bold", name);
        } else {
            self.text((middle.0, middle.1 - 2), "bold", name);
            self.text((middle.0, middle.1 + 14), "small", caption);
        }
    }

    /// A text with its middle there; `class` is `bold` or `small`.
    pub(super) fn text(&mut self, (x, y): (u32, u32), class: &str, text: &str) {
        let text = escaped(text);
        self.part(&format!(
            r#"<text class="{class}" x="{x}" y="{y}" text-anchor="middle">{text}</text>"#
        ));
    }

    /// An arrow between two boxes of this size, by their middles. It is bent a little to its left, so that the way
    /// back is another line.
    pub(super) fn arrow(&mut self, from: (u32, u32), to: (u32, u32), size: (u32, u32)) {
        let ([x1, y1], [x2, y2]) = (float(from), float(to));
        let (dx, dy) = (x2 - x1, y2 - y1);
        let length = dx.hypot(dy).max(1.0);
        // Further ways are bent more, around what is between.
        let bend = 6.0 + length / 14.0;
        let outwards = [dy / length * bend, -dx / length * bend];
        let way = [
            x1.midpoint(x2) + 2.0 * outwards[0],
            y1.midpoint(y2) + 2.0 * outwards[1],
        ];
        let half = [f64::from(size.0) / 2.0, f64::from(size.1) / 2.0];
        let [x1, y1] = edge([x1, y1], way, half);
        let [x2, y2] = edge([x2, y2], way, half);
        let [x3, y3] = way;
        self.part(&format!(
            r#"<path class="call" d="M{x1:.0} {y1:.0}Q{x3:.0} {y3:.0} {x2:.0} {y2:.0}"/>"#
        ));
    }

    /// A straight line; `class` is `call` and `answer`, which end in an arrow, or `life`.
    pub(super) fn line(&mut self, (x1, y1): (u32, u32), (x2, y2): (u32, u32), class: &str) {
        self.part(&format!(
            r#"<path class="{class}" d="M{x1} {y1}L{x2} {y2}"/>"#
        ));
    }

    /// The whole file.
    pub(super) fn finish(self) -> String {
        let Self {
            width,
            height,
            title,
            parts,
        } = self;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{title}</title>
<style>
text {{ font: {FONT_PX}px system-ui, "PingFang SC", "Noto Sans CJK SC", sans-serif; fill: #1b1f23 }}
.bold {{ font-weight: 600 }}
.small {{ font-size: 11px; fill: #57606a; paint-order: stroke; stroke: #ffffff; stroke-width: 4px }}
path {{ stroke: #1b1f23; fill: none }}
.call, .answer {{ marker-end: url(#arrow) }}
.answer {{ stroke-dasharray: 5 4 }}
.life {{ stroke: #c9d1d9 }}
</style>
<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z" style="fill:#1b1f23;stroke:none"/></marker></defs>
<rect width="{width}" height="{height}" fill="#ffffff"/>
{parts}</svg>
"##
        )
    }

    fn part(&mut self, part: &str) {
        // A String never refuses text.
        let _ = writeln!(self.parts, "{part}");
    }
}

fn float((x, y): (u32, u32)) -> [f64; 2] {
    [x.into(), y.into()]
}

/// Where the line from the middle of a box to a point leaves the box.
fn edge(middle: [f64; 2], to: [f64; 2], half: [f64; 2]) -> [f64; 2] {
    let [dx, dy] = [to[0] - middle[0], to[1] - middle[1]];
    let scale = (half[0] / dx.abs().max(0.001)).min(half[1] / dy.abs().max(0.001));
    let scale = scale.min(1.0);
    [middle[0] + dx * scale, middle[1] + dy * scale]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::Drawing;

    #[test]
    fn a_drawing_needs_no_script_and_no_text_becomes_markup() {
        let mut drawing = Drawing::new(100, 50, "a & b");
        drawing.text((1, 2), "small", "<script>");
        drawing.arrow((10, 25), (90, 25), (10, 10));
        let svg = drawing.finish();
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
        assert!(svg.contains("<title>a &amp; b</title>"), "{svg}");
        assert!(
            svg.contains("&lt;script&gt;") && !svg.contains("<script"),
            "{svg}"
        );
        assert!(svg.contains(r#"<path class="call" d="M15 "#), "{svg}");
    }
}
