// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the kernel's names, but what touches hardware calls the test, and a core that waits
// lets another one run.
#pragma once

#include_next <cpu/registers.h>

void machine_msr_write(uint32_t msr, uint64_t value);
uint64_t machine_tsc(void);
void machine_relax(void);
[[gnu::noreturn]] void machine_stop(void);
uint64_t *machine_cr0(void);
uint64_t *machine_cr4(void);
void machine_caches_flush(void);

#define msr_write(msr, value) machine_msr_write(msr, value)
#define tsc_read_ordered() machine_tsc()
#define cpu_relax() machine_relax()
#define cpu_stop() machine_stop()
#define caches_flush() machine_caches_flush()
#define cr0_read() (*machine_cr0())
#define cr0_write(value) (void)(*machine_cr0() = (value))
#define cr3_read() 0ul
#define cr3_write(value) (void)(value)
#define cr4_read() (*machine_cr4())
#define cr4_write(value) (void)(*machine_cr4() = (value))
