# SPDX-License-Identifier: BSD-2-Clause
"""Numbers that are in our C headers and that the composer needs: sizes of objects, slots, limits,
addresses. They are read there, so that none is written twice."""
import pathlib
import re
import types

HERE = pathlib.Path(__file__).resolve().parent
HEADERS = ("include/abi/object.h", "include/abi/bootinfo.h", "include/microkit.h",
           "src/user/microkit/domain.h")
# In an SDK the headers are in a folder of the tool's own.
COPIES = HERE / "contract"
NUMBER = re.compile(r"^(?:\t|#define )([A-Z]\w+)(?: = | )(0x[0-9a-f]+|\d+)(?:u?l)?(?=[,\s])",
                    re.MULTILINE)


def path_of(header):
    copy = COPIES / pathlib.Path(header).name
    return copy if copy.is_file() else HERE.parents[1] / header


def _numbers():
    return {name: int(value, 0) for header in HEADERS
            for name, value in NUMBER.findall(path_of(header).read_text())}


# ABI.TCB_BITS and so on.
ABI = types.SimpleNamespace(**_numbers())
