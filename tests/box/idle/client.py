# SPDX-License-Identifier: GPL-2.0-only
"""client.py write|read HOST PORT: as client.php, in Python."""
import errno
import socket
import sys


def step(name, function):
    try:
        print(f"{name}: {function()}", flush=True)
    except OSError as error:
        print(f"{name}: {type(error).__name__} {errno.errorcode[error.errno]}", flush=True)


def converse(sock):
    step("send", lambda: sock.send(b"hello\n"))
    step("recv", lambda: sock.recv(6))


_, first, host, port = sys.argv
sock = socket.create_connection((host, port), 5)
converse(sock)
sys.stdin.readline()
if first == "read":
    step("recv", lambda: sock.recv(6))
converse(sock)
sock.close()
converse(socket.create_connection((host, port), 5))
