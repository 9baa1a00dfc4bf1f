//! The sheet as one HTML page, with the goods' names. It has no script.

use maud::{DOCTYPE, PreEscaped, html};

use super::printed_code::{GAP_MM, MARGIN_MM, PrintedCode, TEXT_MM};

/// A page of all codes, to print from a browser. It needs no other file.
pub fn page(codes: &[PrintedCode], side_mm: u32) -> String {
    let style = format!(
        "@page {{ size: A4; margin: {MARGIN_MM}mm }}
         body {{ margin: 0; background: #fff; color: #000; font: 10pt/1.3 sans-serif }}
         main {{ display: flex; flex-wrap: wrap; gap: {GAP_MM}mm }}
         figure {{ width: {side_mm}mm; min-height: {}mm; margin: 0; break-inside: avoid; text-align: center; overflow-wrap: anywhere }}
         svg {{ display: block; width: {side_mm}mm; height: {side_mm}mm }}
         strong {{ display: block }}",
        side_mm + TEXT_MM
    );
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                title { "微信支付 · WeChat Pay" }
                style { (PreEscaped(style)) }
            }
            body {
                main {
                    @for code in codes {
                        figure {
                            (PreEscaped(code.symbol.svg(&code.product_id)))
                            figcaption {
                                strong { (code.name) }
                                @if let Some(price) = code.price_yuan() { "¥" (price) " · " }
                                (code.product_id)
                            }
                        }
                    }
                }
            }
        }
    }
    .into_string()
}
