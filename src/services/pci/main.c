// SPDX-License-Identifier: BSD-2-Clause
// The PCI component: finds the devices of the machine at its start and grants them to clients
// according to its settings. It alone writes the registers that place a device.
#include <microkit.h>

#include <lib/pci/grants.h>
#include <lib/pci/passed.h>
#include <lib/pci/reset.h>
#include <services/pci/config.h>
#include <services/pci/place.h>
#include <lib/pci/registers.h>
#include <nacre/protocol/pci.h>
#include <nacre/print.h>

enum {
	ENABLE_ALL = PCI_ENABLE_PORTS | PCI_ENABLE_MEMORY | PCI_ENABLE_BUS_MASTER,
	REQUEST_WORDS = 4,
};

_Static_assert(ENABLE_ALL == (PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER));

// Patched by the composer; ecam and memory map may stay 0.
uint64_t settings_vaddr __attribute__((section(".data")));
uint64_t settings_size __attribute__((section(".data")));
uint64_t ecam_vaddr __attribute__((section(".data")));
uint64_t ecam_size __attribute__((section(".data")));
uint64_t memory_map_vaddr __attribute__((section(".data")));

// Written by init only, except for addresses that it moves.
static struct pci_config config;
static struct pci_devices devices;
static struct pci_grants grants;

// Of the device of each grant, written by its requests for a reset.
static struct pci_kept kept[PCI_GRANTS];
static bool in_reset[PCI_GRANTS];

// A device in the usual notation.
static void print_device(const struct pci_device *device) {
	print("pci: " PCI_FORMAT " %04x:%04x class %06x", PCI_WORDS(device->function),
		device->vendor, device->device, device->class);
}

static void print_devices(void) {
	for (unsigned i = 0; i < devices.count; i++) {
		print_device(&devices.rows[i]);
		for (unsigned j = 0; j < grants.count; j++) {
			if (grants.rows[j].index == (int)i)
				print(", for channel %u", grants.rows[j].channel);
		}
		print("\n");
	}
	if (devices.missed > 0) print("pci: %u more, which cannot be granted\n", devices.missed);
}

static enum pci_place_status place(const struct pci_grant *grant, unsigned bar) {
	struct pci_memory_map map = {memory_map_vaddr};
	struct pci_device *device = &devices.rows[grant->index];
	uint64_t address = grant->places[bar];
	enum pci_place_status status = pci_place_check(
		&config, &devices, (unsigned)grant->index, bar, address);

	if (status != PCI_PLACE_OK || device->bases[bar].address == address) return status;
	if (!pci_memory_map_leaves(&map, address, device->bases[bar].size))
		return PCI_PLACE_RESERVED;
	pci_base_move(&config, device, bar, address);
	return PCI_PLACE_OK;
}

// A BAR that cannot be moved keeps its address; its driver compares the addresses.
static void place_all(void) {
	for (unsigned i = 0; i < grants.count; i++) {
		const struct pci_grant *grant = &grants.rows[i];

		for (unsigned bar = 0; grant->index != PCI_NO_DEVICE && bar < PCI_BARS; bar++) {
			enum pci_place_status status;

			if (grant->places[bar] == 0) continue;
			status = place(grant, bar);
			if (status != PCI_PLACE_OK)
				print("pci: settings, line %u: BAR %u cannot be at 0x%lx: %s\n",
					grant->line, bar, grant->places[bar],
					pci_place_texts[status]);
		}
	}
}

void init(void) {
	struct settings settings = settings_of(settings_vaddr, settings_size);
	unsigned wrong = pci_grants_read(&grants, &settings);

	if (wrong > 0)
		print("pci: settings, line %u is not `grant CHANNEL id=|class=|at=...`; it and "
		      "those after it give nothing\n",
			wrong);
	config = ecam_vaddr ? pci_config_memory(ecam_vaddr, ecam_size) : pci_config_ports;
	pci_scan(&config, &devices);
	pci_grants_assign(&grants, &devices);
	place_all();
	print_devices();
}

void notified(microkit_channel channel) { (void)channel; }

// A request: its words, then replaced by those of the answer.
struct request {
	struct pci_device *device;
	const struct pci_grant *grant;
	seL4_Word words[REQUEST_WORDS];
	seL4_Uint16 answer_words;
};

static enum pci_status answer_device(struct request *request) {
	const struct pci_device *device = request->device;

	request->words[0] = device->function;
	request->words[1] = (seL4_Word)device->device << 16 | device->vendor;
	request->words[2] = device->class;
	request->words[3] = (seL4_Word)device->interrupt_pin << 8 | device->interrupt_line;
	request->answer_words = 4;
	return PCI_OK;
}

static enum pci_status answer_bar(struct request *request) {
	const struct pci_base *base;

	if (request->words[1] >= PCI_BARS) return PCI_BAD_REQUEST;
	base = &request->device->bases[request->words[1]];
	if (base->size == 0) return PCI_UNSUPPORTED;
	request->words[0] = base->address;
	request->words[1] = base->size;
	request->words[2] = base->flags;
	request->answer_words = 3;
	return PCI_OK;
}

static enum pci_status enable(struct request *request) {
	uint16_t function = request->device->function;
	uint32_t command = pci_read16(&config, function, PCI_REGISTER_COMMAND);

	if (request->words[1] & ~(seL4_Word)ENABLE_ALL) return PCI_BAD_REQUEST;
	command = (command & ~(uint32_t)ENABLE_ALL) | (uint32_t)request->words[1];
	config.write(function, PCI_REGISTER_COMMAND, 2, command);
	return PCI_OK;
}

