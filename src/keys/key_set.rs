//! Key sets: from JWKS text ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)) to
//! usable keys.

use std::collections::HashMap;

use crate::{
    json::{Malformed, read_object, without_bom},
    keys::{
        algorithm::{Algorithm, AllowedAlgorithms},
        document::{self, Expected},
        error::{KeyFetchError, KeyFetchErrorKind},
        jwk::VerifyingKey,
        key_problem::KeyProblem,
        published_key::PublishedKey,
        rejected_jwk::RejectedJwk,
    },
};

/// Usable keys of an issuer.
#[derive(Default)]
pub(crate) struct KeySet {
    /// Number that changes whenever the keys of the issuer change. A lookup result is valid for
    /// every set of the same generation.
    generation: u64,
    keys: Vec<VerifyingKey>,
    /// Positions in `keys` by key id, at most [`KeySet::MAX_KEYS_OF_ONE_ID`] for each id.
    by_id: HashMap<Box<str>, Vec<usize>>,
    /// At most [`KeySet::MAX_PROBLEMS`].
    problems: Vec<KeyProblem>,
}

/// Error of a lookup: no key fits a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyLookupError {
    /// Several keys that fit a token without a key id.
    Ambiguous,
    /// Key id of a key that is bound to another algorithm.
    OtherAlgorithm,
    /// Key that is not in the set; a newer set may contain it.
    Unknown,
}

/// Difference between two successive key sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) added: usize,
    pub(crate) withdrawn: usize,
    /// Problems of published keys that the set before did not have.
    pub(crate) new_problems: Vec<KeyProblem>,
}

impl KeySet {
    /// Largest number of keys in a set. A larger set is rejected.
    const MAX_KEYS: usize = 100;
    /// Largest number of keys with the same id, which are all tried. Further keys are ignored.
    const MAX_KEYS_OF_ONE_ID: usize = 4;

    /// Largest number of problems that are kept for the log.
    const MAX_PROBLEMS: usize = 8;

    /// Returns the text of each key of a JWKS.
    fn texts(jwks: &[u8]) -> Result<Vec<&str>, KeyFetchError> {
        let mut keys = None;
        let read = read_object(without_bom(jwks), |member, value| {
            if member.name != "keys" {
                return value.skip();
            }
            let (mut first, mut count) = (Vec::new(), 0_usize);
            value.array(|key| {
                let text = key.lenient_text()?;
                if first.len() < Self::MAX_KEYS {
                    first.push(text);
                }
                count = count.saturating_add(1);
                Ok(())
            })?;
            keys = Some((first, count));
            Ok(())
        });
        read.map_err(|Malformed| {
            let problem = "the key set is not a JSON object with an array `keys`";
            document::unexpected(jwks, Expected::KeySet, problem)
        })?;
        let (keys, count) = keys.ok_or_else(|| {
            document::unexpected(jwks, Expected::KeySet, "the key set has no array `keys`")
        })?;
        if count > Self::MAX_KEYS {
            return Err(KeyFetchError::new(
                KeyFetchErrorKind::TooLarge,
                format!(
                    "the key set has {count} keys, more than the limit of {}",
                    Self::MAX_KEYS
                ),
            ));
        }
        Ok(keys)
    }

    /// Returns every key of a JWKS, with the verdict of [`parse`](Self::parse).
    pub(crate) fn published(
        jwks: &[u8],
        allowed: AllowedAlgorithms,
    ) -> Result<Vec<PublishedKey>, KeyFetchError> {
        let keys = Self::texts(jwks)?.into_iter();
        let keys = keys.map(|jwk| VerifyingKey::from_jwk(jwk, allowed));
        Ok(keys.map(|key| PublishedKey::of(&key)).collect())
    }

