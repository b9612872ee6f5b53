# SPDX-License-Identifier: BSD-2-Clause
"""Compiles the programs of a description that come as source: `NAME.elf` is made of `NAME.c`, or of
all C files of the folder `NAME/`, beside the description."""

import hashlib
import threading
import xml.etree.ElementTree

from compose import output
from nacre import build, places
from nacre.report import run_logged, step

COMPILE = (*places.COMPILER, "-std=gnu2x", "-g", "-O2", "-Wall", "-Wextra", "-ffreestanding",
           "-nostdlib", "-static", "-march=x86-64", "-mtune=generic", "-fno-pic", "-no-pie",
           "-fno-stack-protector", "-fno-asynchronous-unwind-tables")
LINK = ("-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-z,max-page-size=4096")
LINKER_SCRIPT = places.ROOT / "src" / "user" / "microkit" / "microkit.ld"
# In the order in which they are linked: the first uses the second.
LIBRARIES = ("libcomponents.a", "libmicrokit.a")
INCLUDE = (places.ROOT / "include", places.BUILD / "include", places.ROOT / "src")

# Systems are made side by side; two may be of one description.
_compiling = threading.Lock()


def elements(description, name):
    """The description's elements of that name, None if it cannot be read; what is wrong with it,
    the composer says."""
    try:
        return list(xml.etree.ElementTree.parse(description).iter(name))
    except (OSError, xml.etree.ElementTree.ParseError, LookupError, ValueError):
        return None


def named_programs(description):
    """The program files a description names."""
    names = {element.get(attribute)
             for kind, attribute in (("program_image", "path"), ("protection_domain", "program"))
             for element in elements(description, kind) or []}
    return sorted(name for name in names if name)


def sources_of(folder, program):
    """The C files a program is made of, none if it does not come as source."""
    stem = program.removesuffix(".elf")
    file = folder / f"{stem}.c"
    if file.is_file():
        return [file]
    return sorted((folder / stem).glob("*.c"))


def advice(description, complaint):
    """How to make the programs that the composer's complaint says are not found, a line each."""
    return [f"{name} is made of {name.removesuffix('.elf')}.c, or of the C files of the folder "
            f"{name.removesuffix('.elf')}/, if it is beside the description"
            for name in named_programs(description) if f"program '{name}' not found" in complaint]


def is_current(target, sources, libraries):
    if not target.exists():
        return False
    made = target.stat().st_mtime
    headers = [path for source in sources for path in source.parent.glob("*.h")]
    return all(path.stat().st_mtime <= made for path in [*sources, *headers, *libraries])


def compile_program(sources, target):
    libraries = [build.artefact(name) for name in LIBRARIES]
    if is_current(target, sources, libraries):
        return
    step(f"compiling {places.shown(target)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    includes = [word for folder in (sources[0].parent, *INCLUDE) for word in ("-I", folder)]
    with output.making(target) as partial:
        run_logged([*COMPILE, *includes, *sources, *libraries, f"-Wl,-T,{LINKER_SCRIPT}", *LINK,
                    "-o", partial], f"program-{target.stem}")


def ensure(description):
    """Compiles what the description needs and returns the folder it is in."""
    # Descriptions of one name in two folders have programs of their own.
    mark = hashlib.sha256(str(description.absolute().parent).encode()).hexdigest()[:8]
    target = places.BUILD / "programs" / f"{description.stem}-{mark}"
    for program in named_programs(description):
        sources = sources_of(description.parent, program)
        if sources:
            with _compiling:
                compile_program(sources, target / program)
    return target
