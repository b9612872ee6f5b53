// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the Linux loader and the ACPI tables.
#define _GNU_SOURCE // memmem
#include "../check.h"

#include <vmm/boot/acpi.h>
#include <vmm/boot/linux.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20, SETUP_SECTORS = 4, SYSTEM = 0x8000 };

static uint8_t image[(SETUP_SECTORS + 1) * 512 + SYSTEM];
static struct guest_memory memory;
static struct linux_files files;
static struct linux_entry entry;
static struct linux_problem problem;

static void put(unsigned offset, uint64_t value, unsigned width) {
	memcpy(image + offset, &value, width);
}

static uint64_t get(uint64_t address, unsigned width) {
	uint64_t value = 0;

	memcpy(&value, memory.bytes + address, width);
	return value;
}

static void fresh(uint64_t ram) {
	memset(image, 0, sizeof(image));
	put(0x1f1, SETUP_SECTORS, 1);
	put(0x1f4, SYSTEM / 16, 4);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x66eb, 2);
	put(0x202, 0x53726448, 4);
	put(0x206, 0x020f, 2);
	put(0x22c, 0x7fffffff, 4);
	put(0x236, 0x7f, 2);
	put(0x238, 2047, 4);
	put(0x258, 0x1000000, 8);
	put(0x260, 0x2000000, 4);
	image[0x240] = 0x77; // a field the loader must hand through
	image[(SETUP_SECTORS + 1) * 512] = 0xc3;
	image[sizeof(image) - 1] = 0xee;
	free(memory.bytes);
	memory = (struct guest_memory){calloc(1, ram), ram, 40};
	files = (struct linux_files){
		.kernel = {image, sizeof(image)},
		.initrd = {(const uint8_t *)"ramdisk", 7},
		.cmdline = {(const uint8_t *)"console=ttyS0 quiet\n", 20},
		.rsdp = 0xe0000,
	};
	memset(&problem, 0, sizeof(problem));
}

static bool load(void) { return linux_load(&memory, &files, &entry, &problem); }

static void test_good(void) {
	fresh(64 * MIB);
	check(load());
	check_equal(entry.rip, 0x1000200);
	check_equal(get(0x1000000, 1), 0xc3);
	check_equal(get(0x1000000 + SYSTEM - 1, 1), 0xee);
	uint64_t zero = entry.boot_parameters;

	check_equal(get(zero + 0x210, 1), 0xff);
	check_equal(get(zero + 0x1fa, 2), 0xffff);
	check_equal(get(zero + 0x240, 1), 0x77);
	check_equal(get(zero + 0x070, 8), 0xe0000);
	check_equal(get(zero + 0x21c, 4), 7);
	uint64_t initrd = get(zero + 0x218, 4);

	check_equal(initrd, 64 * MIB - 4096);
	check(memcmp(memory.bytes + initrd, "ramdisk", 7) == 0);
	check(strcmp((char *)memory.bytes + get(zero + 0x228, 4), "console=ttyS0 quiet") == 0);
}

static void test_map(void) {
	fresh(64 * MIB);
	check(load());
	uint64_t zero = entry.boot_parameters;

	check_equal(get(zero + 0x1e8, 1), 4);
	check_equal(get(zero + 0x2d0 + 8, 8), 0x9fc00);
	check_equal(get(zero + 0x2d0 + 20 + 16, 4), 2);
	check_equal(get(zero + 0x2d0 + 40, 8), 0x100000);
	check_equal(get(zero + 0x2d0 + 48, 8), 63 * MIB);
	check_equal(get(zero + 0x2d0 + 60, 8), 0xe0000000);
	check_equal(get(zero + 0x2d0 + 68, 8), MIB);
	check_equal(get(zero + 0x2d0 + 76, 4), 2);
}

static void test_tables(void) {
	fresh(64 * MIB);
	check(load());
	check_equal(get(entry.gdt_base + entry.code_selector, 8), 0x00af9b000000ffff);
	check_equal(get(entry.gdt_base + entry.data_selector, 8), 0x00cf93000000ffff);
	uint64_t pointers = get(entry.page_tables, 8) & ~0xfffull;
	uint64_t directory = get(pointers + 8, 8) & ~0xfffull;

	check_equal(get(directory + 8, 8), 0x40200083);
	// mov al, 6; mov dx, 0cf9h; out dx, al; jmp $
	check_equal(get(0xffff0, 8), 0xfeebee0cf9ba06b0);
}

static void test_default_cmdline(void) {
	fresh(64 * MIB);
	files.cmdline.size = 0;
	files.initrd.size = 0;
	check(load());
	check(strcmp((char *)memory.bytes + 0x20000, "console=ttyS0") == 0);
	check_equal(get(entry.boot_parameters + 0x218, 8), 0);
}

// The load must fail with this text, and RAM must be untouched.
static void expect_refusal(const char *text) {
	check(!load());
	check(strstr(problem.text, text));
	if (!strstr(problem.text, text)) printf("  problem: %s\n", problem.text);
	bool touched = false;

	for (uint64_t i = 0; i < memory.size; i++)
		touched |= memory.bytes[i] != 0;
	check(!touched);
}

static void test_bad_images(void) {
	fresh(64 * MIB);
	files.kernel.size = 0;
	expect_refusal("no kernel image");
	fresh(64 * MIB);
	files.kernel.size = 0x200;
	expect_refusal("too short");
	fresh(64 * MIB);
	put(0x202, 0x12345678, 4);
	expect_refusal("not a bzImage");
	fresh(64 * MIB);
	put(0x1fe, 0, 2);
	expect_refusal("not a bzImage");
	fresh(64 * MIB);
	put(0x206, 0x20b, 2);
	expect_refusal("older than 2.12");
	fresh(64 * MIB);
	put(0x236, 0x7e, 2);
	expect_refusal("no 64-bit entry");
	fresh(64 * MIB);
	files.kernel.size--;
	expect_refusal("truncated");
	fresh(64 * MIB);
	put(0x1f4, 0xffffffff, 4);
	expect_refusal("truncated");
	fresh(64 * MIB);
	put(0x258, 0x8000, 8);
	expect_refusal("load address 8000");
	fresh(64 * MIB);
	put(0x258, 0xffffffffffff0000, 8);
	expect_refusal("load address");
}

