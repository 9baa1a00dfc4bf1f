//! Every parser of untrusted bytes, over the stored corpus and over mutations of it: flipped bits,
//! added and removed bytes, repeated and spliced pieces. The functions under test are those that
//! libFuzzer runs, see `fuzz/targets.rs`.
//!
//! The number of inputs is small, so that the suite is fast;
//! `HOSTILE_INPUTS=1000000 cargo test --release --test hostile_inputs` runs more.
//! The mutations are drawn from a fixed seed, so a failure can be reproduced.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::Path;
use std::{fs, panic};

const SEED: u64 = 0x5157_F09E_FDC0_96DE;
const MAX_BYTES: usize = 8 * 1024;

/// Pieces of the formats.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"=\"",
    b",",
    b"`",
    b",`",
    b"\n",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\0",
    b"mchid",
    b"WECHATPAY2-SHA256-RSA2048 ",
    b"WECHATPAY/SIGNTEST/",
    b"-1",
    b"1e3",
    b"9223372036854775808",
    b"null",
    b"{",
    b"}",
    b"[",
    b"\\u0000",
    b"\\ud800",
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE x>",
    b"&a;",
    b"&#0;",
    b"</xml>",
    b"<xml>",
    b"\x1f\x8b\x08",
    b"]]>]]&gt;",
    b"<total_fee>1</total_fee>",
    b"<sign>",
    b"<sign_type>HMAC-SHA256</sign_type>",
    b"<trade_state>SUCCESS</trade_state>",
    b"<result_code>FAIL</result_code>",
    b"<refund_count>",
    b"69.105",
    b"&sign=",
    b"%25",
    b"20260230250000",
];

#[test]
fn authorization_headers() {
    damage_and_run("authorization", 20_000, targets::authorization);
}

#[test]
fn notifications() {
    // Most inputs are signed and verified, which takes a thousand times as long.
    damage_and_run("notification", 1_000, targets::notification);
}

#[test]
fn bills() {
    damage_and_run("bill", 5_000, targets::bill);
}

#[test]
fn pem_files() {
    damage_and_run("pem", 2_000, targets::pem);
}

#[test]
fn refund_notifications_of_version_2() {
    damage_and_run(
        "refund_notification_v2",
        10_000,
        targets::refund_notification_v2,
    );
}

#[test]
fn answers_of_version_2() {
    damage_and_run("answer_v2", 3000, targets::answer_v2);
}

#[test]
fn payment_notifications_of_version_2() {
    damage_and_run(
        "payment_notification_v2",
        5000,
        targets::payment_notification_v2,
    );
}

#[test]
fn native_mode_1_of_version_2() {
    damage_and_run("native_v2", 5000, targets::native_v2);
}

#[test]
fn requests_of_version_2() {
    damage_and_run("request_v2", 3000, targets::request_v2);
}

#[test]
fn bills_of_version_2() {
    damage_and_run("bill_v2", 5000, targets::bill_v2);
}

fn damage_and_run(name: &str, count: u64, target: fn(&[u8])) {
    let corpus = corpus(name);
    let count = std::env::var("HOSTILE_INPUTS").map_or(count, |text| {
        text.parse().expect("HOSTILE_INPUTS is a number of inputs")
    });
    for input in &corpus {
        run(target, input);
    }
    let mut random = Random(SEED);
    for _ in 0..count {
        run(target, &damaged(&corpus, &mut random));
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the corpus is beside the targets")
        .map(|entry| entry.expect("a file of the corpus").path())
        .collect();
    // The order of files differs between machines.
    files.sort_unstable();
    assert!(!files.is_empty(), "{name} has no corpus");
    files
        .iter()
        .map(|file| fs::read(file).expect("a file of the corpus"))
        .collect()
}

fn run(target: fn(&[u8]), input: &[u8]) {
    let done = panic::catch_unwind(|| target(input));
    assert!(
        done.is_ok(),
        "failed (see above) with the input \"{}\"",
        input.escape_ascii()
    );
}

fn damaged(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = random.one_of(corpus).clone();
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        let to = at + random.below(input.len() + 1 - at);
        match random.below(8) {
            0 | 1 if at < input.len() => input[at] ^= 1 << random.below(8),
            2 if at < input.len() => input[at] = random.byte(),
            3 => input.insert(at, random.byte()),
            4 => drop(input.drain(at..to.min(at + 64))),
            5 => {
                let piece = input[at..to.min(at + 256)].to_vec();
                input.splice(at..at, piece);
            }
            6 => {
                let other = random.one_of(corpus);
                let from = random.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                let piece = *random.one_of(PIECES);
                input.splice(at..at, piece.iter().copied());
            }
        }
    }
    input.truncate(MAX_BYTES);
    input
}

/// SplitMix64: short, and random enough for mutations.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// From 0 to `end`, `end` left out; 0 where `end` is 0.
    fn below(&mut self, end: usize) -> usize {
        let word = usize::try_from(self.next() >> 32).unwrap_or_default();
        word.checked_rem(end).unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
