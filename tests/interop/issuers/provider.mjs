// Tokens and key rotations of `oidc-provider`: each algorithm and type of token, and traffic while the
// keys rotate, with and without a time in which both keys are published.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { freePort, start } from './examples.mjs';

const [, , program] = process.argv;
const AUDIENCE = 'https://orders.example/';

let keyNumber = 0;
async function key(alg) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    keyNumber += 1;
    return { ...await exportJWK(privateKey), alg, use: 'sig', kid: `key-${keyNumber}` };
}

// A provider on one port, whose keys are replaced while it runs.
class Issuer {
    async start() {
        const server = createServer((request, response) => this.handle(request, response));
        server.listen(0, '127.0.0.1');
        await new Promise((listening) => server.once('listening', listening));
        this.url = `http://localhost:${server.address().port}`;
    }

    // The first key of an algorithm signs.
    use(keys, alg, typ) {
        const provider = new Provider(this.url, {
            jwks: { keys },
            clients: [{
                client_id: 'batch', client_secret: 'batch-secret', redirect_uris: [], response_types: [],
                grant_types: ['client_credentials'], id_token_signed_response_alg: alg,
            }],
            enabledJWA: { idTokenSigningAlgValues: [alg] },
            ttl: { ClientCredentials: 300 },
            features: {
                devInteractions: { enabled: false },
                clientCredentials: { enabled: true },
                resourceIndicators: {
                    enabled: true,
                    defaultResource: () => AUDIENCE,
                    getResourceServerInfo: () => ({
                        scope: 'orders:read orders:write', audience: AUDIENCE, accessTokenTTL: 300,
                        accessTokenFormat: 'jwt', jwt: { sign: { alg } },
                    }),
                },
            },
            formats: {
                customizers: {
                    jwt: (_, __, jwt) => { if (typ) jwt.header = { ...jwt.header, typ }; },
                },
            },
        });
        this.handle = provider.callback();
    }

    async token(scope = 'orders:read') {
        const response = await fetch(`${this.url}/token`, {
            method: 'POST',
            headers: { authorization: `Basic ${btoa('batch:batch-secret')}` },
            body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource: AUDIENCE }),
        });
        const body = await response.json();
        assert.equal(response.status, 200, JSON.stringify(body));
        return body.access_token;
    }
}

// Starts a service that trusts the issuer, and returns a function that sends requests to it.
async function service(issuer) {
    const address = `127.0.0.1:${await freePort()}`;
    const variables = { OIDC_ISSUER: issuer.url, OIDC_AUDIENCE: AUDIENCE, OIDC_ADDR: address };
    await start(program, variables, `http://${address}/me`);
    return async (token, method = 'GET') => {
        const headers = { authorization: `Bearer ${token}` };
        return (await fetch(`http://${address}/orders`, { method, headers })).status;
    };
}

const header = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));

const issuer = new Issuer();
await issuer.start();

// Each algorithm and type.
const kinds = [];
for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    for (const typ of [undefined, 'JWT']) {
        issuer.use([await key(alg)], alg, typ);
        const ask = await service(issuer);
        const token = await issuer.token();
        assert.equal(header(token).alg, alg);
        assert.equal(header(token).typ, typ ?? 'at+jwt');
        assert.equal(await ask(token), 200, alg);
        assert.equal(await ask(token, 'POST'), 403, alg);
        assert.equal(await ask(`${token.slice(0, -8)}AAAAAAAA`), 401, alg);
        kinds.push(`${alg} ${header(token).typ}`);
    }
}

// Sends requests with new tokens until `rotate` has ended, and counts the statuses.
async function traffic(ask, rotate) {
    const counts = {};
    let running = true;
    const clients = Array.from({ length: 8 }, async () => {
        while (running) {
            const status = await ask(await issuer.token());
            counts[status] = (counts[status] ?? 0) + 1;
        }
    });
    const pause = () => new Promise((later) => setTimeout(later, 700));
    await pause();
    await rotate(pause);
    await pause();
    running = false;
    await Promise.all(clients);
    return counts;
}

const [first, second, third] = [await key('ES256'), await key('ES256'), await key('ES256')];
issuer.use([first], 'ES256');
const overlap = await traffic(await service(issuer), async (pause) => {
    issuer.use([first, second], 'ES256'); // published
    await pause();
    issuer.use([second, first], 'ES256'); // in use
    await pause();
    issuer.use([second], 'ES256'); // the first one is withdrawn
});
assert.deepEqual(Object.keys(overlap), ['200'], JSON.stringify(overlap));

// New tokens are accepted at once. A token of the old key that is checked after the fetch of the new key
// set is rejected, and rightly so: its key is withdrawn. A client that gets a new token just before the
// rotation may send such a token.
issuer.use([second], 'ES256');
const ask = await service(issuer);
assert.equal(await ask(await issuer.token()), 200);
issuer.use([third], 'ES256');
const replaced = await traffic(ask, async () => {});
assert.deepEqual(Object.keys(replaced), ['200'], JSON.stringify(replaced));

console.log(`oidc-provider: ${kinds.join(', ')}; rotation with overlap ${overlap[200]} of ${overlap[200]} `
    + `requests, without ${replaced[200]} of ${replaced[200]}`);
process.exit(0);
