// SPDX-License-Identifier: BSD-2-Clause
// What real processors say of themselves, and which mitigations follow; and the options that change
// the choice.
#include "../check.h"

#include <abi/bootinfo.h>
#include <base/compiler.h>
#include <base/panic.h>
#include <cpu/console.h>
#include <cpu/mitigations.h>
#include <cpu/features.h>
#include <abi/bootinfo.h>
#include <entry/options.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86/cpuid.h>
#include <x86/msr.h>

static char printed[512];

void panic(const char *, ...) { abort(); }

void print(const char *format, ...) {
	size_t length = strlen(printed);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(printed + length, sizeof(printed) - length, format, arguments);
	va_end(arguments);
}

static const struct row {
	const char *name;
	struct cpu_facts facts;
	const char *on; // in the order of enum mitigation; + follow-ups
	const char *lacking;
	uint32_t spec_ctrl;
} rows[] = {
	{"Atom D525", {.vendor = VENDOR_INTEL, .family = 6, .model = 0x1c}, "", "", 0},
	{"Skylake-X without microcode (Bochs)",
		{.vendor = VENDOR_INTEL, .family = 6, .model = 0x55, .leaf_1_ecx = LEAF_1_ECX_VMX},
		"kpti rsb eager-fpu itlb-multihit", "verw l1d-flush ibrs ibpb", 0},
	{"Skylake",
		{.vendor = VENDOR_INTEL,
			.family = 6,
			.model = 0x5e,
			.leaf_1_ecx = LEAF_1_ECX_VMX,
			.leaf_7_ebx = LEAF_7_EBX_RTM | LEAF_7_EBX_AVX2,
			.leaf_7_edx = 0x9c000400},
		"kpti verw l1d-flush ibrs ibpb rsb eager-fpu itlb-multihit ibrs-entry", "gds",
		SPEC_CTRL_IBRS},
	{"Skylake, VT-x switched off",
		{.vendor = VENDOR_INTEL, .family = 6, .model = 0x5e, .leaf_7_edx = 0x9c000400},
		"kpti verw ibrs eager-fpu ibrs-entry", "", SPEC_CTRL_IBRS},
	{"Cascade Lake with TSX",
		{.vendor = VENDOR_INTEL,
			.family = 6,
			.model = 0x55,
			.stepping = 7,
			.leaf_1_ecx = LEAF_1_ECX_VMX,
			.leaf_7_ebx = LEAF_7_EBX_RTM | LEAF_7_EBX_AVX2,
			.leaf_7_edx = 0xbc000400,
			.capabilities = 0xab},
		"verw ibrs ibpb rsb eager-fpu bhi swapgs its itlb-multihit bhi-sequence", "gds",
		SPEC_CTRL_IBRS},
	{"Cascade Lake, TSX switched off",
		{.vendor = VENDOR_INTEL,
			.family = 6,
			.model = 0x55,
			.stepping = 7,
			.leaf_1_ecx = LEAF_1_ECX_VMX,
			.leaf_7_edx = 0xbc000400,
			.capabilities = 0xab | ARCH_GDS_CTRL},
		"ibrs ibpb rsb eager-fpu bhi swapgs its itlb-multihit bhi-sequence", "",
		SPEC_CTRL_IBRS},
	{"Ice Lake: stale data of MMIO",
		{.vendor = VENDOR_INTEL,
			.family = 6,
			.model = 0x6a,
			.leaf_1_ecx = LEAF_1_ECX_VMX,
			.leaf_7_ebx = LEAF_7_EBX_AVX2,
			.leaf_7_edx = 0xbc000400,
			.capabilities = 0x2016b | ARCH_GDS_CTRL},
		"verw ibrs ibpb rsb eager-fpu bhi swapgs gds bhi-sequence", "", SPEC_CTRL_IBRS},
	{"Tiger Lake behind a fix for BHI",
		{.vendor = VENDOR_INTEL,
			.family = 6,
			.model = 0x8c,
			.leaf_7_ebx = LEAF_7_EBX_AVX2,
			.leaf_7_edx = 0xbc000400,
			.capabilities = 0x10016b | 1ul << 26},
		"ibrs eager-fpu swapgs", "", SPEC_CTRL_IBRS},
	{"Goldmont",
		{.vendor = VENDOR_INTEL, .family = 6, .model = 0x5c, .leaf_1_ecx = LEAF_1_ECX_VMX},
		"kpti rsb eager-fpu", "verw l1d-flush ibrs ibpb", 0},
	{"Gracemont: stale registers",
		{.vendor = VENDOR_INTEL,
			.family = 6,
			.model = 0xbe,
			.leaf_1_ecx = LEAF_1_ECX_VMX,
			.leaf_7_edx = 0xbc000400,
			.capabilities = 0x1100e16b},
		"verw ibrs ibpb eager-fpu bhi swapgs bhi-sequence", "", SPEC_CTRL_IBRS},
	{"Sapphire Rapids",
		{.vendor = VENDOR_INTEL,
			.family = 6,
			.model = 0x8f,
			.leaf_1_ecx = LEAF_1_ECX_VMX,
			.leaf_7_ebx = LEAF_7_EBX_RTM,
			.leaf_7_edx = 0xbc000400,
			.leaf_7_2_edx = LEAF_7_2_EDX_BHI_CTRL,
			.capabilities = 0x100e16b | 1ul << 8},
		"ibrs ibpb eager-fpu bhi swapgs", "", SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S},
	{"K10", {.vendor = VENDOR_AMD, .family = 0x10, .model = 4}, "lfence x87-pointers", "ibrs",
		0},
	{"Griffin", {.vendor = VENDOR_AMD, .family = 0x11, .model = 3}, "x87-pointers", "ibrs", 0},
	{"Zen", {.vendor = VENDOR_AMD, .family = 0x17, .model = 1, .amd_8_ebx = 0x1007},
		"lfence div0", "ibrs", 0},
	{"Zen 2, first microcode",
		{.vendor = VENDOR_AMD,
			.family = 0x17,
			.model = 0x31,
			.microcode = 0x0830107a,
			.amd_8_ebx = 0x1007},
		"lfence zenbleed", "ibrs", 0},
	{"Zen 2, cured",
		{.vendor = VENDOR_AMD,
			.family = 0x17,
			.model = 0x31,
			.microcode = 0x0830107b,
			.amd_8_ebx = 0x1007},
		"lfence", "ibrs", 0},
	{"Zen 2 of a model whose revisions are numbered higher",
		{.vendor = VENDOR_AMD,
			.family = 0x17,
			.model = 0x47,
			.microcode = 0x08407004,
			.amd_8_ebx = 0x1007},
		"lfence zenbleed", "ibrs", 0},
	{"Zen 2 below a hypervisor",
		{.vendor = VENDOR_AMD,
			.family = 0x17,
			.model = 0x31,
			.leaf_1_ecx = LEAF_1_ECX_HYPERVISOR,
			.amd_8_ebx = 0x1007},
		"", "ibrs", 0},
	{"Zen 3",
		{.vendor = VENDOR_AMD,
			.family = 0x19,
			.model = 0x21,
			.amd_8_ebx = 0x111ef657,
			.amd_21_eax = 0x4d},
		"verw ibrs ibrs-entry", "", SPEC_CTRL_IBRS},
	{"Zen 3 below a hypervisor that says nothing of VERW",
		{.vendor = VENDOR_AMD,
			.family = 0x19,
			.model = 0x21,
			.leaf_1_ecx = LEAF_1_ECX_HYPERVISOR,
			.amd_8_ebx = 0x111ef657,
			.amd_21_eax = 0x4d},
		"ibrs ibrs-entry", "verw", SPEC_CTRL_IBRS},
	{"Zen 4",
		{.vendor = VENDOR_AMD,
			.family = 0x19,
			.model = 0x61,
			.amd_8_ebx = 0x791ef257,
			.amd_21_eax = 0x62fcf},
		"verw ibrs", "", 0},
	{"Zen 5",
		{.vendor = VENDOR_AMD,
			.family = 0x1a,
			.model = 0x44,
			.amd_8_ebx = 0x791ef257,
			.amd_21_eax = 0x62fcf,
			.amd_21_ecx = 6},
		"ibrs", "", 0},
	{"QEMU without virtualisation",
		{.vendor = VENDOR_AMD,
			.family = 0xf,
			.model = 0x6b,
			.leaf_1_ecx = LEAF_1_ECX_HYPERVISOR},
		"x87-pointers", "ibrs", 0},
	{"unknown maker", {.vendor = VENDOR_OTHER, .family = 7}, "kpti eager-fpu", "verw ibrs", 0},
};

