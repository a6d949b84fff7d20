//! Deprecation of the old versions of the info endpoint.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

use crate::{error::config::ConfigError, url::shown};

/// Seconds from 1970 to the year 10000, which an HTTP date cannot express.
const YEAR_10000: u64 = 253_402_300_800;

/// Relative to the path of the request, so it fits any prefix and any proxy that changes one. It
/// contains nothing of the request.
const SUCCESSOR: HeaderValue = HeaderValue::from_static("<../v2/info>; rel=\"successor-version\"");

/// Deprecation of the versions `beta` and `v1`; see
/// [`InfoService::deprecation`](crate::InfoService::deprecation).
///
/// | header | value |
/// |---|---|
/// | `Deprecation` ([RFC 9745](https://www.rfc-editor.org/rfc/rfc9745)) | date since when the versions are deprecated, e.g. `@1790812800`; it may be in the future |
/// | `Sunset` ([RFC 8594](https://www.rfc-editor.org/rfc/rfc8594)), if set | date of the removal |
/// | `Link` | `<../v2/info>; rel="successor-version"` if the service has `v2` |
/// | `Link`, if set | URL of the documentation, with `rel="deprecation"` |
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use modeler_auth::{InfoService, camunda::Deprecation};
///
/// let date = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
/// let service = InfoService::new().deprecation(
///     Deprecation::since(date(1_790_812_800)) // 2026-10-01
///         .sunset(date(1_822_348_800)) // 2027-10-01
///         .documentation("https://docs.camunda.io/docs/apis-tools/web-modeler-api/overview/"),
/// )?;
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Deprecation {
    since: SystemTime,
    sunset: Option<SystemTime>,
    documentation: Option<String>,
}

impl Deprecation {
    /// Creates a deprecation since `date`, which counts in whole seconds.
    pub fn since(date: SystemTime) -> Self {
        Self {
            since: date,
            sunset: None,
            documentation: None,
        }
    }

    /// Sets the date of the removal, which counts in whole seconds. Default: none.
    ///
    /// The service does not stop serving the versions at that date; see
    /// [`InfoService::versions`](crate::InfoService::versions).
    pub fn sunset(mut self, date: SystemTime) -> Self {
        self.sunset = Some(date);
        self
    }

    /// Sets the URL of a document about the deprecation, https or http. Default: none.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation = Some(url.into());
        self
    }
}

/// Checked form of a [`Deprecation`].
#[derive(Clone, Debug)]
pub(super) struct DeprecationHeaders {
    deprecation: HeaderValue,
    sunset: Option<HeaderValue>,
    documentation: Option<HeaderValue>,
}

impl DeprecationHeaders {
    pub(super) fn new(deprecation: Deprecation) -> Result<Self, ConfigError> {
        let since = seconds("since", deprecation.since)?;
        let sunset = deprecation
            .sunset
            .map(|date| sunset(date, since))
            .transpose()?;
        let documentation = deprecation
            .documentation
            .map(|url| documentation(&url))
            .transpose()?;
        Ok(Self {
            deprecation: HeaderValue::try_from(format!("@{since}"))
                .expect("`@` and digits are a header value"),
            sunset,
            documentation,
        })
    }

    /// Adds the headers. `has_successor` tells whether the service has `v2`.
    pub(super) fn add(&self, has_successor: bool, headers: &mut HeaderMap) {
        const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
        const SUNSET: HeaderName = HeaderName::from_static("sunset");
        headers.insert(DEPRECATION, self.deprecation.clone());
        if let Some(sunset) = &self.sunset {
            headers.insert(SUNSET, sunset.clone());
        }
        if has_successor {
            headers.append(header::LINK, SUCCESSOR);
        }
        if let Some(documentation) = &self.documentation {
            headers.append(header::LINK, documentation.clone());
        }
    }
}

/// Returns `date` in seconds since 1970.
fn seconds(setting: &'static str, date: SystemTime) -> Result<u64, ConfigError> {
    let invalid = |reason| ConfigError::InvalidDeprecation {
        setting,
        value: format!("{date:?}"),
        reason,
    };
    let since_1970 = date
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| invalid("it is before 1970"))?
        .as_secs();
    if since_1970 < YEAR_10000 {
        Ok(since_1970)
    } else {
        Err(invalid("it is after the year 9999"))
    }
}

