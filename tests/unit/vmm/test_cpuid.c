// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the CPUID and MSR tables.
#include "../check.h"
#include "fake_host.h"

#include <vmm/vcpu/cpuid.h>
#include <vmm/vcpu/msr.h>

#include <x86/cpuid.h>
#include <x86/msr.h>
#include <x86/svm.h>

#include <string.h>

static struct cpuid_model model;
static struct cpuid_guest guest;

static struct cpuid_words ask(uint32_t leaf, uint32_t subleaf) {
	struct cpuid_words words;

	cpuid_answer(&model, &guest, leaf, subleaf, &words);
	return words;
}

static void fresh(void) {
	fake_reset();
	model = (struct cpuid_model){
		.host = host_cpuid,
		.xcr0_allowed = 7,
		.xcr0_host = 7,
		.xsave_compacts = true,
		.tsc_hertz = 2500000000,
		.controls = VCPU_ALLOWS_RDTSCP | VCPU_ALLOWS_INVPCID,
	};
	guest = (struct cpuid_guest){.cr4 = 0, .xcr0 = 1, .apic_enabled = true};
}

static void test_features(void) {
	fresh();
	struct cpuid_words words = ask(1, 0);

	check_equal(words.ebx, 0x0001ff00);
	check_equal(words.ecx & (1u << 3 | 1u << 5 | 1u << 6 | 1u << 15 | 1u << 27), 0);
	check_equal(words.ecx & (1u << 31 | 1u << 24 | 1u << 21), 1u << 31 | 1u << 24 | 1u << 21);
	check_equal(words.edx & (1u << 21 | 1u << 22 | 1u << 28 | 1u << 29), 0);
	check_equal(words.edx >> 9 & 1, 1);
	guest.apic_enabled = false;
	check_equal(ask(1, 0).edx, words.edx & ~(1u << 9));
	guest.cr4 = CR4_OSXSAVE;
	check_equal(ask(1, 0).ecx >> 27 & 1, 1);
	model.xcr0_allowed = 3;
	check_equal(ask(1, 0).ecx & (1u << 28 | 1u << 12 | 1u << 29), 0);
}

static void test_structured(void) {
	fresh();
	struct cpuid_words words = ask(7, 0);

	check_equal(words.eax, 0);
	check_equal(words.ebx & (1u << 2 | 1u << 4 | 1u << 11 | 1u << 14 | 1u << 25), 0);
	check_equal(words.ebx & (1u << 16 | 1u << 31), 0); // AVX-512 is not switched
	check_equal(words.ebx & (1u << 10 | 1u << 5 | 1u << 1), 1u << 10 | 1u << 5 | 1u << 1);
	check_equal(words.ecx & (1u << 3 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 16), 0);
	check_equal(words.edx & (1u << 26 | 1u << 27 | 1u << 29 | 1u << 31 | 1u << 20), 0);
	model.controls = 0;
	check_equal(ask(7, 0).ebx >> 10 & 1, 0);
	check_equal(ask(7, 0).ecx >> 22 & 1, 0);
	check_equal(ask(0x80000001, 0).edx >> 27 & 1, 0);
	model.xcr0_allowed = 0xe7;
	check_equal(ask(7, 0).ebx >> 16 & 1, 1);
	check_equal(ask(7, 1).eax, 0);
}

static void test_time(void) {
	fresh();
	check_equal(ask(0, 0).eax, 0x16);
	struct cpuid_words words = ask(0x15, 0);

	check(words.eax == 1 && words.ebx == 1 && words.ecx == 2500000000);
	check_equal(ask(0x16, 0).eax, 2500);
	model.tsc_hertz = 5200000000; // more than 32 bits hold
	words = ask(0x15, 0);
	check(words.eax == 1 && words.ebx == 2 && words.ecx == 2600000000);
	check_equal(ask(0x16, 0).eax, 5200);
	check_equal(ask(6, 0).eax, 4);
	check_equal(ask(0x80000007, 0).edx, 1u << 8);
}

static void test_xsave(void) {
	fresh();
	struct cpuid_words words = ask(0xd, 0);

	check(words.eax == 7 && words.ebx == 576 && words.ecx == 832 && words.edx == 0);
	guest.xcr0 = 7;
	check_equal(ask(0xd, 0).ebx, 832);
	check_equal(ask(0xd, 1).ebx, 832);
	check_equal(ask(0xd, 1).eax, 7); // no XSAVES
	model.xsave_compacts = false;
	check_equal(ask(0xd, 1).eax, 5);
	check_equal(ask(0xd, 1).ebx, 0);
	model.xsave_compacts = true;
	fake.compacted_size = 800;
	check_equal(ask(0xd, 1).eax, 5);
	check_equal(ask(0xd, 2).eax, 256);
	check_equal(ask(0xd, 5).eax, 0);
	check_equal(ask(0xd, 1000).eax, 0);
}

