// SPDX-License-Identifier: BSD-2-Clause
// The configuration that user programs see.
#pragma once

#include <kernel/gen_config.h>
