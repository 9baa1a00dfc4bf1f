//! The `openssl` command verifies, opens and hashes what this crate signs, seals and hashes, and vice
//! versa. Signer and verifier of one author can agree although both are wrong; `openssl` is
//! independent.
//!
//! Without the command these tests fail, and say so: a test that skips itself proves nothing.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use wechat_pay::bill::{BillTicket, Packing, read_bill};
use wechat_pay::v2::{
    ApiV2Key, RefundNotification, RefundNotificationDraft, RefundStatus, open_refund_notification,
};
use wechat_pay::{
    ApiV3Key, Authorization, CertificateFacts, CertificatesError, Fen, MerchantKey, OaepHash,
    PlatformKey, PublicKey, Reply, RequestParts, SealedCertificate, SealedCertificates, SigningKey,
    Stamp, TrustedKeys, certificate_serial, reply_message, request_message,
};

const NOW_S: i64 = 1_700_000_000;

/// A folder with a key pair and a certificate, made by `openssl`.
struct Files(PathBuf);

impl Files {
    /// `test` separates the folders of tests that run in parallel.
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("openssl")
            .join(test);
        fs::create_dir_all(&folder).expect("a folder for the test's files");
        let files = Self(folder);
        files.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "certificate.pem",
            "-subj",
            "/CN=platform",
            "-days",
            "30",
            "-set_serial",
            "0x5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
        ]);
        files.openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
        files.openssl(&["rsa", "-in", "key.pem", "-traditional", "-out", "pkcs1.pem"]);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect(name);
    }

    /// Runs the command in the folder; returns whether it succeeded, and its output.
    fn try_openssl(&self, arguments: &[&str]) -> (bool, Vec<u8>) {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| {
                panic!(
                    "these tests need the openssl command (Debian: apt install openssl): {error}"
                )
            });
        (output.status.success(), output.stdout)
    }

    fn openssl(&self, arguments: &[&str]) -> Vec<u8> {
        let (success, output) = self.try_openssl(arguments);
        assert!(success, "openssl {arguments:?} failed");
        output
    }

    fn openssl_verifies(&self, message: &[u8], signature_base64: &str) -> bool {
        self.write("message", message);
        self.write(
            "signature",
            &STANDARD.decode(signature_base64).expect("base64"),
        );
        let (success, _) = self.try_openssl(&[
            "dgst",
            "-sha256",
            "-verify",
            "public.pem",
            "-signature",
            "signature",
            "message",
        ]);
        success
    }

    fn openssl_signs(&self, message: &[u8]) -> String {
        self.write("message", message);
        STANDARD.encode(self.openssl(&["dgst", "-sha256", "-sign", "key.pem", "message"]))
    }
}

/// Bodies that break careless implementations: empty, binary, long, no line feed at the end.
fn messages() -> Vec<Vec<u8>> {
    vec![
        Vec::new(),
        b"{}".to_vec(),
        "{\"description\":\"Image形象店-深圳腾大-QQ公仔\"}"
            .as_bytes()
            .to_vec(),
        (0..=255).collect(),
        vec![b'\n'; 3],
        vec![b'a'; 100_000],
    ]
}

#[test]
fn openssl_verifies_the_requests_that_this_crate_signs() {
    let files = Files::new("requests_out");
    for name in ["key.pem", "pkcs1.pem"] {
        let key = MerchantKey::from_pem("1900000001", "AB12", &files.read(name)).unwrap();
        for body in messages() {
            let path = "/v3/pay/transactions/out-trade-no/T%7C1%2A?mchid=1900000001";
            let request = RequestParts {
                method: Method::POST,
                path_and_query: path.into(),
                body: Bytes::from(body.clone()),
            };
            let signed = request
                .sign(&key, &Stamp::new(NOW_S, [9; 16]), None)
                .unwrap();
            let header = signed.headers["authorization"].to_str().unwrap();
            let said = Authorization::parse(header).unwrap();
            let message = request_message("POST", path, &said.timestamp, &said.nonce_str, &body);
            assert!(files.openssl_verifies(&message, &said.signature), "{name}");
            assert!(!files.openssl_verifies(&[&message[..], b"x"].concat(), &said.signature));
        }
    }
}

#[test]
fn openssl_verifies_the_replies_that_this_crate_signs() {
    let files = Files::new("replies_out");
    let key = SigningKey::from_pem(&files.read("key.pem")).unwrap();
    let platform = PlatformKey::new("PUB_KEY_ID_01", key).unwrap();
    for body in messages() {
        let headers = platform
            .sign_headers(&Stamp::new(NOW_S, [9; 16]), &body)
            .unwrap();
        let text = |name: &str| headers[name].to_str().unwrap();
        let message = reply_message(text("wechatpay-timestamp"), text("wechatpay-nonce"), &body);
        assert!(files.openssl_verifies(&message, text("wechatpay-signature")));
    }
}

