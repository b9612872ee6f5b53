// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the kernel's own, but for exceptions that the host's handlers take.
#pragma once

#include "../../../../../../src/arch/x86_64/guest/svm/internal.h"
#undef host_exception

extern unsigned raised; // the host's exception that was handled last

#define host_exception(vector) (raised = (vector))
