// SPDX-License-Identifier: BSD-2-Clause
// Lines the VMM itself writes to the guest's console, each starting with "vmm NAME: ".
#pragma once

// The guest's name, and where lines go, one call each; before that they are dropped.
void log_start(const char *name, void (*write)(void *context, const char *text), void *context);
[[gnu::format(printf, 1, 2)]] void log_line(const char *format, ...);
// For what a guest can cause at will: only the first lines since log_guest_reset appear.
[[gnu::format(printf, 1, 2)]] void log_guest(const char *format, ...);
void log_guest_reset(void);
