// SPDX-License-Identifier: BSD-2-Clause
// Pending time-outs. There are few clients, so a scan is the shortest way.
#include <drivers/timer/queue.h>

#include <base/bits.h>

void timer_queue_set(struct timer_queue *queue, unsigned client, uint64_t deadline) {
	queue->deadlines[client] = deadline;
	queue->pending |= BIT(client);
}

void timer_queue_cancel(struct timer_queue *queue, unsigned client) {
	queue->pending &= ~BIT(client);
}

bool timer_queue_next(const struct timer_queue *queue, uint64_t *deadline) {
	*deadline = ~0ul;
	for (uint64_t rest = queue->pending; rest != 0; rest &= rest - 1) {
		uint64_t each = queue->deadlines[bits_lowest(rest)];

		if (each < *deadline) *deadline = each;
	}
	return queue->pending != 0;
}

uint64_t timer_queue_expire(struct timer_queue *queue, uint64_t now) {
	uint64_t expired = 0;

	for (uint64_t rest = queue->pending; rest != 0; rest &= rest - 1) {
		unsigned client = bits_lowest(rest);

		if (queue->deadlines[client] <= now) expired |= BIT(client);
	}
	queue->pending &= ~expired;
	return expired;
}
