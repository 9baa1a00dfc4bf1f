//! Key files as merchants have them: accepted forms, and errors for other files. The `openssl` command
//! makes all keys in each run; none is stored in this repository.
//!
//! Without the command these tests fail, and say so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use wechat_pay::{CertificateFacts, ExpectedFile, FoundFile, KeyError, PublicKey, SigningKey};

/// A folder with one file of each kind.
static FILES: LazyLock<Files> = LazyLock::new(Files::make);

struct Files(PathBuf);

impl Files {
    fn make() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("key_files");
        fs::create_dir_all(&folder).expect("a folder for the test's files");
        let files = Self(folder);
        for command in [
            "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=1900009191 -days 30",
            "pkey -in key.pem -pubout -out public.pem",
            "rsa -in key.pem -traditional -out pkcs1.pem",
            "rsa -in key.pem -RSAPublicKey_out -out pkcs1_public.pem",
            "pkey -in key.pem -outform DER -out key.der",
            "rsa -in key.pem -traditional -outform DER -out pkcs1.der",
            "pkey -in key.pem -pubout -outform DER -out public.der",
            "x509 -in cert.pem -outform DER -out cert.der",
            "pkcs12 -export -inkey key.pem -in cert.pem -out key.p12 -passout pass:1900009191",
            "pkcs12 -in key.p12 -nodes -out bag.pem -passin pass:1900009191",
            "pkcs8 -topk8 -in key.pem -out encrypted.pem -passout pass:secret",
            "pkcs8 -topk8 -in key.pem -outform DER -out encrypted.der -passout pass:secret",
            "rsa -in key.pem -traditional -aes128 -out encrypted_pkcs1.pem -passout pass:secret",
            "req -new -key key.pem -out request.pem -subj /CN=1900009191",
            "ecparam -name prime256v1 -genkey -out ec.pem",
            "pkcs8 -topk8 -nocrypt -in ec.pem -out ec_pkcs8.pem",
            "pkey -in ec.pem -pubout -out ec_public.pem",
            "genpkey -algorithm ED25519 -out ed25519.pem",
            "genrsa -out short.pem 1024",
            "genrsa -out other.pem 2048",
        ] {
            files.openssl(command);
        }
        files
    }

    fn openssl(&self, command: &str) {
        let output = Command::new("openssl")
            .args(command.split(' '))
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| {
                panic!(
                    "these tests need the openssl command (Debian: apt install openssl): {error}"
                )
            });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {command}: {said}");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).expect(name)
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect(name)
    }
}