static const char *names_of(uint32_t set) {
	static char text[2][128];
	static unsigned next;
	char *result = text[next++ % 2];

	result[0] = 0;
	for (unsigned i = 0; i < MITIGATION_OPTIONS; i++)
		if (set >> i & 1) strcat(strcat(result, result[0] ? " " : ""), mitigation_names[i]);
	if (set & MITIGATION_BIT(IBRS_ENTRY)) strcat(result, " ibrs-entry");
	if (set & MITIGATION_BIT(IBPB_SPACES)) strcat(result, " ibpb-spaces");
	if (set & MITIGATION_BIT(BHI_SEQUENCE)) strcat(result, " bhi-sequence");
	return result;
}

static void processors(void) {
	const unsigned modes[MITIGATION_OPTIONS] = {};

	for (unsigned i = 0; i < array_count(rows); i++) {
		struct mitigations mitigations = mitigations_choose(&rows[i].facts, modes);

		check_about(rows[i].name);
		check(strcmp(names_of(mitigations.on), rows[i].on) == 0);
		check(strcmp(names_of(mitigations.lacking), rows[i].lacking) == 0);
		check(mitigations.spec_ctrl == rows[i].spec_ctrl);
	}
}

static struct mitigations choose(const char *name, const char *command_line) {
	unsigned options[OPTIONS];

