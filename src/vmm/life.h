// SPDX-License-Identifier: BSD-2-Clause
// The guest's life: what follows when it ends, by the policy of the description, and when.
#pragma once

#include <vmm/host/clock.h>

#include <nacre/protocol/guest.h>

#include <stdbool.h>

// What starts the guest again; otherwise it stays stopped.
struct life_policy {
	bool on_reboot, on_poweroff, on_crash, on_watchdog;
	uint32_t limit; // restarts after crashes and power-offs, until a command counts anew
	uint64_t backoff; // microseconds before the first of them
};

struct life {
	struct life_policy policy; // set before the first start, as the clock
	const struct clock *clock; // the host's
	enum guest_state state;
	enum guest_cause cause;
	uint16_t changes;
	uint32_t starts;
	uint32_t tries; // restarts that were counted
	uint64_t due; // host's counter when it is to start, or CLOCK_NEVER
};

void life_init(struct life *life, const struct clock *clock);
// The guest has ended. Logs `what` happened, and what follows.
void life_end(struct life *life, enum guest_cause cause, const char *what);
// It is to start at once: the counter begins anew.
void life_reset(struct life *life);
// It stays stopped until a reset.
void life_stop(struct life *life, enum guest_cause cause);
// It runs: it was started, or is paused no longer.
void life_started(struct life *life);
void life_set(struct life *life, enum guest_state state);
// Whether the time of its next start has come, once.
[[nodiscard]] bool life_is_due(struct life *life);
// For control pages.
[[nodiscard]] uint64_t life_status(const struct life *life);
