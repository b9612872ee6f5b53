// SPDX-License-Identifier: BSD-2-Clause
// Local APIC through MSRs: IA32_APIC_BASE and the x2APIC registers, stricter than the page: what is
// reserved, read-only or write-only faults (SDM 3A 11.12).
#include <vmm/irq/lapic.h>
#include <x86/apic.h>

enum x2apic_access {
	X2APIC_READ = 1 << 0,
	X2APIC_WRITE = 1 << 1,
};

struct x2apic_row {
	uint8_t first, last; // register indices
	uint8_t access;
	uint32_t writable; // other bits must be zero
};

static const struct x2apic_row x2apic_rows[] = {
	{LAPIC_ID, LAPIC_VERSION_REGISTER, X2APIC_READ, 0},
	{LAPIC_TASK_PRIORITY, LAPIC_TASK_PRIORITY, X2APIC_READ | X2APIC_WRITE, 0xff},
	{LAPIC_PROCESSOR_PRIORITY, LAPIC_PROCESSOR_PRIORITY, X2APIC_READ, 0},
	{LAPIC_EOI, LAPIC_EOI, X2APIC_WRITE, 0},
	{LAPIC_LOGICAL_DESTINATION, LAPIC_LOGICAL_DESTINATION, X2APIC_READ, 0},
	{LAPIC_SPURIOUS, LAPIC_SPURIOUS, X2APIC_READ | X2APIC_WRITE, SPURIOUS_WRITABLE},
	{LAPIC_IN_SERVICE, LAPIC_ERROR_STATUS - 1, X2APIC_READ, 0},
	{LAPIC_ERROR_STATUS, LAPIC_ERROR_STATUS, X2APIC_READ | X2APIC_WRITE, 0},
	{LAPIC_LVT_TIMER, LAPIC_LVT_TIMER, X2APIC_READ | X2APIC_WRITE, 0x710ff},
	{LAPIC_LVT_TIMER + LVT_THERMAL, LAPIC_LVT_ERROR - 1, X2APIC_READ | X2APIC_WRITE, 0x1f7ff},
	{LAPIC_LVT_ERROR, LAPIC_LVT_ERROR, X2APIC_READ | X2APIC_WRITE, 0x110ff},
	{LAPIC_INITIAL_COUNT, LAPIC_INITIAL_COUNT, X2APIC_READ | X2APIC_WRITE, UINT32_MAX},
	{LAPIC_CURRENT_COUNT, LAPIC_CURRENT_COUNT, X2APIC_READ, 0},
	{LAPIC_DIVIDE, LAPIC_DIVIDE, X2APIC_READ | X2APIC_WRITE, DIVIDE_WRITABLE},
};

static const struct x2apic_row *x2apic_find(uint32_t index, enum x2apic_access access) {
	for (unsigned i = 0; i < sizeof(x2apic_rows) / sizeof(x2apic_rows[0]); i++) {
		const struct x2apic_row *row = &x2apic_rows[i];

		if (index >= row->first && index <= row->last)
			return row->access & access ? row : NULL;
	}
	return NULL;
}

bool lapic_base_write(struct lapic *lapic, uint64_t value) {
	const uint64_t modes = APIC_BASE_ENABLED | APIC_BASE_X2APIC;
	uint64_t before;
	uint64_t after;

	// The page stays where it is; relocating it is legal on hardware but no guest does.
	if ((value & ~modes) != (lapic->base & ~modes)) return false;
	before = lapic->base & modes;
	after = value & modes;
	// Transitions of SDM 3A, figure 11-27.
	if (after == APIC_BASE_X2APIC || (before == modes && after == APIC_BASE_ENABLED) ||
		(before == 0 && after == modes))
		return false;
	if (before != after && after == 0) lapic_reset(lapic);
	lapic->base = value;
	return true;
}

bool lapic_msr_read(struct lapic *lapic, uint32_t number, uint64_t *value) {
	uint32_t index = number - 0x800;

	if (!lapic_in_x2apic_mode(lapic)) return false;
	if (index == LAPIC_COMMAND_LOW) {
		*value = lapic->command;
		return true;
	}
	if (!x2apic_find(index, X2APIC_READ)) return false;
	*value = lapic_register_read(lapic, index);
	return true;
}

static bool lapic_msr_write_command(struct lapic *lapic, uint64_t value) {
	if ((uint32_t)value & ~COMMAND_WRITABLE_LOW) return false;
	lapic_command(lapic, value);
	return true;
}

static bool lapic_msr_write_self(struct lapic *lapic, uint64_t value) {
	if (value & ~(uint64_t)LVT_VECTOR) return false;
	// A register of its own (SDM 3A 11.12.11): the command register keeps its value.
	lapic_send(lapic, (uint64_t)SHORTHAND_SELF << COMMAND_SHORTHAND_SHIFT | value);
	return true;
}

bool lapic_msr_write(struct lapic *lapic, uint32_t number, uint64_t value) {
	uint32_t index = number - 0x800;
	const struct x2apic_row *row;

	if (!lapic_in_x2apic_mode(lapic)) return false;
	if (index == LAPIC_COMMAND_LOW) return lapic_msr_write_command(lapic, value);
	if (index == LAPIC_SELF_IPI) return lapic_msr_write_self(lapic, value);
	row = x2apic_find(index, X2APIC_WRITE);
	if (!row || (value & ~(uint64_t)row->writable) != 0) return false;
	lapic_register_write(lapic, index, (uint32_t)value);
	return true;
}

uint32_t lapic_x2apic_logical_id(const struct lapic *lapic) {
	return (lapic->id >> 4) << 16 | 1u << (lapic->id & 15);
}
