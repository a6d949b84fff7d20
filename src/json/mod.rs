//! Strict JSON: one object, distinct names at every level, and a bound on depth. Two readers of one text
//! then cannot disagree ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259),
//! [RFC 7515 §4](https://www.rfc-editor.org/rfc/rfc7515#section-4),
//! [RFC 7519 §4](https://www.rfc-editor.org/rfc/rfc7519#section-4)).
//!
//! | file | checks |
//! |---|---|
//! | `scan.rs` | strings, numbers and words are those of RFC 8259, and numbers are below 10^308 |
//! | `names.rs` | the names of an object are distinct, and none is reserved |
//! | `grammar.rs` | values nest at most 32 levels deep, and no text precedes or follows the object |
//!
//! This reader reads everything from outside: tokens, key sets and discovery documents. It leaves
//! escapes and fractions to `serde_json` and the standard library.

mod grammar;
mod names;
mod scan;

pub(crate) use self::grammar::{Member, Reader};

/// Error for a text that is not strict JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Returns `document` without a byte order mark, which a reader may ignore
/// ([RFC 8259 §8.1](https://www.rfc-editor.org/rfc/rfc8259#section-8.1)). For documents of issuers; a
/// token with one is malformed.
pub(crate) fn without_bom(document: &[u8]) -> &[u8] {
    document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document)
}

