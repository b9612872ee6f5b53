# SPDX-License-Identifier: BSD-2-Clause
"""A minimal Debian of any release in a directory, and commands run in it as on a fresh machine.

What is mounted for a command is mounted in a namespace of the command's own, and ends with it:
nothing stays mounted, whatever happens to either.
"""

import subprocess

from nacre import archive, packages, places
from nacre.report import Failure, run_logged

NEEDS = ("debootstrap", "debian-archive-keyring", "util-linux")
# As a person has them who clones a repository.
INCLUDED = ("git", "ca-certificates")
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
        settings = archive.apt_settings()
        self._proxies = archive.proxies(settings)
        cache = self.folder.with_name(f"{self.name}-packages")
        cache.mkdir(parents=True, exist_ok=True)
        self._as_root(["rm", "-rf", "--one-file-system", self.folder])
        self._as_root(["env", *self._proxies, *NAMESPACE, "debootstrap", "--variant=minbase",
                       f"--include={','.join(INCLUDED)}", f"--cache-dir={cache}", self.codename,
                       self.folder, archive.mirror(archive.apt_targets())])
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
