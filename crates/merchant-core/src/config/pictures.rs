//! Pictures that the merchant configures for buyers' pages: its logo, and WeChat Pay's official sign. A
//! file is taken only if its first bytes are those of a picture; an SVG is refused, because it can hold
//! script. Nothing here changes a picture or reads its pixels.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use wechat_pay::lower_hex;

use super::ConfigError;
use super::named_files::read;

/// The most bytes of a picture: it is loaded beside the code, by each buyer.
const PICTURE_MAX_BYTES: usize = 64 * 1024;

/// A picture of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The name of its address: the beginning of its SHA-256, and its kind. Another picture has another
    /// name, so browsers can keep it forever.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Bytes,
}

/// The picture that a field names, relative to the configuration's folder.
pub(super) fn read_picture(
    field: &'static str,
    path: Option<&Path>,
    folder: &Path,
) -> Result<Option<Picture>, ConfigError> {
    let Some(path) = path else {
        return Ok(None);
    };
    let bytes = read(field, &folder.join(path))?;
    let picture = checked(bytes).map_err(|rule| ConfigError::refused(field, rule))?;
    Ok(Some(picture))
}

fn checked(bytes: Vec<u8>) -> Result<Picture, &'static str> {
    if bytes.len() > PICTURE_MAX_BYTES {
        return Err("must be a picture of at most 65536 bytes, because each buyer loads it");
    }
    let (ending, media_type) =
        kind(&bytes).ok_or("must be a picture in the form of PNG, JPEG or WebP")?;
    let hash = digest(&SHA256, &bytes);
    let beginning = lower_hex(hash.as_ref().get(..8).unwrap_or_default());
    Ok(Picture {
        name: format!("{beginning}.{ending}"),
        media_type,
        bytes: bytes.into(),
    })
}

/// The ending of its name and the media type, by the first bytes: a name can be wrong.
fn kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let has = |start: usize, signature: &[u8]| {
        bytes
            .get(start..)
            .is_some_and(|rest| rest.starts_with(signature))
    };
    if has(0, b"\x89PNG\r\n\x1a\n") {
        Some(("png", "image/png"))
    } else if has(0, &[0xff, 0xd8, 0xff]) {
        Some(("jpg", "image/jpeg"))
    } else if has(0, b"RIFF") && has(8, b"WEBP") {
        Some(("webp", "image/webp"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{PICTURE_MAX_BYTES, checked};

    #[test]
    fn a_picture_is_known_by_its_first_bytes_and_everything_else_is_refused() {
        let cases: [(&[u8], Option<&str>); 9] = [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some("image/png")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x24\0\0\0WAVEfmt ", None),
            (b"GIF89a", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"<html><script>", None),
            (b"\x89PNG", None),
            (b"", None),
        ];
        for (bytes, media_type) in cases {
            let read = checked(bytes.to_vec()).map(|picture| picture.media_type);
            assert_eq!(read.ok(), media_type, "{bytes:?}");
        }
    }

    #[test]
    fn a_picture_has_a_name_of_its_content_and_a_greatest_size() {
        let picture = |length: usize| {
            let mut bytes = b"\xff\xd8\xff".to_vec();
            bytes.resize(length, 7);
            checked(bytes)
        };
        let [one, other] = [100, 101].map(|length| picture(length).unwrap().name);
        assert_ne!(one, other);
        assert_eq!(one, picture(100).unwrap().name);
        assert!(picture(PICTURE_MAX_BYTES).is_ok());
        let refused = picture(PICTURE_MAX_BYTES + 1).unwrap_err();
        assert!(refused.contains("65536"), "{refused}");
    }
}
