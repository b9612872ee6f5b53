// SPDX-License-Identifier: BSD-2-Clause
// Symbols that the composer sets: for each client its queue (setvar_vaddr), its data region
// (setvar_vaddr, setvar_size, and region_paddr for devices that use DMA), and its range of sectors
// (setvar with a value). What the description leaves out is 0.
#include <lib/block/grants.h>

#define PATCHED __attribute__((section(".data")))

uint64_t client0_queue_vaddr PATCHED, client0_data_vaddr PATCHED, client0_data_size PATCHED,
	client0_data_paddr PATCHED, client0_first PATCHED, client0_count PATCHED,
	client0_read_only PATCHED;
uint64_t client1_queue_vaddr PATCHED, client1_data_vaddr PATCHED, client1_data_size PATCHED,
	client1_data_paddr PATCHED, client1_first PATCHED, client1_count PATCHED,
	client1_read_only PATCHED;
uint64_t client2_queue_vaddr PATCHED, client2_data_vaddr PATCHED, client2_data_size PATCHED,
	client2_data_paddr PATCHED, client2_first PATCHED, client2_count PATCHED,
	client2_read_only PATCHED;
uint64_t client3_queue_vaddr PATCHED, client3_data_vaddr PATCHED, client3_data_size PATCHED,
	client3_data_paddr PATCHED, client3_first PATCHED, client3_count PATCHED,
	client3_read_only PATCHED;

enum grant_word {
	QUEUE,
	DATA,
	DATA_SIZE,
	DATA_PADDR,
	FIRST,
	COUNT,
	READ_ONLY,
	GRANT_WORDS,
};

static const uint64_t *const words[BLOCK_CLIENTS][GRANT_WORDS] = {
	{&client0_queue_vaddr, &client0_data_vaddr, &client0_data_size, &client0_data_paddr,
		&client0_first, &client0_count, &client0_read_only},
	{&client1_queue_vaddr, &client1_data_vaddr, &client1_data_size, &client1_data_paddr,
		&client1_first, &client1_count, &client1_read_only},
	{&client2_queue_vaddr, &client2_data_vaddr, &client2_data_size, &client2_data_paddr,
		&client2_first, &client2_count, &client2_read_only},
	{&client3_queue_vaddr, &client3_data_vaddr, &client3_data_size, &client3_data_paddr,
		&client3_first, &client3_count, &client3_read_only},
};

void grants_open(struct block_server *server) {
	for (unsigned i = 0; i < BLOCK_CLIENTS; i++) {
		const struct block_grant grant = {
			.queue = (struct block_queue *)*words[i][QUEUE],
			.data = (uint8_t *)*words[i][DATA],
			.data_size = *words[i][DATA_SIZE],
			.data_paddr = *words[i][DATA_PADDR],
			.first = *words[i][FIRST],
			.count = *words[i][COUNT],
			.read_only = *words[i][READ_ONLY] != 0,
		};

		// A client without a queue is one that the description leaves out.
		if (!block_server_add(server, i, &grant)) continue;
	}
}

void grants_notify(struct block_server *server) {
	for (uint32_t left = block_server_to_notify(server); left != 0; left &= left - 1)
		microkit_notify(BLOCK_CHANNEL_FIRST_CLIENT + (microkit_channel)__builtin_ctz(left));
}
