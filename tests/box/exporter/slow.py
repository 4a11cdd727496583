#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""slow ADDRESS PORT HOW CONNECTIONS [FROM...]: a client that would take all places. Says `ready` when it first had its
connections, and holds as many until its input ends: one that is closed is made again; and `ended` when as many were.

HOW   bytes    a request that never ends, a byte each half second
      silent   nothing
      deaf     a whole request, whose answer it does not read
FROM  addresses of its own to connect from, in turn"""
import select
import socket
import sys

to, how, wanted, sources = (sys.argv[1], int(sys.argv[2])), sys.argv[3], int(sys.argv[4]), sys.argv[5:] or ["127.0.0.1"]
first = {"bytes": b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ", "silent": b"", "deaf": b"GET /metrics HTTP/1.0\r\n\r\n"}[how]


def begin(number):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.bind((sources[number % len(sources)], 0))
    client.settimeout(5)
    try:
        client.connect(to)
        client.sendall(first)
    except OSError:
        client.close()
        return None
    return client


def lives(client, poll):
    """As far as that can be seen without reading."""
    try:
        if how == "bytes":
            client.send(b"x")
    except OSError:
        return False
    return not poll.get(client.fileno(), 0) & (select.POLLHUP | select.POLLERR | select.POLLRDHUP)


def ended(wait):
    return select.select([sys.stdin], [], [], wait)[0]


clients, closed, made, ready = [], 0, 0, False
while True:
    while len(clients) < wanted and not ended(0):  # the server may have gone before us
        made += 1
        client = begin(made)
        if client:
            clients.append(client)
    if not ready:
        print("ready", flush=True)
    ready = True
    if ended(0.5):
        break
    watch = select.poll()
    for each in clients:
        watch.register(each, select.POLLRDHUP)
    events = dict(watch.poll(0))
    before = len(clients)
    clients = [each for each in clients if lives(each, events) or each.close()]
    if closed < wanted <= closed + before - len(clients):
        print("ended", flush=True)
    closed += before - len(clients)
