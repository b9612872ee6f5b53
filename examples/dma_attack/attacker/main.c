// SPDX-License-Identifier: BSD-2-Clause
// Has its device read and write what it was not given, and counts what arrives. Where memory
// does, there is no IOMMU, and what would bring the machine down is left out; so are interrupts of
// vectors other than the victim's, where the victim's arrive.
#include <microkit.h>

#include <nacre/print.h>

#include "../tally.h"
#include "edu.h"

enum {
	VICTIM = 2, // channel
	PAGE = 4096,
	PIECE = 256, // bytes that are read of a page
	PIECES = EDU_BUFFER_SIZE / PIECE,
	WORD = sizeof(uint64_t),
	UNTOUCHED = 0xa7, // what the device's buffer holds before it reads
	VECTORS = 256,
	ENTRIES = 256, // of the table by which interrupts are remapped
	ENTRY_PRESENT = 1,
};

#define KERNEL 0x100000ul
#define KERNEL_END 0x200000ul
// As far as this looks: the regions of the description follow. A copy takes a tenth of a second.
#define MEMORY_END 0x10000000ul
#define SOME_MEMORY 0x40000ul
#define LITTLE_MEMORY 0x400000ul
// Behind its own memory there are its page tables.
#define NEIGHBOURS 0x80000ul
#define ENTRY_ADDRESS 0xffffffffff000ul
#define MESSAGES 0xfee00000ul // a write here is an interrupt (SDM 3A 11.11)
#define MESSAGE_REMAPPED (1ul << 4) // VT-d 5.1.2.2
#define MESSAGE_BY_DATA (1ul << 3)

// Patched by the composer.
uint64_t granted_paddr;
uint64_t granted_size;
uint64_t readable_paddr;
uint64_t readable_size;
uint64_t own_paddr;
uint64_t own_size;
uint64_t secret_paddr;
uint64_t secret_size;
volatile uint8_t *granted_vaddr;
volatile uint8_t *readable_vaddr;
volatile uint8_t *own_vaddr;
const struct tally *tally_vaddr;

// Of all rows so far: what was not granted, and did arrive.
static uint32_t attempts;
static uint32_t arrivals;
static uint32_t tables; // pages that lead to memory of this component

struct count {
	uint32_t attempted;
	uint32_t arrived;
};

static void row(const char *what, struct count count) {
	print("attack: %s: %u attempted, %u arrived\n", what, count.attempted, count.arrived);
	attempts += count.attempted;
	arrivals += count.arrived;
}

static void fill(volatile uint8_t *bytes, uint64_t size, uint8_t value) {
	for (uint64_t i = 0; i < size; i++)
		bytes[i] = value;
}

// The device's buffer, as memory that was given to it shows it.
static void show_buffer(uint32_t size) { edu_store(granted_paddr, 0, size); }

static void fill_buffer(uint8_t value) {
	fill(granted_vaddr, EDU_BUFFER_SIZE, value);
	edu_fetch(granted_paddr, 0, EDU_BUFFER_SIZE);
}

// Zero is what a device gets that was refused, or what is not there.
static bool has_arrived(const volatile uint8_t *bytes, uint32_t size) {
	for (uint32_t i = 0; i < size; i++) {
		if (bytes[i] != UNTOUCHED && bytes[i] != 0 && bytes[i] != 0xff) return true;
	}
	return false;
}

static bool is_table(const volatile uint64_t *entries) {
	for (uint32_t i = 0; i < PIECE / WORD; i++) {
		if ((entries[i] & ENTRY_PRESENT) && (entries[i] & ENTRY_ADDRESS) == own_paddr)
			return true;
	}
	return false;
}

// The first bytes of so many pages.
static struct count read_some(uint64_t start, uint64_t stride, uint32_t pages) {
	struct count count = {.attempted = pages};

