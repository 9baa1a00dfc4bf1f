//! Plain JavaScript objects. The widget makes them for what goes out (details of events, parameters
//! for WeChat), and reads what comes in, which may have any shape.
//!
//! Data is read from an object's own properties and never from inherited properties: on a page
//! whose `Object.prototype` was polluted (`?__proto__[code_url]=…` and a careless parser of the
//! query), every object *inherits* a `code_url`. Methods may be inherited, because the page's
//! object may be an instance of a class, and a text is never a function.

use js_sys::{Function, Object, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

/// A struct as a JavaScript object; a field without a value is `null`.
pub(crate) fn to_js(fields: &impl Serialize) -> JsValue {
    let serializer = Serializer::new()
        .serialize_missing_as_null(true)
        .serialize_maps_as_objects(true);
    // Texts, flags and numbers can always be written.
    AsMap { fields }.serialize(&serializer).unwrap_or_default()
}

/// Makes serde write a struct as a map. For the names of a struct's fields, serde-wasm-bindgen
/// keeps a hash map in each page, and that map is more code than the rest of the crate.
#[derive(Serialize)]
struct AsMap<'a, T> {
    #[serde(flatten)]
    fields: &'a T,
}

/// An object with these fields.
pub(crate) fn object(fields: &[(&str, JsValue)]) -> JsValue {
    filled(Object::new(), fields)
}

/// An object with these fields and without inherited properties. For objects that the browser
/// itself reads, because the browser reads inherited properties too.
pub(crate) fn dictionary(fields: &[(&str, JsValue)]) -> JsValue {
    filled(Object::create(JsValue::NULL.unchecked_ref()), fields)
}

fn filled(object: Object, fields: &[(&str, JsValue)]) -> JsValue {
    for (name, value) in fields {
        // Setting a property of a fresh plain object cannot fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

#[wasm_bindgen(module = "/src/shell/navigation.js")]
extern "C" {
    /// The object's own property of this name; undefined if there is none, or if reading it throws.
    #[wasm_bindgen(js_name = own)]
    pub(crate) fn field(object: &JsValue, name: &str) -> JsValue;
}

/// The object's own property of this name, if it is a text.
pub(crate) fn text(object: &JsValue, name: &str) -> Option<String> {
    field(object, name).as_string()
}

/// The object's own property of this name, if it is an object.
pub(crate) fn part(object: &JsValue, name: &str) -> Option<JsValue> {
    Some(field(object, name)).filter(JsValue::is_object)
}

/// The object's own or inherited property of this name: for methods, and for what a class gives its
/// instances.
pub(crate) fn inherited(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}

/// A method of the object, its own or its class's.
pub(crate) fn method(object: &JsValue, name: &str) -> Option<Function> {
    inherited(object, name).dyn_into().ok()
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use js_sys::eval;
    use wasm_bindgen::JsValue;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::{dictionary, field, inherited, method, part, text};

    #[wasm_bindgen_test]
    fn data_must_be_an_own_property_and_a_method_may_be_inherited() {
        let object = r#"
            class Backend { get url() { return "inherited"; } ask() {} }
            Object.assign(new Backend(), { own: "text", part: {}, none: undefined })"#;
        let object = eval(object).unwrap();
        assert_eq!(text(&object, "own").as_deref(), Some("text"));
        assert!(part(&object, "part").is_some());
        for name in ["url", "ask", "none", "toString", "__proto__", "constructor"] {
            assert!(field(&object, name).is_undefined(), "{name}");
            assert!(text(&object, name).is_none() && part(&object, name).is_none());
        }
        assert!(method(&object, "ask").is_some() && method(&object, "own").is_none());
        assert_eq!(inherited(&object, "url"), "inherited");
        let getter = eval(r#"({ get own() { return "text"; } })"#).unwrap();
        assert_eq!(text(&getter, "own").as_deref(), Some("text"));
    }

    #[wasm_bindgen_test]
    fn a_value_that_is_no_object_or_throws_has_no_fields() {
        let throws = eval("({ get own() { throw new Error('no'); } })").unwrap();
        let proxy = "new Proxy({}, { getOwnPropertyDescriptor() { throw new Error('no'); } })";
        let proxy = eval(proxy).unwrap();
        for value in [
            throws,
            proxy,
            JsValue::NULL,
            JsValue::UNDEFINED,
            JsValue::from(7),
        ] {
            assert!(field(&value, "own").is_undefined(), "{value:?}");
        }
    }

    #[wasm_bindgen_test]
    fn a_dictionary_inherits_nothing() {
        let made = dictionary(&[("own", "text".into())]);
        assert_eq!(inherited(&made, "own"), "text");
        assert!(inherited(&made, "toString").is_undefined());
    }
}
