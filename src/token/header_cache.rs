//! Headers that stood before a good signature. An issuer writes the same one before all tokens of
//! a key, so most are known by their text and need not be read again.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::token::header::Header;

/// What is known of headers: nothing but what reading them gave. Never a key.
#[derive(Default)]
pub(crate) struct HeaderCache(ArcSwap<Vec<Arc<CachedHeader>>>);

pub(crate) struct CachedHeader {
    /// As it stands in a token.
    segment: Box<str>,
    header: Header<'static>,
}

impl HeaderCache {
    const MOST: usize = 16;
    /// Of so many headers for which there is no place, one takes that of the oldest: keys rotate, but
    /// an issuer may as well write another header before each token.
    const ONE_OF: u8 = 64;

    pub(crate) fn load(&self) -> Guard<Arc<Vec<Arc<CachedHeader>>>> {
        self.0.load()
    }

    /// Remembers `header`, which stands before a good signature as `segment`.
    pub(crate) fn learn(&self, segment: &str, header: &Header<'_>) {
        let known = self.load();
        if find(&known, segment).is_some() {
            return;
        }
        let is_full = known.len() >= Self::MOST;
        if is_full && fastrand::u8(..Self::ONE_OF) > 0 {
            return;
        }
        let mut more: Vec<_> = known.iter().skip(is_full.into()).cloned().collect();
        more.push(Arc::new(CachedHeader {
            segment: segment.into(),
            header: header.to_owned(),
        }));
        // Of two that learn at once one may be lost; its header comes again.
        self.0.store(Arc::new(more));
    }
}

/// What `segment` is known to say.
pub(super) fn find<'k>(known: &'k [Arc<CachedHeader>], segment: &str) -> Option<Header<'k>> {
    let found = known.iter().find(|one| *one.segment == *segment)?;
    Some(found.header.borrowed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::algorithm::Algorithm;

    fn header(id: &str) -> Header<'_> {
        Header {
            algorithm: Algorithm::Es256,
            key_id: Some(id.into()),
            is_at_jwt: true,
        }
    }

    #[test]
    fn a_header_is_known_by_its_whole_text() {
        let known = HeaderCache::default();
        known.learn("eyJh", &header("a"));
        known.learn("eyJi", &header("b"));
        known.learn("eyJh", &header("c"));
        let known = known.load();
        assert_eq!(known.len(), 2);
        let found = find(&known, "eyJh").unwrap();
        assert_eq!(found.algorithm, Algorithm::Es256);
        assert_eq!(found.key_id.as_deref(), Some("a"));
        assert!(found.is_at_jwt);
        for other in ["", "eyJ", "eyJhA", "eyJH"] {
            assert!(find(&known, other).is_none(), "{other}");
        }
    }

    #[test]
    fn no_more_than_16_are_known_and_a_new_one_is_in_the_end() {
        let known = HeaderCache::default();
        for number in 0..100 {
            known.learn(&number.to_string(), &header("a"));
        }
        assert_eq!(known.load().len(), 16);
        for _ in 0..10_000 {
            known.learn("new", &header("b"));
        }
        assert_eq!(known.load().len(), 16);
        assert!(find(&known.load(), "new").is_some());
    }
}
