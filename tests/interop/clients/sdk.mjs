// `@camunda8/sdk` against the example: what each client may do, and which rejections the SDK repeats.

import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import { Camunda8 } from '@camunda8/sdk';
import { freePort, start } from './examples.mjs';

const [, , program] = process.argv;
const REALM = '/auth/realms/camunda-platform';

// Starts the example and returns the port of the service.
async function startService(variables) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/health/liveness`;
    await start(program, { MODELER_ADDR: `127.0.0.1:${port}`, ...variables }, url);
    return port;
}

// A server that passes requests on to a port, and keeps the statuses of the responses.
async function proxy(port, statuses) {
    const server = createServer((incoming, outgoing) => {
        const { method, url, headers } = incoming;
        const passed = httpRequest({ host: '127.0.0.1', port, method, path: url, headers }, (response) => {
            statuses.push(response.statusCode);
            outgoing.writeHead(response.statusCode, response.rawHeaders);
            response.pipe(outgoing);
        });
        incoming.pipe(passed);
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    return server.address().port;
}

const issuerPort = await freePort();
const issuer = `http://localhost:${issuerPort}${REALM}`;
const statuses = [];
const service = await proxy(await startService({ DEV_ISSUER_ADDR: `127.0.0.1:${issuerPort}` }), statuses);

function sdk(base, settings) {
    const common = { CAMUNDA_MODELER_BASE_URL: `http://127.0.0.1:${base}/api`, CAMUNDA_SUPPORT_LOG_ENABLED: false };
    return new Camunda8({ ...common, ...settings }).getModelerApiClient();
}

function client(id, secret = `${id}-secret`) {
    return sdk(service, {
        CAMUNDA_AUTH_STRATEGY: 'OAUTH',
        CAMUNDA_OAUTH_URL: `${issuer}/protocol/openid-connect/token`,
        CAMUNDA_TOKEN_DISK_CACHE_DISABLE: true,
        ZEEBE_CLIENT_ID: id,
        ZEEBE_CLIENT_SECRET: secret,
    });
}

// What each client may do.
const organization = '00000000-0000-0000-0000-000000000000';
for (const [id, may] of [
    ['all', [true, true, true, true]],
    ['writer', [true, true, true, false]],
    ['reader', [false, true, false, false]],
]) {
    const info = await client(id).getInfo();
    const [createPermission, readPermission, updatePermission, deletePermission] = may;
    assert.deepEqual(typeof info === 'string' ? JSON.parse(info) : info, {
        version: 'v1', authorizedOrganization: organization,
        createPermission, readPermission, updatePermission, deletePermission,
    }, id);
}
assert.deepEqual(statuses.splice(0), [200, 200, 200]);

// A client with a wrong secret gets no token, so it sends no request.
await client('writer', 'wrong').getInfo().then(assert.fail, (error) => assert(error instanceof Error));
assert.deepEqual(statuses.splice(0), []);

// 401 is not repeated: a token for the internal API only, and no token.
for (const rejected of [client('internal'), sdk(service, { CAMUNDA_AUTH_STRATEGY: 'NONE' })]) {
    const error = await rejected.getInfo().then(assert.fail, (error) => error);
    assert.equal(error.response?.statusCode ?? error.statusCode, 401);
    assert.deepEqual(statuses.splice(0), [401]);
}

// 503 is repeated: a service whose issuer publishes its keys only after the first response.
const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'reader', client_secret: 'reader-secret' }),
});
const { access_token: token } = await response.json();
const keysPort = await freePort();
const cold = [];
const coldPort = await proxy(await startService({
    SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI: issuer,
    SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI: `http://127.0.0.1:${keysPort}/certs`,
}), cold);
const keys = await (await fetch(`${issuer}/protocol/openid-connect/certs`)).text();
const publish = setInterval(() => {
    if (cold.length === 0) return;
    clearInterval(publish);
    createServer((_, outgoing) => {
        outgoing.setHeader('content-type', 'application/json');
        outgoing.end(keys);
    }).listen(keysPort, '127.0.0.1');
}, 10);
const bearer = { CAMUNDA_AUTH_STRATEGY: 'BEARER', CAMUNDA_OAUTH_TOKEN: token };
const info = await sdk(coldPort, bearer).getInfo();
assert.equal((typeof info === 'string' ? JSON.parse(info) : info).readPermission, true);
assert.equal(cold[0], 503);
assert.equal(cold.at(-1), 200);
assert(cold.length <= 3, String(cold));

console.log(`@camunda8/sdk: 200 as each client may, 401 once, 503 repeated (${cold.join(', ')})`);
process.exit(0);
