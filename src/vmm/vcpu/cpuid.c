// SPDX-License-Identifier: BSD-2-Clause
// CPUID for the guest: masks over the host's answer, and the leaves that describe the virtual
// machine.
#include <vmm/vcpu/cpuid.h>

#include <vmm/host/clock.h>

#include <abi/vcpu_state.h>
#include <base/compiler.h>
#include <x86/cpuid.h>
#include <x86/cr.h>
#include <x86/msr.h>
#include <x86/svm.h>

enum { LEAF_NACRE = 0x40000100 };

// Leaf 1, ECX: SSE3 PCLMUL SSSE3 CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE RDRAND.
#define FEATURES_ECX 0x46da2203u
#define FEATURES_ECX_AVX (1u << 28 | 1u << 29 | 1u << 12) // AVX F16C FMA
// Leaf 1, EDX: FPU VME DE PSE TSC MSR PAE CX8 APIC SEP MTRR PGE CMOV PAT PSE36 CLFSH MMX FXSR SSE
// SSE2 SS, and MCE and MCA with no banks: Linux calls a CPU without them broken.
#define FEATURES_EDX 0x0f8bfbffu

// Leaf 7, EBX: FSGSBASE BMI1 FDP SMEP BMI2 ERMS FCS RDSEED ADX SMAP CLFLUSHOPT CLWB SHA.
#define STRUCTURED_EBX 0x219c23c9u
#define STRUCTURED_EBX_AVX512 0xd0230000u
// Leaf 7, ECX: UMIP GFNI MOVDIRI MOVDIR64B.
#define STRUCTURED_ECX 0x18000104u
#define STRUCTURED_ECX_AVX 0x00000600u // VAES VPCLMULQDQ
#define STRUCTURED_ECX_AVX512 0x00005842u // VBMI VBMI2 VNNI BITALG VPOPCNTDQ
// Leaf 7, EDX: FSRM MD_CLEAR SERIALIZE. Nothing whose MSR is not switched.
#define STRUCTURED_EDX 0x00004410u

// SYSCALL NX 1-GiB pages, long mode; of AMD, MMXEXT and again what leaf 1 has.
#define EXTENDED_EDX 0x25d3fbffu
// LAHF LZCNT PREFETCHW; of AMD, MOV CR8 SSE4A MISALIGNSSE TOPOEXT.
#define EXTENDED_ECX 0x004001f1u
#define ADDRESS_SIZES_EBX 0x00000005u // CLZERO XSAVEERPTR
// IBRS STIBP, how to use them, SSBD SSB_NO.
#define ADDRESS_SIZES_EBX_SPECULATION 0x050fc000u
// Data breakpoints do not nest, LFENCE serialises, a null selector clears the base.
#define EXTENDED_STRUCTURED_EAX 0x00000045u

enum {
	BASIC_MAXIMUM = LEAF_FREQUENCY,
	POWER_ARAT = 1 << 2,
	CACHE_TYPE = 0x1f,
	CACHE_ATTRIBUTES = 0x3fff, // without the counts of sharing CPUs
	TOPOLOGY_THREAD = 1 << 8,
	TOPOLOGY_CORE = 2 << 8,
	POWER_INVARIANT_TSC = 1 << 8,
	XSAVE_OPT_XGETBV = 5,
	XSAVE_C = 2,
	XSAVE_LEGACY_SIZE = 576,
	XSAVE_COMPONENTS = 63,
	XSAVE_ALIGNED = 1 << 1,
	HYPERVISOR_NO_IO_DELAY = 1 << 1,
	HYPERVISOR_CLOCK = 1 << 3,
	HYPERVISOR_END_OF_INTERRUPT = 1 << 6,
	HYPERVISOR_CLOCK_STABLE = 1 << 24,
	HERTZ_PER_MEGAHERTZ = 1000000,
};
#define EXTENDED_MAXIMUM LEAF_EXTENDED_STRUCTURED

