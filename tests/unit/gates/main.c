// SPDX-License-Identifier: BSD-2-Clause
// Each entry to the kernel and each exit, with each set of the mitigations that have a part in it:
// which of them act, in which order, and that registers are preserved.
#include "../check.h"
#include "stepper.h"

#include <abi/syscall.h>
#include <base/compiler.h>
#include <base/panic.h>
#include <cpu/mitigations.h>
#include <entry/mitigate.h>
#include <sched/thread.h>
#include <guest/engine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// A row of the table, as gates.c has it.
struct gate_part {
	char *start;
	uint64_t mitigations;
	const char **entry;
};

extern struct gate_part trap_gates[], trap_gates_end[];
extern char trap_stubs[];

void panic(const char *, ...) { abort(); }

enum {
	STACK_WORDS = 512,
	USER_RIP = 0x401234,
	USER_STACK = 0x70000000,
	USER_FLAGS = 0x246,
	PAGE = 4096,
	VMRUN_SIZE = 3,
};

static struct thread thread;
static struct guest guest;
static alignas(16) uint64_t kernel_stack[STACK_WORDS], entry_stack[STACK_WORDS];

static uint64_t stack_top(uint64_t *stack) { return (uint64_t)(stack + STACK_WORDS); }

// The text as it was assembled.
static char *pristine;
static const char *entries[SYSCALL_ENTRIES];

static size_t text_size(void) { return (size_t)(trap_gates_end[-1].start - trap_stubs); }

static void writable(const void *start, size_t size) {
	uint64_t first = (uint64_t)start & -(uint64_t)PAGE;

	if (mprotect((void *)first, (uint64_t)start + size - first,
		    PROT_READ | PROT_WRITE | PROT_EXEC))
		abort();
}

static void text_save(void) {
	if (pristine) return;
	step_init();
	writable(trap_stubs, text_size());
	writable(trap_gates, (size_t)((char *)trap_gates_end - (char *)trap_gates));
	for (const struct gate_part *row = trap_gates; row < trap_gates_end; row++)
		if (row->entry) writable(row->entry, sizeof(*row->entry));
	pristine = malloc(text_size());
	memcpy(pristine, trap_stubs, text_size());
}

static void install(uint32_t mitigations, bool has_fast_paths) {
	text_save();
	memcpy(trap_stubs, pristine, text_size());
	gates_install(mitigations, has_fast_paths, entries);
	for (const struct gate_part *row = trap_gates; row < trap_gates_end; row++)
		if (row->entry) step_guest_entry = (uint64_t)*row->entry; // the last one
}

static struct step_state machine_state(void) {
	struct step_state state = {.rip = 0};

	memset(&thread, 0, sizeof(thread));
	memset(&guest, 0, sizeof(guest));
	guest.registers = guest.own_registers;
	thread.program_root = STEP_PROGRAM_CR3;
	step_cpu = (struct cpu){
		.self = &step_cpu,
		.current = &thread,
		.guest = &guest,
		.kernel_stack = stack_top(kernel_stack),
		.tss.rsp = {stack_top(entry_stack)},
		.kernel_cr3 = STEP_KERNEL_CR3,
		.host_block = STEP_HOST_BLOCK,
		.spec_ctrl = STEP_KERNEL_SPEC,
		.program_spec_ctrl = STEP_PROGRAM_SPEC,
		.guest_spec_ctrl = STEP_GUEST_SPEC,
	};
	for (unsigned i = 0; i < STEP_REGISTERS; i++)
		state.registers[i] = 0xa0a0000000000000 + i;
	return state;
}

static bool is_same_but_stack(const struct step_state *one, const struct step_state *other) {
	for (unsigned i = 0; i < STEP_REGISTERS; i++)
		if (i != STEP_RSP && one->registers[i] != other->registers[i]) return false;
	return true;
}

