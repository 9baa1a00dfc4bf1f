//! The symbol's rows as path commands. It never writes a float: all edges lie on whole modules.

use crate::{QUIET_ZONE_MODULES, QrCode};

pub(crate) fn data(code: &QrCode) -> String {
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

/// Decimal digits without the formatting machinery, which would cost the widget kilobytes.
pub(crate) fn push_number(text: &mut String, number: u32) {
    if number > 9 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}
