//! A bill's file on the disk, because a big shop's day does not fit into memory. The file has no
//! name, so that nothing is left however the process ends. Its content is neither parsed nor
//! verified here.

use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use http_body_util::BodyExt as _;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::sync::Mutex;

use crate::surroundings::{ReplyBody, TransportError};

/// Largest file of a bill that is taken, packed, in bytes: a day of some ten million payments.
const BILL_FILE_MAX_BYTES: u64 = 512 * 1024 * 1024;

/// How much is read at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// A file without a name.
pub(crate) struct BillFile {
    file: Mutex<File>,
    max_bytes: u64,
}

impl BillFile {
    /// Creates an empty file on the disk of this folder.
    pub(crate) fn new_in(folder: &Path) -> io::Result<Self> {
        Self::limited_in(folder, BILL_FILE_MAX_BYTES)
    }

    /// Creates an empty file that takes at most `max_bytes` bytes.
    pub(crate) fn limited_in(folder: &Path, max_bytes: u64) -> io::Result<Self> {
        Ok(Self {
            max_bytes,
            ..Self::of(tempfile::tempfile_in(folder)?)
        })
    }

    /// Takes a file that was written elsewhere.
    pub(crate) fn of(file: std::fs::File) -> Self {
        Self {
            file: Mutex::new(File::from_std(file)),
            max_bytes: BILL_FILE_MAX_BYTES,
        }
    }

    /// Stores a body as it arrives, replacing the content of an earlier, interrupted try.
    pub(crate) async fn take(&self, mut body: ReplyBody) -> Result<(), TransportError> {
        let kept = |kept: io::Result<()>| {
            kept.map_err(|error| lost(format!("the bill's file cannot be kept: {error}")))
        };
        let mut file = self.file.lock().await;
        kept(file.set_len(0).await)?;
        kept(file.rewind().await.map(drop))?;
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            // The error may name the address, which carries a secret.
            let frame = frame.map_err(|_| lost("the bill's file broke off".to_owned()))?;
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            length += piece.len() as u64;
            if length > self.max_bytes {
                let rule = format!("the bill's file is longer than {} bytes", self.max_bytes);
                return Err(lost(rule));
            }
            kept(file.write_all(&piece).await)?;
        }
        kept(file.flush().await)
    }

    /// Goes to the file's beginning.
    pub(crate) async fn rewind(&self) -> io::Result<()> {
        self.file.lock().await.rewind().await.map(drop)
    }

    /// Reads the next piece, replacing the previous one; `false` at the file's end.
    pub(crate) async fn read_piece(&self, piece: &mut Vec<u8>) -> io::Result<bool> {
        piece.resize(PIECE_BYTES, 0);
        let length = self.file.lock().await.read(piece).await?;
        piece.truncate(length);
        Ok(length > 0)
    }

    /// The whole content, from the file's beginning.
    pub(crate) async fn whole(&self) -> io::Result<Vec<u8>> {
        let mut file = self.file.lock().await;
        file.rewind().await?;
        let mut whole = Vec::new();
        file.read_to_end(&mut whole).await?;
        Ok(whole)
    }

    /// The rest of the content, piece by piece. A piece is read when the receiver takes it.
    pub(crate) fn pieces(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        try_unfold(self, |file| async move {
            let mut piece = Vec::new();
            let is_there = file.read_piece(&mut piece).await?;
            Ok(is_there.then(|| (Bytes::from(piece), file)))
        })
    }
}

fn lost(reason: String) -> TransportError {
    TransportError::NoAnswer(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::whole_body;

    async fn text_of(file: &BillFile) -> Vec<u8> {
        file.whole().await.unwrap()
    }

    #[tokio::test]
    async fn the_latest_file_replaces_the_earlier_one_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = BillFile::new_in(folder.path()).unwrap();
        let long = vec![7; 3 * PIECE_BYTES];
        file.take(whole_body(long.clone())).await.unwrap();
        assert_eq!(text_of(&file).await, long);
        file.take(whole_body("short")).await.unwrap();
        assert_eq!(text_of(&file).await, b"short");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_file_that_is_too_long_is_refused_with_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = BillFile::limited_in(folder.path(), 5).unwrap();
        file.take(whole_body("12345")).await.unwrap();
        let error = file.take(whole_body("123456")).await.unwrap_err();
        let says = "the bill's file is longer than 5 bytes";
        assert!(error.to_string().contains(says), "{error}");
    }
}
