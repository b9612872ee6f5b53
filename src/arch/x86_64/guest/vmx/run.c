// SPDX-License-Identifier: BSD-2-Clause
// The engine's row: into a guest and out of it.
#include <guest/vmx/internal.h>

static void load(struct guest *guest) {
	struct cpu *cpu = this_cpu();

	if (cpu->vmcs_loaded == guest) return;
	cpu->guest_prepared = NULL;
	if (!vmcs_load(physical(guest->vmx.vmcs))) panic("vcpu: VMPTRLD failed");
	cpu->vmcs_loaded = guest;
}

// What a VM exit loads is the core's; generations of VPIDs begin with 1 on each.
static void arrive(struct guest *guest) {
	load(guest);
	vmcs_write_host();
	vmx_msr_init(guest);
	guest->vmx.vpid = 0;
	guest->host_root = 0;
}

static void create(struct guest *guest, void *control, const void *io_bitmap) {
	guest->vmx.vmcs = physical_of(control).value;
	guest->vmx.has_timer = vmx_has_timer();
	guest->vmx.timer_rate = this_cpu()->platform->found.timer_rate;
	*(uint32_t *)control = this_cpu()->engine_page[0];
	if (!vmcs_clear(physical_of(control))) panic("vcpu: VMCLEAR failed");
	load(guest);
	vmx_reset_fields(guest); // counts of MSRs, too
	arrive(guest);
	vmcs_write(VMCS_IO_BITMAP_A, physical_of(io_bitmap).value);
	vmcs_write(VMCS_IO_BITMAP_B, physical_of(io_bitmap).value + GUEST_PAGE);
}

// The CPU may keep the VMCS and write it back later: not after the memory is another object, or
// another core has loaded it (SDM 3C 25.11.1).
static void unload(struct guest *guest) {
	struct cpu *cpu = this_cpu();

	if (!vmcs_clear(physical(guest->vmx.vmcs))) panic("vcpu: VMCLEAR failed");
	if (cpu->vmcs_loaded == guest) cpu->vmcs_loaded = NULL;
	guest->vmx.launched = 0;
}

// VPIDs are given out upwards on first entry. When they are used up, all begin anew: the CPU
// forgets every linear translation and each VCPU gets another number. VPID 0 is the host's.
static void assign_vpid(struct guest *guest) {
	uint64_t *last = &this_cpu()->last_tag;

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
	if (unlikely(guest->vmx.vpid >> 16 != this_cpu()->last_tag >> 16))
		assign_vpid(guest);
	else if (guest->is_stale)
		vmx_invalidate_vpid((uint16_t)guest->vmx.vpid);
	guest->is_stale = false;
}

// The VMX-preemption timer serves both the monitor, who may use it as VCPU-20 says, and the kernel,
// whose deadline must end a guest's turn also where its interrupt does not: some machines hold
// interrupts back while a guest that was entered with RFLAGS.IF clear keeps it so.
static void timer_start(const struct cpu *cpu, struct guest *guest) {
	uint64_t count = cpu->deadline > cpu->now ? cpu->deadline - cpu->now : 0;

	if (unlikely(!guest->vmx.has_timer)) return;
	count = (count >> guest->vmx.timer_rate) + 1;
	if (count > UINT32_MAX) count = UINT32_MAX;
	guest->vmx.timer_is_monitors = false;
	if (unlikely(guest->vmx.pin & PIN_TIMER)) {
		guest->vmx.timer_is_monitors = guest->vmx.timer_left <= count;
		if (guest->vmx.timer_is_monitors) count = guest->vmx.timer_left;
		guest->vmx.timer_start = tsc_read();
	}
	vmcs_write(VMCS_PREEMPTION_TIMER, count);
}

static void timer_stop(struct guest *guest) {
	unsigned rate = guest->vmx.timer_rate;
	uint64_t used = (tsc_read() >> rate) - (guest->vmx.timer_start >> rate);

	guest->vmx.timer_left = used < guest->vmx.timer_left ? guest->vmx.timer_left - used : 0;
}

static void timer_reset(struct guest *guest) { guest->vmx.timer_left = guest->vmx.timer_value; }

// A run ended. The monitor's value is what is left if its exit controls say so.
static void timer_end(struct guest *guest) {
	if (likely(!(guest->vmx.pin & PIN_TIMER))) return;
	if (guest->vmx.exit & EXIT_SAVE_TIMER) guest->vmx.timer_value = guest->vmx.timer_left;
	timer_reset(guest);
}

