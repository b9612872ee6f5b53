// SPDX-License-Identifier: BSD-2-Clause
// Linux boot protocol, version 2.12 and later, x86-64 entry (Documentation/arch/x86/boot.rst).
#include <vmm/boot/linux.h>

#include <vmm/device/power.h>
#include <vmm/pci/layout.h>

#include <base/bits.h>
#include <base/format.h>
#include <base/memory.h>

#include <stddef.h>

enum {
	GDT_ADDRESS = 0x500,
	BOOT_PARAMETERS_ADDRESS = 0x7000,
	BOOT_PARAMETERS_SIZE = 0x1000,
	PAGE_TABLES_ADDRESS = 0x9000,
	PAGE_TABLE_SIZE = 0x1000,
	IDENTITY_GIBIBYTES = 4,
	CMDLINE_ADDRESS = 0x20000,
	CMDLINE_SPACE = 0x10000,
	LOW_RAM_END = 0x9fc00,
	RESET_VECTOR_ADDRESS = 0xffff0,
	HIGH_RAM_START = 0x100000,

	SECTOR = 512,
	SETUP_HEADER = 0x1f1,
	SETUP_JUMP = 0x201, // its second byte gives the end of the header
	SETUP_DEFAULT_SECTORS = 4,
	BOOT_FLAG = 0xaa55,
	VERSION_MINIMUM = 0x020c, // xloadflags exists
	LOAD_FLAG_64 = 1 << 0,
	ENTRY_64 = 0x200,
	LOADER_UNDEFINED = 0xff,
	VIDEO_NORMAL = 0xffff,

	ZERO_ACPI_RSDP = 0x070,
	ZERO_E820_COUNT = 0x1e8,
	ZERO_E820_TABLE = 0x2d0,

	E820_RAM = 1,
	E820_RESERVED = 2,

	CODE_SELECTOR = 0x10,
	DATA_SELECTOR = 0x18,

	ENTRY_PRESENT_WRITABLE = 0x03,
	ENTRY_LARGE = 0x80,
	LARGE_PAGE = 0x200000,
};

#define HEADER_MAGIC 0x53726448u // "HdrS"

// The setup header, at SETUP_HEADER of the image and of the boot parameters.
struct [[gnu::packed]] setup_header {
	uint8_t setup_sectors;
	uint16_t root_flags;
	uint32_t system_size; // of the protected-mode part, in 16-byte units
	uint16_t ram_size;
	uint16_t video_mode;
	uint16_t root_device;
	uint16_t boot_flag;
	uint16_t jump;
	uint32_t magic;
	uint16_t version;
	uint32_t mode_switch;
	uint16_t start_system;
	uint16_t kernel_version;
	uint8_t loader_type;
	uint8_t load_flags;
	uint16_t move_size;
	uint32_t code32_start;
	uint32_t ramdisk_image;
	uint32_t ramdisk_size;
	uint32_t bootsect_kludge;
	uint16_t heap_end;
	uint8_t extended_loader_version;
	uint8_t extended_loader_type;
	uint32_t cmdline_pointer;
	uint32_t ramdisk_maximum;
	uint32_t kernel_alignment;
	uint8_t relocatable;
	uint8_t minimum_alignment;
	uint16_t extended_load_flags;
	uint32_t cmdline_size;
	uint32_t hardware_subarchitecture;
	uint64_t hardware_data;
	uint32_t payload_offset;
	uint32_t payload_length;
	uint64_t setup_data;
	uint64_t preferred_address;
	uint32_t init_size;
};

_Static_assert(offsetof(struct setup_header, magic) == 0x202 - SETUP_HEADER);
_Static_assert(offsetof(struct setup_header, cmdline_pointer) == 0x228 - SETUP_HEADER);
_Static_assert(offsetof(struct setup_header, preferred_address) == 0x258 - SETUP_HEADER);
_Static_assert(offsetof(struct setup_header, init_size) == 0x260 - SETUP_HEADER);

struct [[gnu::packed]] e820_entry {
	uint64_t start, size;
	uint32_t type;
};

_Static_assert(sizeof(struct e820_entry) == 20);
_Static_assert(LINUX_RAM_LIMIT <= PCI_MEMORY_BASE);

struct plan {
	struct setup_header header;
	uint64_t setup_size;
	uint64_t system_size;
	uint64_t initrd_address;
};

static const char default_cmdline[] = "console=ttyS0";