	fill_buffer(UNTOUCHED);
	for (uint32_t i = 0; i < pages; i++)
		edu_fetch(start + i * stride, i * PIECE, PIECE);
	show_buffer(EDU_BUFFER_SIZE);
	for (uint32_t i = 0; i < pages; i++) {
		const volatile uint8_t *piece = granted_vaddr + (uint64_t)i * PIECE;

		count.arrived += has_arrived(piece, PIECE);
		tables += is_table((const volatile uint64_t *)piece);
	}
	return count;
}

static struct count read_pages(uint64_t start, uint64_t end, uint64_t stride) {
	struct count sum = {0};

	for (uint64_t page = start; page < end;) {
		uint64_t left = (end - page + stride - 1) / stride;
		uint32_t pages = left < PIECES ? (uint32_t)left : PIECES;
		struct count count = read_some(page, stride, pages);

		sum.attempted += count.attempted;
		sum.arrived += count.arrived;
		page += pages * stride;
	}
	return sum;
}

static uint64_t fetch_word(uint64_t address) {
	edu_fetch(address, 0, WORD);
	show_buffer(WORD);
	return *(volatile uint64_t *)granted_vaddr;
}

static void store_word(uint64_t address, uint64_t value) {
	*(volatile uint64_t *)granted_vaddr = value;
	edu_fetch(granted_paddr, 0, WORD);
	edu_store(address, 0, WORD);
}

// Whether a word can be changed; it is put back.
static bool write_word(uint64_t address) {
	uint64_t before = fetch_word(address);
	bool arrived;

	store_word(address, ~before);
	arrived = fetch_word(address) == ~before;
	if (arrived) store_word(address, before);
	return arrived;
}

// Ends with the first that arrives: what is behind it may be in use.
static struct count write_pages(uint64_t start, uint64_t end, uint64_t stride) {
	struct count count = {0};

	for (uint64_t page = start; page < end && count.arrived == 0; page += stride) {
		count.attempted++;
		count.arrived += write_word(page);
	}
	return count;
}

// Memory of this component that its device was not given, or may only read: changes are seen.
static struct count write_visible(volatile uint8_t *bytes, uint64_t paddr, uint64_t size) {
	struct count count = {0};

	for (uint64_t page = 0; page < size; page += PAGE) {
		bytes[page] = UNTOUCHED;
		store_word(paddr + page, ~(uint64_t)UNTOUCHED);
		count.attempted++;
		count.arrived += bytes[page] != UNTOUCHED;
	}
	return count;
}

static struct count read_own(void) {
	fill(own_vaddr, own_size, SECRET_BYTE);
	return read_pages(own_paddr, own_paddr + own_size, PAGE);
}

static struct count write_secret(void) {
	struct count count = {.attempted = (uint32_t)(secret_size / PAGE)};

	for (uint64_t page = 0; page < secret_size; page += PAGE)
		store_word(secret_paddr + page, 0);
	microkit_ppcall(VICTIM, microkit_msginfo_new(0, 0));
	count.arrived = tally_vaddr->changed / WORD;
	return count;
}

static struct count read_high(void) {
	struct count sum = {0};

	for (uint32_t bit = 32; bit < 64; bit++) {
		struct count count = read_some((1ul << bit) - PAGE, PAGE, 2);

		sum.attempted += count.attempted;
		sum.arrived += count.arrived;
	}
	return sum;
}

static struct count write_high(void) {
	struct count count = {0};

	for (uint32_t bit = 32; bit < 64; bit++) {
		count.attempted++;
		count.arrived += write_word(1ul << bit);
	}
	return count;
}

// An interrupt for the victim is its own driver's alone; the others would be the kernel's, some of
// them (exceptions, timer) of a kind that it does not survive.
static struct count forge_known(void) {
	struct count count = {.attempted = VICTIM_IRQS};
	uint32_t before = tally_vaddr->interrupts;

	for (uint32_t i = 0; i < VICTIM_IRQS; i++) {
		*(volatile uint32_t *)granted_vaddr = victim_vectors[i];
		edu_fetch(granted_paddr, 0, sizeof(uint32_t));
		edu_store(MESSAGES, 0, sizeof(uint32_t));
	}
	count.arrived = tally_vaddr->interrupts - before;
	return count;
}

