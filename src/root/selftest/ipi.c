// SPDX-License-Identifier: BSD-2-Clause
// An idle core takes a signal of another one, and is heard: both need an interrupt between them.
#include <root/selftest/workers.h>

static seL4_Word answer(seL4_Word argument) { return argument; }

void selftest_ipi(struct selftest *run) {
	for (seL4_Word core = 0; core < run->bootinfo->numNodes && core < WORKERS; core++) {
		// Twice: what is left over from the core's start must not make it pass.
		if (worker_does(run, worker_of(core), answer, core))
			(void)!worker_does(run, worker_of(core), answer, core);
	}
}
