// SPDX-License-Identifier: BSD-2-Clause
// The NVMe driver against a fake controller that carries out the commands in the driver's memory,
// or answers what no controller may.
#include "test.h"

#include <drivers/nvme/controller.h>
#include <drivers/nvme/registers.h>

#include <stdlib.h>
#include <string.h>

enum {
	SECTORS = 64,
	STRIDE = 2, // doorbells are 4 << 2 bytes apart
	REGISTERS = 0x4000,
	LARGEST = 256 * 512,
};

#define DMA_PADDR 0x123450000ul
#define DATA_PADDR 0x200000000ul
#define DISK_SECTORS 0x123456789aul

struct fake_queue {
	uint64_t commands;
	uint64_t completions;
	uint16_t head; // of the commands, and tail of the completions
	uint16_t answered; // head of the completions, as the driver says
	uint16_t phase;
	bool exists;
};

static struct {
	bool never_ready;
	bool never_off;
	bool hangs; // commands are never carried out
	bool no_queues; // and cannot be created
	uint16_t status; // of the next command
	uint16_t id_off; // added to its id
	uint16_t queue_off;
	uint8_t largest;
	uint8_t sector_log2;
	uint16_t metadata;
	uint32_t cap_high;
	uint32_t registers[NVME_DOORBELLS / 4];
	struct fake_queue queues[2];
	bool line;
	bool was_left; // the line was active when the controller was switched off
	uint8_t medium[SECTORS][512];
	uint64_t sector; // of the last command
	uint8_t opcode;
	unsigned seen;
} fake;

static uint8_t *dma; // of the exact size
static uint8_t data[LARGEST];
static uint64_t data_offset; // of the data in their first page
static struct nvme_controller controller;

// Where an address of the controller is in the test's memory.
static uint8_t *memory_at(uint64_t paddr, uint64_t bytes) {
	if (paddr >= DMA_PADDR && paddr + bytes <= DMA_PADDR + DMA_BYTES)
		return dma + (paddr - DMA_PADDR);
	paddr -= data_offset;
	check(paddr >= DATA_PADDR && paddr + bytes <= DATA_PADDR + sizeof(data));
	return data + (paddr - DATA_PADDR);
}

// The i-th page of a transfer, by PRP entries and list.
static uint64_t page_of(const struct nvme_command *command, unsigned i, uint64_t bytes) {
	uint64_t first = NVME_PAGE - command->data[0] % NVME_PAGE;
	uint64_t page;

	if (i == 0) return command->data[0];
	if (bytes <= first + NVME_PAGE) {
		check(i == 1 && command->data[1] % NVME_PAGE == 0);
		return command->data[1];
	}
	memcpy(&page, memory_at(command->data[1] + 8 * (i - 1), 8), sizeof(page));
	check(page % NVME_PAGE == 0);
	return page;
}

static void move(const struct nvme_command *command) {
	uint64_t bytes = ((command->words[2] & 0xffff) + 1) * 512ul;
	uint64_t done = 0;

	fake.sector = command->words[0] | (uint64_t)command->words[1] << 32;
	for (unsigned i = 0; done < bytes; i++) {
		uint64_t place = page_of(command, i, bytes);
		uint64_t part = NVME_PAGE - place % NVME_PAGE;

		if (part > bytes - done) part = bytes - done;
		for (uint64_t k = 0; k < part; k += 512, done += 512) {
			uint8_t *memory = memory_at(place + k, 512);
			uint8_t *kept = fake.medium[(fake.sector + done / 512) % SECTORS];

			memcpy(command->opcode == NVME_READ ? memory : kept,
				command->opcode == NVME_READ ? kept : memory, 512);
		}
	}
}

