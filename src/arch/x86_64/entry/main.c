// SPDX-License-Identifier: BSD-2-Clause
// Start-up as a list, from the loader's information to the initial task.
#include <entry/trap.h>

#include <entry/cores.h>
#include <entry/framebuffer.h>
#include <guest/engine.h>
#include <entry/mitigate.h>
#include <entry/multiboot.h>
#include <iommu/amdvi.h>
#include <iommu/vtd.h>
#include <kernel.h>
#include <sched/switch.h>

// 8 bytes that machines with message-signalled interrupts decode themselves (BOOT-12).
#define MESSAGE_WINDOW 0xfffffff8ul

struct cpu boot_cpu; // boot.asm starts on its stack
static struct kernel boot_kernel;
static struct boot_facts facts; // written here until boot_root reads it
static unsigned options[OPTIONS]; // written by loader_read only
static struct iommu_firmware units; // written by tables_read only

static bool loader_read(uint32_t magic, uint32_t information) {
	struct screen *screen = &boot_kernel.platform.console.screen;
	const char *line = facts.command_line, *cut;
	struct boot_memory *memory = &facts.memory;
	unsigned lost;
	bool ok;

	memory->limit = kernel_map_ram_end();
	facts.acpi.reader = physical_read;
	ok = multiboot_read(&facts, magic, information);
	memory_sort(memory, facts.modules, facts.module_count);
	cut = facts.command_line[BOOT_COMMAND_LINE] ? options_cut(facts.command_line) : NULL;
	if (magic == MULTIBOOT1_LOADER) line = options_behind_name(line);
	options_read(line, options, false);
	console_init(
		options[OPTION_CONSOLE] == CONSOLE_SCREEN ? 0 : (uint16_t)options[OPTION_SERIAL]);
	if (options[OPTION_CONSOLE] != CONSOLE_SERIAL) framebuffer_find(screen, &facts);
	facts.has_screen = screen->size > 0;
	boot_kernel.platform.console.is_quiet = options[OPTION_LOG] == LOG_NONE;
	boot_kernel.platform.console.reboots = options[OPTION_PANIC];
	facts.verbose_boot = options[OPTION_LOG] == LOG_ALL;
	boot_kernel.domains.last = options[OPTION_DOMAINS] - 1;
	facts.root_cnode_bits = options[OPTION_ROOT_CNODE];
	facts.options.self_test = options[OPTION_SELF_TEST];
	facts.options.report = options[OPTION_REPORT];
	print("\nNacre " NACRE_VERSION ", %s build\n", NACRE_DEBUG ? "debug" : "release");
	if (cut) print("boot: the command line is too long, cut from here on: %.64s\n", cut);
	options_read(line, options, true);
	if (!ok) return refuse("boot: not started by a multiboot loader (magic %x)\n", magic);
	print("boot: multiboot %d, %u modules, %lu MiB of RAM\n",
		magic == MULTIBOOT1_LOADER ? 1 : 2, facts.module_count,
		region_bytes(&memory->ram) / MIB);
	lost = memory->ram.lost + memory->other.lost + memory->visible.lost;
	if (lost > 0 || facts.modules_lost > 0)
		print("boot: %u more ranges of memory and the last %u modules are not used: "
		      "there may be %u and %u\n",
			lost, facts.modules_lost, REGION_LIST_SIZE, BOOT_MAX_MODULES);
	return true;
}

static bool map_start(void) {
	const struct region_list *visible = &facts.memory.visible;
	struct screen *screen = &boot_kernel.platform.console.screen;
	uint64_t image = physical_of_image(image_start).value;
	uint64_t image_size = (uint64_t)(image_end - image_start), pool, pool_size;

	memory_keep(&facts.memory, image, image + image_size);
	pool_size = kernel_map_pool_size(visible->count, region_bytes(visible));
	pool = memory_take(&facts.memory, pool_size, PHYSICAL_READ_END);
	if (!pool)
		return refuse("boot: no %lu KiB of RAM in one piece for the kernel's page tables\n",
			pool_size / 1024);
	kernel_map_start((struct range){pool, pool + pool_size}, visible->regions, visible->count,
		(struct range){screen->address, screen->address + screen->size});
	framebuffer_mapped(screen, facts.memory.limit);
	print("map: image %lu KiB, tables %lu KiB\n", image_size / 1024,
		(boot_kernel.platform.map.pool_next - pool) / 1024);
	return true;
}

// Size bytes in the memory that the kernel's own tables show.
static const void *memory_read(uint64_t address, uint64_t size) {
	if (!region_has(&facts.memory.visible, address, size)) return physical_read(address, size);
	return physical_pointer(physical(address));
}

// Device addresses in tables are used where the window maps them as devices.
static bool is_device(uint64_t page) {
	return physical_read(page, PAGE_SIZE) && !region_has(&facts.memory.ram, page, PAGE_SIZE);
}

static void tables_read(void) {
	acpi_read(&facts.acpi, facts.rsdp);
	if (facts.acpi.ivrs)
		ivrs_read(&units, facts.acpi.ivrs);
	else
		dmar_read(&units, facts.acpi.dmar);
}