// Words of VMEnter

static void words_save(const struct guest *guest, struct context *context) {
	context->r10 = vmcs_read(VMCS_GUEST_RIP);
	context->r8 = guest->vmx.primary;
	context->r9 = vmcs_read(VMCS_ENTRY_INTERRUPTION);
}

static void words_load(struct guest *guest, const struct context *context) {
	vmcs_write(VMCS_GUEST_RIP, guest_clean_rip(context->r10));
	vmx_set_primary(guest, context->r8);
	vmcs_write(VMCS_ENTRY_INTERRUPTION, context->r9);
}

static uint64_t *exit_words(struct guest *, uint64_t reason, uint64_t *word) {
	bool has_failed = vmcs_read(VMCS_EXIT_REASON) & REASON_ENTRY_FAILED;
	uint64_t qualification = has_failed ? 0 : vmcs_read(VMCS_EXIT_QUALIFICATION);

	*word++ = reason == GUEST_ENTRY_REFUSED ? UINT64_MAX : qualification;
	*word++ = vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	*word++ = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
	*word++ = vmcs_read(VMCS_GUEST_RFLAGS);
	*word++ = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	*word++ = vmcs_read(VMCS_GUEST_CR3);
	return word;
}

// Into the guest

static void prepare(struct cpu *cpu, struct guest *guest, physical_t space) {
	if (unlikely(cpu->space_root != guest->host_root)) {
		guest->host_root = cpu->space_root;
		vmcs_write(VMCS_HOST_CR3, guest->host_root & ~CR3_KEEP);
	}
	prepare_translations(guest, space);
	if (NACRE_DEBUG) // DebugFastPaths changes it
		cpu->host_msrs[GUEST_MSR_LSTAR - GUEST_MSR_STAR].value = msr_read(MSR_LSTAR);
}

// What VM entry loads by itself is not here.
static void enter(struct cpu *cpu, struct guest *guest, struct context *context, uint64_t dirty) {
	guest_switch_in(cpu, guest, context);
	if (dirty & VCPU_GROUP_RIP)
		vmcs_write(VMCS_GUEST_RIP, guest_clean_rip(READ_ONCE(guest->page->rip)));
	if (unlikely(dr6_read() != guest->vmx.dr6)) dr6_write(guest->vmx.dr6);
	if (cr2_read() != guest->vmx.cr2) cr2_write(guest->vmx.cr2);
	timer_start(cpu, guest);
}

// Out of the guest

static void save_event(struct vcpu_event *event, enum vmcs_field field) {
	_Static_assert(VMCS_EXIT_ERROR_CODE - VMCS_EXIT_INTERRUPTION == 2 &&
		VMCS_ENTRY_ERROR_CODE - VMCS_ENTRY_INTERRUPTION == 2);
	event->information = (uint32_t)vmcs_read(field);
	event->error_code = (uint32_t)vmcs_read(field + 2);
}

// The record of an exit, but for its event.
[[gnu::always_inline]] static inline void record(
	struct guest *guest, uint64_t reason, uint64_t qualification) {
	const uint64_t often = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS | VCPU_GROUP_ADDRESS;
	struct vcpu_state_page *page = guest->page;
	uint64_t wanted = READ_ONCE(page->save[reason]);

	page->reason = (uint32_t)reason;
	page->instruction_length = (uint32_t)vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	page->qualification = qualification;
	if (likely(wanted & VCPU_GROUP_RIP)) page->rip = vmcs_read(VMCS_GUEST_RIP);
	if (likely(wanted & VCPU_GROUP_RFLAGS)) {
		page->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
		page->interruptibility = (uint32_t)vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	}
	if (wanted & VCPU_GROUP_ADDRESS) {
		page->physical = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
		page->linear = vmcs_read(VMCS_GUEST_LINEAR_ADDRESS);
	}
	page->saved = wanted;
	timer_end(guest);
	if (unlikely(wanted & ~often)) guest_page_save(guest, wanted & ~often);
}

