import type { OpenApp } from './app-contract.ts';
import { processIo } from './io.ts';
import { main } from './main.ts';

/** Loaded when needed: help and requests to a running instance shall not wait for the runtime. */
const openApp: OpenApp = async (config, options) => (await import('./app.ts')).openApp(config, options);

process.exitCode = await main(process.argv.slice(2), processIo(), openApp);
// Whatever a library still holds open does not keep the process.
setTimeout(() => process.exit(), 250).unref();