    /// Reads a JWKS. A malformed or unsupported key does not affect the other keys.
    pub(crate) fn parse(jwks: &[u8], allowed: AllowedAlgorithms) -> Result<Self, KeyFetchError> {
        let mut set = Self::default();
        let mut rejected = Vec::new();
        for jwk in Self::texts(jwks)? {
            // Each key is read strictly, so that an error affects only that key.
            match VerifyingKey::from_jwk(jwk, allowed) {
                Ok(key) => {
                    if key.has_private_members() {
                        set.problems.push(KeyProblem::private_members(key.id()));
                    }
                    set.insert(key);
                }
                Err(jwk) => {
                    set.problems.extend(KeyProblem::of(&jwk));
                    rejected.push(jwk);
                }
            }
        }
        set.problems.truncate(Self::MAX_PROBLEMS);
        if set.keys.is_empty() {
            let problem = match rejected.as_slice() {
                [] => "the key set is empty".to_owned(),
                rejected => format!("the key set has no usable key: {}", list(rejected)),
            };
            return Err(KeyFetchError::new(KeyFetchErrorKind::Empty, problem));
        }
        Ok(set)
    }

    /// Returns the problems of the published keys, for the operator.
    pub(crate) fn problems(&self) -> &[KeyProblem] {
        &self.problems
    }

    fn insert(&mut self, key: VerifyingKey) {
        if let Some(id) = key.id() {
            let positions = self.by_id.entry(id.into()).or_default();
            let known = positions
                .iter()
                .filter_map(|&position| self.keys.get(position));
            let alike = known.filter(|known| known.algorithm() == key.algorithm());
            if alike.count() == Self::MAX_KEYS_OF_ONE_ID {
                return;
            }
            positions.push(self.keys.len());
        }
        self.keys.push(key);
    }

    /// Continues the generations of `previous`, and returns the difference.
    pub(crate) fn succeed(&mut self, previous: &Self) -> Change {
        let is_same = self.keys.len() == previous.keys.len()
            && self
                .keys
                .iter()
                .zip(&previous.keys)
                .all(|(new, old)| new.is_same(old));
        self.generation = previous.generation.wrapping_add(u64::from(!is_same));
        let among =
            |keys: &[VerifyingKey], key: &VerifyingKey| keys.iter().any(|one| one.is_same(key));
        let added = self
            .keys
            .iter()
            .filter(|key| !among(&previous.keys, key))
            .count();
        let withdrawn = previous
            .keys
            .iter()
            .filter(|key| !among(&self.keys, key))
            .count();
        let is_new = |problem: &&KeyProblem| !previous.problems.contains(problem);
        Change {
            added,
            withdrawn,
            new_problems: self.problems.iter().filter(is_new).cloned().collect(),
        }
    }

    /// Returns the generation. Two sets of an issuer have the same generation only if they have the
    /// same keys.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the ids of the usable keys.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(VerifyingKey::id)
    }

    /// Returns the number of usable keys.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the keys that may have signed a token with this header, all bound to `algorithm`.
    /// With a key id these are the keys of exactly this id, else the only key that fits.
    pub(crate) fn candidates(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<impl Iterator<Item = &VerifyingKey>, KeyLookupError> {
        let fits = move |key: &&VerifyingKey| key.algorithm() == algorithm;
        let (named, unnamed) = match id {
            Some(id) => {
                let positions = self.by_id.get(id).ok_or(KeyLookupError::Unknown)?;
                (positions.as_slice(), &[][..])
            }
            None => (&[][..], self.keys.as_slice()),
        };
        let named = named.iter().filter_map(|&position| self.keys.get(position));
        let mut found = named.chain(unnamed).filter(fits);
        let first = found.next();
        match (first, id) {
            (None, Some(_)) => Err(KeyLookupError::OtherAlgorithm),
            (None, None) => Err(KeyLookupError::Unknown),
            (Some(_), None) if found.next().is_some() => Err(KeyLookupError::Ambiguous),
            (Some(_), _) => Ok(first.into_iter().chain(found)),
        }
    }
}

