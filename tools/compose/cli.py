# SPDX-License-Identifier: BSD-2-Clause
"""The command: read, check, load, write; problems go to stderr and nothing is written. Its options
are those of the Microkit tool, so that Makefiles written for that one call this one."""
import argparse
import contextlib
import json
import os
import sys

from compose import (boards, bundle, check, check_machine, files, objects, output, picture, sizes,
                     viper)
from compose.elf import ElfError
from compose.image import ImageWriter
from compose.machine import BoardError, Machine
from compose.problems import Problems
from compose.programs import Loader
from compose.reader import Reader
from compose.report import report
from compose.resolve import resolve
from compose.short.expand import expand
from compose.short.guest import BootFiles
from compose.short.text import as_xml
from compose.tree import read_tree


class Composed:
    """A system that passed all checks, and what is made of it."""

    def __init__(self, system, programs, config):
        self.system = system
        self.programs = programs
        self.config = config
        writer = ImageWriter(system, programs, config)
        self.image = writer.write()
        self.excess = list(writer.excess())
        self.report = report(system, programs, config)

    def document(self):
        return objects.as_document(self.system, self.programs, self.config.own_thread)

    def object_count(self):
        return sum(len(list(objects.domain_objects(self.system, domain)))
                   + sum(count for _, count in
                         objects.domain_frames(domain, self.programs[domain.name]))
                   for domain in self.system.domains)


