//! JSON as the real server writes it: numbers go through 64-bit floats, object keys are sorted,
//! and three characters are escaped. Integrations see these effects, so the stand-in has them.

use serde::Serialize;
use serde_json::{Map, Number, Value};

/// What an untyped value looks like after the server has read it and writes it again: numbers
/// lose precision beyond 2^53 and object keys are in order.
pub(crate) fn passed_through(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(through_float(number)),
        Value::Array(items) => Value::Array(items.iter().map(passed_through).collect()),
        Value::Object(map) => Value::Object(map_passed_through(map)),
        other => other.clone(),
    }
}

/// The same for an object.
pub(crate) fn map_passed_through(map: &Map<String, Value>) -> Map<String, Value> {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    keys.into_iter().map(|key| (key.clone(), passed_through(&map[key]))).collect()
}

fn through_float(number: &Number) -> Number {
    let Some(float) = number.as_f64() else {
        return number.clone();
    };
    if float.fract() == 0.0 && float.abs() < 9.0e18 {
        // The shortest decimal that reads back as this float, as the server prints it.
        if let Ok(whole) = format!("{float}").parse::<i64>() {
            return Number::from(whole);
        }
    }
    Number::from_f64(float).unwrap_or_else(|| number.clone())
}

/// Encodes a value with the server's escaping.
pub(crate) fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    let text = serde_json::to_string(value).expect("bodies are plain data");
    // These characters occur inside strings only, so replacing them in the text is enough.
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn large_integers_lose_precision_and_small_ones_do_not() {
        assert_eq!(
            passed_through(&json!({"b": 42, "a": 1_767_225_600_000_123_456_i64, "f": 1.5})),
            json!({"a": 1_767_225_600_000_123_400_i64, "b": 42, "f": 1.5})
        );
        assert_eq!(passed_through(&json!([1.0, -7])), json!([1, -7]));
    }

    #[test]
    fn angle_brackets_and_ampersands_are_escaped() {
        assert_eq!(to_bytes(&json!("a<b>&c")), br#""a\u003cb\u003e\u0026c""#.to_vec());
    }
}
