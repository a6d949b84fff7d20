//! Tokens that are bound to their sender
//! ([RFC 7800](https://www.rfc-editor.org/rfc/rfc7800)).

use std::{fmt, sync::Arc};

use crate::{auth::request_view::RequestView, error::config::ConfigError, token::claims::Claims};

/// Confirms that a request comes from the sender that its token is bound to; see
/// [`Issuer::confirm_with`](crate::Issuer::confirm_with).
///
/// It is asked about every request with such a token, and only after the signature held. Closures
/// implement it:
///
/// ```
/// use modeler_auth::{Claims, issuer::ConfirmError, Issuer, auth::RequestView};
///
/// /// Base64url of the SHA-256 of the client's certificate. The code that accepts TLS connections
/// /// puts it into the extensions of each request.
/// #[derive(Clone)]
/// struct ClientThumbprint(String);
///
/// let issuer = Issuer::oidc("https://login.example.com/")
///     .audience("modeler")
///     .confirm_with("x5t#S256", |claims: &Claims, request: &RequestView<'_>| {
///         let expected = claims.get::<String>(&["cnf", "x5t#S256"]).ok().flatten();
///         match (expected, request.extensions().get::<ClientThumbprint>()) {
///             (Some(expected), Some(found)) if found.0 == expected => Ok(()),
///             _ => Err(ConfirmError::new("another certificate")),
///         }
///     });
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
///
/// A header such as `X-Client-Thumbprint` proves nothing unless a proxy in front writes it, removes
/// what the client sent under that name, and is the only way to the service.
pub trait Confirm: Send + Sync + 'static {
    /// Confirms that `request` comes from the sender that `claims` name.
    ///
    /// # Errors
    /// [`ConfirmError`] if it does not; the request is refused with 401.
    fn confirm(&self, claims: &Claims, request: &RequestView<'_>) -> Result<(), ConfirmError>;
}

impl<F> Confirm for F
where
    F: Fn(&Claims, &RequestView<'_>) -> Result<(), ConfirmError> + Send + Sync + 'static,
{
    fn confirm(&self, claims: &Claims, request: &RequestView<'_>) -> Result<(), ConfirmError> {
        self(claims, request)
    }
}

/// A request does not come from the sender of its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmError(&'static str);

impl ConfirmError {
    /// It does not, because of `problem`, which is logged.
    #[must_use]
    pub const fn new(problem: &'static str) -> Self {
        Self(problem)
    }
}

impl fmt::Display for ConfirmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ConfirmError {}

/// The confirmers of an issuer, by the member of `cnf` that each is for.
#[derive(Clone, Default)]
pub(crate) struct Confirmers(Vec<(String, Arc<dyn Confirm>)>);

impl Confirmers {
    pub(crate) fn add(&mut self, method: String, confirmer: impl Confirm) {
        self.0.push((method, Arc::new(confirmer)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A token that is bound by DPoP must not be taken as a Bearer token
    /// ([RFC 9449 §7.2](https://www.rfc-editor.org/rfc/rfc9449#section-7.2)), and there is no other
    /// way in.
    pub(crate) fn check(&self, issuer: &str) -> Result<(), ConfigError> {
        match self.0.iter().find(|(method, _)| method == "jkt") {
            Some((method, _)) => Err(ConfigError::InvalidConfirmation {
                issuer: issuer.to_owned(),
                value: method.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Every way in which `claims` are bound must be one that is known here, and confirmed.
    pub(crate) fn confirm(
        &self,
        claims: &Claims,
        request: Option<&RequestView<'_>>,
    ) -> Result<(), ConfirmError> {
        let request = request.ok_or(ConfirmError::new("there is no request to confirm it by"))?;
        let methods = claims
            .find("cnf", |value| {
                let mut methods = Vec::new();
                value.object(|member, value| {
                    methods.push(member.name.to_owned());
                    value.skip()
                })?;
                Ok(methods)
            })
            .ok()
            .flatten()
            .filter(|methods| !methods.is_empty())
            .ok_or(ConfirmError::new("`cnf` is no object with members"))?;
        for method in &methods {
            let mut known = self.0.iter().filter(|(name, _)| name == method).peekable();
            if known.peek().is_none() {
                return Err(ConfirmError::new(
                    "`cnf` has a member that nothing here confirms",
                ));
            }
            for (_, confirmer) in known {
                confirmer.confirm(claims, request)?;
            }
        }
        Ok(())
    }
}
