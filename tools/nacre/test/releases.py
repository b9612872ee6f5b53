# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre test releases`: both commands of the README on another release of Debian, from nothing.

A new user's machine is a chroot that debootstrap makes anew, with a clone of the tree's last
commit in it. Nothing of this host takes part but its kernel and its way to Debian's archive.
"""

import functools
import pathlib
import re
import subprocess

from nacre import places
from nacre.report import Failure, log_tail, step, warn
from nacre.test import chroot, results

GROUP = "releases"
CODENAMES = {"12": "bookworm", "13": "trixie"}
CLONE = "home/nacre"
# The guest's shell is there, and a native component continues beside it.
RUN = ("./nacre", "run", "--until", "nacre-guest#", "--until", "round trips", "--timeout", "3600")
TEST = ("./nacre", "test")
CLANG = ("env", "CC=clang")
COMMANDS = {
    "run": (RUN, "the demo comes to the guest's shell beside native tasks, built by GCC"),
    "test": (TEST, "every test holds there, built by GCC"),
    "clang-run": ((*CLANG, *RUN), "the demo comes to the guest's shell, built by Clang"),
    "clang-test": ((*CLANG, *TEST), "every test holds there, built by Clang"),
}
COUNTS = re.compile(r"^\d+ passed, \d+ failed, \d+ skipped$", re.MULTILINE)
PASSED = re.compile(r"[1-9]\d* passed, 0 failed")
FAILURE = re.compile(r"^  (\S+): (.*)$", re.MULTILINE)


def host_release():
    """The host's release, empty where it is no Debian."""
    try:
        text = pathlib.Path("/etc/os-release").read_text()
    except OSError:
        return ""
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    return fields.get("VERSION_ID", "") if fields.get("ID") == "debian" else ""


def is_asked_for(name, pattern):
    """These tests run only when they are named; the host's own release only by its number."""
    release = name.split("/")[1]
    return pattern.startswith(GROUP) and (f"/{release}" in pattern or release != host_release())


def rows():
    """(name, sentence, run)"""
    return [(f"{GROUP}/{release}/{what}", f"Debian {release}: {sentence}",
             functools.partial(run, release, what))
            for release in CODENAMES for what, (_, sentence) in COMMANDS.items()]


def git(*words):
    result = subprocess.run(["git", "-C", places.ROOT, *words], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False)
    if result.returncode != 0:
        raise Failure(f"the tree's last commit is what is tested, but `git {words[0]}` says: "
                      f"{result.stdout.strip()}")
    return result.stdout.strip()


def check():
    """Prints what will be tested, and fails at once where nothing can be."""
    if git("status", "--porcelain"):
        warn(f"there are changes that are not committed: what is tested is the commit "
             f"{git('log', '-1', '--format=%h %s')}")
    chroot.check()


@functools.cache
def machine(release):
    """The new user's machine, once a run."""
    system = chroot.Chroot(release, CODENAMES[release])
    step(f"making a minimal Debian {release} in {places.shown(system.folder)}")
    system.make()
    bundle = system.folder.with_name("tree.bundle")
    git("bundle", "create", "--quiet", str(bundle), "HEAD")
    system.take(bundle, "tmp/tree.bundle")
    log = places.LOGS / f"{GROUP}-{release}-clone.log"
    if system.run(["git", "clone", "--quiet", "/tmp/tree.bundle", f"/{CLONE}"], log) != 0:
        raise Failure(f"cloning the tree there failed:\n{log_tail(log)}")
    return system


def run(release, what):
    command, _ = COMMANDS[what]
    places.LOGS.mkdir(parents=True, exist_ok=True)
    system = machine(release)
    log = places.LOGS / f"{GROUP}-{release}-{what}.log"
    step(f"Debian {release}: {' '.join(command)} ({places.shown(log)})")
    status = system.run(command, log, f"/{CLONE}")
    return judge(f"{GROUP}/{release}/{what}", status, log, "test" in command)


def judge(name, status, log, counted):
    """A result for the command, and one for each test that failed in it."""
    text = log.read_text(errors="replace")
    counts = COUNTS.findall(text)[-1:] if counted else []
    said = "".join(counts)
    if status == 0 and (not counted or PASSED.match(said)):
        return [results.passed(name, said)]
    listed = FAILURE.findall(text.rpartition("\nFailures:\n")[2]) if counts else []
    return [results.failed(name, f"status {status}: {said or log_tail(log)}", places.shown(log)),
            *(results.failed(f"{name}: {test}", why, places.shown(log)) for test, why in listed)]
