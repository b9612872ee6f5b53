// SPDX-License-Identifier: BSD-2-Clause
// The unit: translations, commands, events.
#include "model.h"
#include "../check.h"

#include <cpu/apic.h>
#include <cpu/clock.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEVICES = 1 << 16,
	KEPT = 256, // translations
	TAKEN = 512,
	CONTROL = 0x18,
	STATUS = 0x2020,
	CAME = 2,
	LOST = 1,
	RING = 4096,
};

#define MARK (1ul << 63) // in the status register, until it is written

struct model model;
char model_printed[8192];
jmp_buf model_panicked;

static uint64_t registers[0x4000 / 8];
static uint64_t status, control; // as they are known here
static bool is_full; // no event is written any more
static uint64_t now;
static void *taken[TAKEN];
static unsigned taken_count;
static uint64_t passing[4] = {0x6000000000000003}; // a device's entry by firmware
static struct {
	bool is_kept;
	uint64_t words[4];
} entries[DEVICES];
static struct kept {
	bool is_kept;
	unsigned device, domain, bits;
	uint64_t page, target, rights;
} kept[KEPT];
static unsigned kept_next;
static struct platform platform;
static struct cpu core = {.platform = &platform};
static uint32_t pci_address;

struct cpu *this_cpu(void) {
	return &core;
}

uint32_t apic_id(void) { return 3; }

void print(const char *format, ...) {
	size_t length = strlen(model_printed);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(model_printed + length, sizeof(model_printed) - length, format, arguments);
	va_end(arguments);
}

void panic(const char *, ...) { longjmp(model_panicked, 1); }

void *model_take(uint64_t size) {
	void *memory = aligned_alloc(4096, size);

	if (!memory || taken_count == TAKEN) abort();
	taken[taken_count++] = memory;
	return memset(memory, 0, size);
}

uint64_t model_address(void) { return (uint64_t)registers; }

void model_reset(void) {
	while (taken_count > 0)
		free(taken[--taken_count]);
	model = (struct model){.features = 1 << 6, .header = 1 << 27};
	model.registers[MODEL_MSI / 4] = 0x00800005;
	memset(registers, 0, sizeof(registers));
	memset(kept, 0, sizeof(kept));
	for (unsigned i = 0; i < DEVICES; i++) {
		entries[i].is_kept = true;
		memcpy(entries[i].words, passing, sizeof(passing));
	}
	registers[CONTROL / 8] = control = 1;
	registers[STATUS / 8] = MARK;
	registers[0x20 / 8] = 3; // an exclusion range for all
	status = 0;
	is_full = false;
	model_printed[0] = '\0';
	platform.iommu = NULL;
}

// Ports

static uint32_t pci_register(unsigned at) {
	if (at == 0x34) return MODEL_CAPABILITY;
	if (at == MODEL_CAPABILITY)
		return model.has_no_capability ? 0 : 0x0003000f | MODEL_MSI << 8 | model.header;
	if (at == MODEL_CAPABILITY + 0x10) return 40 << 15 | 48 << 8;
	return model.registers[at / 4];
}

uint32_t model_in32(uint16_t port) {
	check_equal(port, 0xcfc);
	if ((pci_address & 0xffffff00) != (0x80000000 | MODEL_DEVICE << 8)) return UINT32_MAX;
	return pci_register(pci_address & 0xfc);
}

void model_out32(uint16_t port, uint32_t value) {
	if (port == 0xcf8)
		pci_address = value;
	else if ((pci_address & 0xffffff00) == (0x80000000 | MODEL_DEVICE << 8))
		model.registers[(pci_address & 0xfc) / 4] = value;
}

// Commands

static void forget_pages(unsigned domain, uint64_t address) {
	check_equal(address & 0xff8, 0);
	check((address & 1) == 0 || address == 0x7ffffffffffff003);
	for (unsigned i = 0; i < KEPT; i++) {
		bool is_same = kept[i].page == (address & -4096ul) && kept[i].bits == 12;

		if (kept[i].domain == domain && (address & 1 || is_same)) kept[i].is_kept = false;
	}
}

static void command(const uint64_t *words) {
	model.commands++;
	switch (words[0] >> 60) {
	case 1:
		check_equal(words[0] & 7, 1);
		*(volatile uint64_t *)(words[0] & 0x000ffffffffffff8) = words[1];
		return;
	case 2:
		check(words[0] << 4 >> 20 == 0 && words[1] == 0);
		entries[words[0] & 0xffff].is_kept = false;
		return;
	case 3:
		check_equal(words[0] & 0x0fff0000ffffffff, 0);
		return forget_pages(words[0] >> 32 & 0xffff, words[1]);
	case 8:
		check(model.features >> 6 & 1 && words[0] << 4 == 0 && words[1] == 0);
		memset(kept, 0, sizeof(kept));
		for (unsigned i = 0; i < DEVICES; i++)
			entries[i].is_kept = false;
		return;
	default: check(false);
	}
}

static void commands_do(void) {
	uint64_t *head = &registers[0x2000 / 8];

	if (!(control & 1) || !(control >> 12 & 1) || model.is_dead) return;
	check_equal(registers[1] >> 56, 8);
	for (; *head != registers[0x2008 / 8]; *head = (*head + 16) % RING)
		command((const uint64_t *)((registers[1] & 0x000ffffffffff000) + *head));
}

