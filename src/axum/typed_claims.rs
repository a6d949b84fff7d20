//! Extractor of the claims as a type of the application.

use std::{any::type_name, fmt, ops::Deref, sync::Arc};

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::{
    access::Access,
    axum::{access_of, is_anonymous, rejected},
    error::{auth::AuthError, reason::Reason},
    token::claims::Claims,
};

/// Longest name of a member in a log line, in characters. A longer name is cut.
const MAX_NAME_CHARS: usize = 64;

/// Extractor of the verified claims, deserialized as `T`. The value dereferences to `T`.
///
/// 1. The claims are deserialized once for each request and `T`, however many extractors ask for them.
///    A clone increments one reference count.
/// 2. A token whose claims do not fit `T` is rejected with 403 and the reason `claims_mismatch`. The
///    log line names the type and the member that does not fit, but not its value. With
///    `#[serde(flatten)]` and untagged enums, serde knows only the object around the member.
/// 3. Otherwise it rejects as the extractor of [`Access`] does.
///
/// The status is 403, since the token is valid, and another token of the client would have the same
/// claims: after a 401, the client would replace its token again and again. It is not 500, since a
/// client with an unusual token could then cause errors that look like those of the service.
///
/// As a struct with a derived `Deserialize` ignores other members, `T` names only the claims that the
/// handler needs. A claim that may be absent is an `Option`.
///
/// ```
/// use modeler_auth::axum::TypedClaims;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Employee {
///     department: String,
///     email: Option<String>,
/// }
///
/// async fn department(claims: TypedClaims<Employee>) -> String {
///     claims.department.clone()
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(department));
/// ```
pub struct TypedClaims<T>(Arc<T>);

/// Extension of a request: the claims that an extractor has deserialized, and the access they are from.
/// An inner layer may since have replaced the access.
struct Deserialized<T> {
    access: Access,
    claims: Arc<T>,
}

impl<T: DeserializeOwned + Send + Sync + 'static> TypedClaims<T> {
    fn of(parts: &mut Parts) -> Result<Self, AuthError> {
        let access = access_of(parts)?;
        if let Some(earlier) = parts.extensions.get::<Deserialized<T>>()
            && earlier.access.is(access)
        {
            return Ok(Self(Arc::clone(&earlier.claims)));
        }
        let access = access.clone();
        let claims = match deserialize::<T>(access.claims()) {
            Ok(claims) => Arc::new(claims),
            Err(misfit) => {
                let detail = format!("`{}`: {misfit}", type_name::<T>());
                let error = AuthError::verified(Reason::ClaimsMismatch).with_detail(detail);
                let error = error.of_issuer(access.claims().shared_issuer());
                return Err(rejected(error, parts));
            }
        };
        parts.extensions.insert(Deserialized {
            access,
            claims: Arc::clone(&claims),
        });
        Ok(Self(claims))
    }
}

/// Deserializes the claims, or tells which member does not fit.
fn deserialize<T: DeserializeOwned>(claims: &Claims) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(claims.payload());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = match error.path().to_string() {
            root if root == "." => String::new(),
            path => path,
        };
        misfit(&path, &error.into_inner().to_string())
    })
}

/// Describes the misfit of the member at `path`. The text of serde can contain the value, so only its
/// beginning is used, and the name of an absent member.
fn misfit(path: &str, text: &str) -> String {
    let absent = text.strip_prefix("missing field `");
    let absent = absent.and_then(|rest| rest.split_once('`'));
    match (absent, path) {
        (Some((name, _)), "") => format!("claim {} is missing", shown(name)),
        (Some((name, _)), path) => {
            format!("claim {} is missing", shown(&format!("{path}.{name}")))
        }
        (None, "") => "the claims do not fit".to_owned(),
        (None, path) if text.starts_with("invalid type: ") => {
            format!("claim {} has the wrong JSON type", shown(path))
        }
        (None, path) => format!("claim {} has a value that does not fit", shown(path)),
    }
}

/// Returns the name in quotes, escaped and cut: a map has names from the token.
fn shown(name: &str) -> String {
    let cut: String = name.chars().take(MAX_NAME_CHARS).collect();
    format!("{cut:?}")
}

impl<T> Deref for TypedClaims<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for TypedClaims<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Omits the claims.
impl<T> fmt::Debug for TypedClaims<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedClaims").finish_non_exhaustive()
    }
}

impl<T> Clone for Deserialized<T> {
    fn clone(&self) -> Self {
        Self {
            access: self.access.clone(),
            claims: Arc::clone(&self.claims),
        }
    }
}

impl<S, T> FromRequestParts<S> for TypedClaims<T>
where
    S: Sync,
    T: DeserializeOwned + Send + Sync + 'static,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        Self::of(parts)
    }
}

/// `None` only for a request without an `Authorization` header behind an optional layer, as for
/// `Option<Access>`.
impl<S, T> OptionalFromRequestParts<S> for TypedClaims<T>
where
    S: Sync,
    T: DeserializeOwned + Send + Sync + 'static,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthError> {
        if is_anonymous(parts) {
            return Ok(None);
        }
        Self::of(parts).map(Some)
    }
}
