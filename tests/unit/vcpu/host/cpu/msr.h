// SPDX-License-Identifier: BSD-2-Clause
#include "../../../startup/host/cpu/msr.h"
