//! Product codes on paper: one code as an SVG file, or a sheet of codes as a page to print from a browser
//! or as a PDF. Sizes are in millimetres and include the quiet zone, which belongs to the code.
//!
//! The PDF shows the goods' number and price and not their name: it holds no font, and the fonts that
//! every reader has know no Chinese. The page shows the name too.

mod page;
mod pdf;
mod printed_code;

pub use page::page;
pub use pdf::pdf;
pub use printed_code::{PrintedCode, SIDE_MM};