// A program's system call and the return.
static bool syscall_run(unsigned way, uint64_t number) {
	struct step_state state = machine_state(), before;

	step_way = EXIT_TO_USER;
	state.rip = (uint64_t)entries[way];
	state.registers[STEP_RSP] = USER_STACK;
	state.registers[STEP_RCX] = USER_RIP;
	state.registers[STEP_R11] = USER_FLAGS;
	state.registers[STEP_RDX] = number;
	before = state;
	step_run(&state);
	return is_same_but_stack(&state, &before) && !state.is_kernel_gs &&
		state.registers[STEP_RSP] == USER_STACK;
}

static bool run_syscall(void) { return syscall_run(SYSCALL_ENTRY_PLAIN, 1); }

static bool run_null(void) { return syscall_run(SYSCALL_ENTRY_FAST, (uint64_t)SYSCALL_NULL); }

static bool run_of_cores(void) { return syscall_run(SYSCALL_ENTRY_CORES, (uint64_t)SYSCALL_NULL); }

// An interrupt of a program and the return; the CPU has pushed the frame.
static bool interrupt_run(unsigned vector, struct step_state *state) {
	const uint64_t frame[] = {
		USER_RIP, SELECTOR_USER_CODE, USER_FLAGS, USER_STACK, SELECTOR_USER_DATA};
	struct step_state before;

	step_way = EXIT_TO_USER;
	state->rip = (uint64_t)trap_stubs + vector * STUB_SIZE;
	state->registers[STEP_RSP] = stack_top(entry_stack) - sizeof(frame);
	memcpy((void *)state->registers[STEP_RSP], frame, sizeof(frame));
	before = *state;
	step_run(state);
	return is_same_but_stack(state, &before) && !state->is_kernel_gs &&
		state->registers[STEP_RSP] == before.registers[STEP_RSP] &&
		memcmp((void *)state->registers[STEP_RSP], frame, sizeof(frame)) == 0;
}

static bool run_interrupt(void) {
	struct step_state state = machine_state();

	return interrupt_run(VECTOR_TIMER, &state);
}

// An exit of a guest and its next entry.
static bool guest_run(uint64_t launched) {
	struct step_state state = machine_state(), before;

	step_way = EXIT_TO_GUEST;
	guest.vmx.launched = launched;
	state.is_kernel_gs = true;
	state.rip = step_guest_entry;
	state.registers[STEP_RSP] = stack_top(kernel_stack);
	before = state;
	step_run(&state);
	return is_same_but_stack(&state, &before) && state.is_kernel_gs &&
		!(guest.vmx.launched & LAUNCH_FAILED) &&
		state.registers[STEP_RSP] == stack_top(kernel_stack);
}

static bool run_guest(void) { return guest_run(1); }

static bool run_first_guest(void) { return guest_run(0); }

// From one VMRUN to the next: the guest's RAX is in the block, whose address this one holds.
static bool run_block(void) {
	struct step_state state = machine_state(), before;

	step_way = EXIT_TO_GUEST;
	guest.svm.block = STEP_GUEST_BLOCK;
	state.is_kernel_gs = true;
	state.rip = step_guest_entry;
	state.registers[STEP_RSP] = stack_top(kernel_stack);
	state.registers[STEP_RAX] = STEP_GUEST_BLOCK;
	step_run(&state);
	for (unsigned i = 0; i < STEP_REGISTERS; i++)
		if (i != STEP_RAX && i != STEP_RSP) state.registers[i]++;
	before = state;
	state.rip += VMRUN_SIZE;
	step_run(&state);
	return is_same_but_stack(&state, &before) && state.is_kernel_gs &&
		state.registers[STEP_RAX] == STEP_GUEST_BLOCK &&
		state.registers[STEP_RSP] == stack_top(kernel_stack) - sizeof(uint64_t);
}

// A program runs its guest, whose registers are loaded.
static bool run_vcpu(void) {
	struct step_state state = machine_state();

	step_way = EXIT_TO_GUEST;
	guest.vmx.launched = true;
	for (unsigned i = 0; i < STEP_REGISTERS; i++)
		guest.own_registers[i] = 0xb0b0000000000000 + i;
	state.rip = (uint64_t)entries[SYSCALL_ENTRY_FAST];
	state.registers[STEP_RDX] = (uint64_t)SYSCALL_VCPU_RUN;
	step_run(&state);
	for (unsigned i = 0; i < STEP_REGISTERS; i++)
		if (i != STEP_RSP && state.registers[i] != guest.own_registers[i]) return false;
	return state.is_kernel_gs && state.registers[STEP_RSP] == stack_top(kernel_stack);
}

