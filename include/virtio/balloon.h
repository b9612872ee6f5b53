// SPDX-License-Identifier: BSD-2-Clause
// The balloon device (virtio 1.2, 5.5).
#pragma once

#include <virtio/virtio.h>

// Features (5.5.3).
#define VIRTIO_BALLOON_F_STATS_VQ (1ull << 1)
#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM (1ull << 2)
#define VIRTIO_BALLOON_F_FREE_PAGE_HINT (1ull << 3)
#define VIRTIO_BALLOON_F_PAGE_REPORTING (1ull << 5)

enum {
	VIRTIO_BALLOON_PAGE_SHIFT = 12, // pages are those of 4096 bytes, whatever the guest has
	VIRTIO_BALLOON_ACTUAL = 4, // offset of `actual`
};

// 5.5.4.
struct virtio_balloon_config {
	uint32_t num_pages; // wanted by the device
	uint32_t actual; // by the driver
	uint32_t free_page_hint_cmd_id;
	uint32_t poison_val;
};

ABI_ASSERT(sizeof(struct virtio_balloon_config) == 16);
