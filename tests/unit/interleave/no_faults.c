// SPDX-License-Identifier: BSD-2-Clause
// The kernel as it is.
#include "faults.h"

const struct planted faults[] = {{}};

int planted_fault;
