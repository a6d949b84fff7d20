//! Strict JSON: one object, distinct member names at every level, and a bound on depth, so that two
//! readers of one text can never see different things
//! ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259),
//! [RFC 7515 §4](https://www.rfc-editor.org/rfc/rfc7515#section-4),
//! [RFC 7519 §4](https://www.rfc-editor.org/rfc/rfc7519#section-4)).
//!
//! Values are read where they stand, in one pass. What is seldom in a token and easily got wrong,
//! escapes and fractions, is left to `serde_json` and the standard library.

use std::{borrow::Cow, collections::HashSet, ops::Range};

use serde::Deserialize;
use smallvec::SmallVec;

/// Objects and arrays nest at most this deep, the outermost object included.
const MAX_DEPTH: u8 = 32;

/// `serde_json` reads an object whose only name begins so as something else than an object: with its
/// feature `raw_value` it parses the JSON inside the member's string, without a bound on recursion.
/// No document may hold such a name, at any level.
const RESERVED_NAMES: &str = "$serde_json::private::";

/// It is no such JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads `json` as one object; see [`Reader::whole_object`].
pub(crate) fn read_object<'j>(
    json: &'j [u8],
    each: impl FnMut(Member<'_>, &mut Reader<'j>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    Reader::new(json)?.whole_object(each)
}

/// A member of an object.
pub(crate) struct Member<'n> {
    pub(crate) name: &'n str,
    /// Where the name stands, without its quotes; `None` if it is written with escapes.
    pub(crate) place: Option<Range<usize>>,
}

/// Stands before a value, and reads it.
pub(crate) struct Reader<'j> {
    json: &'j str,
    at: usize,
    /// How much deeper objects and arrays may nest.
    levels: u8,
}

impl<'j> Reader<'j> {
    pub(crate) fn new(json: &'j [u8]) -> Result<Self, Malformed> {
        // Looked at once as a whole: that is cheaper than string by string.
        let json = std::str::from_utf8(json).map_err(|_| Malformed)?;
        Ok(Self::of(json))
    }

    pub(crate) fn of(json: &'j str) -> Self {
        Self {
            json,
            at: 0,
            levels: MAX_DEPTH,
        }
    }

    /// Reads the text as one object, with nothing before or after it. `each` gets its members one by
    /// one and reads their values. What it was given counts only if the result is `Ok`: a repeated
    /// name is noticed behind its value.
    pub(crate) fn whole_object(
        mut self,
        each: impl FnMut(Member<'_>, &mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.skip_space();
        self.object(each)?;
        self.skip_space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Malformed),
        }
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Whether the value is an array.
    pub(crate) fn is_at_array(&self) -> bool {
        self.peek() == Some(b'[')
    }

    /// Reads an object. `each` must read the value of every member.
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(Member<'_>, &mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut names = Names::default();
        self.list([b'{', b'}'], |reader| {
            let quoted = reader.at;
            let has_escapes = reader.skip_text()?;
            let name = reader.text_since(quoted, has_escapes)?;
            if name.starts_with(RESERVED_NAMES) {
                return Err(Malformed);
            }
            let place = (!has_escapes).then(|| reader.between_quotes(quoted));
            reader.expect(b':')?;
            reader.skip_space();
            each(Member { name: &name, place }, reader)?;
            names.insert(name)
        })
    }

    /// Reads an array. `each` must read every element.
    pub(crate) fn array(
        &mut self,
        each: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.list([b'[', b']'], each)
    }

    /// Reads what stands between two brackets, a level deeper. `each` reads one of the things that
    /// commas separate.
    fn list(
        &mut self,
        [open, close]: [u8; 2],
        mut each: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let levels = self.levels;
        self.levels = levels.checked_sub(1).ok_or(Malformed)?;
        self.expect(open)?;
        if !self.eat(close) {
            loop {
                self.skip_space();
                each(self)?;
                if !self.eat(b',') {
                    break;
                }
            }
            self.expect(close)?;
        }
        self.levels = levels;
        Ok(())
    }

