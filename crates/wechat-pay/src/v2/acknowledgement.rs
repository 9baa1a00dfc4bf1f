//! The answers to notifications of version 2, for payments and for refunds alike.

use bytes::Bytes;

use super::xml::write_flat;

/// Whether a body on a notification route is one of version 2: XML, where version 3 has JSON.
#[must_use]
pub fn is_xml(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().first() == Some(&b'<')
}

/// The answer that accepts a notification.
#[must_use]
pub fn success_body() -> Bytes {
    let text = write_flat("xml", &[("return_code", "SUCCESS"), ("return_msg", "OK")]);
    text.into()
}

/// The answer that makes WeChat retry.
#[must_use]
pub fn failure_body(message: &str) -> Bytes {
    let text = write_flat("xml", &[("return_code", "FAIL"), ("return_msg", message)]);
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v2::xml::read_flat;

    #[test]
    fn answers_are_xml_and_so_is_what_version_2_sends() {
        assert_eq!(
            &success_body()[..],
            b"<xml><return_code><![CDATA[SUCCESS]]></return_code>\n\
              <return_msg><![CDATA[OK]]></return_msg>\n</xml>"
        );
        let refused = failure_body("a ]]> b");
        let fields = read_flat(&refused, "xml").unwrap();
        assert_eq!(fields["return_msg"], "a ]]> b");
        for (body, xml) in [
            (&b"<xml>"[..], true),
            (b"\xef\xbb\xbf \n<xml>", true),
            (b"{}", false),
            (b"", false),
        ] {
            assert_eq!(is_xml(body), xml);
        }
    }
}