// The checks of the image itself.
static const char *check_image(const struct linux_file *kernel, struct plan *plan) {
	uint8_t sectors;
	const struct setup_header *header;

	if (kernel->size == 0) return "the description gives no kernel image";
	if (kernel->size < SETUP_HEADER + sizeof(struct setup_header))
		return "kernel image: too short for a boot header at offset 1f1h";
	memcpy(&plan->header, kernel->bytes + SETUP_HEADER, sizeof(plan->header));
	header = &plan->header;
	if (header->boot_flag != BOOT_FLAG || header->magic != HEADER_MAGIC)
		return "kernel image: not a bzImage (no boot signature at 1feh and 202h)";
	if (header->version < VERSION_MINIMUM)
		return "kernel image: boot protocol at 206h is older than 2.12";
	if (!(header->extended_load_flags & LOAD_FLAG_64))
		return "kernel image: no 64-bit entry point (flags at 236h)";
	sectors = header->setup_sectors == 0 ? SETUP_DEFAULT_SECTORS : header->setup_sectors;
	plan->setup_size = (sectors + 1ull) * SECTOR;
	plan->system_size = header->system_size * 16ull;
	if (plan->system_size == 0 || plan->setup_size + plan->system_size > kernel->size)
		return "kernel image: truncated, shorter than its header at 1f1h and 1f4h says";
	return NULL;
}

static bool refuse_memory(uint64_t need, uint64_t have, struct linux_problem *problem) {
	format_text(problem->text, sizeof(problem->text),
		"too little guest memory: kernel and RAM disk need %lu KiB, the region has %lu KiB",
		need / 1024, have / 1024);
	return false;
}

// Kernel at its preferred address, RAM disk as high as the kernel accepts.
static bool plan_memory(const struct guest_memory *memory, const struct linux_files *files,
	struct plan *plan, struct linux_problem *problem) {
	uint64_t start = plan->header.preferred_address;
	uint64_t room = plan->header.init_size > plan->system_size ? plan->header.init_size
								   : plan->system_size;
	uint64_t initrd_room = align_up(files->initrd.size, PAGE_TABLE_SIZE);
	uint64_t top;
	uint64_t end;
	uint64_t limit;

	if (start < HIGH_RAM_START || start >= LINUX_RAM_LIMIT) {
		format_text(problem->text, sizeof(problem->text),
			"kernel image: load address %lx (at 258h) is not usable", start);
		return false;
	}
	end = align_up(start + room, PAGE_TABLE_SIZE);
	limit = align_down(memory->size, PAGE_TABLE_SIZE);
	if (files->initrd.size > LINUX_RAM_LIMIT || end + initrd_room > limit)
		return refuse_memory(end + initrd_room, memory->size, problem);
	top = align_down(plan->header.ramdisk_maximum + 1ull, PAGE_TABLE_SIZE);
	top = top < limit ? top : limit;
	if (files->initrd.size != 0 && end + initrd_room > top) {
		format_text(problem->text, sizeof(problem->text),
			"RAM disk of %lu KiB does not fit below the kernel's limit %lx (at 22ch)",
			files->initrd.size / 1024, top);
		return false;
	}
	plan->initrd_address = top - initrd_room;
	return true;
}

// Text of the command line without the line end a text file has.
static struct linux_file cmdline_text(const struct linux_files *files) {
	struct linux_file text = files->cmdline;

	if (text.size == 0)
		return (struct linux_file){
			(const uint8_t *)default_cmdline, sizeof(default_cmdline) - 1};
	for (uint64_t i = 0; i < text.size; i++)
		if (text.bytes[i] == '\0') text.size = i;
	while (text.size > 0 && text.bytes[text.size - 1] <= ' ')
		text.size--;
	return text;
}

static bool check_cmdline(
	const struct linux_file *text, const struct plan *plan, struct linux_problem *problem) {
	uint64_t limit = plan->header.cmdline_size;

	limit = limit < CMDLINE_SPACE - 1 ? limit : CMDLINE_SPACE - 1;
	if (text->size <= limit) return true;
	format_text(problem->text, sizeof(problem->text),
		"command line: %lu characters, the kernel takes %lu", text->size, limit);
	return false;
}

// All callers write below 1 MiB or inside what plan_memory checked.
static void *at(const struct guest_memory *memory, uint64_t address) {
	return memory->bytes + address;
}

static void write_map(uint8_t *zero, const struct guest_memory *memory) {
	const struct e820_entry map[] = {
		{0, LOW_RAM_END, E820_RAM},
		{LOW_RAM_END, HIGH_RAM_START - LOW_RAM_END, E820_RESERVED},
		{HIGH_RAM_START, memory->size - HIGH_RAM_START, E820_RAM},
		{PCI_ECAM_BASE, PCI_ECAM_SIZE, E820_RESERVED},
	};

	zero[ZERO_E820_COUNT] = sizeof(map) / sizeof(map[0]);
	memcpy(zero + ZERO_E820_TABLE, map, sizeof(map));
}

