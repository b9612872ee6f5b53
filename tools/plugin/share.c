// SPDX-License-Identifier: BSD-2-Clause
// A QEMU plugin that counts instructions by who executes them: a guest of AMD-V, kernels (the upper
// half of addresses) and programs outside of it, and how often a guest was entered. Whenever a mark
// is executed, by a program of the guest or of the bare machine, and at the end of the machine, the
// counts until then go to the file `out=PATH` as a line `guest kernel programs entries`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "qemu_plugin.h"

// NOPL with an index and the displacement "Nacr", which does nothing else; and VMRUN.
static const uint8_t mark[] = {0x0f, 0x1f, 0x84, 0x00, 'N', 'a', 'c', 'r'};
static const uint8_t vmrun[] = {0x0f, 0x01, 0xd8};

static FILE *file; // by qemu_plugin_install

// By the one virtual CPU's thread.
static uint64_t guest;
static uint64_t kernel;
static uint64_t programs;
static uint64_t entries;
static _Bool is_in_guest;
static const char *exit_place; // of the instruction that an exit comes to, in this process

static void mark_executed(unsigned int, void *) {
	fprintf(file, "%lu %lu %lu %lu\n", guest, kernel, programs, entries);
	// QEMU may be killed when the last mark is there.
	fflush(file);
}

static void guest_entered(unsigned int, void *) {
	is_in_guest = 1;
	entries++;
}

static void guest_left(unsigned int, void *) { is_in_guest = 0; }

static _Bool is(struct qemu_plugin_insn *instruction, const uint8_t *bytes, size_t size) {
	return qemu_plugin_insn_size(instruction) == size &&
		memcmp(qemu_plugin_insn_data(instruction), bytes, size) == 0;
}

static uint64_t *counter_of(uint64_t address, _Bool by_guest) {
	if (by_guest) return &guest;
	return address >> 63 ? &kernel : &programs;
}

static void instruction_translated(struct qemu_plugin_insn *instruction, _Bool by_guest) {
	qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64,
		counter_of(qemu_plugin_insn_vaddr(instruction), by_guest), 1);
	if (is(instruction, mark, sizeof(mark)))
		qemu_plugin_register_vcpu_insn_exec_cb(
			instruction, mark_executed, QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (by_guest || !is(instruction, vmrun, sizeof(vmrun))) return;
	exit_place = (const char *)qemu_plugin_insn_haddr(instruction) + sizeof(vmrun);
	qemu_plugin_register_vcpu_insn_exec_cb(
		instruction, guest_entered, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

// QEMU translates a block just before it is executed, and anew for a guest, whose blocks it keeps
// apart. An exit comes to what is behind VMRUN (APM 2 15.6), wherever that is mapped.
static void block_translated(qemu_plugin_id_t, struct qemu_plugin_tb *block) {
	size_t count = qemu_plugin_tb_n_insns(block);
	const char *place = qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(block, 0));
	_Bool is_exit = exit_place && place == exit_place;

	if (is_exit)
		qemu_plugin_register_vcpu_tb_exec_cb(
			block, guest_left, QEMU_PLUGIN_CB_NO_REGS, NULL);
	for (size_t index = 0; index < count; index++)
		instruction_translated(
			qemu_plugin_tb_get_insn(block, index), is_in_guest && !is_exit);
}

static void machine_ended(qemu_plugin_id_t, void *) {
	mark_executed(0, NULL);
	fclose(file);
}

int qemu_plugin_version = PLUGIN_INTERFACE;

int qemu_plugin_install(qemu_plugin_id_t plugin, const void *, int count, char **arguments) {
	for (int index = 0; index < count; index++)
		if (strncmp(arguments[index], "out=", 4) == 0)
			file = fopen(arguments[index] + 4, "w");
	if (!file) {
		fputs("share: want out=FILE (that can be written)\n", stderr);
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, block_translated);
	qemu_plugin_register_atexit_cb(plugin, machine_ended, NULL);
	return 0;
}