#define ALWAYS MITIGATION_BIT(ALWAYS)
#define BOTH_PAGES (MITIGATION_BIT(KPTI) | MITIGATION_BIT(NO_KPTI))
#define BOTH_ENGINES (MITIGATION_BIT(VMX) | MITIGATION_BIT(SVM))

enum { EVENTS = 20 };

// A word of the record, and the mitigation it is for.
struct event {
	const char *word;
	uint32_t mitigations;
};

#define SYSCALL_IN \
	{"swapgs", ALWAYS}, {"cr3-kernel", MITIGATION_BIT(KPTI)}, \
		{"spec-kernel", MITIGATION_BIT(IBRS_ENTRY)}, \
		{"history", MITIGATION_BIT(BHI_SEQUENCE)}, { \
		"lfence", MITIGATION_BIT(BHI_SEQUENCE) \
	}
#define PROGRAM_OUT \
	{"spec-program", MITIGATION_BIT(IBRS_ENTRY)}, {"ibpb", MITIGATION_BIT(IBPB_SPACES)}, \
		{"div", MITIGATION_BIT(DIV0)}, {"cr3-program", MITIGATION_BIT(KPTI)}, \
		{"verw", MITIGATION_BIT(VERW)}, { \
		"swapgs", ALWAYS \
	}
#define GUEST_IN \
	{"spec-kernel", MITIGATION_BIT(IBRS_ENTRY)}, {"returns", MITIGATION_BIT(RSB)}, \
		{"lfence", MITIGATION_BIT(RSB)}, {"history", MITIGATION_BIT(BHI_SEQUENCE)}, \
		{"lfence", MITIGATION_BIT(BHI_SEQUENCE)}, {"ibpb", MITIGATION_BIT(ITS)}, { \
		"trap_guest_exit", ALWAYS \
	}
#define GUEST_OUT \
	{"spec-guest", MITIGATION_BIT(IBRS_ENTRY)}, {"l1d", MITIGATION_BIT(L1D_FLUSH)}, \
		{"div", MITIGATION_BIT(DIV0)}, { \
		"verw", MITIGATION_BIT(VERW) \
	}

static const struct path {
	const char *name;
	uint32_t engine; // that it is for
	bool (*run)(void); // true if every register came through
	struct event events[EVENTS];
} paths[] = {
	{"system call", BOTH_ENGINES, run_syscall,
		{SYSCALL_IN, {"trap_syscall", ALWAYS}, PROGRAM_OUT, {"sysret", ALWAYS}}},
	{"null system call", BOTH_ENGINES, run_null, {SYSCALL_IN, PROGRAM_OUT, {"sysret", ALWAYS}}},
	{"of several cores", BOTH_ENGINES, run_of_cores,
		{SYSCALL_IN, PROGRAM_OUT, {"sysret", ALWAYS}}},
	{"interrupt", BOTH_ENGINES, run_interrupt,
		{{"swapgs", ALWAYS}, {"lfence", MITIGATION_BIT(SWAPGS)},
			{"clac", MITIGATION_BIT(SMAP)}, {"cr3-kernel", MITIGATION_BIT(KPTI)},
			{"spec-kernel", MITIGATION_BIT(IBRS_ENTRY)}, {"trap_interrupt", ALWAYS},
			PROGRAM_OUT, {"iretq", ALWAYS}}},
	{"VM exit", MITIGATION_BIT(VMX), run_guest, {GUEST_IN, GUEST_OUT, {"vmresume", ALWAYS}}},
	{"run of a guest", MITIGATION_BIT(VMX), run_vcpu,
		{SYSCALL_IN, {"trap_vcpu_run", ALWAYS}, GUEST_OUT, {"vmresume", ALWAYS}}},
	{"first VM entry", MITIGATION_BIT(VMX), run_first_guest,
		{GUEST_IN, GUEST_OUT, {"vmwrite", ALWAYS}, {"vmlaunch", ALWAYS}}},
	{"exit with AMD-V", MITIGATION_BIT(SVM), run_block,
		{{"vmsave", ALWAYS}, {"vmload-host", ALWAYS}, {"cli", ALWAYS}, {"stgi", ALWAYS},
			GUEST_IN, GUEST_OUT, {"clgi", ALWAYS}, {"sti", ALWAYS}, {"vmload", ALWAYS},
			{"vmrun", ALWAYS}}},
};

