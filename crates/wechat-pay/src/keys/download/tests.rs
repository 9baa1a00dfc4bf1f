//! Platform certificates: listed, sealed, and accepted as a whole or not at all.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::keys::file_kind::{ExpectedFile, FoundFile};
use crate::signing::stamp::Stamp;
use crate::{PlatformKey, SigningKey, test_keys};

const NOW_S: i64 = 1_700_000_000;

/// A platform key with its certificate.
struct Platform {
    key: PlatformKey,
    pem: String,
}

fn made() -> Platform {
    let (pem, private) = test_keys::new_platform();
    let (serial, _) = PublicKey::from_certificate_pem(pem.as_bytes()).unwrap();
    let key = SigningKey::from_pem(private.as_bytes()).unwrap();
    Platform {
        key: PlatformKey::new(serial, key).unwrap(),
        pem,
    }
}

fn api_v3_key() -> ApiV3Key {
    ApiV3Key::new(&[7; 32]).unwrap()
}

fn sealed(platform: &Platform, effective_s: i64, expires_s: i64) -> SealedCertificate {
    let moment = |s| Timestamp::from_second(s).unwrap();
    SealedCertificate::seal(
        &api_v3_key(),
        platform.pem.as_bytes(),
        moment(effective_s),
        moment(expires_s),
        "abcdefghijkl",
    )
    .unwrap()
}

fn fresh(platform: &Platform) -> SealedCertificate {
    sealed(platform, NOW_S - 100, NOW_S + 1_000)
}

fn reply(data: Vec<SealedCertificate>, signer: &PlatformKey) -> Reply {
    let body = serde_json::to_vec(&SealedCertificates { data }).unwrap();
    Reply {
        status: StatusCode::OK,
        headers: signer
            .sign_headers(&Stamp::new(NOW_S, [1; 16]), &body)
            .unwrap(),
        body: body.into(),
    }
}

fn refresh(keys: &TrustedKeys, reply: Reply) -> Result<TrustedKeys, CertificatesError> {
    keys.refreshed(reply, &api_v3_key(), NOW_S)
}

#[test]
fn a_first_download_is_verified_with_a_certificate_in_it() {
    let (a, b) = (made(), made());
    let keys = refresh(
        &TrustedKeys::new(),
        reply(vec![fresh(&a), fresh(&b)], &b.key),
    )
    .unwrap();
    assert!(keys.get(a.key.serial()).is_some() && keys.get(b.key.serial()).is_some());

    // The signer is not among the reply's certificates.
    let error = refresh(&TrustedKeys::new(), reply(vec![fresh(&a)], &b.key)).unwrap_err();
    assert!(matches!(
        error,
        CertificatesError::Reply(ReplyError::Signature(SignatureError::UnknownSerial(_)))
    ));
    // The serial is right, but another key made the signature.
    let forger = PlatformKey::new(
        a.key.serial(),
        SigningKey::from_pem(test_keys::DOC_KEY_PKCS1_PEM.as_bytes()).unwrap(),
    )
    .unwrap();
    let error = refresh(&TrustedKeys::new(), reply(vec![fresh(&a)], &forger)).unwrap_err();
    assert_eq!(
        error,
        CertificatesError::Reply(ReplyError::Signature(SignatureError::Mismatch))
    );
}

#[test]
fn a_rotation_adds_the_new_certificate_and_keeps_the_old_one_and_the_public_key() {
    let (old, new) = (made(), made());
    let first = refresh(&TrustedKeys::new(), reply(vec![fresh(&old)], &old.key)).unwrap();
    let mut first = first;
    first
        .add("PUB_KEY_ID_01", test_keys::doc_public_key())
        .unwrap();
    // The old one signs the list with the new one; then the new one signs.
    let second = refresh(&first, reply(vec![fresh(&new)], &old.key)).unwrap();
    let third = refresh(&second, reply(vec![fresh(&new)], &new.key)).unwrap();
    for keys in [&second, &third] {
        for serial in [old.key.serial(), new.key.serial(), "PUB_KEY_ID_01"] {
            assert!(keys.get(serial).is_some(), "{serial}");
        }
    }
    // The previous set did not change.
    assert!(first.get(new.key.serial()).is_none());
}