    /// Reads a string. It is borrowed unless it holds escapes.
    pub(crate) fn text(&mut self) -> Result<Cow<'j, str>, Malformed> {
        let quoted = self.at;
        let has_escapes = self.skip_text()?;
        self.text_since(quoted, has_escapes)
    }

    /// Reads any value, and gives the text if it is a string.
    pub(crate) fn text_if_any(&mut self) -> Result<Option<Cow<'j, str>>, Malformed> {
        if self.peek() == Some(b'"') {
            return self.text().map(Some);
        }
        self.skip().map(|()| None)
    }

    /// Reads a number.
    pub(crate) fn number(&mut self) -> Result<f64, Malformed> {
        let number = self.skip_number()?;
        number.parse().map_err(|_| Malformed)
    }

    /// Reads a value as `serde_json` does. Only for values that [`skip`](Reader::skip) has accepted:
    /// `serde_json` alone eat repeated names, and some names for something else.
    pub(crate) fn deserialize<T: Deserialize<'j>>(&mut self) -> Result<T, Malformed> {
        let rest = self.json.get(self.at..).ok_or(Malformed)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let value = values.next().ok_or(Malformed)?.map_err(|_| Malformed)?;
        self.step(values.byte_offset());
        Ok(value)
    }

    /// Reads any value, as strictly as the rest.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'{' => self.object(|_, value| value.skip()),
            b'[' => self.array(Self::skip),
            _ => self.skip_scalar(),
        }
    }

    /// Reads any value leniently: names may repeat, and values may nest to any depth. Returns its
    /// text, which has to be read strictly before it is used. Does not recurse; needs one byte of
    /// memory for each level.
    pub(crate) fn lenient_text(&mut self) -> Result<&'j str, Malformed> {
        let start = self.at;
        // The closing brackets to come, the innermost last.
        let mut open = Vec::new();
        loop {
            self.skip_space();
            match self.peek().ok_or(Malformed)? {
                b'{' => {
                    self.step(1);
                    open.push(b'}');
                    if !self.is_at(b'}') {
                        self.skip_name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.step(1);
                    open.push(b']');
                    if !self.is_at(b']') {
                        continue;
                    }
                }
                _ => self.skip_scalar()?,
            }
            loop {
                let Some(&close) = open.last() else {
                    return self.json.get(start..self.at).ok_or(Malformed);
                };
                if self.eat(close) {
                    open.pop();
                    continue;
                }
                self.expect(b',')?;
                if close == b'}' {
                    self.skip_name()?;
                }
                break;
            }
        }
    }

    /// Whether `byte` comes next, after space.
    fn is_at(&mut self, byte: u8) -> bool {
        self.skip_space();
        self.peek() == Some(byte)
    }

    /// Goes behind a member's name and its colon.
    fn skip_name(&mut self) -> Result<(), Malformed> {
        self.skip_space();
        self.skip_string()?;
        self.expect(b':')
    }

    /// Goes behind a string whose escapes are good.
    fn skip_string(&mut self) -> Result<(), Malformed> {
        let quoted = self.at;
        if self.skip_text()? {
            self.unescape(quoted)?;
        }
        Ok(())
    }

    /// Goes behind a value that is neither an object nor an array.
    fn skip_scalar(&mut self) -> Result<(), Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'"' => self.skip_string(),
            b't' => self.skip_word("true"),
            b'f' => self.skip_word("false"),
            b'n' => self.skip_word("null"),
            _ => self.skip_number().map(drop),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    /// Goes on by so many bytes. They were seen, so this does not wrap.
    fn step(&mut self, bytes: usize) {
        self.at = self.at.wrapping_add(bytes);
    }

    fn skip_space(&mut self) {
        // Whoever writes tokens seldom writes any.
        if self.peek() > Some(b' ') {
            return;
        }
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.step(1);
        }
    }

    /// Whether `byte` comes next, after space; if so, goes behind it.
    fn eat(&mut self, byte: u8) -> bool {
        if self.peek() != Some(byte) {
            self.skip_space();
            if self.peek() != Some(byte) {
                return false;
            }
        }
        self.step(1);
        true
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        self.eat(byte).then_some(()).ok_or(Malformed)
    }

    /// The string whose opening quote is at `quoted` and whose closing quote was just read.
    fn text_since(&self, quoted: usize, has_escapes: bool) -> Result<Cow<'j, str>, Malformed> {
        if has_escapes {
            return self.unescape(quoted).map(Cow::Owned);
        }
        let text = self.json.get(self.between_quotes(quoted));
        text.map(Cow::Borrowed).ok_or(Malformed)
    }

    fn between_quotes(&self, quoted: usize) -> Range<usize> {
        quoted.saturating_add(1)..self.at.saturating_sub(1)
    }

    /// Goes behind a string. Whether it holds escapes, which are still to be looked at.
    #[expect(
        clippy::inline_always,
        reason = "a tenth of reading claims is calling this"
    )]
    #[inline(always)]
    fn skip_text(&mut self) -> Result<bool, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(Malformed);
        }
        self.step(1);
        self.skip_plain();
        if self.peek() == Some(b'"') {
            self.step(1);
            return Ok(false);
        }
        self.skip_escaped().map(|()| true)
    }

    /// The rest of a string in which something needs care.
    #[cold]
    fn skip_escaped(&mut self) -> Result<(), Malformed> {
        loop {
            match self.peek() {
                Some(b'"') => break,
                // Whatever is escaped does not end the string.
                Some(b'\\') => {
                    self.step(1);
                    self.peek().ok_or(Malformed)?;
                    self.step(1);
                }
                _ => return Err(Malformed),
            }
            self.skip_plain();
        }
        self.step(1);
        Ok(())
    }

    #[cold]
    fn unescape(&self, quoted: usize) -> Result<String, Malformed> {
        let json = self.json.get(quoted..self.at).ok_or(Malformed)?;
        serde_json::from_str(json).map_err(|_| Malformed)
    }

    /// Goes to the first byte that a string cannot just hold: a quote, a backslash or a control
    /// character.
    fn skip_plain(&mut self) {
        let bytes = self.json.as_bytes();
        let mut at = self.at;
        while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            if let Some(place) = first_special(u64::from_le_bytes(*word)) {
                self.at = at.wrapping_add(place);
                return;
            }
            at = at.wrapping_add(WORD);
        }
        while bytes.get(at).is_some_and(|byte| !is_special(*byte)) {
            at = at.wrapping_add(1);
        }
        self.at = at;
    }

    fn skip_word(&mut self, word: &str) -> Result<(), Malformed> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Malformed);
        }
        self.step(word.len());
        Ok(())
    }

    /// Goes behind a number below 10^308, which every reader can hold. Judged by its digits: to
    /// read numbers that nobody asks for would cost some of them 10 µs.
    fn skip_number(&mut self) -> Result<&'j str, Malformed> {
        const MAX_DIGITS: i64 = 308;
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.step(1);
        }
        let mut digits = match self.peek() {
            Some(b'0') => {
                self.step(1);
                1
            }
            _ => count(self.skip_digits()?),
        };
        if self.peek() == Some(b'.') {
            self.step(1);
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.step(1);
            let sign = self.peek();
            if let Some(b'+' | b'-') = sign {
                self.step(1);
            }
            let exponent = self.skip_digits()?.parse().unwrap_or(i64::MAX);
            digits = match sign {
                Some(b'-') => digits.saturating_sub(exponent),
                _ => digits.saturating_add(exponent),
            };
        }
        if digits > MAX_DIGITS {
            return Err(Malformed);
        }
        self.json.get(start..self.at).ok_or(Malformed)
    }

    /// Goes behind one or more digits.
    fn skip_digits(&mut self) -> Result<&'j str, Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.step(1);
        }
        let digits = self.json.get(start..self.at);
        digits.filter(|digits| !digits.is_empty()).ok_or(Malformed)
    }
}