static void test_others(void) {
	static const uint32_t zero[] = {3, 5, 8, 0xa, 0xf, 0x12, 0x14, 0x17, 0x1f, 0x20, 0x1000,
		0x40000002, 0x40000200, 0x7fffffff, 0x80000009, 0x8000001f, 0xffffffff};

	fresh();
	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++) {
		struct cpuid_words words = ask(zero[i], 0);

		check_equal(words.eax | words.ebx | words.ecx | words.edx, 0);
	}
	check_equal(ask(0x40000000, 0).eax, 0x40000001);
	struct cpuid_words words = ask(0x40000100, 0);

	check(memcmp(&words.ebx, "NacreNacre\0", 12) == 0);
	check_equal(ask(0x80000000, 0).eax, 0x80000021);
	// The clock is stable.
	check_equal(ask(0x40000001, 0).eax, 1u << 1 | 1u << 3 | 1u << 6 | 1u << 24);
	check_equal(ask(0x8000001d, 0).eax, 0x3fff);
	check_equal(ask(0x80000021, 0).eax, 0x45);
	check_equal(ask(0x80000008, 0).eax, 0x3030);
	check_equal(ask(0x80000008, 0).ebx, 0x1005);
	check_equal(cpuid_address_bits(&model), 48);
	check_equal(ask(4, 0).eax, 0x3fff);
	check_equal(ask(0xb, 0).ecx, 0x100);
	check_equal(ask(0xb, 1).ecx, 0x201);
	check_equal(ask(0xb, 2).ecx, 2);
}

static void test_cr4(void) {
	fresh();
	uint64_t allowed = cpuid_cr4_allowed(&model);

	check_equal(allowed & (CR4_VMXE | 1u << 14 | 1u << 12 | 1u << 22 | 1u << 23), 0);
	check_equal(allowed & CR4_OSXSAVE, CR4_OSXSAVE);
	check_equal(allowed & CR4_BASELINE, CR4_BASELINE);
}

// Of the host's leaves those about speculation.
static uint32_t intel_edx, amd_ebx, svm_edx;

static void host_speculation(uint32_t leaf, uint32_t, uint32_t words[4]) {
	memset(words, 0, 4 * sizeof(words[0]));
	words[0] = leaf & LEAF_EXTENDED ? LEAF_EXTENDED_STRUCTURED : LEAF_STRUCTURED;
	if (leaf == LEAF_STRUCTURED) words[3] = intel_edx;
	if (leaf == LEAF_ADDRESS_SIZES) words[1] = amd_ebx;
	if (leaf == LEAF_SVM) words[3] = svm_edx;
}

static void test_speculation(void) {
	const uint32_t amd = AMD_8_EBX_IBRS | AMD_8_EBX_STIBP | AMD_8_EBX_SSBD;
	static const struct {
		uint32_t intel_edx, amd_ebx;
		bool has_register;
		uint32_t ebx, allowed; // of what
	} rows[] = {
		{0, 0, true, 0, 0},
		{LEAF_7_EDX_IBRS_IBPB, 0, false, AMD_8_EBX_IBPB, 0},
		{LEAF_7_EDX_IBRS_IBPB | LEAF_7_EDX_SSBD, 0, true, AMD_8_EBX_IBPB | AMD_8_EBX_SSBD,
			SPEC_CTRL_SSBD},
		{0, amd | AMD_8_EBX_IBPB, false, AMD_8_EBX_IBPB, 0},
		{0, amd | AMD_8_EBX_IBPB, true, amd | AMD_8_EBX_IBPB,
			SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | SPEC_CTRL_SSBD},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh();
		model.host = host_speculation;
		model.controls |= rows[i].has_register ? VCPU_OFFERS_SPEC_CTRL : 0;
		intel_edx = rows[i].intel_edx;
		amd_ebx = rows[i].amd_ebx;
		check_equal(ask(LEAF_ADDRESS_SIZES, 0).ebx, rows[i].ebx);
		check_equal(ask(LEAF_STRUCTURED, 0).edx & rows[i].intel_edx, 0);
		check_equal(cpuid_spec_ctrl_allowed(&model), rows[i].allowed);
		check_equal(cpuid_msr_is_direct(&model, MSR_PRED_CMD),
			(rows[i].ebx & AMD_8_EBX_IBPB) != 0);
		check(!cpuid_msr_is_direct(&model, MSR_SPEC_CTRL));
		model.controls |= VCPU_BY_AMD_V;
		check(!cpuid_msr_is_direct(&model, MSR_SPEC_CTRL));
		svm_edx = SVM_SPEC_CTRL;
		check_equal(cpuid_msr_is_direct(&model, MSR_SPEC_CTRL), rows[i].allowed != 0);
		svm_edx = 0;
	}
}

