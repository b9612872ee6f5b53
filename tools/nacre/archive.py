# SPDX-License-Identifier: BSD-2-Clause
"""How this host's apt reaches Debian's archives, for systems that are made beside it."""

import os
import re
import subprocess
import urllib.request

DEFAULT_MIRRORS = {"Debian": "http://deb.debian.org/debian",
                   "Debian-Security": "http://deb.debian.org/debian-security"}
# Of the host's apt, what it takes to reach an archive; programs that it asks are not there.
REACHING = re.compile(r"Acquire::(?!https?::Proxy-Auto)(?:https?|Check-|Retries|Force|Allow)",
                      re.IGNORECASE)
PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy")


def mirror(targets, label="Debian"):
    """Where the host's apt takes Debian from; `targets` is what apt tells of its archives. The
    label `Debian-Security` is that of the archive of security updates."""
    for line in targets.splitlines():
        address, _, origin = line.partition(" ")
        if origin == f"Debian/{label}/main" and re.match(r"https?:|file:", address):
            return address.rstrip("/")
    return DEFAULT_MIRRORS[label]


def answers(address, release, seconds=30):
    """Whether the archive there has that release, as this host sees it."""
    try:
        with urllib.request.urlopen(f"{address}/dists/{release}/InRelease", timeout=seconds):
            return True
    except (OSError, ValueError):
        return False


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
