# SPDX-License-Identifier: BSD-2-Clause
"""Writes <root/system_image.h>, the layout of system.img for the initial task.

usage: layout_header.py FILE.h"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from compose import layout  # noqa: E402

HEAD = """\
// SPDX-License-Identifier: BSD-2-Clause
// Layout of system.img, which the composer packs and the initial task reads. Written by the build
// from tools/compose/layout.py, by which the composer packs.
#pragma once

#include <stddef.h>
#include <stdint.h>
"""


def commented(line, comment):
    return f"\t{line} // {comment}\n" if comment else f"\t{line}\n"


def enumeration(constants):
    """Masks are written as shifts."""
    name = "" if constants is layout.LIMITS else f" system_{constants.name}"
    rows = []
    for row, value, *comment in constants.rows:
        shown = f"1 << {value.bit_length() - 1}" if constants.is_mask else value
        rows.append(commented(f"SYSTEM_{constants.prefix}{row} = {shown},", "".join(comment)))
    return f"enum{name} {{\n{''.join(rows)}}};\n"


def tables():
    names = "".join(f"\tSYSTEM_{name},\n" for name, _ in layout.TABLES.values())
    rows = "".join(f" \\\n\tROW(SYSTEM_{name}, struct system_{record.name}, {limit})"
                   for record, (name, limit) in layout.TABLES.items())
    return (f"enum system_table_kind {{\n{names}\tSYSTEM_TABLE_COUNT,\n}};\n\n"
            f"// ROW(table, record, most records)\n#define SYSTEM_TABLES(ROW){rows}\n")


def structure(record):
    """The struct, and that the compiler puts its fields where the composer packs them."""
    fields = "".join(commented(f"{kind.before} {name}{kind.behind};", "".join(comment))
                     for kind, name, *comment in record.fields)
    comment = f"// {record.comment}\n" if record.comment else ""
    places = "".join(
        f"_Static_assert(offsetof(struct system_{record.name}, {name}) == {record.offset(name)});\n"
        for name in record.names)
    return (f"{comment}struct system_{record.name} {{\n{fields}}};\n\n{places}"
            f"_Static_assert(sizeof(struct system_{record.name}) == {record.size});\n")


def header():
    defines = (f'#define SYSTEM_IMAGE_MAGIC "{layout.MAGIC.decode()}"\n'
               f"#define SYSTEM_ANY_ADDRESS {layout.ANY_ADDRESS:#x}ul\n"
               f"#define SYSTEM_SCREEN_ADDRESS {layout.SCREEN_ADDRESS:#x}ul\n"
               f"#define SYSTEM_NONE {layout.NONE:#x}u // in place of an index\n")
    parts = [defines, *map(enumeration, layout.CONSTANTS), tables(),
             *map(structure, layout.RECORDS)]
    return HEAD + "".join(f"\n{part}" for part in parts)


def main(words):
    if len(words) != 1:
        raise SystemExit(__doc__)
    pathlib.Path(words[0]).write_text(header())


if __name__ == "__main__":
    main(sys.argv[1:])
