//! Detects what a key file contains. Merchants get keys and certificates as files, and these files
//! pass through editors, chats, environment variables and other tools before they arrive here.
//!
//! A content with only one meaning is accepted: PEM with a BOM, as UTF-16, indented, on one line, with `\n`
//! written as two characters, without its BEGIN line, and DER. For everything else
//! the error names its kind. The bytes decide, never the label. No error shows a file's content.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::keys::error::KeyError;
use crate::keys::file_kind::{ExpectedFile, FoundFile};

/// The DER bytes of the expected content. A file may hold other blocks beside it, as files of
/// `openssl pkcs12` do. Of several certificates the first one counts.
pub(crate) fn read(file: &[u8], expected: ExpectedFile) -> Result<Vec<u8>, KeyError> {
    let blocks = blocks(file).map_err(|found| KeyError::WrongFile { expected, found })?;
    let is_wanted = |found: FoundFile| {
        matches!(
            (expected, found),
            (ExpectedFile::PrivateKey, FoundFile::PrivateKey)
                | (ExpectedFile::PublicKey, FoundFile::PublicKey)
                | (ExpectedFile::Certificate, FoundFile::Certificate)
        )
    };
    let refused = |found| Err(KeyError::WrongFile { expected, found });
    let mut fitting = blocks.iter().filter(|block| is_wanted(block.found));
    match (fitting.next(), fitting.next()) {
        (Some(_), Some(_)) if expected == ExpectedFile::PrivateKey => {
            refused(FoundFile::PrivateKeys)
        }
        (Some(block), _) => Ok(block.der.clone()),
        (None, _) => refused(
            blocks
                .first()
                .map_or(FoundFile::Nothing, |block| block.found),
        ),
    }
}

/// The DER bytes of all certificates of a file. The file has at least one, and contains nothing
/// else.
pub(crate) fn read_certificates(file: &[u8]) -> Result<Vec<Vec<u8>>, KeyError> {
    let expected = ExpectedFile::Certificate;
    let blocks = blocks(file).map_err(|found| KeyError::WrongFile { expected, found })?;
    blocks
        .into_iter()
        .map(|block| match block.found {
            FoundFile::Certificate => Ok(block.der),
            found => Err(KeyError::WrongFile { expected, found }),
        })
        .collect()
}

struct Block {
    found: FoundFile,
    der: Vec<u8>,
}

impl Block {
    fn of(der: Vec<u8>) -> Self {
        Self {
            found: classify(&der),
            der,
        }
    }

    const fn without_content(found: FoundFile) -> Self {
        Self {
            found,
            der: Vec::new(),
        }
    }
}

/// At least one block, or why there is none.
fn blocks(file: &[u8]) -> Result<Vec<Block>, FoundFile> {
    if file.first() == Some(&0x30)
        && let Some((_, content, rest)) = element(file)
        && !content.is_empty()
    {
        // Some tools add a line end after DER.
        return match rest {
            b"" | b"\n" | b"\r\n" => Ok(vec![Block::of(file[..file.len() - rest.len()].to_vec())]),
            _ => Err(FoundFile::Unknown),
        };
    }
    let text = text(file).ok_or(FoundFile::Unknown)?;
    if text.is_empty() {
        return Err(FoundFile::Nothing);
    }
    if !text.contains(BEGIN) {
        // Base64 without its frame, as some portals request it.
        let block = decode(&text).map(Block::of);
        return match block {
            Some(block) if block.found != FoundFile::Unknown => Ok(vec![block]),
            _ => Err(FoundFile::Unknown),
        };
    }
    framed(&text)
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

fn framed(text: &str) -> Result<Vec<Block>, FoundFile> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once(BEGIN) {
        let (label, body) = begun.split_once(DASHES).ok_or(FoundFile::CutOff)?;
        let (body, ended) = body.split_once(END).ok_or(FoundFile::CutOff)?;
        let (end_label, after) = ended.split_once(DASHES).ok_or(FoundFile::CutOff)?;
        if label != end_label || body.contains(BEGIN) {
            return Err(FoundFile::CutOff);
        }
        rest = after;
        blocks.push(if label == "OPENSSH PRIVATE KEY" {
            Block::without_content(FoundFile::OpenSshKey)
        } else if body.contains("Proc-Type:") || label == "ENCRYPTED PRIVATE KEY" {
            Block::without_content(FoundFile::EncryptedPrivateKey)
        } else {
            match decode(body) {
                None => Block::without_content(FoundFile::Damaged),
                Some(der) => match Block::of(der) {
                    block if block.found == FoundFile::Unknown && is_of_keys(label) => {
                        Block::without_content(FoundFile::Damaged)
                    }
                    block => block,
                },
            }
        });
    }
    // Parameters of a curve stand before its key.
    let first_key = blocks
        .iter()
        .position(|block| block.found != FoundFile::Unknown);
    if let Some(place) = first_key {
        blocks.drain(..place);
    }
    Ok(blocks)
}

