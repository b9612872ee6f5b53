# SPDX-License-Identifier: BSD-2-Clause
"""Loads the rows of tests/system: each file has ROWS of a name, a sentence and a check, and perhaps
ON_DEMAND, the same for tests that run only when they are named.

A check takes the row's log name and returns results; helpers here boot whole systems for it.
"""

import dataclasses
import functools
import importlib.util
import shutil
import threading
from collections.abc import Callable

from nacre import places
from nacre.pack import bzimage, iso, product, programs, system_image
from nacre.test import machine_tests, results


_making = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Row:
    """A system test."""

    name: str
    sentence: str
    check: Callable
    on_demand: bool = False


def rows():
    found = []
    for path in sorted((places.ROOT / "tests" / "system").glob("*.py")):
        specification = importlib.util.spec_from_file_location(f"system_{path.stem}", path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        found += [Row(*row) for row in module.ROWS]
        found += [Row(*row, on_demand=True) for row in getattr(module, "ON_DEMAND", ())]
    return found


def keyboard_to(number, name, prompt=None):
    """Steps that give a client of the serial driver the keyboard: at first the one that was ready
    first has it. With a prompt a shell is waited for, which shows it again."""
    steps = [("send", f"\x01{number}"), ("until", f"now belongs to {name}")]
    return steps + [("send", ""), ("until", prompt)] if prompt else steps


def judge(name, running, steps):
    """Runs a script on a machine: one result, and the text that the machine said."""
    with running:
        why, text, log = machine_tests.watch(running, f"system-{name}", steps)
        if why:
            return [results.failed(f"system/{name}", f"{why}\n{running.output(400)}", log)], text
    return [results.passed(f"system/{name}")], text


@functools.cache
def _demo_iso():
    return product.make_iso(places.DEMO, places.DEMO_ISO)


def demo_iso():
    """The demo's ISO, made once a run although tests run side by side."""
    with _making:
        return _demo_iso()


@functools.cache
def _inflated_kernel():
    return bzimage.inflated(places.GUEST_KERNEL.read_bytes())


def inflated_kernel():
    """Debian's kernel, inflated here and not in each emulated machine; `guest-shell` boots the
    original."""
    with _making:
        return _inflated_kernel()


def changed_iso(name, change):
    """The demo's ISO with `change(modules)` applied to copies of its modules."""
    folder = places.BUILD / "system-tests" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    demo_iso()
    kernel, modules = product.system_files(places.DEMO_ISO.with_suffix(".img"), "debug")
    copies = {module: shutil.copyfile(source, folder / module)
              for module, source in modules.items()}
    change(copies)
    target = folder / f"{name}.iso"
    iso.pack_nacre(target, kernel, copies)
    return target


def replaced_iso(name, replacements, edit=None, system=places.DEMO):
    """A system composed anew: files of its search path replaced, its description edited."""
    folder = places.BUILD / "system-tests" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file, data in replacements.items():
        (folder / file).write_bytes(data)
    text = system.read_text()
    description = folder / f"{name}.system"
    description.write_text(edit(text) if edit else text)
    image = folder / "system.img"
    system_image.compose(description, image, (folder, programs.ensure(system)))
    kernel, modules = product.system_files(image, "debug")
    target = folder / f"{name}.iso"
    iso.pack_nacre(target, kernel, modules)
    return target


def system_iso(name, description):
    """A description's ISO, with Debian's kernel inflated."""
    return replaced_iso(name, {places.GUEST_KERNEL.name: inflated_kernel()}, lambda _: description)


def composed_clients(name, source, *disks):
    """The packed image of a system with a client for each of these <disk> elements, the first most
    important; its program is this C file."""
    folder = places.BUILD / "system-tests" / name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, folder)
    domains = "".join(
        f'<protection_domain name="{source.stem}{index}" program="{source.stem}.elf" '
        f'priority="{100 - index}">{disk}</protection_domain>\n'
        for index, disk in enumerate(disks))
    description = folder / f"{name}.system"
    description.write_text(f"<system>{domains}</system>\n")
    return product.compose(description, folder / f"{name}.img")
