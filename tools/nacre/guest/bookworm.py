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
# One package is fetched at a time, and the lists once a run.
_fetching = threading.Lock()


def sources():
    """The lines of sources.list, signed by the keys of Debian's own package."""
    main = debian.sources(archive.apt_targets())
    mirror = main[0].split()[1]
    return [line.replace("deb ", f"deb [signed-by=/usr/share/keyrings/{KEYRING}.gpg] ", 1)
            for line in [*main, f"deb {mirror} {BACKPORTS} main"]]


def options(suite):
    """Backports are taken only where they are named."""
    found = {"Dir::Etc::SourceList": FOLDER / "sources.list", "Dir::Etc::SourceParts": "-",
             "Dir::State::Lists": FOLDER / "lists", "Dir::Cache": FOLDER / "cache",
             "APT::Architecture": "amd64", "Acquire::Languages": "none"}
    if suite == BACKPORTS:
        found["APT::Default-Release"] = suite
    if os.geteuid() == 0:
        # The unprivileged user of apt cannot write into a directory of root's.
        found["APT::Sandbox::User"] = "root"
    return tuple(word for name, value in found.items() for word in ("-o", f"{name}={value}"))


@functools.cache
def update():
    packages.ensure((KEYRING,))
    for folder in ("lists/partial", "cache/archives/partial"):
        (FOLDER / folder).mkdir(parents=True, exist_ok=True)
    output.write(FOLDER / "sources.list", "\n".join(sources()) + "\n")
    step("fetching package lists of Debian 12 and its backports")
    result = packages.run_apt(["apt-get", "-q", *options(SUITE), "update"])
    if result.returncode != 0:
        raise Failure("the lists of Debian 12 cannot be fetched: "
                      + packages.apt_reason(result.stdout))


def files(package, suite, patterns):
    """Paths of files of the newest package: a name for each -> the pattern of its path there. A
    name like linux-image-amd64 stands for the package that it depends on."""
    with _fetching:
        update()
        source = debs.Source(options(suite), update)
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
