// SPDX-License-Identifier: BSD-2-Clause
// Local APIC timer. The counting modes run at the crystal's rate, which CPUID leaf 15h reports to
// the guest, and are kept as the time of the next tick, so nothing counts while nothing happens.
#include <vmm/irq/lapic.h>
#include <x86/apic.h>

static uint32_t timer_mode(const struct lapic *lapic) {
	return lapic->lvt[LVT_TIMER] & LVT_TIMER_MODE;
}

// TSC ticks a count. Bits 3, 1 and 0 encode 2, 4 .. 128, and 1 (SDM 3A, figure 11-10).
static unsigned timer_divide_shift(const struct lapic *lapic) {
	unsigned code = (lapic->timer.divide & 3) | (lapic->timer.divide >> 1 & 4);

	return ((code + 1) & 7) + clock_crystal_shift(lapic->clock->hertz);
}

static void timer_start(struct lapic *lapic) {
	struct lapic_timer *timer = &lapic->timer;

	timer->period = (uint64_t)timer->initial << timer_divide_shift(lapic);
	timer->expiry = timer->initial == 0 ? CLOCK_NEVER : clock_now(lapic->clock) + timer->period;
}

void lapic_timer_write_lvt(struct lapic *lapic, uint32_t value) {
	uint32_t before = timer_mode(lapic);
	uint32_t after;

	lapic->lvt[LVT_TIMER] = value;
	after = timer_mode(lapic);
	// Entering or leaving deadline mode disarms the timer (SDM 3A 11.5.4.1).
	if (before != after && (before == LVT_TIMER_DEADLINE || after == LVT_TIMER_DEADLINE)) {
		lapic->timer.expiry = CLOCK_NEVER;
		lapic->timer.initial = 0;
	}
}

void lapic_timer_write_initial(struct lapic *lapic, uint32_t value) {
	if (timer_mode(lapic) == LVT_TIMER_DEADLINE) return;
	lapic->timer.initial = value;
	timer_start(lapic);
}

void lapic_timer_write_divide(struct lapic *lapic, uint32_t value) {
	uint32_t left = lapic_timer_current(lapic);
	unsigned shift;

	lapic->timer.divide = value;
	if (lapic->timer.expiry == CLOCK_NEVER || timer_mode(lapic) == LVT_TIMER_DEADLINE) return;
	// The count stays, only its pace changes.
	shift = timer_divide_shift(lapic);
	lapic->timer.period = (uint64_t)lapic->timer.initial << shift;
	lapic->timer.expiry = clock_now(lapic->clock) + ((uint64_t)left << shift);
}

uint32_t lapic_timer_current(const struct lapic *lapic) {
	const struct lapic_timer *timer = &lapic->timer;
	uint64_t now;
	uint64_t left;

	if (timer->expiry == CLOCK_NEVER || timer_mode(lapic) == LVT_TIMER_DEADLINE) return 0;
	now = clock_now(lapic->clock);
	left = timer->expiry > now ? timer->expiry - now : 0;
	return (uint32_t)(left >> timer_divide_shift(lapic));
}

void lapic_timer_move(struct lapic *lapic, uint64_t distance) {
	bool counting = timer_mode(lapic) != LVT_TIMER_DEADLINE;

	if (counting && lapic->timer.expiry != CLOCK_NEVER) lapic->timer.expiry += distance;
}

void lapic_timer_poll(struct lapic *lapic) {
	struct lapic_timer *timer = &lapic->timer;
	uint32_t entry;
	uint64_t now;

	if (timer->expiry == CLOCK_NEVER) return;
	now = clock_now(lapic->clock);
	if (now < timer->expiry) return;
	if (timer_mode(lapic) == LVT_TIMER_PERIODIC)
		// Ticks that were missed are lost, the phase is kept.
		timer->expiry += ((now - timer->expiry) / timer->period + 1) * timer->period;
	else
		timer->expiry = CLOCK_NEVER;
	entry = lapic->lvt[LVT_TIMER];
	if (entry & LVT_MASKED) return;
	lapic_receive(lapic,
		&(struct apic_message){
			.delivery = DELIVERY_FIXED,
			.vector = entry & LVT_VECTOR,
		});
}

uint64_t lapic_deadline_read(const struct lapic *lapic) {
	bool armed = timer_mode(lapic) == LVT_TIMER_DEADLINE && lapic->timer.expiry != CLOCK_NEVER;

	return armed ? lapic->timer.expiry : 0;
}

void lapic_deadline_write(struct lapic *lapic, uint64_t deadline) {
	if (timer_mode(lapic) != LVT_TIMER_DEADLINE) return;
	lapic->timer.expiry = deadline == 0 ? CLOCK_NEVER : deadline;
}
