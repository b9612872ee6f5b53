# SPDX-License-Identifier: BSD-2-Clause
"""A minimal Debian of any release in a directory, and commands run in it as on a fresh machine.

What is mounted for a command is mounted in a namespace of the command's own, and ends with it:
nothing stays mounted, whatever happens to either.
"""

import os
import re
import subprocess

from nacre import packages, places
from nacre.report import Failure, run_logged

NEEDS = ("debootstrap", "debian-archive-keyring", "util-linux")
# As a person has them who clones a repository.
INCLUDED = ("git", "ca-certificates")
DEFAULT_MIRROR = "http://deb.debian.org/debian"
# Of the host's apt, what it takes to reach an archive; programs that it asks are not there.
REACHING = re.compile(r"Acquire::(?!https?::Proxy-Auto)(?:https?|Check-|Retries|Force|Allow)",
                      re.IGNORECASE)
PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAMESPACE = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child")
# Its parameters: the directory, then the command. The shell stays to collect orphans.
ENTER = """set -e
mount -t proc proc "$1/proc"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$1/dev/pts"
mount -t tmpfs tmpfs "$1/dev/shm"
cd "$1"
shift
chroot . "$@"
exit $?"""


def mirror(targets):
    """Where the host's apt takes Debian from; `targets` is what apt tells of its archives."""
    for line in targets.splitlines():
        address, _, origin = line.partition(" ")
        if origin == "Debian/Debian/main" and re.match(r"https?:|file:", address):
            return address.rstrip("/")
    return DEFAULT_MIRROR


def output_of(*command):
    """What a command says, or nothing where there is no such command."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


def apt_targets():
    return output_of("apt-get", "indextargets", "--format",
                "$(REPO_URI) $(ORIGIN)/$(LABEL)/$(COMPONENT)", "Created-By: Packages")


def reaching(settings):
    """Lines of apt.conf by which a new system reaches the archives as this host does."""
    return "".join(f"{line}\n" for line in settings.splitlines() if REACHING.match(line))


def apt_settings():
    return reaching(output_of("apt-config", "dump", "--format", '%F "%v";%n'))


def proxies(settings):
    """The proxies of the environment, or else of apt, as variables for other programs."""
    found = {name: os.environ[name] for name in PROXIES if name in os.environ}
    for kind in ("http", "https"):
        proxy = re.search(rf'^Acquire::{kind}::Proxy "(.+)";$', settings, re.MULTILINE)
        if proxy and proxy.group(1) != "DIRECT":
            found.setdefault(f"{kind}_proxy", proxy.group(1))
    return [f"{name}={value}" for name, value in found.items()]


def check():
    """One line where no chroot can be: in most containers, and without root."""
    packages.ensure(NEEDS)
    command = packages.as_root([*NAMESPACE, "sh", "-c",
                                "mount -t tmpfs tmpfs /tmp && chroot / true"])
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        raise Failure("no chroot can be used on this host, so no other release either: "
                      + " ".join(result.stdout.split()))


class Chroot:
    """A release of Debian, made anew; the directory stays to be looked at."""

    def __init__(self, name, codename):
        self.name, self.codename = name, codename
        self.folder = places.BUILD / "releases" / name
        self._proxies = []

    def make(self):
        settings = apt_settings()
        self._proxies = proxies(settings)
        cache = self.folder.with_name(f"{self.name}-packages")
        cache.mkdir(parents=True, exist_ok=True)
        self._as_root(["rm", "-rf", "--one-file-system", self.folder])
        self._as_root(["env", *self._proxies, *NAMESPACE, "debootstrap", "--variant=minbase",
                       f"--include={','.join(INCLUDED)}", f"--cache-dir={cache}", self.codename,
                       self.folder, mirror(apt_targets())])
        self.write("etc/apt/apt.conf.d/90host", settings)

    def _as_root(self, command):
        run_logged(packages.as_root([str(word) for word in command]), f"releases-{self.name}-make")

    def write(self, name, text):
        """A file in the system."""
        subprocess.run(packages.as_root(["tee", str(self.folder / name)]), input=text, text=True,
                       stdout=subprocess.DEVNULL, check=True)

    def take(self, file, name):
        self._as_root(["cp", file, self.folder / name])

    def run(self, command, log, folder="/"):
        """Runs it there as root, from the folder, all output into the log: its exit status."""
        words = ["env", "-i", f"PATH={PATH}", "HOME=/root", *self._proxies, "sh", "-c",
                 'cd "$0" && "$@"', folder, *command]
        with log.open("wb") as output:
            return subprocess.run(
                packages.as_root([*NAMESPACE, "sh", "-c", ENTER, "enter", self.folder, *words]),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                check=False).returncode
