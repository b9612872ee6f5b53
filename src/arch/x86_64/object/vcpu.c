// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPU objects: life cycle, partner thread, state page and ports.
#include <object/vcpu.h>

#include <cpu/platform.h>
#include <cap/invocation.h>
#include <sched/place.h>

static uint64_t vcpu_number(const struct vcpu *vcpu) {
	return physical_of(vcpu).value >> VCPU_BITS;
}

static struct vcpu **vcpus_like(uint64_t number) {
	struct platform *platform = this_cpu()->platform;

	return &platform->vcpus[number % array_count(platform->vcpus)];
}

void vcpu_init(void *memory) {
	struct vcpu *vcpu = memory;
	struct vcpu **link = vcpus_like(vcpu_number(vcpu));

	memset(vcpu->io_bitmap, 0xff, sizeof(vcpu->io_bitmap));
	guest_create(&vcpu->guest, vcpu->control, vcpu->io_bitmap);
	vcpu->next = *link;
	*link = vcpu;
}

// A thread that is in the guest will execute its system call again.
static void stop(struct vcpu *vcpu) {
	if (vcpu->guest.cpu) vcpu->guest.cpu->guest_prepared = NULL;
	if (!vcpu->thread) return;
	thread_stop(vcpu->thread);
	if (vcpu->thread->state == THREAD_IN_GUEST) vcpu->thread->state = THREAD_RESTART;
}

// Without a VCPU the system call that a thread in the guest executes again is unknown.
void vcpu_detach(struct thread *thread) {
	struct vcpu *vcpu = thread->vcpu;

	if (!vcpu) return;
	stop(vcpu);
	vcpu->thread = NULL;
	thread->vcpu = NULL;
}

// The state page

[[gnu::noinline]] static void page_take(struct vcpu *vcpu) {
	if (!vcpu->guest.page) return;
	stop(vcpu);
	guest_load(&vcpu->guest);
	guest_page_take(&vcpu->guest);
}

void vcpu_frame_destroy(struct slot *slot, bool last) {
	if (!slot->cap.map.mapped) return;
	if (slot->cap.map.format != SPACE_NONE) return frame_destroy(slot, last);
	page_take((struct vcpu *)((char *)slot - offsetof(struct vcpu, page_slot)));
}

static void page_remove(struct vcpu *vcpu) {
	page_take(vcpu);
	if (!slot_is_empty(&vcpu->page_slot)) derive_remove(&vcpu->page_slot);
}

static void page_give(struct vcpu *vcpu, struct slot *source) {
	struct cap cap = source->cap;

	cap.word = 0;
	cap.map.mapped = true; // to no space: vcpu_frame_destroy() knows it by that
	derive_insert_copy(&vcpu->page_slot, cap, source);
	guest_load(&vcpu->guest);
	guest_page_give(&vcpu->guest, cap_object(&cap));
}

static bool can_be_page(const struct cap *cap) {
	const unsigned rights = RIGHT_READ | RIGHT_WRITE;

	return cap->type == CAP_FRAME && cap->size_bits == PAGE_BITS && !cap->device &&
		(cap->rights & rights) == rights;
}

enum error vcpu_set_state_page(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);

	if (invocation->cap_count && !can_be_page(&invocation->caps[0]->cap))
		return error_capability(invocation, 1);
	page_remove(vcpu);
	if (invocation->cap_count) page_give(vcpu, invocation->caps[0]);
	return ERROR_NONE;
}

void vcpu_destroy(struct slot *slot, bool last) {
	struct vcpu *vcpu = cap_object(&slot->cap);
	struct vcpu **link = vcpus_like(vcpu_number(vcpu));

	if (!last) return;
	if (vcpu->thread) vcpu_detach(vcpu->thread);
	page_remove(vcpu);
	guest_unload(&vcpu->guest);
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
	if (vcpu->thread) vcpu_detach(vcpu->thread);
	vcpu_detach(thread);
	vcpu->thread = thread;
	guest_load(&vcpu->guest);
	guest_engine()->timer_reset(&vcpu->guest);
	thread->vcpu = vcpu;
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
