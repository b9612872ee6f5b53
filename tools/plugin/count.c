// SPDX-License-Identifier: BSD-2-Clause
// A QEMU plugin that counts what one measured operation executes and touches.
//
// A measurement lies between two reads of the time stamp counter by user code, of any virtual CPU.
// When the guest comes to the function at `sample=ADDRESS`, what all virtual CPUs did between the
// last two such reads was a sample; at `row=ADDRESS` a row of samples is complete, and its median
// goes to the file `out=PATH`. For page walks, device DMA and what an interrupt pushes QEMU calls
// no plugin.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "instruction.h"
#include "qemu_plugin.h"
#include "trace.h"

enum { SAMPLES = 16 }; // the last of a row, of which the median is printed

// An instruction as the pointer that QEMU gives back: no memory is needed for it, ever.
enum { ADDRESS_BITS = 48, SIZE_BITS = 4, KIND_SHIFT = ADDRESS_BITS + SIZE_BITS };

static struct {
	uint64_t sample_mark;
	uint64_t row_mark;
	FILE *file;
} options; // by qemu_plugin_install

// By the virtual CPUs' threads: QEMU has one for all of them, or one for each.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct trace running; // since the last read of the counter
static struct trace complete; // between the last two
static struct trace samples[SAMPLES];
static uint64_t sample_count;
// One more than its place in `running`, until its CPU's next instruction shows where it went.
static uint32_t open_branches[CPUS];

static void *instruction_pack(const struct qemu_plugin_insn *instruction) {
	uint64_t address = qemu_plugin_insn_vaddr(instruction);
	uint64_t size = qemu_plugin_insn_size(instruction);
	uint64_t kind = instruction_kind(qemu_plugin_insn_data(instruction), size);

	return (void *)((address & ((1ul << ADDRESS_BITS) - 1)) | size << ADDRESS_BITS |
		kind << KIND_SHIFT);
}

static uint64_t packed_address(uint64_t packed) {
	return (uint64_t)((int64_t)(packed << (64 - ADDRESS_BITS)) >> (64 - ADDRESS_BITS));
}

static uint8_t packed_size(uint64_t packed) {
	return packed >> ADDRESS_BITS & ((1 << SIZE_BITS) - 1);
}

static int sample_compare(const void *left, const void *right) {
	uint64_t one = trace_instructions(left);
	uint64_t other = trace_instructions(right);

	return (one > other) - (one < other);
}

// For rows in which several virtual CPUs had a part.
static void cpus_write(const struct trace_sum *sum) {
	unsigned count = 0;

	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		count += sum->cpus[cpu].instructions != 0;
	if (count < 2) return;
	fprintf(options.file,
		"cores waited=%lu written-by-two=%lu written-and-read=%lu locked=%lu "
		"locked-shared=%lu\n",
		sum->waited, sum->written_by_two, sum->written_and_read, sum->locked,
		sum->locked_shared);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		if (sum->cpus[cpu].instructions)
			fprintf(options.file, "core %u kernel=%lu waited=%lu\n", cpu,
				sum->cpus[cpu].instructions, sum->cpus[cpu].waited);
}

static void row_write(void) {
	uint64_t count = sample_count < SAMPLES ? sample_count : SAMPLES;
	const struct trace *median = &samples[count / 2];
	struct trace_sum sum;

	qsort(samples, count, sizeof(*samples), sample_compare);
	sum = trace_summed(median);
	fprintf(options.file,
		"row instructions=%lu kernel=%lu code=%lu data=%lu branches=%lu taken=%lu "
		"lost=%u\n",
		sum.instructions, sum.kernel_instructions, sum.code_lines, sum.data_lines,
		sum.branches, sum.taken, median->lost);
	cpus_write(&sum);
	trace_write(median, options.file);
	fputs("end\n", options.file);
	// QEMU is killed when the measuring is over.
	fflush(options.file);
	sample_count = 0;
}