static uint64_t read_tsc(void) { return fake.tsc; }

static struct clock guest_clock;
static struct vcpu vcpu = {.page = &fake.page};
static struct lapic lapic;
static struct msr_file file;

static void fresh_msrs(void) {
	fake_reset();
	guest_clock = (struct clock){.read = read_tsc, .hertz = 1000, .offset = -1000000ull};
	memset(&lapic, 0, sizeof(lapic));
	lapic.clock = &guest_clock;
	lapic_reset(&lapic);
	file = (struct msr_file){.vcpu = &vcpu, .lapic = &lapic, .clock = &guest_clock};
	msr_reset(&file);
}

static uint64_t read(uint32_t number) {
	uint64_t value = 0xdead;

	check_equal(msr_read(&file, number, &value), MSR_DONE);
	return value;
}

static void test_msr_constants(void) {
	fresh_msrs();
	check_equal(read(0), 0);
	check_equal(read(1), 0);
	check_equal(msr_write(&file, 0, 5), MSR_DONE);
	check_equal(read(0), 0);
	check_equal(read(0xfe), 0x400);
	check_equal(read(0x2ff), 0x806);
	check_equal(read(0x3a), 1);
	check_equal(read(0x1b), 0xfee00900);
	check_equal(read(0x8b) >> 32, 1);
	check_equal(msr_write(&file, 0x8b, 0), MSR_DONE);
	check_equal(msr_write(&file, 0x3a, 5), MSR_FAULT);
	check_equal(msr_write(&file, 0xfe, 0), MSR_FAULT);
	check_equal(msr_write(&file, 0x2ff, 0xc06), MSR_DONE);
	check_equal(read(0x2ff), 0xc06);
	check_equal(msr_write(&file, 0x2ff, 0x802), MSR_FAULT);
	check_equal(msr_write(&file, 0x2ff, 0x10000), MSR_FAULT);
}

static void test_msr_unknown(void) {
	uint64_t value;

	fresh_msrs();
	check_equal(msr_read(&file, 0xc0010015, &value), MSR_UNKNOWN);
	check_equal(msr_write(&file, 0xc0010015, 0), MSR_UNKNOWN);
	check_equal(msr_read(&file, 0x10a, &value), MSR_FAULT);
	check_equal(msr_write(&file, 0x48, 1), MSR_FAULT);
	check_equal(msr_read(&file, 0x79, &value), MSR_FAULT);
	check_equal(msr_read(&file, 0x802, &value), MSR_FAULT);
}

// Bits that CPUID does not show fault, and would be refused by the kernel.
static void test_msr_speculation(void) {
	uint64_t value;

	fresh_msrs();
	check_equal(msr_write(&file, MSR_SPEC_CTRL, 0), MSR_FAULT);
	check_equal(msr_read(&file, MSR_SPEC_CTRL, &value), MSR_FAULT);
	check_equal(msr_read(&file, MSR_PRED_CMD, &value), MSR_FAULT);
	check_equal(msr_write(&file, MSR_PRED_CMD, 1), MSR_FAULT);
	file.spec_ctrl_allowed = SPEC_CTRL_SSBD;
	fake.page.dirty = 0;
	check_equal(msr_write(&file, MSR_SPEC_CTRL, SPEC_CTRL_SSBD), MSR_DONE);
	check_equal(fake.page.dirty, VCPU_GROUP_MSRS);
	check_equal(read(MSR_SPEC_CTRL), SPEC_CTRL_SSBD);
	check_equal(msr_write(&file, MSR_SPEC_CTRL, SPEC_CTRL_IBRS), MSR_FAULT);
	check_equal(fake.page.spec_ctrl, SPEC_CTRL_SSBD);
}

static void test_msr_tsc(void) {
	fresh_msrs();
	check_equal(read(0x10), 0);
	fake.tsc += 500;
	check_equal(read(0x10), 500);
	check_equal(msr_write(&file, 0x10, 10000), MSR_DONE);
	check_equal(read(0x10), 10000);
	check_equal(read(0x3b), 9500);
	check_equal(fake.page.tsc_offset, guest_clock.offset);
	check_equal(msr_write(&file, 0x3b, 0), MSR_DONE);
	check_equal(read(0x10), 500);
}

