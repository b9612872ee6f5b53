// SPDX-License-Identifier: BSD-2-Clause
#include "../../../host/cpu/percpu.h"
