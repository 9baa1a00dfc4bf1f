//! The XML of version 2: one root, flat, text in each element. Everything else is refused, above
//! all a document type: entities that read files were an industry-wide vulnerability.

use std::collections::BTreeMap;

use quick_xml::escape::escape;
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

/// The most bytes that are read: WeChat's notifications have about two kilobytes.
pub const MAX_XML_BYTES: usize = 64 * 1024;

/// Why XML is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// More than [`MAX_XML_BYTES`].
    #[error("the XML is longer than {MAX_XML_BYTES} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("the XML is not UTF-8")]
    NotUtf8,
    /// Not well-formed, or cut off.
    #[error("the XML is not well-formed")]
    Syntax,
    /// A document type. WeChat never needs one, and it allows entities.
    #[error("the XML has a DOCTYPE")]
    DocType,
    /// An entity other than the five that XML has by itself, or a character that it cannot have.
    #[error("the XML has an entity that is not known")]
    Entity,
    /// An unexpected root, or more than one.
    #[error("the XML's root is not the expected one")]
    Root,
    /// An element inside of a field, an attribute, or text between fields.
    #[error("the XML is not flat")]
    NotFlat,
    /// A field's name with other characters than letters, digits, `_`, `-` and `.`. The signature
    /// joins names and values with `=` and `&`, so a name must have neither.
    #[error("a field of the XML has a name that WeChat never uses")]
    Name,
    /// A field that is given twice: it must be clear which one counts.
    #[error("a field of the XML is given twice")]
    Duplicate,
}

/// Reads a flat document with the given root.
pub(super) fn read_flat(bytes: &[u8], root: &str) -> Result<BTreeMap<String, String>, XmlError> {
    if bytes.len() > MAX_XML_BYTES {
        return Err(XmlError::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
    let mut flat = Flat {
        root,
        place: Place::Before,
        fields: BTreeMap::new(),
    };
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    loop {
        let event = reader.read_event().map_err(|_| XmlError::Syntax)?;
        if matches!(event, Event::Eof) {
            break;
        }
        flat.take(event)?;
    }
    match flat.place {
        Place::After => Ok(flat.fields),
        _ => Err(XmlError::Syntax),
    }
}

/// Writes a flat document in WeChat's form: values in CDATA, and a new line after each field.
pub(super) fn write_flat(root: &str, fields: &[(&str, &str)]) -> String {
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            // CDATA cannot hold its own end, and XML reads a carriage return as a line feed.
            if value.contains("]]>") || value.contains('\r') {
                format!("<{name}>{}</{name}>", escape(*value))
            } else {
                format!("<{name}><![CDATA[{value}]]></{name}>")
            }
        })
        .collect();
    format!("<{root}>{}\n</{root}>", lines.join("\n"))
}

struct Flat<'a> {
    root: &'a str,
    place: Place,
    fields: BTreeMap<String, String>,
}

enum Place {
    Before,
    Root,
    Field(String, String),
    After,
}

impl Flat<'_> {
    fn take(&mut self, event: Event<'_>) -> Result<(), XmlError> {
        match event {
            Event::DocType(_) => Err(XmlError::DocType),
            Event::Start(start) => self.open(&start),
            Event::Empty(start) => {
                if !matches!(self.place, Place::Root) {
                    return Err(XmlError::Root);
                }
                self.open(&start)?;
                self.close()
            }
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(text) => match self.place {
                Place::Field(..) => self.text(&text.xml_content(XmlVersion::Implicit1_0)),
                _ => Err(XmlError::NotFlat),
            },
            Event::GeneralRef(name) => {
                let character = match name.as_ref() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => match name.resolve_char_ref() {
                        Ok(Some(character)) => character,
                        _ => return Err(XmlError::Entity),
                    },
                };
                match &mut self.place {
                    Place::Field(_, value) => value.push(character),
                    _ => return Err(XmlError::NotFlat),
                }
                Ok(())
            }
            // A declaration and comments have no meaning here.
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, start: &quick_xml::events::BytesStart<'_>) -> Result<(), XmlError> {
        let name = start.name().0;
        if start.len() > name.len() && !start[name.len()..].trim().is_empty() {
            return Err(XmlError::NotFlat);
        }
        self.place = match self.place {
            Place::Before if name == self.root => Place::Root,
            Place::Before | Place::After => return Err(XmlError::Root),
            Place::Root if !is_field_name(name) => return Err(XmlError::Name),
            Place::Root => Place::Field(name.to_owned(), String::new()),
            Place::Field(..) => return Err(XmlError::NotFlat),
        };
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        match std::mem::replace(&mut self.place, Place::After) {
            Place::Field(name, value) => {
                if self.fields.insert(name, value).is_some() {
                    return Err(XmlError::Duplicate);
                }
                self.place = Place::Root;
                Ok(())
            }
            Place::Root => Ok(()),
            Place::Before | Place::After => Err(XmlError::Syntax),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match &mut self.place {
            Place::Field(_, value) => value.push_str(text),
            _ if text.trim().is_empty() => {}
            _ => return Err(XmlError::NotFlat),
        }
        Ok(())
    }
}

