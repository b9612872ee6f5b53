// SPDX-License-Identifier: BSD-2-Clause
// A QEMU plugin that counts all instructions from the first that is executed at the linear address
// `from=ADDRESS`, and writes their number to the file `out=PATH` when QEMU ends (by SIGTERM, too).
// A block of code that an exception leaves counts as a whole.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "qemu_plugin.h"

// By qemu_plugin_install.
static uint64_t start_address;
static FILE *file;

// By the one virtual CPU's thread.
static uint64_t executed;
static uint64_t before; // the start
static _Bool started;

static void block_executed(unsigned int, void *count) { executed += (uint64_t)count; }

static void start_executed(unsigned int, void *) {
	if (started) return;
	started = 1;
	before = executed;
}

static void block_translated(qemu_plugin_id_t, struct qemu_plugin_tb *block) {
	size_t count = qemu_plugin_tb_n_insns(block);

	qemu_plugin_register_vcpu_tb_exec_cb(
		block, block_executed, QEMU_PLUGIN_CB_NO_REGS, (void *)count);
	for (size_t index = 0; index < count && !started; index++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, index);

		if (qemu_plugin_insn_vaddr(instruction) == start_address)
			qemu_plugin_register_vcpu_insn_exec_cb(
				instruction, start_executed, QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

static void machine_ended(qemu_plugin_id_t, void *) {
	if (started) fprintf(file, "%lu\n", executed - before);
	fclose(file);
}

int qemu_plugin_version = PLUGIN_INTERFACE;

int qemu_plugin_install(qemu_plugin_id_t plugin, const void *, int count, char **arguments) {
	for (int index = 0; index < count; index++) {
		if (strncmp(arguments[index], "from=", 5) == 0)
			start_address = strtoul(arguments[index] + 5, NULL, 0);
		else if (strncmp(arguments[index], "out=", 4) == 0)
			file = fopen(arguments[index] + 4, "w");
	}
	if (!start_address || !file) {
		fputs("total: want from=ADDRESS,out=FILE (that can be written)\n", stderr);
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, block_translated);
	qemu_plugin_register_atexit_cb(plugin, machine_ended, NULL);
	return 0;
}
