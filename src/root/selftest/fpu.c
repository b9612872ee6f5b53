// SPDX-License-Identifier: BSD-2-Clause
// Registers of x87, SSE and, where programs have it, AVX: a thread fills them and waits; another
// one does the same on its core; each still has its own. The second is moved to another core.
#include <root/selftest/workers.h>

#include <base/memory.h>
#include <x86/cr.h>

enum {
	AREA_SIZE = 832, // of XSAVE for these three (SDM 1, 13.4)
	AREA_CONTROL_WORD = 0,
	AREA_MXCSR = 24,
	AREA_X87 = 32, // 8 registers of 10 bytes, 16 apart
	AREA_XMM = 160, // 16 registers
	AREA_HEADER = 512,
	AREA_YMM = 576, // their upper halves
	AREA_END_YMM = 832,
	X87_REGISTER = 10,
	CONTROL_WORD = 0x37f,
	MXCSR = 0x1f80,
};

// One at a time uses them: the thread that has work.
static uint8_t area[AREA_SIZE] __attribute__((aligned(64)));
static uint64_t features; // of XCR0, that are tried

static uint64_t features_read(void) {
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low & (XCR0_X87 | XCR0_SSE | XCR0_AVX);
}

static uint8_t pattern(unsigned at, seL4_Word seed) { return (uint8_t)((at * 37) ^ seed); }

// Whether the byte of the area is one of a register.
static bool is_register(unsigned at) {
	if (at >= AREA_X87 && at < AREA_XMM) return (at - AREA_X87) % 16 < X87_REGISTER;
	if (at >= AREA_XMM && at < AREA_XMM + 16 * 16) return true;
	return at >= AREA_YMM && at < AREA_END_YMM && features & XCR0_AVX;
}

// FNOP: in QEMU XSAVE and XRSTOR do not fault where CR0.TS is set, by which the kernel knows who
// uses the FPU.
static seL4_Word fill(seL4_Word seed) {
	memset(area, 0, sizeof(area));
	for (unsigned i = 0; i < AREA_SIZE; i++) {
		if (is_register(i)) area[i] = pattern(i, seed);
	}
	*(uint16_t *)(area + AREA_CONTROL_WORD) = CONTROL_WORD;
	*(uint32_t *)(area + AREA_MXCSR) = MXCSR;
	*(uint64_t *)(area + AREA_HEADER) = features;
	__asm__ volatile("fnop; xrstor %0" : : "m"(area), "a"((uint32_t)features), "d"(0));
	return 0;
}

// How many bytes differ.
static seL4_Word compare(seL4_Word seed) {
	seL4_Word wrong = 0;

	memset(area, 0, sizeof(area));
	__asm__ volatile("fnop; xsave %0" : "+m"(area) : "a"((uint32_t)features), "d"(0));
	for (unsigned i = 0; i < AREA_SIZE; i++)
		wrong += is_register(i) && area[i] != pattern(i, seed);
	return wrong;
}

static bool is_kept(struct selftest *run, struct worker *worker, seL4_Word seed, const char *when) {
	if (!worker_does(run, worker, compare, seed)) return false;
	if (worker->result == 0) return true;
	selftest_fail_core(run, worker->core, "%lu bytes of FPU registers differ after %s",
		worker->result, when);
	return false;
}

// The seeds differ in all bytes; so do those of the cores.
static void check_core(struct selftest *run, seL4_Word core) {
	struct worker *worker = worker_of(core), *other = worker_that_moves();
	seL4_Word own = 0x10 + core, others = 0x90 + core;

	if (!worker_does(run, other, fill, others) || !worker_does(run, worker, fill, own) ||
		!worker_move(run, other, core))
		return;
	if (!is_kept(run, other, others, "it came to another core") ||
		!is_kept(run, worker, own, "another thread ran there") ||
		!is_kept(run, other, others, "another thread ran there") ||
		!worker_move(run, other, 0))
		return;
	(void)is_kept(run, other, others, "it came back to the first core");
}

void selftest_fpu(struct selftest *run) {
	features = features_read();
	for (seL4_Word core = 0; core < run->bootinfo->numNodes; core++) {
		if (selftest_may_use(run, core)) check_core(run, core);
		// It is where the fault was.
		if (run->failures > 0 && worker_that_moves()->core != 0) return;
	}
}
