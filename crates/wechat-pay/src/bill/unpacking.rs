//! Unpacks and hashes a bill's bytes while they arrive. The hash is over the unpacked bytes.

use std::io::Write;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use flate2::write::GzDecoder;

use crate::bill::limits::MAX_BILL_BYTES;
use crate::bill::{BillError, Packing};

/// The number of packed bytes that are unpacked at a time; gzip makes at most about a thousand
/// times as many.
const STEP_BYTES: usize = 1024;

pub(super) struct Unpacking {
    gzip: Option<GzDecoder<Vec<u8>>>,
    hash: Context,
    length: u64,
}

impl Unpacking {
    pub(super) fn new(packing: Packing) -> Self {
        Self {
            gzip: match packing {
                Packing::Plain => None,
                Packing::Gzip => Some(GzDecoder::new(Vec::new())),
            },
            hash: Context::new(&SHA1_FOR_LEGACY_USE_ONLY),
            length: 0,
        }
    }

    /// Unpacks and hashes; passes the unpacked bytes on, in pieces.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        take: &mut dyn FnMut(&[u8]) -> Result<(), BillError>,
    ) -> Result<(), BillError> {
        let Some(mut gzip) = self.gzip.take() else {
            return self.hand_on(bytes, take);
        };
        for step in bytes.chunks(STEP_BYTES) {
            gzip.write_all(step).map_err(|_| BillError::Gzip)?;
            let unpacked = std::mem::take(gzip.get_mut());
            self.hand_on(&unpacked, take)?;
        }
        self.gzip = Some(gzip);
        Ok(())
    }

    /// Ends; the hash must be the announced one, if one was announced.
    pub(super) fn finish(
        mut self,
        announced: Option<[u8; 20]>,
        take: &mut dyn FnMut(&[u8]) -> Result<(), BillError>,
    ) -> Result<(), BillError> {
        if let Some(gzip) = self.gzip.take() {
            let rest = gzip.finish().map_err(|_| BillError::Gzip)?;
            self.hand_on(&rest, take)?;
        }
        let hash = self.hash.finish();
        match announced {
            Some(announced) if hash.as_ref() != announced => Err(BillError::Digest),
            _ => Ok(()),
        }
    }

    fn hand_on(
        &mut self,
        bytes: &[u8],
        take: &mut dyn FnMut(&[u8]) -> Result<(), BillError>,
    ) -> Result<(), BillError> {
        self.length = self.length.saturating_add(bytes.len() as u64);
        if self.length > MAX_BILL_BYTES {
            return Err(BillError::TooLong);
        }
        self.hash.update(bytes);
        take(bytes)
    }
}
