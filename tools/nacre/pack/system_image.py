# SPDX-License-Identifier: BSD-2-Clause
"""Runs the composer, which makes the packed image of a system description."""

import filecmp
import pathlib
import subprocess
import sys
import tempfile

from compose import output
from nacre import build, places
from nacre.pack import beside, boot_images, programs
from nacre.report import Failure

COMPOSE = places.ROOT / "tools" / "compose.py"


def check_description(description):
    """Refuses a wrong name before anything is built for it."""
    if description.is_dir():
        raise Failure(f"{places.shown(description)}: is a folder; name the .system file in it")
    if not description.is_file():
        raise Failure(f"{places.shown(description)}: there is no such system description")


def compose(description, image, extra_path=(), flavour="debug"):
    """Turns a .system file into an image with a report and a page beside it; the composer's
    messages name file and line."""
    check_description(description)
    image.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nacre-image-") as folder:
        made = pathlib.Path(folder) / image.name
        compose_to(made, description, image, extra_path, flavour)
        # An unchanged image keeps its time, so that no ISO is packed anew for it.
        if not (image.exists() and filecmp.cmp(made, image, shallow=False)):
            output.write(image, made.read_bytes())


def expand(description, target=None):
    """The description without short elements: printed, or written to a file."""
    check_description(description)
    with tempfile.TemporaryDirectory(prefix="nacre-expand-") as folder:
        made = pathlib.Path(folder) / "expanded.system"
        run_composer(description, ["--expand", made, *boot_images.words(description)])
        if target:
            output.write(target, made.read_bytes())
        else:
            print(made.read_text(), end="")


def check_board(description, board, extra_path=(), flavour="debug"):
    """The composer's complaints about a description on the machine of a board file."""
    with tempfile.TemporaryDirectory(prefix="nacre-board-") as folder:
        made = pathlib.Path(folder) / "system.img"
        run_composer(description, composing(description, made, made, extra_path, flavour)
                     + ["--machine", board])


def composing(description, made, image, extra_path, flavour):
    """The words by which the composer makes an image, with report and page beside `image`."""
    return [
        *boot_images.words(description), "--system-image", made, "--config", flavour,
        "-r", image.with_suffix(beside.REPORT),
        "--html", image.with_suffix(beside.PAGE), "--search-name",
        f"{places.shown(description.parent)} or among Nacre's components",
        "--search-path", *extra_path, description.parent, *build.search_path()]


def compose_to(made, description, image, extra_path, flavour):
    """The composer's image in the file `made`, its report and page beside the image."""
    run_composer(description, composing(description, made, image, extra_path, flavour))


def run_composer(description, words):
    """Its complaints end the command, its warnings are shown."""
    result = subprocess.run([sys.executable, "-B", COMPOSE, description, *words],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        said = [result.stdout.rstrip(), *programs.advice(description, result.stdout),
                *boot_images.advice(description)]
        raise Failure("\n".join([f"composing {places.shown(description)} failed:", *said]))
    if result.stdout.strip():
        print(result.stdout.rstrip(), file=sys.stderr)
