// Swagger UI of the example in a real browser: each operation without a token, with one of a client
// that may do everything, and with one of a client that may only read.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { freePort, start } from './examples.mjs';

const [, , program] = process.argv;

const [port, issuerPort] = [await freePort(), await freePort()];
const service = `http://127.0.0.1:${port}`;
async function token(client) {
    const realm = `http://127.0.0.1:${issuerPort}/auth/realms/camunda-platform`;
    const response = await fetch(`${realm}/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams({
            grant_type: 'client_credentials', client_id: client, client_secret: `${client}-secret`,
        }),
    });
    return (await response.json()).access_token;
}

const addresses = { MODELER_ADDR: `127.0.0.1:${port}`, DEV_ISSUER_ADDR: `127.0.0.1:${issuerPort}` };
await start(program, addresses, `${service}/ready`);
const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
        '--disable-background-networking', '--disable-component-update',
    ],
});
const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });

// What is not from the service, and what the console reports. A response of 4xx is reported there as
// well: those of the API are expected, and counted below.
const foreign = [];
const errors = [];
page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${service}/`) && !url.startsWith('data:')) foreign.push(url);
});
page.on('pageerror', (error) => errors.push(String(error)));
page.on('console', (message) => {
    const { url } = message.location();
    const isExpected = message.text().startsWith('Failed to load resource') && url.includes('/api/v');
    if (message.type() === 'error' && !isExpected) errors.push(message.text());
});

// Runs one operation and returns the status and the body that the page shows.
async function execute(operation, fill = {}) {
    const block = page.locator(`#operations-${operation}`);
    if (await block.locator('.execute').count() === 0) {
        await block.locator('.opblock-summary-control').click();
        await block.locator('.try-out__btn').click();
    }
    for (const [place, text] of Object.entries(fill)) await block.locator(place).fill(text);
    const answered = page.waitForResponse((response) => response.url().includes('/api/v'));
    await block.locator('.execute').click();
    const status = (await answered).status();
    const shown = block.locator('.live-responses-table .response');
    await shown.locator('.response-col_status').filter({ hasText: String(status) }).waitFor();
    const headers = await block.locator('.live-responses-table').innerText();
    return { status, shown: headers };
}

async function authorize(value) {
    await page.locator('.auth-wrapper .authorize').first().click();
    const dialog = page.locator('.dialog-ux');
    const logout = dialog.getByRole('button', { name: 'Remove authorization' });
    if (await logout.count() > 0) await logout.click();
    await dialog.locator('input').fill(value);
    await dialog.getByRole('button', { name: 'Apply credentials' }).click();
    await dialog.getByRole('button', { name: 'Close' }).click();
}

const NAME = '.body-param textarea';
const ID = '.parameters input';

await page.goto(`${service}/`);
await page.locator('#operations-Info-getInfo').waitFor();
assert.equal(page.url(), `${service}/swagger-ui/`, '/ leads to Swagger UI');

const without = await execute('Info-getInfo');
assert.equal(without.status, 401);
assert.match(without.shown, /www-authenticate: Bearer/);
assert.match(without.shown, /No valid token|Unauthorized/);

await authorize(await token('all'));
const info = await execute('Info-getInfo');
assert.equal(info.status, 200);
assert.match(info.shown, /"deletePermission": true/);
if (process.env.SCREENSHOT) {
    // Without the token, and without the documented responses below the received one.
    const hidden = '.curl-command, .responses-table:not(.live-responses-table), .responses-inner h4';
    await page.locator('#operations-Info-getInfo').screenshot({
        path: process.env.SCREENSHOT,
        style: `${hidden} { display: none }`,
    });
}
const created = await execute('Projects-create', { [NAME]: '{"name":"Claims handling"}' });
assert.equal(created.status, 200);
const [, id] = created.shown.match(/"id": "([0-9a-f-]{36})"/);

await authorize(await token('reader'));
assert.equal((await execute('Projects-read', { [ID]: id })).status, 200);
for (const [operation, fill] of [
    ['Projects-create', { [NAME]: '{"name":"Claims handling"}' }],
    ['Projects-rename', { [ID]: id, [NAME]: '{"name":"Renamed"}' }],
    ['Projects-delete', { [ID]: id }],
]) {
    const refused = await execute(operation, fill);
    assert.equal(refused.status, 403, operation);
    assert.match(refused.shown, /insufficient_scope/, operation);
}

await browser.close();
assert.deepEqual(foreign, [], 'all requests stay at the service');
assert.deepEqual(errors, [], 'no errors in the console');
console.log('Swagger UI: 401 without a token, 200 with one, 403 for a client that may only read');
process.exit(0);
