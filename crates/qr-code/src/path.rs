//! The symbol's rows as path commands. It never writes a float: all edges lie on whole modules.

use crate::symbol::{QUIET_ZONE_MODULES, QrCode};

impl QrCode {
    /// The dark modules as the `d` of one `<path>`, to be *filled* (either fill rule) on white.
    ///
    /// Each row is one open subpath that walks along the top edge of its modules and dips around
    /// every dark run: `M4 4v1h7v-1h2v1h3v-1`. The way back along the top edge encloses nothing, so
    /// gaps cost five characters instead of a new subpath.
    pub fn path_data(&self) -> String {
        data(self)
    }
}

fn data(code: &QrCode) -> String {
    let end = code.side_modules_with_quiet_zone() - QUIET_ZONE_MODULES;
    let mut path = String::new();
    for y in QUIET_ZONE_MODULES..end {
        path.push('M');
        push_number(&mut path, QUIET_ZONE_MODULES);
        path.push(' ');
        push_number(&mut path, y);
        let mut x = QUIET_ZONE_MODULES;
        let mut inside = false;
        while x < end {
            let run_start = x;
            while x < end && code.is_dark(x, y) == inside {
                x += 1;
            }
            if x == end && !inside {
                break;
            }
            if x > run_start {
                path.push('h');
                push_number(&mut path, x - run_start);
            }
            path.push_str(if inside { "v-1" } else { "v1" });
            inside = !inside;
        }
        if inside {
            path.push_str("v-1");
        }
    }
    path
}

/// Decimal digits without the formatting machinery, which would add kilobytes to the widget.
pub(crate) fn push_number(text: &mut String, number: u32) {
    if number > 9 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}
