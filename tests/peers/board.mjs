// Bull Board on a queue. Options beside those of peer.mjs: queues, their names.
import { listen, options, connection, require, say } from './peer.mjs';

const express = require('express');
const { Queue } = require('bullmq');
const { createBullBoard } = require('@bull-board/api');
const { BullMQAdapter } = require('@bull-board/api/bullMQAdapter');
const { ExpressAdapter } = require('@bull-board/express');

const { prefix, queues } = options;
const serverAdapter = new ExpressAdapter();
createBullBoard({
  queues: queues.map((name) => new BullMQAdapter(new Queue(name, { connection: connection(), prefix }))),
  serverAdapter,
});
const app = express();
app.use('/', serverAdapter.getRouter());
const server = app.listen(0, '127.0.0.1', () => say({ listening: server.address().port }));
listen(() => {});