#[test]
fn this_crate_verifies_the_replies_that_openssl_signs() {
    let files = Files::new("replies_in");
    let mut keys = TrustedKeys::new();
    let serial = keys
        .add_certificate_pem(&files.read("certificate.pem"))
        .unwrap();
    keys.add_public_key_pem("PUB_KEY_ID_01", &files.read("public.pem"))
        .unwrap();
    for body in messages() {
        for serial in [serial.as_str(), "PUB_KEY_ID_01"] {
            let signature = files.openssl_signs(&reply_message("1700000000", "nonce", &body));
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("wechatpay-timestamp", "1700000000"),
                ("wechatpay-nonce", "nonce"),
                ("wechatpay-serial", serial),
                ("wechatpay-signature", &signature),
            ] {
                headers.insert(name, value.parse().unwrap());
            }
            let reply = Reply {
                status: StatusCode::OK,
                headers,
                body: Bytes::from(body.clone()),
            };
            assert!(reply.clone().verify(&keys, NOW_S).is_ok(), "{serial}");
            let mut changed = reply;
            changed.body = Bytes::from([&body[..], b" "].concat());
            assert!(changed.verify(&keys, NOW_S).is_err());
        }
    }
}

#[test]
fn this_crate_verifies_the_requests_that_openssl_signs() {
    let files = Files::new("requests_in");
    let key = PublicKey::from_pem(&files.read("public.pem")).unwrap();
    for body in messages() {
        let message = request_message("GET", "/v3/certificates", "1700000000", "nonce", &body);
        let authorization = Authorization {
            mchid: "1900000001".into(),
            nonce_str: "nonce".into(),
            signature: files.openssl_signs(&message),
            timestamp: "1700000000".into(),
            serial_no: "AB12".into(),
        };
        assert!(authorization.verifies(&key, "GET", "/v3/certificates", &body));
        assert!(!authorization.verifies(&key, "GET", "/v3/certificates?", &body));
    }
}

