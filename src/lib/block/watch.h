// SPDX-License-Identifier: BSD-2-Clause
// How long a device has for a job. Needs the timer driver on its channel and `tsc_info_vaddr`; when
// the description gives neither, a device that stops answering is waited for.
#pragma once

#include <stdbool.h>

// A job begins.
void watch_begin(void);

// The timer driver notified: whether the job that is under way is late. Watches on if it is not.
[[nodiscard]] bool watch_is_over(void);
