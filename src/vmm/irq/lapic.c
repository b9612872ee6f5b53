// SPDX-License-Identifier: BSD-2-Clause
// Local APIC: vector sets, priorities, messages and the register file.
#include <vmm/irq/lapic.h>
#include <x86/apic.h>

enum { FIRST_LEGAL_VECTOR = 16 };

// The bits of each LVT entry that software can set.
static const uint32_t lvt_writable[LVT_COUNT] = {
	[LVT_TIMER] = LVT_VECTOR | LVT_MASKED | LVT_TIMER_MODE,
	[LVT_THERMAL] = 0x107ff,
	[LVT_PERFORMANCE] = 0x107ff,
	[LVT_LINT0] = 0x1a7ff,
	[LVT_LINT1] = 0x1a7ff,
	[LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
};

static void vector_add(struct vector_set *set, uint8_t vector) {
	set->words[vector / 32] |= 1u << vector % 32;
	set->used |= (uint8_t)(1u << vector / 32);
}

static void vector_remove(struct vector_set *set, uint8_t vector) {
	set->words[vector / 32] &= ~(1u << vector % 32);
	if (set->words[vector / 32] == 0) set->used &= (uint8_t) ~(1u << vector / 32);
}

static bool vector_contains(const struct vector_set *set, uint8_t vector) {
	return set->words[vector / 32] >> vector % 32 & 1;
}

static int vector_highest(const struct vector_set *set) {
	int word;

	if (set->used == 0) return LAPIC_NONE;
	word = 31 - __builtin_clz(set->used);
	return word * 32 + 31 - __builtin_clz(set->words[word]);
}

void lapic_reset(struct lapic *lapic) {
	*lapic = (struct lapic){
		.fabric = lapic->fabric,
		.next = lapic->next,
		.clock = lapic->clock,
		.memory = lapic->memory,
		.window = lapic->window,
		.id = lapic->id,
		.base = LAPIC_ADDRESS | APIC_BASE_ENABLED | (lapic->id == 0 ? APIC_BASE_BSP : 0),
		.destination_format = UINT32_MAX,
		.spurious = 0xff,
		.timer.expiry = CLOCK_NEVER,
	};
	for (unsigned i = 0; i < LVT_COUNT; i++)
		lapic->lvt[i] = LVT_MASKED;
}

uint32_t lapic_processor_priority(const struct lapic *lapic) {
	int service = vector_highest(&lapic->in_service);
	uint32_t class = service == LAPIC_NONE ? 0 : (uint32_t)service & 0xf0;

	return (lapic->task_priority & 0xf0) >= class ? lapic->task_priority : class;
}

bool lapic_accepts(const struct lapic *lapic) {
	return lapic_hardware_enabled(lapic) && (lapic->spurious & SPURIOUS_ENABLED);
}

int lapic_pending(const struct lapic *lapic) {
	bool above;
	int vector;

	if (!lapic_accepts(lapic)) return LAPIC_NONE;
	vector = vector_highest(&lapic->requested);
	if (vector == LAPIC_NONE) return LAPIC_NONE;
	above = ((uint32_t)vector & 0xf0) > (lapic_processor_priority(lapic) & 0xf0);
	return above ? vector : LAPIC_NONE;
}

void lapic_acknowledge(struct lapic *lapic, uint8_t vector) {
	vector_remove(&lapic->requested, vector);
	vector_add(&lapic->in_service, vector);
}

void lapic_withdraw(struct lapic *lapic, uint8_t vector) {
	vector_remove(&lapic->in_service, vector);
	vector_add(&lapic->requested, vector);
}

static void lapic_accept(struct lapic *lapic, uint8_t vector, enum apic_trigger trigger);

static void lapic_error(struct lapic *lapic, uint32_t bits) {
	bool first = (lapic->error_pending & bits) == 0;
	uint32_t entry;
	uint8_t vector;

	lapic->error_pending |= bits;
	entry = lapic->lvt[LVT_ERROR];
	vector = entry & LVT_VECTOR;
	// An error vector below 16 must not report itself again.
	if (first && !(entry & LVT_MASKED) && vector >= FIRST_LEGAL_VECTOR)
		lapic_accept(lapic, vector, TRIGGER_EDGE);
}

static void lapic_accept(struct lapic *lapic, uint8_t vector, enum apic_trigger trigger) {
	if (!lapic_accepts(lapic)) return;
	if (vector < FIRST_LEGAL_VECTOR) {
		lapic_error(lapic, ERROR_RECEIVE_ILLEGAL_VECTOR);
		return;
	}
	if (trigger == TRIGGER_LEVEL)
		vector_add(&lapic->level, vector);
	else
		vector_remove(&lapic->level, vector);
	vector_add(&lapic->requested, vector);
}

static bool lapic_matches_logical(const struct lapic *lapic, uint32_t destination) {
	uint32_t own = lapic->logical_destination >> 24;
	bool flat = lapic->destination_format >> 28 == 0xf;
	bool cluster = (destination & 0xf0) == (own & 0xf0) || (destination & 0xf0) == 0xf0;

	if (lapic_in_x2apic_mode(lapic)) {
		own = lapic_x2apic_logical_id(lapic);
		return destination == UINT32_MAX ||
			(destination >> 16 == own >> 16 && (destination & own & 0xffff) != 0);
	}
	if (flat) return destination & own & 0xff;
	return cluster && (destination & own & 0x0f) != 0;
}

bool lapic_matches(const struct lapic *lapic, const struct apic_message *message) {
	uint32_t destination = message->destination;

	switch (message->destination_mode) {
	case DESTINATION_ALL: return true;
	case DESTINATION_ALL_BUT: return destination != lapic->id;
	case DESTINATION_LOGICAL: return lapic_matches_logical(lapic, destination);
	case DESTINATION_PHYSICAL: break;
	}
	return destination == lapic->id || destination == APIC_EVERY ||
		(!lapic_in_x2apic_mode(lapic) && destination == 0xff);
}

void lapic_receive(struct lapic *lapic, const struct apic_message *message) {
	switch (message->delivery) {
	case DELIVERY_FIXED:
	case DELIVERY_LOWEST: lapic_accept(lapic, message->vector, message->trigger); return;
	case DELIVERY_NMI: lapic->nmi_pending |= lapic_hardware_enabled(lapic); return;
	case DELIVERY_SMI:
	case DELIVERY_INIT:
	case DELIVERY_STARTUP:
	case DELIVERY_EXTERNAL: return; // no SMM, no other CPU to start, no 8259
	}
}

// Where an IPI goes. To itself, it finds the CPU by number also in x2APIC mode.
static void set_destination(
	const struct lapic *lapic, uint64_t command, struct apic_message *message) {
	uint32_t high = (uint32_t)(command >> 32);

	message->destination = lapic->id;
	switch ((enum lapic_shorthand)(command >> COMMAND_SHORTHAND_SHIFT & 3)) {
	case SHORTHAND_ALL: message->destination_mode = DESTINATION_ALL; break;
	case SHORTHAND_OTHERS: message->destination_mode = DESTINATION_ALL_BUT; break;
	case SHORTHAND_SELF: message->destination_mode = DESTINATION_PHYSICAL; break;
	case SHORTHAND_NONE:
		message->destination = lapic_in_x2apic_mode(lapic) ? high : high >> 24;
		message->destination_mode = command & COMMAND_LOGICAL ? DESTINATION_LOGICAL
								      : DESTINATION_PHYSICAL;
		break;
	}
}

void lapic_send(struct lapic *lapic, uint64_t command) {
	struct apic_message message = {
		.delivery = (enum apic_delivery)(command >> COMMAND_DELIVERY_SHIFT & 7),
		.trigger = TRIGGER_EDGE, // the level bit means something for INIT only
		.vector = command & LVT_VECTOR,
	};
	bool ordinary = message.delivery == DELIVERY_FIXED || message.delivery == DELIVERY_LOWEST;

	if (ordinary && message.vector < FIRST_LEGAL_VECTOR) {
		lapic_error(lapic, ERROR_SEND_ILLEGAL_VECTOR);
		return;
	}
	set_destination(lapic, command, &message);
	fabric_send(lapic->fabric, &message);
}

void lapic_command(struct lapic *lapic, uint64_t command) {
	lapic->command = command & (~0ull << 32 | COMMAND_WRITABLE_LOW);
	lapic_send(lapic, command);
}

void lapic_end_of_interrupt(struct lapic *lapic) {
	int vector = vector_highest(&lapic->in_service);

	if (vector == LAPIC_NONE) return;
	vector_remove(&lapic->in_service, (uint8_t)vector);
	if (vector_contains(&lapic->level, (uint8_t)vector))
		fabric_end_of_interrupt(lapic->fabric, (uint8_t)vector);
}

static void lapic_write_spurious(struct lapic *lapic, uint32_t value) {
	lapic->spurious = value & SPURIOUS_WRITABLE;
	if (value & SPURIOUS_ENABLED) return;
	// Software disable masks the whole local vector table (SDM 3A 11.4.7.2).
	for (unsigned i = 0; i < LVT_COUNT; i++)
		lapic->lvt[i] |= LVT_MASKED;
}

static void lapic_write_lvt(struct lapic *lapic, unsigned entry, uint32_t value) {
	value &= lvt_writable[entry];
	if (!(lapic->spurious & SPURIOUS_ENABLED)) value |= LVT_MASKED;
	if (entry == LVT_TIMER)
		lapic_timer_write_lvt(lapic, value);
	else
		lapic->lvt[entry] = value;
}

static uint32_t lapic_read_id(const struct lapic *lapic) {
	return lapic_in_x2apic_mode(lapic) ? lapic->id : lapic->id << 24;
}

static uint32_t lapic_read_logical_destination(const struct lapic *lapic) {
	bool x2apic = lapic_in_x2apic_mode(lapic);

	return x2apic ? lapic_x2apic_logical_id(lapic) : lapic->logical_destination;
}

uint32_t lapic_register_read(struct lapic *lapic, unsigned index) {
	if (index >= LAPIC_IN_SERVICE && index < LAPIC_TRIGGER_MODE)
		return lapic->in_service.words[index - LAPIC_IN_SERVICE];
	if (index >= LAPIC_TRIGGER_MODE && index < LAPIC_REQUESTED)
		return lapic->level.words[index - LAPIC_TRIGGER_MODE];
	if (index >= LAPIC_REQUESTED && index < LAPIC_ERROR_STATUS)
		return lapic->requested.words[index - LAPIC_REQUESTED];
	if (index >= LAPIC_LVT_TIMER && index <= LAPIC_LVT_ERROR)
		return lapic->lvt[index - LAPIC_LVT_TIMER];
	switch (index) {
	case LAPIC_ID: return lapic_read_id(lapic);
	case LAPIC_VERSION_REGISTER: return LAPIC_VERSION;
	case LAPIC_TASK_PRIORITY: return lapic->task_priority;
	case LAPIC_ARBITRATION:
	case LAPIC_PROCESSOR_PRIORITY: return lapic_processor_priority(lapic);
	case LAPIC_LOGICAL_DESTINATION: return lapic_read_logical_destination(lapic);
	case LAPIC_DESTINATION_FORMAT: return lapic->destination_format;
	case LAPIC_SPURIOUS: return lapic->spurious;
	case LAPIC_ERROR_STATUS: return lapic->error_status;
	case LAPIC_COMMAND_LOW: return (uint32_t)lapic->command;
	case LAPIC_COMMAND_HIGH: return (uint32_t)(lapic->command >> 32);
	case LAPIC_INITIAL_COUNT: return lapic->timer.initial;
	case LAPIC_CURRENT_COUNT: return lapic_timer_current(lapic);
	case LAPIC_DIVIDE: return lapic->timer.divide;
	default: return 0;
	}
}

static void lapic_write_error_status(struct lapic *lapic) {
	// A write latches what was gathered since the last one (SDM 3A 11.5.3).
	lapic->error_status = lapic->error_pending;
	lapic->error_pending = 0;
}

void lapic_register_write(struct lapic *lapic, unsigned index, uint32_t value) {
	if (index >= LAPIC_LVT_TIMER && index <= LAPIC_LVT_ERROR) {
		lapic_write_lvt(lapic, index - LAPIC_LVT_TIMER, value);
		return;
	}
	switch (index) {
	case LAPIC_TASK_PRIORITY: lapic->task_priority = value & 0xff; break;
	case LAPIC_EOI: lapic_end_of_interrupt(lapic); break;
	case LAPIC_LOGICAL_DESTINATION: lapic->logical_destination = value & 0xff000000; break;
	case LAPIC_DESTINATION_FORMAT: lapic->destination_format = value | 0x0fffffff; break;
	case LAPIC_SPURIOUS: lapic_write_spurious(lapic, value); break;
	case LAPIC_ERROR_STATUS: lapic_write_error_status(lapic); break;
	case LAPIC_COMMAND_LOW: lapic_command(lapic, (lapic->command & ~0ull << 32) | value); break;
	case LAPIC_COMMAND_HIGH:
		lapic->command = (uint64_t)(value & 0xff000000) << 32 | (uint32_t)lapic->command;
		break;
	case LAPIC_INITIAL_COUNT: lapic_timer_write_initial(lapic, value); break;
	case LAPIC_DIVIDE: lapic_timer_write_divide(lapic, value & DIVIDE_WRITABLE); break;
	default: lapic_error(lapic, ERROR_ILLEGAL_REGISTER); break;
	}
}

// The xAPIC page: 32-bit registers at multiples of 16. It is dead while the APIC is off or in
// x2APIC mode.
static uint64_t lapic_page_read(void *device, uint64_t offset, enum bus_width) {
	struct lapic *lapic = device;

	if (!lapic_hardware_enabled(lapic) || lapic_in_x2apic_mode(lapic)) return UINT32_MAX;
	if (offset % 16 != 0) return 0;
	return offset / 16 < LAPIC_REGISTERS ? lapic_register_read(lapic, (unsigned)offset / 16)
					     : 0;
}

static void lapic_page_write(void *device, uint64_t offset, enum bus_width, uint64_t value) {
	struct lapic *lapic = device;

	if (!lapic_hardware_enabled(lapic) || lapic_in_x2apic_mode(lapic) || offset % 16 != 0)
		return;
	lapic_register_write(lapic, (unsigned)offset / 16, (uint32_t)value);
}

static const struct bus_ops lapic_ops = {
	.name = "local APIC",
	.widths = BUS_WIDTH_4,
	.read = lapic_page_read,
	.write = lapic_page_write,
};

bool lapic_attach(struct lapic *lapic, struct bus *memory) {
	lapic->window = (struct bus_window){&lapic_ops, lapic, LAPIC_ADDRESS, 0x1000, NULL};
	return bus_add(memory, &lapic->window);
}