static void test_too_little(void) {
	fresh(48 * MIB);
	expect_refusal("too little guest memory: kernel and RAM disk need 49156 KiB");
	files.initrd.size = 0;
	check(load());
	fresh(47 * MIB);
	expect_refusal("too little guest memory");
	fresh(1 * MIB);
	expect_refusal("too little guest memory");
	fresh(64 * MIB);
	put(0x260, 0xffffffff, 4);
	expect_refusal("too little guest memory");
	fresh(64 * MIB);
	files.initrd.size = 1ull << 60;
	expect_refusal("too little guest memory");
	fresh(64 * MIB);
	put(0x22c, 0x2ffffff, 4);
	expect_refusal("does not fit below");
	fresh(64 * MIB);
	put(0x238, 5, 4);
	expect_refusal("command line: 19 characters, the kernel takes 5");
	fresh(64 * MIB);
	memory.size = LINUX_RAM_LIMIT + 1;
	check(!load() && strstr(problem.text, "larger than 3 GiB"));
	memory.size = 64 * MIB;
}

static uint8_t sum(uint64_t address, uint64_t length) {
	uint8_t total = 0;

	for (uint64_t i = 0; i < length; i++)
		total += memory.bytes[address + i];
	return total;
}

static void check_table(uint64_t address, const char *signature) {
	check(memcmp(memory.bytes + address, signature, 4) == 0);
	check_equal(sum(address, get(address + 4, 4)), 0);
}

static void test_acpi(void) {
	static const char *const devices[] = {
		"PCI0", "ECAM", "COM1", "COM2", "RTC0", "_PRT", "_CST"};
	uint64_t rsdp;

	fresh(1 * MIB);
	check(acpi_build(&memory, &rsdp));
	check(memcmp(memory.bytes + rsdp, "RSD PTR ", 8) == 0);
	check_equal(sum(rsdp, 20), 0);
	check_equal(sum(rsdp, 36), 0);
	uint64_t xsdt = get(rsdp + 24, 8);

	check_table(xsdt, "XSDT");
	check_equal(get(xsdt + 4, 4), 36 + 3 * 8);
	uint64_t fadt = get(xsdt + 36, 8), madt = get(xsdt + 44, 8), mcfg = get(xsdt + 52, 8);

	check_table(fadt, "FACP");
	check_table(madt, "APIC");
	check_table(mcfg, "MCFG");
	check_equal(get(fadt + 4, 4), 276);
	check_equal(get(fadt + 112, 4) >> 20 & 1, 1);
	check_equal(get(fadt + 120, 8), 0xcf9);
	check_equal(get(fadt + 248, 8), 0x600);
	check_equal(get(fadt + 260, 8), 0x601);
	uint64_t dsdt = get(fadt + 140, 8);

	check_equal(dsdt, get(fadt + 40, 4));
	check_table(dsdt, "DSDT");
	check_equal(get(dsdt + 36, 1), 0x10);
	for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		check(memmem(memory.bytes + dsdt, get(dsdt + 4, 4), devices[i], 4));
	check_equal(get(madt + 36, 4), 0xfee00000);
	check_equal(get(madt + 45, 1), 8);
	check_equal(get(madt + 52, 2), 0x0c01);
	check_equal(get(mcfg + 4, 4), 36 + 8 + 16);
	check_equal(get(mcfg + 44, 8), 0xe0000000); // segment 0, bus 0
	check_equal(get(mcfg + 52, 8), 0);
}

static void test_acpi_small(void) {
	uint64_t rsdp;

	fresh(512 * 1024);
	check(!acpi_build(&memory, &rsdp));
}

// With an argument: writes the tables to files, for a disassembler.
static int dump(const char *folder) {
	uint64_t rsdp;

	fresh(1 * MIB);
	if (!acpi_build(&memory, &rsdp)) return 1;
	uint64_t xsdt = get(rsdp + 24, 8);
	uint64_t fadt = get(xsdt + 36, 8);
	const uint64_t tables[] = {
		xsdt, fadt, get(xsdt + 44, 8), get(xsdt + 52, 8), get(fadt + 140, 8)};

	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%.4s.aml", folder,
			(const char *)memory.bytes + tables[i]);
		FILE *file = fopen(path, "wb");
		if (!file) return 1;
		fwrite(memory.bytes + tables[i], 1, get(tables[i] + 4, 4), file);
		fclose(file);
	}
	return 0;
}

int main(int count, char **arguments) {
	static const struct test tests[] = {
		{"linux.good", "a good image is loaded with its parameters", test_good},
		{"linux.map", "the memory map leaves the tables reserved", test_map},
		{"linux.tables", "GDT and page tables suit the 64-bit entry", test_tables},
		{"linux.defaults", "command line and RAM disk may be absent", test_default_cmdline},
		{"linux.bad_images", "each kind of bad image is named", test_bad_images},
		{"linux.too_little", "each way of not fitting is named", test_too_little},
		{"acpi.tables", "all tables are linked and their checksums right", test_acpi},
		{"acpi.small", "memory that ends below the tables is refused", test_acpi_small},
	};

	if (count == 2) return dump(arguments[1]);
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	free(memory.bytes);
	return status;
}
