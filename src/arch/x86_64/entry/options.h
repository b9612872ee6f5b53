// SPDX-License-Identifier: BSD-2-Clause
// The kernel's command line: name=value, separated by spaces (docs/reference/boot-options.md).
#pragma once

#include <cpu/defences.h>

struct options {
	uint16_t serial; // port; 0: no console
	char log; // first letter: all, none, or 0
	unsigned root_cnode_bits; // 0: by the memory there is
	unsigned tsc_kilohertz; // 0: to be measured
	enum wish pcid;
	enum wish fast_paths;
	enum wish defences[DEFENCE_OPTIONS];
};

void options_read(const char *command_line, struct options *options);

// The command line without the kernel's own name, which some loaders pass as the first word.
const char *options_behind_name(const char *command_line);

// A longer command line was cut: takes away what is left of its last word, and returns that.
const char *options_cut(char *command_line);

// One line for each word that is no option, or whose value is none of its values.
void options_warn(const char *command_line);
