// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPU objects: life cycle, partner thread, guest space, ports and general registers.
#include <object/vcpu.h>

#include <base/memory.h>
#include <cpu/platform.h>
#include <sched/guest_hooks.h>
#include <cap/invocation.h>

static uint64_t vcpu_number(const struct vcpu *vcpu) {
	return physical_of(vcpu).value >> VCPU_BITS;
}

static struct vcpu **vcpus_like(uint64_t number) {
	struct platform *platform = this_cpu()->platform;

	return &platform->vcpus[number % array_count(platform->vcpus)];
}

void vcpu_load(struct vcpu *vcpu) {
	struct cpu *cpu = this_cpu();

	if (cpu->vmcs_loaded == vcpu) return;
	cpu->guest_prepared = NULL;
	if (!vmcs_load(physical_of(vcpu->vmcs))) panic("vcpu: VMPTRLD failed");
	cpu->vmcs_loaded = vcpu;
}

void vcpu_init(void *memory) {
	struct vcpu *vcpu = memory;
	struct vcpu **link = vcpus_like(vcpu_number(vcpu));

	*(uint32_t *)vcpu->vmcs = vmx_revision();
	memset(vcpu->io_bitmap, 0xff, sizeof(vcpu->io_bitmap));
	if (!vmcs_clear(physical_of(vcpu->vmcs))) panic("vcpu: VMCLEAR failed");
	vcpu_load(vcpu);
	vmcs_write_host();
	vcpu_reset_fields(vcpu);
	vmcs_write(VMCS_IO_BITMAP_A, physical_of(vcpu->io_bitmap).value);
	vmcs_write(VMCS_IO_BITMAP_B, physical_of(vcpu->io_bitmap).value + VCPU_PAGE);
	vcpu_state_init(vcpu);
	vcpu->registers = vcpu->own_registers;
	vcpu->next = *link;
	*link = vcpu;
}

void vcpu_stop(struct vcpu *vcpu) {
	this_cpu()->guest_prepared = NULL;
	if (vcpu->thread && vcpu->thread->state == THREAD_IN_GUEST)
		vcpu->thread->state = THREAD_RESTART;
}

// Without a VCPU the system call that a thread in the guest executes again is unknown.
static void detach_thread(struct thread *thread) {
	struct vcpu *vcpu = thread->vcpu;

	if (!vcpu) return;
	vcpu_stop(vcpu);
	vcpu->thread = NULL;
	thread->vcpu = NULL;
}

void vcpu_destroy(struct slot *slot, bool last) {
	struct vcpu *vcpu = cap_object(&slot->cap);
	struct vcpu **link = vcpus_like(vcpu_number(vcpu));
	struct cpu *cpu = this_cpu();

	if (!last) return;
	if (vcpu->thread) detach_thread(vcpu->thread);
	vcpu_page_take(vcpu);
	vcpu_state_forget(vcpu);
	// The CPU may keep the VMCS and write it back later: not after the memory is another
	// object.
	if (!vmcs_clear(physical_of(vcpu->vmcs))) panic("vcpu: VMCLEAR failed");
	if (cpu->vmcs_loaded == vcpu) cpu->vmcs_loaded = NULL;
	if (cpu->guest == vcpu) cpu->guest = NULL;
	while (*link != vcpu)
		link = &(*link)->next;
	*link = vcpu->next;
}

enum error vcpu_set_tcb(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	const struct cap *cap = &invocation->caps[0]->cap;
	struct thread *thread = cap_thread(cap);

	if (cap->type != CAP_THREAD) return ERROR_ILLEGAL_OPERATION;
	if (vcpu->thread == thread) return ERROR_NONE;
	if (vcpu->thread) detach_thread(vcpu->thread);
	detach_thread(thread);
	vcpu->thread = thread;
	vcpu->timer_left = vcpu->timer_value;
	thread->vcpu = vcpu;
	return ERROR_NONE;
}

const uint8_t vcpu_register_order[VCPU_REGISTERS] = {
	0, 3, 1, 2, 6, 7, 5, 8, 9, 10, 11, 12, 13, 14, 15};

enum error vcpu_write_registers(struct invocation *invocation) {
	const struct vcpu *vcpu = cap_object(&invocation->slot->cap);

	for (unsigned i = 0; i < VCPU_REGISTERS; i++)
		vcpu->registers[vcpu_register_order[i]] = invocation_word(invocation, i);
	return ERROR_NONE;
}

// Ports

// Sets or clears the bits of first..last: bits is all ones or zero.
static void ports_set(struct vcpu *vcpu, unsigned first, unsigned last, uint64_t bits) {
	for (unsigned word = first / 64; word <= last / 64; word++) {
		uint64_t mask = UINT64_MAX;

		if (word == first / 64) mask &= UINT64_MAX << first % 64;
		if (word == last / 64) mask &= UINT64_MAX >> (63 - last % 64);
		vcpu->io_bitmap[word] = (vcpu->io_bitmap[word] & ~mask) | (bits & mask);
	}
}

// The capability may outlive the VCPU, so its number is looked up among the living. Should the
// memory be another VCPU by now, that one loses ports it can enable again.
void vcpu_withdraw_ports(struct cap *range) {
	struct vcpu *vcpu = *vcpus_like(range->port.vcpu);

	if (!range->port.vcpu) return;
	while (vcpu && vcpu_number(vcpu) != range->port.vcpu)
		vcpu = vcpu->next;
	if (vcpu) ports_set(vcpu, range->port.first, range->port.last, UINT64_MAX);
	range->port.vcpu = 0;
}

enum error vcpu_enable_io_port(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	struct cap *range = &invocation->caps[0]->cap;
	uint16_t low = (uint16_t)invocation_word(invocation, 0);
	uint16_t high = (uint16_t)invocation_word(invocation, 1);

	if (range->type != CAP_PORT_RANGE) return ERROR_ILLEGAL_OPERATION;
	if (low < range->port.first || high > range->port.last || low > high)
		return error_argument(invocation, 0);
	vcpu_withdraw_ports(range);
	ports_set(vcpu, low, high, 0);
	range->port.vcpu = (uint32_t)vcpu_number(vcpu);
	return ERROR_NONE;
}

enum error vcpu_disable_io_port(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	uint16_t low = (uint16_t)invocation_word(invocation, 0);
	uint16_t high = (uint16_t)invocation_word(invocation, 1);

	if (low <= high) ports_set(vcpu, low, high, UINT64_MAX);
	return ERROR_NONE;
}

const struct guest_hooks guest_hooks = {
	.enter = vcpu_enter,
	.prepare = vcpu_prepare,
	.detach = detach_thread,
};