/// One form in which a PEM file arrives.
type Disguise = (&'static str, fn(&str) -> Vec<u8>);

const DISGUISES: [Disguise; 15] = [
    ("as it is", |pem| pem.into()),
    ("UTF-8 BOM", |pem| format!("\u{feff}{pem}").into()),
    ("UTF-16, little end first", |pem| {
        let units = "\u{feff}".encode_utf16().chain(pem.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    }),
    ("UTF-16, big end first", |pem| {
        let units = "\u{feff}".encode_utf16().chain(pem.encode_utf16());
        units.flat_map(u16::to_be_bytes).collect()
    }),
    ("CRLF", |pem| pem.replace('\n', "\r\n").into()),
    ("CR alone", |pem| pem.replace('\n', "\r").into()),
    ("indented", |pem| {
        let lines = pem.lines().map(|line| format!("    {line}\n"));
        lines.collect::<String>().into()
    }),
    ("blanks and tabs behind each line", |pem| {
        pem.replace('\n', " \t\n").into()
    }),
    ("empty lines between all lines", |pem| {
        pem.replace('\n', "\n\n").into()
    }),
    ("on one line with blanks", |pem| {
        pem.replace('\n', " ").into()
    }),
    ("on one line without blanks", |pem| {
        pem.replace('\n', "").into()
    }),
    ("with \\n as two characters", |pem| {
        pem.replace('\n', "\\n").into()
    }),
    ("in quotes, as an environment file has it", |pem| {
        format!("\"{}\"", pem.replace('\n', "\\r\\n")).into()
    }),
    ("without BEGIN and END", |pem| {
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        lines.collect::<Vec<_>>().join("\n").into()
    }),
    ("under an unknown heading", |pem| {
        format!("the key of the shop\n\n{pem}\nend\n").into()
    }),
];

#[test]
fn a_private_key_is_read_in_every_accepted_form() {
    let plain = SigningKey::from_pem(&FILES.read("key.pem")).unwrap();
    let signature = plain.sign(b"x").unwrap();
    for name in ["key.pem", "pkcs1.pem"] {
        for (disguise, put_on) in DISGUISES {
            let key = SigningKey::from_pem(&put_on(&FILES.text(name)))
                .unwrap_or_else(|error| panic!("{name}, {disguise}: {error}"));
            assert_eq!(key.sign(b"x").unwrap(), signature, "{name}, {disguise}");
        }
    }
    // DER, and a file with the certificate before the key, as openssl writes it.
    for name in ["key.der", "pkcs1.der", "bag.pem"] {
        let key = SigningKey::from_pem(&FILES.read(name)).expect(name);
        assert_eq!(key.sign(b"x").unwrap(), signature, "{name}");
    }
    // The label says PKCS#8, the bytes say PKCS#1, and the other way round.
    for (name, from, to) in [
        ("pkcs1.pem", "RSA PRIVATE KEY", "PRIVATE KEY"),
        ("key.pem", "PRIVATE KEY", "RSA PRIVATE KEY"),
    ] {
        let file = FILES.text(name).replace(from, to);
        let key = SigningKey::from_pem(file.as_bytes()).expect(name);
        assert_eq!(key.sign(b"x").unwrap(), signature, "{name} as {to}");
    }
}

#[test]
fn public_keys_and_certificates_are_read_in_every_accepted_form() {
    let key = SigningKey::from_pem(&FILES.read("key.pem")).unwrap();
    let signature = key.sign(b"x").unwrap();
    for name in ["public.pem", "pkcs1_public.pem"] {
        for (disguise, put_on) in DISGUISES {
            let key = PublicKey::from_pem(&put_on(&FILES.text(name)))
                .unwrap_or_else(|error| panic!("{name}, {disguise}: {error}"));
            assert!(key.verifies(b"x", &signature), "{name}, {disguise}");
        }
    }
    let key = PublicKey::from_pem(&FILES.read("public.der")).unwrap();
    assert!(key.verifies(b"x", &signature));

    let facts = CertificateFacts::read(&FILES.read("cert.pem")).unwrap();
    assert_eq!(facts.common_name.as_deref(), Some("1900009191"));
    for (disguise, put_on) in DISGUISES {
        let read = CertificateFacts::read(&put_on(&FILES.text("cert.pem")));
        assert_eq!(read.as_ref(), Ok(&facts), "{disguise}");
    }
    for name in ["cert.der", "bag.pem"] {
        let read = CertificateFacts::read(&FILES.read(name));
        assert_eq!(read.as_ref(), Ok(&facts), "{name}");
    }
}

/// Reads a file as the expected kind; returns the refusal.
fn refusal(expected: ExpectedFile, file: &[u8]) -> Result<(), KeyError> {
    match expected {
        ExpectedFile::PrivateKey => SigningKey::from_pem(file).map(drop),
        ExpectedFile::PublicKey => PublicKey::from_pem(file).map(drop),
        ExpectedFile::Certificate => PublicKey::from_certificate_pem(file).map(drop),
    }
}

#[test]
fn another_file_is_refused_with_its_kind_and_a_remedy() {
    use ExpectedFile::{Certificate, PrivateKey, PublicKey};
    let cases = [
        (
            PrivateKey,
            "cert.pem",
            FoundFile::Certificate,
            "apiclient_key.pem",
        ),
        (
            PrivateKey,
            "cert.der",
            FoundFile::Certificate,
            "apiclient_key.pem",
        ),
        (
            PrivateKey,
            "public.pem",
            FoundFile::PublicKey,
            "apiclient_key.pem",
        ),
        (PrivateKey, "key.p12", FoundFile::Pkcs12, "openssl pkcs12"),
        (
            PrivateKey,
            "encrypted.pem",
            FoundFile::EncryptedPrivateKey,
            "openssl pkey",
        ),
        (
            PrivateKey,
            "encrypted.der",
            FoundFile::EncryptedPrivateKey,
            "openssl pkey",
        ),
        (
            PrivateKey,
            "encrypted_pkcs1.pem",
            FoundFile::EncryptedPrivateKey,
            "openssl pkey",
        ),
        (
            PrivateKey,
            "request.pem",
            FoundFile::CertificateRequest,
            "apiclient_key.pem",
        ),
        (PrivateKey, "ec.pem", FoundFile::EcPrivateKey, "RSA"),
        (PrivateKey, "ec_pkcs8.pem", FoundFile::EcPrivateKey, "RSA"),
        (PrivateKey, "ed25519.pem", FoundFile::OtherPrivateKey, "RSA"),
        (PublicKey, "key.pem", FoundFile::PrivateKey, "pub_key.pem"),
        (PublicKey, "pkcs1.der", FoundFile::PrivateKey, "pub_key.pem"),
        (
            PublicKey,
            "cert.pem",
            FoundFile::Certificate,
            "a place of its own",
        ),
        (
            PublicKey,
            "ec_public.pem",
            FoundFile::OtherPublicKey,
            "pub_key.pem",
        ),
        (PublicKey, "key.p12", FoundFile::Pkcs12, "pub_key.pem"),
        (
            Certificate,
            "key.pem",
            FoundFile::PrivateKey,
            "BEGIN CERTIFICATE",
        ),
        (
            Certificate,
            "public.pem",
            FoundFile::PublicKey,
            "a place of its own",
        ),
        (
            Certificate,
            "request.pem",
            FoundFile::CertificateRequest,
            "that WeChat made",
        ),
        (Certificate, "key.p12", FoundFile::Pkcs12, "-nokeys"),
    ];
    for (expected, name, found, advice) in cases {
        let error = refusal(expected, &FILES.read(name)).expect_err(name);
        assert_eq!(error, KeyError::WrongFile { expected, found }, "{name}");
        let said = error.to_string();
        assert!(said.contains(&format!("and not {expected}: ")), "{said}");
        assert!(said.contains(advice), "{said}");
    }
}

#[test]
fn a_damaged_file_is_reported_as_damaged() {
    let pem = FILES.text("key.pem");
    let cut = &pem[..pem.len() / 2];
    let twice = format!("{pem}{}", FILES.text("other.pem"));
    let openssh =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n";
    let holed = pem.replacen("MII", "MI", 1);
    let starred = pem.replacen("MII", "***", 1);
    let cases: [(&str, FoundFile); 10] = [
        ("", FoundFile::Nothing),
        (" \n\t\u{feff}\n", FoundFile::Nothing),
        (cut, FoundFile::CutOff),
        ("-----BEGIN PRIVATE KEY-----", FoundFile::CutOff),
        (&holed, FoundFile::Damaged),
        (&starred, FoundFile::Damaged),
        (&twice, FoundFile::PrivateKeys),
        (openssh, FoundFile::OpenSshKey),
        ("<html>log in</html>", FoundFile::Unknown),
        ("0123456789abcdef0123456789abcdef", FoundFile::Unknown),
    ];
    let expected = ExpectedFile::PrivateKey;
    for (text, found) in cases {
        let error = refusal(expected, text.as_bytes()).unwrap_err();
        assert_eq!(error, KeyError::WrongFile { expected, found }, "{error}");
    }
    let error = refusal(expected, &[0xff, 0x00, 0x80, 0x12]).unwrap_err();
    let found = FoundFile::Unknown;
    assert_eq!(error, KeyError::WrongFile { expected, found });
    let short = refusal(expected, &FILES.read("short.pem"));
    assert_eq!(short, Err(KeyError::PrivateKey));
}

/// A panic in a reader would end the program without naming the file.
#[test]
fn no_part_of_a_file_and_no_changed_byte_makes_a_reader_panic() {
    for name in [
        "key.der",
        "pkcs1.der",
        "cert.der",
        "encrypted.der",
        "key.p12",
        "key.pem",
    ] {
        let whole = FILES.read(name);
        for place in (0..whole.len()).step_by(11) {
            let mut changed = whole.clone();
            changed[place] ^= 0xff;
            for file in [&whole[..place], &changed] {
                for expected in [
                    ExpectedFile::PrivateKey,
                    ExpectedFile::PublicKey,
                    ExpectedFile::Certificate,
                ] {
                    // Only panics matter here; a changed byte can be a blank.
                    let _ = refusal(expected, file);
                }
            }
        }
    }
}

#[test]
fn no_refusal_repeats_the_files_content() {
    let pem = FILES.text("key.pem");
    let line = pem.lines().nth(3).unwrap();
    for (expected, file) in [
        (ExpectedFile::PublicKey, pem.clone()),
        (ExpectedFile::Certificate, pem.clone()),
        (ExpectedFile::PrivateKey, pem[..pem.len() - 20].to_owned()),
        (ExpectedFile::PrivateKey, pem.replace("MII", "?")),
        (ExpectedFile::PrivateKey, format!("{pem}{pem}")),
    ] {
        let error = refusal(expected, file.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(line), "{error}");
    }
}
