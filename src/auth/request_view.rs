//! View of a request for rules and sender constraints.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, Version};

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

    /// Returns whether the request is a gRPC call: `POST` over HTTP/2 with content type
    /// `application/grpc`, alone or followed by `+` or `;`
    /// ([gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)).
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        const GRPC: &[u8] = b"application/grpc";
        if self.version != Version::HTTP_2 || self.method != Method::POST {
            return false;
        }
        let content_type = self.headers.get(http::header::CONTENT_TYPE);
        content_type
            .and_then(|value| value.as_bytes().split_at_checked(GRPC.len()))
            .is_some_and(|(kind, rest)| {
                kind.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';'))
            })
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

    fn is_grpc(version: Version, method: Method, content_type: &str) -> bool {
        let request = Request::builder()
            .version(version)
            .method(method)
            .header("content-type", content_type)
            .body(())
            .unwrap();
        RequestView::of(&request).is_grpc()
    }

    #[test]
    fn a_grpc_call_is_a_post_over_http_2_with_its_content_type() {
        for kind in [
            "application/grpc",
            "application/grpc+proto",
            "Application/gRPC;x=y",
        ] {
            assert!(is_grpc(Version::HTTP_2, Method::POST, kind), "{kind}");
            assert!(!is_grpc(Version::HTTP_11, Method::POST, kind), "{kind}");
            assert!(!is_grpc(Version::HTTP_2, Method::GET, kind), "{kind}");
        }
        for kind in [
            "",
            "application/json",
            "application/grpc-web",
            "application/grpcx",
            "text/application/grpc",
        ] {
            assert!(!is_grpc(Version::HTTP_2, Method::POST, kind), "{kind}");
        }
    }
}