fn is_field_name(name: &str) -> bool {
    name.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, XmlError> {
        read_flat(text.as_bytes(), "xml").map(|fields| fields.into_iter().collect())
    }

    #[test]
    fn text_cdata_and_the_five_entities_are_read() {
        let read = read(
            "\u{feff}<?xml version=\"1.0\"?>\n<xml>\n  <!-- c --><a>1&amp;&lt;&#x4e2d;</a>\n\
             <b><![CDATA[<&>]]></b><c/><d></d><e>x<![CDATA[y]]>z</e>\n</xml>\n",
        )
        .unwrap();
        let expected = [
            ("a", "1&<中"),
            ("b", "<&>"),
            ("c", ""),
            ("d", ""),
            ("e", "xyz"),
        ];
        assert_eq!(
            read,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn all_other_xml_is_refused_with_its_cause() {
        let deep = "<a>".repeat(MAX_XML_BYTES / 3 - 2);
        let deep = format!("<xml>{deep}");
        let long = format!("<xml><a>{}</a></xml>", "a".repeat(MAX_XML_BYTES));
        let table = [
            ("", XmlError::Syntax),
            ("<xml>", XmlError::Syntax),
            ("<xml><a></xml>", XmlError::Syntax),
            ("<xml><a>1</b></xml>", XmlError::Syntax),
            (
                "<!DOCTYPE xml [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><xml><a>&a;</a></xml>",
                XmlError::DocType,
            ),
            ("<!DOCTYPE xml><xml></xml>", XmlError::DocType),
            ("<!doctype xml><xml></xml>", XmlError::DocType),
            ("<xml><a>&b;</a></xml>", XmlError::Entity),
            ("<xml><a>&#0;</a></xml>", XmlError::Entity),
            ("<xml><a>1</a><a>2</a></xml>", XmlError::Duplicate),
            ("<xml><a>1</a><a/></xml>", XmlError::Duplicate),
            ("<xml><a><b>1</b></a></xml>", XmlError::NotFlat),
            ("<xml><a><b/></a></xml>", XmlError::Root),
            ("<xml><a=1&b>1</a=1&b></xml>", XmlError::Name),
            ("<xml><a:b>1</a:b></xml>", XmlError::Name),
            ("<xml><金额>1</金额></xml>", XmlError::Name),
            (
                "<xml><a>1<![CDATA[<a>2</a>]]></a><a>3</a></xml>",
                XmlError::Duplicate,
            ),
            ("<xml><a><![CDATA[1]]</a></xml>", XmlError::Syntax),
            ("<xml><![CDATA[<a>1</a>]]></xml>", XmlError::NotFlat),
            ("<xml>text</xml>", XmlError::NotFlat),
            ("<xml><![CDATA[x]]></xml>", XmlError::NotFlat),
            ("<xml b=\"1\"></xml>", XmlError::NotFlat),
            ("<xml></xml><xml></xml>", XmlError::Root),
            ("<xml></xml>tail", XmlError::NotFlat),
            ("<root></root>", XmlError::Root),
            ("<xml/>", XmlError::Root),
            ("{}", XmlError::NotFlat),
            (&long, XmlError::TooLong),
            (&deep, XmlError::NotFlat),
        ];
        for (text, expected) in table {
            let shown: String = text.chars().take(80).collect();
            assert_eq!(read(text), Err(expected), "{shown}");
        }
        assert_eq!(read_flat(b"<xml>\xff</xml>", "xml"), Err(XmlError::NotUtf8));
    }

    proptest! {
        #[test]
        fn written_xml_is_read_back_unchanged(values in proptest::collection::vec("[^\\x00-\\x08\\x0b-\\x1f]{0,20}", 3)) {
            let text = write_flat("xml", &[("a", &values[0]), ("b", &values[1]), ("c", &values[2])]);
            let read: Vec<String> = read_flat(text.as_bytes(), "xml").unwrap().into_values().collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_flat(&bytes, "xml");
            let _ = read_flat(&[b"<xml>", &bytes[..], b"</xml>"].concat(), "xml");
        }
    }
}
