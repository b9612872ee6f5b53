// SPDX-License-Identifier: BSD-2-Clause
#include <cpu/pcid.h>

#include <cpu/features.h>
#include <cpu/kernel_map.h>
#include <cpu/mitigations.h>

static bool is_isolated(void) { return this_cpu()->mitigations & MITIGATION_BIT(KPTI); }

static bool has_pcid(void) { return this_cpu()->kernel_cr3 & CR3_KEEP; }

unsigned pcid_of_kernel(void) { return this_cpu()->kernel_cr3 % PCIDS; }

void pcid_start(bool is_wanted) {
	struct cpu *cpu = this_cpu();

	cpu->kernel_cr3 = kernel_map_root_physical().value;
	if (is_wanted && feature_has(FEATURE_PCID) && feature_has(FEATURE_INVPCID)) {
		cr4_write(cr4_read() | CR4_PCIDE);
		cpu->kernel_cr3 |= CR3_KEEP | (is_isolated() ? PCIDS - 1 : 0);
	}
	cpu->space_root = pcid_kernel_root(kernel_map_root_physical().value);
	cr3_write(cpu->space_root);
}

uint64_t pcid_program_root(physical_t root, unsigned pcid) {
	return pcid && has_pcid() ? root.value | pcid | CR3_KEEP : root.value;
}

uint64_t pcid_kernel_root(uint64_t program_root) {
	return is_isolated() ? this_cpu()->kernel_cr3 : program_root;
}

bool pcid_is_loaded(const struct cpu *cpu, physical_t root) {
	return (cpu->space_root & PAGING_ADDRESS) == root.value;
}

// What is not loaded and has no PCID of its own is not remembered.
void pcid_invalidate(physical_t root, unsigned pcid, uint64_t address) {
	struct cpu *cpu = this_cpu();
	bool is_loaded = pcid_is_loaded(cpu, root);

	if (likely(is_loaded && address < NO_SPACE)) return tlb_invalidate_page(address);
	if (is_loaded && address == NO_SPACE) {
		cr3_write(cpu->space_root = kernel_map_root_physical().value);
		is_loaded = false;
	}
	if (has_pcid())
		tlb_invalidate(address < NO_SPACE ? TLB_ADDRESS : TLB_SPACE,
			is_loaded ? cpu->space_root % PCIDS : pcid, address);
	else if (is_loaded)
		cr3_write(cpu->space_root);
}
