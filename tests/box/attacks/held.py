# SPDX-License-Identifier: GPL-2.0-only
"""What the attacks on the reaper and the daemon share: who attacks, and whether all others are served meanwhile.

Nothing here asserts how fast something is: a condition must come true before the attacker lets go, within PATIENCE seconds.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "idle"))
from world import *

HOLD = os.path.join(ROOT, "build", "tests", "attacks", "hold")
PATIENCE = int(os.environ.get("ATTACKS_PATIENCE", "60"))
LASTS = int(os.environ.get("ATTACKS_SECONDS", "0"))  # how long each attack goes on; 0: until all was looked at once
IDLE = os.environ.get("ATTACKS_IDLE", "1s")  # the others' timeout
DEVICE = RUN + "/fuse"


class NotServed(Exception):
    """Somebody else than the attacker has to suffer; nothing that follows would mean anything."""


worst = {}  # seconds, by what was waited for: to be read, and never asserted


def lasted(what, since):
    worst[what] = max(worst.get(what, 0), time.monotonic() - since)


def must(what, holds, since=None):
    since = since or time.monotonic()
    if not until_true(holds, PATIENCE):
        raise NotServed(f"not within {PATIENCE} s: {what}")
    lasted(what, since)


def enter_held():
    enter()
    os.mknod(DEVICE, 0o20666, os.makedev(10, 229))
    os.chmod(DEVICE, 0o666)


def asked(*args):
    """What a command says, which must come to an end."""
    since = time.monotonic()
    try:
        done = subprocess.run([SW, *args], capture_output=True, text=True, timeout=PATIENCE)
        lasted(args[0], since)
        return done
    except subprocess.TimeoutExpired:
        raise NotServed(f"not within {PATIENCE} s: sockwarden {' '.join(args)}") from None


# ---- the daemon -----------------------------------------------------------------------------------------------


class Daemon:
    all = []

    def __init__(self, *prefix, env=None):
        self.log = open(f"{RUN}/daemon.log", "a")
        self.process = subprocess.Popen(
            [*prefix, SW, "daemon", "--interval", "1", "--ledger", f"{RUN}/ledger.db"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={**os.environ, **(env or {})})
        Daemon.all.append(self)
        must("the daemon answers", lambda: asked("status", "-j").returncode == 0 and self.owns_socket())

    def owns_socket(self):
        return os.path.exists("/run/sockwarden/daemon.sock") and self.process.poll() is None

    def stop(self):
        """By SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        must("SIGTERM ends the daemon", lambda: self.process.poll() is not None)
        expect("the daemon's exit status", 0, self.process.returncode)
        Daemon.all.remove(self)

    def end(self):
        self.process.kill()
        self.process.wait(PATIENCE)


# ---- who attacks ------------------------------------------------------------------------------------------------


