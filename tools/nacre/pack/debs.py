# SPDX-License-Identifier: BSD-2-Clause
"""Takes single files out of Debian packages without installing the packages.

busybox-static would push out a machine's own busybox, and a guest kernel has no business in
the host's /boot; so both are downloaded, unpacked and kept under build/guest/.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile

from compose import output
from nacre import packages, places
from nacre.report import Failure, step


def package_field(name, field):
    """One field of the package as apt knows it, or None."""
    if not shutil.which("apt-cache"):
        raise Failure(f"there is no apt here to fetch {name} with: Debian's tools are needed, or "
                      f"files of your own in {places.shown(places.GUEST)} (vmlinuz, busybox)")
    result = subprocess.run(["apt-cache", "--no-all-versions", "show", name],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            check=False)
    match = re.search(rf"^{field}: (.*)$", result.stdout, re.MULTILINE)
    return match.group(1) if match else None


def kernel_package():
    """The package with the real kernel that linux-image-amd64 depends on."""
    depends = package_field("linux-image-amd64", "Depends")
    if depends is None:
        packages.update_lists()
        depends = package_field("linux-image-amd64", "Depends") or ""
    match = re.search(r"\blinux-image-[0-9][^\s,(|]*", depends)
    if not match:
        raise Failure("apt knows no linux-image-amd64: put a Linux bzImage at "
                      f"{places.shown(places.GUEST_KERNEL)} and try again")
    return match.group(0)


def download(name, directory):
    """Downloads one package into the directory and returns the file's path."""
    command = ["apt-get", "-q", "download", name]
    if os.geteuid() == 0:
        # The unprivileged download user cannot write into a directory of root's.
        command[1:1] = ["-o", "APT::Sandbox::User=root"]
    result = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False)
    found = list(pathlib.Path(directory).glob("*.deb"))
    if result.returncode != 0 or not found:
        raise Failure(f"`apt-get download {name}` failed; is the network up?\n"
                      f"    {result.stdout.strip()}")
    return found[0]


def read_member(package, pattern):
    """The bytes of the first regular file in the package whose path matches the pattern."""
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)],
                               stdout=subprocess.PIPE)
    with process, tarfile.open(fileobj=process.stdout, mode="r|") as archive:
        for member in archive:
            if member.isfile() and re.fullmatch(pattern, member.name):
                data = archive.extractfile(member).read()
                process.kill()
                return data
    raise Failure(f"{package}: no file matches {pattern}; is the package damaged?")


class Taken:
    """A file kept in build/guest/ that comes out of a package."""

    def __init__(self, target, find_package, pattern):
        self.target = target
        self.find_package = find_package
        self.pattern = pattern

    def ensure(self):
        """Fetches the file unless it is there already."""
        if self.target.exists():
            return self.target
        name = self.find_package()
        if package_field(name, "Filename") is None:
            packages.update_lists()
        step(f"downloading {name} for the guest")
        self.target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.target.parent) as directory:
            try:
                package = download(name, directory)
            except Failure:
                # Lists older than the archive name versions that it has dropped.
                packages.update_lists()
                package = download(self.find_package(), directory)
            output.write(self.target, read_member(package, self.pattern))
        return self.target


KERNEL = Taken(places.GUEST_KERNEL, kernel_package, r"\./boot/vmlinuz-.*")
BUSYBOX = Taken(places.GUEST / "busybox", lambda: "busybox-static", r"\./(usr/)?bin/busybox")