	options_read(command_line, options, false);
	for (unsigned i = 0; i < array_count(rows); i++) {
		check_about(rows[i].name);
		if (strcmp(rows[i].name, name) == 0)
			return mitigations_choose(&rows[i].facts, options + OPTION_MITIGATIONS);
	}
	abort();
}

static void modes(void) {
	struct mitigations mitigations = choose(
		"Skylake", "verw=off kpti=off l1d-flush=off ibrs=off gds=off");

	check(strcmp(names_of(mitigations.on), "ibpb rsb eager-fpu swapgs itlb-multihit") == 0);
	check(!mitigations.lacking && !mitigations.spec_ctrl);
	mitigations = choose("Zen 4", "kpti=on ibpb=on ssbd=on lfence=on l1d-flush=on");
	check(strcmp(names_of(mitigations.on), "kpti verw ibrs ibpb ssbd ibpb-spaces") == 0);
	check(strcmp(names_of(mitigations.lacking), "l1d-flush lfence") == 0);
	check(mitigations.spec_ctrl == SPEC_CTRL_SSBD);
	mitigations = choose("Skylake", "ibpb=auto rsb=off");
	check(strcmp(names_of(mitigations.on),
		      "kpti verw l1d-flush ibrs ibpb eager-fpu itlb-multihit ibrs-entry") == 0);
	mitigations = choose("Goldmont", "itlb-multihit=on kpti=off rsb=off eager-fpu=off");
	check(strcmp(names_of(mitigations.on), "swapgs itlb-multihit") == 0);
	mitigations = choose("Atom D525", "ibpb=on rsb=on");
	check(strcmp(names_of(mitigations.on), "rsb") == 0);
	check(strcmp(names_of(mitigations.lacking), "ibpb") == 0);
}