/// Reads `json` as one object; see [`Reader::whole_object`].
pub(crate) fn read_object<'j>(
    json: &'j [u8],
    each: impl FnMut(Member<'_>, &mut Reader<'j>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    Reader::new(json)?.whole_object(each)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing;

    fn members(json: impl AsRef<[u8]>) -> Option<usize> {
        let mut count = 0;
        let read = read_object(json.as_ref(), |_, value| {
            count += 1;
            value.skip()
        });
        read.ok().map(|()| count)
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
        // Behind the names that are compared one by one.
        let many: Vec<_> = (0..200).map(|n| format!("\"n{n}\":{n}")).collect();
        assert_eq!(members(format!("{{{}}}", many.join(","))), Some(200));
        for again in [0, 31, 32, 199] {
            for name in [format!("n{again}"), format!("\\u006e{again}")] {
                let twice = format!("{{{},\"{name}\":0}}", many.join(","));
                assert_eq!(members(twice), None, "{name}");
            }
        }
    }

    #[test]
    fn r14_numbers_are_below_ten_to_the_308() {
        let [nines, noughts] = ["9", "0"].map(|digit| digit.repeat(308));
        for good in [
            nines.clone(),
            format!("-{nines}"),
            format!("{nines}.{nines}"),
            format!("{nines}0e-1"),
            format!("0.{noughts}"),
            "1e307".to_owned(),
            "1E+307".to_owned(),
            "10e306".to_owned(),
            "0e307".to_owned(),
            "1e-99999999999999999999".to_owned(),
        ] {
            assert_eq!(members(format!("{{\"n\":{good}}}")), Some(1), "{good}");
        }
        for bad in [
            format!("{nines}9"),
            format!("-{nines}9"),
            format!("{nines}0e0"),
            "1e308".to_owned(),
            "10E+307".to_owned(),
            "0e308".to_owned(),
            "17976931348623158e292".to_owned(),
            "1e99999999999999999999".to_owned(),
        ] {
            assert_eq!(members(format!("{{\"n\":{bad}}}")), None, "{bad}");
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

    #[test]
    fn r56_names_that_serde_json_reserves_are_refused_at_every_level() {
        for name in [
            "$serde_json::private::RawValue",
            "$serde_json::private::Number",
            "$serde_json::private::",
            "\\u0024serde_json::private::RawValue",
            "$serde_json:\\u003aprivate::RawValue",
        ] {
            for json in [
                format!("{{\"{name}\":\"1\"}}"),
                format!("{{\"a\":{{\"{name}\":\"1\"}}}}"),
                format!("{{\"a\":[[{{\"b\":1,\"{name}\":\"1\"}}]]}}"),
            ] {
                assert_eq!(members(&json), None, "{json}");
            }
        }
        for other in ["serde_json::private::RawValue", "$serde_json", "$"] {
            assert_eq!(members(format!("{{\"{other}\":1}}")), Some(1), "{other}");
        }
    }

    #[test]
    fn r56_a_lenient_text_is_what_serde_json_ignores() {
        use serde::de::IgnoredAny;

        let texts = [
            "{}",
            "[]",
            "[{}]",
            "{\"a\":[]}",
            "[1,2]",
            "{\"a\":1,\"a\":2}",
            "\"a\"",
            "1",
            "null",
            " [ ]",
            "{ \"a\" : { } , \"b\" : [ ] }",
            "[[]]",
            "[[1],{\"a\":\"\\u0061\"}]",
            "",
            "[",
            "]",
            "{",
            "}",
            "[}",
            "{]",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{1:1}",
            "{\"a\":1,}",
            "{,}",
            "[1 2]",
            "{\"a\":1 \"b\":2}",
            "[\"\\x\"]",
            "{\"\\x\":1}",
            "[[1]",
            "[1}]",
            "{\"a\":[}}",
            "tru",
            "[nul]",
            "01",
            "-",
            "[1e]",
        ];
        for text in texts {
            let mut reader = Reader::new(text.trim_start().as_bytes()).unwrap();
            let found = reader.lenient_text();
            let is_all = |found: &&str| found.len() == text.trim_start().len() && !found.is_empty();
            let expected = serde_json::from_str::<IgnoredAny>(text);
            assert_eq!(
                found.is_ok_and(|found| is_all(&found)),
                expected.is_ok(),
                "{text}"
            );
        }
        let deep = format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20));
        let mut reader = Reader::new(deep.as_bytes()).unwrap();
        assert_eq!(reader.lenient_text().map(str::len), Ok(2 << 20));
    }

    #[test]
    fn r14_values_are_what_serde_reads() {
        let json =
            r#" { "t" : "pl\u0061in\n", "n":-1.5e3 , "a":[1,{"b":[]},"x"], "o":{"k":"v"},"z":0}"#;
        let mut seen = String::new();
        let read = read_object(json.as_bytes(), |member, value| {
            seen += member.name;
            match member.name {
                "t" => assert_eq!(value.text()?, "plain\n"),
                "n" => assert!((value.number()? + 1500.0).abs() < f64::EPSILON),
                "a" => {
                    assert!(value.is_at_array());
                    let list: Vec<serde_json::Value> = value.deserialize()?;
                    assert_eq!(list.len(), 3);
                }
                "o" => value.object(|member, value| {
                    assert_eq!(member.name, "k");
                    assert_eq!(json.get(member.place.unwrap()), Some("k"));
                    assert_eq!(value.text_if_any()?.as_deref(), Some("v"));
                    Ok(())
                })?,
                _ => assert_eq!(value.text_if_any()?, None),
            }
            Ok(())
        });
        assert_eq!((read, seen.as_str()), (Ok(()), "tnaoz"));
        let escaped = r#"{"\u0061":1}"#;
        let place = |json: &str| {
            let mut place = None;
            let read = read_object(json.as_bytes(), |member, value| {
                place = member.place;
                value.skip()
            });
            read.map(|()| place)
        };
        assert_eq!(place(escaped), Ok(None));
        assert_eq!(place(r#"{"a":1}"#), Ok(Some(2..3)));
    }

    #[test]
    fn r29_a_value_of_another_type_is_an_error() {
        type Read = fn(&mut Reader<'_>) -> Result<(), Malformed>;
        let readers: [(&str, Read); 4] = [
            ("\"a\"", |value| value.text().map(drop)),
            ("1", |value| value.number().map(drop)),
            ("{}", |value| value.object(|_, value| value.skip())),
            ("[]", |value| value.array(Reader::skip)),
        ];
        for (fitting, read) in readers {
            for json in ["\"a\"", "1", "{}", "[]", "null", "true", ""] {
                let found = Reader::new(json.as_bytes()).and_then(|mut value| read(&mut value));
                assert_eq!(found.is_ok(), json == fitting, "{json} for {fitting}");
            }
        }
    }

    #[test]
    fn r14_what_is_json_is_what_serde_json_says() {
        const SEED: u64 = 14;
        /// Parts of texts, most of which are nearly JSON.
        const PARTS: [&str; 44] = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\"a\"",
            "\"b\"",
            "\"\\u0061\"",
            "\"a\":1",
            "\"b\":[]",
            "\"c\":{}",
            "\"\"",
            " ",
            "\n",
            "\t",
            "0",
            "-",
            "1",
            "-0.5",
            "1e5",
            "1E+400",
            "1e-400",
            ".",
            "e",
            "true",
            "false",
            "null",
            "tru",
            "\\",
            "\\n",
            "\\u",
            "\\ud83d\\ude00",
            "\\ud83d",
            "ä",
            "\u{1}",
            "\u{7f}",
            "\u{feff}",
            "twelve bytes",
            "\"\\\\\"",
            "\"\\\"\"",
            "9999999999999999999999",
            "01",
        ];
        let seeds = [
            r#"{"iss":"https://issuer.example","aud":["a","b"],"exp":1.5e9,"o":{"k":[{}]}}"#,
            r#"{"\u0061":"\ud83d\ude00 \\ \" \/","n":[-0,0.10,1E-2,null,true,false]}"#,
        ];
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut accepted = 0;
        for _ in 0..60_000 {
            let mut text = Vec::new();
            if random.bool() {
                text.extend(b"{");
                for _ in 0..random.usize(..12) {
                    text.extend(PARTS[random.usize(..PARTS.len())].bytes());
                }
                text.extend(b"}");
            } else {
                text.extend(seeds[random.usize(..seeds.len())].bytes());
                for _ in 0..random.usize(..4) {
                    let at = random.usize(..=text.len());
                    let part = PARTS[random.usize(..PARTS.len())];
                    let end = text.len().min(at + random.usize(..3));
                    match random.u8(..3) {
                        0 => text.truncate(at),
                        1 => drop(text.splice(at..end, [random.u8(..)])),
                        _ => drop(text.splice(at..end, part.bytes())),
                    }
                }
            }
            fuzzing::json(&text);
            // What is read strictly is read leniently, too, and as far.
            if members(&text).is_some() {
                let trimmed = text.trim_ascii();
                let mut reader = Reader::new(trimmed).unwrap();
                let lenient = reader.lenient_text().map(str::as_bytes);
                assert_eq!(lenient, Ok(trimmed));
            }
            let is_json = members(&text).is_some();
            accepted += usize::from(is_json);
        }
        assert!(accepted > 5_000, "{accepted}");
    }
}
