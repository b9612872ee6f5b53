// SPDX-License-Identifier: BSD-2-Clause
// The AHCI driver against a fake controller that carries out the commands in the driver's memory.
#include "test.h"

#include <drivers/ahci/controller.h>
#include <drivers/ahci/registers.h>

#include <stdlib.h>
#include <string.h>

enum {
	DISK_PORT = 3,
	SECTORS = 64,
	WORDS = AHCI_PORT_SIZE / 4,
};

#define DMA_PADDR 0x123450000ul
#define DATA_PADDR 0x200000000ul

static struct {
	bool no_disk;
	bool never_stops;
	bool fails; // the next command ends with a task file error
	bool hangs; // commands are never carried out
	bool narrow; // 32-bit addresses only
	uint32_t ghc;
	uint32_t is;
	uint32_t ports[AHCI_PORT_COUNT][WORDS];
	uint8_t medium[SECTORS][512];
	struct ahci_command_fis fis; // of the last command
	uint64_t sector;
} fake;

static uint8_t *dma; // of the exact size
static uint8_t data[16 * 512];
static struct ahci_controller controller;

static uint32_t *port_register(unsigned index) { return &fake.ports[DISK_PORT][index / 4]; }

static uint64_t pair(unsigned low) {
	return *port_register(low) | (uint64_t)*port_register(low + 4) << 32;
}

// Where an address of the controller is in the test's memory.
static uint8_t *memory_at(uint64_t paddr, uint32_t bytes) {
	if (paddr >= DMA_PADDR && paddr + bytes <= DMA_PADDR + DMA_BYTES)
		return dma + (paddr - DMA_PADDR);
	check(paddr >= DATA_PADDR && paddr + bytes <= DATA_PADDR + sizeof(data));
	return data + (paddr - DATA_PADDR);
}

static void end_command(uint32_t cause, uint32_t task_file) {
	*port_register(PORT_CI) = 0;
	*port_register(PORT_IS) |= cause;
	*port_register(PORT_TFD) = task_file;
	if (*port_register(PORT_IE) & cause && fake.ghc & GHC_IE) fake.is |= 1u << DISK_PORT;
}

static void transfer(const struct ahci_command_table *table, bool is_write) {
	uint64_t place = table->data_low | (uint64_t)table->data_high << 32;
	uint32_t bytes = table->data_bytes + 1;
	uint64_t sector = 0;
	uint8_t *memory = memory_at(place, bytes);

	for (unsigned i = 0; i < 3; i++)
		sector |= (uint64_t)table->fis.lba_low[i] << 8 * i |
			(uint64_t)table->fis.lba_high[i] << (8 * i + 24);
	fake.sector = sector;
	check(bytes == table->fis.count * 512u);
	for (unsigned i = 0; i < table->fis.count; i++) {
		uint8_t *kept = fake.medium[(sector + i) % SECTORS];

		memcpy(is_write ? kept : memory + i * 512, is_write ? memory + i * 512 : kept, 512);
	}
}

static void identify(const struct ahci_command_table *table) {
	uint16_t words[256] = {[49] = 1 << 9, [83] = 0x4400, [100] = 0x5678, [101] = 0x1234};

	check(table->data_bytes + 1 == sizeof(words));
	memcpy(memory_at(table->data_low | (uint64_t)table->data_high << 32, 512), words, 512);
}

static void carry_out(void) {
	const struct ahci_command_header *header = (void *)memory_at(
		pair(PORT_CLB), sizeof(struct ahci_command_header));
	const struct ahci_command_table *table = (void *)memory_at(
		header->table_low | (uint64_t)header->table_high << 32,
		sizeof(struct ahci_command_table));
	bool is_write = header->flags & HEADER_WRITE;

	fake.fis = table->fis;
	check((header->flags & 0x1f) == 5 && (*port_register(PORT_CMD) & CMD_ST));
	check(table->fis.type == FIS_HOST_TO_DEVICE && table->fis.flags == FIS_IS_COMMAND);
	if (fake.hangs) return;
	if (fake.fails) {
		end_command(IS_TFES, TFD_ERR | 0x40);
		return;
	}
	check(header->prdt_length == (table->fis.command != 0xea));
	check(is_write == (table->fis.command == 0x35));
	switch (table->fis.command) {
	case 0xec: identify(table); break;
	case 0x25:
	case 0x35: transfer(table, is_write); break;
	default: check(table->fis.command == 0xea);
	}
	end_command(IS_DHRS, 0x40);
}

static void write_command(uint32_t *command, uint32_t value) {
	*command = value & ~(uint32_t)(CMD_CR | CMD_FR);
	if (value & CMD_ST || fake.never_stops) *command |= CMD_CR;
	if (value & CMD_FRE) *command |= CMD_FR;
}

static void write_port(unsigned number, unsigned index, uint32_t value) {
	uint32_t *word = &fake.ports[number][index / 4];

	switch (index) {
	case PORT_IS:
	case PORT_SERR: *word &= ~value; break;
	case PORT_CMD: write_command(word, value); break;
	case PORT_CI:
		check(number == DISK_PORT && value == 1);
		*word |= value;
		carry_out();
		break;
	default: *word = value;
	}
}

