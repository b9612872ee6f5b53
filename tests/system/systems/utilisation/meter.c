// SPDX-License-Identifier: BSD-2-Clause
// Compares what the kernel counts of this thread with what it did meanwhile.
#include <microkit.h>

#include <sel4/benchmark.h>

enum {
	SERIAL_PORTS = 0,
	COM1 = 0x3f8,
	LINE_STATUS = COM1 + 5,
	TRANSMITTER_EMPTY = 1 << 5,
	SERVER = 0,
	NULL_CALLS = 100,
	CALLS = 10,
};

static void print(const char *text) {
	for (; *text; text++) {
		while (!(microkit_x86_ioport_read_8(SERIAL_PORTS, LINE_STATUS) & TRANSMITTER_EMPTY))
			;
		microkit_x86_ioport_write_8(SERIAL_PORTS, COM1, (seL4_Uint8)*text);
	}
}

static void check(bool right, const char *what) {
	print("meter: ");
	print(what);
	print(right ? " right\n" : " wrong\n");
}

static seL4_Word counted(enum benchmark_word word) { return seL4_GetIPCBuffer()->msg[word]; }

static void work(void) {
	for (int i = 0; i < NULL_CALLS; i++)
		seL4_BenchmarkNullSyscall();
	for (int i = 0; i < CALLS; i++)
		microkit_ppcall(SERVER, microkit_msginfo_new(0, 0));
}

void init(void) {
	seL4_Word entries, schedules, time, kernel_time;

	seL4_BenchmarkResetThreadUtilisation(TCB_CAP);
	check(seL4_BenchmarkResetLog() == seL4_NoError, "start");
	work();
	check(seL4_BenchmarkFinalizeLog() == 0, "number of log entries");

	seL4_BenchmarkGetThreadUtilisation(TCB_CAP);
	entries = counted(BENCHMARK_TCB_NUMBER_KERNEL_ENTRIES);
	schedules = counted(BENCHMARK_TCB_NUMBER_SCHEDULES);
	time = counted(BENCHMARK_TCB_UTILISATION);
	kernel_time = counted(BENCHMARK_TCB_KERNEL_UTILISATION);
	check(entries >= NULL_CALLS + CALLS && entries < 2 * (NULL_CALLS + CALLS),
		"kernel entries");
	// Each answer of the server chooses this thread again.
	check(schedules >= CALLS && schedules < 2 * CALLS, "schedules");
	check(0 < kernel_time && kernel_time < time, "time in the kernel");
	check(time < counted(BENCHMARK_TOTAL_UTILISATION), "time");
	check(counted(BENCHMARK_TOTAL_NUMBER_SCHEDULES) >= 2 * CALLS, "schedules of the core");
	check(counted(BENCHMARK_TOTAL_NUMBER_KERNEL_ENTRIES) >= entries + CALLS,
		"kernel entries of the core");

	seL4_BenchmarkResetThreadUtilisation(TCB_CAP);
	seL4_BenchmarkGetThreadUtilisation(TCB_CAP);
	check(counted(BENCHMARK_TCB_NUMBER_KERNEL_ENTRIES) < CALLS, "new start");
	print("meter: done\n");
}

void notified(microkit_channel channel) { (void)channel; }
