// Examples as child processes, for parts that are written in JavaScript.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

process.setMaxListeners(0); // one for each example

export async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const { port } = server.address();
    await new Promise((closed) => server.close(closed));
    return port;
}

// Starts `program` with these variables alone and these options, and waits until `url` responds with 2xx. The program ends
// with this process.
export async function start(program, variables, url, options = []) {
    const env = { RUST_LOG: 'error', ...variables };
    const child = spawn(program, options, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    process.on('exit', () => child.kill());
    for (let attempt = 0; attempt < 100; attempt += 1) {
        if (await fetch(url).then((response) => response.ok, () => false)) return;
        await new Promise((later) => setTimeout(later, 100));
    }
    throw new Error(`${url} does not respond with 2xx within 10 s`);
}