uint32_t ahci_read(unsigned offset) {
	switch (offset) {
	case AHCI_CAP: return fake.narrow ? 0 : CAP_S64A;
	case AHCI_GHC: return fake.ghc;
	case AHCI_IS: return fake.is;
	case AHCI_PI: return 0xf;
	default: break;
	}
	offset -= AHCI_PORTS;
	check(offset / AHCI_PORT_SIZE < 4); // implemented ports only
	return fake.ports[offset / AHCI_PORT_SIZE][offset % AHCI_PORT_SIZE / 4];
}

void ahci_write(unsigned offset, uint32_t value) {
	if (offset == AHCI_GHC)
		fake.ghc = value & ~(uint32_t)GHC_HR;
	else if (offset == AHCI_IS)
		fake.is &= ~value;
	else
		write_port((offset - AHCI_PORTS) / AHCI_PORT_SIZE,
			(offset - AHCI_PORTS) % AHCI_PORT_SIZE, value);
}

static void fresh(void) {
	memset(&fake, 0, sizeof(fake));
	// A CD at port 1, the disk at port 3, nothing at the others.
	fake.ports[1][PORT_SSTS / 4] = 0x113;
	fake.ports[1][PORT_SIG / 4] = 0xeb140101;
	*port_register(PORT_SSTS) = 0x113;
	*port_register(PORT_SIG) = SIG_DISK;
	free(dma);
	dma = aligned_alloc(4096, DMA_BYTES);
	controller = (struct ahci_controller){.port = {.memory = dma, .paddr = DMA_PADDR}};
}

static void start(void) {
	fresh();
	check(ahci_controller_reset(&controller) == 0x12345678);
	check(controller.port.number == DISK_PORT);
}

static enum block_progress run(enum block_kind kind, uint64_t sector, uint32_t count) {
	const struct block_job job = {.kind = kind,
		.sector = sector,
		.count = count,
		.data = data,
		.data_paddr = count ? DATA_PADDR : 0};
	enum block_progress progress = ahci_controller_start(&controller, &job);

	if (progress != BLOCK_UNDER_WAY || fake.is == 0) return progress;
	progress = ahci_controller_interrupt(&controller);
	check(fake.is == 0 && *port_register(PORT_IS) == 0); // the line is quiet
	return progress;
}

static void moves(void) {
	start();
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 512);
	check(run(BLOCK_WRITE, 0x123456789a, 16) == BLOCK_DONE);
	check(fake.sector == 0x123456789a);
	memset(data, 0, sizeof(data));
	check(run(BLOCK_READ, 0x123456789a, 16) == BLOCK_DONE && fake.sector == 0x123456789a);
	for (unsigned i = 0; i < sizeof(data); i++)
		if (data[i] != (uint8_t)(i * 7 + i / 512)) {
			check(false);
			return;
		}
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_DONE && fake.fis.command == 0xea);
}

static void no_disk(void) {
	fresh();
	*port_register(PORT_SSTS) = 0;
	check(ahci_controller_reset(&controller) == 0);
	check(ahci_controller_interrupt(&controller) == BLOCK_IDLE);
	fresh();
	fake.hangs = true;
	check(ahci_controller_reset(&controller) == 0);
	fresh();
	fake.narrow = true; // and the shared page lies above 4 GiB
	check(ahci_controller_reset(&controller) == 0);
}

static void errors(void) {
	start();
	fake.fails = true;
	check(run(BLOCK_READ, 0, 1) == BLOCK_FAILED);
	fake.fails = false;
	check(run(BLOCK_READ, 0, 1) == BLOCK_DONE); // the port was started again
	fake.fails = true;
	fake.never_stops = true;
	check(run(BLOCK_READ, 0, 1) == BLOCK_STUCK);
}

static void silence(void) {
	start();
	check(ahci_controller_interrupt(&controller) == BLOCK_IDLE);
	fake.hangs = true;
	check(run(BLOCK_READ, 0, 1) == BLOCK_UNDER_WAY);
	check(ahci_controller_interrupt(&controller) == BLOCK_UNDER_WAY); // a neighbour's interrupt
	fake.hangs = false;
	*port_register(PORT_CI) = 0;
	check(ahci_controller_reset(&controller) == 0x12345678);
	check(run(BLOCK_READ, 0, 1) == BLOCK_DONE);
}

// A device must never be given an address that was not checked.
static void unknown_places(void) {
	struct block_job job = {.kind = BLOCK_READ, .count = 1, .data = data};

	start();
	check(ahci_controller_start(&controller, &job) == BLOCK_FAILED);
	controller.wide = false;
	job.data_paddr = 0xfffffe00;
	check(ahci_controller_start(&controller, &job) == BLOCK_FAILED);
	job.data_paddr = 0x200000000;
	check(ahci_controller_start(&controller, &job) == BLOCK_FAILED);
	check(!controller.active && *port_register(PORT_CI) == 0);
}

static const struct test rows[] = {
	{"user/ahci/moves", "sectors move by DMA, and the interrupt line is quiet after", moves},
	{"user/ahci/absent", "a CD, a disk that does not answer and none at all are no disk",
		no_disk},
	{"user/ahci/errors", "an error ends the request, and the port starts again", errors},
	{"user/ahci/silence", "interrupts of others are ignored; a reset gets a stuck disk back",
		silence},
	{"user/ahci/places", "no command is given an address that is unknown or out of reach",
		unknown_places},
};

const struct tests ahci_tests = {rows, array_count(rows)};
