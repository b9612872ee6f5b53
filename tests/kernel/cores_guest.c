// SPDX-License-Identifier: BSD-2-Clause
// Tests: guests on other cores than the first, and virtual CPUs whose thread moves.
#include <base/memory.h>
#include <x86/vmx.h>
#include "real_guest.h"
#include "cores.h"

enum {
	GUEST_CODE = 0x100,
	GUEST_DATA = 0x2000,
	WORD_ECX = 12,
	ROUNDS = 30,
	MACHINES = 4,
	BADGE = 0x44,
	STATUS_TOP_SHIFT = 11, // of the x87 status word (SDM 1 8.1.3)
	STATUS_TOP = 7,
	VM_ENTERED_BY_SIGNAL = 0, // what VMEnter returns (VCPU-4)
};

// Counts in ECX and asks; counts in memory for ever.
static const uint8_t asking[] = {0x66, 0x41, 0x0f, 0xa2}; // inc ecx; cpuid
static const uint8_t counting[] = {
	0xff, 0x06, GUEST_DATA & 0xff, GUEST_DATA >> 8, 0xf3, 0x90, 0xeb, 0xf8};

// Turns the x87 stack by one, shows its status word, and asks: fincstp; fnstsw [data]; cpuid.
static const uint8_t turning[] = {
	0xd9, 0xf7, 0xdd, 0x3e, GUEST_DATA & 0xff, GUEST_DATA >> 8, 0x0f, 0xa2};

struct machine {
	struct helper *helper;
	uint64_t vcpu, data; // capabilities; data: as it is mapped in the guest
	volatile uint16_t *word; // of the data
};

static uint64_t page_here(uint64_t address) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, address, RIGHT_READ | RIGHT_WRITE));
	return frame;
}

// Result 0: core; 1: what VMEnter returned; 2: reason; 3: ECX; 4: badge.
static void run_guest(struct helper *helper) {
	for (;;) {
		struct call_registers registers = {.r10 = GUEST_CODE, .r8 = PRIMARY_HLT};

		system_call(SYSCALL_VM_ENTER, &registers);
		helper->result[0] = core_hardware_id();
		helper->result[1] = registers.rsi;
		helper->result[2] = registers.r15;
		helper->result[3] = own_buffer()->message[WORD_ECX];
		helper->result[4] = registers.rdi;
		helper->count++;
		if (helper->argument[0]) (void)ipc_wait(helper->argument[0]);
		core_relax();
	}
}

// Argument 0 of its helper is a notification to wait for after each exit, or null.
static struct machine machine_make(unsigned index, const uint8_t *code, size_t size) {
	static const uint64_t no_registers[15];
	struct machine made = {.vcpu = slot_take()};
	uint64_t address = TEST_ADDRESS + index * 0x10000, space, frame;

	if (retype_one(world.arena, OBJECT_VCPU, 0, made.vcpu).label == ERROR_ILLEGAL_OPERATION)
		test_skip("this processor has neither VT-x nor AMD-V");
	made.helper = core_helper(core_other(index), PRIORITY_HELPER);
	space = guest_space_new();
	tables_make(ROOT_SLOT_SPACE, address);
	frame = page_here(address);
	memcpy((void *)(address + GUEST_CODE), code, size);
	guest_page_map(cap_copy(frame), space, 0);
	made.data = cap_copy(page_here(address + GUEST_DATA));
	made.word = (volatile uint16_t *)(address + GUEST_DATA);
	guest_page_map(made.data, space, GUEST_DATA);
	guest_reset(made.vcpu, made.helper->tcb, space);
	CHECK_OK(invoke(made.vcpu, LABEL_VCPU_WRITE_REGISTERS, CAPS(),
		(struct words){array_count(no_registers), no_registers}));
	return made;
}

static void check_guest_counts(const struct machine *machine) {
	uint16_t before = *machine->word;

	CHECK_MEANWHILE(*machine->word != before);
}

static void check_guest_stands(const struct machine *machine) {
	uint16_t count = *machine->word;

	core_pass(1000);
	CHECK_EQUAL(*machine->word, count);
}

static void guests_of_all_cores(void) {
	struct machine machines[MACHINES];

	for (unsigned index = 0; index < MACHINES; index++)
		machines[index] = machine_make(index, asking, sizeof(asking));
	for (unsigned index = 0; index < MACHINES; index++)
		helper_start(machines[index].helper, run_guest);
	for (unsigned index = 0; index < MACHINES; index++) {
		CHECK_COUNTS(machines[index].helper, core_other(index));
		CHECK_EQUAL(machines[index].helper->result[1], 1);
		CHECK_EQUAL(machines[index].helper->result[2], REASON_CPUID);
	}
}

// At each exit its registers and fields are its own, wherever it ran before.
static void moves_between_exits(void) {
	struct machine machine = machine_make(0, asking, sizeof(asking));
	uint64_t notification = machine.helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);

	helper_start(machine.helper, run_guest);
	for (unsigned round = 0; round < ROUNDS; round++) {
		CHECK_MEANWHILE(machine.helper->count == round + 1);
		CHECK_EQUAL(machine.helper->result[0], core_id(core_other(round)));
		CHECK_EQUAL(machine.helper->result[1], 1);
		CHECK_EQUAL(machine.helper->result[2], REASON_CPUID);
		CHECK_EQUAL(machine.helper->result[3], round + 1);
		CHECK_OK(core_move(core_other(round + 1), machine.helper->sched_context));
		ipc_signal(notification);
	}
}

static void use_fpu(struct helper *helper) {
	for (;;) {
		asm volatile("fninit" ::: "memory");
		helper->count++;
		core_relax();
	}
}