static void write_boot_parameters(const struct guest_memory *memory,
	const struct linux_files *files, const struct plan *plan) {
	struct setup_header header = plan->header;
	uint8_t *zero = at(memory, BOOT_PARAMETERS_ADDRESS);
	uint64_t end;

	memset(zero, 0, BOOT_PARAMETERS_SIZE);
	// The image's header may be longer than what this loader knows of it.
	end = SETUP_JUMP + 1 + files->kernel.bytes[SETUP_JUMP];
	if (end > plan->setup_size) end = SETUP_HEADER + sizeof(header);
	memcpy(zero + SETUP_HEADER, files->kernel.bytes + SETUP_HEADER, end - SETUP_HEADER);
	header.loader_type = LOADER_UNDEFINED;
	header.video_mode = VIDEO_NORMAL;
	header.cmdline_pointer = CMDLINE_ADDRESS;
	header.ramdisk_image = files->initrd.size == 0 ? 0 : (uint32_t)plan->initrd_address;
	header.ramdisk_size = (uint32_t)files->initrd.size;
	header.code32_start = (uint32_t)plan->header.preferred_address;
	memcpy(zero + SETUP_HEADER, &header, sizeof(header));
	// The high halves of RAM disk and command line (0c0h to 0c8h) stay 0: RAM ends below 4 GiB.
	memcpy(zero + ZERO_ACPI_RSDP, &files->rsdp, sizeof(files->rsdp));
	write_map(zero, memory);
}

static void write_page_tables(const struct guest_memory *memory) {
	uint64_t *root = at(memory, PAGE_TABLES_ADDRESS);
	uint64_t *pointers = at(memory, PAGE_TABLES_ADDRESS + PAGE_TABLE_SIZE);
	uint64_t *directory = at(memory, PAGE_TABLES_ADDRESS + 2 * PAGE_TABLE_SIZE);

	memset(root, 0, 2 * PAGE_TABLE_SIZE);
	root[0] = (PAGE_TABLES_ADDRESS + PAGE_TABLE_SIZE) | ENTRY_PRESENT_WRITABLE;
	for (uint64_t i = 0; i < IDENTITY_GIBIBYTES; i++)
		pointers[i] = (PAGE_TABLES_ADDRESS + (2 + i) * PAGE_TABLE_SIZE) |
			ENTRY_PRESENT_WRITABLE;
	for (uint64_t i = 0; i < IDENTITY_GIBIBYTES * 512; i++)
		directory[i] = i * LARGE_PAGE | ENTRY_LARGE | ENTRY_PRESENT_WRITABLE;
}

static void write_gdt(const struct guest_memory *memory) {
	static const uint64_t gdt[] = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};

	memcpy(at(memory, GDT_ADDRESS), gdt, sizeof(gdt));
}

// On a hardware-reduced platform without EFI services Linux resets through the BIOS: in real mode
// it jumps to the reset vector.
static void write_reset_vector(const struct guest_memory *memory) {
	static const uint8_t code[] = {
		0xb0, POWER_RESET_VALUE, // mov al, 6
		0xba, POWER_RESET_PORT & 0xff, POWER_RESET_PORT >> 8, // mov dx, 0cf9h
		0xee, // out dx, al
		0xeb, 0xfe, // jmp $
	};

	memcpy(at(memory, RESET_VECTOR_ADDRESS), code, sizeof(code));
}

static void write_files(const struct guest_memory *memory, const struct linux_files *files,
	const struct linux_file *cmdline, const struct plan *plan) {
	char *text;

	memcpy(at(memory, plan->header.preferred_address), files->kernel.bytes + plan->setup_size,
		plan->system_size);
	if (files->initrd.size != 0)
		memcpy(at(memory, plan->initrd_address), files->initrd.bytes, files->initrd.size);
	text = at(memory, CMDLINE_ADDRESS);
	memcpy(text, cmdline->bytes, cmdline->size);
	text[cmdline->size] = '\0';
}

bool linux_load(const struct guest_memory *memory, const struct linux_files *files,
	struct linux_entry *entry, struct linux_problem *problem) {
	struct plan plan = {0};
	struct linux_file cmdline = cmdline_text(files);
	const char *wrong = check_image(&files->kernel, &plan);

	if (!wrong && memory->size > LINUX_RAM_LIMIT)
		wrong = "the guest memory region is larger than 3 GiB";
	if (wrong) {
		format_text(problem->text, sizeof(problem->text), "%s", wrong);
		return false;
	}
	if (!plan_memory(memory, files, &plan, problem) || !check_cmdline(&cmdline, &plan, problem))
		return false;
	write_files(memory, files, &cmdline, &plan);
	write_boot_parameters(memory, files, &plan);
	write_page_tables(memory);
	write_gdt(memory);
	write_reset_vector(memory);
	*entry = (struct linux_entry){
		.rip = plan.header.preferred_address + ENTRY_64,
		.boot_parameters = BOOT_PARAMETERS_ADDRESS,
		.page_tables = PAGE_TABLES_ADDRESS,
		.gdt_base = GDT_ADDRESS,
		.gdt_limit = 4 * sizeof(uint64_t) - 1,
		.code_selector = CODE_SELECTOR,
		.data_selector = DATA_SELECTOR,
	};
	return true;
}
