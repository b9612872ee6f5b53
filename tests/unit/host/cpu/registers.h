// SPDX-License-Identifier: BSD-2-Clause
// Host tests: instructions that touch hardware become calls of the test.
#pragma once

#include <stdint.h>

#define CR3_KEEP (1ul << 63)
#define CR4_PCIDE (1ul << 17)

enum tlb_kind { TLB_ADDRESS = 0, TLB_SPACE = 1, TLB_ALL_SPACES = 3 };

#include <x86/cr.h>
#include <x86/instructions.h>

uint64_t cr0_read(void);
void cr0_write(uint64_t value);
uint64_t cr2_read(void);
void cr3_write(uint64_t value);
uint64_t cr4_read(void);
void cr4_write(uint64_t value);
void tlb_invalidate(enum tlb_kind kind, uint64_t pcid, uint64_t address);
uint64_t dr0_read(void);
void dr0_write(uint64_t value);
uint64_t dr1_read(void);
void dr1_write(uint64_t value);
uint64_t dr2_read(void);
void dr2_write(uint64_t value);
uint64_t dr3_read(void);
void dr3_write(uint64_t value);
void msr_write(uint32_t msr, uint64_t value);
void xcr0_write(uint64_t value);
void caches_flush(void);
void cpu_relax(void);
void tlb_invalidate_page(uint64_t address);

uint8_t io_in8(uint16_t port);
uint16_t io_in16(uint16_t port);
uint32_t io_in32(uint16_t port);
void io_out8(uint16_t port, uint8_t value);
void io_out16(uint16_t port, uint16_t value);
void io_out32(uint16_t port, uint32_t value);
