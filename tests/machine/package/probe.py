#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""probe.py serve: answers every line on 127.0.0.1:4000, and listens on 4001.
probe.py probe FILE: over one connection to 4000, each line must be answered; to 4001 each connect must be refused, and each
datagram. Writes to FILE what was not so, and behind it how often each was tried, when it is asked to by SIGTERM."""
import errno, os, signal, socket, sys, threading, time

OPEN, SHUT = ("127.0.0.1", 4000), ("127.0.0.1", 4001)


def answer(connection):
    while data := connection.recv(100):
        connection.sendall(data)


def serve():
    shut = socket.create_server(SHUT)
    server = socket.create_server(OPEN)
    while True:
        threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()


def connect_is_refused():
    with socket.socket() as s:
        return s.connect_ex(SHUT) == errno.EACCES


def datagram_is_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.sendto(b"x", SHUT)
        except PermissionError:
            return True
    return False


def answered(connection):
    connection.sendall(b"x")
    return connection.recv(1) == b"x"


def probe(path):
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    connection = socket.create_connection(OPEN)
    connection.settimeout(60)
    rounds, wrong = 0, []
    while not asked.is_set() and len(wrong) < 10:
        try:
            rounds += 1
            wrong += [] if connect_is_refused() else ["a connect was let through"]
            wrong += [] if datagram_is_refused() else ["a datagram was let through"]
            wrong += [] if answered(connection) else ["the connection was closed"]
        except OSError as error:
            wrong.append(f"the connection was lost: {error}")
        time.sleep(0.002)  # others need the processor, too
        if rounds == 1:
            open(path + ".begun", "w").close()
    with open(path + ".new", "w") as out:
        out.write("".join(line + "\n" for line in wrong) + f"{rounds} rounds\n")
    os.rename(path + ".new", path)


if sys.argv[1] == "serve":
    serve()
else:
    probe(sys.argv[2])
