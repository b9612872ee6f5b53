// SPDX-License-Identifier: BSD-2-Clause
// A second thread of the test program, without IPC buffer: it shares the CPU with the guest, or
// runs over it, and acts on it from outside.
#pragma once

#include <sel4/sel4.h>
#include <stdbool.h>
#include <stdint.h>

extern seL4_CPtr helper_tcb;
extern seL4_CPtr helper_reply;
extern seL4_CPtr helper_faults; // endpoint its faults go to
extern seL4_CPtr helper_notification; // for tests to use as they like
extern seL4_CPtr helper_badged; // copy of it with HELPER_BADGE
extern seL4_CPtr helper_sched_context; // what it runs on
extern seL4_CPtr helper_sched_control;

[[nodiscard]] bool helper_start(const seL4_BootInfo *bootinfo);

// Runs function in the helper, at this priority (this program's own is HELPER_EQUAL), until it
// returns or helper_stop.
enum {
	HELPER_EQUAL = 254,
	HELPER_ABOVE = 255,
};

void helper_run(void (*function)(void), seL4_Word priority);
void helper_stop(void);

// Its next fault is that of this unknown system call; stops it.
void helper_check_unknown(int64_t number);

// Binds helper_notification, without a signal in it, to this program's thread, or takes it away.
enum { HELPER_BADGE = 5 };
void helper_bind(void);
void helper_unbind(void);

// Bodies of the helper, or parts of one: some 100000 instructions; that, and a signal with
// HELPER_BADGE.
void helper_work(void);
void helper_signal(void);

// Invocations without IPC buffer, for the helper: label, one word.
seL4_Word helper_invoke(seL4_CPtr object, seL4_Word label, seL4_Word word);
seL4_Word helper_wait(seL4_CPtr notification);
