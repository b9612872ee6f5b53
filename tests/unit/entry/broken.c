// SPDX-License-Identifier: BSD-2-Clause
// Exceptions that the kernel survives wherever they come, and others.
#include "../check.h"

#include <base/compiler.h>
#include <cpu/apic.h>
#include <cpu/console.h>
#include <cpu/features.h>
#include <entry/trap.h>
#include <ipc/irq.h>
#include <setjmp.h>
#include <stdlib.h>

enum { FRAME_VECTOR = 15, FRAME_CODE = 16, FRAME_WORDS = 22 };

static jmp_buf stopped;
static unsigned in_service, strays, lines;
static bool is_taken; // the console, before all lines

// No instruction may fault.
asm(".globl recoveries, recoveries_end; recoveries: recoveries_end:");

bool apic_is_in_service(unsigned vector) { return vector == in_service; }

void apic_end_of_interrupt(void) { in_service = 0; }

void irq_count(unsigned, enum irq_loss loss) { strays += loss == IRQ_UNEXPECTED; }

void print(const char *, ...) { lines++; }

void console_take(void) { is_taken = lines == 0; }

void panic(const char *, ...) { longjmp(stopped, 1); }

void machine_check_panic(void) { longjmp(stopped, 1); }

// False after a panic.
static bool survives(unsigned vector, uint64_t code) {
	uint64_t frame[FRAME_WORDS] = {[FRAME_VECTOR] = vector, [FRAME_CODE] = code};

	strays = lines = 0;
	is_taken = false;
	if (setjmp(stopped)) return false;
	trap_in_kernel(frame);
	return true;
}

static void exceptions(void) {
	check(!survives(VECTOR_SECURITY, 2) && is_taken);
	check(!survives(VECTOR_PAGE_FAULT, 1) && is_taken);
}

static void messages(void) {
	static const unsigned vectors[] = {VECTOR_MACHINE_CHECK, VECTOR_SECURITY};

	for (unsigned i = 0; i < array_count(vectors); i++) {
		in_service = vectors[i];
		check(survives(vectors[i], 0));
		check_equal(strays, 1);
		check_equal(in_service, 0);
		check(!survives(vectors[i], 0));
	}
}

static const struct test tests[] = {
	{"broken-exception", "others are a panic, with the console for this core", exceptions},
	{"broken-message", "a device's message with an exception's vector is stray", messages},
};

int main(void) { return check_run(tests, array_count(tests)); }
