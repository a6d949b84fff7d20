//! What the headers of an answer say about time.

use std::time::{Duration, SystemTime};

use headers::{Age, CacheControl, Date, Expires, HeaderMap, HeaderMapExt as _};
use http::header;
use url::Url;

use crate::keys::Revalidation;

/// For how long the answer is fresh, counted from now
/// ([RFC 9111 §4.2](https://www.rfc-editor.org/rfc/rfc9111#section-4.2)). `no-cache` and
/// `no-store`, which Keycloak sends with every key set, say nothing about it: they must not mean
/// a fetch for every request.
pub(super) fn fresh_for(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let control = headers.typed_get::<CacheControl>();
    if control
        .as_ref()
        .is_some_and(|one| one.no_cache() || one.no_store())
    {
        return None;
    }
    let lifetime = if let Some(max_age) = control.and_then(|one| one.max_age()) {
        max_age
    } else {
        let expires = SystemTime::from(headers.typed_get::<Expires>()?);
        // The issuer's clock may be off; its own date is off by as much.
        let date = headers.typed_get::<Date>().map_or(now, SystemTime::from);
        expires.duration_since(date).unwrap_or_default()
    };
    let age = headers
        .typed_get::<Age>()
        .map_or(Duration::ZERO, Duration::from);
    Some(lifetime.saturating_sub(age))
}

/// `Retry-After`, in seconds or as a date
/// ([RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    date.duration_since(now).ok()
}

/// What to ask `place` with next time; `None` if its answer has neither.
pub(super) fn revalidation(headers: &HeaderMap, place: &Url) -> Option<Revalidation> {
    let text = |name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let (etag, last_modified) = (text(header::ETAG), text(header::LAST_MODIFIED));
    (etag.is_some() || last_modified.is_some()).then(|| Revalidation {
        etag,
        last_modified,
        place: Some(place.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mon, 12 Jan 1970 13:46:40 GMT.
    const NOW: Duration = Duration::from_secs(1_000_000);

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        pairs.collect()
    }

    fn fresh(pairs: &[(&'static str, &str)]) -> Option<u64> {
        let now = SystemTime::UNIX_EPOCH + NOW;
        fresh_for(&headers(pairs), now).map(|fresh| fresh.as_secs())
    }

    #[test]
    fn max_age_comes_before_expires_and_age_is_taken_off() {
        let expires = ("expires", "Mon, 12 Jan 1970 13:56:40 GMT"); // 600 s later
        assert_eq!(fresh(&[]), None);
        assert_eq!(
            fresh(&[("cache-control", "public, max-age=300")]),
            Some(300)
        );
        assert_eq!(
            fresh(&[("cache-control", "max-age=300"), expires]),
            Some(300)
        );
        assert_eq!(
            fresh(&[("cache-control", "max-age=300"), ("age", "100")]),
            Some(200)
        );
        assert_eq!(
            fresh(&[("cache-control", "max-age=300"), ("age", "900")]),
            Some(0)
        );
        assert_eq!(fresh(&[expires]), Some(600));
        let date = ("date", "Mon, 12 Jan 1970 13:46:50 GMT"); // 10 s later
        assert_eq!(fresh(&[expires, date]), Some(590));
        assert_eq!(fresh(&[("expires", "0")]), None);
        assert_eq!(
            fresh(&[("expires", "Mon, 12 Jan 1970 00:00:00 GMT")]),
            Some(0)
        );
    }

    #[test]
    fn no_cache_and_no_store_are_no_hint() {
        for control in [
            "no-cache",
            "no-store",
            "no-store, must-revalidate, max-age=0",
        ] {
            assert_eq!(fresh(&[("cache-control", control)]), None, "{control}");
        }
        assert_eq!(fresh(&[("cache-control", "max-age=x")]), None);
    }

    #[test]
    fn f6_retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + NOW;
        let wait = |value: &str| {
            retry_after(&headers(&[("retry-after", value)]), now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Mon, 12 Jan 1970 13:48:40 GMT"), Some(120));
        for none in ["Mon, 12 Jan 1970 00:00:00 GMT", "soon", "-1", "1.5", ""] {
            assert_eq!(wait(none), None, "{none}");
        }
    }
}
