// SPDX-License-Identifier: BSD-2-Clause
// How long a device may take for a job. Needs the timer driver on its channel and `tsc_info_vaddr`;
// without them in the description, the driver waits for a silent device for ever.
#pragma once

#include <stdbool.h>

// A job begins.
void watch_begin(void);

// On a notification by the timer driver: whether the job in progress is late. If not, watches on.
[[nodiscard]] bool watch_is_over(void);
