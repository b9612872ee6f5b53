// SPDX-License-Identifier: BSD-2-Clause
// Tests: the register frame of ReadRegisters, WriteRegisters and CopyRegisters (THR-10 to THR-16).
#include "snippets.h"
#include "world.h"

enum {
	RIP = 0,
	RSP = 1,
	RFLAGS = 2,
	RAX = 3,
	R15 = 17,
	FS_BASE = 18,
	GS_BASE = 19,
	FIRST_WORD = 2
};

static struct message registers_write(uint64_t tcb, const uint64_t *registers, unsigned count) {
	uint64_t words[USER_CONTEXT_WORDS + FIRST_WORD] = {0, count};

	for (unsigned index = 0; index < count; index++)
		words[FIRST_WORD + index] = registers[index];
	return invoke(
		tcb, LABEL_TCB_WRITE_REGISTERS, CAPS(), (struct words){count + FIRST_WORD, words});
}

static struct message registers_read(uint64_t tcb, uint64_t count) {
	return invoke(tcb, LABEL_TCB_READ_REGISTERS, CAPS(), WORDS(0, count));
}

static void fresh(void) {
	struct message answer = registers_read(object_new(OBJECT_TCB, 0), USER_CONTEXT_WORDS);

	check_ok(HERE, &answer);
	CHECK_EQUAL(answer.length, USER_CONTEXT_WORDS);
	for (unsigned index = 0; index < USER_CONTEXT_WORDS; index++)
		CHECK_EQUAL(answer.words[index], index == RFLAGS ? 0x202 : 0);
}

static void round_trip(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t registers[USER_CONTEXT_WORDS];
	struct message answer;

	for (unsigned index = 0; index < USER_CONTEXT_WORDS; index++)
		registers[index] = 0x100000 + index * 0x1111;
	registers[RFLAGS] = 0x202;
	CHECK_OK(registers_write(tcb, registers, USER_CONTEXT_WORDS));
	answer = registers_read(tcb, USER_CONTEXT_WORDS);
	for (unsigned index = 0; index < USER_CONTEXT_WORDS; index++)
		CHECK_EQUAL(answer.words[index], registers[index]);
}

static void partial(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t registers[4] = {0x1000, 0x2000, 0x202, 0x4000};
	struct message answer;

	CHECK_OK(registers_write(tcb, registers, 4));
	registers[0] = 0x9000;
	CHECK_OK(registers_write(tcb, registers, 1));
	answer = registers_read(tcb, 4);
	CHECK_EQUAL(answer.length, 4);
	CHECK_EQUAL(answer.words[RIP], 0x9000);
	CHECK_EQUAL(answer.words[RSP], 0x2000);
	CHECK_EQUAL(answer.words[RAX], 0x4000);
}

static void count_clamped(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t words[25] = {0, 23};

	words[FIRST_WORD + GS_BASE] = 0x7777;
	words[FIRST_WORD + GS_BASE + 1] = 0x8888;
	CHECK_OK(invoke(tcb, LABEL_TCB_WRITE_REGISTERS, CAPS(), (struct words){25, words}));
	CHECK_EQUAL(registers_read(tcb, USER_CONTEXT_WORDS).words[GS_BASE], 0x7777);
}

static void sanitised(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t registers[USER_CONTEXT_WORDS] = {[RIP] = 1ul << 47,
		[RSP] = 1ul << 63,
		[RFLAGS] = ~0ul,
		[FS_BASE] = 0x800000000000,
		[GS_BASE] = 0x1234000000000000};
	struct message answer;

	CHECK_OK(registers_write(tcb, registers, USER_CONTEXT_WORDS));
	answer = registers_read(tcb, USER_CONTEXT_WORDS);
	CHECK_EQUAL(answer.words[RIP], 0);
	CHECK_EQUAL(answer.words[RSP], 1ul << 63);
	CHECK_EQUAL(answer.words[RFLAGS], 0xed7);
	CHECK_EQUAL(answer.words[FS_BASE], 0);
	CHECK_EQUAL(answer.words[GS_BASE], 0);
	registers[RFLAGS] = 0;
	CHECK_OK(registers_write(tcb, registers, 3));
	CHECK_EQUAL(registers_read(tcb, 3).words[RFLAGS], 0x202);
}

static void copy_sets(void) {
	uint64_t source = object_new(OBJECT_TCB, 0);
	uint64_t target = object_new(OBJECT_TCB, 0);
	uint64_t registers[USER_CONTEXT_WORDS];
	struct message answer;

	for (unsigned index = 0; index < USER_CONTEXT_WORDS; index++)
		registers[index] = 0x5000 + index;
	registers[RFLAGS] = 0x202;
	CHECK_OK(registers_write(source, registers, USER_CONTEXT_WORDS));
	CHECK_OK(invoke(target, LABEL_TCB_COPY_REGISTERS, CAPS(source), WORDS(1 << 2)));
	answer = registers_read(target, USER_CONTEXT_WORDS);
	CHECK_EQUAL(answer.words[RIP], 0x5000);
	CHECK_EQUAL(answer.words[R15], 0x5000 + R15);
	CHECK_EQUAL(answer.words[FS_BASE], 0);
	CHECK_OK(invoke(target, LABEL_TCB_COPY_REGISTERS, CAPS(source), WORDS(1 << 3)));
	answer = registers_read(target, USER_CONTEXT_WORDS);
	CHECK_EQUAL(answer.words[FS_BASE], 0x5000 + FS_BASE);
	CHECK_EQUAL(answer.words[GS_BASE], 0x5000 + GS_BASE);
}

