// SPDX-License-Identifier: BSD-2-Clause
// Which engine a core has.
#include <guest/engine.h>

#include <cpu/platform.h>

bool guest_engine_is_on(void) { return guest_engine(); }

const struct paging_format *guest_engine_init(void) {
	const struct guest_engine *engine = feature_has(FEATURE_SVM) ? &guest_svm : &guest_vmx;
	struct cpu *cpu = this_cpu();

	memset(cpu->msr_map, UINT8_MAX, sizeof(cpu->msr_map));
	cpu->platform->found.words[VMX_ANY].may = UINT64_MAX;
	if (engine->init()) cpu->engine = engine;
	if (guest_has_spec_ctrl()) cpu->platform->found.offered |= VCPU_OFFERS_SPEC_CTRL;
	return engine->paging;
}