// Before any memory is taken, for a firmware's map may declare memory free that holds its tables;
// tables above 4 GiB must wait for the kernel's own page tables.
static bool acpi_and_map_start(void) {
	struct acpi_facts *acpi = &facts.acpi;

	tables_read();
	if (!map_start()) return false;
	if (acpi->has_hidden) {
		*acpi = (struct acpi_facts){.reader = memory_read};
		tables_read();
	}
	if (!is_device(acpi->hpet)) acpi->hpet = 0;
	if (!acpi->has_madt) print("acpi: no %s\n", facts.rsdp[0] ? "MADT" : "RSDP");
	return true;
}

static void interrupts_start(void) {
	const struct acpi_facts *acpi = &facts.acpi;
	uint64_t page;

	pic_silence();
	page = apic_init();
	memory_keep(&facts.memory, page, page + PAGE_SIZE);
	for (unsigned i = 0; i < acpi->ioapic_count; i++) {
		page = align_down(acpi->ioapics[i].address, PAGE_SIZE);
		if (!is_device(page)) {
			print("ioapic: at %lx is RAM\n", acpi->ioapics[i].address);
			continue;
		}
		ioapic_add(&acpi->ioapics[i]);
		memory_keep(&facts.memory, page, page + PAGE_SIZE);
	}
	memory_keep(&facts.memory, MESSAGE_WINDOW, MESSAGE_WINDOW + 8);
}

static void *take_zeroed(uint64_t size) {
	uint64_t address = memory_take(&facts.memory, size, PHYSICAL_READ_END);

	if (!address) panic("iommu: no RAM for its tables (iommu=off starts without)");
	return memset(physical_pointer(physical(address)), 0, size);
}

// No program gets a unit's registers, or memory that firmware has a device use.
static void iommu_start(void) {
	for (unsigned i = 0; i < units.unit_count; i++) {
		struct iommu_unit *unit = &units.units[i];

		memory_keep(&facts.memory, unit->address, unit->address + unit->size);
		if (!is_device(unit->address)) unit->size = 0;
	}
	for (unsigned i = 0; i < units.range_count; i++)
		memory_keep(
			&facts.memory, units.ranges[i].memory.start, units.ranges[i].memory.end);
	if (units.lost > 0) print("iommu: %u parts of firmware's table are not used\n", units.lost);
	if (options[OPTION_IOMMU] == MODE_OFF)
		print("iommu: OFF by the option: devices reach ALL memory by DMA\n");
	else if (!units.unit_count ||
		!(units.is_amd ? amdvi_start : vtd_start)(&units, take_zeroed))
		print("iommu: none that can be used: devices reach ALL memory by DMA\n");
}

// Everything in order; false after a message with what is missing.
static bool start(uint32_t magic, uint32_t information) {
	uint64_t start_code = align_down((uint64_t)core_trampoline, PAGE_SIZE);
	uint64_t image = physical_of_image(image_start).value;

	core_begin(&boot_cpu, &boot_kernel);
	segments_init(&boot_cpu, trap_stubs); // exceptions are caught from here
	console_step(1, "the loader's information");
	if (!loader_read(magic, information)) return false; // console, command line, memory
	console_step(2, "the CPU's features, mitigations");
	if (!features_init(options_hidden(options))) return false; // CR0, CR4, EFER
	machine_check_init(); // reports what firmware left
	mitigate_start(&boot_cpu, options);
	gates_install(boot_cpu.mitigations,
		options[OPTION_FAST_PATHS] != MODE_OFF && features_switch_fast() &&
			!boot_kernel.domains.last, // they look at no domain
		boot_kernel.platform.syscall_entries); // while text is writable
	segments_use_entry(SYSCALL_ENTRY_FAST);
	console_step(3, "ACPI tables, page tables, interrupt controllers");
	if (!acpi_and_map_start()) return false; // W^X image, physical window
	pcid_start(options[OPTION_PCID] != MODE_OFF);
	interrupts_start(); // all pins masked
	console_step(4, "clock, IOMMU, FPU, guests");
	facts.tsc_hertz = clock_init(&facts.acpi, options[OPTION_TSC] * 1000ul);
	if (!facts.tsc_hertz) return false;
	facts.tsc_mhz = (uint32_t)clock_ticks_per_us();
	memory_keep(&facts.memory, start_code, image); // other cores begin there, too
	iommu_start(); // every device blocked
	fpu_init();
	boot_kernel.platform.paging[SPACE_HOST] = &paging_host;
	boot_kernel.platform.paging[SPACE_GUEST] = guest_engine_init();
	schedule_init(&boot_cpu);
	console_step(5, "other cores");
	cores_start(&boot_cpu, &facts.acpi, options, &facts.memory);
	region_add(&facts.memory.free, start_code, image);
	console_step(6, "initial task");
	return boot_root(&facts); // untypeds, the initial task
}

enum exit_path boot_main(uint32_t magic, uint32_t information) {
	uint64_t began = tsc_read();

	if (!start(magic, information)) {
		print("boot: nothing to run, stopped\n");
		cpu_stop();
	}
	console_step(7, NULL);
	print("boot: done in %lu TSC ticks\n", tsc_read() - began);
	schedule_update_time(); // start-up is over now, and the initial task may run at once
	return schedule();
}
