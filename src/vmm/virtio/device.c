// SPDX-License-Identifier: BSD-2-Clause
// Status, features and configuration of a virtio device.
#include <vmm/virtio/device.h>

#include <vmm/host/log.h>
#include <vmm/virtio/queue.h>

#include <base/memory.h>

enum {
	WINDOW_BITS = 32,
	WINDOWS = 2,
	STATUS_BITS = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK |
		VIRTIO_FAILED,
};

#define RING_FEATURES \
	(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED)

static void end_reset(struct virtio_device *device) {
	device->resetting = device->held > 0;
	device->status = device->resetting ? VIRTIO_ACKNOWLEDGE : 0;
}

void virtio_release(struct virtio_device *device) {
	device->held--;
	if (device->resetting) end_reset(device);
}

void virtio_reset(struct virtio_device *device) {
	device->status = 0;
	device->features = 0;
	for (unsigned i = 0; i < device->queue_count; i++) {
		device->queues[i].device = device;
		virtqueue_reset(&device->queues[i]);
	}
	if (device->ops->reset) device->ops->reset(device);
	end_reset(device);
}

static uint64_t all_offered(const struct virtio_device *device) {
	return device->offered | RING_FEATURES;
}

static bool features_fit(const struct virtio_device *device) {
	return (device->features & ~all_offered(device)) == 0 &&
		virtio_has(device, VIRTIO_F_VERSION_1);
}

static void notify_all(struct virtio_device *device) {
	for (unsigned i = 0; i < device->queue_count; i++)
		virtio_notify(device, i);
}

// What the driver made available before it set DRIVER_OK it need not notify again.
static void start(struct virtio_device *device) {
	if (device->ops->started) device->ops->started(device);
	notify_all(device);
}

void virtio_set_status(struct virtio_device *device, uint8_t status) {
	uint8_t added = status & STATUS_BITS & ~device->status;

	if (status == 0) virtio_reset(device);
	if (status == 0 || device->resetting) return;
	if (!features_fit(device)) added &= ~VIRTIO_FEATURES_OK;
	if (!((device->status | added) & VIRTIO_FEATURES_OK)) added &= ~VIRTIO_DRIVER_OK;
	device->status |= added;
	if (added & VIRTIO_DRIVER_OK) start(device);
}

uint32_t virtio_offered(const struct virtio_device *device, uint32_t window) {
	return window < WINDOWS ? (uint32_t)(all_offered(device) >> window * WINDOW_BITS) : 0;
}

uint32_t virtio_accepted(const struct virtio_device *device, uint32_t window) {
	return window < WINDOWS ? (uint32_t)(device->features >> window * WINDOW_BITS) : 0;
}

void virtio_accept(struct virtio_device *device, uint32_t window, uint32_t features) {
	unsigned shift = window * WINDOW_BITS;

	if (window >= WINDOWS || (device->status & VIRTIO_FEATURES_OK)) return;
	device->features &= ~((uint64_t)UINT32_MAX << shift);
	device->features |= (uint64_t)features << shift;
}

struct virtqueue *virtio_queue(struct virtio_device *device, uint32_t number) {
	return number < device->queue_count ? &device->queues[number] : NULL;
}

void virtio_notify(struct virtio_device *device, uint32_t number) {
	struct virtqueue *queue = virtio_queue(device, number);

	if (queue && queue->enabled && virtio_works(device)) device->ops->notified(device, queue);
}

void virtio_cut_off(struct virtio_device *device, bool cut_off) {
	bool restored = device->cut_off && !cut_off;

	device->cut_off = cut_off;
	if (restored) notify_all(device);
}

void virtio_config_read(
	const struct virtio_device *device, uint64_t offset, void *bytes, uint32_t length) {
	const uint8_t *config = device->config;
	uint8_t *target = bytes;

	memset(bytes, 0, length);
	for (uint32_t i = 0; i < length && offset < device->config_size; i++)
		target[i] = config[offset++];
}

void virtio_config_write(
	struct virtio_device *device, uint64_t offset, const void *bytes, uint32_t length) {
	const struct virtio_ops *ops = device->ops;
	const uint8_t *source = bytes;
	uint8_t *config = device->config;
	bool changed = false;

	for (uint32_t i = 0; i < length && offset < ops->writable_end; i++, offset++) {
		if (offset < ops->writable) continue;
		config[offset] = source[i];
		changed = true;
	}
	if (changed && ops->configured) ops->configured(device);
}

void virtio_config_changed(struct virtio_device *device) {
	device->generation++;
	if (device->status & VIRTIO_DRIVER_OK)
		device->transport.config_interrupt(device->transport.context);
}

void virtio_break(struct virtio_device *device, const char *why) {
	if (device->status & VIRTIO_NEEDS_RESET) return;
	log_guest("virtio %s needs a reset: %s", device->ops->name, why);
	device->status |= VIRTIO_NEEDS_RESET;
	virtio_config_changed(device);
}
