// SPDX-License-Identifier: BSD-2-Clause
// All errors are reported and none is survived. Numbers and order as in SDM 3B 16.3 and 16.8. What
// a CPU does not have reads as zero.
#include <cpu/features.h>

#include <cpu/console.h>

#define ALL_ERRORS (~0ul)

// Family and model of CPUID.1:EAX: before this one family 6 leaves bank 0 to the firmware.
enum { FAMILY = 0xf00, FAMILY_6 = 0x600, MODEL = 0xf00f0, MODEL_1A = 0x100a0 };

static void banks_print(const char *when) {
	for (uint32_t bank = 0; bank < (msr_read_any(MSR_MCG_CAP) & MCG_CAP_COUNT); bank++) {
		uint64_t status = msr_read_any(MSR_MC_STATUS + 4 * bank);

		if (status & MC_STATUS_VALID)
			print("machine check%s: bank %u, status %lx, address %lx, misc %lx\n", when,
				bank, status, msr_read_any(MSR_MC_ADDR + 4 * bank),
				msr_read_any(MSR_MC_MISC + 4 * bank));
	}
}

void machine_check_init(void) {
	uint32_t signature = cpuid(1, 0).eax;
	bool skips_first = (signature & FAMILY) == FAMILY_6 && (signature & MODEL) < MODEL_1A;
	uint64_t capabilities = msr_read_any(MSR_MCG_CAP);

	banks_print(", before boot");
	if (capabilities & MCG_CAP_CTL) (void)msr_try_write(MSR_MCG_CTL, ALL_ERRORS);
	for (uint32_t bank = 0; bank < (capabilities & MCG_CAP_COUNT); bank++) {
		if (bank > 0 || !skips_first)
			(void)msr_try_write(MSR_MC_CTL + 4 * bank, ALL_ERRORS);
		(void)msr_try_write(MSR_MC_STATUS + 4 * bank, 0);
	}
}

void machine_check_panic(void) {
	console_take();
	banks_print("");
	panic("machine check, status %lx", msr_read_any(MSR_MCG_STATUS));
}
