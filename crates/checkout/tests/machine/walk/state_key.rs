//! The hash of a state's text, without the times at which its parts began.

use std::hash::{DefaultHasher, Hash};

/// Hashes a state's text with its times as distances from now, and its request ids as distances
/// from the last one. A time in the past is hashed as its distance up to ten minutes, the longest
/// that the polling schedule distinguishes.
pub(super) fn hash_relative(text: &str, now_ms: u64, hasher: &mut DefaultHasher) {
    let last_id = number_after(text, "last_id: ").unwrap_or(0);
    let bytes = text.as_bytes();
    let (mut at, mut run) = (0, 0);
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = at
            + bytes[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
        let before = &text[run..at];
        before.hash(hasher);
        let number: u64 = text[at..end].parse().unwrap_or(u64::MAX);
        let is_time = is_time(&text[..at]);
        if is_time {
            let distance = i128::from(number) - i128::from(now_ms);
            let is_earliest = EARLIEST_TIMES.iter().any(|name| before.ends_with(name));
            distance
                .max(if is_earliest { 0 } else { -600_000 })
                .hash(hasher);
        } else if before.ends_with("RequestId(") || before.ends_with("last_id: ") {
            (last_id - number.min(last_id)).hash(hasher);
        } else {
            number.hash(hasher);
        }
        at = end;
        run = end;
    }
    text[run..].hash(hasher);
}

/// Fields that hold a time, or whose value begins with one.
const TIMES: [&str; 15] = [
    "running_since_ms",
    "due_at_ms",
    "sent_at_ms",
    "until_ms",
    "gives_up_at_ms",
    "deadline_ms",
    "since_ms",
    "silent_at_ms",
    "stuck_at_ms",
    "late_at_ms",
    "wake_at_ms",
    "leave",
    "hint_after_ms",
    "hint_set_at_ms",
    "full_at_ms",
];

/// Times before which something does not happen: once they are past, their distance does not
/// matter.
const EARLIEST_TIMES: [&str; 3] = ["hint_after_ms: ", "hint_set_at_ms: ", "full_at_ms: "];

/// Whether the number that follows is a time: `stuck_at_ms: 5`, `leave: Some((5, …`, and the second
/// number of `leader: Some((1, 5))`, whose first is a rank.
fn is_time(before: &str) -> bool {
    let opened = before.trim_end_matches(|letter| "Some( ".contains(letter));
    let Some(field) = opened.strip_suffix(':') else {
        let rank = opened.trim_end_matches(|letter: char| "0123456789,".contains(letter));
        return opened.ends_with(',') && rank.ends_with("leader: Some((");
    };
    let name = field.rsplit([' ', '{']).next().unwrap_or_default();
    TIMES.contains(&name)
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = &text[text.find(name)? + name.len()..];
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit())?;
    rest[..end].parse().ok()
}
