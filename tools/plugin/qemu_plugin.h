// SPDX-License-Identifier: BSD-2-Clause
// The part of QEMU's public plugin interface (version 1, QEMU 4.2 to 8.2) that the counting plugins
// use. Debian ships no header for it.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { PLUGIN_INTERFACE = 1 };

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;

// Opaque: what QEMU is about to translate, valid only in the callback that gets it.
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_CB_R_REGS, QEMU_PLUGIN_CB_RW_REGS };

enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

enum qemu_plugin_mem_rw {
	QEMU_PLUGIN_MEM_R = 1,
	QEMU_PLUGIN_MEM_W = 2,
	QEMU_PLUGIN_MEM_RW = 3,
};

typedef void (*qemu_plugin_translate_t)(qemu_plugin_id_t plugin, struct qemu_plugin_tb *block);
typedef void (*qemu_plugin_execute_t)(unsigned int cpu, void *data);
typedef void (*qemu_plugin_end_t)(qemu_plugin_id_t plugin, void *data);
typedef void (*qemu_plugin_memory_t)(
	unsigned int cpu, qemu_plugin_meminfo_t access, uint64_t address, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t plugin, qemu_plugin_translate_t call);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, qemu_plugin_execute_t call,
	enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t plugin, qemu_plugin_end_t call, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
	qemu_plugin_execute_t call, enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction,
	enum qemu_plugin_op operation, void *counter, uint64_t value);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
	qemu_plugin_memory_t call, enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw which,
	void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *instruction);

unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t access);
_Bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t access);

// What QEMU looks for in a plugin: the version it is written to, and its start; not 0 refuses it.
[[gnu::visibility("default")]] extern int qemu_plugin_version;
[[gnu::visibility("default")]] int qemu_plugin_install(
	qemu_plugin_id_t plugin, const void *machine, int count, char **arguments);