// Other threads use the FPU of every second core that it comes to and leaves.
static void moves_with_fpu(void) {
	struct machine machine = machine_make(0, turning, sizeof(turning));
	uint64_t notification = machine.helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);

	for (unsigned core = 1; core < core_count() && core < MACHINES; core += 2)
		(void)core_start(core, PRIORITY_HELPER - 1, use_fpu);
	helper_start(machine.helper, run_guest);
	for (unsigned round = 0; round < ROUNDS; round++) {
		CHECK_MEANWHILE(machine.helper->count == round + 1);
		CHECK_EQUAL(machine.helper->result[2], REASON_CPUID);
		CHECK_EQUAL(
			*machine.word >> STATUS_TOP_SHIFT & STATUS_TOP, (round + 1) & STATUS_TOP);
		core_pass(100);
		CHECK_OK(core_move(core_other(round + 1), machine.helper->sched_context));
		ipc_signal(notification);
	}
}

static void moves_in_the_guest(void) {
	struct machine machine = machine_make(0, counting, sizeof(counting));

	helper_start(machine.helper, run_guest);
	for (unsigned round = 0; round < ROUNDS; round++) {
		check_guest_counts(&machine);
		CHECK_OK(core_move(core_other(round), machine.helper->sched_context));
	}
	check_guest_counts(&machine);
	CHECK_EQUAL(machine.helper->count, 0);
}

static void suspended_in_the_guest(void) {
	struct machine machine = machine_make(0, counting, sizeof(counting));

	helper_start(machine.helper, run_guest);
	for (unsigned round = 0; round < ROUNDS; round++) {
		check_guest_counts(&machine);
		CHECK_OK(invoke(machine.helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
		check_guest_stands(&machine);
		CHECK_OK(invoke(machine.helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	}
}

static void signal_ends_the_run(void) {
	struct machine machine = machine_make(0, counting, sizeof(counting));
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHTS_ALL, BADGE);

	CHECK_OK(invoke(
		machine.helper->tcb, LABEL_TCB_BIND_NOTIFICATION, CAPS(notification), WORDS()));
	helper_start(machine.helper, run_guest);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		check_guest_counts(&machine);
		ipc_signal(badged);
		CHECK_MEANWHILE(machine.helper->count == round);
		CHECK_EQUAL(machine.helper->result[1], VM_ENTERED_BY_SIGNAL);
		CHECK_EQUAL(machine.helper->result[4], BADGE);
	}
}

// The other core's translations are gone when the operation returns.
static void memory_taken(unsigned core) {
	struct machine machine = machine_make(0, counting, sizeof(counting));
	uint16_t count;

	machine.helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(machine.helper, run_guest);
	check_guest_counts(&machine);
	CHECK_OK(core_move(core, machine.helper->sched_context));
	check_guest_counts(&machine);
	CHECK_OK(frame_unmap(machine.data));
	count = *machine.word;
	for (unsigned look = 0; look < 100; look++) {
		core_relax();
		CHECK_EQUAL(*machine.word, count);
	}
	CHECK_MEANWHILE(machine.helper->count == 1);
	CHECK_EQUAL(machine.helper->result[1], 1);
	CHECK_EQUAL(machine.helper->result[2], REASON_EPT_VIOLATION);
	CHECK_EQUAL(*machine.word, count);
}

static void memory_is_taken(void) { memory_taken(core_other(0)); }

static void memory_is_taken_elsewhere(void) { memory_taken(core_other(1)); }

static void deleted_in_the_guest(void) {
	for (unsigned round = 0; round < 4; round++) {
		struct machine machine = machine_make(round, counting, sizeof(counting));

		helper_start(machine.helper, run_guest);
		check_guest_counts(&machine);
		CHECK_OK(cap_delete(round % 2 ? machine.vcpu : machine.helper->tcb));
		check_guest_stands(&machine);
	}
}

// A virtual CPU goes from the thread of one core to that of another, in the middle of its run.
static void taken_by_another_thread(void) {
	struct machine machine = machine_make(0, counting, sizeof(counting));
	struct machine other = machine_make(1, counting, sizeof(counting));

	helper_start(machine.helper, run_guest);
	check_guest_counts(&machine);
	CHECK_OK(invoke(machine.vcpu, LABEL_VCPU_SET_TCB, CAPS(other.helper->tcb), WORDS()));
	check_guest_stands(&machine);
	helper_start(other.helper, run_guest);
	check_guest_counts(&other); // the space is the thread's
	check_guest_stands(&machine);
}

static const struct test tests[] = {
	{"cores-guests", "guests run on all cores at once", guests_of_all_cores, NULL},
	{"cores-guest-moved", "a guest whose thread moves between exits keeps its registers",
		moves_between_exits, NULL},
	{"cores-guest-fpu", "a guest whose thread moves keeps its x87 state", moves_with_fpu, NULL},
	{"cores-guest-moves", "a guest that does not exit moves with its thread",
		moves_in_the_guest, NULL},
	{"cores-guest-suspend", "a thread is suspended in its guest on another core",
		suspended_in_the_guest, NULL},
	{"cores-guest-signal", "a signal ends the run of another core's guest", signal_ends_the_run,
		NULL},
	{"cores-guest-unmap", "memory taken from another core's guest is gone at once",
		memory_is_taken, NULL},
	{"cores-guest-unmap-moved", "so it is on the core that the guest's thread has come to",
		memory_is_taken_elsewhere, NULL},
	{"cores-guest-delete", "virtual CPU or thread are deleted while another core runs them",
		deleted_in_the_guest, NULL},
	{"cores-guest-taken", "a virtual CPU is given to a thread of another core while it runs",
		taken_by_another_thread, NULL},
};

TEST_FILE(cores_guest);
