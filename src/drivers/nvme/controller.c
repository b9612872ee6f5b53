// SPDX-License-Identifier: BSD-2-Clause
// An NVMe controller from its reset on (NVMe 1.4, 7.6.1), and commands to its first namespace.
#include <drivers/nvme/controller.h>

#include <base/bits.h>
#include <base/memory.h>

enum {
	NAMESPACE = 1,
	QUEUE = 1, // the one for reads and writes; 0 has the administrative commands
	QUEUES = 2,
	SECTOR_LOG2 = 9,
	PAGE_LOG2 = 12,
	// Polls, each followed by a pause: about five microseconds.
	HALF_SECOND_LOOKS = 100000,
	ADMIN_LOOKS = 1000000,
	LEFT_LOOKS = 100000,
};

static uint64_t read64(uint64_t offset) {
	return nvme_read(offset) | (uint64_t)nvme_read(offset + 4) << 32;
}

static void write64(uint64_t offset, uint64_t value) {
	nvme_write(offset, (uint32_t)value);
	nvme_write(offset + 4, (uint32_t)(value >> 32));
}

// False when it does not become ready, or not ready, in the time that it says it needs at most.
static bool wait_ready(uint32_t ready, uint64_t cap) {
	for (uint64_t i = 0; i < (nvme_cap_timeout(cap) + 1ul) * HALF_SECOND_LOOKS; i++) {
		uint32_t status = nvme_read(NVME_CSTS);

		if ((status & CSTS_RDY) == ready) return true;
		if (ready && status & CSTS_CFS) return false;
		device_pause();
	}
	return false;
}

static void begin_queues(struct nvme_controller *controller, uint32_t stride) {
	uint8_t *memory = controller->memory;

	controller->admin.number = 0;
	controller->admin.commands = (void *)(memory + DMA_ADMIN_COMMANDS);
	controller->admin.completions = (void *)(memory + DMA_ADMIN_COMPLETIONS);
	controller->queue.number = QUEUE;
	controller->queue.commands = (void *)(memory + DMA_COMMANDS);
	controller->queue.completions = (void *)(memory + DMA_COMPLETIONS);
	nvme_queue_begin(&controller->admin, stride);
	nvme_queue_begin(&controller->queue, stride);
}

static struct nvme_left *left_of(const struct nvme_controller *controller) {
	return (struct nvme_left *)(controller->memory + DMA_LEFT);
}

// Says what a successor will find: the answer to the command with that id, or none.
static void leave(const struct nvme_controller *controller, uint16_t id) {
	const struct nvme_queue *queue = &controller->queue;

	*left_of(controller) = (struct nvme_left){
		controller->active, id, queue->head, queue->phase};
}

// An answer that was not taken may keep the interrupt line active beyond the reset, as it does in
// QEMU: so the answer to a predecessor's command is waited for and taken.
static void take_left(struct nvme_controller *controller) {
	const struct nvme_left left = *left_of(controller);
	struct nvme_queue *queue = &controller->queue;

	if (!(nvme_read(NVME_CC) & CC_EN) || !(nvme_read(NVME_CSTS) & CSTS_RDY)) return;
	if (!left.is_active || left.head >= NVME_ENTRIES || left.phase > NVME_PHASE) return;
	queue->id = left.id;
	queue->head = left.head;
	queue->phase = left.phase;
	for (unsigned i = 0; i < LEFT_LOOKS && nvme_queue_take(queue) == NVME_NONE; i++)
		device_pause();
}

// Off, then on with queues for administrative commands. Off it does no DMA.
static bool restart(struct nvme_controller *controller) {
	uint64_t cap = read64(NVME_CAP);
	uint64_t doorbells = 2ul * QUEUES * nvme_cap_stride(cap);

	if (!range_fits(NVME_DOORBELLS, doorbells, controller->registers_size)) return false;
	begin_queues(controller, nvme_cap_stride(cap));
	take_left(controller);
	nvme_write(NVME_CC, 0);
	if (!wait_ready(0, cap)) return false;
	if (nvme_cap_entries(cap) < NVME_ENTRIES || nvme_cap_page(cap) != 0) return false;
	memset(controller->memory, 0, DMA_BYTES);
	begin_queues(controller, nvme_cap_stride(cap));
	nvme_write(NVME_INTMS, ~0u);
	nvme_write(NVME_AQA, (NVME_ENTRIES - 1) << 16 | (NVME_ENTRIES - 1));
	write64(NVME_ASQ, controller->paddr + DMA_ADMIN_COMMANDS);
	write64(NVME_ACQ, controller->paddr + DMA_ADMIN_COMPLETIONS);
	nvme_write(NVME_CC, CC_EN | CC_IOSQES | CC_IOCQES);
	return wait_ready(CSTS_RDY, cap);
}

// Carries out an administrative command, with interrupts off.
static bool administer(struct nvme_controller *controller, const struct nvme_command *command) {
	nvme_queue_send(&controller->admin, command);
	for (unsigned i = 0; i < ADMIN_LOOKS; i++) {
		enum nvme_answer answer = nvme_queue_take(&controller->admin);

		if (answer != NVME_NONE) return answer == NVME_OK;
		device_pause();
	}
	return false;
}

static bool identify(
	struct nvme_controller *controller, enum nvme_identify what, uint32_t namespace) {
	return administer(controller,
		&(struct nvme_command){.opcode = NVME_IDENTIFY,
			.namespace = namespace,
			.data = {controller->paddr + DMA_IDENTIFY},
			.words = {what}});
}

