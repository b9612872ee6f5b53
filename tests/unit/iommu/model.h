// SPDX-License-Identifier: BSD-2-Clause
// A unit of AMD's that remaps DMA, written from its specification (48882) without the driver's
// names: it keeps what it has read until a command has it forget that, checks reserved bits, and
// writes events. With the machine around it: memory, time, ports, the log.
#pragma once

#include <iommu/amdvi.h>
#include <setjmp.h>

enum { MODEL_DEVICE = 0x0002, MODEL_CAPABILITY = 0x40, MODEL_MSI = 0x60 };

struct model {
	bool is_dead; // it carries no command out
	bool has_no_capability;
	bool is_late; // its tail is ahead of the events, for good
	unsigned openings; // times that it was switched off: all devices pass
	unsigned eager; // a device that makes a request whenever it can; 0: none
	uint64_t features;
	uint32_t header; // of the capability: bits besides
	unsigned interrupts;
	unsigned commands; // carried out
	uint32_t registers[64]; // as a PCI function
};

extern struct model model;
extern char model_printed[8192];
unsigned model_lines(void); // that are printed
void model_pass_seconds(void);
extern jmp_buf model_panicked;

// A unit that firmware has left on, with a table that lets all devices pass and is kept.
void model_reset(void);

// A unit's registers.
uint64_t model_address(void);

void *model_take(uint64_t size);

// A device's request. True: it arrives, at *target.
bool model_request(unsigned device, uint64_t address, bool is_write, uint64_t *target);

// A request that is none of memory.
void model_send_event(unsigned kind, unsigned device);