/// The labels whose content this module knows.
fn is_of_keys(label: &str) -> bool {
    label.ends_with("PRIVATE KEY") || label.ends_with("PUBLIC KEY") || label == "CERTIFICATE"
}

/// The text of a file: without BOM, from UTF-8 or from UTF-16 with a BOM, with `\n` in the place of
/// a backslash and an n, without quotes around it.
fn text(file: &[u8]) -> Option<String> {
    let text = match file {
        [0xff, 0xfe, rest @ ..] => from_utf16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => from_utf16(rest, u16::from_be_bytes)?,
        _ => std::str::from_utf8(file).ok()?.to_owned(),
    };
    let text = text
        .replace("\\r", "\n")
        .replace("\\n", "\n")
        .replace('\u{feff}', "");
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
    Some(text.to_owned())
}

fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let units: Vec<_> = units.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).ok()
}

/// Base64 with blanks of any kind in it.
fn decode(text: &str) -> Option<Vec<u8>> {
    // Chats and editors drop the padding at the end.
    let padding =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\u{200b}')
        .collect();
    GeneralPurpose::new(&STANDARD, padding).decode(text).ok()
}

// DER, as far as it takes to tell one kind of file from another. Tags and object identifiers.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.113549.1.7: what is inside of a PKCS#12 file.
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

fn classify(der: &[u8]) -> FoundFile {
    if X509Certificate::from_der(der).is_ok_and(|(rest, _)| rest.is_empty()) {
        return FoundFile::Certificate;
    }
    let Some((SEQUENCE, content, [])) = element(der) else {
        return FoundFile::Unknown;
    };
    let Some((first_tag, first, rest)) = element(content) else {
        return FoundFile::Unknown;
    };
    let Some((second_tag, second, rest)) = element(rest) else {
        return FoundFile::Unknown;
    };
    let algorithm = |sequence| match element(sequence) {
        Some((OBJECT, object, _)) => object,
        _ => &[],
    };
    match (first_tag, first, second_tag) {
        (INTEGER, [3], SEQUENCE) if algorithm(second).starts_with(PKCS7) => FoundFile::Pkcs12,
        (INTEGER, [0 | 1], SEQUENCE) => match algorithm(second) {
            RSA => FoundFile::PrivateKey,
            EC => FoundFile::EcPrivateKey,
            [] => FoundFile::Unknown,
            _ => FoundFile::OtherPrivateKey,
        },
        (INTEGER, [1], OCTET_STRING) => FoundFile::EcPrivateKey,
        // RSAPrivateKey has nine numbers, RSAPublicKey has two.
        (INTEGER, [0], INTEGER) => FoundFile::PrivateKey,
        (INTEGER, [_, _, ..], INTEGER) if rest.is_empty() => FoundFile::PublicKey,
        (SEQUENCE, _, BIT_STRING) => match algorithm(first) {
            RSA => FoundFile::PublicKey,
            [] => FoundFile::Unknown,
            _ => FoundFile::OtherPublicKey,
        },
        (SEQUENCE, _, OCTET_STRING) if !algorithm(first).is_empty() => {
            FoundFile::EncryptedPrivateKey
        }
        // A request: version and name, the algorithm of its signature, the signature.
        (SEQUENCE, _, SEQUENCE)
            if matches!(element(first), Some((INTEGER, [0], _)))
                && matches!(element(rest), Some((BIT_STRING, _, []))) =>
        {
            FoundFile::CertificateRequest
        }
        _ => FoundFile::Unknown,
    }
}

/// One element of DER: its tag, its content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = der else {
        return None;
    };
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81..=0x84 => {
            let count = usize::from(*length & 0x7f);
            let (digits, rest) = rest.split_at_checked(count)?;
            let number = digits
                .iter()
                .fold(0_usize, |number, digit| (number << 8) | usize::from(*digit));
            (number, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}