struct cpuid_query {
	const struct cpuid_model *model;
	const struct cpuid_guest *guest;
	uint32_t subleaf;
};

static struct cpuid_words cpuid_host(
	const struct cpuid_model *model, uint32_t leaf, uint32_t subleaf) {
	uint32_t words[4];

	model->host(leaf & LEAF_EXTENDED, 0, words);
	if (leaf > words[0]) return (struct cpuid_words){0};
	model->host(leaf, subleaf, words);
	return (struct cpuid_words){words[0], words[1], words[2], words[3]};
}

static void answer_basic(const struct cpuid_query *, struct cpuid_words *words) {
	words->eax = BASIC_MAXIMUM;
}

static void answer_features(const struct cpuid_query *query, struct cpuid_words *words) {
	bool avx = query->model->xcr0_allowed & XCR0_AVX;
	uint32_t allowed = FEATURES_ECX | (avx ? FEATURES_ECX_AVX : 0);
	bool enabled;

	words->ebx = (words->ebx & 0xff00) | 1u << 16; // CLFLUSH line, one CPU, APIC id 0
	words->ecx &= allowed;
	words->ecx |= LEAF_1_ECX_X2APIC | LEAF_1_ECX_TSC_DEADLINE | LEAF_1_ECX_HYPERVISOR;
	enabled = query->guest->cr4 & CR4_OSXSAVE;
	words->ecx |= (words->ecx & LEAF_1_ECX_XSAVE) && enabled ? LEAF_1_ECX_OSXSAVE : 0;
	words->edx &= FEATURES_EDX;
	if (!query->guest->apic_enabled) words->edx &= ~LEAF_1_EDX_APIC;
}

static void answer_caches(const struct cpuid_query *, struct cpuid_words *words) {
	if (words->eax & CACHE_TYPE)
		words->eax &= CACHE_ATTRIBUTES;
	else
		*words = (struct cpuid_words){0};
}

static void answer_power(const struct cpuid_query *, struct cpuid_words *words) {
	*words = (struct cpuid_words){.eax = POWER_ARAT};
}

static void answer_structured(const struct cpuid_query *query, struct cpuid_words *words) {
	const struct cpuid_model *model = query->model;
	bool avx;
	bool avx512;
	bool invpcid;
	bool rdpid;

	if (query->subleaf != 0) {
		*words = (struct cpuid_words){0};
		return;
	}
	avx = model->xcr0_allowed & XCR0_AVX;
	avx512 = (model->xcr0_allowed & XCR0_AVX512) == XCR0_AVX512;
	invpcid = model->controls & VCPU_ALLOWS_INVPCID;
	rdpid = model->controls & VCPU_ALLOWS_RDTSCP;
	words->eax = 0;
	words->ebx &= STRUCTURED_EBX | (avx ? LEAF_7_EBX_AVX2 : 0) |
		(avx512 ? STRUCTURED_EBX_AVX512 : 0) | (invpcid ? LEAF_7_EBX_INVPCID : 0);
	words->ebx |= LEAF_7_EBX_TSC_ADJUST;
	words->ecx &= STRUCTURED_ECX | (avx ? STRUCTURED_ECX_AVX : 0) |
		(avx512 ? STRUCTURED_ECX_AVX512 : 0) | (rdpid ? LEAF_7_ECX_RDPID : 0);
	words->edx &= STRUCTURED_EDX;
}

static void answer_topology(const struct cpuid_query *query, struct cpuid_words *words) {
	static const uint32_t types[] = {TOPOLOGY_THREAD, TOPOLOGY_CORE};
	bool level = query->subleaf < array_count(types);

	*words = (struct cpuid_words){
		.ebx = level,
		.ecx = (query->subleaf & 0xff) | (level ? types[query->subleaf] : 0),
	};
}

