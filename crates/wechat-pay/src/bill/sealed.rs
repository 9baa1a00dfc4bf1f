//! A sub-merchant's flow of funds (子商户资金账单), which its service provider requests. The file is
//! encrypted: AES-256-GCM under a key of its own, which is encrypted for the provider's API
//! certificate (OAEP). A very long bill comes in parts.
//!
//! Source: WeChat's pages on `sub-merchant-fundflowbill`. Their example has a nonce of 16 bytes,
//! which AES-GCM allows and most libraries do not support: this module accepts both 12 and 16
//! bytes.

use aes_gcm::aead::Aead;
use aes_gcm::aead::array::typenum::U16;
use aes_gcm::aead::consts::U12;
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, KeyInit};
use jiff::civil::Date;
use payment_values::{InvalidField, check_word};
use serde::{Deserialize, Serialize};

use crate::bill::unpacking::Unpacking;
use crate::bill::{Bill, BillAccount, BillDownload, BillError, BillTicket, Packing, read_parts};
use crate::keys::rsa::MerchantKey;
use crate::request::{RequestParts, encode};
use crate::sealing::aead::AEAD_ALGORITHM;
use crate::sealing::oaep::OaepHash;

/// Requests a sub-merchant's flow of funds; answered with [`SealedBillTickets`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubMerchantFundFlowBillRequest {
    /// The sub-merchant.
    pub sub_mchid: String,
    /// The day, in Beijing.
    pub bill_date: Date,
    /// The account.
    pub account: BillAccount,
    /// How the file is packed, before it is encrypted.
    pub packing: Packing,
}

impl SubMerchantFundFlowBillRequest {
    /// The request.
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        check_word("sub_mchid", &self.sub_mchid)?;
        Ok(RequestParts::get(format!(
            "/v3/bill/sub-merchant-fundflowbill?sub_mchid={}&bill_date={}&account_type={}\
             &algorithm={AEAD_ALGORITHM}{}",
            encode(&self.sub_mchid),
            self.bill_date,
            self.account.as_str(),
            self.packing.query()
        )))
    }
}

/// The answer to a request for a sub-merchant's bill. Only a verified reply may give it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedBillTickets {
    /// How many parts the bill has.
    pub download_bill_count: usize,
    /// The parts.
    #[serde(default)]
    pub download_bill_list: Vec<SealedBillTicket>,
}

impl SealedBillTickets {
    /// The parts in their order: each announced part once.
    pub fn in_order(&self) -> Result<Vec<&SealedBillTicket>, BillError> {
        let mut parts: Vec<_> = self.download_bill_list.iter().collect();
        parts.sort_by_key(|part| part.bill_sequence);
        parts.dedup_by_key(|part| part.bill_sequence);
        if parts.is_empty() || parts.len() != self.download_bill_count {
            return Err(BillError::Parts {
                announced: self.download_bill_count,
                got: parts.len(),
            });
        }
        Ok(parts)
    }
}

/// Where a part of an encrypted bill is, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedBillTicket {
    /// Its place among the parts, counted from 1.
    pub bill_sequence: u32,
    /// The file, and the hash over its text, neither encrypted nor packed.
    #[serde(flatten)]
    pub ticket: BillTicket,
    /// The file's key, encrypted for the provider's API certificate; base64.
    pub encrypt_key: String,
    /// The nonce of the file, 12 or 16 bytes of ASCII.
    pub nonce: String,
}

impl SealedBillTicket {
    /// The request for the file. The address is used as WeChat gave it.
    pub fn download(&self) -> Result<BillDownload, BillError> {
        self.ticket.download()
    }

    /// Decrypts a file with the provider's key; the result is still packed.
    pub fn open(&self, file: &[u8], key: &MerchantKey) -> Result<Vec<u8>, BillError> {
        let file_key = key
            .signing_key()
            .open_bytes(OaepHash::Sha1, &self.encrypt_key)
            .map_err(|_| BillError::SealedKey("it was not encrypted for this merchant"))?;
        let file_key: [u8; 32] = file_key
            .try_into()
            .map_err(|_| BillError::SealedKey("it is not 32 bytes long"))?;
        let nonce = self.nonce.as_bytes();
        let opened = match nonce.len() {
            12 => AesGcm::<Aes256, U12>::new(&file_key.into())
                .decrypt(&nonce.try_into().map_err(|_| BillError::Sealed)?, file),
            16 => AesGcm::<Aes256, U16>::new(&file_key.into())
                .decrypt(&nonce.try_into().map_err(|_| BillError::Sealed)?, file),
            _ => return Err(BillError::SealedKey("its nonce is not 12 or 16 bytes long")),
        };
        opened.map_err(|_| BillError::Sealed)
    }
}