static bool is_traced(const struct path *path, uint32_t mitigations) {
	char expected[STEP_TRACE_SIZE] = "";

	for (const struct event *event = path->events; event->word; event++)
		if (event->mitigations & mitigations) strcat(strcat(expected, event->word), " ");
	return strcmp(expected, step_trace) == 0;
}

static uint32_t mitigations_of(const struct path *path) {
	uint32_t result = 0;

	for (const struct event *event = path->events; event->word; event++)
		result |= event->mitigations;
	return result & ~(ALWAYS | BOTH_PAGES);
}

// All that any part is for, but for pages and engines, of which there is one.
static uint32_t mitigations_all(void) {
	uint32_t result = 0;

	for (const struct gate_part *row = trap_gates; row < trap_gates_end; row++)
		result |= (uint32_t)row->mitigations;
	return result & ~(BOTH_PAGES | BOTH_ENGINES);
}

static void path_check(const struct path *path, uint32_t mitigations) {
	static char about[STEP_TRACE_SIZE + 64];
	bool is_whole;

	install(mitigations, true);
	is_whole = path->run();
	(void)snprintf(
		about, sizeof(about), "%s with %#x: %s", path->name, mitigations, step_trace);
	check_about(about);
	check(is_traced(path, mitigations));
	check(is_whole);
}

// Mitigations of other parts are all installed for every second set, and must make no difference.
static void combinations(void) {
	for (unsigned i = 0; i < array_count(paths); i++) {
		uint32_t own = mitigations_of(&paths[i]), set = 0;

		do {
			uint32_t others = __builtin_parity(set) ? mitigations_all() & ~own : 0;

			others |= paths[i].engine & -paths[i].engine;
			path_check(&paths[i], set | others | ALWAYS | MITIGATION_BIT(KPTI));
			path_check(&paths[i], set | others | ALWAYS | MITIGATION_BIT(NO_KPTI));
			set = (set - own) & own;
		} while (set);
	}
}

static bool is_any_path_broken(uint32_t mitigations) {
	for (unsigned i = 0; i < array_count(paths); i++) {
		if (!(paths[i].engine & mitigations)) continue;
		if (!paths[i].run() || !is_traced(&paths[i], mitigations)) return true;
	}
	return false;
}

// Checks the test above: it must notice each part that is not installed.
static void parts_missed(void) {
	const uint32_t kinds[] = {MITIGATION_BIT(KPTI) | MITIGATION_BIT(VMX),
		MITIGATION_BIT(NO_KPTI) | MITIGATION_BIT(VMX),
		MITIGATION_BIT(NO_KPTI) | MITIGATION_BIT(SVM)};

	for (unsigned i = 0; i < array_count(kinds); i++) {
		uint32_t mitigations = mitigations_all() | ALWAYS | kinds[i];

		for (struct gate_part *row = trap_gates; row < trap_gates_end; row++) {
			uint64_t kept = row->mitigations;
			static char about[32];

			if (!(kept & mitigations)) continue;
			(void)snprintf(about, sizeof(about), "part %d", (int)(row - trap_gates));
			check_about(about);
			row->mitigations = 1u << 31;
			install(mitigations, true);
			row->mitigations = kept;
			check(is_any_path_broken(mitigations));
		}
		install(mitigations, true);
		check(!is_any_path_broken(mitigations));
	}
}

static bool ends_with(const char *word) {
	size_t length = strlen(word), used = strlen(step_trace);

	return used > length && strncmp(step_trace + used - 1 - length, word, length) == 0;
}

