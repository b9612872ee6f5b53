// SPDX-License-Identifier: BSD-2-Clause
// Message-signalled interrupts: MSI with one message (PCI 3.0 6.8.1) and MSI-X (6.8.2). Messages
// that are masked stay pending.
#include <vmm/pci/function.h>

#include <vmm/pci/host.h>

enum {
	CONTROL_SHIFT = 16, // in the first word of a capability
	ENTRY_WORDS = PCI_MSIX_ENTRY / 4,
	ENTRY_ADDRESS = 0,
	ENTRY_HIGH_ADDRESS = 1,
	ENTRY_DATA = 2,
	ENTRY_CONTROL = 3,
	ADDRESS_UNUSED = 3,
	DATA_MASK = 0xffff, // of MSI
};

struct msi_capability {
	uint16_t header, control;
	uint32_t words[PCI_MSI_SIZE / 4 - 1];
};

struct msix_capability {
	uint16_t header, control;
	uint32_t table, pending;
};
_Static_assert(sizeof(struct msi_capability) == PCI_MSI_SIZE);
_Static_assert(sizeof(struct msix_capability) == PCI_MSIX_SIZE);

void pci_describe_msi(struct pci_function *function) {
	struct msi_capability capability = {.control = PCI_MSI_64_BIT | PCI_MSI_MASKS};
	uint32_t *writable;

	function->msi = (uint8_t)pci_describe_capability(
		function, PCI_CAPABILITY_MSI, &capability, sizeof(capability));
	writable = &function->writable[function->msi / 4];
	writable[0] = (uint32_t)PCI_MSI_ENABLE << CONTROL_SHIFT;
	writable[PCI_MSI_ADDRESS / 4] = ~(uint32_t)ADDRESS_UNUSED;
	writable[PCI_MSI_HIGH_ADDRESS / 4] = UINT32_MAX;
	writable[PCI_MSI_DATA / 4] = DATA_MASK;
	writable[PCI_MSI_MASK / 4] = 1;
}

void pci_describe_msix(
	struct pci_function *function, unsigned bar, uint32_t offset, unsigned vectors) {
	struct msix_capability capability = {
		.control = (uint16_t)(vectors - 1),
		.table = offset | bar,
		.pending = (offset + PCI_MSIX_PENDING_OFFSET) | bar,
	};
	struct pci_msix *msix = &function->msix;

	*msix = (struct pci_msix){
		.bar = (uint8_t)bar, .vectors = (uint8_t)vectors, .offset = offset};
	msix->capability = (uint8_t)pci_describe_capability(
		function, PCI_CAPABILITY_MSIX, &capability, sizeof(capability));
	function->writable[msix->capability / 4] = (uint32_t)(PCI_MSIX_ENABLE | PCI_MSIX_ALL_MASKED)
		<< CONTROL_SHIFT;
}

static bool has_control(const struct pci_function *function, unsigned capability, uint32_t bits) {
	return capability != 0 && (function->words[capability / 4] >> CONTROL_SHIFT & bits);
}

static bool uses_msix(const struct pci_function *function) {
	return has_control(function, function->msix.capability, PCI_MSIX_ENABLE);
}

static bool uses_msi(const struct pci_function *function) {
	return has_control(function, function->msi, PCI_MSI_ENABLE);
}

bool pci_uses_messages(const struct pci_function *function) {
	return uses_msix(function) || uses_msi(function);
}

// A message is a write to memory.
static void send(const struct pci_function *function, uint32_t low, uint32_t high, uint32_t data) {
	if (!pci_is_master(function)) return;
	fabric_msi(function->host->fabric, (uint64_t)high << 32 | low, data);
}

