//! Keys and certificates: the forms in which they are accepted, whose they are, and what the
//! refusal calls a file of another kind.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::{HEX, private_file, with_merchant};
use crate::test_server::{KEYS, merchant};

fn own_file(name: &str) -> Vec<u8> {
    std::fs::read(KEYS.path().join(name)).unwrap()
}

#[test]
fn a_private_key_can_be_a_value_in_every_encoding() {
    let pem = String::from_utf8(own_file("apiclient_key.pem")).unwrap();
    let certificate = KEYS.path().join("apiclient_cert.pem");
    let certificate = format!("certificate_file = \"{}\"", certificate.display());
    for value in [
        format!("'''{pem}'''"),
        format!("\"{}\"", pem.replace('\n', "\\n")),
        format!("'{}'", pem.replace('\n', "\\n")),
        format!("\"{}\"", pem.replace('\n', " ")),
    ] {
        let config = with_merchant(&format!("{certificate}\nprivate_key = {value}")).unwrap();
        assert!(config.merchant.certificate.facts.is_some());
    }
    let file = KEYS.path().join("apiclient_key.pem");
    let both = format!(
        "{certificate}\nprivate_key = '''{pem}'''\nprivate_key_file = \"{}\"",
        file.display()
    );
    let refusal = with_merchant(&both).unwrap_err();
    assert!(refusal.contains("must not come together"), "{refusal}");
}

/// A value in the place of a path is not repeated: an operator may paste the refusal into a chat.
#[test]
fn a_secret_instead_of_its_files_name_is_not_repeated() {
    let pem = String::from_utf8(own_file("apiclient_key.pem")).unwrap();
    let pem_line = pem.lines().nth(1).unwrap();
    for (lines, secret) in [
        (format!("api_v3_key_file = \"{HEX}\""), HEX),
        (format!("app_secret_file = \"{HEX}\""), HEX),
        (format!("private_key_file = '''{pem}'''"), pem_line),
        (
            format!("private_key_file = \"{}\"", pem.replace('\n', "\\\\n")),
            pem_line,
        ),
    ] {
        let refusal = with_merchant(&lines).unwrap_err();
        assert!(refusal.contains("without _file"), "{refusal}");
        assert!(!refusal.contains(secret), "{refusal}");
    }
    // A path that names no file is shown, because the operator has to correct it.
    let refusal = with_merchant("api_v3_key_file = \"keys/api_v3_key.txt\"").unwrap_err();
    assert!(refusal.contains("keys/api_v3_key.txt"), "{refusal}");
}

#[test]
fn a_key_file_of_another_kind_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| KEYS.path().join(name).display().to_string();
    let certificate = private_file(&folder, "certificate", &own_file("apiclient_cert.pem"));
    let public = private_file(&folder, "public", &own_file("pub_key.pem"));
    let empty = private_file(&folder, "empty", b"");
    let id = merchant()["public_key_id"].as_str().unwrap().to_owned();
    let cases = [
        (
            format!("private_key_file = \"{certificate}\""),
            "merchant.private_key_file: this is a certificate, and not an RSA private key",
        ),
        (
            format!("private_key_file = \"{public}\""),
            "merchant.private_key_file: this is a public key, and not an RSA private key",
        ),
        (
            format!("private_key_file = \"{empty}\""),
            "merchant.private_key_file: this is empty",
        ),
        (
            format!(
                "certificate_file = \"{}\"\nprivate_key_file = \"{}\"",
                file("pub_key.pem"),
                file("apiclient_key.pem")
            ),
            "merchant.certificate_file: this is a public key, and not an X.509 certificate",
        ),
        (
            format!(
                "public_key_id = \"{id}\"\npublic_key_file = \"{}\"",
                file("wechatpay_cert.pem")
            ),
            "merchant.public_key_file: this is a certificate, and not an RSA public key",
        ),
        (
            format!("platform_certificate_files = [\"{}\"]", file("pub_key.pem")),
            "merchant.platform_certificate_files: this is a public key",
        ),
    ];
    for (lines, words) in cases {
        let refusal = with_merchant(&lines).unwrap_err();
        assert!(refusal.starts_with(words), "{words} in {refusal}");
    }
}

#[test]
fn the_merchants_key_and_wechats_key_are_not_confused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| KEYS.path().join(name).display().to_string();
    let own_public = folder.path().join("own_public.pem");
    openssl(&[
        "pkey",
        "-in",
        &file("apiclient_key.pem"),
        "-pubout",
        "-out",
        &own_public.display().to_string(),
    ]);
    let own_key = format!(
        "private_key_file = \"{}\"\ncertificate_file",
        file("apiclient_key.pem")
    );
    let cases = [
        (
            format!(
                "platform_certificate_files = [\"{}\"]",
                file("apiclient_cert.pem")
            ),
            "merchant.platform_certificate_files: names your own certificate",
        ),
        (
            format!(
                "public_key_id = \"PUB_KEY_ID_01\"\npublic_key_file = \"{}\"",
                own_public.display()
            ),
            "merchant.public_key_file: is the public half of your own private key",
        ),
        (
            format!(
                "platform_certificate_files = [\"{0}\"]\n{own_key} = \"{0}\"",
                file("wechatpay_cert.pem")
            ),
            "merchant.certificate_file: is a certificate of WeChat Pay's",
        ),
        (
            format!("{own_key} = \"{}\"", file("wechatpay_cert.pem")),
            "merchant.certificate_file: is a certificate of WeChat Pay's",
        ),
        (
            "public_key_id = \"PUB_KEY_ID_01\"\nplatform_certificate_files = []".to_owned(),
            "",
        ),
    ];
    for (lines, words) in cases {
        match with_merchant(&lines) {
            Ok(_) => assert_eq!(words, "", "{lines}"),
            Err(refusal) => {
                assert!(
                    !words.is_empty() && refusal.starts_with(words),
                    "{words} in {refusal}"
                );
            }
        }
    }
}

/// WeChat's certificates name their merchant, so a wrong mchid is not reported as a wrong key file.
#[test]
fn a_wrong_merchant_number_is_found_by_the_certificate_and_the_key_is_not_blamed() {
    let folder = tempfile::tempdir().unwrap();
    let [key, certificate] =
        ["key.pem", "cert.pem"].map(|name| folder.path().join(name).display().to_string());
    let make = |name: &str| {
        let subject = format!("/CN={name}/O=somebody");
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &certificate,
            "-subj",
            &subject,
            "-days",
            "30",
        ]);
        std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    };
    let with_mchid = |mchid: &str| {
        with_merchant(&format!(
            "mchid = \"{mchid}\"\nprivate_key_file = \"{key}\"\ncertificate_file = \"{certificate}\"\n\
             serial_no = \"{}\"",
            wechat_pay::certificate_serial(&std::fs::read(&certificate).unwrap()).unwrap()
        ))
    };
    make("1900009191");
    assert!(with_mchid("1900009191").is_ok());
    let refusal = with_mchid("1900009192").unwrap_err();
    assert!(
        refusal.starts_with("merchant.mchid: is not 1900009191"),
        "{refusal}"
    );
    make("Tenpay.com sign");
    let refusal = with_mchid("1900009191").unwrap_err();
    assert!(
        refusal.starts_with("merchant.certificate_file: is a certificate of WeChat Pay's"),
        "{refusal}"
    );
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output();
    let output = output.expect("this test needs the openssl command");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {said}");
}