fn count(digits: &str) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

const WORD: usize = 8;

fn is_special(byte: u8) -> bool {
    matches!(byte, ..b' ' | b'"' | b'\\')
}

/// The place of the first special byte among eight, the lowest being the first.
fn first_special(word: u64) -> Option<usize> {
    /// The byte eight times.
    const fn each(byte: u8) -> u64 {
        u64::from_le_bytes([byte; WORD])
    }
    // The high bit of a byte is set if what is taken from it is more than it is. What is borrowed
    // for that spoils only the bytes above, and only the lowest hit is asked for. No byte above
    // ASCII is special.
    let quotes = (word ^ each(b'"')).wrapping_sub(each(1));
    let backslashes = (word ^ each(b'\\')).wrapping_sub(each(1));
    let controls = word.wrapping_sub(each(b' '));
    let found = (quotes | backslashes | controls) & !word & each(0x80);
    let place = found.trailing_zeros() / u8::BITS;
    (found != 0).then_some(place as usize)
}

/// The member names of one object.
#[derive(Default)]
struct Names<'j> {
    /// A bit for each kind of name that was seen: most names are told apart by it alone.
    kinds: u64,
    few: SmallVec<[Cow<'j, str>; MAX_INLINE_NAMES]>,
    many: Option<HashSet<Cow<'j, str>>>,
}

/// Comparing beats hashing up to about this many names. They need no heap.
const MAX_INLINE_NAMES: usize = 32;

impl<'j> Names<'j> {
    #[expect(
        clippy::inline_always,
        reason = "a twentieth of reading claims is calling this"
    )]
    #[inline(always)]
    fn insert(&mut self, name: Cow<'j, str>) -> Result<(), Malformed> {
        let kind = Self::kind(&name);
        let is_of_new_kind = self.kinds & kind == 0;
        self.kinds |= kind;
        let new = if self.few.len() < MAX_INLINE_NAMES {
            let new = is_of_new_kind || !self.few.contains(&name);
            self.few.push(name);
            new
        } else {
            !self.few.contains(&name) && self.many.get_or_insert_default().insert(name)
        };
        new.then_some(()).ok_or(Malformed)
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
            let mut reader = Reader::new(text.as_bytes()).unwrap();
            reader.skip_space();
            let found = reader.lenient_text();
            let is_all = |text: &&str| reader.at == reader.json.len() && !text.is_empty();
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
    fn r14_the_first_special_byte_of_eight_is_found() {
        for byte in 0..=u8::MAX {
            for place in 0..WORD {
                for around in [b'a', 0xff, b'!', b' ', b'#', b'[', b']', 0x7f, 0x80] {
                    let mut word = [around; WORD];
                    word[place] = byte;
                    let expected = is_special(byte).then_some(place);
                    assert_eq!(
                        first_special(u64::from_le_bytes(word)),
                        expected,
                        "{word:?}"
                    );
                    // What comes behind does not matter.
                    word[place + 1..].fill(b'"');
                    let expected = expected.or((place + 1 < WORD).then_some(place + 1));
                    assert_eq!(
                        first_special(u64::from_le_bytes(word)),
                        expected,
                        "{word:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn r14_what_is_json_is_what_serde_json_says() {
        const SEED: u64 = 14;
        /// What is put together to texts, most of which are nearly JSON.
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
