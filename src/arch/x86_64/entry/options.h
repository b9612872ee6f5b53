// SPDX-License-Identifier: BSD-2-Clause
// The kernel's command line: name=value, separated by spaces (docs/reference/boot-options.md).
#pragma once

#include <cpu/mitigations.h>

enum console_mode { CONSOLE_ALL, CONSOLE_SERIAL, CONSOLE_SCREEN };
enum log_mode { LOG_AUTO, LOG_ALL, LOG_NONE };

enum option {
	OPTION_SERIAL, // port; 0: no console
	OPTION_CONSOLE, // enum console_mode
	OPTION_LOG, // enum log_mode
	OPTION_ROOT_CNODE, // bits; 0: by the memory there is
	OPTION_TSC, // kilohertz; 0: to be measured
	OPTION_CORES, // how many are started, with the first
	OPTION_DOMAINS, // how many there are
	OPTION_PANIC, // 1: reboots
	OPTION_SELF_TEST, // this and the next: the initial task's (struct bootinfo_options)
	OPTION_REPORT,
	OPTION_PCID, // enum option_mode, as are all that follow
	OPTION_X2APIC, // this and the next three: off hides the feature (options_hidden)
	OPTION_DEADLINE,
	OPTION_VMX,
	OPTION_SVM,
	OPTION_FAST_PATHS,
	OPTION_IOMMU, // off: devices reach all memory
	OPTION_BIG_LOCK, // on: no fast paths where several cores are up
	OPTION_MITIGATIONS, // one each from here on
	OPTIONS = OPTION_MITIGATIONS + MITIGATION_OPTIONS,
};

// The value of each option; of one that is given twice the last valid value. Complains, if asked
// to, in one line for each word that is no option, or has an invalid value.
void options_read(const char *command_line, unsigned options[OPTIONS], bool complains);

// Features of the CPU that are not to be used, 1 << enum feature.
uint64_t options_hidden(const unsigned options[OPTIONS]);

// The command line without the kernel's own name, which some loaders pass as the first word.
const char *options_behind_name(const char *command_line);

// A longer command line was cut: removes the rest of its last word, and returns that.
const char *options_cut(char *command_line);
