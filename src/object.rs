//! Plain JavaScript objects: made for what goes out (details of events, what WeChat is called
//! with), and read where what comes in may be of any shape.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

/// An object with these fields.
pub(crate) fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a property of a fresh plain object cannot fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

/// What stands there; undefined where nothing does, and where looking throws.
pub(crate) fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}

/// The text that stands there.
pub(crate) fn text(object: &JsValue, name: &str) -> Option<String> {
    field(object, name).as_string()
}

/// The object that stands there.
pub(crate) fn part(object: &JsValue, name: &str) -> Option<JsValue> {
    Some(field(object, name)).filter(JsValue::is_object)
}
