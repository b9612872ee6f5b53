// SPDX-License-Identifier: BSD-2-Clause
// A virtual CPU by its state page (include/abi/vcpu_state.h), for monitors written to <microkit.h>
// that do not need to run elsewhere.
//
// Once the page is in use, microkit_vcpu_x86_on and _off switch the guest as ever, but the library
// runs it with what the page says: fault() is called after each exit with the reason as label of
// the message, which has no words, and the page has the rest. Notifications come by notified().
#pragma once

#include <abi/vcpu_state.h>

#include <microkit.h>

SEL4_C_BEGIN

// The state page of the protection domain's virtual CPU, in use from the first call on. Null when
// there is none: the description has no such virtual CPU, or the machine runs no guests.
struct vcpu_state_page *microkit_vcpu_state(microkit_child vcpu);
// Writes groups that the last exit left out into the page: an exit saves what `save` says.
void microkit_vcpu_save_state(microkit_child vcpu, seL4_Word groups);

SEL4_C_END
