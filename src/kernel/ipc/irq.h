// SPDX-License-Identifier: BSD-2-Clause
// Interrupts as objects: vector to notification (IRQ-1 to IRQ-9).
#pragma once

#include <cap/cap.h>
#include <sched/thread.h>

// Where interrupts come from; messages are MSIs.
enum irq_state { IRQ_FREE, IRQ_IOAPIC, IRQ_MESSAGE };

struct irq {
	struct slot notification; // copy of the capability to signal, or empty
	uint8_t state; // enum irq_state
	uint32_t route; // low word of the pin (x86/ioapic.h); of a message, its vector
	uint64_t source[2]; // IOAPIC and pin; or PCI function and its message
};

enum irq_loss { IRQ_UNEXPECTED, IRQ_LOST };

// Written by the handlers of irq.c on behalf of the holders of IRQ capabilities, and read when an
// interrupt arrives.
struct irq_table {
	struct irq rows[USER_IRQ_VECTORS];
	uint64_t counts[2]; // by enum irq_loss
};

// This core is inside: the interrupt's signal reaches only what belongs to it.
[[nodiscard]] bool irq_is_own(unsigned number, const struct cpu *cpu);

// The thread's Call of the capability in slot is the acknowledgement of an interrupt, which
// changes nothing in the kernel.
[[nodiscard]] bool irq_is_acknowledged(const struct slot *slot, struct thread *thread);

// A device interrupt arrived for user vector number, 0..107: masks the pin, ends it at the local
// APIC and signals (IRQ-5, IRQ-6). The last thing of a kernel entry.
void irq_arrived(unsigned number);

// Counts an interrupt, and prints the count at each power of two. Unexpected is a spurious one, or
// one without handler: from a device whose driver chose another vector than its own. Lost is one
// that nothing tells of any more: its handler has no notification and its source is no level, or
// the local APIC reports that it could not deliver it (IRQ-11).
void irq_count(unsigned vector, enum irq_loss loss);
