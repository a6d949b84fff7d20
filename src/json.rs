//! Strict JSON on top of `serde_json`: one object, distinct member names at every level, and a
//! bound on depth, so that two readers of one text can never see different things
//! ([RFC 7515 §4](https://www.rfc-editor.org/rfc/rfc7515#section-4),
//! [RFC 7519 §4](https://www.rfc-editor.org/rfc/rfc7519#section-4)).

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use smallvec::SmallVec;

/// Objects and arrays nest at most this deep, the outermost object included.
const DEEPEST: u8 = 32;

/// Takes the members of an object one by one.
pub(crate) trait Members<'de> {
    /// Reads the value of the member `name`; no name comes twice.
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Reads `json` as one object, with nothing before or after it.
pub(crate) fn read_object<'de, M: Members<'de>>(
    json: &'de [u8],
    members: &mut M,
) -> Result<(), serde_json::Error> {
    // Looked at once as a whole: that is cheaper than string by string.
    let json = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
    let mut deserializer = serde_json::Deserializer::from_str(json);
    // `deserialize_map`, not a derived struct: those read themselves from arrays as well.
    deserializer.deserialize_map(Object(members))?;
    deserializer.end()
}

struct Object<'m, M>(&'m mut M);

impl<'de, M: Members<'de>> Visitor<'de> for Object<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = Names::default();
        while let Some(Text(name)) = map.next_key()? {
            self.0.member(&name, &mut map)?;
            names.insert(name)?;
        }
        Ok(())
    }
}

/// A string, borrowed from the input unless it holds escapes.
pub(crate) struct Text<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Reads a string, and gives what the function makes of it.
pub(crate) struct WithText<F>(pub(crate) F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for WithText<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        Text::deserialize(deserializer).map(|Text(text)| self.0(&text))
    }
}

/// A JSON number. Asked for as `f64`, so that it stays a number whatever features other crates
/// switch on in `serde_json`.
pub(crate) struct Number(pub(crate) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self)
    }
}

/// Any value, checked as strictly as the rest. Gives the text if the value is a string.
pub(crate) struct AnyValue {
    levels: u8,
}

impl AnyValue {
    /// The value of a member of the outermost object.
    pub(crate) const OF_MEMBER: Self = Self {
        levels: DEEPEST - 1,
    };

    fn nested<E: Error>(&self) -> Result<Self, E> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { levels }),
            None => Err(E::custom("nested too deep")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let levels = self.nested()?.levels;
        while elements.next_element_seed(Self { levels })?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let levels = self.nested()?.levels;
        let mut names = Names::default();
        while let Some(Text(name)) = map.next_key()? {
            map.next_value_seed(Self { levels })?;
            names.insert(name)?;
        }
        Ok(None)
    }
}

/// The member names of one object.
#[derive(Default)]
struct Names<'de> {
    /// A bit for each kind of name that was seen: most names are told apart by it alone.
    kinds: u64,
    few: SmallVec<[Cow<'de, str>; FEW_NAMES]>,
    many: Option<HashSet<Cow<'de, str>>>,
}

/// Comparing beats hashing up to about this many names. They need no heap.
const FEW_NAMES: usize = 32;

impl<'de> Names<'de> {
    fn insert<E: Error>(&mut self, name: Cow<'de, str>) -> Result<(), E> {
        let kind = Self::kind(&name);
        let is_of_new_kind = self.kinds & kind == 0;
        self.kinds |= kind;
        let new = if self.few.len() < FEW_NAMES {
            let new = is_of_new_kind || !self.few.contains(&name);
            self.few.push(name);
            new
        } else {
            !self.few.contains(&name) && self.many.get_or_insert_default().insert(name)
        };
        if new {
            Ok(())
        } else {
            Err(E::custom("duplicate member"))
        }
    }

    /// One of 64 bits.
    fn kind(name: &str) -> u64 {
        let last = name.as_bytes().last().copied().unwrap_or_default();
        let length = u32::try_from(name.len()).unwrap_or_default();
        1_u64.rotate_left(length.wrapping_mul(5).wrapping_add(u32::from(last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Anything(usize);

    impl<'de> Members<'de> for Anything {
        fn member<A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
            self.0 += 1;
            map.next_value_seed(AnyValue::OF_MEMBER).map(drop)
        }
    }

    fn members(json: impl AsRef<[u8]>) -> Option<usize> {
        let mut anything = Anything::default();
        read_object(json.as_ref(), &mut anything)
            .ok()
            .map(|()| anything.0)
    }

    #[test]
    fn r14_one_object_and_nothing_else() {
        assert_eq!(members("{}"), Some(0));
        assert_eq!(members(" {\"a\":1,\"b\":[{},null,true,-1.5e3]}\n"), Some(2));
        for bad in [
            "",
            "null",
            "1",
            "\"a\"",
            "[]",
            "[1,2]",
            "{}{}",
            "{} x",
            "{\"a\":1,}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{\"a\":1e400}",
            "{\"a\":\"\\ud800\"}",
            "\u{feff}{}",
            "{\"a\":\"\n\"}",
        ] {
            assert_eq!(members(bad), None, "{bad}");
        }
        assert_eq!(members(b"{\"a\":\"\xff\"}"), None);
        assert_eq!(members(b"{\"\xc0\xaf\":1}"), None);
    }

    #[test]
    fn r14_names_are_distinct_at_every_level() {
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"o":{"a":1,"a":1}}"#,
            r#"{"o":[[{"a":1,"b":2,"a":1}]]}"#,
        ] {
            assert_eq!(members(bad), None, "{bad}");
        }
        assert_eq!(members(r#"{"a":{"a":{"a":1}},"A":1}"#), Some(2));
        let many: Vec<_> = (0..200).map(|n| format!("\"n{n}\":{n}")).collect();
        assert_eq!(members(format!("{{{}}}", many.join(","))), Some(200));
        for again in [0, 31, 32, 199] {
            let twice = format!("{{{},\"n{again}\":0}}", many.join(","));
            assert_eq!(members(twice), None, "n{again}");
        }
    }

    #[test]
    fn r14_depth_is_at_most_32() {
        let nested = |levels: usize| {
            let inner = levels - 1;
            format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner))
        };
        assert_eq!(members(nested(32)), Some(1));
        assert_eq!(members(nested(33)), None);
        assert_eq!(members(nested(100_000)), None);
    }
}
