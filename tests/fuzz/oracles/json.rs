//! Oracle for any JSON.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::readers::is_object;

/// Asserts that the crate and `serde_json` agree on which JSON is an object.
pub fn json(data: &[u8]) {
    let is_read = is_object(data);
    let expected = reference(data);
    // The crate refuses a few large numbers that `serde_json` accepts.
    let has_exponent =
        |pair: &[u8]| pair[0].is_ascii_digit() && pair[1].eq_ignore_ascii_case(&b'e');
    let may_be_great = data.len() > 300 || data.windows(2).any(has_exponent);
    let as_expected = is_read == expected || (!is_read && may_be_great);
    assert!(as_expected, "{}", data.escape_ascii());
}

/// The result of `serde_json`, with added checks for duplicate members and depth.
fn reference(json: &[u8]) -> bool {
    const MAX_DEPTH: u8 = 32;

    struct Any(u8);
    impl<'de> DeserializeSeed<'de> for Any {
        type Value = ();
        fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
            json.deserialize_any(self)
        }
    }
    impl<'de> Visitor<'de> for Any {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a value")
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            let inner = self.0.checked_sub(1).ok_or(A::Error::custom("deep"))?;
            while list.next_element_seed(Any(inner))?.is_some() {}
            Ok(())
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let inner = self.0.checked_sub(1).ok_or(A::Error::custom("deep"))?;
            let mut names = std::collections::HashSet::new();
            while let Some(name) = map.next_key::<String>()? {
                map.next_value_seed(Any(inner))?;
                let is_reserved = name.starts_with("$serde_json::private::");
                if is_reserved || !names.insert(name) {
                    return Err(A::Error::custom("reserved, or twice"));
                }
            }
            Ok(())
        }
    }

    let mut values = serde_json::Deserializer::from_slice(json);
    let start = json.iter().find(|byte| !byte.is_ascii_whitespace());
    start == Some(&b'{') && Any(MAX_DEPTH).deserialize(&mut values).is_ok() && values.end().is_ok()
}
