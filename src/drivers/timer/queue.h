// SPDX-License-Identifier: BSD-2-Clause
// Pending time-outs, one a client. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	TIMER_CLIENTS = 62,
};

struct timer_queue {
	uint64_t pending; // bit i: client i waits
	uint64_t deadlines[TIMER_CLIENTS];
};

void timer_queue_set(struct timer_queue *queue, unsigned client, uint64_t deadline);
void timer_queue_cancel(struct timer_queue *queue, unsigned client);

// The earliest deadline; false when no client waits.
[[nodiscard]] bool timer_queue_next(const struct timer_queue *queue, uint64_t *deadline);

// Remove the clients whose deadline has passed; returns a bit for each.
[[nodiscard]] uint64_t timer_queue_expire(struct timer_queue *queue, uint64_t now);
