#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
A tenant's programs while another build takes over. On the far side `upgrade_probe.py echo` answers TCP at port 4321.

  probe REPORT   a connection that stays, new ones, connected and unconnected UDP that awaits its answers, and peers that
                 the policy denies, over and over until SIGTERM; then REPORT says how often, and each thing that was not
                 as the policy has it
  tally REPORT   one UDP socket after the other is connected to a peer that the policy allows, or is to send to one that
                 it denies, until SIGTERM; then REPORT says how often each was so. No packet leaves
  hold REPORT    one UDP socket; after each line on standard input it sends, and adds to REPORT the errno's name or "ok"
"""
import errno
import os
import selectors
import signal
import socket
import sys

PEER = "93.184.216.34"
OTHER = "8.8.8.8"
ECHO, UDP_ECHO, DENIED = 4321, 7, 25
WAIT = 3


def echo():
    server = socket.create_server(("0.0.0.0", ECHO), backlog=64)
    sel = selectors.DefaultSelector()
    sel.register(server, selectors.EVENT_READ)
    while True:
        for key, _ in sel.select():
            if key.fileobj is server:
                sel.register(server.accept()[0], selectors.EVENT_READ)
                continue
            try:
                data = key.fileobj.recv(65536)
                if data:
                    key.fileobj.sendall(data)
            except OSError:
                data = b""
            if not data:
                sel.unregister(key.fileobj)
                key.fileobj.close()


class Probe:
    def __init__(self):
        self.wrong, self.rounds, self.stop = [], 0, False
        self.stream = socket.create_connection((PEER, ECHO), WAIT)
        self.connected = self.udp()
        self.connected.connect((PEER, UDP_ECHO))
        self.loose = self.udp()

    @staticmethod
    def udp():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(WAIT)
        return sock

    def must(self, what, act):
        try:
            act()
        except OSError as error:
            self.wrong.append(f"{self.rounds} {what}: {error}")

    def must_not(self, what, act):
        try:
            act()
        except PermissionError:
            return
        except OSError as error:
            self.wrong.append(f"{self.rounds} {what}: {error}")
            return
        self.wrong.append(f"{self.rounds} {what}: let pass")

    def answer(self, sock, send):
        text = b"%d" % self.rounds
        send(text)
        while sock.recv(100) != text:  # a late one of the round before
            pass

    def old_stream(self):
        self.answer(self.stream, self.stream.sendall)

    def new_stream(self):
        with socket.create_connection((PEER, ECHO), WAIT) as sock:
            self.answer(sock, sock.sendall)

    def two_peers(self):
        awaited = {b"%d to %s" % (self.rounds, peer.encode()): peer for peer in (OTHER, PEER)}
        for text, peer in awaited.items():
            self.loose.sendto(text, (peer, UDP_ECHO))
        while awaited:
            awaited.pop(self.loose.recv(100), None)

    def new_datagram(self):
        with self.udp() as sock:
            self.answer(sock, lambda text: sock.sendto(text, (PEER, UDP_ECHO)))

    def denied_stream(self):
        with socket.socket() as sock:
            sock.connect((PEER, DENIED))

    def denied_datagram(self):
        with self.udp() as sock:
            sock.sendto(b"x", (PEER, DENIED))

    def round(self):
        self.rounds += 1
        self.must("a connection that stays", self.old_stream)
        self.must("a new connection", self.new_stream)
        self.must("a connected UDP socket", lambda: self.answer(self.connected, self.connected.send))
        self.must("a UDP socket with two peers", self.two_peers)
        self.must("a new UDP socket", self.new_datagram)
        self.must_not("TCP to a denied port", self.denied_stream)
        self.must_not("UDP to a denied port", self.denied_datagram)

    def run(self, path):
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stop", True))
        with open(path + ".begun", "w", encoding="ascii"):
            pass
        while not self.stop:
            self.round()
        report(path, f"{self.rounds} rounds\n" + "".join(line + "\n" for line in self.wrong))


def report(path, text):
    with open(path + ".new", "w", encoding="ascii") as out:
        out.write(text)
    os.rename(path + ".new", path)


def passes(call, port):
    try:
        call((PEER, port))
    except PermissionError:
        return False
    return True


def tally(path):
    asked = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
    allowed = denied = 0
    while not asked:
        with Probe.udp() as one, Probe.udp() as other:
            allowed += passes(one.connect, UDP_ECHO)
            denied += not passes(lambda peer: other.sendto(b"x", peer), DENIED)
    report(path, f"{allowed} {denied}\n")


def hold(path):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in sys.stdin:
        try:
            sock.sendto(b"x", (PEER, UDP_ECHO))
            said = "ok"
        except OSError as error:
            said = errno.errorcode[error.errno]
        with open(path, "a", encoding="ascii") as out:
            out.write(said + "\n")


if sys.argv[1] == "echo":
    echo()
elif sys.argv[1] == "probe":
    Probe().run(sys.argv[2])
elif sys.argv[1] == "tally":
    tally(sys.argv[2])
else:
    hold(sys.argv[2])
