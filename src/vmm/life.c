// SPDX-License-Identifier: BSD-2-Clause
// The guest's life.
#include <vmm/life.h>

#include <vmm/host/log.h>

enum { DOUBLINGS = 6, MICROSECONDS = 1000000, PER_MILLISECOND = 1000 };

void life_init(struct life *life, const struct clock *clock) {
	*life = (struct life){.policy = life->policy, .clock = clock, .due = CLOCK_NEVER};
	life_set(life, GUEST_RESTARTING);
}

void life_set(struct life *life, enum guest_state state) {
	life->state = state;
	life->changes++;
}

static void start_after(struct life *life, uint64_t microseconds) {
	life->due = life->clock->read() + clock_ticks(life->clock, microseconds, MICROSECONDS);
	life_set(life, GUEST_RESTARTING);
}

static bool starts_again(const struct life_policy *policy, enum guest_cause cause) {
	if (cause == GUEST_BY_REBOOT) return policy->on_reboot;
	if (cause == GUEST_BY_POWEROFF) return policy->on_poweroff;
	return cause == GUEST_BY_WATCHDOG ? policy->on_watchdog : policy->on_crash;
}

static enum guest_state state_after(enum guest_cause cause) {
	if (cause == GUEST_BY_POWEROFF) return GUEST_OFF;
	return cause == GUEST_BY_FAULT || cause == GUEST_BY_PANIC || cause == GUEST_BY_WATCHDOG
		? GUEST_CRASHED
		: GUEST_STOPPED;
}

static void try_again(struct life *life, const char *what) {
	unsigned doublings = life->tries < DOUBLINGS ? life->tries : DOUBLINGS;
	uint64_t wait = life->policy.backoff << doublings;

	life->tries++;
	log_line("%s; restart %u of %u in %lu ms", what, life->tries, life->policy.limit,
		wait / PER_MILLISECOND);
	start_after(life, wait);
}

void life_end(struct life *life, enum guest_cause cause, const char *what) {
	if (!starts_again(&life->policy, cause)) {
		log_line("%s; it stays %s", what, cause == GUEST_BY_POWEROFF ? "off" : "stopped");
		life_stop(life, cause);
	} else if (cause == GUEST_BY_REBOOT) {
		// What it asked for is no fault of it.
		log_line("%s; it starts again", what);
		life->cause = cause;
		start_after(life, 0);
	} else if (life->tries == life->policy.limit) {
		log_line("%s; it stays stopped: all %u restarts are used up", what, life->tries);
		life_stop(life, cause);
	} else {
		life->cause = cause;
		try_again(life, what);
	}
}

void life_reset(struct life *life) {
	life->tries = 0;
	life->cause = GUEST_BY_COMMAND;
	start_after(life, 0);
}

void life_stop(struct life *life, enum guest_cause cause) {
	life->due = CLOCK_NEVER;
	life->cause = cause;
	life_set(life, state_after(cause));
}

void life_started(struct life *life) {
	life->due = CLOCK_NEVER;
	life->starts++;
	life_set(life, GUEST_RUNNING);
}

bool life_is_due(struct life *life) {
	if (life->due == CLOCK_NEVER || life->clock->read() < life->due) return false;
	life->due = CLOCK_NEVER;
	return true;
}

uint64_t life_status(const struct life *life) {
	uint64_t restarts = life->starts > 0 ? life->starts - 1 : 0;

	return life->state | (uint64_t)life->cause << GUEST_STATUS_CAUSE |
		(uint64_t)life->changes << GUEST_STATUS_CHANGES | restarts << GUEST_STATUS_RESTARTS;
}
