// SPDX-License-Identifier: BSD-2-Clause
// Registers and memory structures of an NVMe controller. Names are those of the NVMe base
// specification 1.4, sections 3.1, 4.2, 4.6, 5 and 6.
#pragma once

#include <stdint.h>

enum nvme_register {
	NVME_CAP = 0x00, // 64 bits, as ASQ and ACQ
	NVME_INTMS = 0x0c,
	NVME_INTMC = 0x10,
	NVME_CC = 0x14,
	NVME_CSTS = 0x1c,
	NVME_AQA = 0x24,
	NVME_ASQ = 0x28,
	NVME_ACQ = 0x30,
	NVME_DOORBELLS = 0x1000,
};

enum {
	CC_EN = 1 << 0,
	CC_IOSQES = 6 << 16, // log2 of an entry's bytes
	CC_IOCQES = 4 << 20,

	CSTS_RDY = 1 << 0,
	CSTS_CFS = 1 << 1, // fatal
};

// Fields of CAP.
static inline uint32_t nvme_cap_entries(uint64_t cap) { return (uint32_t)(cap & 0xffff) + 1; }
static inline uint32_t nvme_cap_timeout(uint64_t cap) { return cap >> 24 & 0xff; } // half seconds
static inline uint32_t nvme_cap_stride(uint64_t cap) { return 4u << (cap >> 32 & 0xf); } // bytes
static inline uint32_t nvme_cap_page(uint64_t cap) { return cap >> 48 & 0xf; } // 0: 4 KiB

struct nvme_command {
	uint8_t opcode;
	uint8_t flags;
	uint16_t id;
	uint32_t namespace;
	uint32_t reserved[4]; // and the metadata pointer
	uint64_t data[2]; // PRP entries
	uint32_t words[6]; // CDW10 and following
};

struct nvme_completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t queue_head;
	uint16_t queue;
	uint16_t id;
	uint16_t status; // bit 0: phase
};

enum {
	NVME_PHASE = 1,
};

enum nvme_admin_opcode {
	NVME_CREATE_SUBMISSION_QUEUE = 0x01,
	NVME_CREATE_COMPLETION_QUEUE = 0x05,
	NVME_IDENTIFY = 0x06,
};

enum nvme_opcode {
	NVME_FLUSH = 0x00,
	NVME_WRITE = 0x01,
	NVME_READ = 0x02,
};

enum {
	QUEUE_IS_CONTIGUOUS = 1 << 0, // CDW11 of the two commands that create a queue
	QUEUE_INTERRUPTS = 1 << 1, // of a completion queue
};

// What is identified (CDW10), and offsets in the answer (5.15.2).
enum nvme_identify {
	IDENTIFY_NAMESPACE = 0,
	IDENTIFY_CONTROLLER = 1,
	NAMESPACE_SIZE = 0,
	NAMESPACE_FORMAT = 26, // its number, in four bits
	NAMESPACE_FORMATS = 128, // four bytes each
	FORMAT_METADATA = 0, // two bytes
	FORMAT_SECTOR = 2, // log2 of its bytes
	CONTROLLER_LARGEST = 77, // log2 of pages in a transfer; 0: no limit
};

_Static_assert(sizeof(struct nvme_command) == 64 && sizeof(struct nvme_completion) == 16);

uint32_t nvme_read(uint64_t offset);
void nvme_write(uint64_t offset, uint32_t value);
