// SPDX-License-Identifier: BSD-2-Clause
// An AHCI controller from reset on (AHCI 1.3.1, sections 6 and 10): find the disk, then one command
// at a time.
#include <drivers/ahci/controller.h>

#include <base/memory.h>

#include <drivers/ahci/registers.h>
#include <drivers/ata/identify.h>

enum {
	// Polls, each followed by a pause: about five microseconds.
	RESET_LOOKS = 300000, // the specification allows a second
	LINK_LOOKS = 20000, // at all ports, until the links are up
	COMMAND_IDENTIFY = 0xec,
	ADDRESS_BITS = 32,
};

static bool reset_controller(void) {
	ahci_write(AHCI_GHC, GHC_AE);
	ahci_write(AHCI_GHC, GHC_AE | GHC_HR);
	for (unsigned i = 0; i < RESET_LOOKS; i++) {
		if (!(ahci_read(AHCI_GHC) & GHC_HR)) {
			ahci_write(AHCI_GHC, GHC_AE);
			return true;
		}
		device_pause();
	}
	return false;
}

static void spin_up(struct ahci_port *port, uint32_t implemented) {
	for (port->number = 0; port->number < AHCI_PORT_COUNT; port->number++) {
		if (!(implemented >> port->number & 1)) continue;
		ahci_port_write(port, PORT_CMD, ahci_port_read(port, PORT_CMD) | CMD_SUD | CMD_POD);
	}
}

static bool has_link(const struct ahci_port *port) {
	return (ahci_port_read(port, PORT_SSTS) & SSTS_DET_MASK) == SSTS_DET_PRESENT;
}

static bool identify(struct ahci_port *port, struct ata_identity *identity) {
	uint16_t words[ATA_IDENTIFY_WORDS];

	if (!ahci_port_stop(port) || !ahci_port_start(port)) return false;
	if (ahci_port_read(port, PORT_SIG) != SIG_DISK) return false;
	ahci_port_issue(port,
		&(struct ahci_command){.code = COMMAND_IDENTIFY,
			.paddr = port->paddr + DMA_IDENTIFY,
			.bytes = sizeof(words)});
	if (!ahci_port_wait(port)) return false;
	memcpy(words, port->memory + DMA_IDENTIFY, sizeof(words));
	*identity = ata_identify(words);
	// The driver uses only commands with 48-bit sector numbers, which all SATA disks support.
	return identity->large && identity->sectors > 0;
}

// Links take a moment after a reset; a port is tried once its link is up.
static bool find_disk(struct ahci_port *port, struct ata_identity *identity) {
	uint32_t left = ahci_read(AHCI_PI);

	spin_up(port, left);
	for (unsigned i = 0; i < LINK_LOOKS && left != 0; i++) {
		for (port->number = 0; port->number < AHCI_PORT_COUNT; port->number++) {
			if (!(left >> port->number & 1) || !has_link(port)) continue;
			if (identify(port, identity)) return true;
			left &= ~(1u << port->number);
		}
		device_pause();
	}
	port->number = 0; // one that exists
	return false;
}

static void enable_interrupts(const struct ahci_port *port) {
	ahci_port_write(port, PORT_IS, ~0u);
	ahci_write(AHCI_IS, ~0u);
	ahci_port_write(port, PORT_IE, IS_DHRS | IS_ERRORS);
	ahci_write(AHCI_GHC, GHC_AE | GHC_IE);
}

uint64_t ahci_controller_reset(struct ahci_controller *controller) {
	struct ata_identity identity = {0};

	controller->active = false;
	if (!reset_controller()) return 0;
	controller->wide = ahci_read(AHCI_CAP) & CAP_S64A;
	if (!controller->wide && controller->port.paddr >> ADDRESS_BITS) return 0;
	if (!find_disk(&controller->port, &identity)) return 0;
	enable_interrupts(&controller->port);
	return identity.sectors;
}

// READ DMA EXT, WRITE DMA EXT, FLUSH CACHE EXT.
static const uint8_t codes[] = {
	[BLOCK_READ] = 0x25,
	[BLOCK_WRITE] = 0x35,
	[BLOCK_FLUSH] = 0xea,
};

enum block_progress ahci_controller_start(
	struct ahci_controller *controller, const struct block_job *job) {
	uint32_t bytes = job->count * BLOCK_SECTOR;

	if (!device_reaches(job)) return BLOCK_FAILED;
	if (!controller->wide && (job->data_paddr + bytes) >> ADDRESS_BITS) return BLOCK_FAILED;
	controller->active = true;
	ahci_port_issue(&controller->port,
		&(struct ahci_command){.code = codes[job->kind],
			.is_write = job->kind == BLOCK_WRITE,
			.sector = job->sector,
			.count = job->count,
			.paddr = job->data_paddr,
			.bytes = bytes});
	return BLOCK_UNDER_WAY;
}

// After an error the port accepts no command until it is stopped and started.
static enum block_progress recover(struct ahci_port *port) {
	if (!ahci_port_stop(port) || !ahci_port_start(port)) return BLOCK_STUCK;
	return BLOCK_FAILED;
}

enum block_progress ahci_controller_interrupt(struct ahci_controller *controller) {
	struct ahci_port *port = &controller->port;
	uint32_t causes = ahci_port_read(port, PORT_IS);

	// The port's causes are cleared before the controller's summary of them, which is
	// level-like.
	ahci_port_write(port, PORT_IS, causes);
	ahci_write(AHCI_IS, ~0u);
	if (!controller->active) return BLOCK_IDLE;
	if (!(causes & IS_ERRORS) && ahci_port_read(port, PORT_CI) != 0) return BLOCK_UNDER_WAY;
	controller->active = false;
	if ((causes & IS_ERRORS) || (ahci_port_read(port, PORT_TFD) & (TFD_ERR | TFD_DF)))
		return recover(port);
	return BLOCK_DONE;
}
