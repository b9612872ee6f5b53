// SPDX-License-Identifier: BSD-2-Clause
// The kernel's interface to programs: everything of <sel4/...>.
#pragma once

#include <sel4/config.h>

#include <sel4/macros.h>
#include <sel4/types.h>

#include <sel4/bootinfo_types.h>
#include <sel4/constants.h>
#include <sel4/errors.h>
#include <sel4/faults.h>
#include <sel4/invocation.h>
#include <sel4/objecttype.h>
#include <sel4/vmenter.h>

#include <sel4/assert.h>
#include <sel4/syscalls.h>

#include <interfaces/sel4_client.h>

#include <sel4/functions.h>
#include <sel4/nacre.h>