// By vector, or by the number of an entry.
static struct count forge_all(uint64_t address, uint32_t end) {
	struct count count = {.attempted = end};
	uint32_t before = tally_vaddr->interrupts;

	for (uint32_t i = 0; i < end; i++) {
		*(volatile uint32_t *)granted_vaddr = i;
		edu_fetch(granted_paddr, 0, sizeof(uint32_t));
		edu_store(address, 0, sizeof(uint32_t));
	}
	count.arrived = tally_vaddr->interrupts - before;
	return count;
}

// The PCI component grants it a vector of the victim: as if that were deceived.
static struct count send_message(bool is_remapped) {
	uint64_t remapped = MESSAGE_REMAPPED | MESSAGE_BY_DATA;
	uint64_t address = MESSAGES | (is_remapped ? remapped : 0);
	uint32_t before = tally_vaddr->interrupts;
	struct count count = {.attempted = edu_interrupt(address)};

	count.arrived = tally_vaddr->interrupts - before;
	return count;
}

static void forge(bool is_remapped) {
	struct count known = forge_known();

	row("interrupts of another component, written", known);
	if (known.arrived == 0)
		row("interrupts of all vectors, written", forge_all(MESSAGES, VECTORS));
	if (is_remapped)
		row("interrupts of all entries, written",
			forge_all(MESSAGES | MESSAGE_REMAPPED | MESSAGE_BY_DATA, ENTRIES));
	row("interrupt of another component, the device's message", send_message(is_remapped));
}

// Whether the device can copy what it was given, all of it.
static bool granted_works(void) {
	for (uint64_t page = 0; page < granted_size; page += PAGE) {
		for (uint32_t i = 0; i < EDU_BUFFER_SIZE; i++)
			granted_vaddr[page + i] = (uint8_t)(i * 7 + page / PAGE);
		edu_fetch(granted_paddr + page, 0, EDU_BUFFER_SIZE);
		fill(granted_vaddr + page, EDU_BUFFER_SIZE, 0);
		edu_store(granted_paddr + page, 0, EDU_BUFFER_SIZE);
		for (uint32_t i = 0; i < EDU_BUFFER_SIZE; i++) {
			if (granted_vaddr[page + i] != (uint8_t)(i * 7 + page / PAGE)) return false;
		}
	}
	fill(readable_vaddr, readable_size, SECRET_BYTE);
	return read_pages(readable_paddr, readable_paddr + readable_size, PAGE).arrived ==
		readable_size / PAGE;
}

void init(void) {
	uint64_t neighbours = own_paddr + own_size;

	if (!edu_open()) return;
	print("attack: memory that was granted: %s\n", granted_works() ? "arrives" : "is lost");
	row("own page, read", read_own());
	row("own page, write", write_visible(own_vaddr, own_paddr, own_size));
	row("memory given to read, write",
		write_visible(readable_vaddr, readable_paddr, readable_size));
	row("another component, read", read_pages(secret_paddr, secret_paddr + secret_size, PAGE));
	row("another component, write", write_secret());
	row("kernel, read", read_pages(KERNEL, KERNEL_END, PAGE));
	row("kernel, write", write_pages(KERNEL, KERNEL_END, PAGE));
	row("pages behind its own, read", read_pages(neighbours, neighbours + NEIGHBOURS, PAGE));
	print("attack: page tables of this component among them: %u\n", tables);
	row("all memory, read", read_pages(KERNEL_END, MEMORY_END, SOME_MEMORY));
	row("beyond 4 GiB, read", read_high());
	row("beyond 4 GiB, write", write_high());
	if (arrivals == 0) {
		row("pages behind its own, write",
			write_pages(neighbours, neighbours + NEIGHBOURS, PAGE));
		row("all memory, write", write_pages(0, MEMORY_END, LITTLE_MEMORY));
	}
	forge(tally_vaddr->message & MESSAGE_REMAPPED);
	print("attack: not granted: %u attempted, %u arrived\n", attempts, arrivals);
}

void notified(microkit_channel channel) { (void)channel; }
