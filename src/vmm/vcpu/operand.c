// SPDX-License-Identifier: BSD-2-Clause
// Memory operands: segment checks (SDM 3A 5.3 and 5.4, 1 3.3.7.1), page walks, accesses.
#include <vmm/vcpu/operand.h>

#include <vmm/vcpu/breakpoint.h>

#include <base/memory.h>

enum { PRIVILEGE_USER = 3 };

enum segment_type {
	TYPE_READABLE_OR_WRITABLE = 1 << 1, // of code, of data
	TYPE_EXPAND_DOWN = 1 << 2,
	TYPE_CODE = 1 << 3,
};

static const struct vcpu_segment *segment_of(
	const struct operand_space *space, enum vcpu_segment_number number) {
	uint64_t group = number == VCPU_CS || number == VCPU_SS ? VCPU_GROUP_CODE : VCPU_GROUP_DATA;

	return &vcpu_view(space->vcpu, group)->segments[number];
}

void operand_space_load(struct operand_space *space, struct vcpu *vcpu,
	const struct guest_memory *memory, struct bus *bus) {
	const struct vcpu_state_page *page = vcpu_view(vcpu, VCPU_GROUP_CODE);
	unsigned code = page->segments[VCPU_CS].attributes;
	bool user = vcpu_privilege(vcpu) == PRIVILEGE_USER;

	*space = (struct operand_space){
		.vcpu = vcpu,
		.memory = memory,
		.bus = bus,
		.paging = vcpu_paging(vcpu),
		.code_size = code & VCPU_SEGMENT_32 ? CODE_32 : CODE_16,
		.access = (user ? WALK_USER : 0) | (page->rflags & FLAGS_AC ? WALK_FLAG_AC : 0),
	};
	if ((code & VCPU_SEGMENT_CODE_64) && (space->paging.efer & EFER_LMA))
		space->code_size = CODE_64;
}

// What the CPU holds of type and limit is good for all modes but 64-bit mode.
static bool segment_permits(
	const struct operand_space *space, const struct place *place, enum walk_access access) {
	const struct vcpu_segment *segment = segment_of(space, place->segment);
	unsigned rights = segment->attributes;
	uint64_t limit = segment->limit;
	uint64_t last = place->offset + (place->width - 1);
	bool real = !(space->paging.cr0 & CR0_PE) || (space->vcpu->page->rflags & FLAGS_VM);
	bool code = rights & TYPE_CODE;

	if (rights & VCPU_SEGMENT_UNUSABLE) return false;
	if (!real && (code || access == WALK_WRITE)) {
		if (code && access == WALK_WRITE) return false;
		if (!(rights & TYPE_READABLE_OR_WRITABLE)) return false;
	}
	if (code || !(rights & TYPE_EXPAND_DOWN)) return last <= limit;
	return place->offset > limit &&
		last <= (rights & VCPU_SEGMENT_32 ? UINT32_MAX : UINT16_MAX);
}