#[test]
fn sealed_fields_pass_both_ways() {
    let files = Files::new("fields");
    let public = PublicKey::from_pem(&files.read("public.pem")).unwrap();
    let private = SigningKey::from_pem(&files.read("key.pem")).unwrap();
    for (hash, digest) in [(OaepHash::Sha1, "sha1"), (OaepHash::Sha256, "sha256")] {
        let padding = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt"];
        let options = [
            format!("rsa_oaep_md:{digest}"),
            format!("rsa_mgf1_md:{digest}"),
        ];
        for text in ["张三", "6225760009", &"a".repeat(190)] {
            let sealed = public.seal_field_with(hash, text).unwrap();
            files.write("sealed", &STANDARD.decode(sealed).unwrap());
            let mut arguments = vec!["pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "sealed"];
            arguments.extend(padding);
            arguments.extend([options[0].as_str(), "-pkeyopt", options[1].as_str()]);
            assert_eq!(files.openssl(&arguments), text.as_bytes(), "{digest}");

            files.write("text", text.as_bytes());
            let mut arguments = vec![
                "pkeyutl",
                "-encrypt",
                "-pubin",
                "-inkey",
                "public.pem",
                "-in",
                "text",
            ];
            arguments.extend(padding);
            arguments.extend([options[0].as_str(), "-pkeyopt", options[1].as_str()]);
            let sealed = STANDARD.encode(files.openssl(&arguments));
            assert_eq!(private.open_field_with(hash, &sealed).unwrap(), text);
        }
    }
}

#[test]
fn openssl_opens_the_refund_notification_of_version_2_and_seals_one() {
    let files = Files::new("version_2");
    let api_key = "0123456789abcdefghijklmnopqrstuv";
    let key = ApiV2Key::parse(api_key).unwrap();
    files.write("api_key", api_key.as_bytes());
    let digest = String::from_utf8(files.openssl(&["dgst", "-md5", "-r", "api_key"])).unwrap();
    // The digest's hex digits are the key's bytes, and the command wants those in hex again.
    let cipher_key = digest[..32].bytes().fold(String::new(), |mut hex, digit| {
        let _ = write!(hex, "{digit:02x}");
        hex
    });

    let fen = |fen| Fen::new(fen).unwrap();
    let refund = RefundNotification {
        appid: Some("wx1".into()),
        mch_id: Some("1900000001".into()),
        transaction_id: Some("4200000001".into()),
        out_trade_no: Some("T20260101".into()),
        refund_id: Some("5000001".into()),
        out_refund_no: "R1".into(),
        total_fee: Some(fen(100)),
        refund_fee: Some(fen(40)),
        settlement_refund_fee: None,
        refund_status: Some(RefundStatus::Success),
        success_time: Some("2017-12-15 09:46:01".into()),
        user_received_account: Some("招商银行信用卡0403".into()),
    };
    let draft = RefundNotificationDraft {
        refund: refund.clone(),
        nonce_str: "n".into(),
        refund_request_source: "API".into(),
    };
    let body = String::from_utf8(draft.seal(&key).unwrap()).unwrap();
    let (before, rest) = body.split_once("<req_info><![CDATA[").unwrap();
    let (sealed, after) = rest.split_once("]]></req_info>").unwrap();
    files.write("sealed", &STANDARD.decode(sealed).unwrap());
    let opened = files.openssl(&[
        "enc",
        "-d",
        "-aes-256-ecb",
        "-K",
        &cipher_key,
        "-in",
        "sealed",
    ]);
    let opened = String::from_utf8(opened).unwrap();
    assert!(
        opened.contains("<out_refund_no><![CDATA[R1]]></out_refund_no>"),
        "{opened}"
    );

    files.write("opened", opened.replace("R1", "R2").as_bytes());
    let sealed = files.openssl(&["enc", "-aes-256-ecb", "-K", &cipher_key, "-in", "opened"]);
    let sealed = STANDARD.encode(sealed);
    let body = format!("{before}<req_info><![CDATA[{sealed}]]></req_info>{after}");
    let read = open_refund_notification(body.as_bytes(), &key).unwrap();
    let expected = RefundNotification {
        out_refund_no: "R2".into(),
        ..refund
    };
    assert_eq!(read, expected);
}

#[test]
fn a_bill_is_accepted_with_the_hash_that_openssl_computes() {
    let files = Files::new("bill");
    let text = "\u{feff}A,B\n`1,`茶\n数\n`1\n";
    files.write("bill", text.as_bytes());
    let hash = String::from_utf8(files.openssl(&["dgst", "-sha1", "-r", "bill"])).unwrap();
    let ticket = BillTicket {
        hash_type: "SHA1".into(),
        hash_value: hash[..40].into(),
        download_url: "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a".into(),
    };
    let bill = read_bill(text.as_bytes(), Packing::Plain, &ticket).unwrap();
    assert_eq!(bill.rows[0].get("B"), Some("茶"));
}

#[test]
fn a_certificates_serial_is_the_one_that_openssl_prints() {
    let files = Files::new("serials");
    // The highest bit set, a leading zero digit, and one digit alone.
    for serial in [
        "0xFF57F09EFDC096DE15EBE81A47057A7232F1B8E1",
        "0x0A",
        "0x7",
        "0x80",
    ] {
        files.openssl(&[
            "req",
            "-x509",
            "-key",
            "key.pem",
            "-out",
            "other.pem",
            "-subj",
            "/CN=other",
            "-set_serial",
            serial,
        ]);
        let printed = files.openssl(&["x509", "-in", "other.pem", "-noout", "-serial"]);
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!(
            certificate_serial(&files.read("other.pem")).unwrap(),
            printed.trim().strip_prefix("serial=").unwrap(),
        );
    }
}

#[test]
fn a_certificate_of_openssl_is_accepted_only_for_its_issuer() {
    let files = Files::new("issuers");
    for (name, subject) in [("root", "/CN=Root"), ("other", "/CN=Root")] {
        let (key, certificate) = (format!("{name}_key.pem"), format!("{name}.pem"));
        let made = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
        ];
        let authority = ["-addext", "basicConstraints=critical,CA:TRUE"];
        let out = ["-keyout", &key, "-out", &certificate];
        files.openssl(&[&made[..], &authority, &out].concat());
    }
    let asked = ["req", "-new", "-key", "key.pem", "-subj", "/CN=Platform"];
    files.openssl(&[&asked[..], &["-out", "asked.pem"]].concat());
    let issued = ["x509", "-req", "-in", "asked.pem", "-CA", "root.pem"];
    let with = [
        "-CAkey",
        "root_key.pem",
        "-set_serial",
        "0x57F0",
        "-out",
        "issued.pem",
    ];
    files.openssl(&[&issued[..], &with].concat());

    let pem = files.read("issued.pem");
    let facts = CertificateFacts::read(&pem).unwrap();
    let now_s = facts.not_before_s + 60;
    let api_v3_key = ApiV3Key::new(&[7; 32]).unwrap();
    let moment = |s| jiff::Timestamp::from_second(s).unwrap();
    let (from, until) = (moment(facts.not_before_s), moment(facts.not_after_s));
    let sealed = SealedCertificate::seal(&api_v3_key, &pem, from, until, "abcdefghijkl").unwrap();
    let body = serde_json::to_vec(&SealedCertificates { data: vec![sealed] }).unwrap();
    let signer = SigningKey::from_pem(&files.read("key.pem")).unwrap();
    let signer = PlatformKey::new(&facts.serial_no, signer).unwrap();
    let stamp = Stamp::new(now_s, [1; 16]);
    let reply = Reply {
        status: StatusCode::OK,
        headers: signer.sign_headers(&stamp, &body).unwrap(),
        body: body.into(),
    };
    let refreshed = |issuer: &str| {
        let mut keys = TrustedKeys::new();
        keys.require_issuers_pem(&files.read(issuer)).unwrap();
        keys.refreshed(reply.clone(), &api_v3_key, now_s)
    };
    assert!(refreshed("root.pem").is_ok());
    let serial_no = facts.serial_no.clone();
    assert_eq!(
        refreshed("other.pem").err(),
        Some(CertificatesError::Issuer { serial_no })
    );
}
