//! Challenges: `WWW-Authenticate`
//! ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3),
//! [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3),
//! [RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1)).

use std::fmt::Write as _;

use http::HeaderValue;

use crate::{error::auth::AuthErrorKind, reject::Rejection};

/// Returns the challenge of a rejection; `None` if the client's credentials are not its cause.
pub(super) fn challenge(rejection: &Rejection<'_>) -> Option<HeaderValue> {
    let code = match rejection.error().kind() {
        // Without credentials the challenge has no error code (RFC 6750 §3.1).
        AuthErrorKind::MissingToken => {
            let url = rejection.resource_metadata;
            return url.map_or(Some(HeaderValue::from_static("Bearer")), |url| {
                HeaderValue::try_from(format!("Bearer resource_metadata=\"{url}\"")).ok()
            });
        }
        AuthErrorKind::InsufficientAuthentication => "insufficient_user_authentication",
        AuthErrorKind::InvalidRequest => "invalid_request",
        AuthErrorKind::InvalidToken => "invalid_token",
        AuthErrorKind::ClaimsMismatch
        | AuthErrorKind::InsufficientScope
        | AuthErrorKind::NoOrganization => "insufficient_scope",
        AuthErrorKind::LayerMissing | AuthErrorKind::Unavailable => return None,
    };
    let description = rejection.description();
    let mut value = format!("Bearer error=\"{code}\", error_description=\"{description}\"");
    if let Some(needed) = rejection.error().needed_authentication() {
        if !needed.acr_values.is_empty() {
            let acr_values = needed.acr_values.join(" ");
            write!(value, ", acr_values=\"{acr_values}\"").ok()?;
        }
        if let Some(max_age) = needed.max_age {
            write!(value, ", max_age=\"{max_age}\"").ok()?;
        }
    }
    let scope = rejection.error().needed_scope();
    if let Some(scope) = scope.filter(|scope| is_scope(scope)) {
        value.push_str(", scope=\"");
        value.push_str(scope);
        value.push('"');
    }
    // A serialized URL holds no quotation mark and no backslash.
    if let Some(url) = rejection.resource_metadata {
        write!(value, ", resource_metadata=\"{url}\"").ok()?;
    }
    HeaderValue::try_from(value).ok()
}

/// Returns whether `scope` is `scope-token *( SP scope-token )`, with tokens of `%x21 / %x23-5B /
/// %x5D-7E` (RFC 6749 §3.3). Any other scope, which a rule may name, could end its quotes.
fn is_scope(scope: &str) -> bool {
    scope.split(' ').all(is_scope_token)
}

/// Returns whether `token` is a `scope-token`, which also a value of `acr_values` must be: the values
/// are separated by spaces and stand between quotation marks.
pub(crate) fn is_scope_token(token: &str) -> bool {
    let mut bytes = token.bytes();
    !token.is_empty() && bytes.all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{auth::AuthError, reason::Reason};

    fn of(reason: Reason) -> Option<String> {
        let error = AuthError::from(reason);
        let challenge = challenge(&Rejection::new(&error, None, None))?;
        Some(challenge.to_str().unwrap().to_owned())
    }

    #[test]
    fn r4_r7_the_code_says_whose_turn_it_is() {
        assert_eq!(of(Reason::MissingToken).as_deref(), Some("Bearer"));
        for (reason, start) in [
            (
                Reason::SeveralAuthorizations,
                "Bearer error=\"invalid_request\"",
            ),
            (Reason::Expired, "Bearer error=\"invalid_token\""),
            (
                Reason::NoOrganization,
                "Bearer error=\"insufficient_scope\"",
            ),
        ] {
            assert!(of(reason).unwrap().starts_with(start));
        }
        assert_eq!(of(Reason::KeysUnavailable), None);
        assert_eq!(of(Reason::LayerMissing), None);
    }

    #[test]
    fn r8_values_hold_no_quote_and_parameters_come_once() {
        let scope = |scope: &'static str| of(Reason::InsufficientScope(scope.into())).unwrap();
        assert!(scope("create:*").ends_with(", scope=\"create:*\""));
        assert!(scope("a b").ends_with(", scope=\"a b\""));
        for bad in ["a\"b", "a\\b", "", "a  b", " a", "ä", "a\nb"] {
            assert!(!scope(bad).contains("scope=\""), "{bad:?}");
        }
        let value = scope("create:*");
        for name in ["error=", "error_description=", "scope="] {
            assert_eq!(value.matches(name).count(), 1, "{value}");
        }
    }
}
