//! What the form of a link's page sends. It checks nothing: the rules are the link's.

use url::form_urlencoded;

/// The fields as the buyer typed them; of a field that comes twice, the first one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) key: String,
    pub(super) amount: String,
    pub(super) note: String,
}

impl Typed {
    /// Reads a body. Other fields count for nothing.
    pub(super) fn read(body: &[u8]) -> Self {
        let value = |field: &str| {
            let mut pairs = form_urlencoded::parse(body);
            let found = pairs.find(|(name, _)| name == field);
            found.map_or_else(String::new, |(_, value)| value.into_owned())
        };
        Self {
            key: value("key"),
            amount: value("amount"),
            note: value("note"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_read_once_and_unknown_ones_are_left_out() {
        let typed = Typed::read(b"key=k&amount=1%2E5&note=%3Cb%3E&note=other&total_fen=1");
        let expected = Typed {
            key: "k".to_owned(),
            amount: "1.5".to_owned(),
            note: "<b>".to_owned(),
        };
        assert_eq!(typed, expected);
        assert_eq!(Typed::read(b"\xff&&=&%"), Typed::default());
    }
}
