// SPDX-License-Identifier: BSD-2-Clause
// All errors are reported and none is survived. Numbers and order as in SDM 3B, 15.3 and 15.8.
#include <cpu/machine_check.h>

#include <base/panic.h>
#include <cpu/console.h>
#include <cpu/features.h>
#include <cpu/msr.h>

enum { LEAF_1_EDX_MCE = 1 << 7, LEAF_1_EDX_MCA = 1 << 14 };

enum mcg_msr { MSR_MCG_CAP = 0x179, MSR_MCG_STATUS = 0x17a, MSR_MCG_CTL = 0x17b };

enum mcg_cap { MCG_COUNT = 0xff, MCG_CTL_PRESENT = 1 << 8, MCG_COUNT_MAX = 32 };

// Four MSRs a bank.
enum bank_msr { MC_CTL = 0x400, MC_STATUS, MC_ADDR, MC_MISC };

#define STATUS_VALID (1ul << 63)
#define STATUS_MISC_VALID (1ul << 59)
#define STATUS_ADDRESS_VALID (1ul << 58)
#define ALL_ERRORS (~0ul)

// Family and model of CPUID.1:EAX: before this one family 6 leaves bank 0 to the firmware.
enum { SIGNATURE_FAMILY = 0xf00, SIGNATURE_MODEL = 0xf00f0, FAMILY_6 = 0x600, MODEL_1A = 0x100a0 };

// Zero where the CPU has no such register.
static uint64_t read(uint32_t msr) {
	uint64_t value = 0;

	(void)msr_try_read(msr, &value);
	return value;
}

static uint64_t bank_read(enum bank_msr msr, unsigned bank) { return read(msr + 4 * bank); }

static unsigned bank_count(void) {
	uint64_t count = read(MSR_MCG_CAP) & MCG_COUNT;

	return count < MCG_COUNT_MAX ? (unsigned)count : MCG_COUNT_MAX;
}

static void banks_print(const char *when) {
	for (unsigned bank = 0; bank < bank_count(); bank++) {
		uint64_t status = bank_read(MC_STATUS, bank);
		bool has_address = status & STATUS_ADDRESS_VALID;
		bool has_misc = status & STATUS_MISC_VALID;

		if (!(status & STATUS_VALID)) continue;
		print("machine check%s: bank %u, status %lx, address %lx, misc %lx\n", when, bank,
			status, has_address ? bank_read(MC_ADDR, bank) : 0,
			has_misc ? bank_read(MC_MISC, bank) : 0);
	}
}

static bool is_bank_0_firmwares(void) {
	uint32_t signature = cpuid(1, 0).eax;

	return (signature & SIGNATURE_FAMILY) == FAMILY_6 &&
		(signature & SIGNATURE_MODEL) < MODEL_1A;
}

static void banks_start(void) {
	if (read(MSR_MCG_CAP) & MCG_CTL_PRESENT) (void)msr_try_write(MSR_MCG_CTL, ALL_ERRORS);
	for (unsigned bank = 0; bank < bank_count(); bank++) {
		if (bank > 0 || !is_bank_0_firmwares())
			(void)msr_try_write(MC_CTL + 4 * bank, ALL_ERRORS);
		(void)msr_try_write(MC_STATUS + 4 * bank, 0);
	}
}

void machine_check_init(void) {
	uint32_t features = cpuid(1, 0).edx;

	if (features & LEAF_1_EDX_MCA) {
		banks_print(", before boot");
		banks_start();
	}
	if (features & LEAF_1_EDX_MCE) cr4_write(cr4_read() | CR4_MCE);
}

void machine_check_panic(void) {
	banks_print("");
	panic("machine check, status %lx", read(MSR_MCG_STATUS));
}
