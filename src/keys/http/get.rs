//! GET requests with a limit on the size of the response.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::{
    clock::Clock,
    keys::{
        error::KeyFetchErrorKind,
        http::{
            caching,
            client::Clients,
            error::{HttpFailure, no_client},
        },
    },
};

impl Clients {
    /// Sends a GET of `url` with `headers`, and returns the headers and the body of the response, which
    /// has at most `largest` bytes.
    pub(crate) async fn get(
        &self,
        url: &Url,
        largest: usize,
        mut headers: HeaderMap,
        clock: &Clock,
    ) -> Result<(HeaderMap, Bytes), HttpFailure> {
        let value = HeaderValue::from_static;
        // Some servers compress unless the request forbids it (RFC 9110 §12.5.3).
        headers.insert(header::ACCEPT_ENCODING, value("identity"));
        // A cache in between would keep a withdrawn key or permission in use
        // ([RFC 9111 §5.2.1.4](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.4)).
        headers.insert(header::CACHE_CONTROL, value("no-cache"));
        let client = self.of(url).map_err(|error| no_client(&error))?;
        let request = client.get(url.clone()).headers(headers);
        let mut response = request.send().await?;
        match response.status().as_u16() {
            200 => {}
            304 => return Err(HttpFailure::NotModified(response.headers().clone())),
            status => {
                return Err(HttpFailure::Status {
                    status,
                    retry_after: caching::retry_after(response.headers(), clock.system_time()),
                });
            }
        }
        if let Some(encoding) = foreign_encoding(response.headers()) {
            return Err(HttpFailure::Failed(
                KeyFetchErrorKind::Body,
                format!(
                    "the server encodes its response as {encoding:?}, although the request allows only `identity`"
                ),
            ));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len().saturating_add(chunk.len()) > largest {
                return Err(HttpFailure::TooLarge(largest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((std::mem::take(response.headers_mut()), body.freeze()))
    }

    /// Returns a text that names the proxy, if the request to `url` went there and the proxy may have
    /// caused the failure.
    pub(crate) fn proxy_hint(&self, failure: &HttpFailure, url: &Url) -> Option<String> {
        let may_come_from_proxy = failure.may_come_from_proxy(url);
        may_come_from_proxy.then(|| self.proxy_of(url)).flatten()
    }
}

/// Returns the first 40 characters of `Content-Encoding`, if it names an encoding.
fn foreign_encoding(headers: &HeaderMap) -> Option<String> {
    let encoding = headers.get(header::CONTENT_ENCODING)?.as_bytes();
    let is_identity = encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity");
    (!is_identity).then(|| String::from_utf8_lossy(encoding).chars().take(40).collect())
}