static void spin(struct helper *helper) {
	for (;;)
		helper->count++;
}

static void copy_runs(void) {
	struct helper *source = helper_make(PRIORITY_HELPER);
	struct helper *target = helper_make(PRIORITY_HELPER + 1);
	uint64_t count;

	helper_start(source, spin);
	CHECK_SOON(source->count != 0);
	// Suspend the source, resume the target, copy: the target continues in the source's loop.
	CHECK_OK(invoke(target->tcb, LABEL_TCB_COPY_REGISTERS, CAPS(source->tcb), WORDS(0xf)));
	count = source->count;
	CHECK_SOON(source->count > count);
	CHECK_OK(invoke(target->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	count = source->count;
	sleep_microseconds(3000);
	CHECK_EQUAL(source->count, count);
}

static void written_values_arrive(void) {
	static volatile uint64_t block[3];
	struct helper *helper = helper_make(PRIORITY_HELPER);

	block[0] = 0x0123456789abcdef;
	block[1] = 0;
	block[2] = 0;
	helper_start_at(helper, code_registers_hold, (uint64_t)block);
	sleep_microseconds(20000);
	CHECK_SOON(block[2] != 0);
	CHECK_EQUAL(block[1], 0);
}

static void registers_two_threads(void) {
	static volatile uint64_t blocks[2][3];

	for (unsigned index = 0; index < 2; index++) {
		struct helper *helper = helper_make_with(
			PRIORITY_HELPER, (struct sched_setting){.budget = 300, .period = 300});

		blocks[index][0] = 0x1111111111111111 * (index + 1);
		blocks[index][1] = 0;
		blocks[index][2] = 0;
		helper_start_at(helper, code_registers_hold, (uint64_t)blocks[index]);
	}
	sleep_microseconds(50000);
	CHECK_SOON(blocks[0][2] != 0 && blocks[1][2] != 0);
	CHECK_EQUAL(blocks[0][1] + blocks[1][1], 0);
}

static void need_fsgsbase(void) {
	if (!test_has_fsgsbase()) test_skip("this processor has no FSGSBASE");
}

static void bases(void) {
	static volatile uint64_t seen[3];
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t registers[USER_CONTEXT_WORDS] = {[RIP] = (uint64_t)code_bases,
		[RSP] = helper_stack_top(helper),
		[RFLAGS] = 0x202,
		[8] = (uint64_t)seen,
		[FS_BASE] = 0x12340000,
		[GS_BASE] = 0x56780000};

	need_fsgsbase();
	seen[2] = 0;
	CHECK_OK(registers_write(helper->tcb, registers, USER_CONTEXT_WORDS));
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	CHECK_SOON(seen[2] != 0);
	CHECK_EQUAL(seen[0], 0x12340000);
	CHECK_EQUAL(seen[1], 0x56780000);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_TLS_BASE, CAPS(), WORDS(0xabc000)));
	CHECK_SOON(seen[0] == 0xabc000);
	CHECK_EQUAL(seen[1], 0x56780000);
}

static void write_base(struct helper *helper) {
	asm volatile("wrfsbase %0" : : "r"(helper->argument[1]));
	(void)ipc_wait(helper->argument[0]);
	asm volatile("rdfsbase %0" : "=r"(helper->argument[2]));
}

static void base_persists(void) {
	struct helper *first = helper_make(PRIORITY_HELPER);
	struct helper *second = helper_make(PRIORITY_HELPER);

	need_fsgsbase();
	first->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	second->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	first->argument[1] = 0x111000;
	second->argument[1] = 0x222000;
	helper_start(first, write_base);
	helper_start(second, write_base);
	settle();
	CHECK_EQUAL(registers_read(first->tcb, USER_CONTEXT_WORDS).words[FS_BASE], 0x111000);
	ipc_signal(first->argument[0]);
	ipc_signal(second->argument[0]);
	settle();
	CHECK_EQUAL(first->argument[2], 0x111000);
	CHECK_EQUAL(second->argument[2], 0x222000);
}

static const struct test tests[] = {
	{"registers-fresh", "a new TCB has zero registers and rflags 0x202", fresh, NULL},
	{"registers-all", "all twenty registers are written and read back", round_trip, NULL},
	{"registers-partial", "registers past the count keep their values", partial, NULL},
	{"registers-clamped", "a count above 20 writes 20", count_clamped, NULL},
	{"registers-sane", "addresses that are not canonical become 0 and flags are masked",
		sanitised, NULL},
	{"registers-copy", "CopyRegisters copies the chosen sets", copy_sets, "TCBCopyRegisters/0"},
	{"registers-copy-run", "CopyRegisters suspends the source and resumes the target",
		copy_runs, NULL},
	{"registers-hold", "interrupts change no register", written_values_arrive, NULL},
	{"registers-two", "two threads that preempt each other keep their registers",
		registers_two_threads, NULL},
	{"registers-bases", "FS and GS base are set from outside", bases, "TCBSetTLSBase/0"},
	{"registers-wrfsbase", "an FS base written by WRFSBASE survives a switch", base_persists,
		NULL},
};

TEST_FILE(registers);