static void counter_read(void) {
	struct trace spare = complete;

	complete = running;
	running = spare;
	trace_clear(&running);
	memset(open_branches, 0, sizeof(open_branches));
}

static void branch_close(unsigned int cpu, uint64_t next) {
	struct event *branch;

	if (!open_branches[cpu]) return;
	branch = &running.events[open_branches[cpu] - 1];
	branch->taken = next != branch->address + branch->size;
	open_branches[cpu] = 0;
}

static void instruction_add(struct event event, enum instruction_kind kind) {
	struct event *added;

	branch_close(event.cpu, event.address);
	if (event.address == options.sample_mark)
		trace_copy(&samples[sample_count++ % SAMPLES], &complete);
	if (event.address == options.row_mark) row_write();
	added = trace_add(&running, event);
	if (added && kind == KIND_CONDITIONAL_BRANCH) open_branches[event.cpu] = running.count;
	if (kind == KIND_TIME_STAMP && !address_is_kernel(event.address)) counter_read();
}

static void instruction_executed(unsigned int cpu, void *data) {
	static const uint8_t kinds[] = {
		[KIND_OTHER] = EVENT_INSTRUCTION,
		[KIND_CONDITIONAL_BRANCH] = EVENT_BRANCH,
		[KIND_TIME_STAMP] = EVENT_INSTRUCTION,
		[KIND_PAUSE] = EVENT_PAUSE,
		[KIND_LOCKED] = EVENT_LOCKED,
	};
	uint64_t packed = (uint64_t)data;
	enum instruction_kind kind = packed >> KIND_SHIFT;

	pthread_mutex_lock(&lock);
	instruction_add((struct event){.address = packed_address(packed),
				.kind = kinds[kind],
				.size = packed_size(packed),
				.cpu = (uint8_t)(cpu % CPUS)},
		kind);
	pthread_mutex_unlock(&lock);
}

static void memory_accessed(
	unsigned int cpu, qemu_plugin_meminfo_t access, uint64_t address, void *) {
	pthread_mutex_lock(&lock);
	(void)trace_add(&running,
		(struct event){.address = address,
			.kind = qemu_plugin_mem_is_store(access) ? EVENT_WRITE : EVENT_READ,
			.size = (uint8_t)(1 << qemu_plugin_mem_size_shift(access)),
			.cpu = (uint8_t)(cpu % CPUS)});
	pthread_mutex_unlock(&lock);
}

static void block_translated(qemu_plugin_id_t, struct qemu_plugin_tb *block) {
	size_t count = qemu_plugin_tb_n_insns(block);

	for (size_t index = 0; index < count; index++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, index);

		qemu_plugin_register_vcpu_insn_exec_cb(instruction, instruction_executed,
			QEMU_PLUGIN_CB_NO_REGS, instruction_pack(instruction));
		qemu_plugin_register_vcpu_mem_cb(instruction, memory_accessed,
			QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
	}
}

static const char *option_value(const char *option, const char *name) {
	size_t length = strlen(name);

	return strncmp(option, name, length) == 0 ? option + length : NULL;
}

static _Bool option_take(const char *option) {
	const char *value;

	if ((value = option_value(option, "sample=")))
		options.sample_mark = strtoul(value, NULL, 0);
	else if ((value = option_value(option, "row=")))
		options.row_mark = strtoul(value, NULL, 0);
	else if ((value = option_value(option, "out=")))
		options.file = fopen(value, "w");
	else
		return 0;
	return 1;
}

int qemu_plugin_version = PLUGIN_INTERFACE;

int qemu_plugin_install(qemu_plugin_id_t plugin, const void *, int count, char **arguments) {
	for (int index = 0; index < count; index++)
		if (!option_take(arguments[index])) {
			fprintf(stderr, "count: what is `%s`?\n", arguments[index]);
			return 1;
		}
	if (!options.sample_mark || !options.row_mark || !options.file) {
		fputs("count: want sample=ADDRESS,row=ADDRESS,out=FILE (that can be written)\n",
			stderr);
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, block_translated);
	return 0;
}
