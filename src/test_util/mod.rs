//! An issuer in your test process: keys, tokens and, if wanted, an HTTP server on loopback.
//!
//! ```
//! use modeler_auth::{Permission, TokenValidator, test_util::TestIssuer};
//!
//! # tokio_test(async {
//! let issuer = TestIssuer::self_managed();
//! let validator = TokenValidator::builder().issuer(issuer.issuer()).build()?;
//!
//! let token = issuer.token().permissions([Permission::Read]).sign();
//! let access = validator.validate(&token).await?;
//! assert!(access.allows(Permission::Read));
//!
//! let expired = issuer.token().expired().sign();
//! assert_eq!(validator.validate(&expired).await.unwrap_err().reason(), "expired");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # });
//! # fn tokio_test<F: Future<Output = Result<(), Box<dyn std::error::Error>>>>(test: F) {
//! #     tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test).unwrap();
//! # }
//! ```

mod clock;
mod issuer;
mod server;
pub(crate) mod signing_key;
mod token;
mod token_endpoint;

pub use self::{
    clock::TestClock,
    issuer::TestIssuer,
    server::{TestClient, TestServer},
    token::TokenBuilder,
};
