//! Freshness, pauses and validators from the headers of a response.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, header};
use url::Url;

use crate::keys::source::CacheValidators;

/// Longest validator that is kept. A server may not accept a longer validator in a request.
const MAX_VALIDATOR_BYTES: usize = 256;
/// Number of seconds in place of a larger one.
const MAX_DELTA_SECONDS: u64 = 1 << 31;

/// Returns the time for which the response is fresh, counted from now
/// ([RFC 9111 §4.2](https://www.rfc-editor.org/rfc/rfc9111#section-4.2)); `None` if the issuer does
/// not say.
///
/// Keycloak sends `no-cache` with every key set. Without a positive `max-age`, `no-cache` and
/// `no-store` therefore count as no statement, instead of causing a fetch for every request.
pub(super) fn fresh_for(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let control = cache_control(headers);
    let lifetime = match control.max_age {
        Some(Duration::ZERO) | None if control.forbids_storing => return None,
        Some(max_age) => max_age,
        None => {
            let expires = date(headers, header::EXPIRES)?;
            // The issuer's clock may be wrong, but then its `Date` is wrong by the same amount.
            let date = date(headers, header::DATE).unwrap_or(now);
            expires.duration_since(date).unwrap_or_default()
        }
    };
    Some(lifetime.saturating_sub(age(headers)))
}

/// Returns the time of the server when the response arrived: its `Date`, and its `Age` if a cache
/// answered ([RFC 9111 §4.2.3](https://www.rfc-editor.org/rfc/rfc9111#section-4.2.3)).
pub(super) fn server_time(headers: &HeaderMap) -> Option<SystemTime> {
    date(headers, header::DATE)?.checked_add(age(headers))
}

/// Returns the time that the response was in caches.
fn age(headers: &HeaderMap) -> Duration {
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok());
    age.and_then(delta_seconds).unwrap_or_default()
}

/// Directives of `Cache-Control` that this crate uses.
#[derive(Default)]
struct CacheControl {
    /// `true` for `no-cache` or `no-store`.
    forbids_storing: bool,
    max_age: Option<Duration>,
}

/// Reads `Cache-Control` ([RFC 9111 §5.2](https://www.rfc-editor.org/rfc/rfc9111#section-5.2)).
/// Names are case-insensitive, values may be quoted, and the shortest `max-age` counts.
fn cache_control(headers: &HeaderMap) -> CacheControl {
    let mut control = CacheControl::default();
    let values = headers.get_all(header::CACHE_CONTROL).iter();
    let directives = values.filter_map(|value| value.to_str().ok());
    for directive in directives.flat_map(|list| list.split(',')) {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name, Some(value.trim().trim_matches('"'))),
            None => (directive, None),
        };
        let name = name.trim();
        // `no-cache="set-cookie"` concerns only that header.
        let is_bare = |wanted| value.is_none() && name.eq_ignore_ascii_case(wanted);
        control.forbids_storing |= is_bare("no-cache") || is_bare("no-store");
        if name.eq_ignore_ascii_case("max-age") {
            let age = value.and_then(delta_seconds);
            control.max_age = [control.max_age, age].into_iter().flatten().min();
        }
    }
    control
}

/// Reads `1*DIGIT`. A larger number than [`MAX_DELTA_SECONDS`] counts as that
/// ([RFC 9111 §1.2.2](https://www.rfc-editor.org/rfc/rfc9111#section-1.2.2)).
fn delta_seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = || text.parse().unwrap_or(u64::MAX).min(MAX_DELTA_SECONDS);
    is_number.then(|| Duration::from_secs(seconds()))
}

/// Returns the date in the header `name`.
fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let text = headers.get(name)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()
}

/// Returns the pause that `Retry-After` asks for, in seconds or as a date
/// ([RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(wait) = delta_seconds(value) {
        return Some(wait);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    date.duration_since(now).ok()
}

