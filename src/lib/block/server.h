// SPDX-License-Identifier: BSD-2-Clause
// The driver's side of the block protocol for several clients: takes their requests in turn, checks
// them against what the description grants, and answers. Pure; a driver only moves sectors.
#pragma once

#include <nacre/protocol/block.h>

enum {
	BLOCK_CLIENTS = 4,
};

// What the description grants a client. Trusted.
struct block_grant {
	struct block_queue *queue;
	uint8_t *data;
	uint64_t data_size; // bytes
	uint64_t data_paddr; // 0: unknown
	uint64_t first; // sector of the device that the client sees as 0
	uint64_t count; // sectors; 0: up to the end of the device
	bool read_only;
	bool absent; // there is no disk for this client
};

struct block_client {
	bool present;
	struct block_grant grant;
	struct block_end end;
	uint32_t taken; // jobs that were passed on and have no answer yet
	bool answered; // since block_server_to_notify
};

struct block_server {
	struct block_client clients[BLOCK_CLIENTS];
	uint64_t sectors; // of the device; 0: there is none
	uint32_t kinds; // bit k: enum block_kind k, of those that not every driver knows
	unsigned turn; // client whose turn is first
};

// A checked request: what the device has to do.
struct block_job {
	unsigned client;
	enum block_kind kind; // any but identify
	uint64_t tag;
	uint64_t sector; // of the device
	uint32_t count;
	uint8_t *data; // count sectors of the client's data region; null where none move
	uint64_t data_paddr; // physical address of that; 0 when the grant has none
};

// False when the grant has no queue.
[[nodiscard]] bool block_server_add(
	struct block_server *server, unsigned client, const struct block_grant *grant);

// The next job; there may be several without answers yet. Requests that are wrong or need no device
// are answered first. False when there is none: every client will notify.
[[nodiscard]] bool block_server_next(struct block_server *server, struct block_job *job);

// The answer to a job, for each client in the order in which its jobs were returned. A restarted
// driver finds jobs without answers again.
void block_server_finish(struct block_server *server, const struct block_job *job,
	enum block_status status, uint32_t count);

// The clients that have to be notified now: bit i for client i. They count as notified.
[[nodiscard]] uint32_t block_server_to_notify(struct block_server *server);