static void identify(const struct nvme_command *command) {
	uint8_t *answer = memory_at(command->data[0], 4096);
	uint64_t sectors = DISK_SECTORS;

	memset(answer, 0, 4096);
	if (command->words[0] == IDENTIFY_CONTROLLER) {
		answer[CONTROLLER_LARGEST] = fake.largest;
		return;
	}
	check(command->words[0] == IDENTIFY_NAMESPACE && command->namespace == 1);
	memcpy(answer, &sectors, sizeof(sectors));
	answer[NAMESPACE_FORMAT] = 0x13; // format 3, and a bit of others
	memcpy(answer + NAMESPACE_FORMATS + 12, &fake.metadata, 2);
	answer[NAMESPACE_FORMATS + 12 + FORMAT_SECTOR] = fake.sector_log2;
}

static void create(const struct nvme_command *command) {
	bool is_completions = command->opcode == NVME_CREATE_COMPLETION_QUEUE;
	struct fake_queue *queue = &fake.queues[1];

	check(command->words[0] == (3 << 16 | 1) && command->data[0] % NVME_PAGE == 0);
	check(command->words[1] == (is_completions ? 3 : 0x10001));
	if (is_completions)
		queue->completions = command->data[0];
	else
		queue->commands = command->data[0];
	queue->phase = 1;
	queue->exists = queue->commands && queue->completions;
}

static void carry_out(unsigned number, const struct nvme_command *command) {
	if (number == 0) {
		if (command->opcode == NVME_IDENTIFY)
			identify(command);
		else
			create(command);
		return;
	}
	fake.seen++;
	fake.opcode = command->opcode;
	check(command->namespace == 1);
	if (command->opcode != NVME_FLUSH) move(command);
}

static void answer(unsigned number, uint16_t id, uint16_t status) {
	struct fake_queue *queue = &fake.queues[number];
	struct nvme_completion completion = {.queue = (uint16_t)(number + fake.queue_off),
		.id = (uint16_t)(id + fake.id_off),
		.status = (uint16_t)(status << 1 | queue->phase)};

	memcpy(memory_at(queue->completions + 16u * queue->head, 16), &completion, 16);
	queue->head = (uint16_t)((queue->head + 1) % NVME_ENTRIES);
	if (queue->head == 0) queue->phase ^= 1;
	if (number == 1) fake.line = true;
}

static void doorbell(uint64_t offset, uint32_t value) {
	unsigned index = (unsigned)((offset - NVME_DOORBELLS) / (4u << STRIDE));
	struct fake_queue *queue = &fake.queues[index / 2];
	struct nvme_command command;

	check(offset % (4u << STRIDE) == 0 && index < 4 && queue->exists && value < NVME_ENTRIES);
	if (index % 2 == 1) {
		queue->answered = (uint16_t)value;
		if (index == 3) fake.line = queue->answered != queue->head;
		return;
	}
	check(value == (queue->head + 1u) % NVME_ENTRIES);
	memcpy(&command, memory_at(queue->commands + 64u * queue->head, 64), 64);
	if (fake.hangs) return;
	if (fake.no_queues && command.opcode == NVME_CREATE_SUBMISSION_QUEUE && index == 0) {
		answer(0, command.id, 1);
		return;
	}
	if (fake.status == 0) carry_out(index / 2, &command);
	answer(index / 2, command.id, fake.status);
}

uint32_t nvme_read(uint64_t offset) {
	check(offset % 4 == 0 && offset < NVME_DOORBELLS);
	if (offset == NVME_CAP) return 1 << 24 | 0xff; // half a second, 256 entries
	if (offset == NVME_CAP + 4) return fake.cap_high;
	return fake.registers[offset / 4];
}