/// Returns the validators for the next request to `place`; `None` if the response has none.
pub(super) fn validators(headers: &HeaderMap, place: &Url) -> Option<CacheValidators> {
    let text = |name| {
        let value = headers.get(name)?.to_str().ok()?;
        (value.len() <= MAX_VALIDATOR_BYTES).then(|| value.to_owned())
    };
    let etag = text(header::ETAG);
    // A document that changes twice within a second has the same date for both contents. A date
    // that is not older than the response therefore proves nothing (RFC 9110 §8.8.2.2).
    let age = || {
        let sent_at = date(headers, header::DATE)?;
        let modified_at = date(headers, header::LAST_MODIFIED)?;
        sent_at.duration_since(modified_at).ok()
    };
    let is_strong = age().is_some_and(|age| age >= Duration::from_secs(1));
    let last_modified = text(header::LAST_MODIFIED).filter(|_| is_strong);
    (etag.is_some() || last_modified.is_some()).then(|| CacheValidators {
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
    fn the_time_of_the_server_includes_the_time_in_caches() {
        let date = ("date", "Mon, 12 Jan 1970 13:46:40 GMT");
        let time = |pairs: &[_]| {
            let time = server_time(&headers(pairs))?;
            time.duration_since(SystemTime::UNIX_EPOCH).ok()
        };
        assert_eq!(time(&[date]), Some(NOW));
        assert_eq!(
            time(&[date, ("age", "20")]),
            Some(NOW + Duration::from_secs(20))
        );
        for pairs in [&[][..], &[("date", "now")], &[("age", "20")]] {
            assert_eq!(time(pairs), None);
        }
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
        // Both numbers are cut to the same one.
        let old = ("age", "99999999999999999999");
        assert_eq!(
            fresh(&[("cache-control", "max-age=4294967296"), old]),
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
        assert_eq!(fresh(&[("cache-control", "private, No-Store")]), None);
    }

    #[test]
    fn directives_are_read_as_rfc_9111_has_them() {
        for (control, expected) in [
            ("Max-Age=5", Some(5)),
            ("public,max-age=5", Some(5)),
            ("max-age=\"5\"", Some(5)),
            ("max-age=9, max-age=5", Some(5)),
            ("max-age=2147483647", Some((1 << 31) - 1)),
            ("max-age=4294967296", Some(1 << 31)),
            ("max-age=99999999999999999999", Some(1 << 31)),
            ("max-age=-5", None),
            ("max-age=+5", None),
            ("max-age=", None),
            ("max-age", None),
            ("max-age=60, no-cache", Some(60)),
            ("max-age=60, no-cache=\"set-cookie\"", Some(60)),
            ("max-age=60, x=\"a, no-store, b\"", Some(60)),
            ("max-age=0, no-store", None),
            ("max-age=0", Some(0)),
            ("s-maxage=5", None),
            ("xmax-age=5", None),
        ] {
            assert_eq!(fresh(&[("cache-control", control)]), expected, "{control}");
        }
        let twice = [("cache-control", "public"), ("cache-control", "max-age=7")];
        let mut both = HeaderMap::new();
        for (name, value) in twice {
            both.append(name, value.parse().unwrap());
        }
        let now = SystemTime::UNIX_EPOCH + NOW;
        assert_eq!(fresh_for(&both, now), Some(Duration::from_secs(7)));
    }

    #[test]
    fn f42_a_date_is_a_validator_only_if_it_is_older_than_the_answer() {
        let place = Url::parse("https://a/").unwrap();
        let kept = |pairs: &[(&'static str, &str)]| {
            validators(&headers(pairs), &place).and_then(|one| one.last_modified)
        };
        let modified = ("last-modified", "Mon, 12 Jan 1970 13:46:40 GMT");
        for (date, is_kept) in [
            (Some("Mon, 12 Jan 1970 13:46:39 GMT"), false),
            (Some("Mon, 12 Jan 1970 13:46:40 GMT"), false),
            (Some("Mon, 12 Jan 1970 13:46:41 GMT"), true),
            (Some("soon"), false),
            (None, false),
        ] {
            let date = date.map(|date| ("date", date));
            let pairs: Vec<_> = [Some(modified), date].into_iter().flatten().collect();
            assert_eq!(kept(&pairs).is_some(), is_kept, "{pairs:?}");
        }
        let etag = validators(&headers(&[modified, ("etag", "\"1\"")]), &place).unwrap();
        assert_eq!(
            (etag.etag.as_deref(), etag.last_modified),
            (Some("\"1\""), None)
        );
    }

    #[test]
    fn f39_validators_of_more_than_256_bytes_are_not_kept() {
        let place = Url::parse("https://a/").unwrap();
        for (length, is_kept) in [(256, true), (257, false)] {
            let etag = "x".repeat(length);
            let found = validators(&headers(&[("etag", &etag)]), &place);
            assert_eq!(found.is_some(), is_kept, "{length}");
        }
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
