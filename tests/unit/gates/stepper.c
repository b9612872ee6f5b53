// SPDX-License-Identifier: BSD-2-Clause
// The trap flag raises a signal after each instruction, whose handler examines the next one.
#define _GNU_SOURCE
#include "stepper.h"

#include <asm/prctl.h>
#include <base/compiler.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum {
	TRAP_FLAG = 1 << 8,
	STEPS_MAX = 4000,
	HISTORY_BRANCHES = 25,
	RETURNS = 32,
	HOST_RIP = 0x6c16,
	CLOBBERED = 0x0bad0000,
};

struct cpu step_cpu;
enum exit_path step_way;
uint64_t step_guest_entry;
char step_trace[STEP_TRACE_SIZE];

static const int places[STEP_REGISTERS] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
	REG_RSI, REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

// Of the run.
static struct step_state *state;
static sigjmp_buf landing;
static unsigned steps, history_branches, returns;

// What the kernel's entry code calls or jumps to.
#define KERNEL_FUNCTIONS(row) \
	row(trap_syscall, true) row(trap_vcpu_run, true) row(trap_call, true) \
		row(trap_exception, true) row(trap_interrupt, true) row(trap_idle, true) \
			row(trap_guest_exit, true) row(trap_in_kernel, false) \
				row(fastpath_call, false) row(fastpath_reply_recv, false) \
					row(fastpath_send, false) row(fastpath_exception, false) \
						row(fastpath_cores_call, false) \
							row(fastpath_cores_reply_recv, false) \
								row(fastpath_cores_send, false)

#define FUNCTION_DEFINE(name, returns) \
	void name(void); \
	void name(void) { abort(); }
KERNEL_FUNCTIONS(FUNCTION_DEFINE)

#define FUNCTION_ROW(name, returns) {name, #name, returns},
static const struct function {
	void (*address)(void);
	const char *name;
	bool returns;
} functions[] = {KERNEL_FUNCTIONS(FUNCTION_ROW)};

static void gs_set(const void *base) { syscall(SYS_arch_prctl, ARCH_SET_GS, base); }

static void note(const char *word) {
	size_t used = strlen(step_trace);

	(void)snprintf(step_trace + used, sizeof(step_trace) - used, "%s ", word);
}

[[gnu::noreturn]] static void finish(const greg_t *registers) {
	for (unsigned i = 0; i < STEP_REGISTERS; i++)
		state->registers[i] = (uint64_t)registers[places[i]];
	state->rip = (uint64_t)registers[REG_RIP];
	siglongjmp(landing, 1);
}

// The word recorded for an instruction; the registers are those before it.

static const char *see_swapgs(const greg_t *) {
	state->is_kernel_gs = !state->is_kernel_gs;
	gs_set(state->is_kernel_gs ? &step_cpu : NULL);
	return "swapgs";
}

static const char *see_cr3(const greg_t *registers) {
	const uint8_t *code = (const uint8_t *)registers[REG_RIP];
	uint64_t value = (uint64_t)registers[places[code[2] & 7]];

	return value == STEP_KERNEL_CR3     ? "cr3-kernel"
		: value == STEP_PROGRAM_CR3 ? "cr3-program"
					    : "cr3-wrong";
}

static const char *see_wrmsr(const greg_t *registers) {
	static const struct {
		uint32_t msr, value;
		const char *name;
	} rows[] = {
		{0x48, STEP_KERNEL_SPEC, "spec-kernel"},
		{0x48, STEP_PROGRAM_SPEC, "spec-program"},
		{0x48, STEP_GUEST_SPEC, "spec-guest"},
		{0x49, 1, "ibpb"},
		{0x10b, 1, "l1d"},
	};

	for (unsigned i = 0; i < array_count(rows); i++)
		if (registers[REG_RCX] == rows[i].msr && registers[REG_RAX] == rows[i].value &&
			registers[REG_RDX] == 0)
			return rows[i].name;
	return "wrmsr-wrong";
}

// The sequences that end with one are noted as a whole.
static const char *see_lfence(const greg_t *) {
	if (returns) note(returns == RETURNS ? "returns" : "returns-wrong");
	if (history_branches)
		note(history_branches == HISTORY_BRANCHES ? "history" : "history-wrong");
	returns = history_branches = 0;
	return "lfence";
}

static const char *see_division(const greg_t *registers) {
	return registers[REG_RCX] == 1 && registers[REG_RDX] == 0 ? "div" : "div-wrong";
}

static const char *see_vmwrite(const greg_t *registers) {
	return registers[REG_RCX] == HOST_RIP && (uint64_t)registers[REG_RDX] == step_guest_entry
		? "vmwrite"
		: "vmwrite-wrong";
}

static const char *see_vmload(const greg_t *registers) {
	return (uint64_t)registers[REG_RAX] == STEP_HOST_BLOCK ? "vmload-host" : "vmload";
}

static const char *see_history_branch(const greg_t *) {
	history_branches++;
	return NULL;
}

static const char *see_return(const greg_t *) {
	returns++;
	return NULL;
}

enum action { ACTION_DO, ACTION_PASS, ACTION_END };

