// SPDX-License-Identifier: BSD-2-Clause
// AMD-V: numbers of guests' translations, and what an exit says of an event that was injected.
#include "../check.h"

#include <base/compiler.h>
#include <cpu/segments.h>
#include <guest/svm/internal.h>
#include <stdlib.h>

enum { RIP = 0x1000, LENGTH = 2, TIMES = 1000 };

static struct platform platform;
static struct cpu cpu = {.platform = &platform};
static struct vmcb vmcb;
static struct guest guest;

void panic(const char *, ...) { abort(); }

struct cpu *this_cpu(void) {
	return &cpu;
}

static void fresh(uint32_t asids) {
	platform.svm = (struct svm){.asids = asids};
	cpu.svm.last_asid = 0;
	svm_invalidate();
	vmcb = (struct vmcb){.rip = RIP};
	guest = (struct guest){.svm.vmcb = &vmcb};
}

// Within a generation no two are the same, and the first one flushes what is left of those before.
static void numbers(void) {
	for (uint32_t asids = 2; asids < 20; asids += 3) {
		fresh(asids);
		for (unsigned i = 0; i < TIMES; i++) {
			uint64_t before = guest.svm.asid;

			vmcb.tlb_control = TLB_CONTROL_KEEP;
			svm_assign_asid(&guest);
			check(guest.svm.asid > before);
			check(vmcb.asid > 0 && vmcb.asid < asids);
			check_equal(vmcb.asid, i % (asids - 1) + 1);
			check((vmcb.asid == 1) == (vmcb.tlb_control == TLB_CONTROL_FLUSH_ALL));
		}
	}
}

// A program that unmaps all the time needs an hour for 2^32 generations.
static void generations(void) {
	uint64_t first, step;

	fresh(UINT16_MAX);
	first = cpu.svm.last_asid;
	svm_invalidate();
	step = cpu.svm.last_asid - first;
	cpu.svm.last_asid += step * (UINT32_MAX - 1ul);
	svm_invalidate();
	check(cpu.svm.last_asid > first);
}

static void inject(uint32_t event) {
	fresh(UINT16_MAX);
	guest.svm.event = event;
	guest.svm.event_length = LENGTH;
	svm_events_enter(&guest);
}

// INT1 returns behind itself, and is executed again if the exit comes before it is delivered.
static void injected(void) {
	const uint32_t event = INTERRUPTION_VALID | INTERRUPTION_PRIVILEGED | VECTOR_DEBUG;
	const uint32_t exception = INTERRUPTION_VALID | INTERRUPTION_EXCEPTION;

	inject(event);
	check_equal(vmcb.rip, RIP + LENGTH);
	vmcb.exit_event = exception | VECTOR_DEBUG;
	check(!svm_events_exit(&guest, true));
	check_equal(vmcb.rip, RIP);

	inject(event);
	check(!svm_events_exit(&guest, true));
	check_equal(vmcb.rip, RIP + LENGTH);
}

static void later(void) {
	inject(INTERRUPTION_VALID | INTERRUPTION_PRIVILEGED | VECTOR_DEBUG);
	vmcb.rip = 0x5000;
	vmcb.exit_event = INTERRUPTION_VALID | INTERRUPTION_EXCEPTION | VECTOR_PAGE_FAULT;
	check(!svm_events_exit(&guest, true));
	check_equal(vmcb.rip, 0x5000);
	check_equal(guest.svm.event, 0);
}

static const struct test tests[] = {
	{"asid-numbers", "each number is a guest's alone until all are flushed", numbers},
	{"asid-generations", "a generation does not come again", generations},
	{"inject-undone", "an event that was not delivered leaves RIP as it was", injected},
	{"inject-later", "an event interrupted later leaves RIP alone", later},
};

int main(void) { return check_run(tests, array_count(tests)); }
