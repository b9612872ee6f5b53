// SPDX-License-Identifier: BSD-2-Clause
// A port's memory and commands (AHCI 1.3.1, sections 3.3, 4.2 and 10.3).
#include <drivers/ahci/port.h>

#include <stddef.h>

#include <base/memory.h>

#include <drivers/ahci/registers.h>
#include <lib/block/device.h>

enum {
	// Polls of a register, each followed by a pause: about five microseconds.
	STOP_LOOKS = 200000, // the specification allows half a second
	READY_LOOKS = 500000,
	SLOT = 1, // bit of slot 0
};

uint32_t ahci_port_read(const struct ahci_port *port, unsigned index) {
	return ahci_read(AHCI_PORTS + port->number * AHCI_PORT_SIZE + index);
}

void ahci_port_write(const struct ahci_port *port, unsigned index, uint32_t value) {
	ahci_write(AHCI_PORTS + port->number * AHCI_PORT_SIZE + index, value);
}

static bool wait_clear(
	const struct ahci_port *port, unsigned index, uint32_t bits, unsigned looks) {
	for (unsigned i = 0; i < looks; i++) {
		if (!(ahci_port_read(port, index) & bits)) return true;
		device_pause();
	}
	return false;
}

bool ahci_port_stop(const struct ahci_port *port) {
	uint32_t command = ahci_port_read(port, PORT_CMD) & ~(uint32_t)CMD_ST;

	ahci_port_write(port, PORT_CMD, command);
	if (!wait_clear(port, PORT_CMD, CMD_CR, STOP_LOOKS)) return false;
	ahci_port_write(port, PORT_CMD, command & ~(uint32_t)CMD_FRE);
	return wait_clear(port, PORT_CMD, CMD_FR, STOP_LOOKS);
}

bool ahci_port_start(const struct ahci_port *port) {
	uint64_t list = port->paddr + DMA_COMMAND_LIST;
	uint64_t received = port->paddr + DMA_RECEIVED_FIS;
	uint32_t command = ahci_port_read(port, PORT_CMD) | CMD_SUD | CMD_POD | CMD_FRE;

	memset(port->memory, 0, DMA_BYTES);
	ahci_port_write(port, PORT_CLB, (uint32_t)list);
	ahci_port_write(port, PORT_CLBU, (uint32_t)(list >> 32));
	ahci_port_write(port, PORT_FB, (uint32_t)received);
	ahci_port_write(port, PORT_FBU, (uint32_t)(received >> 32));
	ahci_port_write(port, PORT_SERR, ~0u);
	ahci_port_write(port, PORT_IS, ~0u);
	ahci_port_write(port, PORT_CMD, command);
	if (!wait_clear(port, PORT_TFD, TFD_BSY | TFD_DRQ, READY_LOOKS)) return false;
	ahci_port_write(port, PORT_CMD, command | CMD_ST);
	return true;
}

static void fill_fis(struct ahci_command_fis *fis, const struct ahci_command *command) {
	*fis = (struct ahci_command_fis){
		.type = FIS_HOST_TO_DEVICE,
		.flags = FIS_IS_COMMAND,
		.command = command->code,
		.device = FIS_DEVICE_LBA,
		.count = (uint16_t)command->count,
	};
	for (unsigned i = 0; i < 3; i++) {
		fis->lba_low[i] = (uint8_t)(command->sector >> 8 * i);
		fis->lba_high[i] = (uint8_t)(command->sector >> (8 * i + 24));
	}
}

void ahci_port_issue(const struct ahci_port *port, const struct ahci_command *command) {
	struct ahci_command_header *header = (void *)(port->memory + DMA_COMMAND_LIST);
	struct ahci_command_table *table = (void *)(port->memory + DMA_COMMAND_TABLE);
	uint64_t place = port->paddr + DMA_COMMAND_TABLE;

	*header = (struct ahci_command_header){
		.flags = sizeof(table->fis) / 4 | (command->is_write ? HEADER_WRITE : 0),
		.prdt_length = command->bytes > 0,
		.table_low = (uint32_t)place,
		.table_high = (uint32_t)(place >> 32),
	};
	memset(table, 0, sizeof(*table));
	fill_fis(&table->fis, command);
	table->data_low = (uint32_t)command->paddr;
	table->data_high = (uint32_t)(command->paddr >> 32);
	table->data_bytes = command->bytes - 1;
	// Everything is in memory before the controller is started.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ahci_port_write(port, PORT_CI, SLOT);
}

bool ahci_port_wait(const struct ahci_port *port) {
	for (unsigned i = 0; i < READY_LOOKS; i++) {
		if (ahci_port_read(port, PORT_IS) & IS_ERRORS) return false;
		if (!(ahci_port_read(port, PORT_CI) & SLOT))
			return !(ahci_port_read(port, PORT_TFD) & (TFD_ERR | TFD_DF));
		device_pause();
	}
	return false;
}