/// Returns a text about the first 4 keys of `rejected`, and the number of the others.
fn list(rejected: &[RejectedJwk]) -> String {
    let (shown, hidden) = rejected.split_at(rejected.len().min(4));
    let mut parts: Vec<_> = shown.iter().map(ToString::to_string).collect();
    if !hidden.is_empty() {
        parts.push(format!("{} more are not usable", hidden.len()));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ES256: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
    const ED25519: &str =
        r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

    fn parse(keys: &[String]) -> Result<KeySet, KeyFetchErrorKind> {
        let text = format!("{{\"keys\":[{}]}}", keys.join(","));
        parse_text(&text)
    }

    fn parse_text(text: &str) -> Result<KeySet, KeyFetchErrorKind> {
        KeySet::parse(text.as_bytes(), AllowedAlgorithms::ALL).map_err(|error| error.kind())
    }

    fn key(id: &str, material: &str) -> String {
        format!("{{\"kid\":\"{id}\",{material}}}")
    }

    fn found(
        set: &KeySet,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<usize, KeyLookupError> {
        set.candidates(id, algorithm).map(Iterator::count)
    }

    #[test]
    fn r18_a_key_id_matches_exactly() {
        let set = parse(&[key("a", ES256), key("B", ES256)]).unwrap();
        assert_eq!(found(&set, Some("a"), Algorithm::Es256), Ok(1));
        for other in ["A", "b", "", "a ", "../a"] {
            let outcome = found(&set, Some(other), Algorithm::Es256);
            assert_eq!(outcome, Err(KeyLookupError::Unknown), "{other}");
        }
    }

    #[test]
    fn r19_without_a_key_id_exactly_one_key_must_fit() {
        let set = parse(&[key("a", ES256), key("b", ED25519)]).unwrap();
        assert_eq!(found(&set, None, Algorithm::Es256), Ok(1));
        assert_eq!(
            found(&set, None, Algorithm::Rs256),
            Err(KeyLookupError::Unknown)
        );
        let set = parse(&[key("a", ES256), key("b", ES256)]).unwrap();
        assert_eq!(
            found(&set, None, Algorithm::Es256),
            Err(KeyLookupError::Ambiguous)
        );
    }

    #[test]
    fn r20_a_key_is_only_found_for_its_algorithm() {
        let set = parse(&[key("a", ES256)]).unwrap();
        let outcome = found(&set, Some("a"), Algorithm::Rs256);
        assert_eq!(outcome, Err(KeyLookupError::OtherAlgorithm));
    }

    #[test]
    fn r25_keys_of_one_id_are_all_tried_up_to_four() {
        let set = parse(&[key("a", ES256), key("a", ED25519), key("a", ES256)]).unwrap();
        assert_eq!(found(&set, Some("a"), Algorithm::Es256), Ok(2));
        assert_eq!(found(&set, Some("a"), Algorithm::EdDsa), Ok(1));
        let set = parse(&vec![key("a", ES256); 10]).unwrap();
        assert_eq!(found(&set, Some("a"), Algorithm::Es256), Ok(4));
        // The limit is for each algorithm, since keys of several algorithms may share an id.
        let keys = [vec![key("a", ES256); 6], vec![key("a", ED25519)]].concat();
        let set = parse(&keys).unwrap();
        assert_eq!(found(&set, Some("a"), Algorithm::EdDsa), Ok(1));
    }

    #[test]
    fn f24_a_set_tells_what_is_new_in_it_and_what_is_gone() {
        let (a, b) = (key("a", ES256), key("b", ED25519));
        let set =
            |keys: &[&String]| parse(&keys.iter().copied().cloned().collect::<Vec<_>>()).unwrap();
        let change = |before: &[&String], after: &[&String]| {
            let change = set(after).succeed(&set(before));
            (change.added, change.withdrawn)
        };
        assert_eq!(change(&[&a], &[&a]), (0, 0));
        assert_eq!(change(&[&a], &[&b, &a]), (1, 0));
        assert_eq!(change(&[&a, &b], &[&b]), (0, 1));
        // A different key with the same id counts as another key.
        assert_eq!(change(&[&a], &[&key("a", ED25519)]), (1, 1));
        assert_eq!(change(&[&b], &[&key("c", ED25519)]), (1, 1));
    }

    #[test]
    fn r48_only_a_set_of_the_same_keys_is_of_the_same_generation() {
        let [a, b, c] = [key("a", ES256), key("b", ED25519), key("c", ED25519)];
        let of =
            |keys: &[&String]| parse(&keys.iter().copied().cloned().collect::<Vec<_>>()).unwrap();
        let first = of(&[&a, &b]);
        let mut same = of(&[&a, &b]);
        same.succeed(&first);
        assert_eq!(same.generation(), first.generation());
        for other in [
            &[&a][..],
            &[&a, &b, &c],
            &[&a, &c],
            &[&b, &a],
            &[&a, &a],
            &[&a, &b, &b],
        ] {
            let mut next = of(other);
            next.succeed(&same);
            assert_ne!(next.generation(), same.generation(), "{other:?}");
        }
    }

    #[test]
    fn r45_only_an_object_with_keys_is_a_set() {
        for bad in ["", "[]", "{}", "{\"keys\":{}}", "{\"keys\":null}", "<html>"] {
            let outcome = parse_text(bad).err();
            assert_eq!(outcome, Some(KeyFetchErrorKind::Json), "{bad}");
        }
        let with_bom = format!("\u{feff}{{\"keys\":[{}]}}", key("a", ES256));
        assert_eq!(parse_text(&with_bom).unwrap().len(), 1);
        assert_eq!(parse(&[]).err(), Some(KeyFetchErrorKind::Empty));
        let foreign = key("a", r#""kty":"oct","k":"AA""#);
        assert_eq!(parse(&[foreign]).err(), Some(KeyFetchErrorKind::Empty));
    }

    #[test]
    fn r53_a_bad_key_never_drops_the_good_ones() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        for bad in ["1", "null", "[]", "{}", "{\"kty\":5}", &deep] {
            let set = parse(&[bad.to_owned(), key("a", ES256), bad.to_owned()]).unwrap();
            assert_eq!(set.len(), 1);
        }
    }

    #[test]
    fn a_set_without_usable_keys_names_some_of_them() {
        let error = |keys: &[String]| {
            let text = format!("{{\"keys\":[{}]}}", keys.join(","));
            let set = KeySet::parse(text.as_bytes(), AllowedAlgorithms::ALL);
            set.err().unwrap().to_string()
        };
        assert_eq!(error(&[]), "the key set is empty");
        let symmetric = key("a\\n", r#""kty":"oct","k":"AA""#);
        let text = error(&vec![symmetric; 6]);
        assert!(
            text.contains("no usable key: \"a\\n\" is symmetric"),
            "{text}"
        );
        assert!(text.ends_with("; 2 more are not usable"), "{text}");
    }

    #[test]
    fn only_problems_of_signing_keys_are_kept() {
        let weak = r#""kty":"RSA","n":"AQAB","e":"AQAB""#;
        let mut keys = vec![
            key("weak", weak),
            key("encryption", &format!("{weak},\"use\":\"enc\"")),
            key("oaep", &format!("{weak},\"alg\":\"RSA-OAEP\"")),
            key("curve", r#""kty":"EC","crv":"secp256k1","x":"AA","y":"AA""#),
            key("point", &ES256.replace("a0\"", "b0\"")),
            key("private", &format!("{ES256},\"d\":\"AA\"")),
            r#"{"kty":"RSA"}"#.to_owned(),
            key("good", ED25519),
        ];
        let problems = |keys: &[String]| {
            let set = parse(keys).unwrap();
            let problems = set.problems().iter();
            let ids = problems.map(|problem| problem.key_id.as_deref().unwrap_or("-").to_owned());
            ids.collect::<Vec<_>>()
        };
        assert_eq!(problems(&keys), ["weak", "point", "private", "-"]);
        keys.extend(vec![key(&"x".repeat(100), weak); 20]);
        let many = problems(&keys);
        assert_eq!(many.len(), KeySet::MAX_PROBLEMS);
        assert_eq!(many[4], "x".repeat(64));
    }

    #[test]
    fn f10_more_than_100_keys_are_refused() {
        let keys: Vec<_> = (0..101).map(|n| key(&n.to_string(), ES256)).collect();
        assert_eq!(parse(keys.get(..100).unwrap()).unwrap().len(), 100);
        assert_eq!(parse(&keys).err(), Some(KeyFetchErrorKind::TooLarge));
    }
}