// Size of the XSAVE area for the components in `mask`, in the standard or the compacted format.
static uint32_t xsave_size(const struct cpuid_model *model, uint64_t mask, uint32_t compact) {
	uint32_t size = XSAVE_LEGACY_SIZE;

	for (uint32_t component = 2; component < XSAVE_COMPONENTS; component++) {
		struct cpuid_words host;
		uint32_t aligned;
		uint32_t end;

		if (!(mask >> component & 1)) continue;
		host = cpuid_host(model, LEAF_XSAVE, component);
		aligned = host.ecx & XSAVE_ALIGNED ? (size + 63) & ~63u : size;
		end = (compact ? aligned : host.ebx) + host.eax;
		size = end > size ? end : size;
	}
	return size;
}

static void answer_xsave(const struct cpuid_query *query, struct cpuid_words *words) {
	const struct cpuid_model *model = query->model;
	uint64_t allowed = model->xcr0_allowed;
	struct cpuid_words answer = {0};

	if (query->subleaf == 0) {
		answer.eax = (uint32_t)allowed;
		answer.ebx = xsave_size(model, query->guest->xcr0, 0);
		answer.ecx = xsave_size(model, allowed, 0);
		answer.edx = (uint32_t)(allowed >> 32);
	} else if (query->subleaf == 1) {
		// XSAVES stays off: no supervisor state is switched. A guest that cannot rely on
		// the compacted format is better off without.
		bool right = model->xsave_compacts &&
			words->ebx == xsave_size(model, model->xcr0_host, 1);
		bool compacts = right && (words->eax & XSAVE_C);

		answer.eax = words->eax & (XSAVE_OPT_XGETBV | (compacts ? XSAVE_C : 0));
		answer.ebx = compacts ? xsave_size(model, query->guest->xcr0, 1) : 0;
	} else if (query->subleaf < XSAVE_COMPONENTS && (allowed >> query->subleaf & 1)) {
		answer = *words;
	}
	*words = answer;
}

// All rates are given, so Linux calibrates neither the TSC nor the APIC timer, which is the
// crystal's.
static void answer_tsc(const struct cpuid_query *query, struct cpuid_words *words) {
	unsigned shift = clock_crystal_shift(query->model->tsc_hertz);

	*words = (struct cpuid_words){
		.eax = 1,
		.ebx = 1u << shift,
		.ecx = (uint32_t)(query->model->tsc_hertz >> shift),
	};
}

static void answer_frequency(const struct cpuid_query *query, struct cpuid_words *words) {
	uint32_t megahertz = (uint32_t)(query->model->tsc_hertz / HERTZ_PER_MEGAHERTZ);

	*words = (struct cpuid_words){.eax = megahertz, .ebx = megahertz, .ecx = 100};
}

// The KVM interface with its clock, for CPUs whose leaves do not say the TSC's rate (AMD's), and
// with "ports need no delay". It also says who answers x2APIC requests without interrupt remapping,
// which Linux asks a hypervisor before it uses x2APIC mode.
static void answer_hypervisor(const struct cpuid_query *, struct cpuid_words *words) {
	*words = (struct cpuid_words){LEAF_HYPERVISOR_FEATURES, 0x4b4d564b, 0x564b4d56, 0x4d};
}

static void answer_hypervisor_features(const struct cpuid_query *, struct cpuid_words *words) {
	*words = (struct cpuid_words){.eax = HYPERVISOR_NO_IO_DELAY | HYPERVISOR_CLOCK |
			HYPERVISOR_END_OF_INTERRUPT | HYPERVISOR_CLOCK_STABLE};
}

static void answer_nacre(const struct cpuid_query *, struct cpuid_words *words) {
	*words = (struct cpuid_words){LEAF_NACRE, 0x7263614e, 0x63614e65, 0x00006572}; // NacreNacre
}

static void answer_extended(const struct cpuid_query *, struct cpuid_words *words) {
	words->eax = words->eax < EXTENDED_MAXIMUM ? words->eax : EXTENDED_MAXIMUM;
}

