// SPDX-License-Identifier: BSD-2-Clause
// The kernel's end: one core speaks, and all stop.
#include <cpu/lock.h>
#include <cpu/platform.h>
#include <x86/apic.h>

enum { RESET_PORT = 0xcf9, RESET_FULL = 2, RESET_NOW = 4 };

// They are interrupted into the kernel, where their turn never comes. INIT would start the firmware
// on the first core (SDM 3A 9.4.2), and nothing stops in VMX operation (SDM 3C 24.8).
static void stop_peers(struct cpu *cpu) {
	if (!cpu->has_peers) return;
	cpu->platform->lock.serving += 1u << 31;
	for (struct cpu *other = cpu->lock.next; other != cpu; other = other->lock.next) {
		store_release(&other->lock.rest, HOLD_ALWAYS); // also for who runs alone and ends
		store_release(&other->lock.hold, true);
	}
	apic_send(0, VECTOR_CORE | COMMAND_ASSERT | COMMAND_OTHERS);
}

void console_take(void) {
	const struct cpu *other = NULL;

	if (__atomic_compare_exchange_n(&this_cpu()->platform->console.panicking, &other,
		    this_cpu(), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		stop_peers(this_cpu());
	else if (other != this_cpu())
		cpu_stop();
	this_cpu()->is_silent = false;
	screen_take(&this_cpu()->platform->console.screen);
}

// By the chipset's reset register (Intel PCH datasheet, RST_CNT; AMD has it there, too). Where that
// does nothing the machine stops.
static void machine_reset(void) {
	io_out8(RESET_PORT, RESET_FULL);
	io_out8(RESET_PORT, RESET_FULL | RESET_NOW);
}

void panic(const char *format, ...) {
	const struct cpu *cpu = this_cpu();
	const struct console *console = &cpu->platform->console;
	va_list arguments;

	interrupts_disable();
	console_take();
	print("\nkernel panic: ");
	va_start(arguments, format);
	console_print(format, arguments);
	va_end(arguments);
	if (console->step) print(", at start-up: %s", console->step);
	print("\n  called from %p, cr2 %lx cr3 %lx cr4 %lx\n", __builtin_return_address(0),
		cr2_read(), cr3_read(), cr4_read());
	// A core that panics while it is started is left out: the machine goes on.
	if (console->reboots && (cpu->has_peers || !cpu->start.options)) machine_reset();
	cpu_stop();
}
