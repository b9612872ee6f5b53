// SPDX-License-Identifier: BSD-2-Clause
// What the counting plugin makes of instructions' bytes, and what a trace sums up to.
#include "../check.h"

#include <base/compiler.h>
#include <instruction.h>
#include <stdlib.h>
#include <trace.h>

enum { MANY = 300000 };

static const uint64_t kernel = 1ul << 63;

static void test_kinds(void) {
	static const struct {
		uint8_t bytes[4];
		uint8_t size;
		uint8_t kind;
	} rows[] = {
		{{0x74, 0x02}, 2, KIND_CONDITIONAL_BRANCH}, // JZ
		{{0x0f, 0x85, 0x00}, 3, KIND_CONDITIONAL_BRANCH}, // JNZ with a long distance
		{{0x3e, 0x75, 0x02}, 3, KIND_CONDITIONAL_BRANCH}, // predicted JNZ
		{{0xe3, 0x02}, 2, KIND_CONDITIONAL_BRANCH}, // JRCXZ
		{{0xeb, 0x02}, 2, KIND_OTHER}, // JMP
		{{0xe8, 0x00}, 2, KIND_OTHER}, // CALL
		{{0x0f, 0x44, 0xc1}, 3, KIND_OTHER}, // CMOVZ
		{{0x0f, 0x94, 0xc0}, 3, KIND_OTHER}, // SETZ
		{{0x0f, 0x31}, 2, KIND_TIME_STAMP},
		{{0x0f, 0x01, 0xf9}, 3, KIND_TIME_STAMP}, // RDTSCP
		{{0x0f, 0x01, 0xf8}, 3, KIND_OTHER}, // SWAPGS
		{{0x0f, 0x05}, 2, KIND_OTHER}, // SYSCALL
		{{0xf3, 0x90}, 2, KIND_PAUSE},
		{{0x90}, 1, KIND_OTHER}, // NOP
		{{0xf0, 0x48, 0xff, 0x00}, 4, KIND_LOCKED}, // LOCK INC
		{{0x87, 0x07}, 2, KIND_LOCKED}, // XCHG with memory
		{{0x48, 0x87, 0xc7}, 3, KIND_OTHER}, // XCHG of registers
		{{0x87}, 1, KIND_OTHER},
		{{0x48, 0x0f}, 2, KIND_OTHER},
		{{0x66}, 1, KIND_OTHER},
	};

	for (size_t index = 0; index < array_count(rows); index++)
		check(instruction_kind(rows[index].bytes, rows[index].size) == rows[index].kind);
}

static void add(struct trace *trace, enum event_kind kind, uint64_t address, uint8_t size) {
	(void)trace_add(
		trace, (struct event){.address = address, .kind = (uint8_t)kind, .size = size});
}

static void test_sum(void) {
	struct trace trace = {0};
	struct trace_sum sum;

	add(&trace, EVENT_INSTRUCTION, 0x1000, 2); // user code and what it reads count nowhere
	add(&trace, EVENT_READ, 0x2000, 8);
	add(&trace, EVENT_INSTRUCTION, kernel + 0x3e, 4); // in two lines
	add(&trace, EVENT_WRITE, kernel + 0x1000, 8);
	add(&trace, EVENT_READ, kernel + 0x1038, 8); // the same line to its last byte
	add(&trace, EVENT_READ, 0x2000, 8); // user memory, by the kernel
	add(&trace, EVENT_BRANCH, kernel + 0x42, 2);
	add(&trace, EVENT_BRANCH, kernel + 0x44, 2);
	trace.events[trace.count - 1].taken = 1;
	sum = trace_summed(&trace);
	check(sum.instructions == 4);
	check(sum.kernel_instructions == 3);
	check(sum.code_lines == 2);
	check(sum.data_lines == 2);
	check(sum.branches == 2);
	check(sum.taken == 1);
	free(trace.events);
}

static void add_of(struct trace *trace, uint8_t cpu, enum event_kind kind, uint64_t address) {
	(void)trace_add(trace,
		(struct event){.address = address, .kind = (uint8_t)kind, .size = 8, .cpu = cpu});
}

