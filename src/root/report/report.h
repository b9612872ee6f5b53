// SPDX-License-Identifier: BSD-2-Clause
// What the machine has, in lines of words `name=value` that people and tools/nacre/pc/inspect.py
// read (boot option `report`, docs/reference/boot-options.md#hardware-report).
//
// The folder: their order (report), and a file for each source of facts. What only the kernel knows
// is in the boot log above.
#pragma once

#include <sel4/sel4.h>

// Before anything is built. What it makes is given back by the caller.
void report_print(const seL4_BootInfo *bootinfo);

void report_processor(const seL4_BootInfo *bootinfo);
void report_memory(const seL4_BootInfo *bootinfo);
void report_firmware(void);
void report_tables(const seL4_BootInfo *bootinfo);
void report_pci(void);

// A text in quotes, without its quotes and what is not printable.
void report_text(const char *name, const char *text, seL4_Word length);
