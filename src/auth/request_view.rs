//! View of a request for rules and sender constraints.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, Version, header};

/// Media type of gRPC over HTTP/2.
pub(crate) const GRPC: &str = "application/grpc";

const GRPC_MEDIA_TYPES: [&str; 3] = [GRPC, "application/grpc-web", "application/grpc-web-text"];

/// Request without its body.
#[derive(Clone, Copy)]
pub struct RequestView<'r> {
    method: &'r Method,
    uri: &'r Uri,
    version: Version,
    headers: &'r HeaderMap,
    extensions: &'r Extensions,
}

impl<'r> RequestView<'r> {
    /// Returns a view of `request`.
    pub fn of<B>(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    pub(crate) fn of_parts(parts: &'r http::request::Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &'r Method {
        self.method
    }

    /// Returns the path of [`uri`](Self::uri); for gRPC `/package.Service/Method`.
    #[must_use]
    pub fn path(&self) -> &'r str {
        self.uri().path()
    }

    /// Returns the URI that the client sent.
    ///
    /// `Router::nest` and `nest_service` of axum remove a prefix of the path before the request
    /// reaches inner layers. With the feature `axum`, this is the URI with that prefix. Without the
    /// feature, and for any other service that changes the URI, it is the changed URI: a rule about
    /// paths must then be outside that service.
    #[must_use]
    pub fn uri(&self) -> &'r Uri {
        #[cfg(feature = "axum")]
        if let Some(original) = crate::axum::original_uri(self.extensions) {
            return original;
        }
        self.uri
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Returns the headers, including the one that carries the token.
    #[must_use]
    pub fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    /// Returns the extensions: values that the server and outer layers attached to the request. A
    /// client cannot write them.
    #[must_use]
    pub fn extensions(&self) -> &'r Extensions {
        self.extensions
    }

    /// Returns whether the request is a gRPC call: a `POST` with one of these content types, alone or
    /// followed by `+` or `;`.
    ///
    /// | content type | HTTP |
    /// |---|---|
    /// | `application/grpc` ([gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)) | HTTP/2 |
    /// | `application/grpc-web`, `application/grpc-web-text` ([gRPC-Web](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md)) | any version |
    ///
    /// ```
    /// use http::Request;
    /// use modeler_auth::auth::RequestView;
    ///
    /// let request = Request::post("/modeler.v1.Projects/GetProject")
    ///     .header("content-type", "application/grpc-web+proto")
    ///     .body(())?;
    /// assert!(RequestView::of(&request).is_grpc());
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        self.grpc_media_type().is_some()
    }

    /// Returns the media type of a gRPC call, without the format of its messages.
    pub(crate) fn grpc_media_type(&self) -> Option<&'static str> {
        if self.method != Method::POST {
            return None;
        }
        let content_type = self.headers.get(header::CONTENT_TYPE)?.as_bytes();
        let is = |media_type: &str| {
            content_type
                .split_at_checked(media_type.len())
                .is_some_and(|(start, rest)| {
                    start.eq_ignore_ascii_case(media_type.as_bytes())
                        && matches!(rest.first(), None | Some(b'+' | b';'))
                })
        };
        let media_type = GRPC_MEDIA_TYPES.into_iter().find(|kind| is(kind))?;
        (media_type != GRPC || self.version == Version::HTTP_2).then_some(media_type)
    }
}

impl fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestView")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media_type(version: Version, method: Method, content_type: &str) -> Option<&'static str> {
        let request = Request::builder()
            .version(version)
            .method(method)
            .header("content-type", content_type)
            .body(())
            .unwrap();
        RequestView::of(&request).grpc_media_type()
    }

    #[test]
    fn a_grpc_call_is_a_post_over_http_2_with_its_content_type() {
        for kind in [
            "application/grpc",
            "application/grpc+proto",
            "Application/gRPC;x=y",
        ] {
            let found = media_type(Version::HTTP_2, Method::POST, kind);
            assert_eq!(found, Some("application/grpc"), "{kind}");
            for (version, method) in [
                (Version::HTTP_10, Method::POST),
                (Version::HTTP_11, Method::POST),
                (Version::HTTP_2, Method::GET),
            ] {
                assert_eq!(media_type(version, method, kind), None, "{kind}");
            }
        }
    }

    #[test]
    fn a_grpc_web_call_is_a_post_over_any_version_with_its_content_type() {
        for (kind, expected) in [
            ("application/grpc-web", "application/grpc-web"),
            ("application/grpc-web+proto", "application/grpc-web"),
            ("Application/gRPC-Web;x=y", "application/grpc-web"),
            ("application/grpc-web-text", "application/grpc-web-text"),
            (
                "application/grpc-web-text+proto",
                "application/grpc-web-text",
            ),
            ("application/grpc-web-text;a", "application/grpc-web-text"),
        ] {
            for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
                let found = media_type(version, Method::POST, kind);
                assert_eq!(found, Some(expected), "{kind} {version:?}");
                assert_eq!(media_type(version, Method::GET, kind), None, "{kind}");
            }
        }
    }

    #[test]
    fn other_content_types_are_no_grpc_call() {
        for kind in [
            "",
            "application/json",
            "application/grpcx",
            "application/grpc-",
            "application/grpc-webx",
            "application/grpc-web-texts",
            "application/grpc web",
            "text/application/grpc",
        ] {
            for version in [Version::HTTP_11, Version::HTTP_2] {
                assert_eq!(media_type(version, Method::POST, kind), None, "{kind}");
            }
        }
        let request = Request::post("/")
            .version(Version::HTTP_2)
            .body(())
            .unwrap();
        assert!(!RequestView::of(&request).is_grpc());
    }
}
