//! Randomness as an injected dependency: all tokens, nonces, numbers and handles come from here, so
//! that a test is repeatable to the byte.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The system gave no random bytes. Nothing is started without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

/// The source of randomness.
pub trait Randomness: Send + Sync + 'static {
    /// 16 bytes that cannot be guessed.
    fn bytes(&self) -> Result<[u8; 16], NoRandomness>;
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn bytes(&self) -> Result<[u8; 16], NoRandomness> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(bytes)
    }
}

/// The same bytes in each run, for tests. They can be guessed: never for real money.
#[derive(Debug)]
pub struct SeededRandomness {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededRandomness {
    /// The sequence of this seed.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }
}

impl Randomness for SeededRandomness {
    fn bytes(&self) -> Result<[u8; 16], NoRandomness> {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut input = self.seed.to_be_bytes().to_vec();
        input.extend(drawn.to_be_bytes());
        let hash = digest(&SHA256, &input);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_ref()[..16]);
        Ok(bytes)
    }
}

/// 22 URL-safe characters of 128 bits: a token, a state, a handle.
pub(crate) fn unguessable(random: [u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// Whether a text has the form of such a token.
pub(crate) fn is_unguessable(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == 22 && text.bytes().all(is_allowed)
}
