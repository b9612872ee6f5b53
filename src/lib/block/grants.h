// SPDX-License-Identifier: BSD-2-Clause
// The clients of a block driver as the system description states them, and their channels.
#pragma once

#include <microkit.h>

#include <lib/block/server.h>

// Channels and interrupts of every block driver.
enum {
	BLOCK_CHANNEL_CONSOLE = 0,
	BLOCK_CHANNEL_IRQ = 1,
	BLOCK_CHANNEL_TIMER = 2,
	BLOCK_CHANNEL_PCI = 3,
	BLOCK_CHANNEL_FIRST_CLIENT = 4, // client i has channel 4 + i
};

// Adds every client that the description gives a queue.
void grants_open(struct block_server *server);

// Notifies the clients that sleep and have answers.
void grants_notify(struct block_server *server);