/// Encrypts a file, packed or not, under 32 bytes and a nonce of 16 bytes. Only an implementation
/// of WeChat's side needs this.
pub fn seal_bill(file: &[u8], key: &str, nonce: &str) -> Result<Vec<u8>, BillError> {
    let key: [u8; 32] = key
        .as_bytes()
        .try_into()
        .map_err(|_| BillError::SealedKey("it is not 32 bytes long"))?;
    let nonce = nonce
        .as_bytes()
        .try_into()
        .map_err(|_| BillError::SealedKey("its nonce is not 16 bytes long"))?;
    AesGcm::<Aes256, U16>::new(&key.into())
        .encrypt(&nonce, file)
        .map_err(|_| BillError::Sealed)
}

/// Reads a whole encrypted bill. `files` are the parts as they were downloaded, each with its
/// ticket, in any order; every part's hash is checked before a line of any is read.
pub fn read_sealed_bill(
    tickets: &SealedBillTickets,
    files: &[(&SealedBillTicket, &[u8])],
    packing: Packing,
    key: &MerchantKey,
) -> Result<Bill, BillError> {
    let mut parts = files.to_vec();
    parts.sort_by_key(|(ticket, _)| ticket.bill_sequence);
    parts.dedup_by_key(|(ticket, _)| ticket.bill_sequence);
    if parts.is_empty() || parts.len() != tickets.download_bill_count {
        return Err(BillError::Parts {
            announced: tickets.download_bill_count,
            got: parts.len(),
        });
    }
    let mut text = Vec::new();
    for (ticket, file) in parts {
        let mut unpacking = Unpacking::new(packing);
        let mut keep = |piece: &[u8]| {
            text.extend_from_slice(piece);
            Ok(())
        };
        unpacking.push(&ticket.open(file, key)?, &mut keep)?;
        unpacking.finish(Some(ticket.ticket.digest()?), &mut keep)?;
    }
    read_parts(&text)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use jiff::civil::date;

    use super::*;
    use crate::test_keys;

    const TEXT: &str = "\u{feff}A,B\r\n`1,`茶\r\n`2,`水\r\n总数\r\n`2\r\n";
    const FILE_KEY: &str = "0123456789abcdef0123456789abcdef";

    fn ticket(sequence: u32, text: &str) -> SealedBillTicket {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        SealedBillTicket {
            bill_sequence: sequence,
            ticket: BillTicket {
                hash_type: "SHA1".into(),
                hash_value: crate::lower_hex(hash.as_ref()),
                download_url: "https://api.mch.weixin.qq.com/v3/bill/downloadurl?token=x".into(),
            },
            encrypt_key: test_keys::doc_public_key().seal_field(FILE_KEY).unwrap(),
            nonce: "a8607ef79034c49c".into(),
        }
    }

    fn sealed(text: &str) -> Vec<u8> {
        seal_bill(text.as_bytes(), FILE_KEY, "a8607ef79034c49c").unwrap()
    }

    fn read(count: usize, files: &[(&SealedBillTicket, &[u8])]) -> Result<Bill, BillError> {
        let tickets = SealedBillTickets {
            download_bill_count: count,
            download_bill_list: Vec::new(),
        };
        read_sealed_bill(&tickets, files, Packing::Plain, &test_keys::merchant_key())
    }

    #[test]
    fn a_file_that_python_sealed_opens_with_either_nonce() {
        // Made with AESGCM of Python's `cryptography`.
        for (nonce, file) in [
            (
                "a8607ef79034c49c",
                "4hOcPnaJwY9HlD8G7UdFj/ejGXhKkkLOMs9sbWX0GTc=",
            ),
            (
                "a8607ef79034",
                "Y4YCmIZP8fV3fH7avvQ1xyLB+W4RqJZBZaZwsPuqGog=",
            ),
        ] {
            let mut ticket = ticket(1, "");
            ticket.nonce = nonce.into();
            let file = STANDARD.decode(file).unwrap();
            let opened = ticket.open(&file, &test_keys::merchant_key()).unwrap();
            assert_eq!(opened, "\u{feff}记账时间\n".as_bytes(), "{nonce}");
        }
    }

    #[test]
    fn the_parts_of_a_bill_are_joined_in_their_order() {
        let (first, second) = TEXT.split_at(15);
        let (a, b) = (ticket(1, first), ticket(2, second));
        let (file_a, file_b) = (sealed(first), sealed(second));
        let whole = ticket(1, TEXT);
        let expected = read(1, &[(&whole, &sealed(TEXT))]).unwrap();
        assert_eq!(expected.rows.len(), 2);
        let parts = read(2, &[(&b, &file_b), (&a, &file_a)]);
        assert_eq!(parts, Ok(expected));
        for (count, files) in [
            (2, vec![(&a, &file_a[..])]),
            (2, vec![(&a, &file_a[..]), (&a, &file_a[..])]),
            (1, vec![]),
        ] {
            let error = read(count, &files).unwrap_err();
            assert!(matches!(error, BillError::Parts { .. }), "{error}");
        }
    }

    #[test]
    fn parts_are_downloaded_in_their_order_and_none_is_missing() {
        let listed = |count: usize, sequences: &[u32]| {
            let tickets = SealedBillTickets {
                download_bill_count: count,
                download_bill_list: sequences.iter().map(|place| ticket(*place, "")).collect(),
            };
            let parts = tickets.in_order()?;
            Ok(parts
                .iter()
                .map(|part| part.bill_sequence)
                .collect::<Vec<_>>())
        };
        assert_eq!(listed(3, &[2, 3, 1]), Ok(vec![1, 2, 3]));
        for (announced, sequences, got) in [
            (2, &[1][..], 1),
            (2, &[1, 1], 1),
            (1, &[1, 2], 2),
            (0, &[], 0),
        ] {
            let error = BillError::Parts { announced, got };
            assert_eq!(listed(announced, sequences), Err(error));
        }
    }

    #[test]
    fn changed_sealed_content_is_refused() {
        type Change = fn(&mut SealedBillTicket, &mut Vec<u8>);
        let table: [(Change, BillError); 6] = [
            (|_, file| file[0] ^= 1, BillError::Sealed),
            (|_, file| file.truncate(10), BillError::Sealed),
            (
                |t, _| t.nonce = "short".into(),
                BillError::SealedKey("its nonce is not 12 or 16 bytes long"),
            ),
            (
                |t, _| t.encrypt_key = "AAAA".into(),
                BillError::SealedKey("it was not encrypted for this merchant"),
            ),
            (
                |t, _| {
                    t.encrypt_key = test_keys::doc_public_key().seal_field("short").unwrap();
                },
                BillError::SealedKey("it is not 32 bytes long"),
            ),
            (
                |t, _| t.ticket.hash_value = "0".repeat(40),
                BillError::Digest,
            ),
        ];
        for (change, expected) in table {
            let (mut ticket, mut file) = (ticket(1, TEXT), sealed(TEXT));
            change(&mut ticket, &mut file);
            assert_eq!(read(1, &[(&ticket, &file)]), Err(expected));
        }
    }

    #[test]
    fn the_request_names_the_sub_merchant_and_the_encryption() {
        let mut request = SubMerchantFundFlowBillRequest {
            sub_mchid: "19000000001".into(),
            bill_date: date(2019, 6, 11),
            account: BillAccount::Basic,
            packing: Packing::Gzip,
        };
        assert_eq!(
            request.request().unwrap().path_and_query,
            "/v3/bill/sub-merchant-fundflowbill?sub_mchid=19000000001&bill_date=2019-06-11\
             &account_type=BASIC&algorithm=AEAD_AES_256_GCM&tar_type=GZIP"
        );
        request.sub_mchid = "1&a=b".into();
        assert_eq!(request.request().unwrap_err().field, "sub_mchid");
    }

    #[test]
    fn the_documented_answer_is_read() {
        let tickets: SealedBillTickets = serde_json::from_str(
            r#"{"download_bill_count":1,"download_bill_list":[{"bill_sequence":1,
                "download_url":"https://api.mch.weixin.qq.com/v3/bill/downloadurl?token=xxx",
                "encrypt_key":"a0YK","hash_type":"SHA1","nonce":"a8607ef79034c49c",
                "hash_value":"79bb0f45fc4c42234a918000b2668d689e2bde04"}]}"#,
        )
        .unwrap();
        let ticket = &tickets.download_bill_list[0];
        assert_eq!(ticket.bill_sequence, 1);
        assert!(ticket.download().is_ok());
    }
}
