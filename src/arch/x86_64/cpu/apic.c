// SPDX-License-Identifier: BSD-2-Clause
// One register file, two access methods: the xAPIC page, or MSRs in x2APIC mode.
#include <cpu/apic.h>

#include <cpu/platform.h>
#include <x86/apic.h>

#define APIC_BASE_PAGE 0xffffffffff000ul

enum {
	REQUEST_FIRST = VECTOR_APIC_ERROR / 32,
	REQUEST_LAST = VECTOR_USER_LAST / 32,
	PRIORITY_BLOCKS_ALL = 0xf0, // SDM 3A 11.8.3.1
	PREEMPT_STRIDE = 16, // calls between two reads of the hardware
};

static uint32_t apic_read(uint32_t index) {
	const volatile uint32_t *page = this_cpu()->apic_page;

	return page ? page[index * 4] : (uint32_t)msr_read(MSR_X2APIC + index);
}

static void apic_write(uint32_t index, uint32_t value) {
	volatile uint32_t *page = this_cpu()->apic_page;

	if (page)
		page[index * 4] = value;
	else
		msr_write(MSR_X2APIC + index, value);
}

uint32_t apic_id(void) {
	return apic_read(LAPIC_ID) >> (this_cpu()->apic_page ? XAPIC_ID_SHIFT : 0);
}

// Interrupts of the core itself that the kernel does not use, whatever firmware has set up; the
// number of entries is one more than the version says (SDM 3A 11.5.1, APM 2 16.3.4, 16.4.5).
static void local_sources_mask(void) {
	static const uint32_t entries[] = {
		LAPIC_LVT_TIMER + LVT_PERFORMANCE, LAPIC_LVT_TIMER + LVT_THERMAL, LAPIC_LVT_CMCI};
	uint32_t version = apic_read(LAPIC_VERSION_REGISTER), last = version >> 16 & 0xff;

	for (uint32_t i = 0; i < array_count(entries) && last >= 4 + i; i++)
		apic_write(entries[i], LVT_MASKED);
	if (!(version >> 31)) return;
	for (uint32_t i = 0; i < (apic_read(LAPIC_EXTENDED) >> 16 & 0xff); i++)
		apic_write(LAPIC_EXTENDED_LVT + i, LVT_MASKED);
}

// A write makes readable what was found since the last one (SDM 3A 11.5.3).
uint32_t apic_take_errors(void) {
	apic_write(LAPIC_ERROR_STATUS, 0);
	return apic_read(LAPIC_ERROR_STATUS);
}

uint64_t apic_init(void) {
	uint64_t base = msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLED, start = base & APIC_BASE_PAGE;

	msr_write(MSR_APIC_BASE, base); // x2APIC only from xAPIC mode (SDM 3A 11.12.5)
	// Firmware that has switched it on may have locked it (SDM 3A 11.12, legacy xAPIC
	// disabled).
	if (feature_has(FEATURE_X2APIC) || base & APIC_BASE_X2APIC)
		msr_write(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	else
		this_cpu()->apic_page = physical_pointer(physical(start));
	// On other cores than the first no interrupt may do anything until they are up.
	apic_write(LAPIC_TASK_PRIORITY, this_cpu()->is_silent ? PRIORITY_BLOCKS_ALL : 0);
	apic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLED | VECTOR_SPURIOUS);
	apic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(LAPIC_LVT_TIMER + LVT_LINT0, LVT_MASKED);
	apic_write(LAPIC_LVT_TIMER + LVT_LINT1, LVT_NMI);
	local_sources_mask();
	(void)apic_take_errors();
	(void)apic_take_errors();
	apic_write(LAPIC_LVT_ERROR, VECTOR_APIC_ERROR);
	apic_write(LAPIC_INITIAL_COUNT, 0);
	apic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
	apic_timer_use_one_shot();
	// An interrupt that firmware left in service would block all of lower priority.
	for (unsigned i = 0; i < VECTOR_COUNT; i++)
		apic_end_of_interrupt();
	print("apic: %s, id %u\n", this_cpu()->apic_page ? "xAPIC" : "x2APIC", apic_id());
	return start;
}

void apic_open(void) { apic_write(LAPIC_TASK_PRIORITY, 0); }

// In x2APIC mode the register is one MSR, and a command is never pending. What was written before
// is visible to the core that gets the interrupt by the fence there, and by the order of writes
// where the register is memory (SDM 3A 9.2.2, 11.6.1, 11.12.3, 11.12.9).
void apic_send(uint32_t id, uint32_t command) {
	volatile uint32_t *page = this_cpu()->apic_page;

	if (!page) {
		asm volatile("mfence; lfence" : : : "memory");
		return msr_write(MSR_X2APIC + LAPIC_COMMAND_LOW, (uint64_t)id << 32 | command);
	}
	while (page[LAPIC_COMMAND_LOW * 4] & COMMAND_PENDING)
		cpu_relax();
	page[LAPIC_COMMAND_HIGH * 4] = id << XAPIC_ID_SHIFT;
	page[LAPIC_COMMAND_LOW * 4] = command;
}

void apic_end_of_interrupt(void) { apic_write(LAPIC_EOI, 0); }

void apic_timer_start(uint32_t count) { apic_write(LAPIC_INITIAL_COUNT, count); }

uint32_t apic_timer_left(void) { return apic_read(LAPIC_CURRENT_COUNT); }

void apic_timer_use_one_shot(void) { apic_write(LAPIC_LVT_TIMER, VECTOR_TIMER); }

void apic_timer_use_deadline(void) {
	apic_write(LAPIC_LVT_TIMER, LVT_TIMER_DEADLINE | VECTOR_TIMER);
	// The mode must be set before the MSR is written (SDM 3A 11.5.4.1).
	asm volatile("mfence" : : : "memory");
}

// Of 256 bits in eight registers.
static bool vector_read(uint32_t first, unsigned vector) {
	return apic_read(first + vector / 32) >> vector % 32 & 1;
}

bool apic_timer_is_pending(void) { return vector_read(LAPIC_REQUESTED, VECTOR_TIMER); }

bool apic_is_in_service(unsigned vector) { return vector_read(LAPIC_IN_SERVICE, vector); }

[[gnu::noinline]] bool apic_is_pending(void) {
	for (uint32_t i = REQUEST_FIRST; i <= REQUEST_LAST; i++) {
		if (apic_read(LAPIC_REQUESTED + i)) return true;
	}
	return false;
}

bool preempt_wanted(void) {
	if (likely(++this_cpu()->preempt_calls % PREEMPT_STRIDE != 0)) return false;
	return apic_is_pending() || lock_is_wanted(this_cpu()->platform);
}