class Attack:
    """A tenant, and `hold` in it."""

    all = []

    def __init__(self, way, n=1, port=None, tenant=None, **keys):
        self.tenant = tenant or Tenant(**{"listen": "allow", "bind": "allow", **keys})
        self.cgroup = self.tenant.cgroup
        self.process = subprocess.Popen(
            [HOLD, DEVICE, way, str(port or greeting()), str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: join(self.cgroup))
        self.pid = self.process.pid
        Attack.all.append(self)
        self.says = self.process.stdout.readline().strip()

    def waiting(self):
        """A process of its that is in its namespaces."""
        return self.pid

    def connections(self):
        """The numbers of the FUSE file systems that its processes have mounted."""
        numbers = set()
        for pid in open(self.cgroup + "/cgroup.procs").read().split():
            try:
                for line in open(f"/proc/{pid}/mountinfo"):
                    if " - fuse unanswering " in line:
                        numbers.add(line.split()[2].split(":")[1])
            except OSError:
                pass
        return numbers

    def let_go(self):
        """However it ends: what keeps the device of its own file system is ended by nothing else."""
        numbers = self.connections()
        with open(self.cgroup + "/cgroup.freeze", "w") as freeze:
            freeze.write("0")
        with open(self.cgroup + "/cgroup.kill", "w") as kill:
            kill.write("1")
        abort(numbers)
        self.process.wait(PATIENCE)
        Attack.all.remove(self)


def abort(numbers):
    control = "/sys/fs/fuse/connections"
    if numbers and not os.path.ismount(control):
        subprocess.run(["mount", "-t", "fusectl", "fusectl", control], check=False)
    for number in numbers:
        try:
            with open(f"{control}/{number}/abort", "w") as file:
                file.write("1")
        except FileNotFoundError:
            pass  # its server has ended


greeter = []


def greet(it, ready):
    """Says something to whom it accepts, and listens to no one; datagrams may come, too."""
    it.greeter, it.greeted = adopt(ready, socket.AF_INET, TCP), []
    while True:
        it.greeted.append(it.greeter.accept()[0])
        it.greeted[-1].send(b"hello")


def greeting():
    """The port of a service of the host that says hello."""
    if not greeter:
        service = Process()
        port = service(listen, 4)[1]
        service.begins(lambda it: greet(it, it.listener.detach()))
        greeter.append(port)
    return greeter[0]


# ---- everybody else ------------------------------------------------------------------------------------------------


class Others:
    """A tenant with a listener that it may not have, a connection that it leaves idle, and one that it uses."""

    def __init__(self):
        self.tenant = Tenant(bind="allow", idle_timeout=IDLE)
        self.service = Process()
        self.port = self.service(listen, 4)[1]
        self.expected, self.turn = {}, False

    def changed(self):
        """A policy that is not the one in force, and says the same."""
        self.turn = not self.turn
        path = f"{RUN}/others.yaml"
        open(path, "w").write(policy_text(["allow: {net: 127.0.0.1}"] * self.turn, bind="allow", idle_timeout=IDLE))
        return path

    def counted(self, cause, n):
        """As the daemon, or whoever is asked in its stead, says it."""
        said = json.loads(asked("status", "-j", self.tenant.name).stdout)
        return said["closed"].get(cause, 0) >= n

    def is_closed(self, cause):
        self.expected[cause] = self.expected.get(cause, 0) + 1
        must(f"another tenant's socket is closed for '{cause}'", lambda: self.counted(cause, self.expected[cause]))

    def listens(self):
        program = Process(self.tenant.cgroup)
        address = program(listen, 4)
        self.is_closed("listen")
        must("nobody listens there", lambda: self.service.tries(calls, address) == "ECONNREFUSED")
        program.end()

    def idles(self):
        program = Process(self.tenant.cgroup)
        program(connected, 4, TCP, ("127.0.0.1", self.port))
        since = time.monotonic()
        self.service(accept)
        must("another tenant's idle connection is reset", lambda: self.service.tries(peer_hears) == "ECONNRESET", since)
        self.is_closed("idle")
        program.end()


def peer_hears(it):
    it.accepted.settimeout(1)
    return it.accepted.recv(1)


def calls(it, address):
    """What is marked as closed is silent; only what was taken out of the kernel's tables refuses."""
    with socket.socket() as sock:
        sock.settimeout(0.2)
        sock.connect(address)


def operator_is_answered(others):
    for command in (["status"], ["doctor"], ["reap", "-j"], ["reload"], ["log"],
                    ["attach", "--replace", "--policy", others.changed(), others.tenant.cgroup]):
        said = asked(*command)
        if command[0] != "doctor":  # which finds fault with a kernel that has less than others
            expect(f"{command[0]}: {said.stderr}", 0, said.returncode)


def withstands(way, n=1, prefix=(), env=None, then=lambda attack: None, **keys):
    """The attack goes on while everybody else is looked after, and after it all is well."""
    others = Others()
    daemon = Daemon(*prefix, env=env)
    others.listens()  # all is well
    attack = Attack(way, n, **keys)
    expect("the attack says", "held", attack.says)
    then(attack)
    end = time.monotonic() + LASTS
    while True:
        others.listens()
        others.idles()
        operator_is_answered(others)
        if time.monotonic() >= end:
            break
    daemon.stop()
    daemon = Daemon()
    others.listens()
    attack.let_go()
    others.listens()
    daemon.stop()


def attack_case(name):
    """A case that ends with what was not served, in one line."""
    def add(function):
        @case(name)
        def _():
            try:
                function()
            except NotServed as why:
                trouble.append(str(why))
        return function
    return add


def tidy_held():
    if worst:
        print("# took at most " + ", ".join(f"{what} {seconds:.2f} s" for what, seconds in worst.items()))
    worst.clear()
    for attack in [*Attack.all]:
        attack.let_go()
    for daemon in Daemon.all:
        daemon.end()
    if trouble and os.path.exists(f"{RUN}/daemon.log"):
        trouble.extend("daemon: " + line.rstrip() for line in open(f"{RUN}/daemon.log").readlines()[-5:])
    open(f"{RUN}/daemon.log", "w").close()
    Daemon.all.clear()
    greeter.clear()
    tidy()
