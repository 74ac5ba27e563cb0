// Adds jobs and hears of them, as a Node service does that hands work to Voicera.
//
// Lines: { add: { name, data, opts } }, { state: id }, { counts: true }. What it hears of goes out as
// { progress, percent }, { completed, value } and { failed, reason }.
import { listen, options, connection, require, say } from './peer.mjs';

const { Queue, QueueEvents } = require('bullmq');
const { prefix, queue: name } = options;
const queue = new Queue(name, { connection: connection(), prefix });
const events = new QueueEvents(name, { connection: connection(), prefix });

events.on('progress', ({ jobId, data }) => say({ progress: jobId, percent: data }));
events.on('completed', ({ jobId, returnvalue }) => say({ completed: jobId, value: returnvalue }));
events.on('failed', ({ jobId, failedReason }) => say({ failed: jobId, reason: failedReason }));
await events.waitUntilReady();
await queue.waitUntilReady();
say({ ready: true });

listen(async ({ add, state, counts }) => {
  if (add) {
    const job = await queue.add(add.name, add.data, add.opts);
    say({ added: job.id });
  } else if (state) {
    const job = await queue.getJob(state);
    say({ state: job ? await job.getState() : null, job: job?.toJSON() ?? null });
  } else if (counts) {
    say({ counts: await queue.getJobCounts() });
  }
});
