# SPDX-License-Identifier: GPL-2.0-only
"""What the checks of closing sockets share: tenants, and processes that do as they are told.

A check starts itself again in a box. The process that runs the cases has no Internet socket itself: it forks others,
and each of these inherits nothing but unix sockets.

Set SOCKWARDEN_WITHOUT to netlink-destroy, namespace-handles or watches to see how a kernel does without it.
"""
import array
import ctypes
import errno
import json
import marshal
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import traceback
import types

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import tap
from tap import *
SW = os.path.abspath(os.environ.get("SOCKWARDEN", os.path.join(ROOT, "build", "sockwarden")))
FAULTS = os.path.join(ROOT, "build", "tests", "faults.so")
RUN = "/run/idle"
NEWNET = 0x40000000  # CLONE_NEWNET
PIDFD_GETFD = 438
SO_COOKIE = 57
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
libc = ctypes.CDLL(None, use_errno=True)


def enter():
    enter_box()
    os.environ["SOCKWARDEN_PATH"] = os.path.join(ROOT, "share")
    os.mkdir(RUN)


def cgroup_root():
    return os.path.dirname(os.environ["BOX_CGROUP"])


def loopback_up():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def run_cases():
    tap.run_cases(tidy)


# ---- sockwarden ---------------------------------------------------------------------------------------------


def sw(*args, status=0, env=None):
    done = subprocess.run([SW, *args], capture_output=True, text=True, env={**os.environ, **(env or {})})
    if status is not None and done.returncode != status:
        raise RuntimeError(f"sockwarden {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def reap(*args, env=None):
    """One pass, as JSON says it."""
    return json.loads(sw("reap", "-j", *args, env=env).stdout)


def found(result):
    """The sockets of a pass by their cookies."""
    return {each["cookie"]: each for each in result["sockets"]}


def support():
    """How sockets are closed here, and the names of the watches in place; there must be a tenant."""
    doctor = json.loads(sw("doctor", "-j").stdout)
    return doctor["closing"], {*doctor["watches"]}


def policy_text(rules=(), **keys):
    settings = {"idle-timeout": "0", "listen": "deny", "bind": "ephemeral", "transfer": "deny", "default": "allow"}
    settings.update({key.replace("_", "-"): value for key, value in keys.items()})
    lines = [f"{key}: {value}" for key, value in settings.items()]
    return "\n".join([*lines, "sockopts: {other: allow}", "rules:", *(f"  - {rule}" for rule in rules)]) + (
        "\n" if rules else " []\n")


def new_cgroup(name):
    path = os.path.join(os.environ["BOX_CGROUP"], name)
    os.mkdir(path)
    return path


class Tenant:
    """A cgroup under a policy."""

    all = []

    def __init__(self, cgroup=None, **keys):
        self.name = f"t{len(Tenant.all)}"
        self.cgroup = cgroup or new_cgroup(self.name)
        Tenant.all.append(self)
        self.hold("--tenant", self.name, **keys)

    def hold(self, *args, **keys):
        path = f"{RUN}/{self.name}.yaml"
        open(path, "w").write(policy_text(**keys))
        sw("attach", "--policy", path, *args, self.cgroup)

    def below(self, name):
        path = os.path.join(self.cgroup, name)
        os.makedirs(path, exist_ok=True)
        return path

    def report(self):
        return json.loads(sw("status", "-j", self.name).stdout)

    def closed(self):
        """Causes that sockets were closed for, and how many."""
        return {cause: n for cause, n in self.report()["closed"].items() if n}

    def denied(self, reason):
        return self.report()["denied"][reason]


# ---- processes that do as they are told ----------------------------------------------------------------------


def pack(function, args):
    return pickle.dumps((marshal.dumps(function.__code__), function.__defaults__, args))


def perform(order, it):
    code, defaults, args = pickle.loads(order)
    function = types.FunctionType(marshal.loads(code), sys.modules["__main__"].__dict__, "order", defaults)
    try:
        return True, function(it, *args)
    except OSError as error:
        return False, error.errno or errno.ETIMEDOUT


def serve(channel, mailbox):
    it = types.SimpleNamespace(mail=socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    it.mail.bind(mailbox)
    channel.send(b"ready")
    while order := channel.recv(1 << 20):
        channel.send(pickle.dumps(perform(order, it)))
    os._exit(0)


def read_answer(channel):
    channel.settimeout(30)  # no case has to wait as long
    answer = channel.recv(1 << 20)
    if not answer:
        raise RuntimeError("a process has died")
    return answer


class Process:
    """Does what functions say that have no variables from outside but what its own module has. They are called with
    its store, where they may keep what they like, and must return what can be pickled."""

    all = []

    def __init__(self, cgroup=None, new_net=False, net_of=None):
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            self.begin(theirs, cgroup, new_net, net_of)
        theirs.close()
        Process.all.append(self)
        if read_answer(self.channel) != b"ready":
            raise RuntimeError("a process does not start")

    def begin(self, channel, cgroup, new_net, net_of):
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if cgroup:
                join(cgroup)
            if net_of:
                enter_net(net_of.pid)
            if new_net:
                leave_net()
            serve(channel, mailbox(os.getpid()))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def begins(self, function, *args):
        """Without waiting until it is done."""
        self.channel.send(pack(function, args))

    def ended(self):
        done, value = pickle.loads(read_answer(self.channel))
        if not done:
            raise OSError(value, os.strerror(value))
        return value

    def __call__(self, function, *args):
        self.begins(function, *args)
        return self.ended()

    def tries(self, function, *args):
        """The name of the errno, or what it returned."""
        self.begins(function, *args)
        return self.outcome()

    def outcome(self):
        done, value = pickle.loads(read_answer(self.channel))
        return value if done else errno.errorcode[value]

    def end(self):
        if self in Process.all:
            Process.all.remove(self)
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.channel.close()


def tidy():
    for process in [*Process.all]:
        process.end()
    for tenant in reversed(Tenant.all):
        if os.path.isdir(tenant.cgroup):
            sw("detach", tenant.name, status=None)
            end_cgroup(tenant.cgroup)


# ---- what processes do ------------------------------------------------------------------------------------------


def join(cgroup):
    with open(os.path.join(cgroup, "cgroup.procs"), "w") as procs:
        procs.write(str(os.getpid()))


def failed():
    return OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def enter_net(pid):
    with open(f"/proc/{pid}/ns/net") as net:
        if libc.setns(net.fileno(), NEWNET):
            raise failed()


def leave_net():
    if libc.unshare(NEWNET):
        raise failed()
    loopback_up()


def cookie(sock):
    return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), sys.byteorder)


