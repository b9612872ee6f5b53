// SPDX-License-Identifier: BSD-2-Clause
// The CPU by its own words (SDM 2A, CPUID; APM 3, appendix E), and what the kernel made of it.
#include <root/report/report.h>

#include <abi/bootinfo.h>
#include <x86/cpuid.h>
#include <x86/instructions.h>

#include <user/print.h>
#include <user/root/root.h>

enum {
	LEAF_NAME = 0x80000002u, // and the next two
	LEAF_ADDRESSES = 0x80000008u,
	NAME_LEAVES = 3,
	VENDOR_SIZE = 12,
};

static void print_name(void) {
	struct cpuid leaves[NAME_LEAVES] = {0};
	const char *name = (const char *)leaves;

	for (unsigned i = 0; i < NAME_LEAVES; i++)
		leaves[i] = cpuid(LEAF_NAME + i, 0);
	while (name < (const char *)(leaves + 1) && *name == ' ')
		name++;
	report_text("name", name, (seL4_Word)((const char *)(leaves + NAME_LEAVES) - name));
}

static void print_vendor(void) {
	struct cpuid leaf = cpuid(0, 0);
	const uint32_t words[] = {leaf.ebx, leaf.edx, leaf.ecx};

	report_text("vendor", (const char *)words, VENDOR_SIZE);
}

static unsigned has_svm(void) {
	return cpuid(LEAF_EXTENDED, 0).eax >= LEAF_SVM &&
		cpuid(LEAF_EXTENDED_FEATURES, 0).ecx & EXTENDED_ECX_SVM;
}

void report_processor(const seL4_BootInfo *bootinfo) {
	const seL4_BootInfoHeader *rate = bootinfo_find(bootinfo, BOOTINFO_TSC_RATE);
	uint32_t most = cpuid(LEAF_EXTENDED, 0).eax, features = cpuid(1, 0).ecx;

	print("report: cpu");
	print_vendor();
	if (most >= LEAF_NAME + NAME_LEAVES - 1) print_name();
	print(" signature=0x%x address-bits=%u vt-x=%u amd-v=%u hypervisor=%u\n", cpuid(1, 0).eax,
		most >= LEAF_ADDRESSES ? cpuid(LEAF_ADDRESSES, 0).eax & 0xff : 36,
		!!(features & LEAF_1_ECX_VMX), has_svm(), !!(features & LEAF_1_ECX_HYPERVISOR));
	print("report: kernel cores=%lu tsc-hz=%lu iommu-levels=%lu\n", bootinfo->numNodes,
		rate ? *(const uint64_t *)(rate + 1) : 0,
		bootinfo->numIOPTLevels == ~0ul ? 0 : bootinfo->numIOPTLevels);
}
