// SPDX-License-Identifier: BSD-2-Clause
// Port accesses (SDM 3C, tables 28-5 and 28-8).
#include <vmm/vcpu/port.h>

#include <vmm/vcpu/breakpoint.h>
#include <vmm/vcpu/string.h>

// The CPU reports sizes 0, 1 and 3 only.
static enum bus_width io_width(const struct vcpu *vcpu) {
	unsigned size = vcpu->page->qualification & VCPU_IO_SIZE;

	if (size == 3) return BUS_WIDTH_4;
	return size == 1 ? BUS_WIDTH_2 : BUS_WIDTH_1;
}

static uint16_t io_port(const struct vcpu *vcpu) {
	return (uint16_t)(vcpu->page->qualification >> VCPU_IO_PORT_SHIFT);
}

static uint64_t port_hits(const struct vcpu *vcpu) {
	uint64_t hits = breakpoint_hits(vcpu, BREAKPOINT_PORT, io_port(vcpu), io_width(vcpu));

	return hits && (vcpu_view(vcpu, VCPU_GROUP_PAGING)->cr4 & CR4_DE) ? hits : 0;
}

static void port_single(struct vcpu *vcpu, struct bus *bus, enum bus_width width) {
	uint64_t rax = vcpu->page->registers[X86_RAX];
	uint64_t hits;

	if (vcpu->page->qualification & VCPU_IO_IN) {
		uint64_t value = bus_read(bus, io_port(vcpu), width);
		uint64_t kept = width == BUS_WIDTH_4 ? 0 : rax & ~bus_truncate(UINT64_MAX, width);

		vcpu_set_register(vcpu, X86_RAX, kept | value);
	} else {
		bus_write(bus, io_port(vcpu), width, rax);
	}
	vcpu_advance(vcpu, vcpu->page->instruction_length);
	hits = port_hits(vcpu);
	if (hits != 0) vcpu_add_pending_debug(vcpu, hits);
}

struct port_string {
	struct bus *ports;
	enum vcpu_segment_number segment;
};

static enum string_result port_element(struct string *string) {
	const struct port_string *port = string->context;
	struct operand_space *space = string->space;
	struct vcpu *vcpu = space->vcpu;
	enum bus_width width = io_width(vcpu);
	bool in = vcpu->page->qualification & VCPU_IO_IN;
	unsigned pointer = in ? X86_RDI : X86_RSI;
	struct place place = string_place(string, port->segment, pointer, (uint8_t)width);
	struct operand operand;

	if (!operand_locate(space, &place, in ? WALK_WRITE : WALK_READ, &operand))
		return STRING_FAULT;
	if (in)
		operand_write(space, &operand, bus_read(port->ports, io_port(vcpu), width));
	else
		bus_write(port->ports, io_port(vcpu), width, operand_read(space, &operand));
	space->debug_hits |= port_hits(vcpu);
	string_step(string, pointer);
	return STRING_NEXT;
}

static void port_string(struct operand_space *space, struct bus *ports) {
	static const uint64_t masks[] = {UINT16_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX};
	struct vcpu *vcpu = space->vcpu;
	unsigned information = vcpu->page->instruction_information;
	uint64_t width = io_width(vcpu);
	struct port_string port = {.ports = ports, .segment = VCPU_ES};

	if (!(vcpu->page->qualification & VCPU_IO_IN))
		port.segment = (enum vcpu_segment_number)(
			information >> INFORMATION_SEGMENT_SHIFT & 7);
	string_perform(&(struct string){
		.space = space,
		.repeated = vcpu->page->qualification & VCPU_IO_REPEATED,
		.address_mask = masks[information >> INFORMATION_ADDRESS_SHIFT & 3],
		.step = vcpu->page->rflags & FLAGS_DF ? -width : width,
		.length = (uint8_t)vcpu->page->instruction_length,
		.element = port_element,
		.context = &port,
	});
}

void port_perform(struct vcpu *vcpu, const struct guest_memory *memory, struct bus *memory_bus,
	struct bus *ports) {
	struct operand_space space;

	if (!(vcpu->page->qualification & VCPU_IO_STRING)) {
		port_single(vcpu, ports, io_width(vcpu));
		return;
	}
	// A guest that uses strings will use more of them.
	vcpu->page->save[VCPU_EXIT_IO] |= VCPU_GROUP_INSTRUCTION;
	(void)vcpu_view(vcpu, VCPU_GROUP_INSTRUCTION);
	operand_space_load(&space, vcpu, memory, memory_bus);
	port_string(&space, ports);
}
