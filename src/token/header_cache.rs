//! Header cache: headers of tokens whose signature held. An issuer writes the same header into all
//! tokens of a key, so most headers are found by their text and need no parsing.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::token::header::Header;

/// Cache of parsed headers, the oldest first. It never holds a key.
#[derive(Default)]
pub(crate) struct HeaderCache(ArcSwap<Vec<Arc<CachedHeader>>>);

pub(crate) struct CachedHeader {
    /// Text of the header in a token.
    segment: Box<str>,
    header: Header<'static>,
}

impl HeaderCache {
    /// Beyond this number a new header replaces the oldest one.
    const MAX_HEADERS: usize = 16;

    pub(crate) fn load(&self) -> Guard<Arc<Vec<Arc<CachedHeader>>>> {
        self.0.load()
    }

    /// Adds `header`, whose text in the token is `segment`.
    pub(crate) fn insert(&self, segment: &str, header: &Header<'_>) {
        let known = self.load();
        if find(&known, segment).is_some() {
            return;
        }
        let is_full = known.len() >= Self::MAX_HEADERS;
        let mut headers: Vec<_> = known.iter().skip(is_full.into()).cloned().collect();
        headers.push(Arc::new(CachedHeader {
            segment: segment.into(),
            header: header.to_owned(),
        }));
        // If two threads add a header at once, one of the two may be lost until its next token.
        self.0.store(Arc::new(headers));
    }
}

/// Returns the header whose text is `segment`.
pub(super) fn find<'k>(known: &'k [Arc<CachedHeader>], segment: &str) -> Option<Header<'k>> {
    let found = known.iter().find(|known| *known.segment == *segment)?;
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
        known.insert("eyJh", &header("a"));
        known.insert("eyJi", &header("b"));
        known.insert("eyJh", &header("c"));
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
    fn beyond_16_headers_the_oldest_is_replaced() {
        let cache = HeaderCache::default();
        for number in 0..20 {
            cache.insert(&number.to_string(), &header("a"));
            assert!(find(&cache.load(), &number.to_string()).is_some());
        }
        let known: Vec<_> = (0..20)
            .filter(|number| find(&cache.load(), &number.to_string()).is_some())
            .collect();
        assert_eq!(known, (4..20).collect::<Vec<_>>());
    }
}
