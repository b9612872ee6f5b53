// SPDX-License-Identifier: BSD-2-Clause
// Domain invocations (SCHED-26). There is one domain: a schedule has no effect on which thread
// runs, but its slots obey the same rules as on a machine with more.
#include <cap/invocation.h>
#include <kernel.h>
#include <sched/thread.h>

enum error domain_set(struct invocation *invocation) {
	uint64_t domain = invocation_word(invocation, 0) & 0xff;

	if (domain >= DOMAINS) return error_argument(invocation, 0);
	if (invocation->cap_count < 1) return ERROR_TRUNCATED_MESSAGE;
	if (invocation->caps[0]->cap.type != CAP_THREAD) return error_argument(invocation, 1);
	cap_thread(&invocation->caps[0]->cap)->domain = (uint8_t)domain;
	return ERROR_NONE;
}

enum error domain_schedule_configure(struct invocation *invocation) {
	uint64_t index = invocation_word(invocation, 0);
	uint64_t domain = invocation_word(invocation, 1) & 0xff;
	uint64_t duration = invocation_word(invocation, 2);
	struct domain_schedule *schedule = &this_kernel()->domains;

	if (index >= DOMAIN_SCHEDULE_SLOTS - 1)
		return error_range(invocation, 0, DOMAIN_SCHEDULE_SLOTS - 2);
	if (domain >= DOMAINS) return error_range(invocation, 0, DOMAINS - 1);
	if (duration > DOMAIN_DURATION_MAX) return error_argument(invocation, 2);
	if (!duration && domain) return error_argument(invocation, 1);
	if (!duration && index == schedule->start) return error_argument(invocation, 2);
	schedule->durations[index] = duration;
	return ERROR_NONE;
}

enum error domain_schedule_set_start(struct invocation *invocation) {
	uint64_t index = invocation_word(invocation, 0);
	struct domain_schedule *schedule = &this_kernel()->domains;

	if (index >= DOMAIN_SCHEDULE_SLOTS)
		return error_range(invocation, 0, DOMAIN_SCHEDULE_SLOTS - 1);
	if (!schedule->durations[index]) return error_argument(invocation, 0);
	schedule->start = index;
	return ERROR_NONE;
}
