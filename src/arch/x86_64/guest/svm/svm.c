// SPDX-License-Identifier: BSD-2-Clause
// AMD-V of this core: what it must have, switching it on, translations it keeps (APM 2 15.4, 15.16,
// 15.30; CPUID 8000_000Ah).
#include <guest/svm/internal.h>

#include <x86/cpuid.h>

// CR4 bits whose effect the kernel switches or confines, as far as this CPU has them: those that it
// uses itself are in its own CR4.
#define CR4_ALWAYS 0x7fful
#define CR4_OFFERED (CR4_UMIP | CR4_FSGSBASE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP)

// The firmware's word: an open lock may be opened. An INIT would reset the core (APM 2 15.30.1):
// it becomes an exception of the kernel's.
bool svm_unlock(void) {
	uint64_t control = msr_read_any(MSR_VM_CR);

	if (control & VM_CR_SVMDIS && control & VM_CR_LOCK) return false;
	return msr_try_write(MSR_VM_CR, (control & ~(uint64_t)VM_CR_SVMDIS) | VM_CR_R_INIT) ||
		!(control & VM_CR_SVMDIS);
}

bool svm_init(void) {
	struct cpu *cpu = this_cpu();
	struct found *found = &cpu->platform->found;
	struct cpuid leaf = cpuid_leaf(LEAF_SVM, 0);

	if (!svm_unlock()) return guest_refuse("AMD-V, locked off by the firmware");
	if (!(leaf.edx & SVM_NESTED_PAGING)) return guest_refuse("nested paging");
	if (!guest_has_tsc_aux()) return guest_refuse("RDTSCP");
	found->svm = (struct svm){leaf.edx, leaf.ebx < UINT16_MAX ? leaf.ebx : UINT16_MAX};
	found->words[VMX_SECONDARY] = (struct word_range){SVM_SECONDARY_MUST, SVM_SECONDARY_MAY};
	found->words[VMX_EFER] = (struct word_range){EFER_SVME, UINT64_MAX};
	// Without MCE a machine check shuts the CPU down (APM 2 9.3.1).
	found->words[VMX_CR4] = (struct word_range){CR4_MCE,
		CR4_ALWAYS | (cr4_read() & CR4_OFFERED) |
			(feature_has(FEATURE_PCID) ? CR4_PCIDE : 0)};
	found->offered = SVM_PRIMARY_MAY | (uint64_t)SVM_SECONDARY_MAY << 32 | VCPU_BY_AMD_V |
		VCPU_OFFERS_PAT;
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE_PA, physical_of_image(cpu->engine_page).value);
	cpu->host_block = physical_of_image(&cpu->host_vmcb).value;
	asm volatile("vmsave %%rax" : : "a"(cpu->host_block) : "memory");
	cpu->tsc_aux = msr_read(MSR_TSC_AUX);
	cpu->last_tag = 1ul << 16;
	print("svm: on, nested paging, %u ASIDs%s%s%s\n", leaf.ebx,
		svm_has(SVM_FLUSH_BY_ASID) ? ", flush by ASID" : "",
		svm_has(SVM_NEXT_RIP) ? ", next RIP" : "",
		svm_has(SVM_DECODE_ASSISTS) ? ", decode assists" : "");
	return true;
}

// A generation begins: every guest gets another ASID, and the first one flushes all. Programs can
// make them begin as fast as they unmap pages, so their number has all bits but 16.
void svm_invalidate(void) {
	struct cpu *cpu = this_cpu();

	cpu->last_tag = ((cpu->last_tag >> 16) + 1) << 16;
	cpu->guest_prepared = NULL;
}

void svm_assign_asid(struct guest *guest) {
	struct cpu *cpu = this_cpu();

	if ((uint16_t)cpu->last_tag + 1u >= svm()->asids) svm_invalidate();
	guest->svm.asid = ++cpu->last_tag;
	guest->svm.vmcb->asid = (uint16_t)cpu->last_tag;
	if (guest->svm.vmcb->asid == 1) guest->svm.vmcb->tlb_control = TLB_CONTROL_FLUSH_ALL;
}
