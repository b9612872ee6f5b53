// SPDX-License-Identifier: BSD-2-Clause
// The monitor of the traced guest is Nacre's, whose calls the linker leads through here (`--wrap`):
// each access to a device, and each interrupt that the guest takes, is written to the trace. So
// there is nothing of this in the monitor itself.
#include <vmm/machine.h>

#include <microkit.h>
#include <x86/msr.h>

#include "trace.h"

enum { CHANNEL_TRACER = 61 }; // far from the monitor's own

// Patched by the composer.
uint64_t trace_vaddr __attribute__((section(".data")));
uint64_t trace_size __attribute__((section(".data")));

// The names that the linker makes.
uint64_t __real_bus_read(struct bus *bus, uint64_t address, enum bus_width width);
uint64_t __wrap_bus_read(struct bus *bus, uint64_t address, enum bus_width width);
void __real_bus_write(struct bus *bus, uint64_t address, enum bus_width width, uint64_t value);
void __wrap_bus_write(struct bus *bus, uint64_t address, enum bus_width width, uint64_t value);
enum msr_result __real_msr_read(struct msr_file *file, uint32_t number, uint64_t *value);
enum msr_result __wrap_msr_read(struct msr_file *file, uint32_t number, uint64_t *value);
enum msr_result __real_msr_write(struct msr_file *file, uint32_t number, uint64_t value);
enum msr_result __wrap_msr_write(struct msr_file *file, uint32_t number, uint64_t value);
void __real_lapic_acknowledge(struct lapic *lapic, uint8_t vector);
void __wrap_lapic_acknowledge(struct lapic *lapic, uint8_t vector);
void __real_machine_settle(struct machine *machine);
void __wrap_machine_settle(struct machine *machine);

static void record(const char *device, struct trace_record access) {
	struct trace *trace = (struct trace *)trace_vaddr;
	uint64_t room = (trace_size - sizeof(*trace)) / sizeof(access);

	for (unsigned i = 0; i < TRACE_NAME - 1 && device[i]; i++)
		access.device[i] = device[i];
	if (trace->count < room) trace->records[trace->count] = access;
	trace->count++;
}

// The bus keeps the window that answered last.
static const char *device_at(const struct bus *bus, uint64_t address) {
	for (; bus; bus = bus->behind) {
		const struct bus_window *window = bus->recent;

		if (window && address - window->base < window->size) return window->ops->name;
	}
	return "nothing";
}

uint64_t __wrap_bus_read(struct bus *bus, uint64_t address, enum bus_width width) {
	uint64_t value = __real_bus_read(bus, address, width);

	record(device_at(bus, address),
		(struct trace_record){
			.kind = 'r', .width = (uint8_t)width, .address = address, .value = value});
	return value;
}

void __wrap_bus_write(struct bus *bus, uint64_t address, enum bus_width width, uint64_t value) {
	__real_bus_write(bus, address, width, value);
	record(device_at(bus, address),
		(struct trace_record){.kind = 'w',
			.width = (uint8_t)width,
			.address = address,
			.value = bus_truncate(value, width)});
}

// Other MSRs are the CPU's, and one maker's have not those of the other.
static bool is_of_apic(uint32_t number) {
	return number == MSR_TSC_DEADLINE || (number >= MSR_X2APIC && number <= MSR_X2APIC + 0xff);
}

static void record_msr(char kind, uint32_t number, enum msr_result result, uint64_t value) {
	if (!is_of_apic(number)) return;
	record("local APIC's MSR",
		(struct trace_record){.kind = kind,
			.width = 8,
			.address = number,
			.value = result == MSR_DONE ? value : UINT64_MAX});
}

enum msr_result __wrap_msr_read(struct msr_file *file, uint32_t number, uint64_t *value) {
	enum msr_result result = __real_msr_read(file, number, value);

	record_msr('r', number, result, *value);
	return result;
}

enum msr_result __wrap_msr_write(struct msr_file *file, uint32_t number, uint64_t value) {
	enum msr_result result = __real_msr_write(file, number, value);

	record_msr('w', number, result, value);
	return result;
}

void __wrap_lapic_acknowledge(struct lapic *lapic, uint8_t vector) {
	record("interrupt", (struct trace_record){.kind = 'i', .address = vector});
	__real_lapic_acknowledge(lapic, vector);
}

void __wrap_machine_settle(struct machine *machine) {
	__real_machine_settle(machine);
	if (machine_is_stopped(machine)) microkit_notify(CHANNEL_TRACER);
}