// What was written since the last time.
static void step(void) {
	if (!(registers[STATUS / 8] & MARK)) status &= ~registers[STATUS / 8];
	if (!(control >> 2 & 1) && registers[CONTROL / 8] >> 2 & 1) {
		check(!(status & LOST));
		is_full = false;
	}
	model.openings += control & ~registers[CONTROL / 8] & 1;
	check(!(registers[CONTROL / 8] & 1) || registers[CONTROL / 8] >> 10 & 1 || !registers[0]);
	control = registers[CONTROL / 8];
	commands_do();
	registers[STATUS / 8] = MARK | status | (control & 4 && !is_full ? 8 : 0) |
		(control >> 12 & 1 ? 16 : 0);
}

volatile uint64_t *amdvi_long(const struct amdvi_unit *unit, unsigned at) {
	check_equal((uint64_t)unit->page, (uint64_t)registers);
	step();
	if (at == 0x30) registers[at / 8] = model.features;
	return &registers[at / 8];
}

uint64_t clock_now(void) {
	uint64_t target;

	step();
	if (model.eager) (void)model_request(model.eager, 0, false, &target);
	return now += 500;
}

uint64_t clock_ticks_per_us(void) { return 1; }

void model_pass_seconds(void) { now += 4000000; }

// Events

void model_send_event(unsigned kind, unsigned device) {
	uint64_t words[2] = {(uint64_t)kind << 60 | device, 0};
	uint64_t *tail = &registers[0x2018 / 8];

	step();
	if (!(control >> 2 & 1) || is_full) return;
	if ((*tail + 16) % RING == registers[0x2010 / 8]) {
		is_full = true;
		status |= LOST;
	} else {
		if (!model.is_late)
			memcpy((void *)((registers[2] & 0x000ffffffffff000) + *tail), words, 16);
		*tail = (*tail + 16) % RING;
	}
	if (!(status & CAME)) model.interrupts += control >> 3 & 1;
	status |= CAME;
	step();
}

static bool fault(unsigned device, uint64_t address, bool is_write, bool is_present) {
	uint64_t *tail = &registers[0x2018 / 8], at = *tail;
	uint64_t flags = (is_write ? 0x20 : 0) | (is_present ? 0x10 : 0);

	if (entries[device].words[1] >> 34 & 1) return false;
	model_send_event(2, device);
	if (*tail == at || model.is_late) return false;
	((uint64_t *)((registers[2] & 0x000ffffffffff000) + at))[0] |= flags << 48;
	((uint64_t *)((registers[2] & 0x000ffffffffff000) + at))[1] = address;
	return false;
}

// Translations

static const uint64_t *entry_find(unsigned device) {
	uint64_t *words = entries[device].words;

	if (entries[device].is_kept) return words;
	check_equal(registers[0] & 0xfff, 511);
	memcpy(words, (const void *)((registers[0] & 0x000ffffffffff000) + 32ul * device), 32);
	entries[device].is_kept = true;
	check_equal(words[0] & 0x9ff00000000001fc, 0);
	check_equal(words[1] & 0xfffffcf8ffff0000 & ~(3ul << 40), 0);
	check_equal(words[2] & 0x08ffffffffffffff, 0);
	check_equal(words[3], 0);
	return words;
}

static bool walk(const uint64_t *words, uint64_t address, struct kept *found) {
	unsigned level = words[0] >> 9 & 7, next = level;
	uint64_t entry = words[0];

	if (address >> (12 + 9 * level)) return false;
	found->rights = entry >> 61 & 3;
	for (level++; next > 0; next = entry >> 9 & 7) {
		check_equal(next, level - 1);
		level = next;
		entry = ((const uint64_t *)(entry &
			0x000ffffffffff000))[address >> (3 + 9 * level) & 511];
		if (!(entry & 1)) return false;
		found->rights &= entry >> 61 & 3;
		check_equal(entry &
				(next > 1 && entry >> 9 & 7 ? 0x1ff0000000000000
							    : 0x0ff0000000000000),
			0);
	}
	found->bits = 3 + 9 * level;
	found->target = entry & 0x000ffffffffff000 & -(1ul << found->bits);
	return true;
}

bool model_request(unsigned device, uint64_t address, bool is_write, uint64_t *target) {
	const uint64_t *words = entry_find(device);
	struct kept found = {.is_kept = true, .device = device, .domain = words[1] & 0xffff};

	step();
	*target = address;
	if (!(control & 1) || !(words[0] & 1)) return true;
	check(words[0] & 2);
	if (!(words[0] >> 9 & 7))
		return words[0] >> 61 >> is_write & 1 ? true
						      : fault(device, address, is_write, false);
	for (unsigned i = 0; i < KEPT; i++)
		if (kept[i].is_kept && kept[i].device == device &&
			kept[i].page == (address & -(1ul << kept[i].bits)))
			found = kept[i];
	if (!found.bits) {
		bool is_there = walk(words, address, &found);

		if (!is_there && !(model.header >> 26 & 1))
			return fault(device, address, is_write, false);
		if (!is_there) {
			found.bits = 12;
			found.rights = 0;
		}
		found.page = address & -(1ul << found.bits);
		kept[kept_next++ % KEPT] = found;
	}
	if (!(found.rights >> is_write & 1)) return fault(device, address, is_write, true);
	*target = found.target | (address & ((1ul << found.bits) - 1));
	return true;
}

unsigned model_lines(void) {
	unsigned count = 0;

	for (const char *at = model_printed; (at = strchr(at, '\n')); at++)
		count++;
	return count;
}
