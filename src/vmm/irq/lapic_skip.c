// SPDX-License-Identifier: BSD-2-Clause
// KVM's way for a guest to end an interrupt without an exit (Linux,
// Documentation/virt/kvm/x86/msr.rst, MSR_KVM_EOI_EN): bit 0 of a word of its memory, set while it
// may, which it clears instead of writing the register.
#include <vmm/irq/lapic.h>

enum { SKIP_ON = 1 << 0, SKIP_RESERVED = 1 << 1, SKIP_MAY = 1 << 0 };

static struct guest_physical skip_word(const struct lapic *lapic) {
	return guest_physical(lapic->skip & ~(uint64_t)(SKIP_ON | SKIP_RESERVED));
}

bool lapic_skip_write(struct lapic *lapic, uint64_t value) {
	uint64_t before = lapic->skip;

	if (value & SKIP_RESERVED) return false;
	lapic->skip = value;
	if (!(value & SKIP_ON) || memory_at(lapic->memory, skip_word(lapic), sizeof(uint32_t)))
		return true;
	lapic->skip = before;
	return false;
}

// Not where the end has a consequence: for a level, or when a request waits for it.
static bool end_is_silent(const struct lapic *lapic) {
	if (lapic->requested.used != 0) return false;
	for (unsigned used = lapic->in_service.used; used != 0; used &= used - 1) {
		unsigned word = (unsigned)__builtin_ctz(used);

		if (lapic->in_service.words[word] & lapic->level.words[word]) return false;
	}
	return lapic->in_service.used != 0;
}

void lapic_enter(struct lapic *lapic) {
	const uint32_t may = SKIP_MAY;

	if (!(lapic->skip & SKIP_ON) || !end_is_silent(lapic)) return;
	lapic->skip_offered = memory_write(lapic->memory, skip_word(lapic), &may, sizeof(may));
}

void lapic_left(struct lapic *lapic) {
	uint32_t word = 0;

	if (!lapic->skip_offered) return;
	lapic->skip_offered = false;
	if (!memory_read(lapic->memory, skip_word(lapic), &word, sizeof(word))) return;
	if (!(word & SKIP_MAY)) {
		lapic_end_of_interrupt(lapic);
		return;
	}
	word &= ~(uint32_t)SKIP_MAY;
	(void)memory_write(lapic->memory, skip_word(lapic), &word, sizeof(word));
}
