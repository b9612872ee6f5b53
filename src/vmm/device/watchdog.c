// SPDX-License-Identifier: BSD-2-Clause
// The watchdog: registers, and the two stages of its counter.
#include <vmm/device/watchdog.h>

enum {
	VENDOR_INTEL = 0x8086,
	DEVICE_WATCHDOG = 0x25ab,
	CLASS_OTHER_PERIPHERAL = 0x0880,
	UNLOCKED = 2,
	SLOW_SHIFT = 15, // PCI clocks of a count, as a power of two
	FAST_SHIFT = 5,
};

#define PCI_HERTZ 33000000ull
#define PRELOAD_MASK 0xfffffu

static uint32_t *config(struct watchdog *watchdog, enum watchdog_register offset) {
	return &watchdog->function.words[offset / 4];
}

static void begin_stage(struct watchdog *watchdog, unsigned stage) {
	bool fast = *config(watchdog, WATCHDOG_CONFIG) & WATCHDOG_CONFIG_FAST;
	uint64_t clocks = (uint64_t)watchdog->preload[stage] << (fast ? FAST_SHIFT : SLOW_SHIFT);
	uint64_t ticks = clock_ticks(watchdog->clock, clocks, PCI_HERTZ);

	watchdog->stage = stage;
	watchdog->expiry = CLOCK_NEVER;
	if ((watchdog->lock & WATCHDOG_LOCK_ENABLE) && !(watchdog->lock & WATCHDOG_LOCK_FREE))
		watchdog->expiry = clock_now(watchdog->clock) + ticks;
}

// What has been locked stays as it is until a reset.
static void lock_written(struct watchdog *watchdog) {
	uint32_t *word = config(watchdog, WATCHDOG_LOCK);
	uint32_t before = watchdog->lock;
	uint32_t changed;

	if (before & WATCHDOG_LOCK_LOCKED) *word = before;
	changed = *word ^ before;
	watchdog->lock = *word;
	if (changed & (WATCHDOG_LOCK_ENABLE | WATCHDOG_LOCK_FREE)) begin_stage(watchdog, 0);
}

static void register_written(void *device, unsigned offset) {
	if (offset == WATCHDOG_LOCK) lock_written(device);
}

static uint64_t read(void *device, unsigned, uint64_t offset, enum bus_width) {
	const struct watchdog *watchdog = device;

	switch (offset) {
	case WATCHDOG_PRELOAD: return watchdog->preload[0];
	case WATCHDOG_PRELOAD + 4: return watchdog->preload[1];
	case WATCHDOG_STATUS: return watchdog->stage_ended ? WATCHDOG_STATUS_STAGE : 0;
	case WATCHDOG_RELOAD: return watchdog->timed_out ? WATCHDOG_RELOAD_TIMEOUT : 0;
	default: return 0;
	}
}

static void reload_written(struct watchdog *watchdog, uint64_t value) {
	if (value & WATCHDOG_RELOAD_TIMEOUT) watchdog->timed_out = false;
	if (value & WATCHDOG_RELOAD_COUNTER) begin_stage(watchdog, 0);
}

static void write(void *device, unsigned, uint64_t offset, enum bus_width, uint64_t value) {
	struct watchdog *watchdog = device;
	unsigned unlocked = watchdog->unlocked;

	watchdog->unlocked = 0;
	if (offset == WATCHDOG_RELOAD && value == WATCHDOG_UNLOCK_FIRST)
		watchdog->unlocked = 1;
	else if (offset == WATCHDOG_RELOAD && value == WATCHDOG_UNLOCK_SECOND && unlocked == 1)
		watchdog->unlocked = UNLOCKED;
	else if (offset == WATCHDOG_STATUS && (value & WATCHDOG_STATUS_STAGE))
		watchdog->stage_ended = false;
	else if (offset == WATCHDOG_RELOAD && unlocked == UNLOCKED)
		reload_written(watchdog, value);
	else if (offset <= WATCHDOG_PRELOAD + 4 && offset % 4 == 0 && unlocked == UNLOCKED)
		watchdog->preload[offset / 4] = (uint32_t)value & PRELOAD_MASK;
}

bool watchdog_poll(struct watchdog *watchdog) {
	if (!watchdog->clock || clock_now(watchdog->clock) < watchdog->expiry) return false;
	if (watchdog->stage == 0) {
		watchdog->stage_ended = true;
		begin_stage(watchdog, 1);
		return false;
	}
	watchdog->timed_out = true;
	watchdog->expiry = CLOCK_NEVER;
	return !(*config(watchdog, WATCHDOG_CONFIG) & WATCHDOG_CONFIG_NO_RESET);
}

void watchdog_reset(struct watchdog *watchdog) {
	if (!watchdog->clock) return;
	for (unsigned i = 0; i < WATCHDOG_STAGES; i++)
		watchdog->preload[i] = PRELOAD_MASK;
	watchdog->lock = 0;
	watchdog->unlocked = 0;
	watchdog->stage_ended = false;
	begin_stage(watchdog, 0);
}

void watchdog_init(struct watchdog *watchdog) {
	static const struct pci_ops ops = {
		.read = read, .write = write, .register_written = register_written};
	static const struct pci_identity identity = {
		.vendor = VENDOR_INTEL, .device = DEVICE_WATCHDOG, .class = CLASS_OTHER_PERIPHERAL};
	uint32_t *writable = watchdog->function.writable;

	pci_describe(&watchdog->function, &identity, &ops, watchdog);
	pci_describe_bar(&watchdog->function, 0, 0, WATCHDOG_SIZE);
	writable[WATCHDOG_CONFIG / 4] = WATCHDOG_CONFIG_INTERRUPT | WATCHDOG_CONFIG_FAST |
		WATCHDOG_CONFIG_NO_RESET;
	writable[WATCHDOG_LOCK / 4] = WATCHDOG_LOCK_LOCKED | WATCHDOG_LOCK_ENABLE |
		WATCHDOG_LOCK_FREE;
	watchdog->expiry = CLOCK_NEVER;
	watchdog_reset(watchdog);
}
