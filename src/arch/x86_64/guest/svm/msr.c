// SPDX-License-Identifier: BSD-2-Clause
// MSRs of guests: the map of those a guest may touch itself (APM 2 15.11).
#include <guest/svm/internal.h>

// Bytes from low MSRs to high ones: two bits each, reading and writing exit.
enum { MAP_HIGH = 2048 };

static void map_set(uint8_t *map, uint32_t msr, uint8_t access) {
	unsigned shift = msr % 4 * 2;

	if (msr >= MSR_MAP_HIGH) map += MAP_HIGH;
	map += msr % MSR_MAP_MSRS / 4;
	*map = (uint8_t)((*map | 3u << shift) & ~((unsigned)access << shift));
}

void svm_msr_prepare(struct cpu *cpu, struct guest *guest) {
	// DebugFastPaths changes it.
	if (NACRE_DEBUG) cpu->svm.host.lstar = msr_read(MSR_LSTAR);
	if (cpu->msr_bitmap_owner == guest) return;
	// EFER would show AMD-V's own bit.
	for (unsigned i = 0; i < GUEST_MSR_EFER; i++)
		map_set(cpu->svm.msr_map, guest_msr_rows[i].msr, guest->msr_access[i]);
	cpu->msr_bitmap_owner = guest;
}
