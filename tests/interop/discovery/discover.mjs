// Protected resource metadata, read by the clients `oauth4webapi` and `@modelcontextprotocol/sdk`. Each
// begins with a request without a token, and follows the challenge to the issuer.

import assert from 'node:assert/strict';
import {
    discoverOAuthProtectedResourceMetadata, extractResourceMetadataUrl, extractWWWAuthenticateParams,
} from '@modelcontextprotocol/sdk/client/auth.js';
import * as oauth from 'oauth4webapi';
import { freePort, start } from './examples.mjs';

const [, , folder] = process.argv;
const http = { [oauth.allowInsecureRequests]: true }; // on this machine

const [issuerPort, unused] = [await freePort(), await freePort()];
// The example `web_modeler` starts a development issuer, which also is a plain OpenID provider.
const issuer = `http://localhost:${issuerPort}/oidc`;
await start(`${folder}/web_modeler`, {
    MODELER_ADDR: `127.0.0.1:${unused}`, DEV_ISSUER_ADDR: `127.0.0.1:${issuerPort}`,
}, `${issuer}/.well-known/openid-configuration`);

for (const path of ['', '/shop']) {
    const service = `http://localhost:${await freePort()}`;
    const resource = new URL(`${service}${path}`);
    await start(`${folder}/oidc`, {
        OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'test', OIDC_PUBLIC_URL: resource.href,
        OIDC_ADDR: service.replace('http://localhost', '127.0.0.1'),
    }, `${service}/me`);
    const expected = `${service}/.well-known/oauth-protected-resource${path}`;

    // oauth4webapi
    const rejected = await fetch(`${service}/orders`);
    assert.equal(rejected.status, 401);
    assert.match(rejected.headers.get('www-authenticate'), /^Bearer resource_metadata="[^"]+"$/);
    const found = await oauth.resourceDiscoveryRequest(resource, http);
    assert.equal(found.url, expected);
    const metadata = await oauth.processResourceDiscoveryResponse(resource, found);
    assert.deepEqual(metadata.authorization_servers, [issuer]);
    assert.deepEqual(metadata.scopes_supported, ['orders:read', 'orders:write']);
    assert.deepEqual(metadata.bearer_methods_supported, ['header']);
    const server = new URL(metadata.authorization_servers[0]);
    const discovered = await oauth.processDiscoveryResponse(server, await oauth.discoveryRequest(server, http));
    const client = { client_id: 'reader' };
    const secret = oauth.ClientSecretPost('reader-secret');
    const response = await oauth.clientCredentialsGrantRequest(discovered, client, secret, {}, http);
    const { access_token: token } = await oauth.processClientCredentialsResponse(discovered, client, response);
    const me = await oauth.protectedResourceRequest(token, 'GET', new URL(`${service}/me`), undefined, null, http);
    assert.equal(me.status, 200);
    // A rejection of this client is read, too.
    const denied = oauth.protectedResourceRequest(token, 'POST', new URL(`${service}/orders`), undefined, 'tea', http);
    const error = await denied.then(assert.fail, (error) => error);
    assert(error instanceof oauth.WWWAuthenticateChallengeError);
    const [{ scheme, parameters }] = error.cause;
    assert.equal(scheme, 'bearer');
    assert.equal(parameters.error, 'insufficient_scope');
    assert.equal(parameters.scope, 'orders:write orders:read');
    assert.equal(parameters.resource_metadata, expected);

    // @modelcontextprotocol/sdk
    const challenge = await fetch(`${service}/orders`);
    const url = extractResourceMetadataUrl(challenge);
    assert.equal(url.href, expected);
    assert.equal(extractWWWAuthenticateParams(challenge).resourceMetadataUrl.href, expected);
    for (const options of [{ resourceMetadataUrl: url }, undefined]) {
        const metadata = await discoverOAuthProtectedResourceMetadata(resource, options);
        assert.equal(new URL(metadata.resource).href, resource.href);
        assert.deepEqual(metadata.authorization_servers, [issuer]);
    }
}
console.log('oauth4webapi and @modelcontextprotocol/sdk find the issuer, with and without a path');
process.exit(0);
