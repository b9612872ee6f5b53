# SPDX-License-Identifier: BSD-2-Clause
"""Configures and builds with Meson and Ninja, and finds what they made."""

import contextlib
import fcntl
import json
import os
import shlex
import shutil
import subprocess

from nacre import packages, places
from nacre.report import Failure, run_logged, step, warn

# Where Meson puts what it makes; other folders of the build directory hold systems made of it.
ROOMS = ("src", "tests", "bench", "examples/root-task", "tools/plugin")
COMPILER_RECORD = "compiler"
MADE_FILES = ("build.ninja", "compile_commands.json", ".ninja_log", ".ninja_deps",
              COMPILER_RECORD)
MADE_FOLDERS = ("meson-info", "meson-logs", "meson-private", *ROOMS)


@contextlib.contextmanager
def alone(name, doing):
    """Of several `./nacre` one at a time does this in a build directory; the others wait."""
    places.BUILD.mkdir(parents=True, exist_ok=True)
    with open(places.BUILD / name, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step(f"waiting: another ./nacre {doing} in {places.shown(places.BUILD)}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def building_alone():
    """Two Ninjas in a directory would each take the other's half-made files for done. The
    compilers hold the lock as well, so those of a command that was killed are waited for."""
    return alone("lock", "builds")


def testing_alone():
    """Tests leave records and logs in the build directory, each under one name."""
    return alone("test-lock", "tests")


def introspected(name):
    """What Meson recorded about the build directory."""
    return json.loads((places.BUILD / "meson-info" / f"intro-{name}.json").read_text())


def is_ours():
    """Whether the build directory was set up for this tree and this place. Meson writes absolute
    paths, so a copy of it would build what it was copied from."""
    try:
        text = (places.BUILD / "meson-info" / "meson-info.json").read_text()
        folders = json.loads(text)["directories"]
        return (os.path.realpath(folders["source"]) == os.path.realpath(places.ROOT)
                and os.path.realpath(folders["build"]) == os.path.realpath(places.BUILD))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def clear():
    """Takes away what Meson and Ninja made; what was downloaded for guests and all else stays."""
    for name in MADE_FILES:
        (places.BUILD / name).unlink(missing_ok=True)
    for name in MADE_FOLDERS:
        shutil.rmtree(places.BUILD / name, ignore_errors=True)


def check_compiler():
    """A build directory stays with the compiler it was made with."""
    record = places.BUILD / COMPILER_RECORD
    made_with = record.read_text() if record.exists() else shlex.join(places.COMPILER)
    if "CC" in os.environ and made_with != shlex.join(places.COMPILER):
        raise Failure(f"{places.shown(places.BUILD)} builds with `{made_with}`, and CC is "
                      f"`{shlex.join(places.COMPILER)}`: remove it, or name another folder by "
                      "NACRE_BUILD")


def has_strict_warnings():
    return any(option["name"] == "werror" and option["value"]
               for option in introspected("buildoptions"))


def set_strict_warnings(strict):
    run_logged(["meson", "configure", places.BUILD, f"-Dwerror={str(strict).lower()}"],
               "configure")


def configure(strict):
    """Sets the build directory up; Ninja repeats it by itself when a meson.build changes. Once
    tests were built in it, warnings stay errors there: to change that would compile all anew."""
    if (places.BUILD / "build.ninja").exists() and not is_ours():
        step(f"{places.shown(places.BUILD)} was made for another place: building anew")
        clear()
    if not (places.BUILD / "build.ninja").exists():
        step("configuring the build")
        run_logged(["meson", "setup", places.BUILD, places.ROOT, f"-Dwerror={str(strict).lower()}"],
                   "configure", env={**os.environ, "CC": shlex.join(places.COMPILER)})
        (places.BUILD / COMPILER_RECORD).write_text(shlex.join(places.COMPILER))
        return
    check_compiler()
    if strict and not has_strict_warnings():
        set_strict_warnings(True)


def unit_tests():
    """Programs of unit tests: not every Meson builds them with all the rest."""
    return [os.path.relpath(test["cmd"][0], places.BUILD) for test in introspected("tests")]


def run_ninja(targets, lock):
    """A build with nothing to do stays quiet."""
    command = ["ninja", "-C", str(places.BUILD)]
    idle = subprocess.run([*command, "-n", *targets], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if idle.returncode != 0 or "no work to do" not in idle.stdout:
        step("building")
        run_logged([*command, *targets], "build", pass_fds=[lock])


def compile_all():
    """Builds every target; a mere warning of the compiler stops it only where tests are built."""
    packages.ensure(packages.BUILD)
    with building_alone() as lock:
        configure(strict=False)
        try:
            run_ninja(["all"], lock)
        except Failure:
            if not has_strict_warnings():
                raise
            warn("the build failed where warnings are errors, as the tests want it: "
                 "building again where they are not")
            set_strict_warnings(False)
            run_ninja(["all"], lock)


def compile_for_tests():
    """Builds every target and the unit tests; warnings are errors."""
    packages.ensure(packages.BUILD)
    with building_alone() as lock:
        configure(strict=True)
        # The list of tests is of the last configuration: tests may have come and gone since.
        run_ninja(["build.ninja"], lock)
        run_ninja(["all", *unit_tests()], lock)


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