static enum pci_status read_register(struct request *request) {
	if (!pci_may_read(&config, request->words[1], request->words[2])) return PCI_BAD_REQUEST;
	request->words[0] = config.read(request->device->function, (unsigned)request->words[1],
		(unsigned)request->words[2]);
	request->answer_words = 1;
	return PCI_OK;
}

static enum pci_status write_register(struct request *request) {
	uint16_t function = request->device->function;

	if (!pci_may_read(&config, request->words[1], request->words[2])) return PCI_BAD_REQUEST;
	if (!pci_may_write(&config, function, request->words[1], request->words[2]))
		return PCI_REFUSED;
	config.write(function, (unsigned)request->words[1], (unsigned)request->words[2],
		(uint32_t)request->words[3]);
	return PCI_OK;
}

static enum pci_status set_msi(struct request *request) {
	if (request->grant->msi == PCI_NO_MSI) return PCI_REFUSED;
	if (!pci_is_message(request->words[1])) return PCI_BAD_REQUEST;
	return pci_msi_set(&config, request->device->function, (unsigned)request->grant->msi,
		       (uint32_t)request->words[1])
		? PCI_OK
		: PCI_UNSUPPORTED;
}

static enum pci_status answer_passed_bar(struct request *request) {
	struct pci_passed passed;
	seL4_Word bar = request->words[1];

	if (bar >= PCI_BARS) return PCI_BAD_REQUEST;
	(void)pci_pass(&config, request->device, &passed);
	if (passed.bars[bar].size == 0) return PCI_UNSUPPORTED;
	request->words[0] = passed.bars[bar].offset;
	request->words[1] = passed.bars[bar].size;
	request->words[2] = pci_passed_flags(&request->device->bases[bar]);
	request->answer_words = 3;
	return PCI_OK;
}

static enum pci_status answer_messages(struct request *request) {
	uint16_t function = request->device->function;
	struct pci_passed passed;

	if (request->grant->msi == PCI_NO_MSI) return PCI_REFUSED;
	(void)pci_pass(&config, request->device, &passed);
	if (passed.table.count == 0 && pci_capability(&config, function, PCI_CAPABILITY_MSI) == 0)
		return PCI_UNSUPPORTED;
	request->words[0] = passed.table.count == 0 ? 1 : request->grant->messages;
	request->words[1] = passed.table.count;
	request->words[2] = passed.table.offset | passed.table.bar;
	request->answer_words = 3;
	return PCI_OK;
}

static enum pci_status answer_structure(struct request *request) {
	unsigned size;
	unsigned place = pci_passed_structure(&config, request->device, request->words[1], &size);

	request->words[0] = place;
	request->words[1] = size;
	request->answer_words = 2;
	return place == 0 ? PCI_UNSUPPORTED : PCI_OK;
}

static enum pci_status set_msix(struct request *request) {
	return pci_msix_set(&config, request->device->function, request->words[1] != 0)
		? PCI_OK
		: PCI_UNSUPPORTED;
}

static enum pci_status reset(struct request *request) {
	uint16_t function = request->device->function;
	unsigned index = (unsigned)(request->grant - grants.rows);

	if (request->words[1] > PCI_RESET_END) return PCI_BAD_REQUEST;
	if (request->words[1] == PCI_RESET_END) {
		if (in_reset[index]) pci_reset_end(&config, function, &kept[index]);
		in_reset[index] = false;
		pci_line_off(&config, function); // no guest gets it
		return PCI_OK;
	}
	pci_stop(&config, function);
	pci_line_off(&config, function);
	// If a former life of its client has begun one, what it is given back afterwards is what it
	// had before that.
	if (pci_reset(&config, function, in_reset[index] ? NULL : &kept[index]))
		in_reset[index] = true;
	request->words[0] = in_reset[index] ? PCI_RESET_TIME : 0;
	request->answer_words = 1;
	return PCI_OK;
}

static const struct {
	seL4_Word words;
	enum pci_status (*answer)(struct request *request);
} requests[] = {
	[PCI_DEVICE] = {1, answer_device},
	[PCI_BAR] = {2, answer_bar},
	[PCI_ENABLE] = {2, enable},
	[PCI_READ] = {3, read_register},
	[PCI_WRITE] = {4, write_register},
	[PCI_SET_MSI] = {2, set_msi},
	[PCI_PASSED_BAR] = {2, answer_passed_bar},
	[PCI_MESSAGES] = {1, answer_messages},
	[PCI_SET_MSIX] = {2, set_msix},
	[PCI_RESET] = {2, reset},
	[PCI_PASSED_STRUCTURE] = {2, answer_structure},
};

static enum pci_status answer(
	microkit_channel channel, microkit_msginfo message, struct request *request) {
	seL4_Word label = microkit_msginfo_get_label(message);

	if (label >= sizeof(requests) / sizeof(requests[0]) || !requests[label].answer ||
		microkit_msginfo_get_count(message) < requests[label].words)
		return PCI_BAD_REQUEST;
	for (seL4_Uint8 i = 0; i < REQUEST_WORDS; i++)
		request->words[i] = microkit_mr_get(i);
	request->grant = pci_grant_of(&grants, channel, request->words[0]);
	if (!request->grant) return PCI_NO_GRANT;
	if (request->grant->index == PCI_NO_DEVICE) return PCI_ABSENT;
	request->device = &devices.rows[request->grant->index];
	return requests[label].answer(request);
}

microkit_msginfo protected(microkit_channel channel, microkit_msginfo message) {
	struct request request = {0};
	enum pci_status status = answer(channel, message, &request);

	for (seL4_Uint8 i = 0; i < request.answer_words; i++)
		microkit_mr_set(i, request.words[i]);
	return microkit_msginfo_new(status, request.answer_words);
}