static uint64_t report(struct guest *guest, uint64_t reason, uint64_t qualification) {
	struct vcpu_state_page *page = guest->page;

	if (!guest->by_page) {
		timer_end(guest);
		return reason;
	}
	save_event(&page->event, VMCS_ENTRY_INTERRUPTION);
	page->event_length = (uint32_t)vmcs_read(VMCS_ENTRY_INSTRUCTION_LENGTH);
	if (reason == REASON_EXCEPTION) save_event(&page->exception, VMCS_EXIT_INTERRUPTION);
	if (reason == GUEST_ENTRY_REFUSED) {
		reason = VCPU_EXIT_CONTROLS_INVALID;
		qualification = vmcs_read(VMCS_INSTRUCTION_ERROR);
	} else if (reason >= VCPU_EXIT_REASONS) {
		qualification = reason;
		reason = VCPU_EXIT_OTHER;
	}
	record(guest, reason, qualification);
	return reason;
}

// Exits that may be the kernel's own business, the first one, and entries that failed.
[[gnu::noinline]] static uint64_t exit_rare(struct guest *guest, uint64_t full_reason) {
	uint64_t reason = full_reason & REASON_MASK;

	if (guest->vmx.launched & LAUNCH_FAILED) {
		guest->vmx.launched &= ~(uint64_t)LAUNCH_FAILED;
		return GUEST_EXIT_DONE + report(guest, GUEST_ENTRY_REFUSED, 0);
	}
	if (full_reason & REASON_ENTRY_FAILED) {
		// A refused guest state leaves the VMCS as it was: the next entry launches again.
		if (reason != REASON_MACHINE_CHECK)
			return GUEST_EXIT_DONE + report(guest, reason, 0);
		host_exception(VECTOR_MACHINE_CHECK);
		return GUEST_EXIT_KERNEL;
	}
	guest->vmx.launched = LAUNCHED;
	if (reason == REASON_EXTERNAL_INTERRUPT) {
		vmx_inject_again();
		return vmcs_read(VMCS_EXIT_INTERRUPTION) & INTERRUPTION_VECTOR;
	}
	if (reason == REASON_INIT || (reason == REASON_TIMER && !guest->vmx.timer_is_monitors)) {
		vmx_inject_again();
		return GUEST_EXIT_KERNEL;
	}
	if (reason == REASON_EXCEPTION && vmx_take_exception(guest)) return GUEST_EXIT_KERNEL;
	return GUEST_EXIT_DONE + report(guest, reason, vmcs_read(VMCS_EXIT_QUALIFICATION));
}

// A VM exit sets the limits of GDT and IDT to 64 KiB (SDM 3C 28.5.2). After the GDT there is other
// kernel data, where a program could place a forged descriptor.
static void restore_limits(void) { asm volatile("lgdt %0" : : "m"(this_cpu()->gdt_register)); }

// The host's state returns to the registers first.
static uint64_t leave(struct guest *guest) {
	const uint64_t rare = BIT(REASON_EXTERNAL_INTERRUPT) | BIT(REASON_TIMER) |
		BIT(REASON_EXCEPTION) | BIT(REASON_INIT);
	uint64_t reason;

	restore_limits();
	guest->vmx.cr2 = cr2_read();
	guest->vmx.dr6 = dr6_read();
	if (unlikely(guest->xcr0 != guest->fpu.xcr0)) xcr0_write(guest->fpu.xcr0);
	if (unlikely(guest->vmx.pin & PIN_TIMER)) timer_stop(guest);
	reason = vmcs_read(VMCS_EXIT_REASON);
	if (unlikely(reason >= 64 || rare >> reason & 1 || guest->vmx.launched != LAUNCHED))
		return exit_rare(guest, reason);
	if (unlikely(!guest->by_page)) {
		timer_end(guest);
		return GUEST_EXIT_DONE + reason;
	}
	guest->page->event = (struct vcpu_event){};
	record(guest, reason, vmcs_read(VMCS_EXIT_QUALIFICATION));
	return GUEST_EXIT_DONE + reason;
}

const struct guest_engine guest_vmx = {
	.init = vmx_init,
	.paging = &paging_ept,
	.msrs = GUEST_MSRS,
	.map_next = 1, // SDM 3C 25.6.9
	.map_high = MSR_MAP_MSRS,
	.map_write = 2 * MSR_MAP_MSRS,
	.create = create,
	.arrive = arrive,
	.unload = unload,
	.load = load,
	.prepare = prepare,
	.enter = enter,
	.exit = leave,
	.report = report,
	.timer_reset = timer_reset,
	.fields = vmx_fields,
	.field_write = vmx_field_write,
	.words_load = words_load,
	.words_save = words_save,
	.exit_words = exit_words,
};
