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


def find_file(path, search_paths):
    if os.path.isabs(path):
        return path if os.path.isfile(path) else None
    for folder in search_paths:
        candidate = os.path.join(folder, path)
        if os.path.isfile(candidate):
            return candidate
    return None


def not_found(path, search_paths):
    """Why find_file found none."""
    for folder in ([""] if os.path.isabs(path) else search_paths):
        candidate = os.path.join(folder, path)
        if os.path.isdir(candidate):
            return f"'{candidate}' is a directory"
        if os.path.exists(candidate):
            return f"'{candidate}' is not a regular file"
    if os.path.isabs(path):
        return f"'{path}' does not exist"
    # A folder that is given twice, or is the current one, too, was looked into once.
    folders = dict.fromkeys(os.path.normpath(folder) for folder in search_paths)
    return f"'{path}' not found in {', '.join(folders)}"


def _content(name, search_paths):
    path = find_file(name, search_paths)
    if path is None:
        return Content(trouble=f"file {not_found(name, search_paths)}")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        return Content(trouble=f"file '{path}' cannot be read: {error.strerror}")
    return Content(data) if data else Content(trouble=f"file '{path}' is empty")


def contents(system, search_paths):
    """The content of each file that fills a region, by the name the description gives it."""
    names = {region.prefill_path for region in system.regions if region.prefill_path is not None}
    return {name: _content(name, search_paths) for name in sorted(names)}
