// SPDX-License-Identifier: BSD-2-Clause
// Local APIC of one CPU: priorities, delivery, local vector table and timer, reached through
// the xAPIC page or the x2APIC MSRs (SDM 3A, chapter 11).
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/host/clock.h>
#include <vmm/host/memory.h>
#include <vmm/irq/fabric.h>
#include <x86/apic.h>

// One bit per vector.
struct vector_set {
	uint32_t words[8];
	uint8_t used; // the words that are not empty, a bit each
};

struct lapic_timer {
	uint64_t expiry; // guest TSC of the next tick, CLOCK_NEVER while stopped
	uint64_t period; // guest ticks of one round in the counting modes
	uint32_t initial;
	uint32_t divide;
};

struct lapic {
	struct fabric *fabric;
	struct lapic *next; // of the fabric's
	const struct clock *clock; // of its CPU
	const struct guest_memory *memory; // null where none may skip ends
	struct bus_window window;
	uint64_t base; // IA32_APIC_BASE
	uint32_t id;
	uint32_t task_priority;
	uint32_t logical_destination;
	uint32_t destination_format;
	uint32_t spurious;
	uint32_t error_status; // as last latched by a write
	uint32_t error_pending; // gathered since
	uint64_t command;
	uint32_t lvt[LVT_COUNT];
	struct vector_set requested;
	struct vector_set in_service;
	struct vector_set level;
	struct lapic_timer timer;
	bool nmi_pending; // cleared when it is injected
	bool skip_offered; // the guest may have ended the interrupt by its word
	uint64_t skip; // as the guest wrote it: address of the word and bit 0, on
};

enum {
	LAPIC_NONE = -1,
	LAPIC_VERSION = 0x14 | (LVT_COUNT - 1) << 16,
};
#define LAPIC_ADDRESS 0xfee00000u

// Answers on the bus of its CPU; false if something else does there.
[[nodiscard]] bool lapic_attach(struct lapic *lapic, struct bus *memory);
void lapic_reset(struct lapic *lapic);
// Whether it takes part in interrupts: neither hardware nor software has it disabled.
[[nodiscard]] bool lapic_accepts(const struct lapic *lapic);
// Whether a message is for this APIC; of one with lowest priority, whether it may be.
[[nodiscard]] bool lapic_matches(const struct lapic *lapic, const struct apic_message *message);
// Takes a message, whose destination has been looked at.
void lapic_receive(struct lapic *lapic, const struct apic_message *message);
// The priority class that an interrupt must exceed (SDM 3A 11.8.3.1), with its subclass.
[[nodiscard]] uint32_t lapic_processor_priority(const struct lapic *lapic);
// The vector the CPU should take next, or LAPIC_NONE.
[[nodiscard]] int lapic_pending(const struct lapic *lapic);
// The CPU took the vector: it moves from requested to in service.
void lapic_acknowledge(struct lapic *lapic, uint8_t vector);
// The delivery of the vector did not complete: it becomes requested again.
void lapic_withdraw(struct lapic *lapic, uint8_t vector);

// Register access by index (offset / 16); the caller has checked mode and alignment.
[[nodiscard]] uint32_t lapic_register_read(struct lapic *lapic, unsigned index);
void lapic_register_write(struct lapic *lapic, unsigned index, uint32_t value);
void lapic_end_of_interrupt(struct lapic *lapic);
// A write of the command register; what it sends, without the register.
void lapic_command(struct lapic *lapic, uint64_t command);
void lapic_send(struct lapic *lapic, uint64_t command);

// lapic_skip.c: how a guest ends interrupts without an exit. False: no memory is there (#GP).
[[nodiscard]] bool lapic_skip_write(struct lapic *lapic, uint64_t value);
// Before the guest runs, and first of all when it has run.
void lapic_enter(struct lapic *lapic);
void lapic_left(struct lapic *lapic);

// lapic_msr.c: false means #GP(0).
[[nodiscard]] bool lapic_base_write(struct lapic *lapic, uint64_t value);
[[nodiscard]] bool lapic_msr_read(struct lapic *lapic, uint32_t number, uint64_t *value);
[[nodiscard]] bool lapic_msr_write(struct lapic *lapic, uint32_t number, uint64_t value);
[[nodiscard]] uint64_t lapic_deadline_read(const struct lapic *lapic);
void lapic_deadline_write(struct lapic *lapic, uint64_t deadline);
[[nodiscard]] uint32_t lapic_x2apic_logical_id(const struct lapic *lapic);

// lapic_timer.c: counting modes and the deadline mode share `timer.expiry`.
void lapic_timer_write_lvt(struct lapic *lapic, uint32_t value);
void lapic_timer_write_initial(struct lapic *lapic, uint32_t value);
void lapic_timer_write_divide(struct lapic *lapic, uint32_t value);
[[nodiscard]] uint32_t lapic_timer_current(const struct lapic *lapic);
// The guest moved its TSC: a timer that counts is not concerned.
void lapic_timer_move(struct lapic *lapic, uint64_t distance);
// Delivers the tick if its time has come.
void lapic_timer_poll(struct lapic *lapic);

static inline bool lapic_in_x2apic_mode(const struct lapic *lapic) {
	return lapic->base & APIC_BASE_X2APIC;
}

static inline bool lapic_hardware_enabled(const struct lapic *lapic) {
	return lapic->base & APIC_BASE_ENABLED;
}
