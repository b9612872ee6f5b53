// SPDX-License-Identifier: BSD-2-Clause
// Port accesses (SDM volume 3, table 27-5 and 27-8).
#include <vmm/port.h>

enum io_qualification {
	IO_SIZE = 7, // one less than the width
	IO_IN = 1 << 3,
	IO_STRING = 1 << 4,
	IO_REPEAT = 1 << 5,
	IO_PORT_SHIFT = 16,
};

// A long string goes on after the next entry, so that interrupts get through.
enum { STRING_BATCH = 1024 };

enum { INFORMATION_ADDRESS_SHIFT = 7, ACCESS_PRIVILEGE_SHIFT = 5 };

// The CPU reports sizes 0, 1 and 3 only.
static enum bus_width io_width(const struct vcpu *vcpu) {
	unsigned size = vcpu->qualification & IO_SIZE;
	if (size == 3) return BUS_WIDTH_4;
	return size == 1 ? BUS_WIDTH_2 : BUS_WIDTH_1;
}

static void port_single(struct vcpu *vcpu, struct bus *bus, enum bus_width width) {
	uint16_t port = (uint16_t)(vcpu->qualification >> IO_PORT_SHIFT);
	uint64_t rax = vcpu->registers[X86_RAX];
	if (vcpu->qualification & IO_IN) {
		uint64_t value = bus_read(bus, port, width);
		uint64_t kept = width == BUS_WIDTH_4 ? 0 : rax & ~bus_truncate(UINT64_MAX, width);
		vcpu_set_register(vcpu, X86_RAX, kept | value);
	} else {
		bus_write(bus, port, width, rax);
	}
	vcpu_advance(vcpu, vcpu->length);
}

struct string {
	const struct guest_memory *memory;
	struct bus *bus;
	struct paging paging;
	unsigned access; // of enum walk_access
	uint16_t port;
	enum bus_width width;
};

// One byte of the operand at a time, since it may cross pages.
static bool string_memory(const struct string *string, struct walk *walk, uint8_t **byte) {
	if (!walk_translate(string->memory, &string->paging, walk)) return false;
	*byte = memory_at(string->memory, walk->physical, 1);
	return true;
}

// Moves one element; false leaves the fault in *walk. Memory that is absent reads all ones.
static bool string_element(const struct string *string, uint64_t linear, struct walk *walk) {
	uint8_t *bytes[BUS_WIDTH_4];
	uint64_t value = 0;
	for (unsigned i = 0; i < string->width; i++) {
		*walk = (struct walk){.linear = linear + i, .access = string->access};
		if (!string_memory(string, walk, &bytes[i])) return false;
	}
	if (string->access & WALK_WRITE) {
		value = bus_read(string->bus, string->port, string->width);
		for (unsigned i = 0; i < string->width; i++)
			if (bytes[i] != NULL) *bytes[i] = (uint8_t)(value >> 8 * i);
		return true;
	}
	for (unsigned i = 0; i < string->width; i++)
		value |= (uint64_t)(bytes[i] == NULL ? 0xff : *bytes[i]) << 8 * i;
	bus_write(string->bus, string->port, string->width, value);
	return true;
}

static uint64_t address_mask(void) {
	uint64_t information = host_vmcs_read(VMCS_EXIT_INSTRUCTION_INFORMATION);
	static const uint64_t masks[] = {0xffff, 0xffffffff, UINT64_MAX, UINT64_MAX};
	return masks[information >> INFORMATION_ADDRESS_SHIFT & 3];
}

// Writes back the part of a register that the address size covers.
static void register_update(struct vcpu *vcpu, unsigned number, uint64_t value, uint64_t mask) {
	uint64_t kept = mask == UINT32_MAX ? 0 : vcpu->registers[number] & ~mask;
	vcpu_set_register(vcpu, number, kept | (value & mask));
}

static void port_string(struct vcpu *vcpu, struct string *string) {
	bool repeat = vcpu->qualification & IO_REPEAT;
	uint64_t mask = address_mask();
	uint64_t left = repeat ? vcpu->registers[X86_RCX] & mask : 1;
	uint64_t linear = host_vmcs_read(VMCS_GUEST_LINEAR_ADDRESS);
	uint64_t step = vcpu->rflags & RFLAGS_DIRECTION ? -(uint64_t)string->width : string->width;
	uint64_t done = 0;
	struct walk walk = {0};
	bool ok = true;
	while (left > 0 && done < STRING_BATCH && ok) {
		ok = string_element(string, linear + done * step, &walk);
		if (!ok) break;
		done++;
		left--;
	}
	unsigned index = string->access & WALK_WRITE ? X86_RDI : X86_RSI;
	register_update(vcpu, index, vcpu->registers[index] + done * step, mask);
	if (repeat) register_update(vcpu, X86_RCX, left, mask);
	if (!ok)
		vcpu_raise_page_fault(vcpu, walk.linear, walk.error_code);
	else if (left == 0)
		vcpu_advance(vcpu, vcpu->length);
}

void port_perform(struct vcpu *vcpu, const struct guest_memory *memory, struct bus *bus) {
	enum bus_width width = io_width(vcpu);
	if (!(vcpu->qualification & IO_STRING)) {
		port_single(vcpu, bus, width);
		return;
	}
	struct string string = {
		.memory = memory,
		.bus = bus,
		.paging = vcpu_paging(vcpu),
		.access = vcpu->qualification & IO_IN ? WALK_WRITE : WALK_READ,
		.port = (uint16_t)(vcpu->qualification >> IO_PORT_SHIFT),
		.width = width,
	};
	// The privilege level is that of the stack segment (SDM volume 3, 24.4.1).
	if ((host_vmcs_read(VMCS_GUEST_SS_ACCESS) >> ACCESS_PRIVILEGE_SHIFT & 3) == 3)
		string.access |= WALK_USER;
	port_string(vcpu, &string);
}
