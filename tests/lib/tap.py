# SPDX-License-Identifier: GPL-2.0-only
"""TAP, waiting, and boxes, for tests in Python."""
import os
import sys
import time
import traceback

LIB = os.path.dirname(os.path.abspath(__file__))

cases, trouble = [], []


def enter_box():
    """Start the program again in a box, unless it is in one."""
    if "BOX_CGROUP" not in os.environ:
        os.execv(os.path.join(LIB, "box"), ["box", sys.executable, "-B", *sys.argv])


def case(name):
    """The function below is a test of this name."""
    def add(function):
        cases.append((name, function))
        return function
    return add


def expect(what, wanted, found):
    if wanted != found:
        trouble.append(f"{what}: wanted {wanted!r}, found {found!r}")


def check(what, holds):
    if not holds:
        trouble.append(what)


def run_case(number, name, function, tidy):
    """What the function returns, if anything, is said behind the name."""
    trouble.clear()
    said = None
    try:
        said = function()
    except Exception:
        trouble.extend(traceback.format_exc().splitlines())
    tidy()
    print(f"{'not ok' if trouble else 'ok'} {number} - {name}{f': {said}' if said else ''}")
    for line in trouble[:20]:
        print("#  ", line)
    if len(trouble) > 20:
        print(f"#   and {len(trouble) - 20} more")
    sys.stdout.flush()
    return not trouble


def run_cases(tidy=lambda: None):
    """All cases, or those whose names have the words of the command line in them; calls `tidy` after each."""
    chosen = [(name, function) for name, function in cases if all(word in name for word in sys.argv[1:])]
    print(f"1..{len(chosen)}", flush=True)
    sys.exit(not all([run_case(1 + i, *each, tidy) for i, each in enumerate(chosen)]))


def until_true(holds, seconds=60):
    """Tries until it comes true; what it returned in the end."""
    end = time.monotonic() + seconds
    while not (value := holds()) and time.monotonic() < end:
        time.sleep(0.02)
    return value


def end_cgroup(top):
    """Ends what runs in it, and removes it with all below; no error when there is none."""
    def removed():
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass
        return not os.path.isdir(top)
    if os.path.isdir(top):
        with open(os.path.join(top, "cgroup.kill"), "w") as kill:
            kill.write("1")
    if not until_true(removed):
        trouble.append(f"{top} cannot be removed")