// Whether a transfer of the largest request is possible.
static bool takes_requests(struct nvme_controller *controller) {
	uint8_t largest;

	if (!identify(controller, IDENTIFY_CONTROLLER, 0)) return false;
	largest = controller->memory[DMA_IDENTIFY + CONTROLLER_LARGEST];
	return largest == 0 || largest >= 64 - PAGE_LOG2 ||
		1ul << largest << PAGE_LOG2 >= BLOCK_MAXIMUM * BLOCK_SECTOR;
}

// Sectors of the namespace, 0 if it has others than of 512 bytes without metadata.
static uint64_t namespace_sectors(struct nvme_controller *controller) {
	uint8_t answer[NAMESPACE_FORMATS + 16 * 4];
	const uint8_t *format;

	if (!identify(controller, IDENTIFY_NAMESPACE, NAMESPACE)) return 0;
	memcpy(answer, controller->memory + DMA_IDENTIFY, sizeof(answer));
	format = answer + NAMESPACE_FORMATS + 4 * (answer[NAMESPACE_FORMAT] & 0xf);
	if (bytes_number(format, FORMAT_METADATA, 2) != 0 || format[FORMAT_SECTOR] != SECTOR_LOG2)
		return 0;
	return bytes_number(answer, NAMESPACE_SIZE, 8);
}

static bool create_queues(struct nvme_controller *controller) {
	const uint32_t what = (NVME_ENTRIES - 1) << 16 | QUEUE;

	return administer(controller,
		       &(struct nvme_command){.opcode = NVME_CREATE_COMPLETION_QUEUE,
			       .data = {controller->paddr + DMA_COMPLETIONS},
			       .words = {what, QUEUE_IS_CONTIGUOUS | QUEUE_INTERRUPTS}}) &&
		administer(controller,
			&(struct nvme_command){.opcode = NVME_CREATE_SUBMISSION_QUEUE,
				.data = {controller->paddr + DMA_COMMANDS},
				.words = {what, QUEUE << 16 | QUEUE_IS_CONTIGUOUS}});
}

uint64_t nvme_reset(struct nvme_controller *controller) {
	uint64_t sectors;

	controller->active = false;
	if (!restart(controller) || !takes_requests(controller)) return 0;
	sectors = namespace_sectors(controller);
	if (sectors == 0 || !create_queues(controller)) return 0;
	nvme_write(NVME_INTMC, ~0u);
	return sectors;
}

// The pages of a transfer: the first, and the second or a list of all others (4.3).
static void fill_pages(
	const struct nvme_controller *controller, uint64_t paddr, uint64_t bytes, uint64_t *data) {
	uint64_t *list = (uint64_t *)(controller->memory + DMA_PAGES);
	uint64_t next = align_down(paddr, NVME_PAGE) + NVME_PAGE;
	unsigned count = 0;

	data[0] = paddr;
	if (next >= paddr + bytes) return;
	data[1] = next;
	if (next + NVME_PAGE >= paddr + bytes) return;
	for (; next < paddr + bytes; next += NVME_PAGE)
		list[count++] = next;
	data[1] = controller->paddr + DMA_PAGES;
}

enum block_progress nvme_start(struct nvme_controller *controller, const struct block_job *job) {
	static const uint8_t opcodes[] = {
		[BLOCK_READ] = NVME_READ, [BLOCK_WRITE] = NVME_WRITE, [BLOCK_FLUSH] = NVME_FLUSH};
	struct nvme_command command = {.opcode = opcodes[job->kind], .namespace = NAMESPACE};

	if (!device_reaches(job)) return BLOCK_FAILED;
	if (job->count > 0) {
		fill_pages(controller, job->data_paddr, (uint64_t)job->count * BLOCK_SECTOR,
			command.data);
		command.words[0] = (uint32_t)job->sector;
		command.words[1] = (uint32_t)(job->sector >> 32);
		command.words[2] = job->count - 1;
	}
	controller->active = true;
	// Before it is sent: there is no moment in which a successor would not know of it.
	leave(controller, (uint16_t)(controller->queue.id + 1));
	nvme_queue_send(&controller->queue, &command);
	return BLOCK_UNDER_WAY;
}

static enum block_progress progress_of(enum nvme_answer answer) {
	switch (answer) {
	case NVME_NONE: return nvme_read(NVME_CSTS) & CSTS_CFS ? BLOCK_STUCK : BLOCK_UNDER_WAY;
	case NVME_OK: return BLOCK_DONE;
	case NVME_ERROR: return BLOCK_FAILED;
	case NVME_STRANGE: break;
	}
	return BLOCK_STUCK;
}

enum block_progress nvme_interrupt(struct nvme_controller *controller) {
	enum nvme_answer answer = nvme_queue_take(&controller->queue);
	enum block_progress progress;

	// The line stays active as long as there are answers; without a command all are strange.
	for (unsigned i = 0; i < NVME_ENTRIES && !controller->active && answer != NVME_NONE; i++)
		answer = nvme_queue_take(&controller->queue);
	if (!controller->active) return BLOCK_IDLE;
	progress = progress_of(answer);
	controller->active = progress == BLOCK_UNDER_WAY;
	leave(controller, controller->queue.id);
	return progress;
}
