// What every peer needs: its packages, its server, and a conversation in lines of JSON.
//
// The packages lie in the working directory, where scripts/test puts them, not beside these files.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

export const require = createRequire(`${process.cwd()}/`);
const { Redis } = require('ioredis');

/** What the test wants, as JSON in the first argument: { port, prefix, queue, ... }. */
export const options = JSON.parse(process.argv[2] ?? '{}');

/** A connection to the test's Redis. */
export const connection = () => new Redis({ host: '127.0.0.1', port: options.port, maxRetriesPerRequest: null });

export const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Does what each line of the standard input says, and ends with it. */
export const listen = (obey) => {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    Promise.resolve(obey(JSON.parse(line))).catch((error) => say({ error: String(error) }));
  });
  lines.on('close', () => process.exit(0));
};