static void answer_extended_features(const struct cpuid_query *query, struct cpuid_words *words) {
	bool rdtscp = query->model->controls & VCPU_ALLOWS_RDTSCP;

	words->ebx = 0;
	words->ecx &= EXTENDED_ECX;
	words->edx &= EXTENDED_EDX | (rdtscp ? EXTENDED_EDX_RDTSCP : 0);
	if (!query->guest->apic_enabled) words->edx &= ~LEAF_1_EDX_APIC;
}

static void answer_power_management(const struct cpuid_query *, struct cpuid_words *words) {
	*words = (struct cpuid_words){.edx = POWER_INVARIANT_TSC};
}

// AMD's bits say each thing by itself, on CPUs of any maker. Intel's one bit for IBPB means IBRS,
// too, which its older CPUs would have a guest switch at each system call, with an exit each.
static uint32_t speculation_control(const struct cpuid_model *model, uint32_t ebx) {
	uint32_t intel = cpuid_host(model, LEAF_STRUCTURED, 0).edx, bits = 0;

	if (intel & LEAF_7_EDX_IBRS_IBPB || ebx & AMD_8_EBX_IBPB) bits |= AMD_8_EBX_IBPB;
	if (!(model->controls & VCPU_OFFERS_SPEC_CTRL)) return bits;
	if (intel & LEAF_7_EDX_SSBD) bits |= AMD_8_EBX_SSBD;
	return bits | (ebx & ADDRESS_SIZES_EBX_SPECULATION);
}

static void answer_address_sizes(const struct cpuid_query *query, struct cpuid_words *words) {
	uint32_t physical = words->eax & 0xff;

	// The guest-physical space is what a four-level EPT can map.
	physical = physical > 48 ? 48 : physical;
	*words = (struct cpuid_words){.eax = physical | 48 << 8,
		.ebx = (words->ebx & ADDRESS_SIZES_EBX) |
			speculation_control(query->model, words->ebx)};
}

static void answer_extended_structured(const struct cpuid_query *, struct cpuid_words *words) {
	*words = (struct cpuid_words){.eax = words->eax & EXTENDED_STRUCTURED_EAX};
}

static void answer_unchanged(const struct cpuid_query *, struct cpuid_words *) {}

struct cpuid_row {
	uint32_t first, last;
	void (*answer)(const struct cpuid_query *query, struct cpuid_words *words);
};

// Leaves not listed read zero.
static const struct cpuid_row cpuid_rows[] = {
	{LEAF_BASIC, LEAF_BASIC, answer_basic},
	{LEAF_FEATURES, LEAF_FEATURES, answer_features},
	{0x2, 0x2, answer_unchanged}, // cache descriptors
	{LEAF_CACHES, LEAF_CACHES, answer_caches},
	{LEAF_POWER, LEAF_POWER, answer_power},
	{LEAF_STRUCTURED, LEAF_STRUCTURED, answer_structured},
	{LEAF_TOPOLOGY, LEAF_TOPOLOGY, answer_topology},
	{LEAF_XSAVE, LEAF_XSAVE, answer_xsave},
	{LEAF_TSC, LEAF_TSC, answer_tsc},
	{LEAF_FREQUENCY, LEAF_FREQUENCY, answer_frequency},
	{LEAF_HYPERVISOR, LEAF_HYPERVISOR, answer_hypervisor},
	{LEAF_HYPERVISOR_FEATURES, LEAF_HYPERVISOR_FEATURES, answer_hypervisor_features},
	{LEAF_NACRE, LEAF_NACRE, answer_nacre},
	{LEAF_EXTENDED, LEAF_EXTENDED, answer_extended},
	{LEAF_EXTENDED_FEATURES, LEAF_EXTENDED_FEATURES, answer_extended_features},
	{0x80000002, 0x80000006, answer_unchanged}, // brand string, caches
	{LEAF_POWER_MANAGEMENT, LEAF_POWER_MANAGEMENT, answer_power_management},
	{LEAF_ADDRESS_SIZES, LEAF_ADDRESS_SIZES, answer_address_sizes},
	{0x80000019, 0x8000001a, answer_unchanged}, // TLBs, advice
	{LEAF_CACHE_PROPERTIES, LEAF_CACHE_PROPERTIES, answer_caches},
	{LEAF_EXTENDED_STRUCTURED, LEAF_EXTENDED_STRUCTURED, answer_extended_structured},
};

