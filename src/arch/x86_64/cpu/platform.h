// SPDX-License-Identifier: BSD-2-Clause
// What the cores of one kernel image share of the machine. The kernel's objects follow it, in
// struct kernel (kernel.h).
#pragma once

#include <cpu/apic.h>
#include <cpu/console.h>
#include <cpu/features.h>
#include <cpu/found.h>
#include <cpu/iommu.h>
#include <cpu/kernel_map.h>

// Found at boot and read afterwards, unless a member says otherwise.
struct platform {
	struct kernel_map map;
	struct console console;
	const char *syscall_entries[SYSCALL_ENTRIES]; // what LSTAR may hold
	struct found found;
	// By enum space_format (cap.h); null: no space of the kind is made. Guests' is their
	// engine's.
	const struct paging_format *paging[4];
	struct iommu *iommu; // null: devices reach all memory
	uint64_t ticks_per_us; // of the TSC
	uint64_t memory_types[MTRRS]; // of the first core
	// Written while a core waits for its turn, or runs alone (lock.c).
	alignas(64) struct {
		uint32_t next, serving; // tickets
	} lock;
	alignas(64) unsigned core_count; // that are up
	struct cpu *cores[ACPI_MAX_CORES];
	unsigned ioapic_count;
	struct ioapic ioapics[ACPI_MAX_IOAPICS];

	// All VCPUs, in lists by their numbers: those in one list are 32 MiB apart, so few. Written
	// by vcpu_init and vcpu_destroy.
	struct vcpu *vcpus[2048];

	// 1: the port is in a range. The first port's byte is the object of a range's capabilities.
	// Written by port_control_issue and port_range_destroy only.
	uint8_t port_taken[1 << 16];
};

static inline const struct svm *svm(void) { return &this_cpu()->platform->found.svm; }

static inline bool svm_has(enum svm_feature feature) { return svm()->features & feature; }

// This core runs alone, and others wait for their turn.
static inline bool lock_is_wanted(const struct platform *platform) {
	uint32_t next = __atomic_load_n(&platform->lock.next, __ATOMIC_RELAXED);

	return next - platform->lock.serving > 1;
}
