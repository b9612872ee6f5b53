# SPDX-License-Identifier: BSD-2-Clause
"""The files a description names: where they are found, and what regions are filled with."""
import os
from dataclasses import dataclass
from typing import Optional


@dataclass
class Content:
    """What a file holds, or why that is not known."""

    data: bytes = b""
    trouble: Optional[str] = None


@dataclass
class SearchPath:
    """Folders in the order in which files are looked for, and what messages call them all."""

    folders: list
    name: Optional[str] = None

    def title(self):
        # A folder that is given twice, or is the current one, too, is looked into once.
        return self.name or ", ".join(dict.fromkeys(map(os.path.normpath, self.folders)))


def find_file(path, search_path):
    if os.path.isabs(path):
        return path if os.path.isfile(path) else None
    for folder in search_path.folders:
        candidate = os.path.join(folder, path)
        if os.path.isfile(candidate):
            return candidate
    return None


def not_found(path, search_path):
    """Why find_file found none."""
    for folder in ([""] if os.path.isabs(path) else search_path.folders):
        candidate = os.path.join(folder, path)
        if os.path.isdir(candidate):
            return f"'{candidate}' is a directory"
        if os.path.exists(candidate):
            return f"'{candidate}' is not a regular file"
    if os.path.isabs(path):
        return f"'{path}' does not exist"
    return f"'{path}' not found in {search_path.title()}"


def _content(name, search_path):
    path = find_file(name, search_path)
    if path is None:
        return Content(trouble=f"file {not_found(name, search_path)}")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        return Content(trouble=f"file '{path}' cannot be read: {error.strerror}")
    return Content(data) if data else Content(trouble=f"file '{path}' is empty")


def contents(system, search_path):
    """The content of each file that fills a region, by the name the description gives it."""
    names = {region.prefill_path for region in system.regions if region.prefill_path is not None}
    return {name: _content(name, search_path) for name in sorted(names)}
