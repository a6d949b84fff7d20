// Tokens of Glewlwyd, an OpenID provider in C, that are signed by PS256 and by ES384.
//
// The audience of its tokens is the resource that the client requests (RFC 8707). Without a resource, it is
// the list of scopes.

import assert from 'node:assert/strict';
import { exportJWK, generateKeyPair } from 'jose';
import { freePort, start } from './examples.mjs';

const [, , program, database] = process.argv;
const ALGORITHMS = ['PS256', 'ES384'];
const AUDIENCE = 'https://orders.example/';
const OTHER_AUDIENCE = 'https://stock.example/';
const MODULES = '/usr/lib/glewlwyd';

const port = await freePort();
const url = `http://localhost:${port}`;
await start('glewlwyd', {
    GLWD_BIND_ADDRESS: '127.0.0.1',
    GLWD_PORT: port,
    GLWD_EXTERNAL_URL: url,
    GLWD_API_PREFIX: 'api',
    GLWD_LOGIN_URL: 'login.html',
    GLWD_COOKIE_SECURE: 0, // cookies over http
    GLWD_DATABASE_TYPE: 'sqlite3',
    GLWD_DATABASE_SQLITE3_PATH: database,
    GLWD_HASH_ALGORITHM: 'SHA512',
    GLWD_LOG_MODE: 'console',
    GLWD_LOG_LEVEL: 'ERROR',
    GLWD_AUTH_SCHEME_MODULE_PATH: `${MODULES}/scheme`,
    GLWD_CLIENT_MODULE_PATH: `${MODULES}/client`,
    GLWD_PLUGIN_MODULE_PATH: `${MODULES}/plugin`,
    GLWD_USER_MODULE_PATH: `${MODULES}/user`,
}, `${url}/config`, ['--env-variables']);

async function post(path, value, headers = {}) {
    const response = await fetch(`${url}/api/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(value),
    });
    assert.equal(response.status, 200, `${path}: ${await response.text()}`);
    return response;
}

// The administrator of a new database.
const session = await post('auth/', { username: 'admin', password: 'password' });
const cookie = session.headers.getSetCookie().map((field) => field.split(';')[0]).join('; ');
const add = (path, value) => post(path, value, { cookie });

await add('scope/', { name: 'orders:read', display_name: 'orders:read', password_required: false });
await add('client/', {
    client_id: 'batch', client_secret: 'batch-secret', confidential: true, enabled: true,
    authorization_type: ['client_credentials'], token_endpoint_auth_method: ['client_secret_basic'],
    scope: ['orders:read'], resource: [AUDIENCE, OTHER_AUDIENCE],
});

// Adds an issuer whose tokens are signed by `alg`, and returns its URL.
async function addIssuer(alg) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const key = { ...await exportJWK(privateKey), alg, use: 'sig', kid: `${alg}-key` };
    const iss = `${url}/api/${alg}`;
    await add('mod/plugin/', {
        module: 'oidc', name: alg, display_name: alg,
        parameters: {
            iss,
            'jwks-private': JSON.stringify({ keys: [key] }),
            'jwks-show': true,
            'access-token-duration': 300,
            'refresh-token-duration': 300,
            'code-duration': 60,
            'refresh-token-rolling': false,
            'allow-non-oidc': true, // tokens without the scope `openid`
            'auth-type-client-enabled': true,
            'auth-type-code-enabled': false,
            'auth-type-refresh-enabled': false,
            'auth-type-token-enabled': false,
            'resource-allowed': true,
            'resource-client-property': 'resource',
            'resource-scope': {},
            'resource-scope-and-client-property': false,
        },
    });
    return iss;
}

async function token(issuer, resource = {}) {
    const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa('batch:batch-secret')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders:read', ...resource }),
    });
    const body = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    return body.access_token;
}

// Starts a service that trusts the issuer, and returns a function that sends requests to it.
async function service(issuer) {
    const address = `127.0.0.1:${await freePort()}`;
    const variables = { OIDC_ISSUER: issuer, OIDC_AUDIENCE: AUDIENCE, OIDC_ADDR: address };
    await start(program, variables, `http://${address}/me`);
    return async (sent, method = 'GET') => {
        const headers = { authorization: `Bearer ${sent}` };
        return (await fetch(`http://${address}/orders`, { method, headers })).status;
    };
}

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

const issuers = [];
for (const alg of ALGORITHMS) {
    const issuer = await addIssuer(alg);
    issuers.push({ issuer, ask: await service(issuer) });
}
for (const [index, { issuer, ask }] of issuers.entries()) {
    const sent = await token(issuer, { resource: AUDIENCE });
    const [header, payload, signature] = sent.split('.');
    assert.deepEqual(decode(header), { typ: 'at+jwt', alg: ALGORITHMS[index], kid: `${ALGORITHMS[index]}-key` });
    assert.equal(decode(payload).aud, AUDIENCE);
    assert.equal(await ask(sent), 200, issuer);
    assert.equal(await ask(sent, 'POST'), 403, issuer);

    const rejected = {
        'another audience': await token(issuer, { resource: OTHER_AUDIENCE }),
        'the list of scopes as audience': await token(issuer),
        'another scope': [header, encode({ ...decode(payload), scope: 'orders:read orders:write' }), signature].join('.'),
        'another signature': `${sent.slice(0, -8)}AAAAAAAA`,
        'another issuer': await token(issuers[1 - index].issuer, { resource: AUDIENCE }),
    };
    for (const [reason, changed] of Object.entries(rejected)) {
        assert.equal(await ask(changed), 401, `${issuer}: ${reason}`);
    }
}

console.log(`Glewlwyd: ${ALGORITHMS.join(' and ')} accepted; other audiences, issuers, claims and signatures rejected`);
process.exit(0);
