// BullMQ on Node as a producer and as a worker of a trivial job, for `cargo bench --bench bullmq`.
//
// Lines: { add: how many, at_once }, { complete: how many, at_once }. Answers with the time that it took and
// the processor time of this process, in milliseconds.
import { randomUUID } from 'node:crypto';
import { listen, options, connection, require, say } from './peer.mjs';

const { Queue, Worker } = require('bullmq');
const { prefix, queue: name, data } = options;
const queue = new Queue(name, { connection: connection(), prefix });
await queue.waitUntilReady();
say({ ready: true });

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const add = async (count, atOnce) => {
  let left = count;
  const producer = async () => {
    while (left-- > 0) {
      await queue.add('bench', data, { jobId: randomUUID(), attempts: 5, removeOnComplete: true });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, producer));
};

const complete = async (count, atOnce) => {
  let done = 0;
  let finish;
  const finished = new Promise((resolve) => { finish = resolve; });
  const worker = new Worker(name, async () => {}, { connection: connection(), prefix, concurrency: atOnce });
  worker.on('completed', () => { if (++done === count) finish(); });
  await finished;
  return worker;
};

listen(async ({ add: adding, complete: completing, at_once: atOnce }) => {
  const [begun, busy] = [performance.now(), cpu()];
  const worker = adding ? await add(adding, atOnce) : await complete(completing, atOnce);
  say({ took: performance.now() - begun, cpu: cpu() - busy });
  await worker?.close();
});
