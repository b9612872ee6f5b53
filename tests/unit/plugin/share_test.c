// SPDX-License-Identifier: BSD-2-Clause
// The plugin that tells guest, kernels and programs apart, with this file in QEMU's place.
#include "../check.h"
#include "qemu_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 4, CALLS = 4 };

struct qemu_plugin_insn {
	const char *bytes;
	size_t size;
	uint64_t address;
	uint64_t *counter;
	qemu_plugin_execute_t calls[CALLS];
	void *data[CALLS];
	unsigned count;
};

struct qemu_plugin_tb {
	struct qemu_plugin_insn instructions[MOST];
	size_t count;
	qemu_plugin_execute_t call;
	void *data;
};

#define NOP(place) \
	{ .bytes = "\x90", .size = 1, .address = (place) }
#define VMRUN(place) \
	{ .bytes = text + 1, .size = 3, .address = (place) }
#define EXIT(place) \
	{ .bytes = text + 4, .size = 1, .address = (place) }
#define MARK(place) \
	{ .bytes = "\x0f\x1f\x84\x00Nacr", .size = 8, .address = (place) }
#define KERNEL 0xffffffff80100000
#define PROGRAM 0x200000

// A kernel's code in this process: NOP, VMRUN, NOP.
static const char text[] = "\x90\x0f\x01\xd8\x90";
static qemu_plugin_translate_t translate;
static qemu_plugin_end_t end;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, qemu_plugin_translate_t call) {
	translate = call;
}

void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, qemu_plugin_end_t call, void *) {
	end = call;
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, qemu_plugin_execute_t call,
	enum qemu_plugin_cb_flags, void *data) {
	block->call = call;
	block->data = data;
}

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
	qemu_plugin_execute_t call, enum qemu_plugin_cb_flags, void *data) {
	instruction->calls[instruction->count] = call;
	instruction->data[instruction->count++] = data;
}

void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction,
	enum qemu_plugin_op operation, void *counter, uint64_t value) {
	check(operation == QEMU_PLUGIN_INLINE_ADD_U64 && value == 1);
	instruction->counter = counter;
}

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block) { return block->count; }

struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index) {
	return (struct qemu_plugin_insn *)&block->instructions[index];
}

const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction) {
	return instruction->bytes;
}

size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction) {
	return instruction->size;
}

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction) {
	return instruction->address;
}

void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *instruction) {
	return (void *)instruction->bytes;
}

// Translates a block at its first execution.
static void execute(struct qemu_plugin_tb *block) {
	if (!block->instructions[0].counter) translate(0, block);
	if (block->call) block->call(0, block->data);
	for (size_t i = 0; i < block->count; i++) {
		struct qemu_plugin_insn *instruction = &block->instructions[i];

		++*instruction->counter;
		for (unsigned k = 0; k < instruction->count; k++)
			instruction->calls[k](0, instruction->data[k]);
	}
}

static void run(void) {
	struct qemu_plugin_tb program = {{NOP(PROGRAM), MARK(PROGRAM + 1)}, 2, NULL, NULL};
	struct qemu_plugin_tb enter = {{NOP(KERNEL), VMRUN(KERNEL + 1)}, 2, NULL, NULL};
	struct qemu_plugin_tb leave = {{EXIT(KERNEL + 4), NOP(KERNEL + 5)}, 2, NULL, NULL};
	// The guest's kernel and program have the addresses of the host's, in other blocks.
	struct qemu_plugin_tb guest = {
		{NOP(KERNEL), NOP(PROGRAM), MARK(PROGRAM + 1)}, 3, NULL, NULL};

	execute(&program);
	for (unsigned i = 0; i < 2; i++) {
		execute(&enter);
		execute(&guest);
		execute(&guest);
		execute(&leave);
	}
	execute(&program);
}

// With each mark itself, which is counted before it is seen.
static const char expected[] = "0 0 2 0\n"
			       "3 2 2 1\n6 2 2 1\n9 6 2 2\n12 6 2 2\n"
			       "12 8 4 2\n12 8 4 2\n";

static void test_share(void) {
	char name[] = "/tmp/share-XXXXXX", out[64], said[256] = "";
	char *arguments[1];
	int made;

	arguments[0] = out;
	made = mkstemp(name);
	check(made >= 0);
	(void)snprintf(out, sizeof(out), "out=%s", name);
	check(qemu_plugin_install(0, NULL, 0, arguments) != 0);
	check(qemu_plugin_install(0, NULL, 1, arguments) == 0);
	run();
	end(0, NULL);
	check(read(made, said, sizeof(said) - 1) > 0);
	check(strcmp(said, expected) == 0);
	close(made);
	remove(name);
}

int main(void) {
	static const struct test tests[] = {
		{"share.counts", "a guest's instructions are not the host's, between any marks",
			test_share},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
