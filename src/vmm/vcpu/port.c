// SPDX-License-Identifier: BSD-2-Clause
// Port accesses (SDM 3C, tables 28-5 and 28-8).
#include <vmm/vcpu/port.h>

#include <vmm/vcpu/breakpoint.h>
#include <vmm/vcpu/string.h>

enum io_qualification {
	IO_SIZE = 7, // one less than the width
	IO_IN = 1 << 3,
	IO_STRING = 1 << 4,
	IO_REPEAT = 1 << 5,
	IO_PORT_SHIFT = 16,
};

enum information_bits {
	INFORMATION_ADDRESS_SHIFT = 7,
	INFORMATION_SEGMENT_SHIFT = 15, // OUTS only
};

// The CPU reports sizes 0, 1 and 3 only.
static enum bus_width io_width(const struct vcpu *vcpu) {
	unsigned size = vcpu->qualification & IO_SIZE;
	if (size == 3) return BUS_WIDTH_4;
	return size == 1 ? BUS_WIDTH_2 : BUS_WIDTH_1;
}

static uint16_t io_port(const struct vcpu *vcpu) {
	return (uint16_t)(vcpu->qualification >> IO_PORT_SHIFT);
}

static uint64_t port_hits(uint64_t debug_control, uint64_t cr4, const struct vcpu *vcpu) {
	if (!(debug_control & DR7_ENABLED) || !(cr4 & CR4_DE)) return 0;
	return breakpoint_hits(debug_control, BREAKPOINT_PORT, io_port(vcpu), io_width(vcpu));
}

static void port_single(struct vcpu *vcpu, struct bus *bus, enum bus_width width) {
	uint64_t rax = vcpu->registers[X86_RAX];
	uint64_t debug_control = host_vmcs_read(VMCS_GUEST_DR7);
	if (vcpu->qualification & IO_IN) {
		uint64_t value = bus_read(bus, io_port(vcpu), width);
		uint64_t kept = width == BUS_WIDTH_4 ? 0 : rax & ~bus_truncate(UINT64_MAX, width);
		vcpu_set_register(vcpu, X86_RAX, kept | value);
	} else {
		bus_write(bus, io_port(vcpu), width, rax);
	}
	vcpu_advance(vcpu, vcpu->length);
	if (!(debug_control & DR7_ENABLED)) return;
	uint64_t hits = port_hits(debug_control, host_vmcs_read(VMCS_GUEST_CR4), vcpu);
	if (hits != 0) vcpu_add_pending_debug(vcpu, hits);
}

struct port_string {
	struct bus *ports;
	enum segment segment;
};

static enum string_result port_element(struct string *string) {
	const struct port_string *port = string->context;
	struct operand_space *space = string->space;
	struct vcpu *vcpu = space->vcpu;
	enum bus_width width = io_width(vcpu);
	bool in = vcpu->qualification & IO_IN;
	unsigned pointer = in ? X86_RDI : X86_RSI;
	struct place place = string_place(string, port->segment, pointer, (uint8_t)width);
	struct operand operand;
	if (!operand_locate(space, &place, in ? WALK_WRITE : WALK_READ, &operand))
		return STRING_FAULT;
	if (in)
		operand_write(space, &operand, bus_read(port->ports, io_port(vcpu), width));
	else
		bus_write(port->ports, io_port(vcpu), width, operand_read(space, &operand));
	space->debug_hits |= port_hits(space->debug_control, space->paging.cr4, vcpu);
	string_step(string, pointer);
	return STRING_NEXT;
}

static void port_string(struct operand_space *space, struct bus *ports) {
	static const uint64_t masks[] = {UINT16_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX};
	uint64_t information = host_vmcs_read(VMCS_EXIT_INSTRUCTION_INFORMATION);
	struct vcpu *vcpu = space->vcpu;
	uint64_t width = io_width(vcpu);
	struct port_string port = {.ports = ports, .segment = SEGMENT_ES};
	if (!(vcpu->qualification & IO_IN))
		port.segment = (enum segment)(information >> INFORMATION_SEGMENT_SHIFT & 7);
	string_perform(&(struct string){
		.space = space,
		.repeated = vcpu->qualification & IO_REPEAT,
		.address_mask = masks[information >> INFORMATION_ADDRESS_SHIFT & 3],
		.step = vcpu->rflags & RFLAGS_DIRECTION ? -width : width,
		.length = (uint8_t)vcpu->length,
		.element = port_element,
		.context = &port,
	});
}

void port_perform(struct vcpu *vcpu, const struct guest_memory *memory, struct bus *memory_bus,
	struct bus *ports) {
	struct operand_space space;
	if (!(vcpu->qualification & IO_STRING)) {
		port_single(vcpu, ports, io_width(vcpu));
		return;
	}
	operand_space_load(&space, vcpu, memory, memory_bus);
	port_string(&space, ports);
}
