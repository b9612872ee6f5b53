// SPDX-License-Identifier: BSD-2-Clause
// Which client may use which device.
#include <lib/pci/grants.h>

enum {
	CHANNELS = 62,
	VECTORS = 108,
	BUS_LIMIT = 256,
	DEVICE_LIMIT = 32,
	FUNCTION_LIMIT = 8,
	CLASS_DIGITS = 4,
	GRANT_WORDS = 2, // the keyword and the channel; the rest are conditions and requests
};

static bool number_below(struct word word, unsigned base, uint64_t limit, uint64_t *value) {
	return word_number(word, base, value) && *value < limit;
}

static bool read_id(struct word word, struct pci_grant *grant) {
	struct word left;
	struct word right;
	uint64_t vendor;
	uint64_t device;

	if (!word_split(word, ':', &left, &right) || !number_below(left, 16, 1 << 16, &vendor) ||
		!number_below(right, 16, 1 << 16, &device))
		return false;
	grant->vendor = (uint32_t)vendor;
	grant->device = (uint32_t)device;
	return true;
}

static bool read_class(struct word word, struct pci_grant *grant) {
	uint64_t class;

	if (word.length != CLASS_DIGITS || !number_below(word, 16, 1 << 16, &class)) return false;
	grant->class = (uint32_t) class;
	return true;
}

static bool read_at(struct word word, struct pci_grant *grant) {
	struct word part;
	uint64_t bus;
	uint64_t device;
	uint64_t function;

	if (!word_split(word, ':', &part, &word) || !number_below(part, 16, BUS_LIMIT, &bus) ||
		!word_split(word, '.', &part, &word) ||
		!number_below(part, 16, DEVICE_LIMIT, &device) ||
		!number_below(word, 16, FUNCTION_LIMIT, &function))
		return false;
	grant->function = (uint32_t)(bus << 8 | device << 3 | function);
	return true;
}

static bool read_msi(struct word word, struct pci_grant *grant) {
	uint64_t vector;

	if (!number_below(word, 10, VECTORS, &vector)) return false;
	grant->msi = (int)vector;
	return true;
}

static bool read_messages(struct word word, struct pci_grant *grant) {
	uint64_t count;

	if (!number_below(word, 10, VECTORS, &count)) return false;
	grant->messages = (unsigned)count;
	return true;
}

static bool read_place(struct word word, struct pci_grant *grant) {
	struct word number;
	struct word address;
	uint64_t bar;

	return word_split(word, '=', &number, &address) &&
		number_below(number, 10, PCI_BARS, &bar) &&
		word_number(address, 16, &grant->places[bar]) && grant->places[bar] != 0;
}

static const struct {
	const char *prefix;
	bool (*read)(struct word word, struct pci_grant *grant);
} parts[] = {
	{"id=", read_id},
	{"class=", read_class},
	{"at=", read_at},
	{"msi=", read_msi},
	{"messages=", read_messages},
	{"bar", read_place},
};

static bool read_part(struct word word, struct pci_grant *grant) {
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct word rest;

		if (word_has_prefix(word, parts[i].prefix, &rest))
			return parts[i].read(rest, grant);
	}
	return false;
}

static bool has_condition(const struct pci_grant *grant) {
	return grant->vendor != PCI_ANY || grant->class != PCI_ANY || grant->function != PCI_ANY;
}

static bool read_grant(const struct setting *setting, struct pci_grant *grant) {
	uint64_t channel;

	*grant = (struct pci_grant){.line = setting->line,
		.vendor = PCI_ANY,
		.device = PCI_ANY,
		.class = PCI_ANY,
		.function = PCI_ANY,
		.msi = PCI_NO_MSI,
		.messages = 1,
		.index = PCI_NO_DEVICE};
	if (setting->count < GRANT_WORDS || !word_is(setting->words[0], "grant") ||
		!number_below(setting->words[1], 10, CHANNELS, &channel))
		return false;
	grant->channel = (unsigned)channel;
	for (unsigned i = GRANT_WORDS; i < setting->count; i++) {
		if (!read_part(setting->words[i], grant)) return false;
	}
	return has_condition(grant);
}

unsigned pci_grants_read(struct pci_grants *grants, struct settings *settings) {
	struct setting setting;

	grants->count = 0;
	while (settings_next(settings, &setting)) {
		if (grants->count == PCI_GRANTS ||
			!read_grant(&setting, &grants->rows[grants->count]))
			return setting.line;
		grants->count++;
	}
	return 0;
}

static bool fits(const struct pci_grant *grant, const struct pci_device *device) {
	// A bridge would give its owner the devices behind it.
	return device->header == PCI_HEADER_DEVICE &&
		(grant->vendor == PCI_ANY || grant->vendor == device->vendor) &&
		(grant->device == PCI_ANY || grant->device == device->device) &&
		(grant->class == PCI_ANY || grant->class == device->class >> 8) &&
		(grant->function == PCI_ANY || grant->function == device->function);
}

void pci_grants_assign(struct pci_grants *grants, const struct pci_devices *devices) {
	bool taken[PCI_DEVICES] = {0};

	for (unsigned i = 0; i < grants->count; i++) {
		struct pci_grant *grant = &grants->rows[i];

		grant->index = PCI_NO_DEVICE;
		for (unsigned j = 0; j < devices->count; j++) {
			if (taken[j] || !fits(grant, &devices->rows[j])) continue;
			taken[j] = true;
			grant->index = (int)j;
			break;
		}
	}
}

const struct pci_grant *pci_grant_of(
	const struct pci_grants *grants, unsigned channel, uint64_t number) {
	for (unsigned i = 0; i < grants->count; i++) {
		if (grants->rows[i].channel != channel) continue;
		if (number == 0) return &grants->rows[i];
		number--;
	}
	return 0;
}
