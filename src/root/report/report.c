// SPDX-License-Identifier: BSD-2-Clause
// The report from its first line, which has the version of the form, to its last.
#include <root/report/report.h>

#include <user/print.h>

enum { FORM = 1 };

void report_text(const char *name, const char *text, seL4_Word length) {
	while (length > 0 && text[length - 1] == ' ')
		length--;
	print(" %s=\"", name);
	for (seL4_Word i = 0; i < length && text[i]; i++) {
		if (text[i] >= ' ' && text[i] <= '~' && text[i] != '"') print("%c", text[i]);
	}
	print("\"");
}

void report_print(const seL4_BootInfo *bootinfo) {
	print("report: begin form=%u\n", FORM);
	report_processor(bootinfo);
	report_firmware();
	report_memory(bootinfo);
	report_tables(bootinfo);
	report_pci();
	print("report: end\n");
}
