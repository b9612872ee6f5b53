// SPDX-License-Identifier: BSD-2-Clause
// A function of the machine that the guest drives.
#include <vmm/pci/passed.h>

#include <vmm/host/host.h>

#include <nacre/registers.h>

enum { ENTRY_CONTROL = 12 }; // in an entry of a table

static uint32_t read_word(const struct passed *passed, unsigned offset) {
	uint64_t words[HOST_PCI_WORDS] = {passed->number, offset, 4};

	return host_pci(PCI_READ, words) ? (uint32_t)words[0] : UINT32_MAX;
}

static bool request(const struct passed *passed, enum pci_request request, uint64_t word) {
	uint64_t words[HOST_PCI_WORDS] = {passed->number, word};

	return host_pci(request, words);
}

// The device's own table has messages of the host's, which only the monitor writes.
static bool in_table(const struct passed *passed, uint64_t place, enum bus_width width) {
	return place + width > passed->table && place < passed->table + passed->table_size;
}

static uint64_t bar_read(void *device, unsigned bar, uint64_t offset, enum bus_width width) {
	const struct passed *passed = device;
	uint64_t place = passed->bars[bar] + offset;

	return in_table(passed, place, width) ? 0 : register_load(place, width);
}

static void bar_write(
	void *device, unsigned bar, uint64_t offset, enum bus_width width, uint64_t value) {
	const struct passed *passed = device;
	uint64_t place = passed->bars[bar] + offset;

	if (!in_table(passed, place, width)) register_store(place, width, value);
}

static void register_written(void *device, unsigned offset) {
	const struct passed *passed = device;
	bool master = pci_is_master(&passed->function);

	if (offset == PCI_REGISTER_COMMAND)
		(void)request(passed, PCI_ENABLE,
			PCI_ENABLE_MEMORY | (master ? PCI_ENABLE_BUS_MASTER : 0));
}

static void describe_bars(struct passed *passed) {
	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint64_t words[HOST_PCI_WORDS] = {passed->number, i};

		if (!host_pci(PCI_PASSED_BAR, words)) continue;
		passed->bars[i] = passed->window + words[0];
		pci_describe_bar(&passed->function, i, (uint8_t)words[2], words[1]);
		passed->function.places[i] = (uint32_t)passed->bars[i];
	}
}

static void describe_messages(struct passed *passed) {
	uint64_t words[HOST_PCI_WORDS] = {passed->number};
	unsigned bar;

	if (!host_pci(PCI_MESSAGES, words)) return;
	bar = words[2] % 8;
	if (bar >= PCI_BARS) return;
	passed->messages = (unsigned)(words[1] != 0 && words[1] < words[0] ? words[1] : words[0]);
	passed->table = passed->bars[bar] + words[2] - bar;
	passed->table_size = words[1] * PCI_MSIX_ENTRY;
	if (words[1] == 0)
		pci_describe_msi(&passed->function);
	else
		pci_describe_msix(
			&passed->function, bar, (uint32_t)words[2] - bar, passed->messages);
}

// Capabilities that only name places in BARs.
static void describe_structures(struct passed *passed) {
	for (unsigned i = 0;; i++) {
		uint64_t found[HOST_PCI_WORDS] = {passed->number, i};
		uint32_t words[PCI_WORDS];

		if (!host_pci(PCI_PASSED_STRUCTURE, found) ||
			passed->function.end + found[1] >= PCI_SPACE)
			return;
		for (unsigned j = 0; j < found[1]; j += 4)
			words[j / 4] = read_word(passed, (unsigned)found[0] + j);
		(void)pci_describe_capability(
			&passed->function, PCI_CAPABILITY_VENDOR, words, (unsigned)found[1]);
	}
}

bool passed_init(struct passed *passed, unsigned number) {
	static const struct pci_ops ops = {
		.read = bar_read, .write = bar_write, .register_written = register_written};
	static const unsigned shown[] = {
		PCI_REGISTER_VENDOR, PCI_REGISTER_CLASS, PCI_REGISTER_SUBSYSTEM};

	passed->number = number;
	pci_describe(&passed->function, &(struct pci_identity){0}, &ops, passed);
	for (unsigned i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		passed->function.words[shown[i] / 4] = read_word(passed, shown[i]);
	describe_bars(passed);
	describe_messages(passed);
	describe_structures(passed);
	return passed->function.words[0] != UINT32_MAX;
}

uint64_t passed_stop(struct passed *passed) {
	uint64_t words[HOST_PCI_WORDS] = {passed->number, PCI_RESET_BEGIN};

	if (passed->stopped) return 0;
	passed->stopped = true;
	return host_pci(PCI_RESET, words) ? words[0] : 0;
}

void passed_start(struct passed *passed) {
	unsigned channel = HOST_CHANNEL_MESSAGE + passed->number * HOST_MESSAGES;
	uint64_t entry = passed->table;

	passed->stopped = false;
	(void)request(passed, PCI_RESET, PCI_RESET_END);
	(void)request(passed, PCI_ENABLE, PCI_ENABLE_MEMORY);
	for (unsigned i = 0; i * PCI_MSIX_ENTRY < passed->table_size; i++, entry += PCI_MSIX_ENTRY)
		if (i < passed->messages)
			host_message_write(entry, channel + i);
		else
			register_store(entry + ENTRY_CONTROL, 4, PCI_MSIX_MASKED);
	if (passed->table_size > 0)
		(void)request(passed, PCI_SET_MSIX, true);
	else if (passed->messages > 0)
		host_message_set(passed->number, channel);
}
