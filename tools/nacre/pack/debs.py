# SPDX-License-Identifier: BSD-2-Clause
"""Takes single files out of Debian packages without installing the packages.

busybox-static would push out a machine's own busybox, and a guest kernel has no business in
the host's /boot; so both are downloaded, unpacked and kept under build/guest/.
"""

import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile

from compose import output
from nacre import packages, places
from nacre.pack import bzimage
from nacre.report import Failure, step

XZ = b"\xfd7zXZ\0"
BUILT_IN = "modules.builtin"


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


def found_members(package, patterns):
    """The bytes of the first regular file in the package whose path matches, for each pattern that
    has one."""
    found = {}
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)],
                               stdout=subprocess.PIPE)
    with process, tarfile.open(fileobj=process.stdout, mode="r|") as archive:
        for member in archive:
            fits = [pattern for pattern in patterns
                    if member.isfile() and re.fullmatch(pattern, member.name)]
            for pattern in fits:
                found.setdefault(pattern, archive.extractfile(member).read())
            if len(found) == len(patterns):
                process.kill()
                break
    return found


def read_members(package, patterns):
    """The same, with a failure when a pattern has none."""
    found = found_members(package, patterns)
    for pattern in patterns:
        if pattern not in found:
            raise Failure(f"{package}: no file matches {pattern}; is the package damaged?")
    return found


def taken(name, patterns, renamed=None, read=read_members):
    """What `read` finds in the package; `renamed` gives its name after an update."""
    step(f"downloading {name} for the guest")
    places.GUEST.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.GUEST) as directory:
        try:
            package = download(name, directory)
        except Failure:
            # Lists older than the archive name versions that it has dropped.
            packages.update_lists()
            package = download(renamed() if renamed else name, directory)
        return read(package, patterns)


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
        found = taken(name, [self.pattern], self.find_package)
        output.write(self.target, found[self.pattern])
        return self.target


def fetch_modules(release, names, folder):
    """Writes those of the modules that are files, and the list of those built into the kernel."""
    # Later releases of Debian compress them.
    patterns = {name: rf"\./(usr/)?lib/modules/.*/{name}\.ko(\.xz)?" for name in names}
    built_in = r"\./(usr/)?lib/modules/[^/]*/modules\.builtin"
    found = taken(f"linux-image-{release}", [*patterns.values(), built_in], read=found_members)
    folder.mkdir(parents=True, exist_ok=True)
    for name, pattern in patterns.items():
        if pattern in found:
            data = found[pattern]
            plain = lzma.decompress(data) if data.startswith(XZ) else data
            output.write(folder / f"{name}.ko", plain)
    output.write(folder / BUILT_IN, found.get(built_in, b""))


def ensure_modules(names):
    """Modules of the guest's kernel, by name, as files that it loads; kept in build/guest/. Those
    that are part of the kernel itself are left out."""
    release = bzimage.release(KERNEL.ensure().read_bytes())
    folder = places.GUEST / "modules" / release

    def built_in():
        path = folder / BUILT_IN
        lines = path.read_text().split() if path.exists() else ()
        return {pathlib.PurePath(line).stem.replace("-", "_") for line in lines}

    def lost():
        return [name for name in names if not (folder / f"{name}.ko").exists()
                and name.replace("-", "_") not in built_in()]

    if lost():
        fetch_modules(release, names, folder)
    if lost():
        raise Failure(f"the guest's kernel, {release}, has no module {lost()[0]}")
    return {name: (folder / f"{name}.ko").read_bytes() for name in names
            if (folder / f"{name}.ko").exists()}


def load_command(names):
    """What a guest's shell runs to load those in its /lib, in this order."""
    return "for m in " + " ".join(names) + "; do [ -e /lib/$m.ko ] && insmod /lib/$m.ko; done"


KERNEL = Taken(places.GUEST_KERNEL, kernel_package, r"\./boot/vmlinuz-.*")
BUSYBOX = Taken(places.GUEST / "busybox", lambda: "busybox-static", r"\./(usr/)?bin/busybox")
