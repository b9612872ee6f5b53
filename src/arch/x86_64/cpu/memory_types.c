// SPDX-License-Identifier: BSD-2-Clause
#include <cpu/features.h>

static uint32_t mtrr(uint32_t i) {
	return i < MTRRS - 1 ? MSR_MTRR_FIRST + i : MSR_MTRR_DEFAULT_TYPE;
}

void memory_types_read(uint64_t values[MTRRS]) {
	for (uint32_t i = 0; i < MTRRS; i++)
		values[i] = msr_read_any(mtrr(i));
}

static bool are_equal(const uint64_t values[MTRRS]) {
	uint64_t own[MTRRS];

	memory_types_read(own);
	return memcmp(own, values, sizeof(own)) == 0;
}

// With caches and MTRRs off, and nothing remembered of them (SDM 3A 12.11.8). The last one written
// switches them on again.
bool memory_types_join(const uint64_t values[MTRRS]) {
	uint64_t cr0 = cr0_read(), cr4 = cr4_read();

	if (are_equal(values)) return true;
	cr0_write(cr0 | CR0_CD);
	caches_flush();
	cr4_write(cr4 & ~(uint64_t)CR4_PGE);
	cr3_write(cr3_read());
	(void)msr_try_write(MSR_MTRR_DEFAULT_TYPE, 0);
	for (uint32_t i = 0; i < MTRRS; i++)
		(void)msr_try_write(mtrr(i), values[i]);
	caches_flush();
	cr3_write(cr3_read());
	cr0_write(cr0);
	cr4_write(cr4);
	return are_equal(values);
}
