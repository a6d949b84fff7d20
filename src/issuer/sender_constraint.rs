//! Sender constraints: tokens that are bound to their sender
//! ([RFC 7800](https://www.rfc-editor.org/rfc/rfc7800)).

use std::{fmt, sync::Arc};

use crate::{auth::request_view::RequestView, error::config::ConfigError, token::claims::Claims};

/// Check that a request comes from the sender that its token is bound to; see
/// [`Issuer::sender_constraint`](crate::Issuer::sender_constraint).
///
/// The validator runs the check for every request with such a token, after it has verified the
/// signature. For a request that waits it may run the check more than once, so the check must not
/// consume anything, such as a nonce. Closures implement this trait:
///
/// ```
/// use modeler_auth::{Claims, issuer::SenderConstraintError, Issuer, auth::RequestView};
///
/// /// Base64url of the SHA-256 of the client's certificate. The code that accepts TLS connections
/// /// puts it into the extensions of each request.
/// #[derive(Clone)]
/// struct ClientThumbprint(String);
///
/// let issuer = Issuer::oidc("https://login.example.com/")
///     .audience("modeler")
///     .sender_constraint("x5t#S256", |claims: &Claims, request: &RequestView<'_>| {
///         let expected = claims.get::<String>(&["cnf", "x5t#S256"]).ok().flatten();
///         match (expected, request.extensions().get::<ClientThumbprint>()) {
///             (Some(expected), Some(found)) if found.0 == expected => Ok(()),
///             _ => Err(SenderConstraintError::new("another certificate")),
///         }
///     });
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
///
/// A header such as `X-Client-Thumbprint` proves the sender only behind a proxy that writes it and
/// removes the client's header of that name. The proxy must be the only way to the service.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not check that a token comes from its owner",
    note = "implement `SenderConstraint` for the type"
)]
pub trait SenderConstraint: Send + Sync + 'static {
    /// Verifies that `request` comes from the sender that `claims` name.
    ///
    /// # Errors
    /// [`SenderConstraintError`] if it does not; the request is rejected with 401.
    fn verify(
        &self,
        claims: &Claims,
        request: &RequestView<'_>,
    ) -> Result<(), SenderConstraintError>;
}

impl<F> SenderConstraint for F
where
    F: Fn(&Claims, &RequestView<'_>) -> Result<(), SenderConstraintError> + Send + Sync + 'static,
{
    fn verify(
        &self,
        claims: &Claims,
        request: &RequestView<'_>,
    ) -> Result<(), SenderConstraintError> {
        self(claims, request)
    }
}

impl<C: SenderConstraint + ?Sized> SenderConstraint for Arc<C> {
    fn verify(
        &self,
        claims: &Claims,
        request: &RequestView<'_>,
    ) -> Result<(), SenderConstraintError> {
        (**self).verify(claims, request)
    }
}

/// Error of a sender constraint: the request does not come from the sender of its token.
///
/// ```
/// use modeler_auth::issuer::SenderConstraintError;
///
/// let error = SenderConstraintError::new("another certificate");
/// assert!(error.to_string().contains("another certificate"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderConstraintError(&'static str);

impl SenderConstraintError {
    /// Creates an error because of `problem`, which is logged.
    #[must_use]
    pub const fn new(problem: &'static str) -> Self {
        Self(problem)
    }
}

impl fmt::Display for SenderConstraintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for SenderConstraintError {}

/// Sender constraints of an issuer, each with its member of `cnf`.
#[derive(Clone, Default)]
pub(crate) struct SenderConstraints(Vec<(String, Arc<dyn SenderConstraint>)>);

impl SenderConstraints {
    pub(crate) fn add(&mut self, method: String, constraint: impl SenderConstraint) {
        self.0.push((method, Arc::new(constraint)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that no constraint is for DPoP.
    ///
    /// A token bound by DPoP must not be accepted as a Bearer token
    /// ([RFC 9449 §7.2](https://www.rfc-editor.org/rfc/rfc9449#section-7.2)), and this crate
    /// accepts no other kind of token.
    pub(crate) fn check(&self, issuer: &str) -> Result<(), ConfigError> {
        match self.0.iter().find(|(method, _)| method == "jkt") {
            Some((method, _)) => Err(ConfigError::InvalidSenderConstraint {
                issuer: issuer.to_owned(),
                value: method.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Verifies every member of `cnf`: each must have a constraint that confirms the request.
    pub(crate) fn verify(
        &self,
        claims: &Claims,
        request: Option<&RequestView<'_>>,
    ) -> Result<(), SenderConstraintError> {
        let request = request.ok_or(SenderConstraintError::new(
            "the token was validated without its request, which `cnf` needs",
        ))?;
        let methods = claims
            .read("cnf", |value| {
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
            .ok_or(SenderConstraintError::new(
                "`cnf` is not an object with at least one member",
            ))?;
        for method in &methods {
            let mut known = self.0.iter().filter(|(name, _)| name == method).peekable();
            if known.peek().is_none() {
                return Err(SenderConstraintError::new(
                    "`cnf` has a member without a configured sender constraint",
                ));
            }
            for (_, constraint) in known {
                constraint.verify(claims, request)?;
            }
        }
        Ok(())
    }
}
