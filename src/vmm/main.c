// SPDX-License-Identifier: BSD-2-Clause
// The virtual machine monitor: one guest in one vCPU, built from what the system description gives.
#include <vmm/command.h>
#include <vmm/describe.h>
#include <vmm/exits.h>
#include <vmm/host/description.h>
#include <vmm/host/log.h>

#include <abi/bootinfo.h>
#include <microkit.h>

#include <nacre/protocol/console.h>
#include <nacre/tsc.h>

// The machine, written from the entry points only, which never nest.
static struct machine machine;

static bool fail(const char *what) {
	log_line("guest not started: %s", what);
	life_stop(&machine.life, GUEST_BY_MONITOR);
	return false;
}

// The first serial port leads to the driver of the machine's own, the second to any component.
static void start_terminals(void) {
	struct terminal *first = &machine.terminals[0];
	struct terminal *second = &machine.terminals[1];

	terminal_open(first, (struct console *)console_vaddr, guest_name, CONSOLE_INTERACTIVE);
	first->signal = host_signal;
	first->context = host_context(HOST_CHANNEL_CONSOLE);
	terminal_open(second, (struct console *)peer_vaddr, guest_name, CONSOLE_PLAIN);
	second->signal = host_signal;
	second->context = host_context(HOST_CHANNEL_PEER);
	log_start(guest_name, terminal_write, first);
}

static bool check_description(void) {
	if (guest_ram_vaddr == 0 || guest_ram_size == 0)
		return fail(
			"the description maps no guest memory (guest_ram_vaddr, guest_ram_size)");
	if (guest_kernel_vaddr == 0)
		return fail("the description maps no kernel image (guest_kernel_vaddr)");
	if (guest_initrd_size != 0 && guest_initrd_vaddr == 0)
		return fail("the description maps no RAM disk (guest_initrd_vaddr)");
	if (guest_cmdline_size != 0 && guest_cmdline_vaddr == 0)
		return fail("the description maps no command line (guest_cmdline_vaddr)");
	if (tsc_info_vaddr == 0)
		return fail("the description maps no TSC information (tsc_info_vaddr)");
	return true;
}

// The description's region starts with the boot information chunk; all zero without one.
static bool read_clock(void) {
	machine.clock.read = host_tsc;
	machine.clock.hertz = tsc_hertz(tsc_info_vaddr);
	return machine.clock.hertz > 0 || fail("the kernel reports no TSC frequency");
}

static void describe_guest(void) {
	machine.memory.bytes = (uint8_t *)guest_ram_vaddr;
	machine.memory.size = guest_ram_size;
	machine.files = (struct linux_files){
		.kernel = {(const uint8_t *)guest_kernel_vaddr, guest_kernel_size},
		.initrd = {(const uint8_t *)guest_initrd_vaddr, guest_initrd_size},
		.cmdline = {(const uint8_t *)guest_cmdline_vaddr, guest_cmdline_size},
	};
}

static void describe_cpu(void) {
	const struct vcpu_state_page *page = host_vcpu_page(0);

	machine.cpuid.host = host_cpuid;
	machine.cpuid.xcr0_allowed = page->xcr0_offered;
	machine.cpuid.xcr0_host = host_xcr0();
	machine.cpuid.xsave_compacts = host_xsave_compacts();
	machine.cpuid.tsc_hertz = machine.clock.hertz;
	machine.cpuid.controls = page->controls_offered;
	machine.memory.address_bits = cpuid_address_bits(&machine.cpuid);
}

static void start_wall_clock(void) {
	uint64_t then;
	uint64_t seconds = host_wall_clock(&then);

	rtc_start(&machine.rtc, &machine.clock, seconds, then);
}

static bool start(void) {
	if (!host_vcpu_page(0))
		return fail("this machine has no VT-x or AMD-V (or the description gives no vCPU)");
	if (!check_description() || !read_clock()) return false;
	describe_guest();
	describe_cpu();
	describe_devices(&machine.devices);
	if (!machine_build(&machine)) return fail("two devices claim one address");
	start_wall_clock();
	if (!machine_reset(&machine)) return false;
	log_line("guest starts: %lu MiB of memory, kernel %lu KiB, RAM disk %lu KiB",
		guest_ram_size >> 20, guest_kernel_size >> 10, guest_initrd_size >> 10);
	return true;
}

void init(void) {
	start_terminals();
	describe_life(&machine);
	if (start()) machine_settle(&machine);
	machine_tell(&machine);
	machine_flush_terminals(&machine);
}

void notified(microkit_channel channel) {
	for (unsigned i = 0; i < MACHINE_VCPUS && !machine_is_stopped(&machine); i++)
		machine_left(&machine.processors[i]);
	machine_notified(&machine, channel);
	command_take_all(&machine);
	if (machine.complete) machine_settle(&machine);
	machine_flush_terminals(&machine);
}

seL4_Bool fault(microkit_child vcpu, microkit_msginfo, microkit_msginfo *) {
	struct processor *processor = &machine.processors[vcpu % MACHINE_VCPUS];

	exit_handle(processor);
	machine_settle(&machine);
	return processor->vcpu.run == VCPU_RUNNING;
}
