//! The symbol as its own document, for pages made on the server. It never uses a style of the page:
//! scanners read dark on white, and WeChat's scanner cannot read inverted codes.

use crate::path::push_number;
use crate::symbol::QrCode;

impl QrCode {
    /// A whole `<svg>` for a page that is made on the server: black on white in any colour scheme,
    /// with `title` (escaped here) as its accessible name, of [`QrCode::side_px`].
    pub fn svg(&self, title: &str) -> String {
        document(self, title)
    }
}

fn document(code: &QrCode, title: &str) -> String {
    let mut svg =
        String::from(r#"<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 "#);
    push_number(&mut svg, code.side_modules_with_quiet_zone());
    svg.push(' ');
    push_number(&mut svg, code.side_modules_with_quiet_zone());
    svg.push_str(r#"" width=""#);
    push_number(&mut svg, code.side_px());
    svg.push_str(r#"" height=""#);
    push_number(&mut svg, code.side_px());
    svg.push_str(r#"" shape-rendering="crispEdges"><title>"#);
    push_escaped(&mut svg, title);
    svg.push_str(
        r##"</title><rect width="100%" height="100%" fill="#fff"/><path fill="#000" d=""##,
    );
    svg.push_str(&code.path_data());
    svg.push_str(r#""/></svg>"#);
    svg
}

fn push_escaped(svg: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => svg.push_str("&lt;"),
            '>' => svg.push_str("&gt;"),
            '&' => svg.push_str("&amp;"),
            '"' => svg.push_str("&quot;"),
            // XML forbids the other control characters even when escaped.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => svg.push('\u{fffd}'),
            c => svg.push(c),
        }
    }
}
