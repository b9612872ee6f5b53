// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPUs as they are, where other host tests have them as capabilities only.
#pragma once

#include "../../../../../src/arch/x86_64/object/vcpu.h"
