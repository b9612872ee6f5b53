// SPDX-License-Identifier: BSD-2-Clause
// Domains (SCHED-26 to SCHED-29).
#pragma once

// The timer interrupt came: if the slot of the domain schedule is over, all cores go to the next
// one.
void domain_timer_arrived(void);
