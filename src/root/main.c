// SPDX-License-Identifier: BSD-2-Clause
// The initial task: builds the system its image describes, starts it, and then only monitors it.
#include <root/build.h>
#include <root/bundle.h>
#include <root/module.h>
#include <root/monitor.h>
#include <root/needs.h>
#include <root/extent.h>
#include <root/options.h>
#include <root/printer.h>
#include <root/probe.h>
#include <root/report/report.h>
#include <root/restart.h>
#include <root/scratch.h>
#include <root/selftest/selftest.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/untyped.h>

// Written while the system is built; afterwards only read.
static struct system the_system;

seL4_Error system_report(seL4_Error error, const char *what, const char *name) {
	if (error == seL4_NotEnoughMemory)
		print("system: %s '%s': out of memory, slots or untypeds: there are %lu KiB, "
		      "%lu slots and %lu of %u untypeds left\n",
			what, name, untyped_left() >> 10, slots_left(), untyped_blocks_left(),
			UNTYPED_BLOCK_LIMIT);
	else if (error == seL4_RangeError)
		print("system: %s '%s': this machine has no such memory, pin, port or time span\n",
			what, name);
	else
		print("system: %s '%s': the kernel refused with error %d\n", what, name, error);
	return error;
}

seL4_CPtr system_signal(const struct system *system, seL4_Word badge) {
	seL4_CPtr slot = slots_allocate(1);

	if (!slot ||
		seL4_CNode_Mint(seL4_CapInitThreadCNode, slot, seL4_WordBits,
			seL4_CapInitThreadCNode, system->notification, seL4_WordBits,
			seL4_AllRights, badge))
		return seL4_CapNull;
	return slot;
}

// What the initial task itself needs to build and to monitor.
static seL4_Error watch_init(struct system *system) {
	seL4_Error error;

	system->fault_endpoint = object_make(OBJECT_ENDPOINT, 0);
	system->notification = object_make(OBJECT_NOTIFICATION, 0);
	if (!system->fault_endpoint || !system->notification) return seL4_NotEnoughMemory;
	error = seL4_TCB_BindNotification(seL4_CapInitThreadTCB, system->notification);
	if (!error) error = printer_init(system);
	return error ? error : restart_init(system);
}

// An image linked into the same ELF as this program; the composer fills this in.
struct bundle system_bundle __attribute__((section(".data")));

static const void *image_find(const seL4_BootInfo *bootinfo, seL4_Word *size) {
	*size = system_bundle.size;
	return system_bundle.size > 0 ? (const void *)system_bundle.address
				      : module_map(bootinfo, size);
}

// Self-tests and report. Whether a system is to be started.
static bool examine(struct system *system) {
	enum bootinfo_report wanted = options_of(system->bootinfo).report;

	system->faults = selftest_run(system->bootinfo);
	if (wanted != REPORT_OFF) report_print(system->bootinfo);
	if (wanted != REPORT_OFF && !system->faults.keeps_all) scratch_end();
	for (unsigned i = 0; i < system->faults.page_count; i++)
		(void)untyped_keep(system->faults.pages[i], 1ul << PAGE_BITS);
	return wanted != REPORT_ONLY;
}

void root_main(const seL4_BootInfo *bootinfo) {
	struct system *system = &the_system;
	const char *problem;
	const void *bytes;
	seL4_Word size;

	system->bootinfo = bootinfo;
	system->start = (struct bootinfo_start){
		.chunk = {BOOTINFO_START, sizeof(system->start)},
		.tsc = root_start_tsc,
	};
	system->debug_calls = probe_debug_calls(bootinfo);
	if (!system->debug_calls) print_silence();
	if (!examine(system)) return;
	bytes = image_find(bootinfo, &size);
	if (!bytes) return;
	problem = image_open(&system->image, bytes, size);
	if (problem) {
		print("system: the system image cannot be used: %s\n", problem);
		return;
	}
	extent_find_screen(system);
	if (watch_init(system) || needs_check(system)) {
		print("system: out of memory; nothing is started\n");
		return;
	}
	needs_fit_memory(system);
	if (build_system(system)) {
		print("system: nothing more is started\n");
		return;
	}
	monitor_run(system);
}