static void options_all(void) {
	unsigned options[OPTIONS];

	options_read("", options, false);
	check(options[OPTION_SERIAL] == CONSOLE_DEFAULT_PORT && options[OPTION_LOG] == 0);
	check(options[OPTION_FAST_PATHS] == MODE_AUTO && options[OPTION_CORES] == 64);
	check(options[OPTION_PCID] == MODE_AUTO &&
		options[OPTION_MITIGATIONS + MITIGATION_KPTI] == MODE_AUTO);
	options_read(
		"kernel serial=0x2f8 log=none pcid=off kpti=one verw=o ibrs=on", options, false);
	check(options[OPTION_SERIAL] == 0x2f8 && options[OPTION_LOG] == LOG_NONE &&
		options[OPTION_PCID] == MODE_OFF);
	check(options[OPTION_MITIGATIONS + MITIGATION_KPTI] == MODE_AUTO);
	check(options[OPTION_MITIGATIONS + MITIGATION_VERW] == MODE_AUTO);
	check(options[OPTION_MITIGATIONS + MITIGATION_IBRS] == MODE_ON);
	options_read("serial=3f8 log=some root-cnode-bits=11", options, false);
	check(options[OPTION_SERIAL] == CONSOLE_DEFAULT_PORT && options[OPTION_LOG] == 0);
	check(options[OPTION_ROOT_CNODE] == 0);
	options_read("root-cnode-bits=17 serial=0xfffff log=al", options, false);
	check(options[OPTION_ROOT_CNODE] == 17 && options[OPTION_SERIAL] == CONSOLE_DEFAULT_PORT);
	check(options[OPTION_LOG] == 0);
	options_read("serial=0x3: tsc=239918:", options, false);
	check(options[OPTION_SERIAL] == CONSOLE_DEFAULT_PORT && options[OPTION_TSC] == 0);
	options_read("log=all log=auto tsc=0x1000 root-cnode-bits=0 serial=0x0", options, false);
	check(options[OPTION_LOG] == LOG_AUTO && options[OPTION_TSC] == 0x1000);
	check(options[OPTION_ROOT_CNODE] == 0 && options[OPTION_SERIAL] == CONSOLE_DEFAULT_PORT);
	options_read("serial=none fastpath=off pcid=1", options, false);
	check(options[OPTION_PCID] == MODE_AUTO);
	check(options[OPTION_SERIAL] == 0 && options[OPTION_FAST_PATHS] == MODE_OFF);
	check(options[OPTION_TSC] == 0);
	options_read("tsc=2399184", options, false);
	check(options[OPTION_TSC] == 2399184);
	check(options[OPTION_CONSOLE] == CONSOLE_ALL && options[OPTION_PANIC] == 0);
	check(options_hidden(options) == 0);
	options_read("console=screen panic=reboot x2apic=off svm=on", options, false);
	check(options[OPTION_CONSOLE] == CONSOLE_SCREEN && options[OPTION_PANIC] == 1);
	check_equal(options_hidden(options), 1ul << FEATURE_X2APIC);
	options_read("x2apic=auto deadline=off vmx=off svm=off", options, false);
	check_equal(options_hidden(options),
		1ul << FEATURE_TSC_DEADLINE | 1ul << FEATURE_VMX | 1ul << FEATURE_SVM);
	options_read("selftest=off report=on", options, false);
	check(options[OPTION_SELF_TEST] == SELF_TEST_OFF && options[OPTION_REPORT] == 1);
	options_read("selftest=slow report=all", options, false);
	check(options[OPTION_SELF_TEST] == SELF_TEST_QUICK && options[OPTION_REPORT] == 0);
	options_read("cores=3", options, false);
	check(options[OPTION_CORES] == 3);
	options_read("cores=1 cores=0 cores=65 cores=all", options, false);
	check(options[OPTION_CORES] == 1);
	options_read("tsc=2399184000000", options, false);
	check(options[OPTION_TSC] == 0);
	options_read("xserial=0x1 serial=0x2f8  log=all serial log", options, false);
	check(options[OPTION_SERIAL] == 0x2f8 && options[OPTION_LOG] == LOG_ALL);
	options_read("log=all kpti=on log=none kpti=off kpti=perhaps", options, false);
	check(options[OPTION_LOG] == LOG_NONE &&
		options[OPTION_MITIGATIONS + MITIGATION_KPTI] == MODE_OFF);
}

static unsigned lines_printed(const char *command_line) {
	unsigned options[OPTIONS], lines = 0;

	printed[0] = 0;
	options_read(command_line, options, true);
	for (const char *at = printed; *at; at++)
		lines += *at == '\n';
	return lines;
}

static void complaints(void) {
	check(lines_printed("") == 0);
	check(lines_printed(" serial=none log=all  pcid=auto root-cnode-bits=16 ") == 0);
	check(lines_printed("/boot/kernel.elf debug=") == 2);
	check(lines_printed(options_behind_name(" /boot/kernel.elf  log=all debug")) == 1);
	check(strstr(printed, ": debug\n"));
	check(lines_printed(options_behind_name("log=some")) == 1);
	check(lines_printed("kpti=on verw=off l1d-flush=auto ssbd=on") == 0);
	check(lines_printed("kpti=maybe") == 1 && strstr(printed, "kpti=maybe\n"));
	check(lines_printed("kpt=on log=all KPTI=on") == 2 && strstr(printed, "kpt=on\n"));
	check(lines_printed("kpti=onn =on pcid= serial=0x root-cnode-bits=21 log=") == 6);
	check(lines_printed("tsc=2400000") == 0);
	check(lines_printed("tsc=2.4 tsc=2400x tsc= tsc=x tsc=4294967296 tsc=999") == 6);
}

static void cut_line(void) {
	char line[] = "/kernel log=all kpti=of";
	char word[] = "/kernel";

	check(strcmp(options_cut(line), "kpti=of") == 0 && strcmp(line, "/kernel log=all") == 0);
	check(options_cut(word) == word && strcmp(word, "/kernel") == 0);
}

static const struct test tests[] = {
	{"mitigations.processors", "each processor gets the mitigations its faults need",
		processors},
	{"mitigations.modes", "options switch each mitigation on or off", modes},
	{"options.values", "each option is read, and what is not said stays as it is", options_all},
	{"options.complaints", "a word that is no option is named in a line", complaints},
	{"options.cut", "a cut word is named and is no option", cut_line},
};

int main(void) { return check_run(tests, array_count(tests)); }