def mailbox(pid):
    return f"{RUN}/{pid}"


def hand_over(it, name, pid):
    """SCM_RIGHTS to whoever has that process number."""
    fds = array.array("i", [getattr(it, name).fileno()])
    it.mail.sendmsg([name.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)], 0, mailbox(pid))


def adopt(fd, family, kind):
    return socket.socket(family, kind, 0, fileno=fd)  # with all three named, nothing is asked of the socket


def take_over(it, family, kind):
    _, controls, _, _ = it.mail.recvmsg(100, socket.CMSG_SPACE(4))
    it.sock = adopt(int.from_bytes(controls[0][2], sys.byteorder), family, kind)


def fetch(it, pid, fd, family, kind):
    """pidfd_getfd()."""
    pidfd = os.pidfd_open(pid)
    got = libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
    os.close(pidfd)
    if got < 0:
        raise failed()
    it.sock = adopt(got, family, kind)


def listen(it, family, backlog=128):
    it.listener = socket.socket(FAMILIES[family], TCP)
    it.listener.bind((LOOPBACK[family], 0))
    it.listener.listen(backlog)
    return it.listener.getsockname()[:2]


def hear(it, family):
    it.ear = socket.socket(FAMILIES[family], UDP)
    it.ear.bind((LOOPBACK[family], 0))
    return it.ear.getsockname()[:2]


def accept(it):
    it.accepted = it.listener.accept()[0]


def connected(it, family, kind, peer):
    it.sock = socket.socket(FAMILIES[family], kind)
    it.sock.connect(peer)
    return cookie(it.sock)


def unconnected(it, family, kind):
    it.sock = socket.socket(FAMILIES[family], kind)
    return cookie(it.sock)
