// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPUs come and go, however many there are, and lose the ports of a capability that ends.
#include "../check.h"

#include <cap/cap.h>
#include <cpu/platform.h>
#include <object/vcpu.h>
#include <sched/place.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	PLACE = 1 << 20, // of the first VCPU: number 0 stands for none
	LIST_APART = 32 << 20, // places of VCPUs that have to look for each other
	PORT = 0x3f8,
};

static struct platform platform;
static struct cpu cpu = {.platform = &platform};

void panic(const char *, ...) { abort(); }

struct cpu *this_cpu(void) {
	return &cpu;
}

void guest_create(struct guest *, void *, const void *) {}

void guest_load(struct guest *) {}

void guest_unload(struct guest *) {}

void thread_park(struct thread *) { abort(); }

void guest_page_take(struct guest *) { abort(); }

void derive_remove(struct slot *) { abort(); }

bool vcpu_enter(struct thread *, uint64_t) { abort(); }

bool vcpu_prepare(struct thread *) { abort(); }

static struct vcpu *vcpu_at(char *place) {
	vcpu_init(place);
	return (struct vcpu *)place;
}

static void destroy(struct vcpu *vcpu) {
	struct slot slot = {.cap = cap_make(CAP_VCPU, vcpu)};

	vcpu_destroy(&slot, true);
}

static bool exits_at_port(const struct vcpu *vcpu) {
	return vcpu->io_bitmap[PORT / 64] >> PORT % 64 & 1;
}

static void enable_port(struct vcpu *vcpu, struct cap *range) {
	vcpu->io_bitmap[PORT / 64] &= ~(1ul << PORT % 64);
	range->port.first = range->port.last = PORT;
	range->port.vcpu = (uint32_t)(physical_of(vcpu).value >> VCPU_BITS);
}

static void life(void) {
	char *memory = mmap((void *)(PHYSICAL_WINDOW + PLACE), LIST_APART + sizeof(struct vcpu),
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	struct vcpu *first = vcpu_at(memory);
	struct vcpu *neighbour = vcpu_at(memory + sizeof(struct vcpu));
	struct vcpu *far = vcpu_at(memory + LIST_APART);
	struct cap range = {0};

	check(!neighbour->next && !first->next);
	check(far->next == first);

	enable_port(first, &range);
	far->io_bitmap[PORT / 64] = 0;
	vcpu_withdraw_ports(&range);
	check(exits_at_port(first));
	check(!exits_at_port(far));
	check_equal(range.port.vcpu, 0);

	destroy(neighbour);
	enable_port(first, &range);
	destroy(first);
	vcpu_withdraw_ports(&range);
	check(!exits_at_port(first));
	check(!far->next);
	check(!exits_at_port(far));
	destroy(far);
}

int main(void) {
	static const struct test tests[] = {{"vcpu-life",
		"a VCPU is found among few, and loses the ports of a capability that ends", life}};

	return check_run(tests, array_count(tests));
}
