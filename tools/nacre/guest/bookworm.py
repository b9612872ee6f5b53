# SPDX-License-Identifier: BSD-2-Clause
"""Files out of packages of Debian 12 and of its backports, by an apt of their own: this host may
have another release, and has no backports unless its owner wants them. Kept in build/guest/archive.
"""

import functools
import os
import threading

from compose import output
from nacre import archive, packages, places
from nacre.guest import debian
from nacre.pack import debs
from nacre.report import Failure, step

FOLDER = places.GUEST / "archive"
SUITE, BACKPORTS = debian.CODENAME, f"{debian.CODENAME}-backports"
KEYRING = "debian-archive-keyring"
# One package is fetched at a time, and the lists of a suite once a run.
_fetching = threading.Lock()


def sources(suite):
    """The lines of sources.list, signed by the keys of Debian's own package."""
    lines = debian.sources(archive.apt_targets())
    if suite == BACKPORTS:
        lines = [f"deb {lines[0].split()[1]} {suite} main"]
    return [line.replace("deb ", f"deb [signed-by=/usr/share/keyrings/{KEYRING}.gpg] ", 1)
            for line in lines]


def options(suite):
    folder = FOLDER / suite
    found = {"Dir::Etc::SourceList": folder / "sources.list", "Dir::Etc::SourceParts": "-",
             "Dir::State::Lists": folder / "lists", "Dir::Cache": folder / "cache",
             "APT::Architecture": "amd64", "Acquire::Languages": "none"}
    if os.geteuid() == 0:
        # The unprivileged user of apt cannot write into a directory of root's.
        found["APT::Sandbox::User"] = "root"
    return tuple(word for name, value in found.items() for word in ("-o", f"{name}={value}"))


@functools.cache
def update(suite):
    packages.ensure((KEYRING,))
    for folder in ("lists/partial", "cache/archives/partial"):
        (FOLDER / suite / folder).mkdir(parents=True, exist_ok=True)
    output.write(FOLDER / suite / "sources.list", "\n".join(sources(suite)) + "\n")
    step(f"fetching package lists of {suite}")
    result = packages.run_apt(["apt-get", "-q", *options(suite), "update"])
    if result.returncode != 0:
        raise Failure(f"the lists of {suite} cannot be fetched: "
                      + packages.apt_reason(result.stdout))


def files(package, suite, patterns):
    """Paths of files of the newest package: a name for each -> the pattern of its path there. A
    name like linux-image-amd64 stands for the package that it depends on."""
    with _fetching:
        update(suite)
        source = debs.Source(options(suite), lambda: update(suite))
        name = debs.package_of(package, source) if package.startswith("linux-image-") else package
        version = name and debs.package_field(name, "Version", source)
        if not version:
            raise Failure(f"{suite} has no {package}")
        folder = FOLDER / f"{name}_{version}"
        paths = {name: folder / name for name in patterns}
        if not all(path.exists() for path in paths.values()):
            folder.mkdir(exist_ok=True)
            found = debs.taken(name, list(patterns.values()), source=source)
            for file, pattern in patterns.items():
                output.write(paths[file], found[pattern])
        return paths
