//! Provider that lets one process use two backends of `jsonwebtoken`.
//!
//! `jsonwebtoken` takes its backend from its features if exactly one is on, else from a provider
//! that is installed for the whole process. In this package both are on, since one peer insists on
//! the one and another peer on the other. The provider installed here hands every check on to
//! `jsonwebtoken`'s own provider of the backend that was chosen last; that costs an atomic load.

use std::sync::atomic::{AtomicBool, Ordering};

/// Where a contender's signature checks are done.
#[derive(Clone, Copy, PartialEq)]
pub enum Backend {
    AwsLcRs,
    /// The contender brings one backend and cannot be given another.
    Fixed,
    /// The contender checks nothing.
    None,
    RustCrypto,
}

static RUST_CRYPTO: AtomicBool = AtomicBool::new(false);

/// Decides who does the checks of `jsonwebtoken` 10 and 11 from now on.
pub fn choose(backend: Backend) {
    RUST_CRYPTO.store(backend == Backend::RustCrypto, Ordering::Relaxed);
}

macro_rules! install {
    ($jsonwebtoken:ident) => {{
        use $jsonwebtoken::crypto::{CryptoProvider, aws_lc, rust_crypto};

        let provider = CryptoProvider {
            verifier_factory: |algorithm, key| {
                let chosen = if RUST_CRYPTO.load(Ordering::Relaxed) {
                    &rust_crypto::DEFAULT_PROVIDER
                } else {
                    &aws_lc::DEFAULT_PROVIDER
                };
                (chosen.verifier_factory)(algorithm, key)
            },
            ..aws_lc::DEFAULT_PROVIDER.clone()
        };
        let installed = Box::leak(Box::new(provider)).install_default();
        installed.expect("it is installed once");
    }};
}

pub fn install() {
    install!(jsonwebtoken_10);
    install!(jsonwebtoken_11);
}
