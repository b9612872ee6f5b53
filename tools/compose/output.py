# SPDX-License-Identifier: BSD-2-Clause
"""Writes results. A regular file is replaced all at once, so that a failure leaves no half file;
symbolic links are followed; anything else (a device, a pipe) is written through, never replaced."""
import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile

REFUSALS = {errno.EPIPE: "the output was closed", errno.ENOSPC: "the output was full"}


def is_replaced(path):
    """Whether a file of ours may replace the present one."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return True


def _copy_through(source, target):
    """O_CREAT is left out: the target exists, and stays what it is."""
    with open(source, "rb") as data, \
            open(os.open(target, os.O_WRONLY | os.O_TRUNC), "wb") as output:
        shutil.copyfileobj(data, output)


def _mode(path):
    """What the file's mode is to be: that of the one replaced, else as for any new file."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


@contextlib.contextmanager
def making(path):
    """The path of a new file to fill, which takes the place of `path` when all went well. Its name
    is unique, so that commands that run side by side write whole files."""
    path = os.fspath(path)
    replaced = is_replaced(path)
    # A pipe behind /dev/stdout has no path of its own.
    target = os.path.realpath(path) if replaced else path
    folder, name = os.path.split(target)
    try:
        handle, partial = tempfile.mkstemp(
            prefix=f".{name}.", dir=folder if replaced else None)
    except OSError as error:
        error.filename = path
        raise
    os.close(handle)
    try:
        yield partial
        if replaced:
            os.chmod(partial, _mode(target))
            os.replace(partial, target)
        else:
            _copy_through(partial, target)
    except OSError as error:
        if error.filename in (None, partial, target):
            error.filename = path
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)


def write(path, data):
    """Writes bytes, or text as UTF-8."""
    with making(path) as partial:
        with open(partial, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)


def write_all(files):
    """Writes each (path, data), all of them or, where one cannot be written, none."""
    with contextlib.ExitStack() as stack:
        for path, data in files:
            partial = stack.enter_context(making(path))
            with open(partial, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)


@contextlib.contextmanager
def folder(path):
    """A folder that is there while files are written into it; one that was made for them goes when
    that fails."""
    is_new = not os.path.isdir(path)
    os.makedirs(path, exist_ok=True)
    try:
        yield
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):
                os.rmdir(path)
        raise


def run(act, name):
    """The status that `act` returns; 1 and a line when the output takes no more: its
    reader has closed it, or the disk is full."""
    try:
        try:
            return act()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in REFUSALS:
            raise
        # What is still buffered would fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"{name}: {REFUSALS[error.errno]} before all of it was written", file=sys.stderr)
        return 1