def read_long(path, problems, boot_files):
    """The description's tree of long-hand elements, or None with the problems recorded."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        problems.add(None, f"cannot be read: {error.strerror}")
        return None
    root = read_tree(data, problems)
    if root is None:
        return None
    root = expand(root, problems, boot_files)
    problems.end_step()
    return root


def read_system(root, problems, board, config):
    """What the elements say, or None if they are of no system."""
    system = Reader(problems, board, config).read(root)
    problems.end_step()
    return system if root.name == "system" else None


def compose(path, search_path, problems, board=boards.DEFAULT_BOARD, config=boards.DEFAULT_CONFIG,
            boot_files=None, machine=None):
    """The composed system, or None with the problems recorded. It is checked against the machine,
    if there is one."""
    root = read_long(path, problems, boot_files or {})
    system = None if root is None else read_system(root, problems, board, config)
    if system is None:
        return None
    system = resolve(system, files.contents(system, search_path))
    check.check(system, problems)
    if machine:
        check_machine.check(system, problems, machine)
    programs = Loader(system, problems, search_path, config).load()
    if problems.any():
        return None
    composed = Composed(system, programs, config)
    for name, count, limit in composed.excess:
        problems.add(None, f"{count} {name}: at most {limit} are allowed")
    return None if problems.any() else composed


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        """Wrong words end with status 1, as with the Microkit tool."""
        self.print_usage(sys.stderr)
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(1)


def _arguments(words):
    parser = _Parser(
        prog="microkit", allow_abbrev=False,
        description="Composes a .system description and its programs into a bootable image.",
    )
    parser.add_argument("system", help="the description")
    parser.add_argument("-o", "--output", help="boot module to write (loader.img)")
    parser.add_argument("-r", "--report", help="list of everything in it (report.txt)")
    parser.add_argument("--board", choices=boards.BOARDS)
    parser.add_argument("--config", choices=boards.CONFIGS)
    parser.add_argument("--machine", metavar="FILE",
                        help="check the description against this board file, which `nacre inspect` "
                             "made")
    parser.add_argument(
        "--search-path", action="extend", nargs="+", default=[], metavar="DIR",
        help="where programs and prefill files are looked for; the current folder comes last",
    )
    parser.add_argument("--search-name", metavar="TEXT",
                        help="what problems call those folders, instead of listing them")
    parser.add_argument("--boot-files", action="append", nargs=4, default=[],
                        metavar=("IMAGE", "KERNEL", "INITRD", "ARGUMENTS"),
                        help="files that the disk image of this name boots; INITRD may be empty")
    parser.add_argument("--image-type", choices=("elf",), help="x86-64 has only elf")
    parser.add_argument("--override-kernel", metavar="FILE", help="take this kernel ELF")
    parser.add_argument("--capdl-json", metavar="FILE", help="objects and capabilities as JSON")
    parser.add_argument("--viper-output", metavar="DIR",
                        help="what each protection domain may do, as Viper functions: a file each")
    parser.add_argument(
        "--system-image", metavar="FILE",
        help="write only the packed system, for an ISO, without initial task and kernel",
    )
    parser.add_argument("--expand", metavar="FILE",
                        help="write only the description without short elements, as XML")
    parser.add_argument("--html", metavar="FILE", help="page with a picture of the system")
    parser.add_argument("--title", help="heading of that page; the description's name unless given")
    options = parser.parse_args(words)
    if not options.system_image and not options.expand:
        for name in ("board", "config"):
            if getattr(options, name) is None:
                choices = ", ".join(getattr(boards, name.upper() + "S"))
                parser.error(f"--{name} is needed: one of {choices}")
        options.output = options.output or "loader.img"
        options.report = options.report or "report.txt"
    return options


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _sdk_folder(options):
    """Where the kernel and the initial task of the board and configuration lie."""
    root = os.environ.get("MICROKIT_SDK") or os.path.join(
        os.path.dirname(os.path.abspath(sys.argv[0])), os.pardir
    )
    folder = os.path.join(root, "board", options.board, options.config, "elf")
    if not os.path.isdir(folder):
        raise ElfError(f": no such folder: {folder}; set MICROKIT_SDK to what `nacre sdk` made")
    return folder


def _bundle(options, composed):
    """The boot module, beside it the kernel in both containers, and lines that tell their sizes."""
    folder = _sdk_folder(options)
    module = bundle.bundle(_read(os.path.join(folder, "initialiser.elf")), composed.image)
    target = os.path.dirname(os.path.abspath(options.output))
    kernel = _read(options.override_kernel or os.path.join(folder, "sel4.elf"))
    files = [(options.output, module),
             (os.path.join(target, "sel4.elf"), kernel),
             (os.path.join(target, "sel4_32.elf"), bundle.as_elf32(kernel))]
    image = sizes.rounded(len(composed.image))
    task = sizes.rounded(len(module) - len(composed.image))
    return files, [
        f"MICROKIT|objects: {composed.object_count()}, description {image}",
        f"MICROKIT|initial task: {task}",
        f"MICROKIT|boot module: {options.output}, {sizes.rounded(len(module))}",
    ]


def _outputs(options, composed):
    """(path, contents) of every file asked for, and the lines to print once they are written."""
    files, lines = [(options.system_image, composed.image)], []
    if not options.system_image:
        files, lines = _bundle(options, composed)
    if options.report:
        files.append((options.report, composed.report))
    if options.capdl_json:
        files.append((options.capdl_json, json.dumps(composed.document(), indent=1) + "\n"))
    if options.viper_output:
        files += [(os.path.join(options.viper_output, name), text)
                  for name, text in viper.files(composed.system, composed.programs)]
    if options.html:
        title = options.title or os.path.basename(options.system)
        text, has_picture = picture.page(title, composed.system, composed.report)
        files.append((options.html, text))
        if not has_picture:
            print(f"{options.html}: {picture.MISSING}", file=sys.stderr)
    return files, lines


def _write_outputs(options, composed):
    files, lines = _outputs(options, composed)
    with contextlib.ExitStack() as stack:
        if options.viper_output:
            stack.enter_context(output.folder(options.viper_output))
        output.write_all(files)
    for line in lines:
        print(line)


def main(words):
    return output.run(lambda: _main(words), "microkit")


def _say(problems):
    for text in problems.warning_texts():
        print(text)
    for text in problems.texts():
        print(text, file=sys.stderr)


def _boot_files(options):
    return {image: BootFiles(kernel, initrd or None, arguments)
            for image, kernel, initrd, arguments in options.boot_files}


def _write_expanded(options, problems, board, config):
    """Whether it could: no file is looked for, the elements alone decide."""
    root = read_long(options.system, problems, _boot_files(options))
    is_right = (root is not None and read_system(root, problems, board, config) is not None
                and not problems.any())
    _say(problems)
    if is_right:
        output.write(options.expand, as_xml(root))
    return is_right


def _write_composed(options, problems, board, config):
    search_path = files.SearchPath(options.search_path + [os.curdir], options.search_name)
    machine = Machine(options.machine) if options.machine else None
    composed = compose(options.system, search_path, problems, board, config, _boot_files(options),
                       machine)
    _say(problems)
    if composed:
        _write_outputs(options, composed)
    return composed is not None


def _main(words):
    options = _arguments(words)
    problems = Problems(options.system)
    board = boards.BOARDS.get(options.board, boards.DEFAULT_BOARD)
    config = boards.CONFIGS.get(options.config, boards.DEFAULT_CONFIG)
    act = _write_expanded if options.expand else _write_composed
    try:
        return 0 if act(options, problems, board, config) else 1
    except ElfError as error:
        print(f"{options.system}: the boot module {error}", file=sys.stderr)
        return 1
    except BoardError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{error.filename}: cannot be read or written: {error.strerror}", file=sys.stderr)
        return 1
