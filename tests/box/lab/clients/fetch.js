// fetch.js MODE URL: print what URL answers. Every connection of Node.js is a non-blocking one; what differs is
// the resolver. MODE: blocking (the C library's, in a thread) or nonblocking (c-ares).
'use strict';
const dns = require('dns');
const http = require('http');

const TIMEOUT = 5000;

function fail(error) {
  const first = error.errors ? error.errors[0] : error; // every address tried, each with an error of its own
  console.error(`error: ${first.code || first.message}`);
  process.exit(1);
}

function resolve(host, options, done) {
  dns.resolve6(host, (_, six = []) => {
    dns.resolve4(host, (error, four = []) => {
      const all = six.map((address) => ({ address, family: 6 })).concat(four.map((address) => ({ address, family: 4 })));
      if (all.length === 0) return done(error || new Error('no address'));
      return options.all ? done(null, all) : done(null, all[0].address, all[0].family);
    });
  });
}

const [mode, url] = process.argv.slice(2);
setTimeout(() => fail(new Error('timed out')), TIMEOUT).unref();
http.get(url, mode === 'nonblocking' ? { lookup: resolve } : {}, (answer) => {
  answer.on('error', fail);
  answer.pipe(process.stdout);
}).on('error', fail);
