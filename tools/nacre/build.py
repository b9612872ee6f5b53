# SPDX-License-Identifier: BSD-2-Clause
"""Configures and builds with Meson and Ninja, and composes system images."""

import filecmp
import pathlib
import subprocess
import sys
import tempfile

from compose import output
from nacre import debs, initramfs, packages, places
from nacre.report import Failure, run_logged, step

# Where Meson puts what it makes; other folders of the build directory hold systems made of it.
ROOMS = ("src", "tests", "bench", "examples/root-task", "tools/plugin")
COMPOSE = places.ROOT / "tools" / "compose.py"


def configure():
    """Sets the build directory up; Ninja repeats it by itself when a meson.build changes."""
    if (places.BUILD / "build.ninja").exists():
        return
    step("configuring the build")
    run_logged(["meson", "setup", places.BUILD, places.ROOT], "configure")


def has_work():
    """Whether Ninja would do anything: a build with nothing to do stays quiet."""
    result = subprocess.run(["ninja", "-C", str(places.BUILD), "-n"], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    return result.returncode != 0 or "no work to do" not in result.stdout


def compile_all():
    """Builds every target."""
    packages.ensure(packages.BUILD)
    configure()
    if has_work():
        step("building")
        run_logged(["ninja", "-C", places.BUILD], "build")


def artefact(name):
    """A file that the build makes, by the name it has everywhere."""
    path = places.BUILD / name
    if path.is_file():
        return path
    found = [place for room in ROOMS for place in sorted((places.BUILD / room).rglob(name))]
    if not found:
        raise Failure(f"the build made no {name}: is its target in a meson.build?")
    return found[0]


def search_path():
    """Where the composer looks for the ELF and prefill files that a description names."""
    folders = {path.parent for room in ROOMS
               for path in (places.BUILD / room).rglob("*.elf")
               if not any(part.endswith(".p") for part in path.parts)}
    return [places.BUILD, places.GUEST, places.GUEST_CONFIG, *sorted(folders - {places.BUILD})]


def guest_files():
    """Fetches and makes what the guest boots from."""
    debs.KERNEL.ensure()
    initramfs.ensure()


def compose(description, image, extra_path=(), flavour="debug"):
    """Turns a .system file into an image with a report and a page beside it; the composer's
    messages name file and line."""
    if not description.is_file():
        raise Failure(f"{places.shown(description)}: there is no such system description")
    image.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nacre-image-") as folder:
        made = pathlib.Path(folder) / image.name
        compose_to(made, description, image, extra_path, flavour)
        # An unchanged image keeps its time, so that no ISO is packed anew for it.
        if not (image.exists() and filecmp.cmp(made, image, shallow=False)):
            output.write(image, made.read_bytes())


def compose_to(made, description, image, extra_path, flavour):
    """The composer's image in the file `made`, its report and page beside the image."""
    command = [sys.executable, "-B", str(COMPOSE), str(description), "--system-image",
               str(made), "--config", flavour, "-r", str(image.with_suffix(".report")),
               "--html", str(image.with_suffix(".html")), "--search-path",
               *map(str, [*extra_path, description.parent, *search_path()])]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        raise Failure(f"composing {places.shown(description)} failed:\n{result.stdout.rstrip()}")
    if result.stdout.strip():
        print(result.stdout.rstrip(), file=sys.stderr)
