# SPDX-License-Identifier: BSD-2-Clause
"""The command: read, check, load, write; problems go to stderr and nothing is written."""
import argparse
import os
import sys

from compose.check import Checker
from compose.image import ImageWriter
from compose.problems import Problems
from compose.programs import Loader
from compose.reader import Reader
from compose.report import report
from compose.tree import read_tree


def compose(path, search_paths, problems):
    """The image as bytes and the report on it, or None with the problems recorded."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        problems.add(None, f"cannot be read: {error.strerror}")
        return None
    root = read_tree(data, problems)
    if root is None:
        return None
    system = Reader(problems).read(root)
    Checker(system, problems, search_paths).check()
    if problems.any():
        return None
    programs = Loader(system, problems, search_paths).load()
    if problems.any():
        return None
    return ImageWriter(system, programs).write(), report(system, programs)


def _arguments(words):
    parser = argparse.ArgumentParser(
        prog="compose.py", description="Compose a .system description into system.img."
    )
    parser.add_argument("system", help="the description")
    parser.add_argument("-o", "--output", default="system.img", help="image to write")
    parser.add_argument("-r", "--report", help="file for a readable list of what is in the image")
    parser.add_argument(
        "--search-path", action="append", default=[], metavar="DIR",
        help="where programs and prefill files are looked for; the current folder comes last",
    )
    return parser.parse_args(words)


def _write(path, data):
    """All or nothing: a failure leaves no half file behind."""
    partial = path + ".partial"
    with open(partial, "wb") as file:
        file.write(data)
    os.replace(partial, path)


def main(words):
    arguments = _arguments(words)
    problems = Problems(arguments.system)
    composed = compose(arguments.system, arguments.search_path + [os.curdir], problems)
    if composed is None:
        for text in problems.texts():
            print(text, file=sys.stderr)
        return 1
    image, text = composed
    try:
        _write(arguments.output, image)
        if arguments.report:
            _write(arguments.report, text.encode())
    except OSError as error:
        print(f"{error.filename}: cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(f"compose: {arguments.output}: {len(image)} bytes")
    return 0
