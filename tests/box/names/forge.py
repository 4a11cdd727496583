# SPDX-License-Identifier: GPL-2.0-only
"""On the far side. forge.py watch WORD: prints `seen` for each packet with WORD in it that comes in, and `markN` for each with that text.
forge.py segment SERVER CLIENT PORT NAME ADDRESS: a segment of a connection that does not exist yet, with an answer in it.
forge.py serve SERVER NAME ADDRESS: answers the first question as that name server."""
import socket
import struct
import sys

ETH_P_ALL, PACKET_OUTGOING = 3, 4


def watch(word):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind(("far", 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    print("ready", flush=True)
    while True:
        data, origin = sock.recvfrom(65536)
        if origin[2] == PACKET_OUTGOING:
            continue
        if b"mark" in data:
            print(data[data.index(b"mark"):].decode().strip(), flush=True)
        elif word.encode() in data:
            print("seen", flush=True)


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def serve(server, name, address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((server, 53))
    print("ready", flush=True)
    _, client = sock.recvfrom(4096)
    sock.sendto(answer(name, address)[2:], client)


def answer(name, address):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    message = struct.pack(">6H", 0x1111, 0x8180, 1, 1, 0, 0) + labels + struct.pack(">2H", 1, 1)
    message += b"\xc0\x0c" + struct.pack(">2HIH", 1, 1, 600, 4) + socket.inet_aton(address)
    return struct.pack(">H", len(message)) + message


def segment(server, client, port, name, address):
    data = answer(name, address)
    data += b"\0" * (len(data) % 2)
    ends = socket.inet_aton(server) + socket.inet_aton(client)
    header = struct.pack(">2H2I4H", 53, int(port), 0, 1, 0x5018, 65535, 0, 0)
    check = checksum(ends + struct.pack(">2H", socket.IPPROTO_TCP, len(header) + len(data)) + header + data)
    header = header[:16] + struct.pack(">H", check) + header[18:]
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    ip = struct.pack(">2B3H2BH", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_TCP, 0) + ends
    sock.sendto(ip + header + data, (client, 0))


{"watch": watch, "segment": segment, "serve": serve}[sys.argv[1]](*sys.argv[2:])