static void test_sharing(void) {
	struct trace trace = {0};
	struct trace_sum sum;

	add_of(&trace, 0, EVENT_INSTRUCTION, kernel);
	add_of(&trace, 1, EVENT_INSTRUCTION, kernel);
	add_of(&trace, 2, EVENT_INSTRUCTION, 0x1000); // a program
	add_of(&trace, 0, EVENT_WRITE, kernel + 0x100); // each its own line
	add_of(&trace, 1, EVENT_WRITE, kernel + 0x140);
	add_of(&trace, 0, EVENT_WRITE, kernel + 0x200); // other bytes of one line
	add_of(&trace, 1, EVENT_WRITE, kernel + 0x210);
	add_of(&trace, 0, EVENT_WRITE, kernel + 0x300); // one writes, one reads
	add_of(&trace, 1, EVENT_READ, kernel + 0x300);
	add_of(&trace, 0, EVENT_READ, kernel + 0x400); // both read
	add_of(&trace, 1, EVENT_READ, kernel + 0x400);
	add_of(&trace, 2, EVENT_WRITE, kernel + 0x100); // not by the kernel
	add_of(&trace, 0, EVENT_LOCKED, kernel);
	add_of(&trace, 0, EVENT_WRITE, kernel + 0x100);
	add_of(&trace, 0, EVENT_LOCKED, kernel);
	add_of(&trace, 0, EVENT_WRITE, kernel + 0x238); // in two lines, of which one is shared
	add_of(&trace, 1, EVENT_LOCKED, kernel);
	add_of(&trace, 1, EVENT_WRITE, kernel + 0x500);
	sum = trace_summed(&trace);
	check(sum.written_by_two == 1);
	check(sum.written_and_read == 1);
	check(sum.locked == 3);
	check(sum.locked_shared == 1);
	check(sum.cpus[0].instructions == 3 && sum.cpus[1].instructions == 2);
	check(sum.cpus[2].instructions == 0);
	free(trace.events);
}

// A loop of four instructions, of which other virtual CPUs come between, and another PAUSE far from
// its like.
static void test_waiting(void) {
	struct trace trace = {0};
	struct trace_sum sum;

	for (unsigned round = 0; round < 5; round++) {
		for (unsigned index = 0; index < 3; index++)
			add_of(&trace, 1, EVENT_INSTRUCTION, kernel + index);
		add_of(&trace, 1, EVENT_PAUSE, kernel + 3);
		add_of(&trace, 0, EVENT_INSTRUCTION, kernel);
		add_of(&trace, 2, EVENT_PAUSE, 0x1000);
	}
	for (unsigned round = 0; round < 2; round++) {
		add_of(&trace, 0, EVENT_PAUSE, kernel + 9);
		for (unsigned index = 0; index < 100; index++)
			add_of(&trace, 0, EVENT_INSTRUCTION, kernel);
	}
	sum = trace_summed(&trace);
	check(sum.cpus[1].instructions == 20 && sum.cpus[1].waited == 16);
	check(sum.cpus[0].waited == 0);
	check(sum.waited == 16);
	check(sum.kernel_instructions == 20 + 5 + 202);
	free(trace.events);
}

static void test_limit(void) {
	struct trace trace = {0};
	struct trace copy = {0};

	for (uint32_t index = 0; index < MANY; index++)
		add(&trace, EVENT_INSTRUCTION, kernel, 1);
	check(trace.lost > 0);
	check(trace_instructions(&trace) == MANY);
	trace_copy(&copy, &trace);
	check(copy.count == trace.count && copy.lost == trace.lost);
	trace_clear(&trace);
	check(trace_instructions(&trace) == 0);
	free(trace.events);
	free(copy.events);
}

static const struct test tests[] = {
	{"kinds", "conditional branches and counter reads are recognised by their bytes",
		test_kinds},
	{"sum", "lines, branches and instructions are of kernel code only", test_sum},
	{"sharing", "lines that kernels of two virtual CPUs write or read are kept apart",
		test_sharing},
	{"waiting", "rounds of a loop around one PAUSE are waiting", test_waiting},
	{"limit", "a trace that is too long says how much is lost", test_limit},
};

int main(void) { return check_run(tests, array_count(tests)); }