static bool is_canonical(uint64_t address) {
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static bool find_linear(const struct operand_space *space, const struct place *place,
	enum walk_access access, uint64_t *linear) {
	bool wide = space->code_size == CODE_64;
	bool based = !wide || place->segment >= VCPU_FS;

	*linear = place->offset + (based ? segment_of(space, place->segment)->base : 0);
	if (wide) return is_canonical(*linear) && is_canonical(*linear + (place->width - 1));
	*linear &= UINT32_MAX;
	return segment_permits(space, place, access);
}

static bool is_misaligned(const struct operand_space *space, uint64_t linear, uint8_t width) {
	return (linear & (width - 1)) != 0 && (space->access & WALK_USER) &&
		(space->access & WALK_FLAG_AC) && (space->paging.cr0 & CR0_AM);
}

static bool locate_part(const struct operand_space *space, uint64_t linear, enum walk_access access,
	struct guest_physical *physical) {
	struct walk walk = {.linear = linear, .access = space->access | access};
	bool found = walk_translate(space->memory, &space->paging, &walk);

	if (!found) vcpu_raise_page_fault(space->vcpu, walk.linear, walk.error_code);
	*physical = walk.physical;
	return found;
}

struct place operand_place(
	const struct operand_space *space, const struct instruction *instruction) {
	const struct vcpu_state_page *page = space->vcpu->page;

	if (instruction->address.base == X86_RSP || instruction->bit_offset)
		(void)vcpu_register(space->vcpu, X86_RSP);
	return (struct place){
		.segment = instruction->address.segment,
		.offset = instruction_offset(instruction, page->registers, page->rip),
		.width = instruction->width,
	};
}

bool operand_locate(struct operand_space *space, const struct place *place, enum walk_access access,
	struct operand *operand) {
	uint64_t linear;
	uint64_t left;
	uint64_t next;

	if (!find_linear(space, place, access, &linear)) {
		vcpu_raise_with_code(space->vcpu,
			place->segment == VCPU_SS ? VECTOR_STACK : VECTOR_PROTECTION, 0);
		return false;
	}
	if (is_misaligned(space, linear, place->width)) {
		vcpu_raise_with_code(space->vcpu, VECTOR_ALIGNMENT, 0);
		return false;
	}
	left = PAGE_SIZE - linear % PAGE_SIZE;
	next = linear + left;
	if (space->code_size != CODE_64) next &= UINT32_MAX;
	*operand = (struct operand){.linear = linear, .width = place->width};
	operand->first = left < place->width ? (uint8_t)left : place->width;
	return locate_part(space, linear, access, &operand->part[0]) &&
		(operand->first == place->width ||
			locate_part(space, next, access, &operand->part[1]));
}

// Devices see the whole operand; of one that crosses a page, bytes.
static uint64_t part_read(
	struct operand_space *space, struct guest_physical from, uint8_t count, bool whole) {
	uint64_t value = 0;

	if (memory_read(space->memory, from, &value, count)) return value;
	if (whole) return bus_read(space->bus, from.value, (enum bus_width)count);
	for (uint8_t i = 0; i < count; i++)
		value |= bus_read(space->bus, from.value + i, BUS_WIDTH_1) << 8 * i;
	return value;
}

static void part_write(struct operand_space *space, struct guest_physical to, uint8_t count,
	bool whole, uint64_t value) {
	if (memory_write(space->memory, to, &value, count)) return;
	if (whole) {
		bus_write(space->bus, to.value, (enum bus_width)count, value);
		return;
	}
	for (uint8_t i = 0; i < count; i++)
		bus_write(space->bus, to.value + i, BUS_WIDTH_1, value >> 8 * i);
}

uint64_t operand_read(struct operand_space *space, const struct operand *operand) {
	uint8_t first = operand->first;
	bool whole = first == operand->width;
	uint64_t value;

	space->debug_hits |= breakpoint_hits(
		space->vcpu, BREAKPOINT_READ, operand->linear, operand->width);
	value = part_read(space, operand->part[0], first, whole);
	if (whole) return value;
	return value |
		part_read(space, operand->part[1], operand->width - first, whole) << 8 * first;
}

void operand_write(struct operand_space *space, const struct operand *operand, uint64_t value) {
	uint8_t first = operand->first;
	bool whole = first == operand->width;

	space->debug_hits |= breakpoint_hits(
		space->vcpu, BREAKPOINT_WRITE, operand->linear, operand->width);
	part_write(space, operand->part[0], first, whole, value);
	if (whole) return;
	part_write(space, operand->part[1], operand->width - first, whole, value >> 8 * first);
}

static bool fetch(const struct operand_space *space, uint64_t rip, struct walk *walk) {
	*walk = (struct walk){
		.linear = rip,
		.access = (space->access & WALK_USER) | WALK_FETCH,
	};
	if (space->code_size != CODE_64)
		walk->linear = (rip + segment_of(space, VCPU_CS)->base) & UINT32_MAX;
	return walk_translate(space->memory, &space->paging, walk);
}

uint8_t operand_instruction(const struct operand_space *space, uint8_t bytes[INSTRUCTION_MAX],
	struct walk *walk, bool *faulted) {
	const struct vcpu_state_page *page = space->vcpu->page;
	bool is_given = page->reason == VCPU_EXIT_MEMORY && (page->saved & VCPU_GROUP_INSTRUCTION);
	uint8_t count = is_given ? page->instruction_count : 0;

	*faulted = false;
	memcpy(bytes, page->instruction_bytes, count);
	while (count < INSTRUCTION_MAX) {
		uint64_t left;
		uint8_t want;
		uint8_t part;

		*faulted = !fetch(space, page->rip + count, walk);
		left = PAGE_SIZE - walk->linear % PAGE_SIZE;
		want = INSTRUCTION_MAX - count;
		part = left < want ? (uint8_t)left : want;
		if (*faulted || !memory_read(space->memory, walk->physical, bytes + count, part))
			break;
		count += part;
	}
	return count;
}