// The counting modes of the APIC's timer continue as they were, a deadline is a moment of the TSC.
static void test_msr_tsc_timer(void) {
	fresh_msrs();
	lapic_register_write(&lapic, 0xf, 0x1ff);
	lapic_register_write(&lapic, 0x3e, 11);
	lapic_register_write(&lapic, 0x32, 0x30);
	lapic_register_write(&lapic, 0x38, 100);
	check_equal(msr_write(&file, 0x10, 1000000), MSR_DONE);
	check_equal(lapic_register_read(&lapic, 0x39), 100);
	check_equal(msr_write(&file, 0x3b, 0), MSR_DONE);
	check_equal(lapic_register_read(&lapic, 0x39), 100);
	lapic_register_write(&lapic, 0x32, 0x40030);
	check_equal(msr_write(&file, 0x6e0, 77), MSR_DONE);
	check_equal(msr_write(&file, 0x10, 50), MSR_DONE);
	check_equal(read(0x6e0), 77);
}

static void test_msr_efer(void) {
	fresh_msrs();
	fake.page.saved = VCPU_GROUP_PAGING;
	fake.page.efer = EFER_LME | EFER_LMA;
	fake.page.cr0 = CR0_PE | CR0_PG;
	check_equal(msr_write(&file, MSR_EFER, EFER_LME | EFER_SCE | EFER_NXE), MSR_DONE);
	check_equal(read(MSR_EFER), 0xd01);
	check_equal(msr_write(&file, MSR_EFER, EFER_SCE), MSR_FAULT);
	check_equal(msr_write(&file, MSR_EFER, EFER_LME | 1u << 12), MSR_FAULT);
	fake.page.cr0 = CR0_PE;
	fake.page.efer = 0;
	check_equal(msr_write(&file, MSR_EFER, EFER_LME | EFER_LMA), MSR_DONE);
	check_equal(read(MSR_EFER), EFER_LME);
}

static void test_msr_deadline(void) {
	fresh_msrs();
	lapic_register_write(&lapic, 0xf, 0x1ff);
	lapic_register_write(&lapic, 0x32, 0x40030);
	check_equal(msr_write(&file, 0x6e0, 77), MSR_DONE);
	check_equal(lapic.timer.expiry, 77);
	check_equal(read(0x6e0), 77);
	check_equal(msr_write(&file, 0x6e0, 0), MSR_DONE);
	check_equal(lapic.timer.expiry, CLOCK_NEVER);
}

static void test_msr_junk(void) {
	uint64_t value, seed = 9;

	fresh_msrs();
	for (unsigned i = 0; i < 300000; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		uint32_t number = (uint32_t)(seed >> 40) & 0xfff;

		number |= seed & 1 ? 0xc0000000 : 0;
		enum msr_result wrote = msr_write(&file, number, seed >> (i % 64));
		enum msr_result got = msr_read(&file, number, &value);

		check(wrote <= MSR_UNKNOWN && got <= MSR_UNKNOWN);
	}
	check_equal(fake.page.efer & ~0xd01ull, 0);
	check_equal(fake.page.debugctl & ~2ull, 0);
}

int main(void) {
	static const struct test tests[] = {
		{"cpuid.features", "leaf 1 hides what is not emulated", test_features},
		{"cpuid.structured", "leaf 7 follows the controls and XCR0", test_structured},
		{"cpuid.time", "rates are reported, the timer always runs", test_time},
		{"cpuid.xsave", "leaf 0Dh is limited to the switched state", test_xsave},
		{"cpuid.others", "unlisted leaves are zero, topology is one CPU", test_others},
		{"cpuid.cr4", "CR4 bits go with the features", test_cr4},
		{"cpuid.speculation", "speculation control is shown by AMD's bits",
			test_speculation},
		{"msr.constants", "constant registers read as listed", test_msr_constants},
		{"msr.unknown", "unlisted registers fault", test_msr_unknown},
		{"msr.speculation", "SPEC_CTRL takes the bits that CPUID shows",
			test_msr_speculation},
		{"msr.tsc", "writing the TSC moves the offset", test_msr_tsc},
		{"msr.tsc_timer", "writing the TSC leaves a counting timer alone",
			test_msr_tsc_timer},
		{"msr.efer", "EFER keeps LMA and refuses reserved bits", test_msr_efer},
		{"msr.deadline", "the deadline register arms the timer", test_msr_deadline},
		{"msr.junk", "random writes never set what is not allowed", test_msr_junk},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
