//! What the view is made of: a tree of plain data, and how it comes into the page.
//!
//! A screen is written as a function from the view model to a tree. Leptos's renderer puts the
//! tree into the page (it implements `Render`) and, for each new model, a new one over it; only
//! what differs is then touched. An element that is still alike stays where it is, with its focus
//! and its place in the reading order.
//!
//! Why this and not `view!` and a signal: the macro writes code for the type of each template,
//! which made the bundle 18,696 bytes (brotli) larger than it is with trees; and signals are for
//! many values that change apart, while here one model changes whole: leptos's reactive graph
//! cost 6,542 bytes more. Without an owner there is also none to be cleaned up at the end.

use std::borrow::Cow;

use leptos::tachys::renderer::Rndr;
use leptos::tachys::view::{Mountable, Render};
use wasm_bindgen::JsCast;

use crate::locale::Text;

/// A piece of the tree.
pub(crate) enum Node {
    Element(Element),
    Text(Text),
}

/// An element to be.
pub(crate) struct Element {
    tag: &'static str,
    attributes: Vec<(&'static str, Text)>,
    children: Vec<Node>,
}

/// An element without attributes and children.
pub(super) const fn element(tag: &'static str) -> Element {
    Element {
        tag,
        attributes: Vec::new(),
        children: Vec::new(),
    }
}

/// Nothing to see, in the place of what may come there, so that its neighbours keep theirs.
pub(super) const fn nothing() -> Node {
    Node::Text(Cow::Borrowed(""))
}

impl Element {
    /// With one more attribute.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// With one more child.
    pub(super) fn holding(mut self, child: impl Into<Node>) -> Self {
        self.children.push(child.into());
        self
    }

    /// With a text as one more child.
    pub(super) fn saying(self, text: impl Into<Text>) -> Self {
        self.holding(Node::Text(text.into()))
    }
}

impl From<Element> for Node {
    fn from(element: Element) -> Self {
        Self::Element(element)
    }
}

/// A piece of the tree that is in the page, with what it was made from.
pub(crate) enum Placed {
    Element {
        dom: web_sys::Element,
        tag: &'static str,
        attributes: Vec<(&'static str, Text)>,
        children: Vec<Self>,
    },
    Text {
        dom: web_sys::Text,
        text: Text,
    },
}

impl Render for Node {
    type State = Placed;

    fn build(self) -> Placed {
        match self {
            Self::Text(text) => Placed::Text {
                dom: Rndr::create_text_node(&text),
                text,
            },
            Self::Element(element) => {
                let dom = Rndr::create_element(element.tag, Some(namespace(element.tag)));
                for (name, value) in &element.attributes {
                    Rndr::set_attribute(&dom, name, value);
                }
                let mut children: Vec<Placed> =
                    element.children.into_iter().map(Self::build).collect();
                for child in &mut children {
                    child.mount(&dom, None);
                }
                Placed::Element {
                    dom,
                    tag: element.tag,
                    attributes: element.attributes,
                    children,
                }
            }
        }
    }

    fn rebuild(self, placed: &mut Placed) {
        match (self, &mut *placed) {
            (Self::Text(new), Placed::Text { dom, text }) => {
                if *text != new {
                    Rndr::set_text(dom, &new);
                    *text = new;
                }
            }
            (
                Self::Element(new),
                Placed::Element {
                    dom,
                    tag,
                    attributes,
                    children,
                },
            ) if new.tag == *tag
                && new.children.len() == children.len()
                && names(&new.attributes).eq(names(attributes)) =>
            {
                for ((name, value), new) in attributes.iter_mut().zip(new.attributes) {
                    if *value != new.1 {
                        Rndr::set_attribute(dom, name, &new.1);
                        *value = new.1;
                    }
                }
                for (child, new) in children.iter_mut().zip(new.children) {
                    new.rebuild(child);
                }
            }
            (other, placed) => {
                let mut new = other.build();
                placed.insert_before_this(&mut new);
                placed.unmount();
                *placed = new;
            }
        }
    }
}

fn names(attributes: &[(&'static str, Text)]) -> impl Iterator<Item = &'static str> {
    attributes.iter().map(|(name, _)| *name)
}

fn namespace(tag: &str) -> &'static str {
    match tag {
        "svg" | "path" => "http://www.w3.org/2000/svg",
        _ => "http://www.w3.org/1999/xhtml",
    }
}

impl Placed {
    /// The page's own node.
    pub(super) fn dom(&self) -> &web_sys::Node {
        match self {
            Self::Element { dom, .. } => dom,
            Self::Text { dom, .. } => dom,
        }
    }
}

impl Mountable for Placed {
    fn unmount(&mut self) {
        Rndr::remove(self.dom());
    }

    fn mount(&mut self, parent: &web_sys::Element, marker: Option<&web_sys::Node>) {
        Rndr::insert_node(parent, self.dom(), marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        let parent = Rndr::get_parent(self.dom());
        if let Some(parent) = &parent {
            child.mount(parent.unchecked_ref(), Some(self.dom()));
        }
        parent.is_some()
    }

    fn elements(&self) -> Vec<web_sys::Element> {
        match self {
            Self::Element { dom, .. } => vec![dom.clone()],
            Self::Text { .. } => Vec::new(),
        }
    }
}
