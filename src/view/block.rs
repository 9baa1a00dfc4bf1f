//! The two shapes that most of the view is made of: a line of text, and a box around other parts.
//!
//! Each type of view has its own code in the buyer's download. So there are two types, and not one
//! for each place. The class of an element is its `part`, too.

use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;

use crate::locale::Text;

/// The most children of a box.
const CHILDREN_MAX: usize = 8;

/// A line of the widget's own text.
pub(super) fn line(class: &'static str, text: Text) -> AnyView {
    paragraph(class, None, None, text)
}

/// A line of the merchant's text, which may be in a language of another direction.
pub(super) fn foreign_line(class: &'static str, text: Text) -> AnyView {
    paragraph(class, Some("auto"), None, text)
}

/// The heading of the widget, for those who go from heading to heading.
pub(super) fn heading(class: &'static str, text: Text) -> AnyView {
    paragraph(class, None, Some("heading"), text)
}

fn paragraph(
    class: &'static str,
    dir: Option<&'static str>,
    role: Option<&'static str>,
    text: Text,
) -> AnyView {
    // A heading is of the second level: the page has the first.
    let level = custom_attribute("aria-level", role.map(|_| "2"));
    view! {
        <p {..level} part=class class=class dir=dir role=role>
            {text}
        </p>
    }
    .into_any()
}

/// A box. A child that is `None` keeps its place, so that the children after it stay the same nodes.
pub(super) fn group(class: &'static str, children: Vec<Option<AnyView>>) -> AnyView {
    let mut children = children.into_iter();
    let children: [Option<AnyView>; CHILDREN_MAX] =
        std::array::from_fn(|_| children.next().flatten());
    view! { <div part=class class=class>{children}</div> }.into_any()
}

/// What the page put into a slot, or else this.
pub(super) fn slotted(name: &'static str, otherwise: Option<AnyView>) -> AnyView {
    view! { <slot name=name>{otherwise}</slot> }.into_any()
}