static const struct instruction {
	const char *name;
	const char *(*see)(const greg_t *registers);
	enum action action;
	uint8_t size, bytes[6];
} instructions[] = {
	{"", see_swapgs, ACTION_PASS, 3, {0x0f, 0x01, 0xf8}},
	{"clac", NULL, ACTION_PASS, 3, {0x0f, 0x01, 0xca}},
	{"", see_cr3, ACTION_PASS, 3, {0x0f, 0x22, 0xd9}}, // RCX
	{"", see_cr3, ACTION_PASS, 3, {0x0f, 0x22, 0xdb}}, // RBX
	{"", see_cr3, ACTION_PASS, 3, {0x0f, 0x22, 0xdc}}, // RSP
	{"", see_wrmsr, ACTION_PASS, 2, {0x0f, 0x30}},
	{"verw", NULL, ACTION_DO, 4, {0x0f, 0x00, 0x2c, 0x25}},
	{"", see_lfence, ACTION_DO, 3, {0x0f, 0xae, 0xe8}},
	{"", see_division, ACTION_DO, 2, {0xf7, 0xf1}},
	{"", see_history_branch, ACTION_DO, 3, {0x83, 0xe8, 0x01}}, // SUB EAX, 1
	{"", see_return, ACTION_DO, 6, {0xe8, 1, 0, 0, 0, 0xcc}}, // CALL $ + 6, INT3
	{"", see_vmwrite, ACTION_PASS, 3, {0x0f, 0x79, 0xca}},
	{"sysret", NULL, ACTION_END, 3, {0x48, 0x0f, 0x07}},
	{"iretq", NULL, ACTION_END, 2, {0x48, 0xcf}},
	{"vmlaunch", NULL, ACTION_END, 3, {0x0f, 0x01, 0xc2}},
	{"vmresume", NULL, ACTION_END, 3, {0x0f, 0x01, 0xc3}},
	{"clgi", NULL, ACTION_PASS, 3, {0x0f, 0x01, 0xdd}},
	{"stgi", NULL, ACTION_PASS, 3, {0x0f, 0x01, 0xdc}},
	{"cli", NULL, ACTION_PASS, 1, {0xfa}},
	{"sti", NULL, ACTION_PASS, 1, {0xfb}},
	{"", see_vmload, ACTION_PASS, 3, {0x0f, 0x01, 0xda}},
	{"vmsave", NULL, ACTION_PASS, 3, {0x0f, 0x01, 0xdb}},
	{"vmrun", NULL, ACTION_END, 3, {0x0f, 0x01, 0xd8}},
	{"breakpoint", NULL, ACTION_END, 1, {0xcc}},
};

// A C function returns and has changed every register.
static void function_do(const struct function *function, greg_t *registers) {
	note(function->name);
	if (!function->returns) finish(registers);
	for (unsigned i = 0; i < STEP_REGISTERS; i++)
		if (places[i] != REG_RSP) registers[places[i]] = CLOBBERED + i;
	registers[REG_RAX] = step_way;
	registers[REG_RIP] = *(const greg_t *)registers[REG_RSP];
	registers[REG_RSP] += (greg_t)sizeof(greg_t);
}

// True if it was handled, and the next one is to be examined.
static bool instruction_see(greg_t *registers) {
	const void *code = (const void *)registers[REG_RIP];

	if (++steps > STEPS_MAX) {
		note("endless");
		finish(registers);
	}
	for (unsigned i = 0; i < array_count(functions); i++)
		if (code == (const void *)functions[i].address) {
			function_do(&functions[i], registers);
			return true;
		}
	for (unsigned i = 0; i < array_count(instructions); i++) {
		const struct instruction *row = &instructions[i];
		const char *word;

		if (memcmp(code, row->bytes, row->size) != 0) continue;
		word = row->see ? row->see(registers) : row->name;
		if (word) note(word);
		if (row->action == ACTION_END) finish(registers);
		if (row->action == ACTION_DO) return false;
		registers[REG_RIP] += row->size;
		return true;
	}
	return false;
}

static void on_step(int, siginfo_t *, void *context) {
	while (instruction_see(((ucontext_t *)context)->uc_mcontext.gregs))
		;
}

static void on_start(int number, siginfo_t *information, void *context) {
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	for (unsigned i = 0; i < STEP_REGISTERS; i++)
		registers[places[i]] = (greg_t)state->registers[i];
	registers[REG_RIP] = (greg_t)state->rip;
	registers[REG_EFL] |= TRAP_FLAG;
	on_step(number, information, context);
}

static void on_fault(int, siginfo_t *, void *context) {
	note("fault");
	finish(((ucontext_t *)context)->uc_mcontext.gregs);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *)) {
	struct sigaction action = {
		.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	if (sigaction(number, &action, NULL)) abort();
}

void step_init(void) {
	static char stack[1 << 16];
	stack_t signals = {.ss_sp = stack, .ss_size = sizeof(stack)};

	if (sigaltstack(&signals, NULL)) abort();
	handle(SIGTRAP, on_step);
	handle(SIGUSR1, on_start);
	handle(SIGSEGV, on_fault);
	handle(SIGBUS, on_fault);
	handle(SIGILL, on_fault);
	handle(SIGFPE, on_fault);
}

void step_run(struct step_state *start) {
	state = start;
	steps = history_branches = returns = 0;
	step_trace[0] = '\0';
	gs_set(state->is_kernel_gs ? &step_cpu : NULL);
	if (sigsetjmp(landing, 1) == 0) raise(SIGUSR1);
}