// Where the code after the gates leads: fixed distances, and two that gates.c writes.
static void branches(void) {
	static const struct {
		int64_t number;
		const char *word, *of_cores;
	} calls[] = {
		{SYSCALL_CALL, "fastpath_call", "fastpath_cores_call"},
		{SYSCALL_REPLY_RECV, "fastpath_reply_recv", "fastpath_cores_reply_recv"},
		{SYSCALL_SEND, "fastpath_send", "fastpath_cores_send"},
	};
	struct step_state state;

	install(ALWAYS | MITIGATION_BIT(NO_KPTI), true);
	check(entries[SYSCALL_ENTRY_FAST] != entries[SYSCALL_ENTRY_PLAIN]);
	for (unsigned i = 0; i < array_count(calls); i++) {
		(void)syscall_run(SYSCALL_ENTRY_FAST, (uint64_t)calls[i].number);
		check(ends_with(calls[i].word));
		(void)syscall_run(SYSCALL_ENTRY_CORES, (uint64_t)calls[i].number);
		check(ends_with(calls[i].of_cores));
	}
	state = machine_state();
	(void)interrupt_run(VECTOR_PROTECTION - 7, &state);
	check(ends_with("fastpath_exception"));
	check_equal(state.registers[STEP_RDI], VECTOR_PROTECTION - 7);
	check_equal(state.registers[STEP_RSI], 0);

	install(ALWAYS | MITIGATION_BIT(NO_KPTI), false);
	check(entries[SYSCALL_ENTRY_FAST] == entries[SYSCALL_ENTRY_PLAIN]);
	for (unsigned i = 0; i < array_count(calls); i++) {
		check(syscall_run(SYSCALL_ENTRY_FAST, (uint64_t)calls[i].number));
		check(strstr(step_trace, "trap_syscall "));
	}
	state = machine_state();
	check(interrupt_run(VECTOR_PROTECTION - 7, &state));
	check(strstr(step_trace, "trap_exception ") && ends_with("iretq"));
}

// No barrier where the same program continues.
static void same_space(void) {
	struct step_state state;

	install(ALWAYS | MITIGATION_BIT(NO_KPTI) | MITIGATION_BIT(IBPB_SPACES), true);
	for (unsigned other = 0; other < 2; other++) {
		state = machine_state();
		step_cpu.program_root = STEP_PROGRAM_CR3 + other;
		check(interrupt_run(VECTOR_TIMER, &state));
		check(!strstr(step_trace, "ibpb") == !other);
		check_equal(step_cpu.program_root, STEP_PROGRAM_CR3);
	}
}

// In a program, on the interrupt stack; the CPU has pushed the frame.
static void init(void) {
	const uint64_t frame[] = {SECURITY_INIT, USER_RIP, SELECTOR_USER_CODE, USER_FLAGS,
		USER_STACK, SELECTOR_USER_DATA};
	struct step_state state = machine_state(), before;

	install(MITIGATION_BIT(ALWAYS) | MITIGATION_BIT(NO_KPTI), true);
	state.rip = (uint64_t)trap_stubs + VECTOR_SECURITY * STUB_SIZE;
	state.registers[STEP_RSP] = stack_top(entry_stack) - sizeof(frame);
	memcpy((void *)state.registers[STEP_RSP], frame, sizeof(frame));
	before = state;
	step_run(&state);
	check(strcmp(step_trace, "iretq ") == 0);
	check(is_same_but_stack(&state, &before) && !state.is_kernel_gs);
	check_equal(state.registers[STEP_RSP], before.registers[STEP_RSP] + sizeof(frame[0]));
	check(memcmp((void *)state.registers[STEP_RSP], frame + 1, sizeof(frame) - 8) == 0);
}

static const struct test tests[] = {
	{"gates.init", "an INIT is left at once, without a change", init},
	{"gates.combinations", "each set of mitigations has its parts, in order, and no others",
		combinations},
	{"gates.parts", "a part that is missing is missed", parts_missed},
	{"gates.branches", "system calls and exceptions lead to the fast paths, or past them",
		branches},
	{"gates.space", "the barrier between programs knows who ran last", same_space},
};

int main(void) { return check_run(tests, array_count(tests)); }