#[test]
fn one_bad_certificate_makes_the_whole_download_invalid() {
    let (good, bad) = (made(), made());
    let broken = |change: fn(&mut SealedCertificate)| {
        let mut certificate = fresh(&bad);
        change(&mut certificate);
        certificate
    };
    let table: Vec<(SealedCertificate, &str)> = vec![
        (
            broken(|c| c.serial_no = "AB".into()),
            "the certificate AB has another serial number inside",
        ),
        (
            broken(|c| c.encrypt_certificate.ciphertext = "AAAA".into()),
            "cannot be opened: the ciphertext does not open with this APIv3 key",
        ),
        (
            broken(|c| {
                c.encrypt_certificate =
                    aead::seal(&api_v3_key(), None, b"junk", "certificate", "abcdefghijkl")
                        .unwrap();
            }),
            "this is not a known kind of key file, and not an X.509 certificate: name a file that begins with BEGIN CERTIFICATE",
        ),
    ];
    let keys = refresh(&TrustedKeys::new(), reply(vec![fresh(&good)], &good.key)).unwrap();
    for (certificate, message) in table {
        for keys in [&keys, &TrustedKeys::new()] {
            let error = refresh(
                keys,
                reply(vec![fresh(&good), certificate.clone()], &good.key),
            )
            .unwrap_err();
            assert!(error.to_string().ends_with(message), "{error}");
        }
    }
    let error = refresh(&keys, reply(Vec::new(), &good.key)).unwrap_err();
    assert_eq!(error, CertificatesError::Empty);
}

#[test]
fn a_certificate_without_announced_times_has_its_own_validity() {
    type Change = fn(&mut SealedCertificate);
    let made = made();
    let changes: [Change; 3] = [
        |c| c.expire_time = None,
        |c| c.effective_time = None,
        |c| c.expire_time = Some("soon".into()),
    ];
    for change in changes {
        let mut certificate = fresh(&made);
        change(&mut certificate);
        let keys = refresh(&TrustedKeys::new(), reply(vec![certificate], &made.key)).unwrap();
        assert!(keys.get(made.key.serial()).is_some());
    }
}

#[test]
fn expired_certificates_are_removed_and_the_latest_one_in_effect_seals() {
    let (old, now, next) = (made(), made(), made());
    let keys = refresh(
        &TrustedKeys::new(),
        reply(
            vec![
                sealed(&old, NOW_S - 900, NOW_S - 1),
                sealed(&now, NOW_S - 100, NOW_S + 1_000),
                sealed(&next, NOW_S + 100, NOW_S + 1_000),
            ],
            &now.key,
        ),
    )
    .unwrap();
    assert!(keys.get(old.key.serial()).is_none());
    let serial =
        |keys: &TrustedKeys, now_s| keys.sealing_key(now_s).map(|(serial, _)| serial.to_owned());
    assert_eq!(serial(&keys, NOW_S).as_deref(), Some(now.key.serial()));
    assert_eq!(
        serial(&keys, NOW_S + 100).as_deref(),
        Some(next.key.serial())
    );
    assert_eq!(serial(&keys, NOW_S + 2_000), None);
    let mut both = keys;
    both.add("PUB_KEY_ID_01", test_keys::doc_public_key())
        .unwrap();
    assert_eq!(serial(&both, NOW_S).as_deref(), Some("PUB_KEY_ID_01"));
}

#[test]
fn an_unsigned_old_or_probing_reply_changes_nothing() {
    let platform = made();
    let good = reply(vec![fresh(&platform)], &platform.key);
    let mut unsigned = good.clone();
    unsigned.headers = HeaderMap::new();
    let mut probe = good.clone();
    probe.headers.insert(
        "wechatpay-signature",
        "WECHATPAY/SIGNTEST/x".parse().unwrap(),
    );
    for bad in [unsigned, probe] {
        let error = refresh(&TrustedKeys::new(), bad).unwrap_err();
        assert!(matches!(
            error,
            CertificatesError::Reply(ReplyError::Signature(_))
        ));
    }
    let error = TrustedKeys::new()
        .refreshed(good, &api_v3_key(), NOW_S + 301)
        .unwrap_err();
    assert!(matches!(
        error,
        CertificatesError::Reply(ReplyError::Signature(SignatureError::Stale { .. }))
    ));
}