static void write_cc(uint32_t value) {
	if (!(value & CC_EN)) {
		memset(fake.queues, 0, sizeof(fake.queues));
		fake.was_left = fake.line;
		fake.line = false;
		fake.registers[NVME_CSTS / 4] = fake.never_off ? CSTS_RDY : 0;
		return;
	}
	check(value == (CC_EN | CC_IOSQES | CC_IOCQES));
	fake.queues[0].commands = fake.registers[NVME_ASQ / 4] |
		(uint64_t)fake.registers[NVME_ASQ / 4 + 1] << 32;
	fake.queues[0].completions = fake.registers[NVME_ACQ / 4] |
		(uint64_t)fake.registers[NVME_ACQ / 4 + 1] << 32;
	fake.queues[0].phase = 1;
	fake.queues[0].exists = true;
	check(fake.registers[NVME_AQA / 4] == 0x30003);
	fake.registers[NVME_CSTS / 4] = fake.never_ready ? CSTS_CFS : CSTS_RDY;
}

void nvme_write(uint64_t offset, uint32_t value) {
	if (offset >= NVME_DOORBELLS) {
		doorbell(offset, value);
		return;
	}
	fake.registers[offset / 4] = value;
	if (offset == NVME_CC) write_cc(value);
}

static void fresh(void) {
	memset(&fake, 0, sizeof(fake));
	fake.cap_high = STRIDE;
	fake.largest = 5;
	fake.sector_log2 = 9;
	free(dma);
	dma = aligned_alloc(4096, DMA_BYTES);
	data_offset = 0;
	controller = (struct nvme_controller){
		.memory = dma, .paddr = DMA_PADDR, .registers_size = REGISTERS};
}

static void start(void) {
	fresh();
	check(nvme_reset(&controller) == DISK_SECTORS);
	check(fake.registers[NVME_INTMC / 4] == ~0u);
}

static enum block_progress run(enum block_kind kind, uint64_t sector, uint32_t count) {
	const struct block_job job = {.kind = kind,
		.sector = sector,
		.count = count,
		.data = data,
		.data_paddr = count ? DATA_PADDR + data_offset : 0};
	enum block_progress progress = nvme_start(&controller, &job);

	if (progress != BLOCK_UNDER_WAY || !fake.line) return progress;
	progress = nvme_interrupt(&controller);
	check(!fake.line);
	return progress;
}

static void moves_sectors(uint32_t count, uint64_t offset) {
	data_offset = offset;
	for (unsigned i = 0; i < count * 512; i++)
		data[i] = (uint8_t)(i * 7 + i / 512 + offset);
	check(run(BLOCK_WRITE, 0x1234567890, count) == BLOCK_DONE && fake.sector == 0x1234567890);
	memset(data, 0, sizeof(data));
	check(run(BLOCK_READ, 0x1234567890, count) == BLOCK_DONE && fake.opcode == NVME_READ);
	for (unsigned i = 0; i < count * 512; i++)
		if (data[i] != (uint8_t)(i * 7 + i / 512 + offset)) {
			check(false);
			return;
		}
}

static void moves(void) {
	static const uint32_t counts[] = {1, 8, 9, 16, 17, SECTORS};

	start();
	// One page, two, and a list of them; the data begin anywhere in the first.
	for (size_t i = 0; i < array_count(counts); i++)
		for (uint64_t offset = 0; offset < NVME_PAGE; offset += 512)
			moves_sectors(counts[i], offset);
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_DONE && fake.opcode == NVME_FLUSH);
	// The largest request, at the worst place.
	data_offset = NVME_PAGE - 512;
	check(run(BLOCK_READ, 0, BLOCK_MAXIMUM) == BLOCK_DONE);
	fake.hangs = true;
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_UNDER_WAY); // not before the controller has
}

static void refused_starts(void) {
	fresh();
	fake.never_off = true;
	check(nvme_reset(&controller) == 0);
	fresh();
	fake.never_ready = true;
	check(nvme_reset(&controller) == 0);
	fresh();
	fake.cap_high = STRIDE | 1 << 16; // pages of 8 KiB at least
	check(nvme_reset(&controller) == 0);
	fresh();
	fake.cap_high = 0xf; // doorbells outside of what is mapped
	check(nvme_reset(&controller) == 0);
	fresh();
	fake.sector_log2 = 12;
	check(nvme_reset(&controller) == 0);
	fresh();
	fake.metadata = 8;
	check(nvme_reset(&controller) == 0);
	fresh();
	fake.largest = 4; // 64 KiB
	check(nvme_reset(&controller) == 0);
	fake.largest = 0; // no limit
	check(nvme_reset(&controller) == DISK_SECTORS);
	fresh();
	fake.no_queues = true;
	check(nvme_reset(&controller) == 0);
	fresh();
	fake.status = 2;
	check(nvme_reset(&controller) == 0);
	check(nvme_interrupt(&controller) == BLOCK_IDLE);
}

