// SPDX-License-Identifier: BSD-2-Clause
// Into a guest and out of it.
#include <guest/vmx/internal.h>

#include <base/memory.h>
#include <cpu/bases.h>

void guest_init(struct guest *guest, void *control, const void *io_bitmap) {
	guest->vmx.vmcs = physical_of(control).value;
	*(uint32_t *)control = this_cpu()->vmxon_region[0];
	if (!vmcs_clear(physical_of(control))) panic("vcpu: VMCLEAR failed");
	guest_load(guest);
	vmcs_write_host();
	vmx_reset_fields(guest);
	vmcs_write(VMCS_IO_BITMAP_A, physical_of(io_bitmap).value);
	vmcs_write(VMCS_IO_BITMAP_B, physical_of(io_bitmap).value + GUEST_PAGE);
	vmx_state_init(guest);
	guest->registers = guest->own_registers;
}

// The CPU may keep the VMCS and write it back later: not after the memory is another object.
void guest_destroy(struct guest *guest) {
	struct cpu *cpu = this_cpu();

	vmx_state_forget(guest);
	if (!vmcs_clear(physical(guest->vmx.vmcs))) panic("vcpu: VMCLEAR failed");
	if (cpu->vmcs_loaded == guest) cpu->vmcs_loaded = NULL;
	if (cpu->guest == guest) cpu->guest = NULL;
}

// VPIDs are given out upwards on first entry. When they are used up, all begin anew: the CPU
// forgets every linear translation and each VCPU gets another number. VPID 0 is the host's.
static void assign_vpid(struct guest *guest) {
	uint64_t *last = &this_cpu()->last_vpid;

	++*last;
	if ((uint16_t)*last == 0) {
		++*last;
		vmx_invalidate_vpid(0);
	}
	guest->vmx.vpid = *last;
	vmcs_write(VMCS_VPID, (uint16_t)*last);
}

static void prepare_translations(struct guest *guest, physical_t space) {
	uint64_t ept_pointer = vmx_ept_pointer(space);

	if (unlikely(ept_pointer != guest->vmx.ept_pointer)) {
		guest->vmx.ept_pointer = ept_pointer;
		vmcs_write(VMCS_EPT_POINTER, ept_pointer);
	}
	if (!vmx_has_vpid()) return;
	if (unlikely(guest->vmx.vpid >> 16 != this_cpu()->last_vpid >> 16))
		assign_vpid(guest);
	else if (guest->vmx.is_stale)
		vmx_invalidate_vpid((uint16_t)guest->vmx.vpid);
	guest->vmx.is_stale = false;
}

// The VMX-preemption timer serves both the client, who may use it as VCPU-20 says, and the kernel,
// whose deadline must end a guest's turn also where its interrupt does not: some machines hold
// interrupts back while a guest that was entered with RFLAGS.IF clear keeps it so.
[[gnu::always_inline]] static inline void timer_start(const struct cpu *cpu, struct guest *guest) {
	uint64_t count = cpu->deadline > cpu->now ? cpu->deadline - cpu->now : 0;

	if (unlikely(!vmx_has_timer())) return;
	count = (count >> vmx_timer_rate()) + 1;
	if (count > UINT32_MAX) count = UINT32_MAX;
	guest->vmx.timer_is_clients = false;
	if (unlikely(guest->vmx.pin & PIN_TIMER)) {
		guest->vmx.timer_is_clients = guest->vmx.timer_left <= count;
		if (guest->vmx.timer_is_clients) count = guest->vmx.timer_left;
		guest->vmx.timer_start = tsc_read();
	}
	vmcs_write(VMCS_PREEMPTION_TIMER, count);
}

static void timer_stop(struct guest *guest) {
	uint64_t used;

	used = (tsc_read() >> vmx_timer_rate()) - (guest->vmx.timer_start >> vmx_timer_rate());
	guest->vmx.timer_left = used < guest->vmx.timer_left
		? guest->vmx.timer_left - (uint32_t)used
		: 0;
}

// The client's value is what is left if its exit controls say so.
void guest_timer_end(struct guest *guest) {
	if (likely(!(guest->vmx.pin & PIN_TIMER))) return;
	if (guest->vmx.exit & EXIT_SAVE_TIMER) guest->vmx.timer_value = guest->vmx.timer_left;
	guest_timer_reset(guest);
}

// Words 0 to 2 of VMEnter as the guest stands, in the registers of messages (SYS-1).
void guest_words_save(const struct guest *guest, struct context *context) {
	context->r10 = vmcs_read(VMCS_GUEST_RIP);
	context->r8 = guest->vmx.primary;
	context->r9 = vmcs_read(VMCS_ENTRY_INTERRUPTION);
}