static void msix_deliver(struct pci_function *function) {
	struct pci_msix *msix = &function->msix;

	if (!uses_msix(function) || has_control(function, msix->capability, PCI_MSIX_ALL_MASKED))
		return;
	for (unsigned i = 0; i < msix->vectors; i++) {
		const uint32_t *entry = &msix->words[i * ENTRY_WORDS];

		if (!(msix->pending >> i & 1) || (entry[ENTRY_CONTROL] & PCI_MSIX_MASKED)) continue;
		msix->pending &= ~(1u << i);
		send(function, entry[ENTRY_ADDRESS], entry[ENTRY_HIGH_ADDRESS], entry[ENTRY_DATA]);
	}
}

static void msi_deliver(struct pci_function *function) {
	uint32_t *words = &function->words[function->msi / 4];

	if (!uses_msi(function) || (words[PCI_MSI_MASK / 4] & 1) || words[PCI_MSI_PENDING / 4] == 0)
		return;
	words[PCI_MSI_PENDING / 4] = 0;
	send(function, words[PCI_MSI_ADDRESS / 4], words[PCI_MSI_HIGH_ADDRESS / 4],
		words[PCI_MSI_DATA / 4]);
}

void pci_messages_update(struct pci_function *function) {
	if (function->msix.pending != 0) msix_deliver(function);
	if (function->msi != 0) msi_deliver(function);
}

void pci_message(struct pci_function *function, unsigned vector) {
	if (uses_msix(function)) {
		if (vector >= function->msix.vectors) return;
		function->msix.pending |= 1u << vector;
		msix_deliver(function);
	} else if (uses_msi(function)) {
		function->words[(function->msi + PCI_MSI_PENDING) / 4] = 1;
		msi_deliver(function);
	}
}

void pci_messages_reset(struct pci_function *function) {
	struct pci_msix *msix = &function->msix;

	msix->pending = 0;
	for (unsigned i = 0; i < PCI_MSIX_WORDS; i++)
		msix->words[i] = i % ENTRY_WORDS == ENTRY_CONTROL ? PCI_MSIX_MASKED : 0;
	if (function->msi != 0) function->words[(function->msi + PCI_MSI_PENDING) / 4] = 0;
}

bool pci_msix_covers(const struct pci_function *function, unsigned bar, uint64_t offset) {
	const struct pci_msix *msix = &function->msix;

	return msix->capability != 0 && bar == msix->bar && offset >= msix->offset &&
		offset - msix->offset < PCI_MSIX_BYTES;
}

// The word at an offset: an entry of the table, the pending bits, or null. What follows the table
// is reserved.
static uint32_t *msix_word(struct pci_msix *msix, uint64_t offset) {
	if (offset == PCI_MSIX_PENDING_OFFSET) return &msix->pending;
	return offset / PCI_MSIX_ENTRY < msix->vectors ? &msix->words[offset / 4] : NULL;
}

// Words and pairs of them are the only accesses that the specification defines (6.8.2).
static bool is_regular(uint64_t offset, enum bus_width width) {
	return width >= BUS_WIDTH_4 && offset % width == 0;
}

uint64_t pci_msix_read(struct pci_function *function, uint64_t offset, enum bus_width width) {
	uint64_t value = 0;

	offset -= function->msix.offset;
	if (!is_regular(offset, width)) return UINT64_MAX;
	for (unsigned i = 0; i < width; i += 4) {
		const uint32_t *word = msix_word(&function->msix, offset + i);

		if (word) value |= (uint64_t)*word << 8 * i;
	}
	return value;
}

void pci_msix_write(
	struct pci_function *function, uint64_t offset, enum bus_width width, uint64_t value) {
	static const uint32_t writable[ENTRY_WORDS] = {
		~(uint32_t)ADDRESS_UNUSED, UINT32_MAX, UINT32_MAX, PCI_MSIX_MASKED};

	offset -= function->msix.offset;
	if (!is_regular(offset, width)) return;
	for (unsigned i = 0; i < width; i += 4) {
		uint64_t place = offset + i;
		uint32_t *word = msix_word(&function->msix, place);

		if (!word || place >= PCI_MSIX_PENDING_OFFSET) continue;
		*word = (uint32_t)(value >> 8 * i) & writable[place / 4 % ENTRY_WORDS];
	}
	msix_deliver(function);
}
