// pairs.js NAME PORT PAIRS THREADS: as pairs.c, by Node's dns.lookup; so many connections at a time, by IPv4 and by IPv6 in
// turns.
'use strict';
const net = require('net');

const [name, port, pairs, threads] = process.argv.slice(2);
const DENIED = ['EACCES', 'EPERM'];
let left = Number(pairs);
let running = Number(threads);
const counts = { ok: 0, refused: 0, other: 0 };

function failed(error) {
  const kind = DENIED.includes(error.code) ? 'refused' : 'other';
  counts[kind]++;
  console.log(kind, kind === 'refused' ? error.address : error.message);
}

function end() {
  if (--running === 0) console.log(`ok ${counts.ok} refused ${counts.refused} other ${counts.other}`);
}

function next() {
  if (left-- <= 0) return end();
  const socket = net.connect({ host: name, port, family: left % 2 ? 4 : 6 });
  socket.once('connect', () => {
    counts.ok++;
    socket.resetAndDestroy();
  });
  socket.on('error', failed);
  return socket.once('close', next);
}

for (let i = Number(threads); i > 0; i--) next();