void guest_words_load(struct guest *guest, const struct context *context) {
	vmcs_write(VMCS_GUEST_RIP, vmx_clean_rip(context->r10));
	vmx_set_primary(guest, context->r8);
	vmcs_write(VMCS_ENTRY_INTERRUPTION, context->r9);
}

uint64_t *guest_exit_words(struct guest_exit exit, uint64_t *word) {
	*word++ = exit.reason == UINT32_MAX ? UINT64_MAX : exit.qualification;
	*word++ = vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	*word++ = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
	*word++ = vmcs_read(VMCS_GUEST_RFLAGS);
	*word++ = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	*word++ = vmcs_read(VMCS_GUEST_CR3);
	return word;
}

// Entering

void guest_prepare(struct cpu *cpu, struct guest *guest, physical_t space) {
	if (cpu->guest != guest && cpu->mitigations & MITIGATION_BIT(IBPB))
		msr_write(MSR_PRED_CMD, PRED_CMD_IBPB);
	cpu->guest = guest;
	if (unlikely(cpu->space_root != guest->vmx.host_cr3)) {
		guest->vmx.host_cr3 = cpu->space_root;
		vmcs_write(VMCS_HOST_CR3, guest->vmx.host_cr3 & ~CR3_KEEP);
	}
	prepare_translations(guest, space);
	vmx_state_prepare(cpu, guest);
	if (features_switch_fast()) cpu->guest_prepared = guest;
}

bool guest_is_prepared(const struct cpu *cpu, const struct guest *guest) {
	return guest == cpu->guest_prepared && cpu->space_root == guest->vmx.host_cr3;
}

// The registers get the guest's state. What VM entry loads by itself is not here.
void guest_enter(struct cpu *cpu, struct guest *guest, struct context *context) {
	// A program may have changed its bases; they give way to the guest's.
	if (likely(cpu->bases_loaded > 1)) {
		bases_save_fast(context);
		if (cpu->fpu_allowed != &guest->fpu) fpu_give_guest(cpu, &guest->fpu);
	} else {
		if (cpu->bases_loaded) bases_save(context);
		fpu_give(&guest->fpu);
	}
	cpu->bases_loaded = false;
	if (unlikely(guest->xcr0 != guest->fpu.xcr0)) xcr0_write(guest->xcr0);
	if (unlikely(dr6_read() != guest->dr6)) dr6_write(guest->dr6);
	if (cr2_read() != guest->cr2) cr2_write(guest->cr2);
	timer_start(cpu, guest);
}

// The host's state returns to the registers first.
struct guest_exit guest_exit(struct guest *guest) {
	uint32_t full_reason, reason;

	vmcs_restore_limits();
	guest->cr2 = cr2_read();
	guest->dr6 = dr6_read();
	if (unlikely(guest->xcr0 != guest->fpu.xcr0)) xcr0_write(guest->fpu.xcr0);
	if (unlikely(guest->vmx.pin & PIN_TIMER)) timer_stop(guest);
	if (unlikely(guest->entry_failed)) {
		guest->entry_failed = false;
		return (struct guest_exit){GUEST_EXIT_DONE, UINT32_MAX, 0};
	}
	full_reason = (uint32_t)vmcs_read(VMCS_EXIT_REASON);
	reason = full_reason & REASON_MASK;
	// A refused guest state leaves the VMCS as it was: the next entry launches again.
	if (likely(!(full_reason & REASON_ENTRY_FAILED))) {
		guest->vmx.launched = true;
	} else if (reason == REASON_MACHINE_CHECK) {
		host_exception(VECTOR_MACHINE_CHECK);
		return (struct guest_exit){.outcome = GUEST_EXIT_KERNEL};
	}
	if (reason == REASON_EXTERNAL_INTERRUPT) {
		vmx_inject_again();
		return (struct guest_exit){
			.outcome = vmcs_read(VMCS_EXIT_INTERRUPTION) & INTERRUPTION_VECTOR};
	}
	if (reason == REASON_TIMER && !guest->vmx.timer_is_clients) {
		vmx_inject_again();
		return (struct guest_exit){.outcome = GUEST_EXIT_KERNEL};
	}
	if (reason == REASON_EXCEPTION && vmx_take_exception(guest))
		return (struct guest_exit){.outcome = GUEST_EXIT_KERNEL};
	return (struct guest_exit){GUEST_EXIT_DONE, reason,
		full_reason & REASON_ENTRY_FAILED ? 0 : vmcs_read(VMCS_EXIT_QUALIFICATION)};
}