fn sunset(date: SystemTime, since: u64) -> Result<HeaderValue, ConfigError> {
    let seconds = seconds("sunset", date)?;
    let date = SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .map_or_else(String::new, httpdate::fmt_http_date);
    // RFC 9745 §4.
    if seconds < since {
        return Err(ConfigError::InvalidDeprecation {
            setting: "sunset",
            value: date,
            reason: "it is earlier than the deprecation",
        });
    }
    Ok(HeaderValue::try_from(date).expect("an HTTP date is a header value"))
}

fn documentation(text: &str) -> Result<HeaderValue, ConfigError> {
    let invalid = |reason| ConfigError::InvalidDeprecation {
        setting: "documentation",
        value: shown(text),
        reason,
    };
    let url = Url::parse(text).map_err(|_| invalid("it is not an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("its scheme is neither https nor http"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it contains a user name or password"));
    }
    // `url` escapes these; a test guards that.
    if url.as_str().contains(['<', '>', '"', ' ']) {
        return Err(invalid(
            "it contains a character that a link cannot contain",
        ));
    }
    HeaderValue::try_from(format!("<{url}>; rel=\"deprecation\""))
        .map_err(|_| invalid("it contains a character that a link cannot contain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn headers(deprecation: Deprecation) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        DeprecationHeaders::new(deprecation)
            .map_err(|error| error.to_string())?
            .add(true, &mut headers);
        Ok(headers)
    }

    #[test]
    fn dates_have_the_form_of_their_rfcs() {
        let deprecation = Deprecation::since(at(1_688_169_599)).sunset(at(1_719_791_999));
        let headers = headers(deprecation).unwrap();
        assert_eq!(headers["deprecation"], "@1688169599");
        assert_eq!(headers["sunset"], "Sun, 30 Jun 2024 23:59:59 GMT");
        assert_eq!(headers["link"], "<../v2/info>; rel=\"successor-version\"");
    }

    #[test]
    fn fractions_of_a_second_do_not_count() {
        let date = at(7) + Duration::from_millis(900);
        let headers = headers(Deprecation::since(date).sunset(at(7))).unwrap();
        assert_eq!(headers["deprecation"], "@7");
        assert_eq!(headers["sunset"], "Thu, 01 Jan 1970 00:00:07 GMT");
    }

    #[test]
    fn dates_that_no_header_can_express_are_errors() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        let (last, late) = (at(YEAR_10000 - 1), at(YEAR_10000));
        for (deprecation, expected) in [
            (Deprecation::since(early), "since"),
            (Deprecation::since(late), "since"),
            (Deprecation::since(at(0)).sunset(early), "sunset"),
            (Deprecation::since(at(0)).sunset(late), "sunset"),
        ] {
            let error = headers(deprecation).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let headers = headers(Deprecation::since(last).sunset(last)).unwrap();
        assert_eq!(headers["sunset"], "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn a_sunset_before_the_deprecation_is_an_error() {
        let error = headers(Deprecation::since(at(10)).sunset(at(9))).unwrap_err();
        assert_eq!(
            error,
            "info endpoint: the deprecation's sunset `Thu, 01 Jan 1970 00:00:09 GMT` cannot be \
             used: it is earlier than the deprecation"
        );
    }

    #[test]
    fn a_url_cannot_end_its_link() {
        let documented = |url: &str| headers(Deprecation::since(at(0)).documentation(url));
        for (url, expected) in [
            ("https://docs.example/a#b", "https://docs.example/a#b"),
            ("https://docs.example", "https://docs.example/"),
            (
                "https://docs.example/>; rel=\"x\"?<\" #<\" >",
                "https://docs.example/%3E;%20rel=%22x%22?%3C%22%20#%3C%22%20%3E",
            ),
            (
                "https://dócs.example/ä\r\n",
                "https://xn--dcs-gna.example/%C3%A4",
            ),
        ] {
            let headers = documented(url).unwrap();
            let links: Vec<_> = headers.get_all("link").iter().collect();
            let expected = format!("<{expected}>; rel=\"deprecation\"");
            assert_eq!(links[1], &*expected, "{url}");
        }
        for url in [
            "",
            "/docs",
            "docs.example",
            "javascript:alert(1)",
            "ftp://docs.example/",
            "https://user:secret@docs.example/",
        ] {
            let error = documented(url).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