static void errors(void) {
	start();
	fake.status = 0x281; // unrecovered read error
	check(run(BLOCK_READ, 0, 1) == BLOCK_FAILED);
	fake.status = 0;
	check(run(BLOCK_READ, 0, 1) == BLOCK_DONE);
}

static void damaged_answers(void) {
	start();
	fake.id_off = 1;
	check(run(BLOCK_READ, 0, 1) == BLOCK_STUCK);
	start();
	fake.queue_off = 5;
	check(run(BLOCK_READ, 0, 1) == BLOCK_STUCK);
	start();
	for (unsigned i = 0; i < 3; i++) // without a command
		answer(1, 77, 0);
	check(nvme_interrupt(&controller) == BLOCK_IDLE && !fake.line);
	start();
	fake.hangs = true;
	check(run(BLOCK_READ, 0, 1) == BLOCK_UNDER_WAY);
	check(nvme_interrupt(&controller) == BLOCK_UNDER_WAY); // a neighbour's interrupt
	fake.registers[NVME_CSTS / 4] |= CSTS_CFS;
	check(nvme_interrupt(&controller) == BLOCK_STUCK);
	check(nvme_interrupt(&controller) == BLOCK_IDLE);
	fake.hangs = false;
	check(nvme_reset(&controller) == DISK_SECTORS && run(BLOCK_READ, 0, 1) == BLOCK_DONE);
}

// A driver that was restarted takes the answer to its predecessor's command, on each turn of the
// queue.
static void left_over(void) {
	const struct block_job job = {
		.kind = BLOCK_READ, .count = 1, .data = data, .data_paddr = DATA_PADDR};

	for (unsigned before = 0; before < 2 * NVME_ENTRIES; before++) {
		start();
		for (unsigned i = 0; i < before; i++)
			check(run(BLOCK_READ, 0, 1) == BLOCK_DONE);
		check(nvme_start(&controller, &job) == BLOCK_UNDER_WAY && fake.line);
		controller = (struct nvme_controller){
			.memory = dma, .paddr = DMA_PADDR, .registers_size = REGISTERS};
		check(nvme_reset(&controller) == DISK_SECTORS && !fake.was_left);
		check(run(BLOCK_READ, 0, 1) == BLOCK_DONE);
		check(nvme_reset(&controller) == DISK_SECTORS); // with nothing left
	}
	// What cannot be is not followed.
	memset(dma + DMA_LEFT, 0xff, sizeof(struct nvme_left));
	check(nvme_reset(&controller) == DISK_SECTORS);
}

static void unknown_places(void) {
	const struct block_job job = {.kind = BLOCK_READ, .count = 1, .data = data};

	start();
	check(nvme_start(&controller, &job) == BLOCK_FAILED && fake.seen == 0);
}

static const struct test rows[] = {
	{"user/nvme/moves", "sectors move by DMA, of any number of pages; the line is quiet after",
		moves},
	{"user/nvme/starts", "a controller that is not as it must be is no disk", refused_starts},
	{"user/nvme/errors", "an error ends the request; the next one is carried out", errors},
	{"user/nvme/damaged", "answers to no command stop the controller until its reset",
		damaged_answers},
	{"user/nvme/left", "the answer to a predecessor's command is taken before the reset",
		left_over},
	{"user/nvme/no-place", "no command is sent with an address that is unknown",
		unknown_places},
};

const struct tests nvme_tests = {rows, array_count(rows)};