#[test]
fn a_merchant_with_only_a_public_key_has_nothing_to_download() {
    for (status, code, expected) in [
        (404, "RESOURCE_NOT_EXISTS", true),
        (404, "NOT_FOUND", false),
        (500, "SYSTEM_ERROR", false),
    ] {
        let reply = Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(format!("{{\"code\":\"{code}\",\"message\":\"m\"}}")),
        };
        let error = refresh(&TrustedKeys::new(), reply).unwrap_err();
        assert_eq!(error.is_public_key_only(), expected, "{code}");
    }
}

#[test]
fn the_name_with_a_space_in_wechats_sample_is_read() {
    let json = serde_json::to_string(&fresh(&made())).unwrap();
    let with_blank = json
        .replace("\"effective_time\"", "\"effective_time \"")
        .replace("\"expire_time\"", "\"expire_time \"");
    assert!(serde_json::from_str::<SealedCertificate>(&with_blank).is_ok());
    assert!(!json.contains("original_type"));
}

/// An authority, with a certificate of its own.
struct Authority {
    pem: String,
    key: rcgen::KeyPair,
    params: rcgen::CertificateParams,
}

impl Authority {
    fn new(name: &str, is_authority: bool) -> Self {
        let key =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
                .unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        if is_authority {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        }
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, key, params }
    }

    fn issue(&self) -> Platform {
        let key =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
                .unwrap();
        let issuer = rcgen::Issuer::from_params(&self.params, &self.key);
        let certificate = rcgen::CertificateParams::new(Vec::new())
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let (serial, _) = PublicKey::from_certificate_pem(certificate.pem().as_bytes()).unwrap();
        let signing = SigningKey::from_pem(key.serialize_pem().as_bytes()).unwrap();
        Platform {
            key: PlatformKey::new(serial, signing).unwrap(),
            pem: certificate.pem(),
        }
    }
}

#[test]
fn if_issuers_are_configured_only_their_certificates_are_accepted() {
    let (root, other) = (Authority::new("Root", true), Authority::new("Other", true));
    let impostor = Authority::new("Root", true);
    let no_authority = Authority::new("Root", false);
    let own = made();
    let below = |pem: &str| {
        let mut keys = TrustedKeys::new();
        keys.require_issuers_pem(pem.as_bytes()).unwrap();
        keys
    };
    let both = format!("{}{}", other.pem, root.pem);
    for (issuers, platform, taken) in [
        (&root.pem, root.issue(), true),
        (&both, root.issue(), true),
        (&other.pem, root.issue(), false),
        // The same name, and another key.
        (&root.pem, impostor.issue(), false),
        // A certificate that may not issue any.
        (&no_authority.pem, no_authority.issue(), false),
        (&root.pem, made(), false),
    ] {
        let refreshed = refresh(
            &below(issuers),
            reply(vec![fresh(&platform)], &platform.key),
        );
        match refreshed {
            Ok(keys) => assert!(taken && keys.get(platform.key.serial()).is_some()),
            Err(error) => {
                let serial_no = platform.key.serial().to_owned();
                assert!(!taken);
                assert_eq!(error, CertificatesError::Issuer { serial_no });
            }
        }
    }
    // A configured platform certificate needs no issuer; the next one does, also if a trusted key
    // signed the reply.
    let keys = refresh(&below(&own.pem), reply(vec![fresh(&own)], &own.key)).unwrap();
    let next = made();
    let error = refresh(&keys, reply(vec![fresh(&next)], &own.key)).unwrap_err();
    assert!(matches!(error, CertificatesError::Issuer { .. }));
}

#[test]
fn an_expired_issuer_is_not_accepted() {
    let mut root = Authority::new("Root", true);
    root.params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let pem = root.params.self_signed(&root.key).unwrap().pem();
    let mut keys = TrustedKeys::new();
    keys.require_issuers_pem(pem.as_bytes()).unwrap();
    let platform = root.issue();
    let error = refresh(&keys, reply(vec![fresh(&platform)], &platform.key)).unwrap_err();
    assert!(matches!(error, CertificatesError::Issuer { .. }));
}

#[test]
fn files_without_an_issuer_are_refused() {
    let public = test_keys::doc_public_key_pem();
    for (pem, found) in [
        ("", FoundFile::Nothing),
        ("junk", FoundFile::Unknown),
        (public.as_str(), FoundFile::PublicKey),
    ] {
        let required = TrustedKeys::new().require_issuers_pem(pem.as_bytes());
        let expected = ExpectedFile::Certificate;
        assert_eq!(
            required,
            Err(KeyError::WrongFile { expected, found }),
            "{pem}"
        );
    }
}
