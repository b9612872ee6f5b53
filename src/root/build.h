// SPDX-License-Identifier: BSD-2-Clause
// Builds the described system: all of it at the start, one restart group after a fault.
#pragma once

#include <root/group.h>

// Bytes of RAM missing for the system without the omitted domains; 0 when it is enough.
seL4_Word build_bytes_missing(const struct system *system);

// Make everything and start all threads.
[[nodiscard]] seL4_Error build_system(struct system *system);

// Destroy a group and build it again: memory, capabilities, channels. A caller that waits for the
// reply of one of its domains is sent one with the label NACRE_REPLY_RESTARTED.
[[nodiscard]] seL4_Error build_again(struct system *system, unsigned group);
