//! Keys for tests: the published key of WeChat's documentation, and a new platform key.

use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::keys::file;
use crate::keys::file_kind::ExpectedFile;
use crate::{MerchantKey, PlatformKey, PublicKey, SigningKey, TrustedKeys};

/// The documentation's public example key. It guards nothing.
pub(crate) const DOC_KEY_PKCS1_PEM: &str = "-----BEGIN RSA PRIVATE KEY-----
MIIEogIBAAKCAQEAptpm+qvIDCh/9wjU26SQCK26ogYkBhDrYxnAaw2JbbBsp1oD
bHKk+1r381NeBUG2HEFAuU+Fr72u5ot3yKdzoF/FajAzQNKnm569/D3upKoi8mYB
aST15Uig8j8qoUW1U217LL0jEHlSnHV3lcaDTXqDpTRR4Bfz9IqOgJgFZ8/oTfEo
mSrjrLYef81Eyxr7ZIMQXEKKEK7V4UXKS0+/fDsiG/cXidhzt8UbTL9vqXqxM2+I
DImyO+FAc/tkBG55LmzxPto1Nq0WbnZzRM/wTzrd0I/8NlevxtFbphg4evlHjFNI
7+GrqR87ViEwuAJJ9Je5QQjct5YJfFRWiZ5CMQIDAQABAoIBAGBi/GhEgezcHIg1
ltlHaFlLGuxsRbUnYwM9phVxnXk7GJlYe2/TjpERjPkIqOC6hBwwadZjJORP3FCc
Mtc8PKRhjuZ377O7vU0915x2nnyLOGL1IE2AJ3iLi0ZFzTea0FPgg+5lWHM00s9F
YI6qPcGtS41M+xtMWwZiYE3TBBRibHiY8ugGyaNAhiMKehyW05uApjlIF55wwCGx
BkyESJpGRR/6853iHke6Ge+xVcMa9QmQdoH0QqL/8kT28PL568mJJr0Ow/83t4+d
Pe70YPzKAxgUnaDsHJqO+b8qH69AEs8rTI5h2Mon6pH+bJT66KUoiXhn+Kf+4LSs
henRP10CgYEA1QJSfuFOWVRjrg3N/rAIc/Ak84BTZavbyrkqBSuoTs9i/nMI/hOz
VxpDntg7Bx2Tctl6sZO3GioTxKdc/YYaTKci1TKBbeginpsqEQVgwkMCy8HpvUmR
fyAMqLwZC4h9+j+NiZtuoFJDTCgv+WYbasX+kWYEUM21bnSYuO7yEQsCgYEAyIdP
r9uzqPgzN34Tmx+CNTa16VjhBh+zkBtXRLDLhWBeIYxoYNJARD98Pb1XZdvpkZZW
Sk7MfaKo2/DomzyyyB/MbHWwAdFi3yb4y7uMJfyC1MzdUSNN3Vp579hJxHkJ+nN4
Ys76yfcEeVOLnvUT1Z0KKCdIWRdT1Lgi+X1itzMCgYBJUXlPzwGG4fNFj97d0X23
Wmt9nSgXkOYgi0eZbAOMzPmIF9R6kBFk49dur4Lx2g5Ms+r1gKC/0sfnIqxxX11i
EQ1+UNoYGJUB/uql3TIG68XkmKR50P7RwRhaZBRC0gJ6xrFTMjsL2ATuC88niyvY
vrn3FiRaI9RVZrDCxwxvLQKBgEXW4okEAqGBuAzGqztmkOnJoTehDdYdKmOxMgap
cGiGdKJIjX3THDDoz3ONQyglnEZpTqpYoV3MTfU0BT8zt6x9bqwDnQY1D7NalmIW
cqw0Mri8lQQSQKcsQLWo5aA466G/n5kCL1Qx5OwAjesRvhOyuvvbGpZ0ymyWqQ+t
fLkDAoGATcul1L8y5D/wNVP1GXbXMZfBsFP3bbqy8c+Ashm6g8OLm2mGNntd5Z6h
1KkID7Yksh+dZ6t7XaPBtGACXX5Eryr537JVvdX8hAVCp5HVtaN/9VBVP8Ka2e4s
VS/xeNgOMQ7uzhRPBJ8HiTmdI1nHhDnYQpGiBgQn0Z5RAkSvFMk=
-----END RSA PRIVATE KEY-----
";

pub(crate) fn merchant_key() -> MerchantKey {
    MerchantKey::from_pem(
        "1900007291",
        "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
        DOC_KEY_PKCS1_PEM.as_bytes(),
    )
    .unwrap()
}

pub(crate) fn doc_public_key() -> PublicKey {
    SigningKey::from_pem(DOC_KEY_PKCS1_PEM.as_bytes())
        .unwrap()
        .public_key()
        .unwrap()
}

pub(crate) fn doc_key_pkcs8_pem() -> String {
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = doc_key_pair().as_der().unwrap();
    pem("PRIVATE KEY", der.as_ref())
}

pub(crate) fn doc_public_key_pem() -> String {
    use aws_lc_rs::signature::KeyPair;
    let pair = doc_key_pair();
    let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    pem("PUBLIC KEY", der.as_ref())
}

/// Signs with a platform certificate that is made once per test run.
pub(crate) fn platform_key() -> PlatformKey {
    let (serial, _) = PublicKey::from_certificate_pem(platform().0.as_bytes()).unwrap();
    PlatformKey::new(
        serial,
        SigningKey::from_pem(platform().1.as_bytes()).unwrap(),
    )
    .unwrap()
}

pub(crate) fn platform_certificate_pem() -> String {
    platform().0.clone()
}

/// Trusts the platform certificate, and the documentation's key under `PUB_KEY_ID_DOC`.
pub(crate) fn trusted_keys() -> TrustedKeys {
    let mut keys = TrustedKeys::new();
    keys.add_certificate_pem(platform().0.as_bytes()).unwrap();
    keys.add("PUB_KEY_ID_DOC", doc_public_key()).unwrap();
    keys
}

fn platform() -> &'static (String, String) {
    static PLATFORM: OnceLock<(String, String)> = OnceLock::new();
    PLATFORM.get_or_init(new_platform)
}

/// A new platform certificate with its private key and its own serial number.
pub(crate) fn new_platform() -> (String, String) {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn doc_key_pair() -> rsa::KeyPair {
    let der = file::read(DOC_KEY_PKCS1_PEM.as_bytes(), ExpectedFile::PrivateKey).unwrap();
    rsa::KeyPair::from_der(&der).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for start in (0..text.len()).step_by(64) {
        pem.push_str(&text[start..text.len().min(start + 64)]);
        pem.push('\n');
    }
    pem + "-----END " + label + "-----\n"
}
