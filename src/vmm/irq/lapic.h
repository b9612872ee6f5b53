// SPDX-License-Identifier: BSD-2-Clause
// Local APIC of the one CPU: priorities, delivery, local vector table and timer, reached through
// the xAPIC page or the x2APIC MSRs (SDM volume 3, chapter 11).
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/host/clock.h>
#include <vmm/irq/line.h>

enum lapic_lvt {
	LVT_TIMER,
	LVT_THERMAL,
	LVT_PERFORMANCE,
	LVT_LINT0,
	LVT_LINT1,
	LVT_ERROR,
	LVT_COUNT,
};

enum apic_delivery {
	DELIVERY_FIXED = 0,
	DELIVERY_LOWEST = 1,
	DELIVERY_SMI = 2,
	DELIVERY_NMI = 4,
	DELIVERY_INIT = 5,
	DELIVERY_STARTUP = 6,
	DELIVERY_EXTERNAL = 7,
};

enum apic_trigger {
	TRIGGER_EDGE,
	TRIGGER_LEVEL,
};

enum apic_destination {
	DESTINATION_PHYSICAL,
	DESTINATION_LOGICAL,
};

// To every APIC, in either mode: the xAPIC's own FFh is but the number of one CPU in x2APIC mode.
#define APIC_EVERYBODY UINT32_MAX

// An interrupt on its way to a local APIC.
struct apic_message {
	uint32_t destination;
	enum apic_destination destination_mode;
	enum apic_delivery delivery;
	enum apic_trigger trigger;
	uint8_t vector;
};

// One bit per vector.
struct vector_set {
	uint32_t words[8];
};

struct lapic_timer {
	uint64_t expiry; // guest TSC of the next tick, CLOCK_NEVER while stopped
	uint64_t period; // guest ticks of one round in the counting modes
	uint32_t initial;
	uint32_t divide;
};

struct lapic {
	const struct clock *clock;
	void *ioapic;
	void (*end_of_interrupt)(void *ioapic, uint8_t vector); // of a level-triggered vector
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
	bool nmi_pending; // taken by whoever injects it
};

enum {
	LAPIC_NONE = -1,
	LAPIC_VERSION = 0x14 | (LVT_COUNT - 1) << 16,
};
#define LAPIC_ADDRESS 0xfee00000u
#define APIC_BASE_BSP (1u << 8)
#define APIC_BASE_X2APIC (1u << 10)
#define APIC_BASE_ENABLED (1u << 11)

extern const struct bus_device lapic_page;

void lapic_reset(struct lapic *lapic);
// Accepts an interrupt message if it is for this APIC.
void lapic_receive(struct lapic *lapic, const struct apic_message *message);
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
void lapic_command(struct lapic *lapic, uint64_t command);

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