void cpuid_answer(const struct cpuid_model *model, const struct cpuid_guest *guest, uint32_t leaf,
	uint32_t subleaf, struct cpuid_words *words) {
	struct cpuid_query query = {.model = model, .guest = guest, .subleaf = subleaf};

	*words = (struct cpuid_words){0};
	for (unsigned i = 0; i < array_count(cpuid_rows); i++) {
		bool ours;

		if (leaf < cpuid_rows[i].first || leaf > cpuid_rows[i].last) continue;
		ours = leaf >= LEAF_HYPERVISOR && leaf < LEAF_EXTENDED;
		if (!ours) *words = cpuid_host(model, leaf, subleaf);
		cpuid_rows[i].answer(&query, words);
		return;
	}
}

uint8_t cpuid_address_bits(const struct cpuid_model *model) {
	const struct cpuid_guest guest = {0};
	struct cpuid_words words;

	cpuid_answer(model, &guest, LEAF_ADDRESS_SIZES, 0, &words);
	return (uint8_t)words.eax;
}

uint64_t cpuid_cr4_allowed(const struct cpuid_model *model) {
	const struct cpuid_guest guest = {0};
	struct cpuid_words features, structured;
	uint64_t allowed;

	cpuid_answer(model, &guest, LEAF_FEATURES, 0, &features);
	cpuid_answer(model, &guest, LEAF_STRUCTURED, 0, &structured);
	allowed = CR4_BASELINE | CR4_MCE;
	allowed |= features.ecx & LEAF_1_ECX_PCID ? CR4_PCIDE : 0;
	allowed |= features.ecx & LEAF_1_ECX_XSAVE ? CR4_OSXSAVE : 0;
	allowed |= structured.ebx & LEAF_7_EBX_FSGSBASE ? CR4_FSGSBASE : 0;
	allowed |= structured.ebx & LEAF_7_EBX_SMEP ? CR4_SMEP : 0;
	allowed |= structured.ebx & LEAF_7_EBX_SMAP ? CR4_SMAP : 0;
	allowed |= structured.ecx & LEAF_7_ECX_UMIP ? CR4_UMIP : 0;
	return allowed;
}

// What the guest is shown of it.
static uint32_t speculation_shown(const struct cpuid_model *model) {
	const struct cpuid_guest guest = {0};
	struct cpuid_words words;

	cpuid_answer(model, &guest, LEAF_ADDRESS_SIZES, 0, &words);
	return words.ebx;
}

uint64_t cpuid_spec_ctrl_allowed(const struct cpuid_model *model) {
	uint32_t shown = speculation_shown(model);

	return (shown & AMD_8_EBX_IBRS ? SPEC_CTRL_IBRS : 0u) |
		(shown & AMD_8_EBX_STIBP ? SPEC_CTRL_STIBP : 0u) |
		(shown & AMD_8_EBX_SSBD ? SPEC_CTRL_SSBD : 0u);
}

// Only AMD's CPUs keep a guest's SPEC_CTRL by themselves (APM 2 15.37).
bool cpuid_msr_is_direct(const struct cpuid_model *model, uint32_t number) {
	if (number == MSR_PRED_CMD) return speculation_shown(model) & AMD_8_EBX_IBPB;
	return cpuid_spec_ctrl_allowed(model) && (model->controls & VCPU_BY_AMD_V) &&
		cpuid_host(model, LEAF_SVM, 0).edx & SVM_SPEC_CTRL;
}
