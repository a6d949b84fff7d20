//! `axum-jose`: jsonwebtoken 10 with `aws_lc_rs`, which it demands; cache and limit as in its
//! quickstart. It checks issuer and audience only if a token has them.

use std::{num::NonZero, time::Duration};

use axum::Router;
use axum_jose::{AuthorizationLayer, RemoteJwkSet};
use url::Url;

use crate::issuer::Setup;

pub fn router(setup: &Setup) -> Router {
    let keys = RemoteJwkSet::builder(Url::parse(&setup.keys()).expect("a good URL"))
        .with_cache(Duration::from_mins(5))
        .with_rate_limit(NonZero::new(10).expect("not zero"), Duration::from_mins(1))
        .build();
    let issuer = Url::parse(setup.issuer).expect("a good URL");
    super::open().layer(AuthorizationLayer::with_remote_jwk_set(
        keys,
        issuer,
        setup.audience.to_owned(),
    ))
}
