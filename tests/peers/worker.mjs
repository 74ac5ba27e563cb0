// A BullMQ worker as somebody writes one who serves Voicera's queues on Node.
//
// Options beside those of peer.mjs: concurrency, lockDuration, work. `work` says what it does with a job:
// { take: ms, progress: [percent...], fail: how many attempts, value: what it returns }.
import { listen, options, connection, require, say } from './peer.mjs';

const { Worker } = require('bullmq');
const { concurrency = 1, lockDuration = 30000, prefix, queue, work = {} } = options;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const worker = new Worker(
  queue,
  async (job) => {
    say({ begun: job.id, name: job.name, attempt: job.attemptsMade + 1, data: job.data });
    for (const percent of work.progress ?? []) await job.updateProgress(percent);
    await pause(work.take ?? 0);
    if (job.attemptsMade < (work.fail ?? 0)) throw new Error(`attempt ${job.attemptsMade + 1} failed on Node`);
    return work.value ?? { heard: job.data.payload };
  },
  { connection: connection(), prefix, concurrency, lockDuration },
);
worker.on('completed', (job) => say({ completed: job.id }));
worker.on('failed', (job, error) => say({ failed: job?.id, reason: error.message }));
worker.on('error', (error) => say({ error: String(error) }));
await worker.waitUntilReady();
say({ ready: true });
listen(() => worker.close());
