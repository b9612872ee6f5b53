// SPDX-License-Identifier: BSD-2-Clause
// Entries of the interrupt remapping table of VT-d (9.9).
#include "test.h"

#include <base/compiler.h>
#include <iommu/vtd.h>
#include <string.h>

enum { VECTORS = 256, UNTOUCHED = 0xa5 };

static struct vtd vtd;
static uint64_t entries[VECTORS][2];
static uint64_t forgotten;
static const void *published;

void vtd_forget_interrupts(uint64_t which) { forgotten = which; }

static void publish(const void *start, uint64_t size) {
	check_equal(size, 16);
	published = start;
}

static uint32_t set(bool is_wide, unsigned vector, const struct iommu_interrupt *interrupt) {
	vtd = (struct vtd){.iommu = {.publish = publish}, .entries = entries, .is_wide = is_wide};
	this_cpu()->platform->iommu = &vtd.iommu;
	forgotten = 0;
	published = NULL;
	return vtd_set_interrupt(vector, interrupt);
}

static void is_others_untouched(unsigned vector) {
	for (unsigned i = 0; i < VECTORS; i++)
		if (i != vector) check_equal(entries[i][0] & entries[i][1], 0xa5a5a5a5a5a5a5a5);
}

static void begin(void) { memset(entries, UNTOUCHED, sizeof(entries)); }

// Present, fixed delivery, physical destination: to one core, by an id of 8 bits in bits 47:40.
static void narrow(void) {
	begin();
	check_equal(set(false, 108, &(struct iommu_interrupt){254, 0x12f7, false}),
		108 << 17 | 1 << 16);
	check_equal(entries[108][0], 254ul << 40 | 108 << 16 | 1);
	check_equal(entries[108][1], 1ul << 18 | 0x12f7); // all bits of the source are verified
	check(published == entries[108] && forgotten == (1ul << 4 | 108ul << 32));
	is_others_untouched(108);
}

static void wide(void) {
	begin();
	check_equal(set(true, 155, &(struct iommu_interrupt){0x80000001, 0, true}),
		155 << 17 | 1 << 16);
	check_equal(entries[155][0], 0x80000001ul << 32 | 155 << 16 | 1 << 4 | 1);
	check_equal(entries[155][1], 1ul << 18);
	is_others_untouched(155);
}

static void any_device(void) {
	begin();
	(void)set(false, 48, &(struct iommu_interrupt){0, IOMMU_ANY_DEVICE, false});
	check(entries[48][0] == (48 << 16 | 1) && entries[48][1] == 0);
}

// Without the bit that makes it valid, and with the device that it was for.
static void none(void) {
	begin();
	(void)set(false, 48, &(struct iommu_interrupt){3, 0x1f8, false});
	(void)set(false, 48, NULL);
	check(entries[48][0] == 0 && entries[48][1] == (1ul << 18 | 0x1f8));
	check(published == entries[48] && forgotten == (1ul << 4 | 48ul << 32));
}

static const struct test rows[] = {
	{"remap.narrow", "an entry names vector, core and device", narrow},
	{"remap.wide", "it can name a core whose id has 32 bits", wide},
	{"remap.any", "it can be for any device", any_device},
	{"remap.none", "and for none", none},
};

const struct tests remap_tests = {rows, array_count(rows)};
